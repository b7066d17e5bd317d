// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving: the reader's half of a channel. One caller at a time, by contract;
 * the slot and its memory are held by RCU, so nothing here waits for teardown.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "core.h"
#include "park.h"
#include "slot.h"
#include "trace.h"

/* Space goes back when a quarter of the ring is owed, and before sleeping. */
static void duct_rx_give(struct duct_channel_core *ch, struct duct_slot *slot)
{
	if (!duct_rx_return(&slot->rx))
		return;
	ch->stats.out_rings++;
	ch->stats.out_events += duct_door_ring(slot);
}

/* Resumable: what was taken, and pads that were skipped. */
static void duct_rx_settle(struct duct_channel_core *ch, const struct duct_slot *slot)
{
	if (slot->tx.keep)
		duct_keep_move(&ch->keep->taken, slot->rx.cons);
}

static void duct_rx_done(struct duct_channel_core *ch, struct duct_slot *slot,
			 const struct duct_frame *frame)
{
	duct_rx_take(&slot->rx, frame);
	duct_rx_settle(ch, slot);
	if (duct_rx_owed(&slot->rx) >= slot->rx.size / 4)
		duct_rx_give(ch, slot);
}

/*
 * Nothing is there: asks to be woken. Return: -EAGAIN when armed, 0 when
 * something came meanwhile, or why nothing will
 */
static int duct_rx_sleep(struct duct_channel_core *ch, struct duct_slot *slot)
{
	int err;

	/* The flag before the index: the peer closes after its last frame. */
	if (virt_load_acquire(&slot->got_close)) {
		err = duct_rx_arm(&slot->rx);
		if (!err) {
			duct_slot_news(slot, DUCT_SLOT_DRAINED);
			return -EPIPE;
		}
		return err > 0 ? 0 : err;
	}
	duct_rx_give(ch, slot);
	set_bit(DUCT_CH_RX_ARMED, &ch->flags);
	/*
	 * Private, and before arming: see the protocol of a door. After the flag: pairs with
	 * atomic_xchg() in duct_slot_event().
	 */
	atomic_set_release(&slot->credit, 1);
	err = duct_rx_arm(&slot->rx);
	if (!err) {
		ch->stats.in_empty++;
		trace_duct_empty(ch->link->id, slot->index);
		return -EAGAIN;
	}
	clear_bit(DUCT_CH_RX_ARMED, &ch->flags);
	return err > 0 ? 0 : err;
}

/* Fills the cursor for the frame at hand. */
static void duct_rx_open(struct duct_channel_core *ch, const struct duct_frame *frame)
{
	ch->open = true;
	ch->open_serial = ch->serial;
	ch->open_frame = *frame;
	ch->open_pos = 0;
	ch->open_lost = false;
	ch->stats.in_messages++;
	ch->stats.in_bytes += frame->len;
}

static void duct_rx_cursor(struct duct_channel_core *ch, struct duct_msg *msg)
{
	msg->len = ch->open_frame.len - ch->open_pos;
	msg->request = ch->open_request;
	msg->ch = &ch->pub;
	msg->serial = ch->open_serial;
}

/*
 * Runs the done() of the call that a frame answers. The call's slot is free for
 * another call only when the space of the answer went back: the peer counts on
 * that, see the reserve for answers in Documentation/protocol.rst.
 */
static int duct_rx_answer(struct duct_channel_core *ch, struct duct_slot *slot,
			  const struct duct_frame *frame)
	__must_hold(RCU)
{
	struct duct_call *call;
	int err = duct_call_answer(ch, slot, frame, &call);

	if (err)
		return err;
	if (call) {
		u32 serial = ch->serial;
		struct duct_msg msg;

		ch->open_request = NULL;
		duct_rx_open(ch, frame);
		duct_rx_cursor(ch, &msg);
		rcu_read_unlock();
		if (frame->status)
			call->done(call, -EREMOTEIO, NULL);
		else
			call->done(call, 0, &msg);
		rcu_read_lock();
		ch->open = false;
		/* The epoch may have ended meanwhile, and the slot with it. */
		if (ch->serial != serial || !rcu_access_pointer(ch->slot))
			return 0;
	}
	duct_rx_take(&slot->rx, frame);
	duct_rx_give(ch, slot);
	duct_call_end(ch, slot, frame);
	return 0;
}

