// SPDX-License-Identifier: GPL-2.0
/*
 * One peer of a region: the messages between its owner and another domain. The owner
 * shares the pages anew for each binding of the channel, and the peer maps them; the
 * peer unmaps before the owner ends its access, and says so.
 *
 * All of it runs in the peer's work and in the channel's up() and down(), under
 * peer->mutex, and never calls a driver: see duct_region_work() for that.
 */
#include <linux/slab.h>

#include "chunk.h"
#include "region.h"

/* Room for the list of a transfer of 4 MiB in whole pages, or of 3 MiB in anything. */
#define DUCT_REGION_RING	16384u
#define DUCT_REGION_CALLS	8u

/* Queues the work, unless it is over. [any] */
void duct_region_peer_queue(struct duct_region_peer *peer)
{
	unsigned long irq;

	spin_lock_irqsave(&peer->region->lock, irq);
	if (!peer->gone)
		queue_work(duct_recv_wq, &peer->work);
	spin_unlock_irqrestore(&peer->region->lock, irq);
}

static struct duct_link *duct_region_peer_link(const struct duct_region_peer *peer)
{
	return to_duct_channel_core(peer->ch)->link;
}

/* ---- the memory ---- */

static int duct_region_peer_charge(struct duct_region_peer *peer, u32 pages)
{
	int err = duct_pages_charge(duct_region_peer_link(peer), pages);

	if (!err)
		peer->charged = pages;
	return err;
}

static void duct_region_peer_uncharge(struct duct_region_peer *peer)
{
	duct_pages_uncharge(duct_region_peer_link(peer), peer->charged);
	peer->charged = 0;
}

/* Owner: the lowest id that is free. region->lock is held. */
static void duct_region_peer_number(struct duct_region_peer *peer)
{
	peer->id = __ffs64(~peer->region->ids);
	peer->region->ids |= BIT_ULL(peer->id);
}

/* Owner: shares the region in a new binding. */
static void duct_region_peer_share(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;
	struct duct_link *link = duct_region_peer_link(peer);
	bool due;
	int err;

	lockdep_assert_held(&peer->mutex);
	spin_lock_irq(&region->lock);
	/* The driver is told of the last binding's end before its id is anybody's. */
	due = peer->serial && peer->state == DUCT_PEER_OUT && !peer->ending && !peer->told &&
	      !peer->id;
	if (due) {
		duct_region_peer_number(peer);
		peer->state = DUCT_PEER_OFFERED;
	}
	spin_unlock_irq(&region->lock);
	if (!due)
		return;
	err = duct_region_peer_charge(peer, region->pages);
	if (!err) {
		peer->share = link->memory->share(link->peer, region->page, region->pages,
						  peer->writable);
		if (IS_ERR(peer->share)) {
			err = PTR_ERR(peer->share);
			peer->share = NULL;
			duct_region_peer_uncharge(peer);
		}
	}
	peer->sent = 0;
	peer->offer++;
	spin_lock_irq(&region->lock);
	if (err) {
		peer->state = DUCT_PEER_REFUSED;
		peer->fail = true;
		peer->why = err;
	} else {
		peer->say = DUCT_SAY_OFFER;
	}
	spin_unlock_irq(&region->lock);
	if (err)
		duct_region_queue(region);
}

/* Owner: the peer's access ends. What it still maps the wire keeps. */
static void duct_region_peer_unshare(struct duct_region_peer *peer)
{
	lockdep_assert_held(&peer->mutex);
	if (!peer->share)
		return;
	duct_region_peer_link(peer)->memory->unshare(peer->share);
	peer->share = NULL;
	duct_region_peer_uncharge(peer);
}

static void duct_region_peer_drop_refs(struct duct_region_peer *peer)
{
	kvfree(peer->refs);
	peer->refs = NULL;
}

/* Attached: it is mapped, and the driver is about to be told. */
void duct_region_peer_begin_users(struct duct_region_peer *peer)
{
	duct_region_users_begin(peer->region->users, peer->mapping,
				duct_region_peer_link(peer)->memory,
				duct_region_pages(peer->size), peer->writable);
}

