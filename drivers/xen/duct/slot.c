// SPDX-License-Identifier: GPL-2.0
/*
 * Slots: a channel's place in shared memory, from BOUND to CLOSED. Only the
 * frontend allocates them. All of it under link->lock.
 *
 * Who closes lets go of the rings and says CLOSE. The other end reads what was
 * sent, for a bounded time, lets go as well and says CLOSED; then the frontend uses
 * the memory and the index again. Where two CLOSE cross, each end answers the other's.
 */
#include <linux/log2.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "chunk.h"
#include "core.h"
#include "park.h"
#include "slot.h"
#include "trace.h"

/* How long unread messages of a closed channel are kept for the driver. */
#define DUCT_DRAIN (2 * HZ)

static int duct_slot_emit_one(struct duct_slot *slot, bool *owe, u32 type, u32 reason)
{
	const union duct_ctl msg = {
		.close = {
			.type = type,
			.slot = slot->index,
			.generation = slot->generation,
			.reason = reason,
		},
	};
	int err;

	if (!*owe)
		return 0;
	err = duct_link_send(slot->link, &msg);
	if (!err)
		*owe = false;
	return err;
}

/* No one can find the slot any more; readers may still be in its memory. */
static void duct_slot_remove(struct duct_slot *slot)
{
	struct duct_link *link = slot->link;

	RCU_INIT_POINTER(link->slots[slot->index], NULL);
	link->next_slot = min(link->next_slot, slot->index);
	link->channels--;
	link->door[slot->door].channels--;
	list_del_init(&slot->out.node);
	slot->cookie = start_poll_synchronize_rcu();
	list_move_tail(&slot->grave, &link->graves);
	link->grave_bytes += slot->bytes;
	mod_delayed_work(duct_wq, &link->tick, 1);
}

static int duct_slot_emit_close(struct duct_link *link, struct duct_out *out)
{
	struct duct_slot *slot = container_of(out, struct duct_slot, out);
	bool answered = slot->owe_closed;
	int err;

	err = duct_slot_emit_one(slot, &slot->owe_close, DUCT_CTL_CLOSE, slot->close_reason) ?:
	      duct_slot_emit_one(slot, &slot->owe_closed, DUCT_CTL_CLOSED, 0);
	/* We did not close it: the peer's CLOSE, now answered, is the end. */
	if (!err && answered && !slot->sent_close)
		duct_slot_remove(slot);
	return err;
}

struct duct_slot *duct_slot_new(struct duct_link *link, u32 index, u32 generation)
{
	struct duct_slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL);

	if (!slot)
		return NULL;
	slot->link = link;
	slot->index = index;
	slot->generation = generation;
	atomic_set(&slot->credit, 1);
	INIT_LIST_HEAD(&slot->out.node);
	INIT_LIST_HEAD(&slot->grave);
	slot->out.emit = duct_slot_emit_close;
	return slot;
}

static void duct_slot_free(struct duct_slot *slot)
{
	u32 i;

	if (!list_empty(&slot->grave))
		slot->link->grave_bytes -= slot->bytes;
	list_del(&slot->grave);
	if (slot->chunk)
		duct_chunk_free(slot->chunk, slot->offset, slot->bytes);
	for (i = 0; slot->calls && i < slot->max_calls; i++) {
		struct duct_lend *lend = slot->calls[i].lend;

		/* At the end of an epoch the peer has not let go yet. */
		if (lend && slot->link->greeted)
			duct_lend_end(slot->link, lend, false);
		else if (lend)
			list_add(&lend->node, &slot->link->lends);
	}
	kvfree(slot->calls);
	kfree(slot);
}

