// SPDX-License-Identifier: GPL-2.0
/*
 * Channels: open, stop, close, and how they go up and down. Sending is in
 * send.c, receiving in recv.c, calls in call.c.
 */
#include <linux/log2.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "core.h"
#include "park.h"
#include "slot.h"
#include "trace.h"

/* Of the size that they have: the allocator's own sizes would be 1024. */
static struct kmem_cache *duct_channels;

#define DUCT_DEFAULT_MSG	4096u
/* Rings hold four messages by default, up to this; a GSO frame is 64 KiB. */
#define DUCT_DEFAULT_RING	(256u << 10)

/* ---- words to the peer ---- */

u32 duct_channel_wish_flags(const struct duct_channel_core *ch)
{
	return (ch->cfg.flags & DUCT_STREAM ? DUCT_WISH_STREAM : 0) |
	       (ch->cfg.flags & DUCT_RESUMABLE ? DUCT_WISH_RESUMABLE : 0);
}

static void duct_channel_fill(struct duct_channel_core *ch, union duct_ctl *msg)
{
	const struct duct_channel_config *cfg = &ch->cfg;

	msg->open.number = ch->pub.number;
	duct_service_fill(to_duct_device_core(ch->pub.dd)->service, &msg->open.service);
	if (msg->type != DUCT_CTL_OPEN)
		return;
	msg->open.wish.flags = duct_channel_wish_flags(ch);
	msg->open.wish.tx_bytes = cfg->tx_bytes;
	msg->open.wish.rx_bytes = cfg->rx_bytes;
	msg->open.wish.max_msg = cfg->max_msg;
	msg->open.wish.max_calls = cfg->max_calls;
	msg->open.wish.max_answer = cfg->max_answer;
	if (ch->parked)
		duct_keep_point(ch->keep, &msg->open.wish.point);
}

static int duct_channel_emit(struct duct_link *link, struct duct_out *out)
{
	struct duct_channel_core *ch = container_of(out, struct duct_channel_core, out);
	union duct_ctl msg = {};
	int err = 0;

	if (ch->refused) {
		msg.type = DUCT_CTL_REFUSED;
		msg.refused.number = ch->pub.number;
		duct_service_fill(to_duct_device_core(ch->pub.dd)->service, &msg.refused.service);
		msg.refused.reason = ch->refused;
		err = duct_link_send(link, &msg);
		if (!err)
			ch->refused = 0;
	} else if (ch->owe_open) {
		msg.type = DUCT_CTL_OPEN;
		duct_channel_fill(ch, &msg);
		err = duct_link_send(link, &msg);
		if (!err)
			ch->owe_open = false;
	}
	return err;
}

/*
 * Backend: takes a wish back that was sent. Best effort: a wish that stays is
 * answered with BOUND, and that with CLOSE.
 */
static void duct_channel_cancel(struct duct_channel_core *ch)
{
	union duct_ctl msg = { .type = DUCT_CTL_CANCEL };

	if (!ch->wished || ch->owe_open || duct_link_is_front(ch->link) || !ch->link->greeted)
		return;
	duct_channel_fill(ch, &msg);
	duct_link_post(ch->link, &msg);
}

/*
 * Backend: whether as many wishes of the service wait for the frontend as may:
 * one more would break the link.
 */
static bool duct_channel_wishes_full(struct duct_channel_core *ch)
{
	struct duct_channel_core *other;
	u32 n = 0;

	list_for_each_entry(other, &to_duct_device_core(ch->pub.dd)->channels, node)
		n += other->wished && !other->up;
	return n >= duct_policy_channels(ch->link->policy);
}

/* Says that the channel is wished; up() follows when the peer wishes it, too. */
void duct_channel_wish(struct duct_channel_core *ch)
{
	struct duct_service *service = to_duct_device_core(ch->pub.dd)->service;
	struct duct_device_core *dev = to_duct_device_core(ch->pub.dd);

	lockdep_assert_held(&ch->link->lock);
	if (ch->wished || ch->up || ch->broken || ch->stopped || !service->wanted ||
	    dev->life != service->life ||
	    (ch->cfg.flags & DUCT_ONCE && ch->serial && !ch->parked))
		return;
	if (!duct_link_is_front(ch->link) && duct_channel_wishes_full(ch)) {
		duct_channel_refused(ch, -EDQUOT);
		return;
	}
	ch->wished = true;
	duct_park_freeze(ch);
	if (duct_link_is_front(ch->link)) {
		duct_slot_try_bind(ch);
	} else {
		ch->owe_open = true;
		duct_link_out(ch->link, &ch->out);
	}
}