/* Attached: the driver does not use it any more, or was never told of it. */
void duct_region_peer_unmap(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;

	mutex_lock(&peer->mutex);
	/* What was to be let go of went with its epoch, and this is the next one's. */
	if (!region->closing && (peer->state == DUCT_PEER_OFFERED || peer->state == DUCT_PEER_IN))
		goto out;
	duct_region_users_end(region->users);
	if (peer->mapping)
		duct_region_peer_link(peer)->memory->unmap(peer->mapping);
	WRITE_ONCE(peer->mapping, NULL);
	duct_region_peer_drop_refs(peer);
	duct_region_peer_uncharge(peer);
	spin_lock_irq(&region->lock);
	if (peer->state == DUCT_PEER_LEAVING) {
		peer->state = DUCT_PEER_REFUSED;
		peer->say |= DUCT_SAY_RELEASED;
	}
	spin_unlock_irq(&region->lock);
out:
	mutex_unlock(&peer->mutex);
	duct_region_peer_queue(peer);
}

/* ---- sending ---- */

static int duct_region_peer_send(struct duct_region_peer *peer, const union duct_region_msg *msg)
{
	return duct_send(peer->ch, msg, duct_region_msg_len(msg->type), 0);
}

static int duct_region_peer_say_refs(struct duct_region_peer *peer)
{
	u32 pages = peer->region->pages;
	int err = 0;

	while (!err && peer->sent < pages) {
		u32 n = min(pages - peer->sent, DUCT_REGION_REFS_PER_MSG);
		union duct_region_msg msg = {
			.refs = {
				.type = DUCT_REGION_REFS,
				.offer = peer->offer,
				.first = peer->sent,
				.n = n,
			},
		};

		memcpy(msg.refs.refs, peer->share->refs + peer->sent, n * sizeof(u32));
		err = duct_region_peer_send(peer, &msg);
		if (!err)
			peer->sent += n;
	}
	return err;
}

static int duct_region_peer_say_state(struct duct_region_peer *peer, u32 type, u32 status)
{
	const union duct_region_msg msg = {
		.state = { .type = type, .offer = peer->offer, .status = status },
	};

	return duct_region_peer_send(peer, &msg);
}

/* Attached: first what is watched, so that no trigger is missed. */
static int duct_region_peer_say_attached(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;
	int err = peer->status ? 0 : duct_watches_say(peer);

	if (!err)
		err = duct_region_peer_say_state(peer, DUCT_REGION_ATTACHED, peer->status);
	if (err || peer->status)
		return err;
	spin_lock_irq(&region->lock);
	peer->state = DUCT_PEER_IN;
	spin_unlock_irq(&region->lock);
	duct_region_queue(region);
	return 0;
}

/* One thing that is due. Return: 0, or why not: -EAGAIN arms writable() */
static int duct_region_peer_say_one(struct duct_region_peer *peer, u32 what)
{
	const union duct_region_msg offer = {
		.offer = {
			.type = DUCT_REGION_OFFER,
			.offer = peer->offer,
			.peer = peer->id,
			.flags = peer->writable ? DUCT_REGION_WRITABLE : 0,
			.size = peer->size,
		},
	};
	const union duct_region_msg watched = { .point = peer->watched };

	switch (what) {
	case DUCT_SAY_OFFER:
		return duct_region_peer_send(peer, &offer);
	case DUCT_SAY_ATTACHED:
		return duct_region_peer_say_attached(peer);
	case DUCT_SAY_WATCHED:
		return duct_region_peer_send(peer, &watched);
	case DUCT_SAY_REVOKE:
		return duct_region_peer_say_state(peer, DUCT_REGION_REVOKE, 0);
	default:
		return duct_region_peer_say_state(peer, DUCT_REGION_RELEASED, 0);
	}
}