/* Frees the slots whose grace period is over; all of them if @wait. */
static void duct_slot_bury(struct duct_link *link, bool wait)
{
	struct duct_slot *slot, *next;

	if (wait && !list_empty(&link->graves)) {
		/* The last one's covers all; expedited, as link->lock is held. */
		slot = list_last_entry(&link->graves, struct duct_slot, grave);
		cond_synchronize_rcu_expedited(slot->cookie);
	}
	list_for_each_entry_safe(slot, next, &link->graves, grave) {
		if (!wait && !poll_state_synchronize_rcu(slot->cookie))
			break;
		/* No reader adds news any more, but the work may not have seen it. */
		if (!test_bit(DUCT_SLOT_NEWS, &slot->flags))
			duct_slot_free(slot);
	}
}

static struct duct_slot *duct_slot_at(struct duct_link *link, u32 index)
{
	return rcu_dereference_protected(link->slots[array_index_nospec(index, DUCT_SLOTS)],
					 lockdep_is_held(&link->lock));
}

static void duct_slot_install(struct duct_slot *slot)
{
	duct_doors_cover(slot->link, slot->index);
	rcu_assign_pointer(slot->link->slots[slot->index], slot);
	slot->link->channels++;
	slot->link->door[slot->door].channels++;
}

/* Both ends' rings in the slot, by side. */
static int duct_slot_rings(struct duct_slot *slot, const struct duct_ctl_bound *msg,
			   u8 __peer *to_back, u8 __peer *to_front, u32 max_calls, u32 max_answer)
{
	struct duct_shared_ring __peer *back = (struct duct_shared_ring __peer *)to_back;
	struct duct_shared_ring __peer *front = (struct duct_shared_ring __peer *)to_front;
	u32 head = sizeof(struct duct_shared_ring);

	if (duct_link_is_front(slot->link)) {
		duct_tx_init(&slot->tx, back, to_back + head, msg->to_back.bytes,
			     msg->to_back.start);
		duct_rx_init(&slot->rx, front, to_front + head, msg->to_front.bytes,
			     msg->to_front.start);
	} else {
		duct_tx_init(&slot->tx, front, to_front + head, msg->to_front.bytes,
			     msg->to_front.start);
		duct_rx_init(&slot->rx, back, to_back + head, msg->to_back.bytes,
			     msg->to_back.start);
	}
	slot->max_calls = max_calls;
	slot->max_answer = max_answer;
	if (!max_calls)
		return 0;
	slot->calls = kvcalloc(max_calls, sizeof(*slot->calls), GFP_KERNEL);
	return slot->calls ? 0 : -ENOMEM;
}

/* Bytes that answers need: each its frame, and one pad. */
static u32 duct_answers_bytes(u32 max_calls, u32 max_answer)
{
	return max_calls ? (max_calls + 1) * duct_frame_bytes(max_answer) : 0;
}

u32 duct_ring_size(u32 a, u32 b, u32 max_msg, u32 max_calls, u32 max_answer)
{
	u64 need = duct_ring_need(max_msg) +
		   (max_calls ? (max_calls + 1ULL) * duct_frame_bytes(max_answer) : 0);

	if (need > DUCT_RING_MAX)
		return 0;
	return max3(a, b, (u32)roundup_pow_of_two(need));
}

/* Frontend: what both ends wished, joined. Return: 0 or DUCT_REFUSED_* */
static u32 duct_slot_agree(struct duct_channel_core *ch, const struct duct_ctl_wish *wish,
			   struct duct_ctl_bound *msg)
{
	const struct duct_channel_config *cfg = &ch->cfg;
	bool stream = cfg->flags & DUCT_STREAM;

	if (stream != !!(wish->flags & DUCT_WISH_STREAM))
		return DUCT_REFUSED_MISMATCH;
	msg->flags = duct_channel_wish_flags(ch) & wish->flags;
	msg->max_msg = min(cfg->max_msg, wish->max_msg);
	msg->max_calls = cfg->max_calls;
	msg->max_answer = cfg->max_answer;
	msg->to_back.bytes = duct_ring_size(cfg->tx_bytes, wish->rx_bytes, msg->max_msg,
					    cfg->max_calls, cfg->max_answer);
	msg->to_front.bytes = duct_ring_size(cfg->rx_bytes, wish->tx_bytes, msg->max_msg,
					     wish->max_calls, wish->max_answer);
	if (!msg->to_back.bytes || !msg->to_front.bytes)
		return DUCT_REFUSED_BUDGET;
	duct_park_agree(ch, wish, msg);
	return 0;
}

