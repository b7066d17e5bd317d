// SPDX-License-Identifier: GPL-2.0
/*
 * Counted events: n triggers here, and fn() over there is told n in all, with as few
 * calls and interrupts as it takes. An event is a channel of the device with a number
 * of its own range, whose messages are numbers of triggers. What does not fit in its
 * ring, or comes while there is none, is added up until there is room.
 */
#include <linux/slab.h>

#include "core.h"

/**
 * struct duct_event - one end of a counted event
 * @ch: its channel
 * @fn: the driver's
 * @arg: for it
 * @lock: @pending, @closing; hard irqs off. Outside the channel's tx_lock
 * @pending: triggers that wait for room, or for the peer
 * @closing: @work is not queued any more
 * @work: takes triggers, calls @fn
 * @got: taken, and @fn was not told; @work's
 * @after: tell it of no less than these
 */
struct duct_event {
	struct duct_channel *ch;
	void (*fn)(struct duct_event *ev, void *arg, u32 n);
	void *arg;
	spinlock_t lock;
	u64 pending;
	bool closing;
	struct work_struct work;
	u64 got;
	u32 after;
};

static void duct_event_queue(struct duct_event *ev)
{
	unsigned long flags;

	spin_lock_irqsave(&ev->lock, flags);
	if (!ev->closing)
		queue_work(duct_recv_wq, &ev->work);
	spin_unlock_irqrestore(&ev->lock, flags);
}

/* Something has come. [any] */
static void duct_event_ready(struct duct_channel *ch)
{
	duct_event_queue(ch->priv);
}

/* Adds, and sends what can be sent; the rest waits for writable() or up(). [any] */
static void duct_event_send(struct duct_event *ev, struct duct_channel *ch, u32 n)
{
	unsigned long flags;

	spin_lock_irqsave(&ev->lock, flags);
	ev->pending += n;
	while (ev->pending) {
		struct duct_trigger msg = { .count = min_t(u64, ev->pending, U32_MAX) };

		if (duct_send(ch, &msg, sizeof(msg), 0))
			break;
		ev->pending -= msg.count;
	}
	spin_unlock_irqrestore(&ev->lock, flags);
}

static void duct_event_resume(struct duct_channel *ch)
{
	duct_event_send(ch->priv, ch, 0);
}

static const struct duct_channel_ops duct_event_ops = {
	.up = duct_event_resume,
	.ready = duct_event_ready,
	.writable = duct_event_resume,
};

/* Takes one message. Return: 0, or why not: -EAGAIN if there is none */
static int duct_event_take(struct duct_event *ev)
{
	struct duct_trigger trigger = {};
	struct duct_msg msg;
	int err = duct_next(ev->ch, &msg);

	if (err)
		return err;
	if (msg.len != sizeof(trigger))
		duct_msg_fault(&msg, "an event of a wrong length");
	else if (!duct_read(&msg, &trigger, sizeof(trigger)) && !duct_trigger_valid(&trigger))
		duct_msg_fault(&msg, "an event without triggers");
	else
		ev->got += trigger.count;
	duct_release(&msg);
	return 0;
}

static void duct_event_work(struct work_struct *work)
{
	struct duct_event *ev = container_of(work, struct duct_event, work);
	u32 budget = DUCT_BUDGET;
	int err;

	do {
		err = duct_event_take(ev);
	} while (!err && --budget);
	while (ev->got && ev->got >= READ_ONCE(ev->after)) {
		u32 n = min_t(u64, ev->got, U32_MAX);

		ev->got -= n;
		ev->fn(ev, ev->arg, n);
	}
	if (!err)
		duct_event_queue(ev);
}

/**
 * duct_event_open() - one end of a counted event. [sleep]
 * @dd: the device, from probe() to the end of remove()
 * @id: which, below 2^30; both ends open the same
 * @fn: told of the peer's triggers: their number since it was told last. In a thread,
 *      may sleep, one at a time per event. Also before this returns
 * @arg: for it
 *
 * Like duct_open(), it does not wait for the peer. Counts towards the link's channels.
 * The driver closes it before remove() returns.
 *
 * Return: the event, or ERR_PTR(): -EINVAL without @fn or for an @id that is none,
 * -EEXIST if it is open here, -ENOMEM
 */
struct duct_event *duct_event_open(struct duct_device *dd, u32 id,
				   void (*fn)(struct duct_event *ev, void *arg, u32 n), void *arg)
{
	struct duct_channel_config cfg = {
		.ops = &duct_event_ops,
		.max_msg = sizeof(struct duct_trigger),
		.tx_bytes = DUCT_RING_MIN,
		.rx_bytes = DUCT_RING_MIN,
	};
	struct duct_event *ev;
	int err;

	if (!fn || id & DUCT_NUMBER_KIND)
		return ERR_PTR(-EINVAL);
	ev = kzalloc(sizeof(*ev), GFP_KERNEL);
	if (!ev)
		return ERR_PTR(-ENOMEM);
	ev->fn = fn;
	ev->arg = arg;
	ev->after = 1;
	spin_lock_init(&ev->lock);
	INIT_WORK(&ev->work, duct_event_work);
	cfg.priv = ev;
	err = duct_channel_open(dd, DUCT_NUMBER_EVENT | id, &cfg, &ev->ch);
	if (err) {
		kfree(ev);
		return ERR_PTR(err);
	}
	return ev;
}
EXPORT_SYMBOL_GPL(duct_event_open);

/**
 * duct_event_trigger() - adds to what the peer's fn() will be told. [any]
 * @ev: the event
 * @n: how many times
 *
 * An event of the wire is raised only if the peer sleeps, whatever @n and however many
 * triggers it has not taken yet. While the peer has not opened the event, or there is no
 * link, triggers are kept for it. What is in its ring when the epoch ends is lost.
 *
 * Return: 0; -EINVAL if @n is 0
 */
int duct_event_trigger(struct duct_event *ev, u32 n)
{
	if (!n)
		return -EINVAL;
	duct_event_send(ev, ev->ch, n);
	return 0;
}
EXPORT_SYMBOL_GPL(duct_event_trigger);

/**
 * duct_event_watch() - fn() only for so many triggers. [any]
 * @ev: the event
 * @after: the least that fn() is told at once; 1 when the event is opened, 0 is the same
 *
 * Triggers that fn() was not told yet count. Also from within fn().
 */
void duct_event_watch(struct duct_event *ev, u32 after)
{
	WRITE_ONCE(ev->after, after);
	duct_event_queue(ev);
}
EXPORT_SYMBOL_GPL(duct_event_watch);

/**
 * duct_event_stats() - counters since the event was opened: as duct_stats(). [any]
 * @ev: the event
 * @stats: filled in; a message is any number of triggers
 */
void duct_event_stats(struct duct_event *ev, struct duct_stats *stats)
{
	duct_stats(ev->ch, stats);
}
EXPORT_SYMBOL_GPL(duct_event_stats);

/**
 * duct_event_close() - no trigger is sent or told any more. [sleep], not in fn()
 * @ev: not used again; NULL and ERR_PTR() are fine
 *
 * Waits for fn(). What fn() was not told is lost.
 */
void duct_event_close(struct duct_event *ev)
{
	if (IS_ERR_OR_NULL(ev))
		return;
	spin_lock_irq(&ev->lock);
	ev->closing = true;
	spin_unlock_irq(&ev->lock);
	cancel_work_sync(&ev->work);
	duct_close(ev->ch);
	kfree(ev);
}
EXPORT_SYMBOL_GPL(duct_event_close);
