// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: memory of several domains. Who creates one owns it, and offers it to devices;
 * who attaches gets it mapped as soon as both ends have done that. What the driver is
 * told comes from one work per region, so that a driver that sleeps holds up nobody's
 * triggers but its own.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "region.h"

/* How long a peer may take to let go: 40 round trips of the slowest emulated machine. */
#define DUCT_REGION_PATIENCE (2 * HZ)

/* Runs the region's work soon, unless it is over. [any] */
void duct_region_queue(struct duct_region_core *region)
{
	unsigned long irq;

	spin_lock_irqsave(&region->lock, irq);
	if (!region->closing)
		queue_work(duct_recv_wq, &region->work);
	spin_unlock_irqrestore(&region->lock, irq);
}

/* Owner: the peer with this id that has the region, or NULL; attached: the owner. [any] */
struct duct_region_peer *duct_region_get_peer(struct duct_region_core *region, u32 id)
{
	struct duct_region_peer *peer, *found = NULL;
	unsigned long irq;

	spin_lock_irqsave(&region->lock, irq);
	list_for_each_entry(peer, &region->peers, node) {
		if (peer->gone || peer->state != DUCT_PEER_IN || (region->owner && peer->id != id))
			continue;
		peer->users++;
		found = peer;
		break;
	}
	spin_unlock_irqrestore(&region->lock, irq);
	return found;
}

/* [any] */
void duct_region_put_peer(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;
	unsigned long irq;

	spin_lock_irqsave(&region->lock, irq);
	peer->users--;
	wake_up_all(&region->wait);
	spin_unlock_irqrestore(&region->lock, irq);
}

static bool duct_region_peer_unused(struct duct_region_peer *peer)
{
	bool unused;

	spin_lock_irq(&peer->region->lock);
	unused = !peer->users;
	spin_unlock_irq(&peer->region->lock);
	return unused;
}

/* ---- what the driver is told ---- */

enum duct_region_news {
	DUCT_REGION_NO_NEWS,
	DUCT_REGION_UP,
	DUCT_REGION_DOWN,
	DUCT_REGION_FAILED,	/* down() without up() */
	DUCT_REGION_LEFT,	/* nothing to tell, but to clean up */
};

static enum duct_region_news duct_region_news(const struct duct_region_peer *peer)
{
	bool owner = peer->region->owner;
	bool in = peer->state == DUCT_PEER_IN || (owner && peer->state == DUCT_PEER_LEAVING);

	lockdep_assert_held(&peer->region->lock);
	if (peer->told)
		return in ? DUCT_REGION_NO_NEWS : DUCT_REGION_DOWN;
	if (peer->fail)
		return DUCT_REGION_FAILED;
	if (peer->state == DUCT_PEER_IN)
		return DUCT_REGION_UP;
	if (peer->state == DUCT_PEER_OFFERED || in)
		return DUCT_REGION_NO_NEWS;
	if (owner ? peer->id : READ_ONCE(peer->mapping) || peer->state == DUCT_PEER_LEAVING)
		return DUCT_REGION_LEFT;
	return DUCT_REGION_NO_NEWS;
}

/* A peer with news, which is noted as told; held for the caller. */
static struct duct_region_peer *duct_region_next_news(struct duct_region_core *region,
						      enum duct_region_news *news)
{
	struct duct_region_peer *peer, *found = NULL;

	spin_lock_irq(&region->lock);
	list_for_each_entry(peer, &region->peers, node) {
		*news = duct_region_news(peer);
		if (*news == DUCT_REGION_NO_NEWS)
			continue;
		peer->users++;
		found = peer;
		break;
	}
	spin_unlock_irq(&region->lock);
	return found;
}

static void duct_region_tell_up(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;
	const struct duct_region_ops *ops = region->ops;

	if (!region->owner)
		duct_region_peer_begin_users(peer);
	spin_lock_irq(&region->lock);
	peer->told = true;
	if (!region->owner) {
		region->pub.addr = peer->mapping->addr;
		region->pub.size = peer->size;
		region->pub.self = peer->id;
	}
	spin_unlock_irq(&region->lock);
	if (ops && ops->up)
		ops->up(&region->pub, region->owner ? peer->id : 0);
}

/* The peer's id is free, or the mapping is gone, after this. */
static void duct_region_left(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;

	spin_lock_irq(&region->lock);
	if (region->owner && peer->id) {
		region->ids &= ~BIT_ULL(peer->id);
		peer->id = 0;
	}
	spin_unlock_irq(&region->lock);
	if (region->owner)
		duct_region_peer_queue(peer);
	else
		duct_region_peer_unmap(peer);
}