/* Frontend: the lowest index that is free, so that an event finds its bit soon; 0: none is. */
static u32 duct_slot_index(struct duct_link *link)
{
	u32 index = link->next_slot;

	while (index < DUCT_SLOTS && (index == DUCT_SLOT_CONTROL || duct_slot_at(link, index)))
		index++;
	link->next_slot = index;
	return index < DUCT_SLOTS ? index : 0;
}

static void duct_ring_clear(u8 __peer *at, u32 start)
{
	struct duct_shared_ring __peer *shared = (struct duct_shared_ring __peer *)at;

	duct_peer_zero(shared, sizeof(*shared));
	duct_peer_write32(&shared->prod, start);
	duct_peer_write32(&shared->cons, start);
	duct_peer_write32(&shared->want_data, start);
	/* Nobody waits for space: this one passes after 4 GiB. */
	duct_peer_write32(&shared->want_space, start - 1);
}

/* Frontend: what the backend has to know, in this order. Return: 0 or -ENOMEM */
static int duct_slot_tell(struct duct_link *link, const struct duct_ctl_wish *wish,
			  const union duct_ctl *msg)
{
	if (msg->bound.max_calls || wish->max_calls)
		duct_stage_offer(link);
	return duct_link_post(link, msg);
}

/*
 * Frontend: memory for both rings. The arena does not grow by more than a chunk while
 * graves could do: who opens and closes again and again would have it grow to the budget,
 * as slowly as grace periods end, and what it was made for is all that it is good for.
 * Return: as duct_chunk_alloc()
 */
static int duct_slot_place(struct duct_slot *slot, u32 bytes)
{
	struct duct_link *link = slot->link;
	int err;

	duct_slot_bury(link, false);
	if (duct_chunk_find(link, bytes, &slot->chunk, &slot->offset))
		return 0;
	if (link->grave_bytes >= DUCT_CHUNK_PAGES * DUCT_PAGE_SIZE)
		duct_slot_bury(link, true);
	err = duct_chunk_alloc(link, bytes, &slot->chunk, &slot->offset);
	if (err == -EDQUOT && !list_empty(&link->graves)) {
		duct_slot_bury(link, true);
		err = duct_chunk_alloc(link, bytes, &slot->chunk, &slot->offset);
	}
	return err;
}

/*
 * Frontend: memory, index and both halves; the peer is going to be told.
 * Return: the slot or ERR_PTR()
 */
static struct duct_slot *duct_slot_make(struct duct_channel_core *ch,
					const struct duct_ctl_wish *wish, union duct_ctl *ctl)
{
	struct duct_ctl_bound *msg = &ctl->bound;
	u32 head = sizeof(struct duct_shared_ring);
	u32 bytes = 2 * head + msg->to_back.bytes + msg->to_front.bytes;
	struct duct_link *link = ch->link;
	struct duct_slot *slot;
	u32 index = duct_slot_index(link);
	u8 __peer *base;
	int err;

	if (!index || link->channels >= duct_policy_channels(link->policy))
		return ERR_PTR(-EDQUOT);
	slot = duct_slot_new(link, index, ++link->generation);
	if (!slot)
		return ERR_PTR(-ENOMEM);
	err = duct_slot_place(slot, bytes);
	if (err) {
		kfree(slot);
		return ERR_PTR(err);
	}
	slot->bytes = bytes;
	slot->door = duct_door_pick(link);
	msg->slot = index;
	msg->door = slot->door;
	msg->generation = slot->generation;
	msg->to_back.chunk = slot->chunk->id;
	msg->to_back.offset = slot->offset;
	msg->to_front.chunk = slot->chunk->id;
	msg->to_front.offset = slot->offset + head + msg->to_back.bytes;
	base = slot->chunk->base;
	duct_ring_clear(base + msg->to_back.offset, msg->to_back.start);
	duct_ring_clear(base + msg->to_front.offset, msg->to_front.start);
	err = duct_slot_rings(slot, msg, base + msg->to_back.offset, base + msg->to_front.offset,
			      wish->max_calls, wish->max_answer) ?:
	      duct_park_bind(ch, slot, msg) ?: duct_slot_tell(link, wish, ctl);
	if (err) {
		INIT_LIST_HEAD(&slot->grave);
		duct_slot_free(slot);
		return ERR_PTR(err);
	}
	slot->keep = duct_answers_bytes(ch->cfg.max_calls, ch->cfg.max_answer);
	return slot;
}

