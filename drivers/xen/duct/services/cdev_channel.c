// SPDX-License-Identifier: GPL-2.0
/*
 * The character device: files that are channels. Messages go between the ring and the
 * program's memory with one copy. Only where somebody cannot wait for their reader they
 * are held here in between: when the other end has closed, whose core gives a reader two
 * seconds; and when a call waits for the answer behind them.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "cdev.h"

/* Of a stream; others have their turn then, and whoever removes the device. */
#define DFILE_AT_ONCE	(1 << 20)

/* At most, of a message in a ring, and what it is rounded up by. */
#define DFILE_HEADER	32u

/**
 * struct dfile_held - a message that waits here for its reader
 * @node: on channel->held
 * @call: it is one
 * @request: of the call; NULL: the device is gone, and it is for nobody any more
 * @len: bytes
 * @pos: of those, read; a stream's
 * @data: the message
 */
struct dfile_held {
	struct list_head node;
	bool call;
	struct duct_request *request;
	u32 len;
	u32 pos;
	u8 data[];
};

/* What a program is told, by what the core says. */
int dfile_channel_error(int err)
{
	return err == -ESHUTDOWN ? -ENODEV : err;
}

/* ---- callbacks ---- */

/* Room, news, or the end. [any] */
static void dfile_channel_wake(struct duct_channel *ch)
{
	struct dfile *f = ch->priv;

	if (duct_error(ch) == -EPIPE)
		schedule_work(&f->channel.drain);
	wake_up_all(&f->wait);
}

static const struct duct_channel_ops dfile_channel_ops = {
	.up = dfile_channel_wake,
	.ready = dfile_channel_wake,
	.writable = dfile_channel_wake,
};

/* ---- what comes ---- */

/*
 * The message at hand. A call is the driver's from here on, whoever reads it.
 * Return: 0 or as duct_next()
 */
static int dfile_channel_next(struct dfile_channel *c, struct duct_msg *msg)
{
	int err;

	lockdep_assert_held(&c->rx_lock);
	err = c->ch ? duct_next(c->ch, msg) : -ENODEV;
	if (c->request && (err || msg->request != c->request))
		duct_refuse(c->request);
	c->request = err ? NULL : msg->request;
	return err;
}

/* Why there is no more of a message: of a channel that is resumed it comes again. */
static int dfile_read_error(const struct dfile_channel *c, int err)
{
	return err == -ECONNRESET && c->resumable ? -EAGAIN : err;
}

/* Takes the message at hand. Return: 0; -ENOMEM, or the message is gone */
static int dfile_channel_hold(struct dfile_channel *c, struct duct_msg *msg)
{
	struct dfile_held *held;
	int err;

	held = kvmalloc(struct_size(held, data, msg->len), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!held)
		return -ENOMEM;
	held->request = c->request;
	held->call = c->request;
	held->len = msg->len;
	held->pos = 0;
	err = duct_read(msg, held->data, held->len);
	if (err) {
		kvfree(held);
		return dfile_read_error(c, err);
	}
	duct_release(msg);
	c->request = NULL;
	list_add_tail(&held->node, &c->held);
	c->held_bytes += struct_size(held, data, held->len);
	return 0;
}

/* A call whose caller is gone. */
static void dfile_channel_drop(struct dfile_channel *c, struct duct_msg *msg)
{
	duct_refuse(c->request);
	c->request = NULL;
	duct_release(msg);
}

/*
 * Answers are told, which are behind messages that have no reader yet, and the rest of a
 * channel that was closed is taken.
 */
static void dfile_channel_pump(struct dfile_channel *c)
{
	struct duct_msg msg;

	lockdep_assert_held(&c->rx_lock);
	while (c->ch && !c->partial && !dfile_channel_next(c, &msg)) {
		bool closed = duct_error(c->ch) == -EPIPE;

		if (!closed && !atomic_read(&c->waiting))
			return;
		if (closed && c->request)
			dfile_channel_drop(c, &msg);
		else if (dfile_frame_held_full(c->held_bytes, c->ch->rx_bytes) ||
			 dfile_channel_hold(c, &msg))
			return;
	}
}

/* For who waits for an answer. [sleep] */
void dfile_channel_take(struct dfile *f)
{
	struct dfile_channel *c = &f->channel;

	mutex_lock(&c->rx_lock);
	dfile_channel_pump(c);
	mutex_unlock(&c->rx_lock);
}

static void dfile_channel_drain(struct work_struct *work)
{
	dfile_channel_take(container_of(work, struct dfile, channel.drain));
}

/* ---- reading ---- */

