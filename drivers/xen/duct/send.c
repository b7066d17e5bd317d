// SPDX-License-Identifier: GPL-2.0
/* Sending: the writer's half of a channel, all of it under tx_lock. */
#include <linux/freezer.h>
#include <linux/rcupdate.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "core.h"
#include "trace.h"

static struct duct_slot *duct_tx_slot(struct duct_channel_core *ch)
{
	lockdep_assert_held(&ch->tx_lock);
	return rcu_dereference_protected(ch->slot, lockdep_is_held(&ch->tx_lock));
}

/* Shows the peer what was committed, and wakes it if it sleeps. tx_lock is held. [any] */
void duct_tx_show(struct duct_channel_core *ch, struct duct_slot *slot)
{
	if (!duct_tx_publish(&slot->tx))
		return;
	ch->stats.out_rings++;
	ch->stats.out_events += duct_door_ring(slot);
}

/* Bytes of the ring that a frame needs now, with its pad and what is kept. */
static u32 duct_tx_need(const struct duct_slot *slot, u32 len, u32 keep)
{
	u32 need = duct_frame_bytes(len);
	u32 rest = slot->tx.size - (slot->tx.prod & (slot->tx.size - 1));

	return need + (need > rest ? rest : 0) + keep;
}

/*
 * Arms writable() for so much room. Return: 0 when armed, 1 when it is there
 * already, -EPROTO
 */
static int duct_tx_want(struct duct_channel_core *ch, struct duct_slot *slot, u32 need)
{
	int err;

	if (!ch->tx_want || need < ch->tx_want)
		ch->tx_want = need;
	/* The peer gives no space back for what it has not seen. */
	duct_tx_show(ch, slot);
	/* After tx_want: pairs with atomic_xchg() in duct_slot_event(). */
	atomic_set_release(&slot->credit, 1);
	err = duct_tx_arm(&slot->tx, ch->tx_want);
	if (err)
		ch->tx_want = 0;
	if (err < 0)
		duct_channel_fault(ch, slot, "index of the ring to it");
	return err;
}

/* As duct_tx_want(), for one more who waits. */
static int duct_tx_want_more(struct duct_channel_core *ch, struct duct_slot *slot, u32 need)
{
	bool others = ch->tx_want;
	int err = duct_tx_want(ch, slot, need);

	/* The event that is on its way will find nobody armed. */
	if (err > 0 && others) {
		set_bit(DUCT_CH_TX_WAKE, &ch->flags);
		duct_channel_queue(ch);
	}
	return err;
}

/**
 * duct_tx_start() - find room for a frame
 * @ch: the channel, tx_lock held
 * @len: bytes of payload, within the limit
 * @keep: bytes that must stay free
 * @at: where it goes
 *
 * Return: 0; -EAGAIN: writable() is armed; why the channel is not up
 */
int duct_tx_start(struct duct_channel_core *ch, u32 len, u32 keep, u32 *at)
{
	struct duct_slot *slot = duct_tx_slot(ch);
	int err;

	if (unlikely(ch->tx_err || !slot))
		return ch->tx_err;
	do {
		err = duct_tx_reserve(&slot->tx, len, keep, at);
		if (likely(!err))
			return 0;
		if (err != -EAGAIN) {
			duct_channel_fault(ch, slot, "index of the ring to it");
			return -EPROTO;
		}
		ch->stats.out_full++;
		trace_duct_full(ch->link->id, slot->index);
		err = duct_tx_want_more(ch, slot, duct_tx_need(slot, len, keep));
	} while (err > 0);
	return err ?: -EAGAIN;
}

/* The same for a channel that is up, mostly without a call. */
static __always_inline int duct_tx_place(struct duct_channel_core *ch, struct duct_slot *slot,
					 u32 len, u32 *at)
{
	if (likely(!duct_tx_reserve(&slot->tx, len, slot->keep, at)))
		return 0;
	return duct_tx_start(ch, len, slot->keep, at);
}

static __always_inline void duct_tx_finish(struct duct_channel_core *ch, struct duct_slot *slot,
					   u32 at, const struct duct_frame *frame, u32 flags)
{
	lockdep_assert_held(&ch->tx_lock);
	duct_tx_commit(&slot->tx, at, frame);
	if (slot->tx.keep)
		duct_keep_move(&ch->keep->sent, slot->tx.prod);
	ch->stats.out_messages++;
	ch->stats.out_bytes += frame->len;
	if (!(flags & DUCT_MORE))
		duct_tx_show(ch, slot);
}