/* It may wish anew, and otherwise. */
void duct_channel_unwish(struct duct_channel_core *ch)
{
	duct_channel_cancel(ch);
	duct_channel_forget(ch);
	list_del_init(&ch->out.node);
}

/* The other end does not want it so: an error for who sends, no new wish. */
void duct_channel_refused(struct duct_channel_core *ch, int why)
{
	lockdep_assert_held(&ch->link->lock);
	duct_park_end(ch, -ECONNRESET);
	ch->wished = false;
	ch->broken = true;
	spin_lock_irq(&ch->tx_lock);
	ch->tx_err = why;
	ch->rx_err = why;
	spin_unlock_irq(&ch->tx_lock);
	if (duct_link_may_log(ch->link))
		dev_err(&ch->pub.dd->dev, "channel %s is refused: %d\n",
			kobject_name(&ch->kobj), why);
	duct_tx_wake(ch);
}

/* ---- up and down ---- */

/* Runs the worker; it calls recv() and done(). [any] */
void duct_channel_queue(struct duct_channel_core *ch)
{
	if (ch->cfg.flags & DUCT_ON_CPU)
		queue_work_on(ch->cfg.cpu, duct_cpu_wq, &ch->work);
	else
		queue_work(duct_recv_wq, &ch->work);
}

/* There may be something to receive, or an error to find. [any] */
static void duct_channel_wake_reader(struct duct_channel_core *ch)
{
	if (wq_has_sleeper(&ch->wait))
		wake_up_all(&ch->wait);
	if (!ch->cfg.ops->ready) {
		duct_channel_queue(ch);
	} else if (test_and_clear_bit(DUCT_CH_RX_ARMED, &ch->flags)) {
		ch->stats.wakeups++;
		ch->cfg.ops->ready(&ch->pub);
	}
}

/* An event for the channel came: data, space or both. Hard irq, RCU. */
void duct_channel_event(struct duct_channel_core *ch)
{
	if (duct_tx_check(ch))
		duct_tx_wake(ch);
	duct_channel_wake_reader(ch);
}

/*
 * The channel has its place in shared memory. The driver may not know yet that the session before
 * is over: then nothing is sent, or read, until it does, or it would take it for that session's.
 * link->lock is held.
 */
void duct_channel_bind(struct duct_channel_core *ch, struct duct_slot *slot,
		       const struct duct_ctl_bound *msg)
{
	bool resumed = msg->flags & DUCT_WISH_RESUMED;
	bool early = ch->told && !resumed;

	lockdep_assert_held(&ch->link->lock);
	if (early)
		set_bit(DUCT_SLOT_EARLY, &slot->flags);
	spin_lock_irq(&ch->tx_lock);
	if (!++ch->serial)
		ch->serial++;	/* 0 says "not told" */
	if (!resumed) {
		ch->session = ch->serial;
		WRITE_ONCE(ch->fault, NULL);
	}
	ch->parked = false;
	ch->pub.max_msg = msg->max_msg;
	ch->pub.tx_bytes = slot->tx.size;
	ch->pub.rx_bytes = slot->rx.size;
	if (!early)
		ch->tx_err = 0;
	ch->rx_err = 0;
	ch->tx_want = 0;
	ch->tx_want_call = false;
	rcu_assign_pointer(ch->slot, slot);
	spin_unlock_irq(&ch->tx_lock);
	ch->up = true;
	/* Bits that came before the slot was installed were dropped: look once. */
	set_bit(DUCT_CH_RX_ARMED, &ch->flags);
	duct_channel_wake_reader(ch);
	if (resumed) {
		ch->stats.resumed++;
		/* What the peer has to read again, and what waited for that. */
		duct_publish(&ch->pub);
		duct_tx_wake(ch);
	}
	duct_service_queue(to_duct_device_core(ch->pub.dd)->service);
}

/* Wakes all who have to find that it is down, and has the driver told. [any] */
void duct_channel_went_down(struct duct_channel_core *ch)
{
	duct_tx_wake(ch);
	set_bit(DUCT_CH_RX_ARMED, &ch->flags);
	duct_channel_wake_reader(ch);
	/* With ready() nobody else runs the done()s of failed calls. */
	duct_channel_queue(ch);
	duct_service_queue(to_duct_device_core(ch->pub.dd)->service);
}