/* Frontend: tells the backend, and the driver here, that it cannot be. */
static void duct_slot_refuse(struct duct_channel_core *ch, struct duct_service *service,
			     u32 reason)
{
	static const int errs[] = {
		[DUCT_REFUSED_MISMATCH] = -EPROTO,
		[DUCT_REFUSED_BUDGET] = -EDQUOT,
		[DUCT_REFUSED_MEMORY] = -ENOMEM,
	};

	ch->refused = reason;
	duct_link_out(ch->link, &ch->out);
	duct_service_wish_done(service, ch->pub.number);
	duct_channel_refused(ch, errs[reason]);
}

/**
 * duct_slot_try_bind() - frontend: bind a channel that both ends wish
 * @ch: the channel
 *
 * Does nothing when it is too early; a later event tries again. A refusal goes
 * to both ends.
 */
void duct_slot_try_bind(struct duct_channel_core *ch)
{
	struct duct_service *service = to_duct_device_core(ch->pub.dd)->service;
	struct duct_link *link = ch->link;
	const struct duct_ctl_wish *wish;
	struct duct_slot *slot;
	union duct_ctl msg = { .type = DUCT_CTL_BOUND };
	u32 refused;

	lockdep_assert_held(&link->lock);
	if (!duct_link_is_front(link) || !ch->wished || ch->up || ch->stopped)
		return;
	wish = duct_service_wish(service, ch->pub.number);
	if (!wish)
		return;
	msg.bound.number = ch->pub.number;
	duct_service_fill(service, &msg.bound.service);
	refused = duct_slot_agree(ch, wish, &msg.bound);
	if (refused) {
		duct_slot_refuse(ch, service, refused);
		return;
	}
	if ((ch->cfg.max_calls || wish->max_calls) && duct_stage_large(link))
		return;
	slot = duct_slot_make(ch, wish, &msg);
	if (slot == ERR_PTR(-EAGAIN))
		return;
	if (IS_ERR(slot)) {
		duct_slot_refuse(ch, service, slot == ERR_PTR(-EDQUOT) ? DUCT_REFUSED_BUDGET :
				 DUCT_REFUSED_MEMORY);
		return;
	}
	duct_service_wish_done(service, ch->pub.number);
	slot->ch = ch;
	duct_slot_install(slot);
	duct_channel_bind(ch, slot, &msg.bound);
	duct_door_offer(link);
}

static u8 __peer *duct_ring_at(struct duct_link *link, const struct duct_ctl_ring *ring)
{
	return duct_chunk_at(link, ring->chunk, ring->offset,
			     sizeof(struct duct_shared_ring) + ring->bytes);
}

/**
 * duct_slot_receive_bound() - backend: BOUND came
 * @link: running
 * @msg: well formed
 *
 * A channel that was closed here meanwhile gets CLOSE.
 *
 * Return: NULL or how it breaks the protocol, or duct_no_memory
 */