/* The payload is written: commits the frame, and publishes unless more comes. */
void duct_tx_end(struct duct_channel_core *ch, struct duct_slot *slot, u32 at,
		 const struct duct_frame *frame, u32 flags)
{
	duct_tx_finish(ch, slot, at, frame, flags);
}

/*
 * Space may have come. Return: true if it is what somebody waits for, who is to
 * be woken without tx_lock. [any]
 */
bool duct_tx_check(struct duct_channel_core *ch)
{
	struct duct_slot *slot;
	unsigned long flags;
	bool wake = false;

	if (!READ_ONCE(ch->tx_want))
		return false;
	spin_lock_irqsave(&ch->tx_lock, flags);
	slot = duct_tx_slot(ch);
	if (slot && ch->tx_want)
		wake = duct_tx_want(ch, slot, ch->tx_want) != 0;
	spin_unlock_irqrestore(&ch->tx_lock, flags);
	return wake;
}

/* Wakes everybody who waits for anything of the channel. [any] */
void duct_tx_wake(struct duct_channel_core *ch)
{
	const struct duct_channel_ops *ops = ch->cfg.ops;

	if (wq_has_sleeper(&ch->wait))
		wake_up_all(&ch->wait);
	if (ops->writable)
		ops->writable(&ch->pub);
}

static u8 duct_frame_type(const struct duct_channel_core *ch)
{
	return ch->cfg.flags & DUCT_STREAM ? DUCT_FRAME_STREAM : DUCT_FRAME_MSG;
}

/* Whether a message of this length can ever be sent. */
static int duct_len_check(const struct duct_channel_core *ch, u32 len)
{
	if (len > ch->pub.max_msg)
		return -EMSGSIZE;
	return len || !(ch->cfg.flags & DUCT_STREAM) ? 0 : -EINVAL;
}

/**
 * duct_send() - send a message, whole or not at all. [any]
 * @channel: the channel
 * @data: the payload
 * @len: bytes, at most &duct_channel.max_msg; on a stream not 0
 * @flags: DUCT_MORE
 *
 * Return: 0, or an errno of "Errors"; -EAGAIN arms writable()
 */
int duct_send(struct duct_channel *channel, const void *data, u32 len, u32 flags)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	const struct duct_frame frame = { .len = len, .type = duct_frame_type(ch) };
	struct duct_slot *slot;
	unsigned long irq;
	u32 at;
	int err;

	spin_lock_irqsave(&ch->tx_lock, irq);
	err = ch->tx_err ?: duct_len_check(ch, len);
	slot = duct_tx_slot(ch);
	if (!err)
		err = duct_tx_place(ch, slot, len, &at);
	if (!err) {
		duct_peer_copy_out(duct_tx_payload(&slot->tx, at), data, len);
		duct_tx_finish(ch, slot, at, &frame, flags);
	}
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	return err;
}
EXPORT_SYMBOL_GPL(duct_send);

/*
 * One frame of a header and an iterator. User memory must be there: it is read
 * with page faults off. Return: bytes of @from, -EFAULT: try again
 */
static ssize_t duct_send_frame(struct duct_channel_core *ch, const void *hdr, u32 hdr_len,
			       struct iov_iter *from, u32 len, u32 flags)
{
	struct duct_frame frame = { .len = hdr_len + len, .type = duct_frame_type(ch) };
	struct duct_slot *slot;
	u8 __peer *payload;
	unsigned long irq;
	size_t copied;
	u32 at;
	int err;

	spin_lock_irqsave(&ch->tx_lock, irq);
	err = ch->tx_err ?: duct_len_check(ch, frame.len);
	slot = duct_tx_slot(ch);
	if (!err)
		err = duct_tx_place(ch, slot, frame.len, &at);
	if (!err) {
		payload = duct_tx_payload(&slot->tx, at);
		duct_peer_copy_out(payload, hdr, hdr_len);
		pagefault_disable();
		copied = copy_from_iter((void __force *)(payload + hdr_len), len, from);
		pagefault_enable();
		if (copied == len) {
			duct_tx_finish(ch, slot, at, &frame, flags);
		} else {
			iov_iter_revert(from, copied);
			err = -EFAULT;
		}
	}
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	return err ? err : (ssize_t)len;
}