/**
 * struct dfile_read - a read() or DUCT_IOC_RECV in progress
 * @to: the program's memory
 * @recv: what else is told, or NULL
 * @msg: at hand
 * @held: the same, if it was held
 * @request: a call
 * @got: bytes given
 */
struct dfile_read {
	struct iov_iter *to;
	struct duct_file_recv *recv;
	struct duct_msg msg;
	struct dfile_held *held;
	struct duct_request *request;
	ssize_t got;
};

static struct dfile_held *dfile_channel_first(struct dfile_channel *c)
{
	struct dfile_held *held;

	lockdep_assert_held(&c->rx_lock);
	list_for_each_entry(held, &c->held, node)
		if (!held->call || held->request)
			return held;
	return NULL;
}

/* Whether the message may be given at all. Return: 0 or -errno */
static int dfile_read_check(struct dfile_channel *c, struct dfile_read *r, u32 len)
{
	bool cut = r->recv && r->recv->flags & DUCT_FILE_CUT;

	if (r->recv && !c->stream)
		r->recv->len = len;
	return dfile_frame_fits(c->stream, len, iov_iter_count(r->to), cut) ? 0 : -EMSGSIZE;
}

/*
 * From the ring to the program; rx_lock is dropped while a page is brought in.
 * Return: 0 or -errno, with nothing taken if nothing was copied
 */
static int dfile_read_ring(struct dfile_channel *c, struct dfile_read *r)
{
	u32 len = r->msg.len;
	int err = 0;
	ssize_t n;

	lockdep_assert_held(&c->rx_lock);
	c->partial = true;
	r->to->nofault = true;
	while (r->msg.len && iov_iter_count(r->to)) {
		size_t want = min_t(size_t, r->msg.len, iov_iter_count(r->to));

		n = duct_read_iter(&r->msg, r->to);
		if (n == want)
			break;
		if (n < 0 && n != -EFAULT) {
			err = dfile_read_error(c, n);
			break;
		}
		want -= max_t(ssize_t, n, 0);
		mutex_unlock(&c->rx_lock);
		err = fault_in_iov_iter_writeable(r->to, want) == want ? -EFAULT : 0;
		mutex_lock(&c->rx_lock);
		if (!c->ch)
			err = -ENODEV;
		if (err)
			break;
	}
	r->to->nofault = false;
	c->partial = false;
	if (err == -EAGAIN && !c->stream) {
		iov_iter_revert(r->to, len - r->msg.len);
		return err;
	}
	r->got += len - r->msg.len;
	if (err && len == r->msg.len)
		return err;
	if (!c->ch)
		return -ENODEV;
	r->request = c->request;
	c->request = NULL;
	duct_release(&r->msg);
	return c->stream ? 0 : err;
}

/* The same of a message that is held here: whoever has the turn has the first of them. */
static int dfile_read_held(struct dfile_channel *c, struct dfile_read *r)
{
	struct dfile_held *held = r->held;
	size_t n, want = min_t(size_t, held->len - held->pos, iov_iter_count(r->to));

	lockdep_assert_held(&c->rx_lock);
	mutex_unlock(&c->rx_lock);
	n = copy_to_iter(held->data + held->pos, want, r->to);
	mutex_lock(&c->rx_lock);
	if (held->call && !held->request)
		return -ENODEV;
	if (n < want && !c->stream) {
		iov_iter_revert(r->to, n);
		return -EFAULT;
	}
	r->got += n;
	held->pos += n;
	if (!c->stream || held->pos == held->len) {
		r->request = held->request;
		list_del(&held->node);
		c->held_bytes -= struct_size(held, data, held->len);
		kvfree(held);
	}
	return n < want ? -EFAULT : 0;
}

/* The end: 0 once, then why. Return: 0: told now, or -errno */
static int dfile_read_end(struct dfile_channel *c, struct dfile_read *r, int err)
{
	if (r->recv && r->recv->flags & DFILE_NO_END)
		return -EAGAIN;
	if ((err != -EPIPE && err != -ECONNRESET) || c->eof_told)
		return dfile_channel_error(err);
	c->eof_told = true;
	if (r->recv) {
		r->recv->len = 0;
		r->recv->flags |= DUCT_FILE_EOF;
	}
	return 0;
}

/*
 * One message, or a part of a stream. Return: 1: there may be more; 0: that was all, or
 * the end; -errno: -EAGAIN, -ENOTCONN when there is nothing
 */