/* Whether this frame may come on this channel. */
static const char *duct_rx_check(const struct duct_channel_core *ch,
				 const struct duct_slot *slot, const struct duct_frame *frame)
{
	bool stream = ch->cfg.flags & DUCT_STREAM;

	/* Most are. */
	if (frame->type == DUCT_FRAME_MSG && !stream && frame->len <= ch->pub.max_msg)
		return NULL;
	switch (frame->type) {
	case DUCT_FRAME_MSG:
	case DUCT_FRAME_CALL:
		if (stream)
			return "a message on a stream";
		break;
	case DUCT_FRAME_BULK:
		return stream ? "a message on a stream" : NULL;	/* the rest: duct_bulk_receive() */
	case DUCT_FRAME_STREAM:
		if (!stream)
			return "bytes of a stream among messages";
		break;
	case DUCT_FRAME_ANSWER:
		return frame->len > slot->max_answer ? "an answer longer than it said" : NULL;
	}
	return frame->len > ch->pub.max_msg ? "a message longer than agreed" : NULL;
}

/* A call, and what is lent with it. Return: as duct_rx_step() */
static int duct_rx_call(struct duct_channel_core *ch, struct duct_slot *slot,
			const struct duct_frame *frame)
{
	struct duct_bulk_in *bulk = NULL;
	struct duct_request *req;
	const char *why = NULL;
	u32 list = 0;

	if (frame->type == DUCT_FRAME_BULK)
		why = duct_bulk_receive(slot, frame, ch->pub.max_msg, &bulk);
	if (bulk)
		list = struct_size(bulk, word, bulk->head.words);
	req = why ? NULL : duct_request_begin(ch, slot, frame, bulk);
	if (IS_ERR(req))
		why = "more calls than it may make";
	if (why) {
		duct_channel_fault(ch, slot, why);
		return -EPROTO;
	}
	if (!req) {	/* refused by the core */
		duct_rx_done(ch, slot, frame);
		return 0;
	}
	ch->open_request = req;
	duct_rx_open(ch, frame);
	ch->open_pos = list;
	return 1;
}

/*
 * One step towards a message. Return: 0: look again; 1: the cursor is open; an
 * errno. RCU is held, but dropped around done().
 */
static int duct_rx_step(struct duct_channel_core *ch, struct duct_slot *slot)
{
	struct duct_frame frame;
	const char *why;
	int err = duct_rx_peek(&slot->rx, &frame);

	if (err == -EAGAIN) {
		err = duct_rx_sleep(ch, slot);
		if (err == -EPROTO)
			duct_channel_fault(ch, slot, "index of the ring from it");
		return err;
	}
	if (err) {
		duct_channel_fault(ch, slot, "index or frame of the ring from it");
		return -EPROTO;
	}
	why = duct_rx_check(ch, slot, &frame);
	if (why) {
		duct_channel_fault(ch, slot, why);
		return -EPROTO;
	}
	if (frame.type == DUCT_FRAME_ANSWER) {
		err = duct_rx_answer(ch, slot, &frame);
		if (err)
			duct_channel_fault(ch, slot, "an answer to no call");
		return err;
	}
	ch->open_request = NULL;
	if (frame.type == DUCT_FRAME_CALL || frame.type == DUCT_FRAME_BULK)
		return duct_rx_call(ch, slot, &frame);
	duct_rx_settle(ch, slot);
	duct_rx_open(ch, &frame);
	if (unlikely(ch->keep && ch->keep->skip)) {
		if (ch->keep->skip >= frame.len) {
			duct_channel_fault(ch, slot, "a stream that goes on otherwise");
			return -EPROTO;
		}
		ch->open_pos = ch->keep->skip;
		ch->keep->skip = 0;
	}
	return 1;
}

/*
 * duct_next() with RCU held, but dropped around done(). Return: 1: the cursor is open; an
 * errno; 0, unless @all: an answer was taken, or a call refused: there may be more
 */