const char *duct_slot_receive_bound(struct duct_link *link, const struct duct_ctl_bound *msg)
{
	struct duct_service *service = duct_service_of(link, &msg->service);
	u8 __peer *to_back = duct_ring_at(link, &msg->to_back);
	u8 __peer *to_front = duct_ring_at(link, &msg->to_front);
	u32 door = array_index_nospec(msg->door, DUCT_DOORS);
	struct duct_channel_core *ch;
	struct duct_slot *slot;
	int err = 0;

	if (!to_back || !to_front)
		return "a channel bound outside the arena";
	if (!link->door[door].usable || duct_slot_at(link, msg->slot) ||
	    link->channels >= duct_policy_channels(link->policy))
		return "a channel bound to a slot or door that is not free";
	ch = service ? duct_channel_find(service, msg->number) : NULL;
	/* Closed meanwhile, or opened anew with another wish: the answer is CLOSE. */
	if (ch && (!ch->wished || ch->up || ch->stopped || msg->max_msg > ch->cfg.max_msg ||
		   !!(ch->cfg.flags & DUCT_STREAM) != !!(msg->flags & DUCT_WISH_STREAM) ||
		   msg->to_front.bytes < duct_ring_size(0, ch->cfg.tx_bytes, msg->max_msg,
							ch->cfg.max_calls, ch->cfg.max_answer)))
		ch = NULL;
	if (ch)
		err = duct_park_check(ch, msg);
	if (err == -EPROTO)
		return "a channel resumed where it was not left";
	if (err)
		ch = NULL;
	slot = duct_slot_new(link, msg->slot, msg->generation);
	if (!slot)
		return duct_no_memory;
	slot->door = door;
	err = ch ? duct_slot_rings(slot, msg, to_back, to_front, msg->max_calls,
				   msg->max_answer) ?: duct_park_bind(ch, slot, msg) : -ENOENT;
	/* An event from here on finds it, and looks at its rings: not if it has none. */
	atomic_set(&slot->credit, !err);
	duct_slot_install(slot);
	if (err) {
		slot->sent_close = true;
		slot->owe_close = true;
		slot->close_reason = msg->flags & DUCT_WISH_RESUMED ? DUCT_CLOSE_LOST :
				     err == -ENOMEM ? DUCT_CLOSE_MEMORY : DUCT_CLOSE_NORMAL;
		link->stats.stale++;
		duct_link_out(link, &slot->out);
		if (ch)
			duct_channel_refused(ch, err);
		return NULL;
	}
	slot->keep = duct_answers_bytes(ch->cfg.max_calls, ch->cfg.max_answer);
	slot->ch = ch;
	duct_channel_bind(ch, slot, msg);
	return NULL;
}

/* ---- closing ---- */

/*
 * The channel lets go of its slot; @why is for the driver, @reason for the peer, who hears of it
 * by duct_slots_say().
 */
static void duct_slot_leave(struct duct_slot *slot, int why, u32 reason,
			    struct duct_leaving *leaving)
{
	struct duct_channel_core *ch = slot->ch;

	duct_channel_unbind(ch, why);
	slot->close_reason = reason;
	/*
	 * The frontend has its own readers out before it uses the memory again, and knows nothing
	 * of ours: one who was stopped in between would read, and write, in another's rings. Who
	 * found that all is read has been the last.
	 */
	if (!duct_link_is_front(slot->link) && !test_bit(DUCT_SLOT_DRAINED, &slot->flags))
		leaving->readers = true;
	if (READ_ONCE(ch->requests_busy))
		leaving->requests = true;
	list_add_tail(&slot->grave, &leaving->slots);
}

/* Says CLOSE, or, if the peer was first, CLOSED. No reader is in the rings. */
static void duct_slots_say(struct duct_link *link, struct duct_leaving *leaving)
{
	struct duct_slot *slot, *next;

	lockdep_assert_held(&link->lock);
	list_for_each_entry_safe(slot, next, &leaving->slots, grave) {
		list_del_init(&slot->grave);
		slot->owe_closed = slot->got_close;
		slot->owe_close = !slot->got_close;
		slot->sent_close = !slot->got_close;
		duct_link_out(link, &slot->out);
	}
}

