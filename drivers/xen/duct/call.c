// SPDX-License-Identifier: GPL-2.0
/*
 * Calls: requests that the peer answers once.
 *
 * The caller keeps a table of calls in flight, as long as the peer said it
 * serves at once; what is on the wire is an index and a generation. An entry
 * stays taken until its answer came, even when the caller has given up: so the
 * peer never owes more answers than it has kept room for.
 */
#include <linux/completion.h>
#include <linux/freezer.h>
#include <linux/rcupdate.h>

#include "core.h"

static struct duct_slot *duct_call_slot_of(struct duct_channel_core *ch)
{
	lockdep_assert_held(&ch->tx_lock);
	return rcu_dereference_protected(ch->slot, lockdep_is_held(&ch->tx_lock));
}

/* ---- calling ---- */

/* Return: a free entry; -EAGAIN: writable() is armed for one */
static int duct_call_take(struct duct_channel_core *ch, struct duct_slot *slot)
{
	u32 i;

	if (slot->calls_busy == slot->max_calls) {
		ch->tx_want_call = true;
		return -EAGAIN;
	}
	for (i = slot->next_call; slot->calls[i].busy; i = (i + 1) % slot->max_calls)
		;
	slot->next_call = (i + 1) % slot->max_calls;
	return i;
}

static void duct_call_arm_timer(struct duct_channel_core *ch, struct duct_call *call)
{
	if (!call->timeout)
		return;
	call->deadline = jiffies + call->timeout;
	list_add_tail(&call->node, &ch->pending);
	if (!timer_pending(&ch->timer) || time_before(call->deadline, ch->timer.expires))
		mod_timer(&ch->timer, call->deadline);
}

/* Room for the frame, and what the call lends. Return: 0 or -errno */
static int duct_call_place(struct duct_channel_core *ch, struct duct_slot *slot,
			   const struct duct_call *call, u32 flags, struct duct_frame *frame,
			   struct duct_lend **lend, u32 *at)
{
	int err;

	*lend = NULL;
	if (call->nents) {
		*lend = duct_lend_new(slot, call, flags);
		if (IS_ERR(*lend))
			return PTR_ERR(*lend);
		frame->type = DUCT_FRAME_BULK;
		frame->len += duct_lend_len(*lend);
	}
	if (*lend && duct_ring_need(frame->len) + slot->keep > slot->tx.size)
		err = -EMSGSIZE;
	else
		err = duct_tx_start(ch, frame->len, slot->keep, at);
	if (err && *lend)
		duct_lend_end(slot->link, *lend, false);
	return err;
}

/**
 * duct_call_async() - make a call. [any]
 * @channel: the channel
 * @call: done and timeout, and what to lend, filled in, the rest zero; the core's
 *        until done()
 * @req: the request
 * @len: bytes, at most &duct_channel.max_msg
 * @flags: DUCT_MORE, DUCT_MAY_MAP
 *
 * What is lent takes 4 bytes a page and 16 to 24 more in the ring. Its memory may
 * be changed by nobody until done(), and is copied before this returns only where
 * it is small or no whole page.
 *
 * Return: 0: done() runs once; -EAGAIN: no room, or the peer is at its limit of
 * calls: writable() is armed; -EREMOTEIO: the peer serves none; -EMSGSIZE: the
 * request, or what is lent; -EINVAL on a stream or a resumable channel, or for an empty
 * piece; -ENOMEM, -ENOSPC: no reference is free for what is lent; -EBUSY: of what was lent
 * and shared before, the peer has not let go of too much; or another errno of "Errors":
 * done() does not run
 */