/*
 * Takes the slot away; senders are out when this returns, readers after a grace
 * period. Everything in flight ends with @why, but for a resumable channel when an epoch
 * ends. link->lock is held.
 * Return: the slot, or NULL if there was none
 */
struct duct_slot *duct_channel_unbind(struct duct_channel_core *ch, int why)
{
	struct duct_slot *slot = duct_channel_slot(ch);
	bool parked;

	if (!slot)
		return NULL;
	spin_lock_irq(&ch->tx_lock);
	/* What was sent before a channel is closed is read; that may be with DUCT_MORE. */
	if (why == -ESHUTDOWN && !ch->tx_err)
		duct_tx_show(ch, slot);
	RCU_INIT_POINTER(ch->slot, NULL);
	parked = duct_park_begin(ch, slot, why);
	if (!parked) {
		ch->tx_err = why;
		ch->rx_err = why;
		duct_calls_fail(ch, slot, why);
	}
	spin_unlock_irq(&ch->tx_lock);
	WRITE_ONCE(slot->ch, NULL);
	ch->up = false;
	ch->wished = false;
	ch->why = why;
	if (!parked)
		duct_channel_went_down(ch);
	return slot;
}

/* The epoch ends, for a channel that may not even be bound. */
void duct_channel_forget(struct duct_channel_core *ch)
{
	lockdep_assert_held(&ch->link->lock);
	ch->broken = false;
	ch->wished = false;
	ch->owe_open = false;
	ch->refused = 0;
}

/* The peer said CLOSE: what it sent can be read, nothing can be sent. */
void duct_channel_peer_closed(struct duct_channel_core *ch, struct duct_slot *slot)
{
	lockdep_assert_held(&ch->link->lock);
	spin_lock_irq(&ch->tx_lock);
	ch->tx_err = -EPIPE;
	spin_unlock_irq(&ch->tx_lock);
	/*
	 * After its last frame, as was said: pairs, in one kernel, with duct_rx_sleep(). And after
	 * the error: who was told that all is read can send no more.
	 */
	smp_store_release(&slot->got_close, true);
	duct_tx_wake(ch);
	duct_channel_wake_reader(ch);
}

/**
 * duct_channel_fault() - the one exit for a peer that breaks a channel
 * @ch: the channel
 * @slot: its slot, held by tx_lock or RCU
 * @why: words for the log
 *
 * The rest happens in the link's work: the peer is told, everything in flight
 * ends with -EPROTO. [any]
 */
void duct_channel_fault(struct duct_channel_core *ch, struct duct_slot *slot, const char *why)
{
	if (test_bit(DUCT_SLOT_FAULT, &slot->flags))
		return;
	ch->stats.faults++;
	WRITE_ONCE(ch->fault, why);
	atomic64_inc(&ch->link->stats.faults);
	WRITE_ONCE(ch->tx_err, -EPROTO);
	trace_duct_fault(ch->link->id, slot->index);
	if (duct_link_may_log(ch->link))
		dev_err(&ch->pub.dd->dev, "dom%u broke the protocol of channel %s: %s\n",
			ch->link->peer, kobject_name(&ch->kobj), why);
	duct_slot_news(slot, DUCT_SLOT_FAULT);
}

static void duct_channel_told(struct duct_channel_core *ch, u32 told)
{
	mutex_lock(&ch->link->lock);
	ch->told = told;
	ch->telling = false;
	wake_up_all(&ch->wait);
}

/*
 * down() is over: what was bound before begins, but for a driver that wanted one connection, and
 * has had it. link->lock is held.
 */
static void duct_channel_begin(struct duct_channel_core *ch)
{
	struct duct_slot *slot = duct_channel_slot(ch);

	if (!slot || !test_bit(DUCT_SLOT_EARLY, &slot->flags))
		return;
	if (ch->cfg.flags & DUCT_ONCE) {
		duct_slot_lose(slot);
		return;
	}
	spin_lock_irq(&ch->tx_lock);
	if (!slot->got_close && !test_bit(DUCT_SLOT_FAULT, &slot->flags))
		ch->tx_err = 0;
	clear_bit(DUCT_SLOT_EARLY, &slot->flags);
	spin_unlock_irq(&ch->tx_lock);
	duct_channel_wake_reader(ch);
}