static int dfile_read_one(struct dfile_channel *c, struct dfile_read *r)
{
	int err;

	lockdep_assert_held(&c->rx_lock);
	dfile_channel_pump(c);
	r->held = dfile_channel_first(c);
	if (!r->held) {
		err = dfile_channel_next(c, &r->msg);
		if (err == -EAGAIN || err == -ENOTCONN || (err && r->got))
			return err;
		if (err)
			return dfile_read_end(c, r, err);
		/* Pages of a pipe are allocated as it is filled, which duct_read_iter() cannot. */
		if (!user_backed_iter(r->to)) {
			err = dfile_channel_hold(c, &r->msg);
			if (err)
				return err;
			r->held = dfile_channel_first(c);
		}
	}
	err = dfile_read_check(c, r, r->held ? r->held->len : r->msg.len) ?:
	      r->held ? dfile_read_held(c, r) : dfile_read_ring(c, r);
	return err ?: c->stream && iov_iter_count(r->to);
}

/* Whether there may be something to read, or never will be. */
static bool dfile_pending(struct dfile_channel *c)
{
	lockdep_assert_held(&c->rx_lock);
	return !c->ch || !list_empty(&c->held) || duct_pending(c->ch);
}

static int dfile_read_locked(struct dfile *f, struct dfile_read *r)
{
	struct dfile_channel *c = &f->channel;
	int ret;

	if (mutex_lock_interruptible(&c->turn))
		return -ERESTARTSYS;
	mutex_lock(&c->rx_lock);
	do {
		ret = dfile_read_one(c, r);
		/* Asking duct_next() for more would ask to be woken, too. */
	} while (ret > 0 && r->got < DFILE_AT_ONCE && dfile_pending(c));
	mutex_unlock(&c->rx_lock);
	mutex_unlock(&c->turn);
	/* An answer may have waited for what was held before it to be read. */
	if (atomic_read(&c->waiting))
		wake_up_all(&f->wait);
	return ret;
}

static bool dfile_channel_readable(struct dfile *f, void *arg)
{
	struct dfile_channel *c = &f->channel;
	struct duct_msg msg;
	int err;

	mutex_lock(&c->rx_lock);
	dfile_channel_pump(c);
	err = dfile_channel_first(c) ? 0 : dfile_channel_next(c, &msg);
	mutex_unlock(&c->rx_lock);
	return err != -EAGAIN && err != -ENOTCONN;
}

/* For dfile_spin(). */
static bool dfile_channel_pending(struct dfile *f, void *arg)
{
	struct dfile_channel *c = &f->channel;
	bool pending;

	mutex_lock(&c->rx_lock);
	pending = dfile_pending(c);
	mutex_unlock(&c->rx_lock);
	return pending;
}

/* Return: bytes, 0 at the end, -errno; @recv is filled in */
ssize_t dfile_channel_read(struct dfile *f, struct iov_iter *to, struct duct_file_recv *recv,
			   bool nowait)
{
	struct dfile_read r = { .to = to, .recv = recv };
	struct dfile_channel *c = &f->channel;
	size_t room = iov_iter_count(to);
	int err;

	if (c->serves && !recv)
		return -EOPNOTSUPP;
	if (!room && (c->stream || !recv))
		return 0;
	for (;;) {
		if (!nowait)
			dfile_spin(f, &c->rx_spin, dfile_channel_pending, NULL);
		err = dfile_read_locked(f, &r);
		if (r.got || (err != -EAGAIN && err != -ENOTCONN))
			break;
		err = nowait ? -EAGAIN : dfile_wait(f, dfile_channel_readable, NULL,
						    MAX_SCHEDULE_TIMEOUT);
		if (err)
			return err;
	}
	if (c->stream && r.got)
		err = 0;
	if (recv && !err) {
		if (c->stream)
			recv->len = r.got;
		else if (recv->len > room)
			recv->flags |= DUCT_FILE_WAS_CUT;
		recv->flags &= ~(DUCT_FILE_CUT | DUCT_FILE_NOWAIT);
	}
	if (r.request) {
		if (!err)
			err = dfile_request_add(f, r.request, &recv->tag);
		else
			duct_refuse(r.request);
	}
	return err ?: r.got;
}

/* ---- writing ---- */

/* Return: bytes or -errno, also -EAGAIN, -ENOTCONN */
static ssize_t dfile_write_one(struct dfile_channel *c, struct iov_iter *from, u32 flags)
{
	ssize_t n;

	for (;;) {
		size_t want = iov_iter_count(from);

		if (mutex_lock_interruptible(&c->tx_lock))
			return -ERESTARTSYS;
		if (c->stream && c->ch)
			want = min_t(size_t, want, c->ch->max_msg);
		from->nofault = true;
		n = c->ch ? duct_send_iter(c->ch, NULL, 0, from, flags) : -ENODEV;
		from->nofault = false;
		mutex_unlock(&c->tx_lock);
		if (n != -EFAULT || !user_backed_iter(from) ||
		    fault_in_iov_iter_readable(from, want))
			return n;
	}
}