int duct_call_async(struct duct_channel *channel, struct duct_call *call,
		    const void *req, u32 len, u32 flags)
{
	struct duct_channel_core *ch = to_duct_channel_core(channel);
	struct duct_frame frame = { .len = len, .type = DUCT_FRAME_CALL };
	struct duct_lend *lend;
	struct duct_slot *slot;
	unsigned long irq;
	u32 at;
	int err, i;

	if (ch->cfg.flags & (DUCT_STREAM | DUCT_RESUMABLE))
		return -EINVAL;
	spin_lock_irqsave(&ch->tx_lock, irq);
	slot = duct_call_slot_of(ch);
	err = ch->tx_err;
	if (!err && !slot->max_calls)
		err = -EREMOTEIO;
	if (!err && len > ch->pub.max_msg)
		err = -EMSGSIZE;
	if (err)
		goto out;
	i = duct_call_take(ch, slot);
	err = i < 0 ? i : duct_call_place(ch, slot, call, flags, &frame, &lend, &at);
	if (err)
		goto out;
	call->ch = channel;
	call->slot = i;
	call->err = 0;
	INIT_LIST_HEAD(&call->node);
	slot->calls[i].call = call;
	slot->calls[i].lend = lend;
	slot->calls[i].busy = true;
	slot->calls_busy++;
	frame.slot = i;
	frame.generation = ++slot->calls[i].generation;
	duct_call_arm_timer(ch, call);
	ch->stats.calls_out++;
	if (lend)
		duct_lend_write(lend, duct_tx_payload(&slot->tx, at));
	duct_peer_copy_out(duct_tx_payload(&slot->tx, at) + frame.len - len, req, len);
	duct_tx_end(ch, slot, at, &frame, flags);
out:
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	return err;
}
EXPORT_SYMBOL_GPL(duct_call_async);

/* Gives up: done(@err) is due, the entry stays taken, the peer has no access. tx_lock is held. */
static void duct_call_give_up(struct duct_channel_core *ch, struct duct_slot *slot,
			      struct duct_call *call, int err)
{
	lockdep_assert_held(&ch->tx_lock);
	slot->calls[call->slot].call = NULL;
	if (slot->calls[call->slot].lend)
		duct_lend_revoke(slot->link, slot->calls[call->slot].lend);
	call->err = err;
	list_move_tail(&call->node, &ch->failed);
	ch->stats.calls_failed++;
}

/**
 * duct_call_cancel() - end a call with -ECANCELED, unless it has ended. [any]
 * @call: done() may have been called, but @call is still valid
 */
void duct_call_cancel(struct duct_call *call)
{
	struct duct_channel_core *ch = to_duct_channel_core(call->ch);
	struct duct_slot *slot;
	unsigned long irq;
	bool queue = false;

	spin_lock_irqsave(&ch->tx_lock, irq);
	slot = duct_call_slot_of(ch);
	if (slot && call->slot < slot->max_calls && slot->calls[call->slot].call == call) {
		duct_call_give_up(ch, slot, call, -ECANCELED);
		queue = true;
	}
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	if (queue)
		duct_channel_queue(ch);
}
EXPORT_SYMBOL_GPL(duct_call_cancel);

/* Deadlines. Timer context. */
void duct_call_timer(struct timer_list *timer)
{
	struct duct_channel_core *ch = container_of(timer, struct duct_channel_core, timer);
	struct duct_call *call, *next;
	struct duct_slot *slot;
	unsigned long irq, earliest = 0;
	bool queue = false, again = false;

	spin_lock_irqsave(&ch->tx_lock, irq);
	slot = duct_call_slot_of(ch);
	list_for_each_entry_safe(call, next, &ch->pending, node) {
		if (slot && time_after_eq(jiffies, call->deadline)) {
			duct_call_give_up(ch, slot, call, -ETIMEDOUT);
			queue = true;
		} else if (!again || time_before(call->deadline, earliest)) {
			earliest = call->deadline;
			again = true;
		}
	}
	if (again)
		mod_timer(&ch->timer, earliest);
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	if (queue)
		duct_channel_queue(ch);
}

/* Every call of the binding ends with @err. tx_lock is held. */
void duct_calls_fail(struct duct_channel_core *ch, struct duct_slot *slot, int err)
{
	u32 i;

	lockdep_assert_held(&ch->tx_lock);
	for (i = 0; i < slot->max_calls; i++)
		if (slot->calls[i].call)
			duct_call_give_up(ch, slot, slot->calls[i].call, err);
}

/* Runs done() of those that were given up. [sleep] */
void duct_calls_run_failed(struct duct_channel_core *ch)
{
	struct duct_call *call;

	for (;;) {
		spin_lock_irq(&ch->tx_lock);
		call = list_first_entry_or_null(&ch->failed, struct duct_call, node);
		if (call)
			list_del_init(&call->node);
		spin_unlock_irq(&ch->tx_lock);
		if (!call)
			return;
		call->done(call, call->err, NULL);
	}
}