/* Not before all readers are out, and no copying, or mapping, of what was lent begins. */
static void duct_slots_let_go(struct duct_link *link, struct duct_leaving *leaving)
{
	if (leaving->readers || leaving->requests)
		synchronize_rcu();
	if (leaving->requests)
		synchronize_srcu(&link->mapping);
	duct_slots_say(link, leaving);
}

/* The user of a channel closes it; it may have no slot. duct_slot_closed() follows. */
void duct_slot_close(struct duct_channel_core *ch, struct duct_leaving *leaving)
{
	struct duct_slot *slot = duct_channel_slot(ch);

	if (slot)
		duct_slot_leave(slot, -ESHUTDOWN, DUCT_CLOSE_NORMAL, leaving);
	if (!leaving->readers && !leaving->requests)
		duct_slots_say(ch->link, leaving);
}

/*
 * The rest of it, without link->lock: who closes many at once waits for them together. The slots
 * are off the list if the epoch ends meanwhile. [sleep]
 * Return: whether a grace period is over since duct_slot_close()
 */
bool duct_slot_closed(struct duct_link *link, struct duct_leaving *leaving)
{
	if (!leaving->readers && !leaving->requests)
		return false;
	synchronize_rcu_expedited();
	if (leaving->requests)
		synchronize_srcu(&link->mapping);
	mutex_lock(&link->lock);
	duct_slots_say(link, leaving);
	mutex_unlock(&link->lock);
	return true;
}

/* It is bound to a channel that is not to come up again: what the peer sent is lost. [sleep] */
void duct_slot_lose(struct duct_slot *slot)
{
	struct duct_leaving leaving = { .slots = LIST_HEAD_INIT(leaving.slots) };

	duct_slot_leave(slot, -ECONNRESET, DUCT_CLOSE_LOST, &leaving);
	duct_slots_let_go(slot->link, &leaving);
}

/* The peer has closed, and what it sent is not to be read. */
static void duct_slot_receive_end(struct duct_slot *slot, int why)
{
	struct duct_channel_core *ch = slot->ch;
	struct duct_leaving leaving = { .slots = LIST_HEAD_INIT(leaving.slots) };

	/* It is not kept for the next epoch. */
	spin_lock_irq(&ch->tx_lock);
	ch->tx_err = why;
	spin_unlock_irq(&ch->tx_lock);
	duct_slot_leave(slot, why, DUCT_CLOSE_NORMAL, &leaving);
	/* Now: a reader would take it for the orderly end. */
	WRITE_ONCE(slot->got_close, true);
	duct_slots_let_go(slot->link, &leaving);
}

/* CLOSE came. Return: NULL or how it breaks the protocol */
const char *duct_slot_receive_close(struct duct_link *link, const struct duct_ctl_close *msg)
{
	struct duct_slot *slot = duct_slot_at(link, msg->slot);

	if (!slot || slot->generation != msg->generation) {
		link->stats.stale++;
		return NULL;
	}
	if (slot->got_close)
		return "a channel closed twice";
	if (!slot->ch) {
		slot->got_close = true;
		/* Both closed: answer; ours is answered, too. Not said yet, it is the answer. */
		slot->owe_closed = slot->sent_close;
		if (slot->owe_closed)
			duct_link_out(link, &slot->out);
		return NULL;
	}
	if (msg->reason == DUCT_CLOSE_BROKEN) {
		slot->ch->broken = true;
		duct_slot_receive_end(slot, -EPROTO);
		return NULL;
	}
	if (msg->reason == DUCT_CLOSE_LOST) {
		/* What is in the ring is not all that was sent: no orderly end. */
		duct_slot_receive_end(slot, -ECONNRESET);
		return NULL;
	}
	slot->drain_until = jiffies + DUCT_DRAIN;
	mod_delayed_work(duct_wq, &link->tick, DUCT_DRAIN);
	duct_channel_peer_closed(slot->ch, slot);
	return NULL;
}