/* All that is due, as far as there is room. */
static void duct_region_peer_say(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;
	u32 what;

	lockdep_assert_held(&peer->mutex);
	for (what = DUCT_SAY_OFFER; what <= DUCT_SAY_WATCHED; what <<= 1) {
		if (!(READ_ONCE(peer->say) & what))
			continue;
		if (duct_region_peer_say_one(peer, what))
			return;
		spin_lock_irq(&region->lock);
		peer->say &= ~what;
		spin_unlock_irq(&region->lock);
	}
	if (region->owner && peer->state == DUCT_PEER_OFFERED && duct_region_peer_say_refs(peer))
		return;
	if (!region->owner && peer->state == DUCT_PEER_IN)
		duct_watches_say(peer);
	spin_lock_irq(&region->lock);
	duct_point_flush(peer);
	spin_unlock_irq(&region->lock);
}

/* ---- the owner reads ---- */

static const char *duct_region_peer_attached(struct duct_region_peer *peer,
					     const struct duct_region_state *msg)
{
	struct duct_region_core *region = peer->region;
	bool ok = msg->status == DUCT_REGION_OK;

	if (msg->offer != peer->offer || peer->state == DUCT_PEER_LEAVING)
		return NULL;
	/* Who refuses need not have seen all of its pages. */
	if (peer->state != DUCT_PEER_OFFERED || (ok && peer->sent < region->pages))
		return "a region attached that was not offered";
	if (!ok)
		duct_region_peer_unshare(peer);
	spin_lock_irq(&region->lock);
	peer->state = ok ? DUCT_PEER_IN : DUCT_PEER_REFUSED;
	peer->fail = !ok;
	peer->why = msg->status == DUCT_REGION_BUDGET ? -EDQUOT : -ENOMEM;
	spin_unlock_irq(&region->lock);
	duct_region_queue(region);
	return NULL;
}

static const char *duct_region_peer_released(struct duct_region_peer *peer,
					     const struct duct_region_state *msg)
{
	struct duct_region_core *region = peer->region;

	if (msg->offer != peer->offer)
		return NULL;
	if (peer->state != DUCT_PEER_LEAVING || peer->say & DUCT_SAY_REVOKE)
		return "a region released that was not revoked";
	duct_region_peer_unshare(peer);
	spin_lock_irq(&region->lock);
	peer->state = DUCT_PEER_REFUSED;
	peer->why = 0;
	spin_unlock_irq(&region->lock);
	wake_up_all(&region->wait);
	duct_region_queue(region);
	return NULL;
}

static const char *duct_region_peer_watch(struct duct_region_peer *peer,
					  const struct duct_region_point *msg)
{
	struct duct_region_core *region = peer->region;
	bool fits;

	spin_lock_irq(&region->lock);
	fits = duct_point_watch(peer, msg->off);
	peer->watched = *msg;
	peer->watched.type = DUCT_REGION_WATCHED;
	peer->watched.value = fits ? DUCT_REGION_OK : DUCT_REGION_BUDGET;
	peer->say |= DUCT_SAY_WATCHED;
	spin_unlock_irq(&region->lock);
	return NULL;
}

static const char *duct_region_peer_of_owner(struct duct_region_peer *peer,
					     const union duct_region_msg *msg)
{
	switch (msg->type) {
	case DUCT_REGION_ATTACHED:
		return duct_region_peer_attached(peer, &msg->state);
	case DUCT_REGION_RELEASED:
		return duct_region_peer_released(peer, &msg->state);
	case DUCT_REGION_WATCH:
		return duct_region_peer_watch(peer, &msg->point);
	default:
		spin_lock_irq(&peer->region->lock);
		duct_point_unwatch(peer, msg->point.off);
		spin_unlock_irq(&peer->region->lock);
		return NULL;
	}
}

/* ---- the other end reads ---- */