/**
 * duct_send_iter() - send @hdr and then @from as one message. [any]; user memory: [sleep]
 * @channel: the channel
 * @hdr: what comes first
 * @hdr_len: bytes of it
 * @from: the rest; advanced by what was sent
 * @flags: DUCT_MORE
 *
 * On a stream sends what fits. With &iov_iter.nofault it brings no pages in: [any], and
 * -EFAULT where one is not there.
 *
 * Return: bytes of @from, -EFAULT, or an errno of "Errors"; -EAGAIN arms writable()
 */
ssize_t duct_send_iter(struct duct_channel *channel, const void *hdr, u32 hdr_len,
		       struct iov_iter *from, u32 flags)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	size_t len = iov_iter_count(from);
	ssize_t ret;

	if (hdr_len > ch->pub.max_msg)
		return -EMSGSIZE;
	if (ch->cfg.flags & DUCT_STREAM)
		len = min_t(size_t, len, ch->pub.max_msg - hdr_len);
	else if (len > ch->pub.max_msg - hdr_len)
		return -EMSGSIZE;
	for (;;) {
		ret = duct_send_frame(ch, hdr, hdr_len, from, len, flags);
		if (ret == -EAGAIN && ch->cfg.flags & DUCT_STREAM) {
			u32 room = duct_room(channel);
			u32 least = duct_frame_bytes(hdr_len + 1);

			/* A part that surely fits, whatever the pad is. */
			if (room / 2 >= least && room / 2 < duct_frame_bytes(hdr_len + len)) {
				len = room / 2 - sizeof(struct duct_frame) - hdr_len;
				continue;
			}
		}
		if (ret != -EFAULT)
			return ret;
		/* Some of it may have been paged out: bring it in and try again. */
		if (!user_backed_iter(from) || from->nofault ||
		    fault_in_iov_iter_readable(from, len))
			return -EFAULT;
	}
}
EXPORT_SYMBOL_GPL(duct_send_iter);

/**
 * duct_reserve() - build a message in place. [any]
 * @channel: the channel
 * @len: bytes at most
 *
 * The memory is shared with the peer: write only. Until duct_commit() or
 * duct_abort() interrupts are off: no sleep, and nothing else of the channel.
 *
 * Return: where to write, or ERR_PTR() with an errno of "Errors"
 */
void *duct_reserve(struct duct_channel *channel, u32 len)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	struct duct_slot *slot;
	unsigned long irq;
	u32 at;
	int err;

	spin_lock_irqsave(&ch->tx_lock, irq);
	err = ch->tx_err ?: duct_len_check(ch, len);
	slot = duct_tx_slot(ch);
	if (!err)
		err = duct_tx_place(ch, slot, len, &at);
	if (err) {
		spin_unlock_irqrestore(&ch->tx_lock, irq);
		return ERR_PTR(err);
	}
	ch->reserved = len;
	ch->reserved_at = at;
	ch->reserve_flags = irq;
	__release(&ch->tx_lock);
	return (void __force *)duct_tx_payload(&slot->tx, at);
}
EXPORT_SYMBOL_GPL(duct_reserve);

/**
 * duct_commit() - send what was built. [any]
 * @channel: the channel
 * @p: from duct_reserve()
 * @len: bytes, at most those reserved; on a stream 0 is as duct_abort()
 * @flags: DUCT_MORE
 */
void duct_commit(struct duct_channel *channel, void *p, u32 len, u32 flags)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	const struct duct_frame frame = {
		.len = min(len, ch->reserved),
		.type = duct_frame_type(ch),
	};
	unsigned long irq = ch->reserve_flags;

	__acquire(&ch->tx_lock);
	WARN_ON_ONCE(len > ch->reserved);
	/* On a stream no bytes are no frame. */
	if (frame.len || !(ch->cfg.flags & DUCT_STREAM))
		duct_tx_end(ch, duct_tx_slot(ch), ch->reserved_at, &frame, flags);
	spin_unlock_irqrestore(&ch->tx_lock, irq);
}
EXPORT_SYMBOL_GPL(duct_commit);