/*
 * Tells the driver that the channel went down, if it was told that it was up.
 * The device's lock and link->lock are held; the latter is dropped meanwhile.
 * Return: whether it was
 */
bool duct_channel_tell_down(struct duct_channel_core *ch)
{
	const struct duct_channel_ops *ops = ch->cfg.ops;
	int why = ch->why;

	lockdep_assert_held(&ch->link->lock);
	if (ch->stopped || !ch->told || ((ch->up || ch->parked) && ch->told == ch->session))
		return false;
	ch->telling = true;
	mutex_unlock(&ch->link->lock);
	/* Every call has ended before down(). */
	flush_work(&ch->work);
	if (ops->down)
		ops->down(&ch->pub, why);
	duct_channel_told(ch, 0);
	duct_channel_begin(ch);
	return true;
}

/*
 * Wishes the channel if it is down, and tells the driver if it is up; locks as above.
 * Return: whether link->lock was dropped
 */
bool duct_channel_tell_up(struct duct_channel_core *ch)
{
	const struct duct_channel_ops *ops = ch->cfg.ops;
	u32 session;

	lockdep_assert_held(&ch->link->lock);
	duct_channel_wish(ch);
	session = ch->session;
	if (ch->stopped || !ch->up || ch->told)
		return false;
	ch->told = session;
	ch->telling = true;
	mutex_unlock(&ch->link->lock);
	if (ops->up)
		ops->up(&ch->pub);
	duct_channel_told(ch, session);
	return true;
}

struct duct_channel_core *duct_channel_find(struct duct_service *service, u32 number)
{
	struct duct_channel_core *ch;

	lockdep_assert_held(&service->link->lock);
	if (!service->dev)
		return NULL;
	list_for_each_entry(ch, &service->dev->channels, node)
		if (ch->pub.number == number)
			return ch;
	return NULL;
}

/* ---- open and close ---- */

int duct_channel_init(void)
{
	duct_channels = KMEM_CACHE(duct_channel_core, 0);
	return duct_channels ? 0 : -ENOMEM;
}

void duct_channel_exit(void)
{
	kmem_cache_destroy(duct_channels);
}

/* Nobody has it any more. */
void duct_channel_free(struct duct_channel_core *ch)
{
	duct_park_free(ch);
	kvfree(ch->requests);
	kmem_cache_free(duct_channels, ch);
}

static int duct_config_check(struct duct_channel_config *cfg)
{
	static const struct duct_channel_ops none;
	u32 ring;

	if (!cfg->ops)
		cfg->ops = &none;
	if (cfg->ops->recv && cfg->ops->ready)
		return -EINVAL;
	if (cfg->flags & ~(DUCT_STREAM | DUCT_ON_CPU | DUCT_ONCE | DUCT_RESUMABLE))
		return -EINVAL;
	if (cfg->flags & DUCT_RESUMABLE && (cfg->max_calls || cfg->max_answer))
		return -EINVAL;
	if (cfg->flags & DUCT_ON_CPU && (cfg->cpu >= nr_cpu_ids || !cpu_possible(cfg->cpu)))
		return -EINVAL;
	if (!cfg->max_msg)
		cfg->max_msg = DUCT_DEFAULT_MSG;
	if (cfg->max_msg > DUCT_MSG_MAX || cfg->max_answer > DUCT_MSG_MAX ||
	    cfg->max_calls > DUCT_SLOTS || cfg->tx_bytes > DUCT_RING_MAX ||
	    cfg->rx_bytes > DUCT_RING_MAX)
		return -EINVAL;
	ring = min(roundup_pow_of_two(4 * duct_frame_bytes(cfg->max_msg)), DUCT_DEFAULT_RING);
	cfg->tx_bytes = roundup_pow_of_two(max3(cfg->tx_bytes ?: ring, DUCT_RING_MIN,
						duct_ring_need(cfg->max_msg)));
	cfg->rx_bytes = roundup_pow_of_two(max3(cfg->rx_bytes ?: ring, DUCT_RING_MIN,
						duct_ring_need(cfg->max_msg)));
	return duct_ring_size(cfg->tx_bytes, 0, cfg->max_msg, cfg->max_calls, cfg->max_answer) ?
	       0 : -EINVAL;
}

