// SPDX-License-Identifier: GPL-2.0
/*
 * Linked into each domain's image, as glue.c: what must be true of the modules' own variables
 * after each switch, and what counts for a work's budget. Nobody is switched to in here: all
 * is read as it is.
 */
#include "chunk.h"
#include "core.h"
#include "flow.h"
#include "glue.h"

/* ---- budgets of works: the two files that take messages call these for duct_rx_take() ---- */

void sim_control_take(struct duct_rx *rx, const struct duct_frame *frame)
{
	sim_taken(false);
	duct_rx_take(rx, frame);
}

void sim_channel_take(struct duct_rx *rx, const struct duct_frame *frame)
{
	sim_taken(true);
	duct_rx_take(rx, frame);
}

/* ---- readers: the file that reads channels calls these for what looks at a ring ---- */

/* A backend has said that it let go, or is about to: the frontend may use the memory. */
static void check_reader(const struct duct_rx *rx)
{
	const struct duct_slot *slot = container_of(rx, struct duct_slot, rx);

	if (!duct_link_is_front(slot->link) && !slot->ch && (slot->sent_close || slot->owe_closed))
		sim_fail("slot %u was given back, and a reader is in its rings", slot->index);
	if (slot->flags & BIT(DUCT_SLOT_EARLY))
		sim_fail("slot %u is read before down() was told", slot->index);
}

int sim_channel_peek(struct duct_rx *rx, struct duct_frame *frame)
{
	check_reader(rx);
	return duct_rx_peek(rx, frame);
}

bool sim_channel_return(struct duct_rx *rx)
{
	check_reader(rx);
	return duct_rx_return(rx);
}

int sim_channel_arm(struct duct_rx *rx)
{
	check_reader(rx);
	return duct_rx_arm(rx);
}

/* ---- after each switch ---- */

/*
 * design.md: credit 0 means that somebody is about to look, and arms before he sleeps: the
 * handler that took it; the work that it queued; or who takes messages by himself, and has
 * been told, so that no ready() is armed. Not where the peer has closed, and all was read.
 */
static void check_channel(const struct duct_link *link, const struct duct_slot *slot)
{
	const struct duct_channel_core *ch = slot->ch;

	if (!ch || slot->flags & DUCT_SLOT_UNREAD)
		return;
	if (!ch->cfg.ops->ready && !sim_work_busy(&ch->work))
		sim_fail("channel %x has no credit, and nobody is going to look", ch->pub.number);
	if (ch->cfg.ops->ready && ch->flags & BIT(DUCT_CH_RX_ARMED) && !sim_readers())
		sim_fail("channel %x has no credit, and ready() is armed", ch->pub.number);
}

static void check_control(const struct duct_link *link)
{
	if (link->running && !link->fault && !link->starved && !sim_work_busy(&link->work))
		sim_fail("the control ring has no credit, and nobody is going to look");
}

/* What is sent, and read, is of the session that the driver knows, or is about to know. */
static void check_session(const struct duct_slot *slot, const struct duct_channel_core *ch)
{
	if (ch && ch->slot == slot && ch->told && ch->told != ch->session &&
	    !(slot->flags & BIT(DUCT_SLOT_EARLY)))
		sim_fail("channel %x goes on before down() was told", ch->pub.number);
}

/* Its readers are waited for until nothing is said. */
static void check_leaving(const struct duct_slot *slot)
{
	if (slot->grave.next != &slot->grave && (slot->owe_close || slot->owe_closed))
		sim_fail("slot %u is given back before its readers are out", slot->index);
}

static void check_slots(const struct duct_link *link)
{
	/* A handler is on its way to who waits; so is who binds, or lets go. */
	bool busy = sim_handlers() || link->lock.lock.owner;
	u32 i;

	for (i = 0; i < link->door_words * 64; i++) {
		const struct duct_slot *slot = link->slots[i];

		if (!slot)
			continue;
		check_session(slot, slot->ch);
		check_leaving(slot);
		if (busy || slot->credit.counter)
			continue;
		if (i == DUCT_SLOT_CONTROL)
			check_control(link);
		else
			check_channel(link, slot);
	}
}

static void check_link(const struct duct_link *link)
{
	u32 pages = link->pages + link->region_pages;

	if (link->policy && link->channels > duct_policy_channels(link->policy))
		sim_fail("%u channels, and %u are allowed", link->channels,
			 duct_policy_channels(link->policy));
	if (link->policy && pages > duct_policy_pages(link->policy))
		sim_fail("%u pages, and %u are allowed", pages, duct_policy_pages(link->policy));
	/* Who could not read the peer's incarnation may take it for another. */
	if (link->stats.faults.counter && !sim_plan.hostile && !sim_fault_hits)
		sim_fail("the peer is said to have broken the protocol: %s", link->fault);
	check_slots(link);
}

void sim_inside_look(void)
{
	const struct list_head *at;

	for (at = duct_links.next; at != &duct_links; at = at->next)
		check_link(list_entry(at, struct duct_link, node));
}

/* ---- a peer that breaks the protocol ---- */

/* The peer's index of the control ring goes where none can be. Return: false without a link */
bool sim_inside_spoil(void)
{
	struct duct_link *link;

	if (duct_links.next == &duct_links)
		return false;
	link = list_entry(duct_links.next, struct duct_link, node);
	if (!link->running || !link->greeted || link->goodbye_in || link->fault)
		return false;
	*(u32 __force *)&link->control->rx.shared->prod += 1;
	duct_link_kick(link);
	return true;
}