/*
 * An answer came: takes its call out of the table, NULL if that was given up, and
 * takes back what was lent. The entry is free with duct_call_end(). Return: 0,
 * -EPROTO for none of ours
 */
int duct_call_answer(struct duct_channel_core *ch, struct duct_slot *slot,
		     const struct duct_frame *frame, struct duct_call **call)
{
	struct duct_lend *lend = NULL;
	struct duct_call_slot *entry;
	unsigned long irq;
	int err = 0;

	if (frame->slot >= slot->max_calls || frame->status > DUCT_STATUS_REFUSED)
		return -EPROTO;
	entry = &slot->calls[array_index_nospec(frame->slot, slot->max_calls)];
	spin_lock_irqsave(&ch->tx_lock, irq);
	if (!entry->busy || entry->generation != frame->generation) {
		err = -EPROTO;
	} else {
		*call = entry->call;
		lend = entry->lend;
		entry->call = NULL;
		entry->lend = NULL;
		if (*call)
			list_del_init(&(*call)->node);
	}
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	if (lend)
		duct_lend_end(slot->link, lend, *call && !frame->status);
	return err;
}

/* The answer's space went back: its entry may be used again. */
void duct_call_end(struct duct_channel_core *ch, struct duct_slot *slot,
		   const struct duct_frame *frame)
{
	unsigned long irq;
	bool wake;

	spin_lock_irqsave(&ch->tx_lock, irq);
	slot->calls[array_index_nospec(frame->slot, slot->max_calls)].busy = false;
	slot->calls_busy--;
	wake = ch->tx_want_call;
	ch->tx_want_call = false;
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	if (wake)
		duct_tx_wake(ch);
}

/* ---- calling and waiting ---- */

struct duct_call_wait {
	struct duct_call call;
	struct completion ended;
	void *rsp;
	u32 size;
	ssize_t ret;
};

static void duct_call_wait_done(struct duct_call *call, int err, struct duct_msg *answer)
{
	struct duct_call_wait *wait = container_of(call, struct duct_call_wait, call);

	if (err)
		wait->ret = err;
	else if (answer->len > wait->size)
		wait->ret = -EMSGSIZE;
	else
		wait->ret = answer->len;
	if (wait->ret > 0) {
		err = duct_read(answer, wait->rsp, answer->len);
		if (err)
			wait->ret = err;
	}
	complete(&wait->ended);
}

static bool duct_call_try(struct duct_channel_core *ch, struct duct_call_wait *wait,
			  const void *req, u32 len, int *err)
{
	/* What a peer leaves unwritten of memory lent is as it was. */
	*err = duct_call_async(&ch->pub, &wait->call, req, len, DUCT_LEND_KEEP);
	return *err != -EAGAIN;
}

/* Makes the call as soon as there is room. Return: 0 or why not */
static int duct_call_begin(struct duct_channel_core *ch, struct duct_call_wait *wait,
			   const void *req, u32 len)
{
	int err = -EAGAIN;
	long left;

	/* -EAGAIN arms the wake-up of ch->wait: nothing is lost in between. */
	if (wait->call.timeout)
		left = wait_event_freezable_timeout(ch->wait,
						    duct_call_try(ch, wait, req, len, &err),
						    wait->call.timeout);
	else
		left = wait_event_freezable(ch->wait, duct_call_try(ch, wait, req, len, &err));
	if (err != -EAGAIN)
		return err;
	return left < 0 ? left : -ETIMEDOUT;
}

/* Return: as duct_call() */
static ssize_t duct_call_run(struct duct_channel_core *ch, struct duct_call_wait *wait,
			     const void *req, u32 len)
{
	int err;

	if (READ_ONCE(ch->worker) == current)
		return -EDEADLK;
	wait->call.done = duct_call_wait_done;
	init_completion(&wait->ended);
	err = duct_call_begin(ch, wait, req, len);
	if (err)
		return err;
	if (wait_for_completion_state(&wait->ended, TASK_INTERRUPTIBLE | TASK_FREEZABLE)) {
		duct_call_cancel(&wait->call);
		/* Short: done() is due, or running. */
		wait_for_completion(&wait->ended);
		if (wait->ret == -ECANCELED)
			return -ERESTARTSYS;
	}
	return wait->ret;
}