static int duct_rx_next(struct duct_channel_core *ch, struct duct_msg *msg, bool all)
	__must_hold(RCU)
{
	struct duct_slot *slot;
	int err = 0;

	do {
		slot = rcu_dereference(ch->slot);
		if (!slot) {
			err = READ_ONCE(ch->rx_err);
			/*
			 * Bound this very moment, if there is no reason. Of a parked channel
			 * it may count as taken yet.
			 */
			if (err && !READ_ONCE(ch->parked))
				ch->open = false;
		} else if (unlikely(READ_ONCE(slot->flags) & DUCT_SLOT_UNREAD)) {
			err = test_bit(DUCT_SLOT_FAULT, &slot->flags) ? -EPROTO :
			      test_bit(DUCT_SLOT_DRAINED, &slot->flags) ? -EPIPE : -ECONNRESET;
		} else if (ch->open && ch->open_serial == ch->serial) {
			err = 1;
		} else {
			err = duct_rx_step(ch, slot);
		}
	} while (!err && all);
	if (err > 0)
		duct_rx_cursor(ch, msg);
	return err;
}

/**
 * duct_next() - find the oldest message. [any, one]
 * @channel: the channel
 * @msg: filled in; the same message until duct_release()
 *
 * Runs done() of answers that it meets.
 *
 * Return: 0; -EAGAIN when there is none, ready() is armed; an errno of "Errors"
 */
int duct_next(struct duct_channel *channel, struct duct_msg *msg)
{
	int err;

	rcu_read_lock();
	err = duct_rx_next(to_duct_channel_core(channel), msg, true);
	rcu_read_unlock();
	return min(err, 0);
}
EXPORT_SYMBOL_GPL(duct_next);

/* The slot that the message is in, or NULL if it is gone. RCU is held. */
static struct duct_slot *duct_msg_slot(struct duct_channel_core *ch, const struct duct_msg *msg)
{
	struct duct_slot *slot = rcu_dereference(ch->slot);

	return slot && ch->open && msg->serial == ch->serial ? slot : NULL;
}

/* For those above: the peer sent what the channel's purpose forbids. [any, one] */
void duct_msg_fault(const struct duct_msg *msg, const char *why)
{
	struct duct_channel_core *ch = to_duct_channel_core(msg->ch);
	struct duct_slot *slot;

	rcu_read_lock();
	slot = duct_msg_slot(ch, msg);
	if (slot)
		duct_channel_fault(ch, slot, why);
	rcu_read_unlock();
}

/**
 * duct_read() - read on in a message. [any, one]
 * @msg: from duct_next(), recv() or done()
 * @to: where to
 * @len: bytes
 *
 * Return: 0; -EMSGSIZE: so many are not left, none was read; -ECONNRESET: the
 * message is gone
 */