static struct duct_channel_core *duct_channel_new(struct duct_device_core *dev, u32 number,
						  const struct duct_channel_config *config)
{
	struct duct_channel_core *ch = kmem_cache_zalloc(duct_channels, GFP_KERNEL);
	int err;

	if (!ch)
		return ERR_PTR(-ENOMEM);
	kobject_init(&ch->kobj, &duct_channel_ktype);
	ch->cfg = *config;
	err = duct_config_check(&ch->cfg);
	if (!err && ch->cfg.flags & DUCT_RESUMABLE && !to_duct_driver(dev->pub.dev.driver)->keep)
		err = -EINVAL;
	if (err)
		goto err_put;
	ch->pub.dd = &dev->pub;
	ch->pub.priv = config->priv;
	ch->pub.number = number;
	ch->pub.max_msg = ch->cfg.max_msg;
	ch->pub.tx_bytes = ch->cfg.tx_bytes;
	ch->pub.rx_bytes = ch->cfg.rx_bytes;
	ch->link = dev->service->link;
	ch->tx_err = -ENOTCONN;
	ch->rx_err = -ENOTCONN;
	spin_lock_init(&ch->tx_lock);
	init_waitqueue_head(&ch->wait);
	INIT_WORK(&ch->work, duct_recv_work);
	timer_setup(&ch->timer, duct_call_timer, 0);
	INIT_LIST_HEAD(&ch->pending);
	INIT_LIST_HEAD(&ch->failed);
	INIT_LIST_HEAD(&ch->node);
	INIT_LIST_HEAD(&ch->out.node);
	ch->out.emit = duct_channel_emit;
	err = duct_channel_set_name(ch) ?: duct_park_init(ch);
	if (!err && ch->cfg.max_calls) {
		ch->requests = kvcalloc(ch->cfg.max_calls, sizeof(*ch->requests), GFP_KERNEL);
		err = ch->requests ? 0 : -ENOMEM;
	}
	if (err)
		goto err_put;
	return ch;

err_put:
	kobject_put(&ch->kobj);
	return ERR_PTR(err);
}

/* Keeps the list in the order of numbers: duct_service_tell() goes by them. */
static int duct_channel_insert(struct duct_device_core *dev, struct duct_channel_core *ch)
{
	struct list_head *before = &dev->channels;
	struct duct_channel_core *at;

	list_for_each_entry(at, &dev->channels, node) {
		if (at->pub.number == ch->pub.number)
			return -EEXIST;
		if (at->pub.number > ch->pub.number) {
			before = &at->node;
			break;
		}
	}
	list_add_tail(&ch->node, before);
	return 0;
}

/* duct_open(), for the core's own numbers, too. [sleep] */
int duct_channel_open(struct duct_device *dd, u32 number, const struct duct_channel_config *cfg,
		      struct duct_channel **channel)
{
	struct duct_device_core *dev = to_duct_device_core(dd);
	struct duct_link *link = dev->service->link;
	struct duct_channel_core *ch;
	int err;

	*channel = NULL;
	ch = duct_channel_new(dev, number, cfg);
	if (IS_ERR(ch))
		return PTR_ERR(ch);
	mutex_lock(&link->lock);
	err = duct_channel_insert(dev, ch);
	if (!err) {
		*channel = &ch->pub;
		duct_channel_wish(ch);
		duct_channel_show_soon(ch);
	}
	mutex_unlock(&link->lock);
	if (err)
		kobject_put(&ch->kobj);
	return err;
}

/**
 * duct_open() - open a channel of a device. [sleep]
 * @dd: the device, from probe() to the end of remove()
 * @number: which, below 2^31; both ends open the same number
 * @cfg: how; copied
 * @channel: set before any callback; NULL on error
 *
 * Does not wait for the peer: up() follows when both ends have opened the
 * number. Both opening at once is the same channel. The core closes what the
 * driver does not, after remove().
 *
 * Return: 0; -EINVAL for a number or configuration that cannot be, -EEXIST if the
 * number is open here, -ENOMEM
 */
int duct_open(struct duct_device *dd, u32 number, const struct duct_channel_config *cfg,
	      struct duct_channel **channel)
{
	*channel = NULL;
	if (number >> 31)
		return -EINVAL;
	return duct_channel_open(dd, number, cfg, channel);
}
EXPORT_SYMBOL_GPL(duct_open);

