// SPDX-License-Identifier: GPL-2.0
/*
 * The character device: calls, made and served. Whoever waits for an answer takes what
 * comes before it: dfile_channel_take().
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "cdev.h"

#define DFILE_ANSWER	(1u << 20)	/* longest answer that is wanted */

/**
 * struct dfile_call - a call
 * @call: the core's, until @over
 * @ref: one of the list, one of who cancels it
 * @node: on channel->calls or ended; dfile.spin. Empty: somebody waits for it
 * @f: whose
 * @cookie: the program's
 * @over: it has ended; dfile.spin for this and the next
 * @err: how
 * @len: of the answer
 * @size: room for it
 * @rsp: the answer
 * @req: the request, until it is sent
 * @req_len: of that
 * @sent: what duct_call_async() said
 * @until: jiffies; 0: no time-out
 */
struct dfile_call {
	struct duct_call call;
	struct kref ref;
	struct list_head node;
	struct dfile *f;
	u64 cookie;
	bool over;
	int err;
	u32 len;
	u32 size;
	void *rsp;
	void *req;
	u32 req_len;
	int sent;
	unsigned long until;
};

/* ---- made ---- */

/* Within duct_next(), with rx_lock, or in a thread of the channel's. */
static void dfile_call_done(struct duct_call *call, int err, struct duct_msg *answer)
{
	struct dfile_call *c = container_of(call, struct dfile_call, call);
	struct dfile *f = c->f;

	if (!err && !dfile_frame_fits(false, answer->len, c->size, false))
		err = -EMSGSIZE;
	if (!err) {
		c->len = answer->len;
		err = duct_read(answer, c->rsp, c->len);
	}
	atomic_dec(&f->channel.waiting);
	spin_lock(&f->spin);
	c->err = dfile_channel_error(err);
	c->over = true;
	if (!list_empty(&c->node))
		list_move_tail(&c->node, &f->channel.ended);
	spin_unlock(&f->spin);
	/* The call may be gone. */
	wake_up_all(&f->wait);
}

static void dfile_call_free(struct kref *ref)
{
	struct dfile_call *c = container_of(ref, struct dfile_call, ref);

	kvfree(c->req);
	kvfree(c->rsp);
	kfree(c);
}

static void dfile_call_put(struct dfile_call *c)
{
	kref_put(&c->ref, dfile_call_free);
}

static u32 dfile_call_max(struct dfile *f)
{
	u32 max;

	mutex_lock(&f->channel.tx_lock);
	max = f->channel.ch ? f->channel.ch->max_msg : 0;
	mutex_unlock(&f->channel.tx_lock);
	return max;
}

