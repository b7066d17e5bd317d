// SPDX-License-Identifier: GPL-2.0
/*
 * Triggers of a region. Each goes to the owner, which knows what each peer watches and
 * passes it on: two peers need no link with each other. What a peer has not been told is
 * added up by offset, so a storm costs no memory, and a peer that does not read holds up
 * nobody else. All of it under region->lock but the callbacks.
 */
#include <linux/math64.h>
#include <linux/wait.h>

#include "region.h"

/* How long the owner may take to know of a watch. */
#define DUCT_WATCH_WAIT (5 * HZ)

/* duct_watch.state */
enum {
	DUCT_WATCH_NEW,		/* attached: the owner does not know of it */
	DUCT_WATCH_SAID,	/* it was told */
	DUCT_WATCH_KNOWN,	/* it passes on */
	DUCT_WATCH_FAILED,	/* it does not */
};

/* ---- what a peer is to be told ---- */

static struct duct_point *duct_point_find(struct duct_region_peer *peer, u64 off)
{
	u32 i;

	lockdep_assert_held(&peer->region->lock);
	for (i = 0; i < DUCT_REGION_WATCHES; i++)
		if (peer->point[i].used && peer->point[i].off == off)
			return &peer->point[i];
	return NULL;
}

/* Return: the entry, a new one if need be; NULL: there are too many */
static struct duct_point *duct_point_make(struct duct_region_peer *peer, u64 off)
{
	struct duct_point *point = duct_point_find(peer, off);
	u32 i;

	for (i = 0; !point && i < DUCT_REGION_WATCHES; i++) {
		if (peer->point[i].used)
			continue;
		point = &peer->point[i];
		point->used = true;
		point->off = off;
		point->pending = 0;
	}
	return point;
}

/* Return: all of it was sent */
static bool duct_point_send(struct duct_region_peer *peer, struct duct_point *point)
{
	while (point->pending) {
		const struct duct_region_point msg = {
			.type = DUCT_REGION_TRIGGER,
			.value = min_t(u64, point->pending, U32_MAX),
			.off = point->off,
		};

		if (duct_send(peer->ch, &msg, sizeof(msg), 0))
			return false;
		point->pending -= msg.value;
	}
	/* Attached: an entry is only there for what waits. */
	point->used = peer->region->owner;
	return true;
}

/* Sends what waits; the rest goes when writable() says that there is room. */
void duct_point_flush(struct duct_region_peer *peer)
{
	u32 i;

	lockdep_assert_held(&peer->region->lock);
	if (peer->state != DUCT_PEER_IN)
		return;
	for (i = 0; i < DUCT_REGION_WATCHES; i++)
		if (peer->point[i].used && peer->point[i].pending &&
		    !duct_point_send(peer, &peer->point[i]))
			return;
}

/* Owner: the peer watches an offset. Return: false: too many */
bool duct_point_watch(struct duct_region_peer *peer, u64 off)
{
	return duct_point_make(peer, off);
}

/* Owner: not any more. */
void duct_point_unwatch(struct duct_region_peer *peer, u64 off)
{
	struct duct_point *point = duct_point_find(peer, off);

	if (point)
		point->used = false;
}

/* Owner: tells all who watch, but for who triggered; NULL: that was us. */
static void duct_points_trigger(struct duct_region_core *region,
				const struct duct_region_peer *from, u64 off, u32 n)
{
	struct duct_region_peer *peer;
	struct duct_point *point;

	list_for_each_entry(peer, &region->peers, node) {
		if (peer == from || peer->state != DUCT_PEER_IN)
			continue;
		point = duct_point_find(peer, off);
		if (!point)
			continue;
		/* Behind what waits already, or the ring is full of something else. */
		point->pending += n;
		duct_point_send(peer, point);
	}
}

/**
 * duct_region_trigger() - tell all other domains that watch an offset. [any]
 * @r: the region; attached: between up() and down()
 * @off: byte of it
 *
 * Nothing waits for the peers. What they were not told yet is added up, and none is lost
 * while both the link and the region stay up.
 *
 * Return: 0; -EINVAL: @off is outside the region; -ENOTCONN: attached, and it is not up;
 * -EAGAIN: attached, and triggers at 64 other offsets wait for the owner to read
 */