/*
 * Room for a message so long, or it would fail for another reason. On a stream for its
 * longest part: for a byte there is room where duct_send_iter() finds too little of it.
 */
static bool dfile_channel_writable(struct dfile *f, void *arg)
{
	struct dfile_channel *c = &f->channel;
	const size_t *room = arg;
	bool writable;

	mutex_lock(&c->tx_lock);
	writable = !c->ch ||
		   (duct_error(c->ch) != -ENOTCONN &&
		    duct_writable(c->ch, min_t(size_t, *room, c->ch->max_msg)));
	mutex_unlock(&c->tx_lock);
	return writable;
}

/*
 * For dfile_spin(): room for the message; of a stream for its longest part, wherever in the ring
 * that goes, so that it is not sent in small ones.
 */
static bool dfile_channel_roomy(struct dfile *f, void *arg)
{
	struct dfile_channel *c = &f->channel;
	const size_t *len = arg;
	bool roomy = true;

	mutex_lock(&c->tx_lock);
	if (c->ch && !duct_error(c->ch)) {
		u32 need = min_t(size_t, *len, c->ch->max_msg) + DFILE_HEADER;

		roomy = duct_room(c->ch) >= min(c->stream ? 2 * need : need, c->ch->tx_bytes);
	}
	mutex_unlock(&c->tx_lock);
	return roomy;
}

/* @flags: DUCT_MORE: dfile_channel_publish() follows. Return: bytes or -errno */
ssize_t dfile_channel_write(struct dfile *f, struct iov_iter *from, bool nowait, u32 flags)
{
	struct dfile_channel *c = &f->channel;
	ssize_t n, sent = 0;
	size_t room;
	int err;

	if (c->stream && !iov_iter_count(from))
		return 0;
	for (;;) {
		room = iov_iter_count(from);
		if (!nowait)
			dfile_spin(f, &c->tx_spin, dfile_channel_roomy, &room);
		n = dfile_write_one(c, from, flags);
		if (n >= 0) {
			sent += n;
			if (!c->stream || !iov_iter_count(from) || signal_pending(current))
				return sent;
			cond_resched();
			continue;
		}
		if (n != -EAGAIN && n != -ENOTCONN)
			break;
		n = -EAGAIN;
		if (nowait)
			break;
		err = dfile_wait(f, dfile_channel_writable, &room, MAX_SCHEDULE_TIMEOUT);
		if (err)
			return sent ?: err;
	}
	return sent ?: dfile_channel_error(n);
}

/* Shows the other end what was sent with DUCT_MORE. */
void dfile_channel_publish(struct dfile *f)
{
	struct dfile_channel *c = &f->channel;

	mutex_lock(&c->tx_lock);
	if (c->ch)
		duct_publish(c->ch);
	mutex_unlock(&c->tx_lock);
}

/* ---- poll, state ---- */

static __poll_t dfile_poll_tx(struct dfile_channel *c)
{
	const __poll_t out = EPOLLOUT | EPOLLWRNORM;
	__poll_t mask = 0;
	int err;

	mutex_lock(&c->tx_lock);
	err = c->ch ? duct_error(c->ch) : -ENODEV;
	if (!err && duct_writable(c->ch, c->ch->max_msg))
		mask = out;
	mutex_unlock(&c->tx_lock);
	if (!err || err == -ENOTCONN || err == -EAGAIN)
		return mask;
	return out | EPOLLHUP | (err == -EPIPE ? EPOLLRDHUP : EPOLLERR);
}

__poll_t dfile_channel_poll(struct dfile *f)
{
	struct dfile_channel *c = &f->channel;
	__poll_t mask = dfile_poll_tx(c);

	if (dfile_channel_readable(f, NULL))
		mask |= EPOLLIN | EPOLLRDNORM;
	spin_lock(&f->spin);
	if (!list_empty(&c->ended))
		mask |= EPOLLPRI;
	spin_unlock(&f->spin);
	return mask;
}