static struct dfile_call *dfile_call_new(struct dfile *f, u64 req, u32 req_len, u32 rsp_len,
					 u32 timeout_ms)
{
	struct dfile_call *c;

	if (req_len > dfile_call_max(f))
		return ERR_PTR(READ_ONCE(f->gone) ? -ENODEV : -EMSGSIZE);
	c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return ERR_PTR(-ENOMEM);
	kref_init(&c->ref);
	INIT_LIST_HEAD(&c->node);
	c->f = f;
	c->call.done = dfile_call_done;
	c->req_len = req_len;
	c->size = min(rsp_len, DFILE_ANSWER);
	if (timeout_ms)
		c->until = (jiffies + msecs_to_jiffies(timeout_ms)) ?: 1;
	c->req = vmemdup_user(dfile_user(req), req_len);
	if (IS_ERR(c->req)) {
		int err = PTR_ERR(c->req);

		c->req = NULL;
		dfile_call_put(c);
		return ERR_PTR(err);
	}
	c->rsp = kvmalloc(c->size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (c->rsp)
		return c;
	dfile_call_put(c);
	return ERR_PTR(-ENOMEM);
}

/* Jiffies until the time-out, at least one. */
static long dfile_call_left(const struct dfile_call *c)
{
	return c->until ? max_t(long, c->until - jiffies, 1) : MAX_SCHEDULE_TIMEOUT;
}

/* Return: it was made, or cannot be: @c->sent */
static bool dfile_call_try(struct dfile *f, void *arg)
{
	struct dfile_channel *ch = &f->channel;
	struct dfile_call *c = arg;

	/* A free place among the calls may be behind an answer. */
	dfile_channel_take(f);
	c->call.timeout = c->until ? dfile_call_left(c) : 0;
	mutex_lock(&ch->tx_lock);
	c->sent = ch->ch ? duct_call_async(ch->ch, &c->call, c->req, c->req_len, 0) : -ENODEV;
	mutex_unlock(&ch->tx_lock);
	return c->sent != -EAGAIN && c->sent != -ENOTCONN;
}

/* Makes the call as soon as that can be. Return: 0: it ends by @c->over; -errno: never */
static int dfile_call_send(struct dfile *f, struct dfile_call *c, bool nowait)
{
	int err;

	atomic_inc(&f->channel.waiting);
	err = dfile_wait(f, dfile_call_try, c, nowait ? 0 : dfile_call_left(c));
	if (!err)
		err = c->sent;
	if (err)
		atomic_dec(&f->channel.waiting);
	return err == -ERESTARTSYS ? -EINTR : dfile_channel_error(err);
}

static bool dfile_call_is_over(struct dfile *f, void *arg)
{
	struct dfile_call *c = arg;
	bool over;

	dfile_channel_take(f);
	spin_lock(&f->spin);
	over = c->over;
	spin_unlock(&f->spin);
	return over;
}

static void dfile_call_do_cancel(struct dfile *f, struct dfile_call *c)
{
	mutex_lock(&f->channel.tx_lock);
	/* Without the channel all calls have ended. */
	if (f->channel.ch)
		duct_call_cancel(&c->call);
	mutex_unlock(&f->channel.tx_lock);
}

int dfile_call(struct dfile *f, struct duct_file_call *arg)
{
	struct dfile_call *c;
	int err;

	if (arg->flags)
		return -EINVAL;
	c = dfile_call_new(f, arg->req, arg->req_len, arg->rsp_len, arg->timeout_ms);
	if (IS_ERR(c))
		return PTR_ERR(c);
	err = dfile_call_send(f, c, false);
	if (err)
		goto out;
	err = dfile_wait(f, dfile_call_is_over, c, MAX_SCHEDULE_TIMEOUT);
	if (err) {
		dfile_call_do_cancel(f, c);
		/* Short: done() is due, or running. */
		wait_event(f->wait, READ_ONCE(c->over));
	}
	/* Until done() has let go of it. */
	dfile_call_is_over(f, c);
	if (c->err == -ECANCELED)
		err = -EINTR;
	else
		err = c->err;
	arg->rsp_len = err ? 0 : c->len;
	if (!err && copy_to_user(dfile_user(arg->rsp), c->rsp, c->len))
		err = -EFAULT;
out:
	dfile_call_put(c);
	return err;
}

/* Puts it on the list. Return: 0; -EEXIST, -EAGAIN */
static int dfile_call_add(struct dfile *f, struct dfile_call *c)
{
	struct dfile_channel *ch = &f->channel;
	struct dfile_call *other;
	int err = 0;

	spin_lock(&f->spin);
	list_for_each_entry(other, &ch->calls, node)
		if (other->cookie == c->cookie)
			err = -EEXIST;
	list_for_each_entry(other, &ch->ended, node)
		if (other->cookie == c->cookie)
			err = -EEXIST;
	if (!err && ch->calls_len >= DFILE_CALLS)
		err = -EAGAIN;
	if (!err) {
		ch->calls_len++;
		list_add_tail(&c->node, &ch->calls);
	}
	spin_unlock(&f->spin);
	return err;
}

static void dfile_call_del(struct dfile *f, struct dfile_call *c)
{
	spin_lock(&f->spin);
	list_del_init(&c->node);
	f->channel.calls_len--;
	spin_unlock(&f->spin);
}

int dfile_call_start(struct dfile *f, const struct duct_file_call_start *arg, bool nowait)
{
	struct dfile_call *c;
	int err;

	if (arg->flags & ~DUCT_FILE_NOWAIT || arg->rsp_len > DFILE_ANSWER)
		return -EINVAL;
	c = dfile_call_new(f, arg->req, arg->req_len, arg->rsp_len, arg->timeout_ms);
	if (IS_ERR(c))
		return PTR_ERR(c);
	c->cookie = arg->cookie;
	err = dfile_call_add(f, c);
	if (err)
		goto err_put;
	err = dfile_call_send(f, c, nowait || arg->flags & DUCT_FILE_NOWAIT);
	if (!err)
		return 0;
	dfile_call_del(f, c);
err_put:
	dfile_call_put(c);
	return err;
}

/* Whether DUCT_IOC_CALL_END has something, or nothing to wait for. */
static bool dfile_call_some_ended(struct dfile *f, void *arg)
{
	struct dfile_channel *ch = &f->channel;
	struct dfile_call **c = arg;
	bool none;

	dfile_channel_take(f);
	spin_lock(&f->spin);
	*c = list_first_entry_or_null(&ch->ended, struct dfile_call, node);
	none = !ch->calls_len;
	if (*c) {
		list_del_init(&(*c)->node);
		ch->calls_len--;
	}
	spin_unlock(&f->spin);
	return *c || none || READ_ONCE(f->gone);
}

int dfile_call_end(struct dfile *f, struct duct_file_call_end *arg, bool nowait)
{
	u32 room = arg->rsp_len;
	struct dfile_call *c;
	int err;

	if (arg->flags & ~DUCT_FILE_NOWAIT || arg->reserved)
		return -EINVAL;
	nowait |= arg->flags & DUCT_FILE_NOWAIT;
	err = dfile_wait(f, dfile_call_some_ended, &c, nowait ? 0 : MAX_SCHEDULE_TIMEOUT);
	if (err)
		return err;
	if (!c)
		return READ_ONCE(f->gone) ? -ENODEV : -ENOENT;
	arg->cookie = c->cookie;
	arg->error = c->err;
	arg->rsp_len = c->err ? 0 : c->len;
	if (arg->rsp_len > room)
		err = -EMSGSIZE;
	else if (copy_to_user(dfile_user(arg->rsp), c->rsp, arg->rsp_len))
		err = -EFAULT;
	if (!err) {
		dfile_call_put(c);
		return 0;
	}
	spin_lock(&f->spin);
	list_add(&c->node, &f->channel.ended);
	f->channel.calls_len++;
	spin_unlock(&f->spin);
	return err;
}

int dfile_call_cancel(struct dfile *f, const struct duct_file_call_cancel *arg)
{
	struct dfile_call *c, *found = NULL;

	spin_lock(&f->spin);
	list_for_each_entry(c, &f->channel.calls, node)
		if (c->cookie == arg->cookie)
			found = c;
	if (found)
		kref_get(&found->ref);
	spin_unlock(&f->spin);
	if (!found)
		return -ENOENT;
	dfile_call_do_cancel(f, found);
	dfile_call_put(found);
	return 0;
}

/* The file is gone, and with the channel all calls have ended. */
void dfile_calls_free(struct dfile *f)
{
	struct dfile_call *c, *next;

	list_for_each_entry_safe(c, next, &f->channel.ended, node)
		dfile_call_put(c);
}

/* ---- served ---- */

/**
 * struct dfile_request - a call of the other end that waits for its answer
 * @node: on channel->requests; dfile.spin
 * @tag: what the program names it by
 * @req: the core's
 */
struct dfile_request {
	struct list_head node;
	u64 tag;
	struct duct_request *req;
};

/* A call was received. Return: 0; -ENOMEM, -ENODEV: it was refused */
int dfile_request_add(struct dfile *f, struct duct_request *req, u64 *tag)
{
	struct dfile_channel *ch = &f->channel;
	struct dfile_request *r = kmalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	int err = r ? 0 : -ENOMEM;

	spin_lock(&f->spin);
	/* Whoever ends the file refuses those on the list, and waits for this one. */
	if (!err && READ_ONCE(f->gone))
		err = -ENODEV;
	if (!err) {
		*tag = ++ch->last_tag;
		r->tag = *tag;
		r->req = req;
		list_add_tail(&r->node, &ch->requests);
	}
	spin_unlock(&f->spin);
	if (err) {
		duct_refuse(req);
		kfree(r);
	}
	return err;
}

int dfile_request_reply(struct dfile *f, const struct duct_file_reply *arg)
{
	bool refuse = arg->flags & DUCT_FILE_REFUSE;
	struct dfile_request *r, *found = NULL;
	void *rsp;
	int err = 0;

	if (arg->flags & ~DUCT_FILE_REFUSE || (refuse && arg->len))
		return -EINVAL;
	if (arg->len > f->channel.max_answer)
		return -EMSGSIZE;
	rsp = vmemdup_user(dfile_user(arg->buf), arg->len);
	if (IS_ERR(rsp))
		return PTR_ERR(rsp);
	spin_lock(&f->spin);
	list_for_each_entry(r, &f->channel.requests, node) {
		if (r->tag != arg->tag)
			continue;
		list_del(&r->node);
		found = r;
		break;
	}
	spin_unlock(&f->spin);
	if (!found)
		err = -ENOENT;
	else if (refuse)
		duct_refuse(found->req);
	else
		err = duct_reply(found->req, rsp, arg->len);
	kfree(found);
	kvfree(rsp);
	return dfile_channel_error(err);
}

/* Those that nobody answered. */
void dfile_requests_refuse(struct dfile *f)
{
	struct dfile_request *r, *next;
	LIST_HEAD(list);

	spin_lock(&f->spin);
	list_splice_init(&f->channel.requests, &list);
	spin_unlock(&f->spin);
	list_for_each_entry_safe(r, next, &list, node) {
		duct_refuse(r->req);
		kfree(r);
	}
}