static void duct_region_peer_refuse(struct duct_region_peer *peer, u32 status, int err)
{
	struct duct_region_core *region = peer->region;

	duct_region_peer_drop_refs(peer);
	duct_region_peer_uncharge(peer);
	spin_lock_irq(&region->lock);
	peer->state = DUCT_PEER_REFUSED;
	peer->status = status;
	peer->say |= DUCT_SAY_ATTACHED;
	peer->fail = true;
	peer->why = err;
	spin_unlock_irq(&region->lock);
	duct_region_queue(region);
}

static const char *duct_region_peer_offered(struct duct_region_peer *peer,
					    const struct duct_region_offer *msg)
{
	struct duct_region_core *region = peer->region;
	u32 pages = duct_region_pages(msg->size);
	int err;

	if (peer->state != DUCT_PEER_OUT)
		return "a region offered twice";
	peer->offer = msg->offer;
	peer->writable = msg->flags & DUCT_REGION_WRITABLE;
	peer->filled = 0;
	err = duct_region_peer_charge(peer, pages);
	if (!err) {
		peer->refs = kvmalloc_array(pages, sizeof(u32), GFP_KERNEL);
		err = peer->refs ? 0 : -ENOMEM;
	}
	spin_lock_irq(&region->lock);
	peer->id = msg->peer;
	peer->size = msg->size;
	peer->status = DUCT_REGION_OK;
	peer->state = DUCT_PEER_OFFERED;
	spin_unlock_irq(&region->lock);
	if (err)
		duct_region_peer_refuse(peer, err == -EDQUOT ? DUCT_REGION_BUDGET :
					DUCT_REGION_MEMORY, err);
	return NULL;
}

/* All pages are known. */
static void duct_region_peer_map(struct duct_region_peer *peer)
{
	struct duct_link *link = duct_region_peer_link(peer);
	struct duct_region_core *region = peer->region;
	struct duct_mapping *mapping;

	mapping = link->memory->map(link->peer, peer->refs, peer->filled, peer->writable);
	if (IS_ERR(mapping)) {
		if (duct_link_may_log(link))
			dev_err(&peer->dd->dev, "a region of dom%u, %u pages, cannot be mapped: %ld\n",
				link->peer, peer->filled, PTR_ERR(mapping));
		duct_region_peer_refuse(peer, DUCT_REGION_MEMORY, -ENOMEM);
		return;
	}
	duct_region_peer_drop_refs(peer);
	WRITE_ONCE(peer->mapping, mapping);
	spin_lock_irq(&region->lock);
	peer->say |= DUCT_SAY_ATTACHED;
	spin_unlock_irq(&region->lock);
}

static const char *duct_region_peer_refs(struct duct_region_peer *peer,
					 const struct duct_region_refs *msg)
{
	u32 pages = duct_region_pages(peer->size);

	if (msg->offer != peer->offer || peer->state == DUCT_PEER_REFUSED)
		return NULL;
	if (peer->state != DUCT_PEER_OFFERED || !peer->refs || msg->first != peer->filled ||
	    msg->n != min(pages - peer->filled, DUCT_REGION_REFS_PER_MSG))
		return "pages of a region out of order";
	memcpy(peer->refs + peer->filled, msg->refs, msg->n * sizeof(u32));
	peer->filled += msg->n;
	if (peer->filled == pages)
		duct_region_peer_map(peer);
	return NULL;
}

static const char *duct_region_peer_revoked(struct duct_region_peer *peer,
					    const struct duct_region_state *msg)
{
	struct duct_region_core *region = peer->region;

	if (msg->offer != peer->offer)
		return NULL;
	if (peer->state == DUCT_PEER_OUT || peer->state == DUCT_PEER_LEAVING)
		return "a region revoked that was not offered";
	spin_lock_irq(&region->lock);
	peer->state = DUCT_PEER_LEAVING;
	peer->say &= ~DUCT_SAY_ATTACHED;
	peer->why = 0;
	spin_unlock_irq(&region->lock);
	duct_region_queue(region);
	return NULL;
}