static void duct_region_tell_down(struct duct_region_peer *peer, bool was_up)
{
	struct duct_region_core *region = peer->region;
	const struct duct_region_ops *ops = region->ops;

	if (ops && ops->down)
		ops->down(&region->pub, region->owner ? peer->id : 0, peer->why);
	spin_lock_irq(&region->lock);
	peer->told = false;
	if (!was_up)
		peer->fail = false;
	if (!region->owner) {
		region->pub.addr = NULL;
		region->pub.size = 0;
		region->pub.self = 0;
	}
	spin_unlock_irq(&region->lock);
	if (was_up)
		duct_region_left(peer);
}

static bool duct_region_tell(struct duct_region_core *region)
{
	enum duct_region_news news;
	struct duct_region_peer *peer = duct_region_next_news(region, &news);

	if (!peer)
		return false;
	switch (news) {
	case DUCT_REGION_UP:
		duct_region_tell_up(peer);
		break;
	case DUCT_REGION_LEFT:
		duct_region_left(peer);
		break;
	default:
		duct_region_tell_down(peer, news == DUCT_REGION_DOWN);
	}
	duct_region_put_peer(peer);
	return true;
}

static void duct_region_work(struct work_struct *work)
{
	struct duct_region_core *region = container_of(work, struct duct_region_core, work);

	WRITE_ONCE(region->worker, current);
	while (!READ_ONCE(region->closing) &&
	       (duct_region_tell(region) || duct_watches_tell(region) || duct_sg_tell(region)))
		cond_resched();
	WRITE_ONCE(region->worker, NULL);
}

/* ---- life ---- */

static struct duct_region_core *duct_region_new(const struct duct_region_ops *ops, void *priv)
{
	struct duct_region_core *region = kzalloc(sizeof(*region), GFP_KERNEL);

	if (!region)
		return NULL;
	region->users = duct_region_users_new();
	if (!region->users) {
		kfree(region);
		return NULL;
	}
	region->ops = ops;
	region->pub.priv = priv;
	spin_lock_init(&region->lock);
	INIT_LIST_HEAD(&region->peers);
	INIT_LIST_HEAD(&region->watches);
	INIT_LIST_HEAD(&region->lists);
	INIT_LIST_HEAD(&region->moved);
	INIT_WORK(&region->work, duct_region_work);
	init_waitqueue_head(&region->wait);
	return region;
}

static void duct_region_free(struct duct_region_core *region)
{
	u32 i;

	duct_region_users_end(region->users);
	duct_region_users_put(region->users);
	if (region->owner)
		vunmap(region->pub.addr);
	for (i = 0; i < region->pages; i++)
		if (region->page[i])
			put_page(region->page[i]);
	kvfree(region->page);
	kfree(region);
}

/* Owner: whole pages of our own, zeroed: a peer sees nothing else. */
static int duct_region_populate(struct duct_region_core *region)
{
	u32 i;

	region->page = kvcalloc(region->pages, sizeof(*region->page), GFP_KERNEL);
	if (!region->page)
		return -ENOMEM;
	for (i = 0; i < region->pages; i++) {
		region->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!region->page[i])
			return -ENOMEM;
	}
	region->pub.addr = vmap(region->page, region->pages, VM_MAP, PAGE_KERNEL);
	return region->pub.addr ? 0 : -ENOMEM;
}

/**
 * duct_region_create() - memory to share with other domains. [sleep]
 * @size: bytes, up to 64 MiB; what a peer gets is whole pages, zeroed
 * @ops: what to be told; NULL is fine
 * @priv: for &duct_region.priv
 *
 * Return: the region, until duct_region_put(); ERR_PTR(): -EINVAL for a size that cannot
 * be, -ENOMEM
 */
struct duct_region *duct_region_create(u64 size, const struct duct_region_ops *ops, void *priv)
{
	struct duct_region_core *region;
	int err;