/**
 * duct_call() - make a call and wait for its answer. [sleep]
 * @channel: the channel
 * @req: the request
 * @len: bytes, at most &duct_channel.max_msg
 * @rsp: where the answer goes
 * @size: bytes of @rsp
 * @timeout: jiffies; 0: none
 *
 * Waits for room, too. A signal cancels the call.
 *
 * Return: length of the answer; -EMSGSIZE: it is longer than @size, or the
 * request too long; -EDEADLK: in recv() or done() of this channel; -ERESTARTSYS;
 * or what duct_call_async() and done() say
 */
ssize_t duct_call(struct duct_channel *channel, const void *req, u32 len,
		  void *rsp, u32 size, unsigned long timeout)
{
	struct duct_call_wait wait = {
		.call = { .timeout = timeout },
		.rsp = rsp,
		.size = size,
	};

	return duct_call_run(to_duct_channel_core(channel), &wait, req, len);
}
EXPORT_SYMBOL_GPL(duct_call);

/* The same with the memory that @lent says, its sg, nents, dir and timeout. [sleep] */
ssize_t duct_call_lend(struct duct_channel *channel, const struct duct_call *lent,
		       const void *req, u32 len, void *rsp, u32 size)
{
	struct duct_call_wait wait = { .call = *lent, .rsp = rsp, .size = size };

	return duct_call_run(to_duct_channel_core(channel), &wait, req, len);
}

/* ---- serving ---- */

static void duct_answer(struct duct_channel_core *ch, struct duct_slot *slot,
			const struct duct_frame *frame, const void *data)
{
	u32 at;

	if (duct_tx_reserve(&slot->tx, frame->len, 0, &at)) {
		/* Room was kept: the peer made more calls than it may, or lies. */
		duct_channel_fault(ch, slot, "no room for an answer");
		return;
	}
	duct_peer_copy_out(duct_tx_payload(&slot->tx, at), data, frame->len);
	duct_tx_end(ch, slot, at, frame, 0);
}

static struct duct_request_core *duct_request_take(struct duct_channel_core *ch)
{
	u32 i, n = ch->cfg.max_calls;

	if (ch->requests_busy == n)
		return NULL;
	for (i = ch->next_request; ch->requests[i].busy; i = (i + 1) % n)
		;
	ch->next_request = (i + 1) % n;
	return &ch->requests[i];
}

/*
 * A call came, @bulk with it, which is the request's or freed. Return: the request;
 * NULL: refused by the core, since requests of an earlier epoch are still being
 * worked on, or for want of memory; -EPROTO: more than was agreed on
 */
struct duct_request *duct_request_begin(struct duct_channel_core *ch, struct duct_slot *slot,
					const struct duct_frame *frame, struct duct_bulk_in *bulk)
{
	const struct duct_frame refusal = {
		.type = DUCT_FRAME_ANSWER,
		.status = DUCT_STATUS_REFUSED,
		.slot = frame->slot,
		.generation = frame->generation,
	};
	struct duct_request *ret = ERR_PTR(-EPROTO);
	struct duct_request_core *req;
	unsigned long irq;

	spin_lock_irqsave(&ch->tx_lock, irq);
	if (slot->serving >= ch->cfg.max_calls)
		goto out;
	ret = NULL;
	req = frame->type == DUCT_FRAME_BULK && !bulk ? NULL : duct_request_take(ch);
	if (!req) {
		ch->stats.refused++;
		if (!ch->tx_err)
			duct_answer(ch, slot, &refusal, NULL);
		goto out;
	}
	req->busy = true;
	req->slot = frame->slot;
	req->generation = frame->generation;
	req->serial = ch->serial;
	req->pub.ch = &ch->pub;
	req->pub.priv = NULL;
	req->pub.bulk_len = bulk ? bulk->head.bytes : 0;
	req->pub.dir = bulk && bulk->head.flags & DUCT_BULK_WRITE ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	req->bulk = bulk;
	bulk = NULL;
	ch->requests_busy++;
	slot->serving++;
	ch->stats.calls_in++;
	ret = &req->pub;
out:
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	kfree(bulk);
	return ret;
}