/**
 * duct_stop() - end a channel's calls and callbacks. [sleep], not in recv() or done()
 * @channel: NULL is fine; stopping twice is, too
 *
 * Nor in those of another channel: two that stop each other wait for ever, and lockdep
 * takes each that stops another for one of them. A work is the place.
 * When it returns no callback of the channel runs or will. The peer reads what
 * was sent, then gets -EPIPE. @channel stays valid until duct_close(), but all
 * except duct_reply() gives -ESHUTDOWN.
 */
void duct_stop(struct duct_channel *channel)
{
	struct duct_leaving leaving = { .slots = LIST_HEAD_INIT(leaving.slots) };
	struct duct_channel_core *ch;
	struct duct_link *link;
	bool waited;

	if (!channel)
		return;
	ch = to_duct_channel_core(channel);
	link = ch->link;
	mutex_lock(&link->lock);
	if (!ch->stopped) {
		ch->stopped = true;
		duct_slot_close(ch, &leaving);
		duct_channel_unwish(ch);
		spin_lock_irq(&ch->tx_lock);
		ch->parked = false;
		ch->tx_err = -ESHUTDOWN;
		ch->rx_err = -ESHUTDOWN;
		spin_unlock_irq(&ch->tx_lock);
	}
	mutex_unlock(&link->lock);
	waited = duct_slot_closed(link, &leaving);
	duct_park_stop(ch);
	wait_event(ch->wait, !READ_ONCE(ch->telling));
	/* Event handlers that found the channel before the slot let go. */
	if (!waited)
		synchronize_rcu_expedited();
	timer_delete_sync(&ch->timer);
	cancel_work_sync(&ch->work);
	duct_calls_run_failed(ch);
}
EXPORT_SYMBOL_GPL(duct_stop);

static bool duct_channel_idle(struct duct_channel_core *ch)
{
	bool idle;

	spin_lock_irq(&ch->tx_lock);
	idle = !ch->requests_busy;
	spin_unlock_irq(&ch->tx_lock);
	return idle;
}

/**
 * duct_close() - stop a channel, wait for duct_reply() to each request, free it. [sleep]
 * @channel: not used again; NULL is fine
 */
void duct_close(struct duct_channel *channel)
{
	struct duct_channel_core *ch;

	if (!channel)
		return;
	ch = to_duct_channel_core(channel);
	duct_stop(channel);
	wait_event(ch->wait, duct_channel_idle(ch));
	duct_channel_remove(ch);
	kobject_put(&ch->kobj);
}
EXPORT_SYMBOL_GPL(duct_close);

/* Closes what a driver left open; its remove() has returned, or probe() failed. */
void duct_channel_close_all(struct duct_device_core *dev)
{
	struct duct_link *link = dev->service->link;

	for (;;) {
		struct duct_channel_core *ch;

		mutex_lock(&link->lock);
		ch = list_first_entry_or_null(&dev->channels, struct duct_channel_core, node);
		mutex_unlock(&link->lock);
		if (!ch)
			return;
		duct_close(&ch->pub);
	}
}

/**
 * duct_stats() - counters of a channel since it was opened. [any]
 * @channel: the channel
 * @stats: filled in; each counter is right, but they are not of one moment
 */
void duct_stats(struct duct_channel *channel, struct duct_stats *stats)
{
	const struct duct_channel_stats *from = &to_duct_channel_core(channel)->stats;

	stats->out_messages = READ_ONCE(from->out_messages);
	stats->out_bytes = READ_ONCE(from->out_bytes);
	stats->out_events = READ_ONCE(from->out_events);
	stats->in_messages = READ_ONCE(from->in_messages);
	stats->in_bytes = READ_ONCE(from->in_bytes);
	stats->in_copies = atomic64_read(&from->in_copies);
	stats->in_maps = atomic64_read(&from->in_maps);
	stats->wakeups = READ_ONCE(from->wakeups);
}
EXPORT_SYMBOL_GPL(duct_stats);

/**
 * duct_error() - why nothing can be sent. [any]
 * @channel: the channel
 *
 * Return: 0: it is up; -EAGAIN: it is parked, see "Resuming"; or an errno of "Errors":
 * -ENOTCONN, or why it went down. With -EPIPE there may still be something to read
 */
int duct_error(struct duct_channel *channel)
{
	return READ_ONCE(to_duct_channel_core(channel)->tx_err);
}
EXPORT_SYMBOL_GPL(duct_error);