void dfile_channel_info(struct dfile *f, struct duct_file_info *info)
{
	struct duct_channel *ch = f->channel.ch;
	struct duct_stats stats;

	lockdep_assert_held(&f->lock);
	info->error = dfile_channel_error(duct_error(ch));
	/* Parked: to a program the other end is not there for a while. */
	if (info->error == -EAGAIN)
		info->error = -ENOTCONN;
	info->flags = f->channel.stream ? DUCT_FILE_STREAM : 0;
	if (f->channel.resumable)
		info->flags |= DUCT_FILE_RESUMABLE;
	info->max_msg = ch->max_msg;
	info->tx_bytes = ch->tx_bytes;
	info->rx_bytes = ch->rx_bytes;
	duct_stats(ch, &stats);
	dfile_info_stats(info, &stats);
}

/* ---- life ---- */

static int dfile_channel_check(const struct dnode *node, const struct duct_file_channel *arg)
{
	if (arg->flags & ~(DUCT_FILE_STREAM | DUCT_FILE_RESUMABLE) || arg->reserved ||
	    arg->max_calls > DFILE_CALLS || (arg->flags && arg->max_calls))
		return -EINVAL;
	/* A ring has to take twice the longest message, and all answers that are due. */
	if (arg->tx_bytes > node->ring_limit || arg->rx_bytes > node->ring_limit ||
	    arg->max_msg > node->ring_limit / 2 ||
	    arg->max_answer > node->ring_limit / 2 / max(arg->max_calls, 1u))
		return -EDQUOT;
	return 0;
}

int dfile_channel_open(struct dfile *f, const struct duct_file_channel *arg)
{
	struct duct_channel_config cfg = {
		.ops = &dfile_channel_ops,
		.priv = f,
		.flags = DUCT_ONCE | (arg->flags & DUCT_FILE_STREAM ? DUCT_STREAM : 0) |
			 (arg->flags & DUCT_FILE_RESUMABLE ? DUCT_RESUMABLE : 0),
		.tx_bytes = arg->tx_bytes,
		.rx_bytes = arg->rx_bytes,
		.max_msg = arg->max_msg ?: f->node->max_msg,
		.max_calls = arg->max_calls,
		.max_answer = arg->max_answer,
	};
	struct dfile_channel *c = &f->channel;
	int err = dfile_channel_check(f->node, arg) ?: dfile_begin(f);

	if (err)
		return err;
	memset(c, 0, sizeof(*c));
	c->stream = arg->flags & DUCT_FILE_STREAM;
	c->resumable = arg->flags & DUCT_FILE_RESUMABLE;
	c->serves = arg->max_calls;
	c->max_answer = arg->max_answer;
	mutex_init(&c->turn);
	mutex_init(&c->rx_lock);
	mutex_init(&c->tx_lock);
	INIT_LIST_HEAD(&c->held);
	INIT_LIST_HEAD(&c->calls);
	INIT_LIST_HEAD(&c->ended);
	INIT_LIST_HEAD(&c->requests);
	INIT_WORK(&c->drain, dfile_channel_drain);
	err = duct_open(f->node->dd, arg->number, &cfg, &c->ch);
	dfile_became(f, err ? DUCT_FILE_NOTHING : DUCT_FILE_CHANNEL, arg->number);
	return err == -EEXIST ? -EBUSY : err;
}

int dfile_channel_open_default(struct dfile *f)
{
	const struct duct_file_channel arg = {
		.flags = (f->node->stream ? DUCT_FILE_STREAM : 0) |
			 (f->node->resume ? DUCT_FILE_RESUMABLE : 0),
		.tx_bytes = f->node->ring,
		.rx_bytes = f->node->ring,
	};

	return dfile_channel_open(f, &arg);
}

/* No call, and no message, is left with the core. */
void dfile_channel_end(struct dfile *f)
{
	struct dfile_channel *c = &f->channel;
	struct duct_channel *ch = c->ch;
	struct dfile_held *held;

	lockdep_assert_held(&f->lock);
	dfile_requests_refuse(f);
	duct_stop(ch);
	mutex_lock(&c->rx_lock);
	mutex_lock(&c->tx_lock);
	c->ch = NULL;
	mutex_unlock(&c->tx_lock);
	if (c->request)
		duct_refuse(c->request);
	c->request = NULL;
	/* Nobody answers them any more, and a reader may be at the first of them. */
	list_for_each_entry(held, &c->held, node) {
		if (held->request)
			duct_refuse(held->request);
		held->request = NULL;
	}
	mutex_unlock(&c->rx_lock);
	cancel_work_sync(&c->drain);
	dfile_requests_refuse(f);
	duct_close(ch);
}

void dfile_channel_free(struct dfile *f)
{
	struct dfile_held *held, *next;

	list_for_each_entry_safe(held, next, &f->channel.held, node)
		kvfree(held);
	dfile_calls_free(f);
}