/* Answers and frees. tx_lock is held. Return: as duct_reply() */
static int duct_request_end(struct duct_channel_core *ch, struct duct_request_core *req,
			    u32 status, const void *rsp, u32 len)
{
	struct duct_slot *slot = duct_call_slot_of(ch);
	const struct duct_frame frame = {
		.len = len,
		.type = DUCT_FRAME_ANSWER,
		.status = status,
		.slot = req->slot,
		.generation = req->generation,
	};
	int err = ch->tx_err;

	if (slot && req->serial == ch->serial) {
		slot->serving--;
		if (!err)
			duct_answer(ch, slot, &frame, rsp);
	} else if (!err) {
		err = -ECONNRESET;
	}
	kfree(req->bulk);
	req->bulk = NULL;
	req->busy = false;
	ch->requests_busy--;
	if (ch->open_request == &req->pub)
		ch->open_request = NULL;
	if (!ch->requests_busy && ch->stopped)
		wake_up_all(&ch->wait);
	return err;
}

/* The answer, after what was lent went back. Return: as duct_reply() */
int duct_request_finish(struct duct_request_core *req, const void *rsp, u32 len, bool fits)
{
	struct duct_channel_core *ch = to_duct_channel_core(req->pub.ch);
	unsigned long irq;
	int err;

	spin_lock_irqsave(&ch->tx_lock, irq);
	err = duct_request_end(ch, req, fits ? DUCT_STATUS_OK : DUCT_STATUS_REFUSED, rsp, len);
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	return err ?: fits ? 0 : -EMSGSIZE;
}

/**
 * duct_reply() - answer a call. [any]
 * @request: freed, whatever this returns
 * @rsp: the answer
 * @len: bytes, at most &duct_channel_config.max_answer
 *
 * Never lacks room. After duct_bulk_map() the pages go back first, and the answer
 * with them, from a thread; what goes wrong then the caller learns as -EREMOTEIO.
 *
 * Return: 0; -EMSGSIZE: too long, the caller got -EREMOTEIO; -ECONNRESET: the
 * epoch of the call has ended; or another errno of "Errors"
 */
int duct_reply(struct duct_request *request, const void *rsp, u32 len)
{
	struct duct_request_core *req = container_of(request, struct duct_request_core, pub);
	struct duct_channel_core *ch = to_duct_channel_core(request->ch);
	bool fits = len <= ch->cfg.max_answer;
	unsigned long irq;

	if (!req->map)
		return duct_request_finish(req, rsp, fits ? len : 0, fits);
	spin_lock_irqsave(&ch->tx_lock, irq);
	if (ch->open_request == request)
		ch->open_request = NULL;
	spin_unlock_irqrestore(&ch->tx_lock, irq);
	duct_bulk_reply(req, rsp, fits ? len : 0, fits);
	return fits ? 0 : -EMSGSIZE;
}
EXPORT_SYMBOL_GPL(duct_reply);

/**
 * duct_refuse() - end a call without an answer: the caller gets -EREMOTEIO. [any]
 * @request: freed
 *
 * For those who take calls by duct_next(); recv() returns an error instead.
 */
void duct_refuse(struct duct_request *request)
{
	/* Longer than any answer may be. */
	duct_reply(request, NULL, U32_MAX);
}
EXPORT_SYMBOL_GPL(duct_refuse);

/* recv() failed: refuses its call, if it did not reply itself. */
void duct_request_refuse(struct duct_channel_core *ch)
{
	struct duct_request_core *req = NULL;

	spin_lock_irq(&ch->tx_lock);
	ch->stats.refused++;
	if (ch->open_request)
		req = container_of(ch->open_request, struct duct_request_core, pub);
	ch->open_request = NULL;
	spin_unlock_irq(&ch->tx_lock);
	if (!req)
		return;
	duct_bulk_unmap(req->map);
	req->map = NULL;
	duct_request_finish(req, NULL, 0, false);
}