int duct_read(struct duct_msg *msg, void *to, u32 len)
{
	struct duct_channel_core *ch = to_duct_channel_core(msg->ch);
	struct duct_slot *slot;
	int err = 0;

	rcu_read_lock();
	slot = duct_msg_slot(ch, msg);
	if (!slot) {
		ch->open_lost = true;
		err = -ECONNRESET;
	} else if (len > msg->len) {
		err = -EMSGSIZE;
	} else {
		duct_peer_copy_in(to, duct_rx_payload(&slot->rx) + ch->open_pos, len);
		ch->open_pos += len;
		msg->len -= len;
	}
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_GPL(duct_read);

/**
 * duct_read_iter() - read on in a message, as much as @to has room for. [any, one];
 * user memory: [sleep, one]
 * @msg: from duct_next(), recv() or done()
 * @to: where to
 *
 * With &iov_iter.nofault it brings no pages in: [any], and short where one is not there.
 *
 * Return: bytes; -EFAULT: none was read; -ECONNRESET: the message is gone
 */
ssize_t duct_read_iter(struct duct_msg *msg, struct iov_iter *to)
{
	struct duct_channel_core *ch = to_duct_channel_core(msg->ch);
	u32 want = min_t(size_t, msg->len, iov_iter_count(to));
	struct duct_slot *slot;
	const void *from;
	size_t done = 0;

	while (done < want) {
		size_t n = 0;

		rcu_read_lock();
		slot = duct_msg_slot(ch, msg);
		if (slot) {
			from = (const void __force *)(duct_rx_payload(&slot->rx) + ch->open_pos);
			pagefault_disable();
			n = copy_to_iter(from, want - done, to);
			pagefault_enable();
			/* With RCU held: see duct_park_freeze(). */
			ch->open_pos += n;
		}
		rcu_read_unlock();
		if (!slot) {
			ch->open_lost = true;
			return -ECONNRESET;
		}
		msg->len -= n;
		done += n;
		if (done < want && (!user_backed_iter(to) || to->nofault ||
				    fault_in_iov_iter_writeable(to, want - done)))
			break;
	}
	return done || !want ? done : -EFAULT;
}
EXPORT_SYMBOL_GPL(duct_read_iter);

/* duct_release() with RCU held. */
static void duct_rx_release(struct duct_channel_core *ch, struct duct_msg *msg)
	__must_hold(RCU)
{
	struct duct_slot *slot = duct_msg_slot(ch, msg);

	if (slot && (!(ch->cfg.flags & DUCT_STREAM) || !msg->len)) {
		ch->open = false;
		duct_rx_done(ch, slot, &ch->open_frame);
	} else if (unlikely(ch->keep && !slot)) {
		duct_park_release(ch, msg);
	}
	msg->serial = 0;
}

/**
 * duct_release() - done with a message; on a stream, with what was read. [any, one]
 * @msg: from duct_next(); releasing twice is fine
 */
void duct_release(struct duct_msg *msg)
{
	rcu_read_lock();
	duct_rx_release(to_duct_channel_core(msg->ch), msg);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(duct_release);

/**
 * duct_readable() - for wait_event() and poll(): is there something? [any, one]
 * @channel: the channel
 *
 * False arms ready(), which with recv() instead is not told. Answers that came are
 * done(): they are run here, as duct_next() does.
 *
 * Return: true also if duct_next() would fail for another reason
 */
bool duct_readable(struct duct_channel *channel)
{
	struct duct_msg msg;

	return duct_next(channel, &msg) != -EAGAIN;
}
EXPORT_SYMBOL_GPL(duct_readable);

/**
 * duct_pending() - for who looks again and again before sleeping: is there something? [any, one]
 * @channel: the channel
 *
 * As duct_readable(), but cheaper, and ready() is not armed: the peer gets its space back, and
 * does not have to wake anybody. Before sleeping duct_readable() has to be asked.
 *
 * Return: true also if duct_next() would fail, or only runs done()
 */
bool duct_pending(struct duct_channel *channel)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	struct duct_slot *slot;
	bool pending;

	rcu_read_lock();
	slot = rcu_dereference(ch->slot);
	pending = !slot || ch->open || READ_ONCE(slot->flags) & DUCT_SLOT_UNREAD ||
		  READ_ONCE(slot->got_close) || duct_rx_pending(&slot->rx);
	if (!pending)
		duct_rx_give(ch, slot);
	rcu_read_unlock();
	return pending;
}
EXPORT_SYMBOL_GPL(duct_pending);

/*
 * Gives a message to recv(), or an answer to its call. RCU is held, but dropped around that.
 * Return: whether there was one
 */
static bool duct_recv_one(struct duct_channel_core *ch)
	__must_hold(RCU)
{
	struct duct_msg msg;
	u32 len;
	int err;

	err = duct_rx_next(ch, &msg, false);
	if (err <= 0)
		return !err;
	rcu_read_unlock();
	len = msg.len;
	err = ch->cfg.ops->recv ? ch->cfg.ops->recv(&ch->pub, &msg) : -EOPNOTSUPP;
	if (err)
		duct_request_refuse(ch);
	/* A stream's rest stays, unless recv() does not want it at all. */
	if (ch->cfg.flags & DUCT_STREAM && msg.len == len)
		msg.len = 0;
	msg.ch = &ch->pub;
	msg.serial = ch->open_serial;
	rcu_read_lock();
	duct_rx_release(ch, &msg);
	return true;
}

/*
 * Gives messages to recv() until there is none, or the budget is used up. Answers count as
 * well: where a done() makes the next call, a peer that answers at once would have it run on.
 */
static void duct_recv_run(struct duct_channel_core *ch)
{
	bool more = true;
	u32 n;

	rcu_read_lock();
	for (n = 0; more && (n < DUCT_BUDGET || (n < DUCT_BUDGET_ALONE && !need_resched())); n++)
		more = duct_recv_one(ch);
	rcu_read_unlock();
	if (more)
		duct_channel_queue(ch);
}

void duct_recv_work(struct work_struct *work)
{
	struct duct_channel_core *ch = container_of(work, struct duct_channel_core, work);

	WRITE_ONCE(ch->worker, current);
	if (test_and_clear_bit(DUCT_CH_TX_WAKE, &ch->flags))
		duct_tx_wake(ch);
	duct_calls_run_failed(ch);
	if (!ch->cfg.ops->ready) {
		ch->stats.wakeups++;
		duct_recv_run(ch);
	}
	WRITE_ONCE(ch->worker, NULL);
}