static const char *duct_region_peer_of_attached(struct duct_region_peer *peer,
						const union duct_region_msg *msg)
{
	switch (msg->type) {
	case DUCT_REGION_OFFER:
		return duct_region_peer_offered(peer, &msg->offer);
	case DUCT_REGION_REFS:
		return duct_region_peer_refs(peer, &msg->refs);
	case DUCT_REGION_REVOKE:
		return duct_region_peer_revoked(peer, &msg->state);
	default:
		duct_watch_known(peer->region, &msg->point);
		return NULL;
	}
}

/* ---- the end of a binding ---- */

/* Nothing of the peer's counts any more. */
static void duct_region_peer_reset(struct duct_region_peer *peer, int why)
{
	struct duct_region_core *region = peer->region;

	lockdep_assert_held(&peer->mutex);
	duct_region_peer_unshare(peer);
	if (!peer->mapping) {
		duct_region_peer_drop_refs(peer);
		duct_region_peer_uncharge(peer);
	}
	spin_lock_irq(&region->lock);
	peer->serial = 0;
	peer->state = DUCT_PEER_OUT;
	peer->say = 0;
	if (!peer->fail)
		peer->why = why;
	duct_watches_forget(peer);
	spin_unlock_irq(&region->lock);
	wake_up_all(&region->wait);
	duct_region_queue(region);
}

/* ---- reading ---- */

static const char *duct_region_peer_handle(struct duct_region_peer *peer,
					   const union duct_region_msg *msg, u32 len)
{
	bool owner = peer->region->owner;
	const char *why = duct_region_msg_check(msg, len, !owner);

	if (why)
		return why;
	if (msg->type >= DUCT_REGION_WATCH && msg->point.off >= peer->size)
		return "an offset outside the region";
	if (msg->type == DUCT_REGION_TRIGGER) {
		duct_region_triggered(peer, msg->point.off, msg->point.value);
		return NULL;
	}
	return owner ? duct_region_peer_of_owner(peer, msg) :
		       duct_region_peer_of_attached(peer, msg);
}

/* Whether the next message has to wait for what is done here, or in the region's work. */
static bool duct_region_peer_busy(const struct duct_region_peer *peer)
{
	if (peer->region->owner)
		return peer->say & DUCT_SAY_WATCHED;
	return peer->mapping ? peer->state != DUCT_PEER_IN : peer->state == DUCT_PEER_LEAVING;
}

/* One message. Return: 0, or why there is none now */
static int duct_region_peer_take(struct duct_region_peer *peer)
{
	union duct_region_msg in = {};
	const char *why = NULL;
	struct duct_msg msg;
	u32 len;
	int err;

	if (!peer->serial || duct_region_peer_busy(peer))
		return -EAGAIN;
	err = duct_next(peer->ch, &msg);
	/* It was asked to let go, and its end is gone: down() waits for the driver's remove(). */
	if (err && err != -EAGAIN && peer->state == DUCT_PEER_LEAVING && peer->region->owner)
		duct_region_peer_reset(peer, 0);
	if (err)
		return err;
	/* Of a binding that up() has not told of yet, which will run this again. */
	if (msg.serial != peer->serial)
		return -EAGAIN;
	len = msg.len;
	if (msg.request)
		duct_sg_receive(peer, &msg);
	else if (len > sizeof(in))
		why = "a region's message that is too long";
	else if (!duct_read(&msg, &in, len))
		why = duct_region_peer_handle(peer, &in, len);
	if (why)
		duct_msg_fault(&msg, why);
	duct_release(&msg);
	return 0;
}

static void duct_region_peer_work(struct work_struct *work)
{
	struct duct_region_peer *peer = container_of(work, struct duct_region_peer, work);
	u32 budget = DUCT_BUDGET;
	bool held;
	int err;

	mutex_lock(&peer->mutex);
	if (peer->region->owner)
		duct_region_peer_share(peer);
	do {
		duct_region_peer_say(peer);
		err = duct_region_peer_take(peer);
	} while (!err && --budget);
	held = duct_region_peer_busy(peer);
	duct_region_peer_say(peer);
	/* More to read, or what kept us from it went out just now. */
	if (held && !duct_region_peer_busy(peer))
		err = 0;
	mutex_unlock(&peer->mutex);
	if (!err)
		duct_region_peer_queue(peer);
}

