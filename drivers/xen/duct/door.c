// SPDX-License-Identifier: GPL-2.0
/*
 * Doors: one event channel, and a bitmap of the channels that have something.
 *
 * The protocol, and why no wake-up is lost, is in Documentation/protocol.rst;
 * the other half of each pair of fences is in ring.c.
 */
#include "core.h"

#include <asm/sync_bitops.h>

#include "trace.h"

/* Takes a word of our table; reading first keeps idle words shared. */
static u64 duct_door_take(u64 __peer *word)
{
	if (!duct_peer_read64(word))
		return 0;
	return xchg((u64 __force *)word, 0);
}

/*
 * Which of the control page's two tables is whose. Bits that came before anybody
 * looked are dropped, or the peer would raise no event for them again; the link's
 * work looks at the control ring once after this. [sleep]
 */
void duct_door_init(struct duct_link *link, struct duct_control_page __peer *page)
{
	bool front = duct_link_is_front(link);
	struct duct_door_table __peer *in = front ? &page->door_to_front : &page->door_to_back;
	u32 word;

	link->door.out = front ? &page->door_to_back : &page->door_to_front;
	/* First: an event from here on finds the table. */
	WRITE_ONCE(link->door.in, in);
	for (word = 0; word < DUCT_SLOTS / 64; word++)
		duct_door_take(&in->bits[word]);
}

/*
 * Tells the peer that the slot has something. The slot is held by tx_lock, RCU
 * or link->lock. Per bit, never per word: a word that is not empty says nothing
 * about whether the peer has seen this bit. [any]
 *
 * Return: true if that took an event; false: the bit was set already
 */
bool duct_door_ring(struct duct_slot *slot)
{
	struct duct_link *link = slot->link;
	unsigned long *bits = (unsigned long __force *)link->door.out->bits;

	/* A full barrier on its own, and locked on a UP kernel too: sync_. */
	if (sync_test_and_set_bit(slot->index, bits))
		return false;
	atomic64_inc(&link->stats.rung);
	trace_duct_ring(link->id, slot->index);
	link->ops->notify(link->wire);
	return true;
}

/**
 * duct_link_event() - the wire's event came
 * @link: which
 *
 * Gives work to whom the peer named. A bit without credit is one that we did
 * not ask for: it is dropped, since that channel's worker is queued or running
 * and looks again before it sleeps. Called in hard irq by the wire, until after
 * duct_link_stop().
 *
 * Return: false if nothing was welcome: the event was spurious
 */
bool duct_link_event(struct duct_link *link)
{
	struct duct_door_table __peer *in;
	bool real = false;
	u32 word;

	rcu_read_lock();
	link->stats.events++;
	in = READ_ONCE(link->door.in);
	for (word = 0; in && word < DUCT_SLOTS / 64; word++) {
		u64 bits = duct_door_take(&in->bits[word]);

		while (bits) {
			u32 bit = __ffs64(bits);
			struct duct_slot *slot = rcu_dereference(link->slots[word * 64 + bit]);
			struct duct_channel_core *ch;

			bits &= bits - 1;
			if (!slot || !atomic_xchg(&slot->credit, 0))
				continue;
			real = true;
			ch = READ_ONCE(slot->ch);
			if (ch)
				duct_channel_event(ch);
			else if (slot->index == DUCT_SLOT_CONTROL)
				duct_link_kick(link);
		}
	}
	if (!real)
		link->stats.spurious++;
	rcu_read_unlock();
	trace_duct_event(link->id, real);
	return real;
}
EXPORT_SYMBOL_GPL(duct_link_event);