int duct_region_trigger(struct duct_region *r, u64 off)
{
	struct duct_region_core *region = to_duct_region_core(r);
	struct duct_region_peer *owner;
	struct duct_point *point;
	unsigned long irq;
	int err = 0;

	spin_lock_irqsave(&region->lock, irq);
	if (region->owner) {
		if (off >= region->pub.size)
			err = -EINVAL;
		else
			duct_points_trigger(region, NULL, off, 1);
		goto out;
	}
	owner = duct_region_owner(region);
	if (owner->state != DUCT_PEER_IN)
		err = -ENOTCONN;
	else if (off >= owner->size)
		err = -EINVAL;
	if (err)
		goto out;
	point = duct_point_make(owner, off);
	if (point) {
		point->pending++;
		duct_point_send(owner, point);
	} else {
		err = -EAGAIN;
	}
out:
	spin_unlock_irqrestore(&region->lock, irq);
	return err;
}
EXPORT_SYMBOL_GPL(duct_region_trigger);

/* ---- what we are told ---- */

static bool duct_watch_due(const struct duct_watch *w)
{
	return w->total - w->told >= max(w->count, 1u);
}

/* Triggers came from a peer. [sleep] */
void duct_region_triggered(struct duct_region_peer *from, u64 off, u32 n)
{
	struct duct_region_core *region = from->region;
	struct duct_watch *w;
	bool due = false;

	spin_lock_irq(&region->lock);
	list_for_each_entry(w, &region->watches, node) {
		if (w->off != off)
			continue;
		w->total += n;
		due |= duct_watch_due(w);
	}
	if (region->owner)
		duct_points_trigger(region, from, off, n);
	spin_unlock_irq(&region->lock);
	if (due)
		duct_region_queue(region);
}

/* Calls fn() of one watch. Return: false: none is due */
bool duct_watches_tell(struct duct_region_core *region)
{
	struct duct_watch *w, *found = NULL;

	spin_lock_irq(&region->lock);
	list_for_each_entry(w, &region->watches, node) {
		if (!duct_watch_due(w))
			continue;
		/* In whole counts: what is left over counts for the next time. */
		w->told += div_u64(w->total - w->told, max(w->count, 1u)) * max(w->count, 1u);
		/* The others' turn first. */
		list_move_tail(&w->node, &region->watches);
		region->firing = w;
		found = w;
		break;
	}
	spin_unlock_irq(&region->lock);
	if (!found)
		return false;
	found->fn(found);
	spin_lock_irq(&region->lock);
	region->firing = NULL;
	spin_unlock_irq(&region->lock);
	wake_up_all(&region->wait);
	return true;
}

/* ---- watching ---- */

/* The epoch ends: the owner forgets, and we do. */
void duct_watches_forget(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;
	struct duct_watch *w;

	lockdep_assert_held(&region->lock);
	memset(peer->point, 0, sizeof(peer->point));
	if (region->owner)
		return;
	list_for_each_entry(w, &region->watches, node)
		w->state = DUCT_WATCH_NEW;
}

static struct duct_watch *duct_watch_find(struct duct_region_core *region, u64 off, u32 state)
{
	struct duct_watch *w;

	lockdep_assert_held(&region->lock);
	list_for_each_entry(w, &region->watches, node)
		if (w->state == state && w->off == off)
			return w;
	return NULL;
}

/* Attached: tells the owner what is new. Return: 0, or why not all: -EAGAIN arms writable() */
int duct_watches_say(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;
	struct duct_watch *w;
	int err = 0;

	spin_lock_irq(&region->lock);
	list_for_each_entry(w, &region->watches, node) {
		const struct duct_region_point msg = {
			.type = DUCT_REGION_WATCH,
			.off = w->off,
		};

		if (w->state != DUCT_WATCH_NEW || w->off >= peer->size)
			continue;
		err = duct_send(peer->ch, &msg, sizeof(msg), 0);
		if (err)
			break;
		w->state = DUCT_WATCH_SAID;
	}
	spin_unlock_irq(&region->lock);
	return err;
}

/* Attached: the owner answered. What it answers to twice, or to nobody, is no matter. */
void duct_watch_known(struct duct_region_core *region, const struct duct_region_point *msg)
{
	struct duct_watch *w;

	spin_lock_irq(&region->lock);
	w = duct_watch_find(region, msg->off, DUCT_WATCH_SAID);
	if (w)
		w->state = msg->value == DUCT_REGION_OK ? DUCT_WATCH_KNOWN : DUCT_WATCH_FAILED;
	spin_unlock_irq(&region->lock);
	wake_up_all(&region->wait);
}