	if (!size || size > (u64)DUCT_REGION_PAGES_MAX * PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	region = duct_region_new(ops, priv);
	if (!region)
		return ERR_PTR(-ENOMEM);
	region->owner = true;
	region->ids = 1;
	region->pub.size = size;
	region->pages = duct_region_pages(size);
	err = duct_region_populate(region);
	if (err) {
		if (!region->page)
			region->pages = 0;
		duct_region_free(region);
		return ERR_PTR(err);
	}
	duct_region_users_own(region->users, region->page, region->pages);
	return &region->pub;
}
EXPORT_SYMBOL_GPL(duct_region_create);

/* Puts a peer on the list. Return: 0; -EEXIST; -ENOSPC: there are too many */
static int duct_region_add_peer(struct duct_region_core *region, struct duct_region_peer *peer)
{
	struct duct_region_peer *other;
	u32 n = 1;
	int err = 0;

	spin_lock_irq(&region->lock);
	list_for_each_entry(other, &region->peers, node) {
		if (other->dd == peer->dd)
			err = -EEXIST;
		n++;
	}
	if (!err && n >= DUCT_REGION_PEERS)
		err = -ENOSPC;
	if (!err)
		list_add_tail(&peer->node, &region->peers);
	spin_unlock_irq(&region->lock);
	return err;
}

/* Nobody uses it, and its channel's end is done: see duct_region_peer_end(). */
static void duct_region_del_peer(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;

	spin_lock_irq(&region->lock);
	list_del(&peer->node);
	if (region->owner && peer->id)
		region->ids &= ~BIT_ULL(peer->id);
	spin_unlock_irq(&region->lock);
	wait_event(region->wait, duct_region_peer_unused(peer));
	duct_close(peer->ch);
	/* It has replied, but may not have returned. */
	flush_work(&peer->relay);
	kfree(peer);
}

/**
 * duct_region_offer() - let the other end of a device attach a region. [sleep]
 * @r: from duct_region_create()
 * @dd: the device, between probe() and remove(); a region is offered to it once
 * @id: what the peer names it by, below 2^29; each end of a device numbers its own
 * @writable: the peer may write, or else is given page tables that only read
 *
 * It takes up the pages of the link's budget while there is a peer. The driver calls
 * duct_region_revoke() or duct_region_put() before remove() returns.
 *
 * Return: 0: up() follows when the peer has attached; -EINVAL: @r is not ours, or @id is
 * none; -EEXIST: offered there already, or another region by this id; -ENOSPC: to 63 peers
 * already; -ENOMEM
 */
int duct_region_offer(struct duct_region *r, struct duct_device *dd, u32 id, bool writable)
{
	struct duct_region_core *region = to_duct_region_core(r);
	struct duct_region_peer *peer;
	int err;

	if (!region->owner || id >= DUCT_NUMBER_FRONT)
		return -EINVAL;
	peer = duct_region_peer_new(region, dd, writable);
	if (!peer)
		return -ENOMEM;
	/* Nobody finds it before its channel is there. */
	peer->gone = true;
	peer->ending = true;
	err = duct_region_add_peer(region, peer);
	if (err)
		goto err_free;
	err = duct_region_peer_open(peer, id);
	if (err)
		goto err_del;
	spin_lock_irq(&region->lock);
	peer->gone = false;
	peer->ending = false;
	spin_unlock_irq(&region->lock);
	duct_region_peer_queue(peer);
	return 0;

err_del:
	spin_lock_irq(&region->lock);
	list_del(&peer->node);
	spin_unlock_irq(&region->lock);
err_free:
	kfree(peer);
	return err;
}
EXPORT_SYMBOL_GPL(duct_region_offer);

static bool duct_region_peer_has_left(struct duct_region_peer *peer)
{
	bool left;

	spin_lock_irq(&peer->region->lock);
	left = peer->state == DUCT_PEER_OUT || peer->state == DUCT_PEER_REFUSED;
	spin_unlock_irq(&peer->region->lock);
	return left;
}

/* Owner: the peer to this device, which is not offered again; or NULL. */
static struct duct_region_peer *duct_region_find_peer(struct duct_region_core *region,
						      const struct duct_device *dd)
{
	struct duct_region_peer *peer, *found = NULL;

	spin_lock_irq(&region->lock);
	list_for_each_entry(peer, &region->peers, node)
		if (peer->dd == dd && !peer->ending) {
			peer->ending = true;
			found = peer;
		}
	spin_unlock_irq(&region->lock);
	return found;
}

/**
 * duct_region_revoke() - take back what was offered to a device. [sleep]
 * @r: from duct_region_create()
 * @dd: the device
 *
 * Asks the peer to let go, and waits up to two seconds for that. down() was told when
 * this returns.
 *
 * Return: 0; -ETIMEDOUT: the peer did not let go: its pages stay allocated, and are
 * counted, until it does; -ENOENT: the region is not offered there; -EDEADLK: in a
 * callback of the region
 */
int duct_region_revoke(struct duct_region *r, struct duct_device *dd)
{
	struct duct_region_core *region = to_duct_region_core(r);
	struct duct_region_peer *peer;
	bool left;

	if (READ_ONCE(region->worker) == current)
		return -EDEADLK;
	peer = region->owner ? duct_region_find_peer(region, dd) : NULL;
	if (!peer)
		return -ENOENT;
	duct_region_peer_revoke(peer);
	left = wait_event_timeout(region->wait, duct_region_peer_has_left(peer),
				  DUCT_REGION_PATIENCE);
	duct_region_peer_end(peer);
	flush_work(&region->work);
	duct_region_del_peer(peer);
	return left ? 0 : -ETIMEDOUT;
}
EXPORT_SYMBOL_GPL(duct_region_revoke);

/**
 * duct_region_attach() - have a region of the other end mapped. [sleep]
 * @dd: the device, between probe() and remove()
 * @id: as the owner offers it, or will offer it
 * @ops: what to be told; up() says that &duct_region.addr is there
 * @priv: for &duct_region.priv
 *
 * Like duct_open(), it does not wait for the peer. When the owner takes the region back,
 * or the link goes, down() is told; when it is offered again, up() is. It takes up
 * the pages of the link's budget. The driver calls duct_region_put() before remove()
 * returns.
 *
 * Return: the region, until duct_region_put(); ERR_PTR(): -EINVAL for an @id that is
 * none; -EEXIST: it is attached by this device already; -ENOMEM
 */
struct duct_region *duct_region_attach(struct duct_device *dd, u32 id,
				       const struct duct_region_ops *ops, void *priv)
{
	struct duct_region_core *region;
	struct duct_region_peer *peer;
	int err;

	if (id >= DUCT_NUMBER_FRONT)
		return ERR_PTR(-EINVAL);
	region = duct_region_new(ops, priv);
	peer = region ? duct_region_peer_new(region, dd, false) : NULL;
	err = peer ? 0 : -ENOMEM;
	if (!err) {
		/* Its callbacks may come at once. */
		list_add(&peer->node, &region->peers);
		err = duct_region_peer_open(peer, id);
	}
	if (!err)
		return &region->pub;
	kfree(peer);
	if (region)
		duct_region_free(region);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(duct_region_attach);

/* Takes it back from all at once: a silent one costs two seconds, however many they are. */
static void duct_region_put_owner(struct duct_region_core *region)
{
	unsigned long end = jiffies + DUCT_REGION_PATIENCE;
	struct duct_region_peer *peer, *next;

	list_for_each_entry(peer, &region->peers, node)
		duct_region_peer_revoke(peer);
	list_for_each_entry_safe(peer, next, &region->peers, node) {
		long left = end - jiffies;

		wait_event_timeout(region->wait, duct_region_peer_has_left(peer), max(left, 0L));
		duct_region_peer_end(peer);
		duct_region_del_peer(peer);
	}
}

/**
 * duct_region_put() - the end of a region here. [sleep], not in its callbacks
 * @r: of duct_region_create() or duct_region_attach(); not used again; NULL and ERR_PTR()
 *     are fine
 *
 * No callback runs after this, and none is due: watches and registered lists are the
 * caller's again. The owner takes the region back from all peers, for up to two seconds;
 * who attached unmaps it, and the owner is told.
 */
void duct_region_put(struct duct_region *r)
{
	struct duct_region_core *region;
	struct duct_region_peer *peer;

	if (IS_ERR_OR_NULL(r))
		return;
	region = to_duct_region_core(r);
	spin_lock_irq(&region->lock);
	region->closing = true;
	spin_unlock_irq(&region->lock);
	cancel_work_sync(&region->work);
	if (region->owner) {
		duct_region_put_owner(region);
	} else {
		peer = duct_region_owner(region);
		spin_lock_irq(&region->lock);
		peer->gone = true;
		spin_unlock_irq(&region->lock);
		cancel_work_sync(&peer->work);
		/* Before the owner hears of the channel's end. */
		duct_region_peer_unmap(peer);
		duct_region_peer_end(peer);
		duct_region_del_peer(peer);
	}
	duct_sg_forget(region);
	duct_region_free(region);
}
EXPORT_SYMBOL_GPL(duct_region_put);