/* CLOSED came. Return: NULL or how it breaks the protocol */
const char *duct_slot_receive_closed(struct duct_link *link, const struct duct_ctl_close *msg)
{
	struct duct_slot *slot = duct_slot_at(link, msg->slot);

	if (!slot || slot->generation != msg->generation) {
		link->stats.stale++;
		return NULL;
	}
	if (!slot->sent_close || slot->owe_close)
		return "an answer to a close that was not said";
	if (slot->owe_closed) {
		/* Crossed: our answer goes out before the slot is used again. */
		slot->sent_close = false;
		return NULL;
	}
	duct_slot_remove(slot);
	return NULL;
}

/* Something about a slot that its link's work has to know. [any] */
void duct_slot_news(struct duct_slot *slot, int flag)
{
	struct duct_link *link = slot->link;

	if (test_and_set_bit(flag, &slot->flags))
		return;
	if (!test_and_set_bit(DUCT_SLOT_NEWS, &slot->flags))
		llist_add(&slot->todo, &link->todo);
	duct_link_kick(link);
}

void duct_slot_handle_news(struct duct_link *link)
{
	struct llist_node *list = llist_del_all(&link->todo);
	struct duct_slot *slot, *next;
	struct duct_leaving leaving = { .slots = LIST_HEAD_INIT(leaving.slots) };

	lockdep_assert_held(&link->lock);
	llist_for_each_entry_safe(slot, next, list, todo) {
		clear_bit(DUCT_SLOT_NEWS, &slot->flags);
		if (!slot->ch)
			continue;
		if (test_bit(DUCT_SLOT_FAULT, &slot->flags)) {
			slot->ch->broken = true;
			duct_slot_leave(slot, -EPROTO, DUCT_CLOSE_BROKEN, &leaving);
		} else if (test_bit(DUCT_SLOT_DRAINED, &slot->flags)) {
			duct_slot_leave(slot, -EPIPE, DUCT_CLOSE_NORMAL, &leaving);
		}
	}
	duct_slots_let_go(link, &leaving);
}

/* Slots that drain too long, and graves. */
void duct_slot_drain_tick(struct duct_link *link)
{
	struct duct_leaving leaving = { .slots = LIST_HEAD_INIT(leaving.slots) };
	bool again = false;
	u32 i;

	for (i = 1; i < DUCT_SLOTS; i++) {
		struct duct_slot *slot = duct_slot_at(link, i);

		if (!slot || !slot->got_close || !slot->ch)
			continue;
		if (time_after_eq(jiffies, slot->drain_until))
			duct_slot_leave(slot, -EPIPE, DUCT_CLOSE_NORMAL, &leaving);
		else
			again = true;
	}
	duct_slots_let_go(link, &leaving);
	duct_slot_bury(link, false);
	if (again || !list_empty(&link->graves))
		mod_delayed_work(duct_wq, &link->tick, max(1, HZ / 50));
}

/* The epoch ends: every channel loses its slot; the memory waits for readers. */
void duct_slot_reset_all(struct duct_link *link, int why)
{
	struct duct_service *service;
	struct duct_channel_core *ch;
	u32 i;

	lockdep_assert_held(&link->lock);
	list_for_each_entry(service, &link->services, node) {
		if (!service->dev)
			continue;
		list_for_each_entry(ch, &service->dev->channels, node) {
			duct_channel_unbind(ch, why);
			duct_channel_forget(ch);
		}
	}
	for (i = 1; i < DUCT_SLOTS; i++) {
		struct duct_slot *slot = duct_slot_at(link, i);

		if (!slot)
			continue;
		/* Of a device that is being removed, which no service has any more. */
		if (slot->ch)
			duct_channel_unbind(slot->ch, why);
		duct_slot_remove(slot);
	}
}

/* After duct_slot_reset_all() and a grace period: frees all. */
void duct_slot_bury_all(struct duct_link *link)
{
	struct duct_slot *slot, *next;

	/* Their news is none any more. */
	llist_for_each_entry_safe(slot, next, llist_del_all(&link->todo), todo)
		clear_bit(DUCT_SLOT_NEWS, &slot->flags);
	duct_slot_bury(link, true);
}