/**
 * duct_abort() - send nothing of what was built. [any]
 * @channel: the channel
 * @p: from duct_reserve()
 */
void duct_abort(struct duct_channel *channel, void *p)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	unsigned long irq = ch->reserve_flags;

	__acquire(&ch->tx_lock);
	spin_unlock_irqrestore(&ch->tx_lock, irq);
}
EXPORT_SYMBOL_GPL(duct_abort);

/**
 * duct_publish() - show the peer what was sent with DUCT_MORE. [any]
 * @channel: the channel
 */
void duct_publish(struct duct_channel *channel)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	struct duct_slot *slot;
	unsigned long irq;

	spin_lock_irqsave(&ch->tx_lock, irq);
	slot = duct_tx_slot(ch);
	if (slot && !ch->tx_err)
		duct_tx_show(ch, slot);
	spin_unlock_irqrestore(&ch->tx_lock, irq);
}
EXPORT_SYMBOL_GPL(duct_publish);

/**
 * duct_room() - bytes of the ring that are free. [any]
 * @channel: the channel
 *
 * Return: bytes, headers count, too; &duct_channel.tx_bytes when the peer took all;
 * 0 when the channel is not up
 */
u32 duct_room(struct duct_channel *channel)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	struct duct_slot *slot;
	unsigned long irq;
	u32 room = 0;

	spin_lock_irqsave(&ch->tx_lock, irq);
	slot = duct_tx_slot(ch);
	if (slot && !ch->tx_err && duct_tx_room(&slot->tx, &room)) {
		duct_channel_fault(ch, slot, "index of the ring to it");
		room = 0;
	}
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	return room;
}
EXPORT_SYMBOL_GPL(duct_room);

/**
 * duct_writable() - for wait_event() and poll(): would a message be sent now? [any]
 * @channel: the channel
 * @room: its length, bytes
 *
 * False arms writable(), for the smallest length asked for.
 *
 * Return: true also if sending would fail for another reason than room
 */
bool duct_writable(struct duct_channel *channel, u32 room)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	struct duct_slot *slot;
	unsigned long irq;
	bool writable = true;
	u32 at;

	spin_lock_irqsave(&ch->tx_lock, irq);
	slot = duct_tx_slot(ch);
	if (ch->parked)
		writable = false;
	else if (slot && !ch->tx_err && room <= ch->pub.max_msg)
		writable = duct_tx_start(ch, room, slot->keep, &at) != -EAGAIN;
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	return writable;
}
EXPORT_SYMBOL_GPL(duct_writable);

/**
 * duct_has_room() - has the peer taken so much that this is free? [any]
 * @channel: the channel
 * @room: bytes of the ring, as duct_room() counts them; at most &duct_channel.tx_bytes
 *
 * For who counts what is in flight. False arms writable(), as duct_writable() does.
 *
 * Return: true also if the channel is not up
 */
bool duct_has_room(struct duct_channel *channel, u32 room)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	struct duct_slot *slot;
	unsigned long irq;
	u32 free = 0;
	int err = 1;

	spin_lock_irqsave(&ch->tx_lock, irq);
	slot = duct_tx_slot(ch);
	if (room > ch->pub.tx_bytes)
		slot = NULL;
	/* Where those who want less had it first this looks again. */
	while (slot && !ch->tx_err && err > 0 && free < room) {
		if (duct_tx_room(&slot->tx, &free))
			duct_channel_fault(ch, slot, "index of the ring to it");
		else if (free < room)
			err = duct_tx_want_more(ch, slot, room);
	}
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	return err;
}
EXPORT_SYMBOL_GPL(duct_has_room);

/**
 * duct_wait_writable() - wait for room. [sleep]
 * @channel: the channel
 * @room: length of a message, bytes
 * @timeout: jiffies
 *
 * Return: 0, also if sending would fail for another reason; -ETIMEDOUT, -ERESTARTSYS
 */
int duct_wait_writable(struct duct_channel *channel, u32 room, long timeout)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	long left;

	if (duct_writable(channel, room))
		return 0;
	left = wait_event_freezable_timeout(ch->wait, duct_writable(channel, room), timeout);
	if (left < 0)
		return left;
	return left ? 0 : -ETIMEDOUT;
}
EXPORT_SYMBOL_GPL(duct_wait_writable);