/* Whether nothing more is to be waited for: it is known, or not up now, or refused. */
static bool duct_watch_settled(struct duct_region_core *region, const struct duct_watch *w)
{
	bool settled;

	spin_lock_irq(&region->lock);
	settled = w->state == DUCT_WATCH_KNOWN || w->state == DUCT_WATCH_FAILED ||
		  duct_region_owner(region)->state != DUCT_PEER_IN;
	spin_unlock_irq(&region->lock);
	return settled;
}

/* Return: 0, -EINVAL, -ENOSPC */
static int duct_watch_add(struct duct_region_core *region, struct duct_watch *w)
{
	struct duct_watch *other;
	u64 size = region->pub.size;
	u32 n = 0;
	int err = 0;

	w->total = 0;
	w->told = 0;
	w->state = region->owner ? DUCT_WATCH_KNOWN : DUCT_WATCH_NEW;
	spin_lock_irq(&region->lock);
	/* It may be up before the driver is told so. */
	if (!region->owner && duct_region_owner(region)->state == DUCT_PEER_IN)
		size = duct_region_owner(region)->size;
	list_for_each_entry(other, &region->watches, node)
		n++;
	if (n >= DUCT_REGION_WATCHES)
		err = -ENOSPC;
	else if (size && w->off >= size)
		err = -EINVAL;
	else
		list_add_tail(&w->node, &region->watches);
	spin_unlock_irq(&region->lock);
	return err;
}

/**
 * duct_region_watch() - be told of other domains' triggers at an offset. [sleep]
 * @r: the region; attached: also before up()
 * @w: fn, off and count filled in; the core's until duct_region_unwatch() or
 *     duct_region_put()
 *
 * Each trigger of another domain at &duct_watch.off that begins after this has returned
 * counts; attached: while the region is up. fn() runs as a callback of the region, once
 * for as many counts as there are: never more often than triggers divided by the count.
 * &duct_watch.total is exact at any time. Also in callbacks of the region.
 *
 * An offset that proves to be outside when the region comes up is never triggered.
 *
 * Return: 0; -EINVAL: no fn, or an offset outside the region; -ENOSPC: 64 are watched
 * already; -ETIMEDOUT: the owner did not answer within five seconds
 */
int duct_region_watch(struct duct_region *r, struct duct_watch *w)
{
	struct duct_region_core *region = to_duct_region_core(r);
	int err = w->fn ? duct_watch_add(region, w) : -EINVAL;
	bool settled;

	if (err || region->owner)
		return err;
	duct_region_peer_queue(duct_region_owner(region));
	settled = wait_event_timeout(region->wait, duct_watch_settled(region, w),
				     DUCT_WATCH_WAIT);
	if (settled && READ_ONCE(w->state) != DUCT_WATCH_FAILED)
		return 0;
	duct_region_unwatch(r, w);
	return settled ? -ENOSPC : -ETIMEDOUT;
}
EXPORT_SYMBOL_GPL(duct_region_watch);

static bool duct_watch_idle(struct duct_region_core *region, const struct duct_watch *w)
{
	bool idle;

	spin_lock_irq(&region->lock);
	idle = region->firing != w;
	spin_unlock_irq(&region->lock);
	return idle;
}

/**
 * duct_region_unwatch() - the reverse of duct_region_watch(). [sleep]
 * @r: the region
 * @w: the caller's after this; waits for its fn(), if that is not who calls
 */
void duct_region_unwatch(struct duct_region *r, struct duct_watch *w)
{
	struct duct_region_core *region = to_duct_region_core(r);
	const struct duct_region_point msg = { .type = DUCT_REGION_UNWATCH, .off = w->off };
	struct duct_region_peer *owner;
	struct duct_watch *other;
	bool last = true;

	spin_lock_irq(&region->lock);
	list_del(&w->node);
	list_for_each_entry(other, &region->watches, node)
		last &= other->off != w->off;
	if (last && !region->owner) {
		owner = duct_region_owner(region);
		/* At worst the owner goes on telling us what nobody listens to. */
		if (owner->state == DUCT_PEER_IN)
			duct_send(owner->ch, &msg, sizeof(msg), 0);
	}
	spin_unlock_irq(&region->lock);
	if (READ_ONCE(region->worker) != current)
		wait_event(region->wait, duct_watch_idle(region, w));
}
EXPORT_SYMBOL_GPL(duct_region_unwatch);