/* ---- the channel ---- */

static void duct_region_peer_ready(struct duct_channel *ch)
{
	duct_region_peer_queue(ch->priv);
}

static void duct_region_peer_up(struct duct_channel *ch)
{
	struct duct_region_peer *peer = ch->priv;

	spin_lock_irq(&peer->region->lock);
	peer->serial = to_duct_channel_core(ch)->told;
	spin_unlock_irq(&peer->region->lock);
	duct_region_peer_queue(peer);
}

static void duct_region_peer_down(struct duct_channel *ch, int why)
{
	struct duct_region_peer *peer = ch->priv;

	mutex_lock(&peer->mutex);
	/* A peer that has closed its end, or was asked to, has let go in good order. */
	duct_region_peer_reset(peer, why == -EPIPE || peer->state == DUCT_PEER_LEAVING ? 0 : why);
	mutex_unlock(&peer->mutex);
}

static const struct duct_channel_ops duct_region_peer_ops = {
	.up = duct_region_peer_up,
	.down = duct_region_peer_down,
	.ready = duct_region_peer_ready,
	.writable = duct_region_peer_ready,
};

/* ---- life ---- */

/* [sleep] Return: the peer, not on any list yet; NULL: no memory */
struct duct_region_peer *duct_region_peer_new(struct duct_region_core *region,
					      struct duct_device *dd, bool writable)
{
	struct duct_region_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL);

	if (!peer)
		return NULL;
	peer->region = region;
	peer->dd = dd;
	peer->writable = writable;
	peer->size = region->pub.size;
	mutex_init(&peer->mutex);
	INIT_WORK(&peer->work, duct_region_peer_work);
	duct_sg_init(peer);
	return peer;
}

/* [sleep] Return: 0 or what duct_channel_open() says */
int duct_region_peer_open(struct duct_region_peer *peer, u32 id)
{
	struct duct_link *link = to_duct_device_core(peer->dd)->service->link;
	struct duct_channel_config cfg = {
		.ops = &duct_region_peer_ops,
		.priv = peer,
		.max_msg = sizeof(union duct_region_msg),
		.tx_bytes = DUCT_REGION_RING,
		.rx_bytes = DUCT_REGION_RING,
		.max_calls = DUCT_REGION_CALLS,
		.max_answer = sizeof(struct duct_region_moved),
	};

	u32 number = DUCT_NUMBER_REGION | id;

	/* Each end numbers its own. */
	if (duct_link_is_front(link) == peer->region->owner)
		number |= DUCT_NUMBER_FRONT;
	return duct_channel_open(peer->dd, number, &cfg, &peer->ch);
}

/* Owner: asks the peer to let go. */
void duct_region_peer_revoke(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;

	mutex_lock(&peer->mutex);
	spin_lock_irq(&region->lock);
	peer->ending = true;
	if (peer->state == DUCT_PEER_OFFERED || peer->state == DUCT_PEER_IN) {
		peer->state = DUCT_PEER_LEAVING;
		peer->say |= DUCT_SAY_REVOKE;
	}
	spin_unlock_irq(&region->lock);
	mutex_unlock(&peer->mutex);
	duct_region_peer_queue(peer);
}

/*
 * The channel's end: nothing of the peer runs after this, and nothing is shared with it.
 * Its own end follows with duct_close(). [sleep]
 */
void duct_region_peer_end(struct duct_region_peer *peer)
{
	struct duct_region_core *region = peer->region;

	spin_lock_irq(&region->lock);
	peer->gone = true;
	spin_unlock_irq(&region->lock);
	duct_stop(peer->ch);
	cancel_work_sync(&peer->work);
	mutex_lock(&peer->mutex);
	if (peer->state != DUCT_PEER_OUT)
		duct_region_peer_reset(peer, peer->share ? -ETIMEDOUT : 0);
	mutex_unlock(&peer->mutex);
}
