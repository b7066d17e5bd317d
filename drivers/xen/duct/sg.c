// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers between registered lists of a region's domains. A transfer is a call with
 * memory lent, on the channel with the owner; between two other domains the owner copies
 * what goes from one to the other, one list of each peer at a time.
 */
#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uio.h>

#include "region.h"

#define DUCT_SG_PIECES	1024u

/* How long a transfer may take; and its part from the owner on. */
#define DUCT_SG_WAIT	(5 * HZ)
#define DUCT_SG_RELAY	(2 * HZ)

/* duct_sg.state */
enum {
	DUCT_SG_FREE,
	DUCT_SG_REGISTERED,
	DUCT_SG_COPYING,	/* on no list */
	DUCT_SG_MOVED,		/* done() is due */
};

/* ---- lists ---- */

struct duct_span {
	u64 at;
	u64 end;
};

static int duct_span_cmp(const void *a, const void *b)
{
	const struct duct_span *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* Whether no byte is in a list twice. Return: 0, -EINVAL, -ENOMEM */
static int duct_sg_check_overlap(struct scatterlist *list, unsigned int nents)
{
	struct duct_span *span = kvmalloc_array(nents, sizeof(*span), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;
	int err = 0;

	if (!span)
		return -ENOMEM;
	for_each_sg(list, sg, nents, i) {
		span[i].at = sg_phys(sg);
		span[i].end = sg_phys(sg) + sg->length;
	}
	sort(span, nents, sizeof(*span), duct_span_cmp, NULL);
	for (i = 1; i < nents && !err; i++)
		if (span[i].at < span[i - 1].end)
			err = -EINVAL;
	kvfree(span);
	return err;
}

static u64 duct_sg_bytes(struct scatterlist *list, unsigned int nents)
{
	struct scatterlist *sg;
	unsigned int i;
	u64 bytes = 0;

	for_each_sg(list, sg, nents, i)
		bytes += sg->length;
	return bytes;
}

/* Return: 0; -EINVAL, -EMSGSIZE, -ENOMEM */
static int duct_sg_check(struct scatterlist *list, unsigned int nents, enum dma_data_direction dir)
{
	struct scatterlist *sg;
	unsigned int i;

	if (!nents || (dir != DMA_TO_DEVICE && dir != DMA_FROM_DEVICE))
		return -EINVAL;
	if (nents > DUCT_SG_PIECES)
		return -EMSGSIZE;
	for_each_sg(list, sg, nents, i)
		if (!sg->length)
			return -EINVAL;
	if (duct_sg_bytes(list, nents) > DUCT_BULK_BYTES_MAX)
		return -EMSGSIZE;
	/* What is written must have one place for each byte. */
	return dir == DMA_FROM_DEVICE ? duct_sg_check_overlap(list, nents) : 0;
}

static struct bio_vec *duct_sg_bvec(struct scatterlist *list, unsigned int nents)
{
	struct bio_vec *bv = kvmalloc_array(nents, sizeof(*bv), GFP_KERNEL);
	struct scatterlist *sg;
	unsigned int i;

	if (!bv)
		return NULL;
	for_each_sg(list, sg, nents, i) {
		bv[i].bv_page = sg_page(sg);
		bv[i].bv_offset = sg->offset;
		bv[i].bv_len = sg->length;
	}
	return bv;
}

/* ---- what is registered here ---- */

static struct duct_sg *duct_sg_take(struct duct_region_core *region, enum dma_data_direction dir)
{
	struct duct_sg *s, *found = NULL;

	spin_lock_irq(&region->lock);
	list_for_each_entry(s, &region->lists, node)
		if (s->dir == dir) {
			found = s;
			break;
		}
	if (found) {
		list_del(&found->node);
		found->state = DUCT_SG_COPYING;
	}
	spin_unlock_irq(&region->lock);
	return found;
}

/* The copying has ended: @moved bytes, or an error: then it is the oldest again. */
static void duct_sg_taken(struct duct_region_core *region, struct duct_sg *s, ssize_t moved)
{
	spin_lock_irq(&region->lock);
	if (moved < 0) {
		s->state = DUCT_SG_REGISTERED;
		list_add(&s->node, &region->lists);
	} else {
		s->len = moved;
		s->state = DUCT_SG_MOVED;
		list_add_tail(&s->node, &region->moved);
	}
	spin_unlock_irq(&region->lock);
	wake_up_all(&region->wait);
	if (moved >= 0)
		duct_region_queue(region);
}

/* A transfer that is for us. */
static struct duct_region_moved duct_sg_move(struct duct_region_core *region,
					     struct duct_request *req)
{
	bool write = req->dir == DMA_TO_DEVICE;
	struct duct_sg *s = duct_sg_take(region, write ? DMA_FROM_DEVICE : DMA_TO_DEVICE);
	struct iov_iter it;
	struct bio_vec *bv;
	ssize_t moved;

	if (!s)
		return (struct duct_region_moved){ .status = DUCT_REGION_NONE };
	bv = duct_sg_bvec(s->sg, s->nents);
	moved = bv ? 0 : -ENOMEM;
	if (bv) {
		iov_iter_bvec(&it, write ? ITER_DEST : ITER_SOURCE, bv, s->nents,
			      duct_sg_bytes(s->sg, s->nents));
		moved = duct_bulk_copy(req, 0, &it);
	}
	duct_sg_taken(region, s, moved);
	kvfree(bv);
	if (moved < 0)
		return (struct duct_region_moved){
			.status = moved == -ENOMEM ? DUCT_REGION_MEMORY : DUCT_REGION_BROKEN,
		};
	return (struct duct_region_moved){ .bytes = moved };
}

/* Calls done() of one list. Return: false: none is due */
bool duct_sg_tell(struct duct_region_core *region)
{
	struct duct_sg *s;

	spin_lock_irq(&region->lock);
	s = list_first_entry_or_null(&region->moved, struct duct_sg, node);
	if (s) {
		list_del(&s->node);
		s->state = DUCT_SG_FREE;
		region->moving = s;
	}
	spin_unlock_irq(&region->lock);
	if (!s)
		return false;
	/* The driver may free it, or register it again. */
	s->done(s, s->len);
	spin_lock_irq(&region->lock);
	region->moving = NULL;
	spin_unlock_irq(&region->lock);
	wake_up_all(&region->wait);
	return true;
}

/**
 * duct_sg_register() - a list that other domains of a region may transfer to or from. [sleep]
 * @r: the region
 * @s: done, sg, nents and dir filled in, the rest zero; the core's until done() has been
 *     called, or duct_sg_unregister() or duct_region_put() has returned
 *
 * A transfer uses the oldest that is registered for its direction, and consumes it.
 * Also in callbacks of the region.
 *
 * Return: 0: done() is called once, unless it is unregistered; -EINVAL: no done, no or
 * empty pieces, no direction, or pieces to be written that overlap; -EMSGSIZE: more than
 * 4 MiB or 1024 pieces; -EBUSY: it is registered; -ENOMEM
 */
int duct_sg_register(struct duct_region *r, struct duct_sg *s)
{
	struct duct_region_core *region = to_duct_region_core(r);
	int err = s->done ? duct_sg_check(s->sg, s->nents, s->dir) : -EINVAL;

	if (err)
		return err;
	spin_lock_irq(&region->lock);
	if (s->state == DUCT_SG_FREE) {
		s->state = DUCT_SG_REGISTERED;
		list_add_tail(&s->node, &region->lists);
	} else {
		err = -EBUSY;
	}
	spin_unlock_irq(&region->lock);
	return err;
}
EXPORT_SYMBOL_GPL(duct_sg_register);

/* Takes it back if nobody uses it. Return: 0; -ENOENT: it was consumed; -EBUSY: not yet */
static int duct_sg_try_unregister(struct duct_region_core *region, struct duct_sg *s)
{
	int err = -EBUSY;

	spin_lock_irq(&region->lock);
	if (s->state == DUCT_SG_REGISTERED) {
		list_del(&s->node);
		s->state = DUCT_SG_FREE;
		err = 0;
	} else if (s->state == DUCT_SG_FREE && region->moving != s) {
		err = -ENOENT;
	}
	spin_unlock_irq(&region->lock);
	return err;
}

/**
 * duct_sg_unregister() - the reverse of duct_sg_register(). [sleep]
 * @r: the region
 * @s: the list
 *
 * Waits for a transfer that uses it, and for its done().
 *
 * Return: 0: done() was not and will not be called; -ENOENT: a transfer has consumed it,
 * and done() has returned; -EBUSY: in a callback of the region, and done() is yet to be
 * called
 */
int duct_sg_unregister(struct duct_region *r, struct duct_sg *s)
{
	struct duct_region_core *region = to_duct_region_core(r);
	int err;

	if (READ_ONCE(region->worker) == current)
		return duct_sg_try_unregister(region, s);
	wait_event(region->wait, (err = duct_sg_try_unregister(region, s)) != -EBUSY);
	return err;
}
EXPORT_SYMBOL_GPL(duct_sg_unregister);

/* The region ends, and nothing of it runs any more: what is registered is the driver's. */
void duct_sg_forget(struct duct_region_core *region)
{
	struct duct_sg *s;

	list_splice(&region->moved, &region->lists);
	list_for_each_entry(s, &region->lists, node)
		s->state = DUCT_SG_FREE;
}

/* ---- asking ---- */

/* Return: bytes, or -errno */
static ssize_t duct_sg_ask(struct duct_region_peer *peer, u32 id, struct duct_call *lent)
{
	const struct duct_region_xfer req = { .peer = id };
	struct duct_region_moved moved;
	ssize_t len = duct_call_lend(peer->ch, lent, &req, sizeof(req), &moved, sizeof(moved));

	if (len < 0)
		return len;
	return duct_region_msg_moved(&moved, len, duct_sg_bytes(lent->sg, lent->nents));
}

/**
 * duct_sg_xfer() - transfer to or from a list that a peer has registered. [sleep]
 * @r: the region
 * @id: the peer: any other domain that has the region; 0 is its owner
 * @sg: pieces here, not DMA-mapped, up to 4 MiB in all; 3 MiB if they are no whole pages
 * @nents: of @sg
 * @dir: DMA_TO_DEVICE: to the peer; DMA_FROM_DEVICE: from it; what is behind the bytes
 *       moved stays as it was
 *
 * Moves as many bytes as the shorter list has, and consumes the peer's: the oldest that
 * it registered for this direction. Also in callbacks of the region.
 *
 * Return: bytes moved; -ENOBUFS: nothing is registered there; -ENOENT: no peer has this
 * id now; -EINVAL: the own id, no or empty pieces, or pieces to be written that overlap;
 * -EMSGSIZE: more than that, or than 1024 pieces; -ENOTCONN: attached, and not up;
 * -ETIMEDOUT: no answer within five seconds; -EIO: the peer, or the owner between two
 * peers, could not copy; -EPROTO: it says that it has moved more than there is;
 * -ERESTARTSYS; or another errno of duct_call_async()
 */
ssize_t duct_sg_xfer(struct duct_region *r, unsigned int id, struct scatterlist *sg,
		     unsigned int nents, enum dma_data_direction dir)
{
	struct duct_region_core *region = to_duct_region_core(r);
	struct duct_call lent = { .sg = sg, .nents = nents, .dir = dir, .timeout = DUCT_SG_WAIT };
	struct duct_region_peer *peer;
	ssize_t moved = duct_sg_check(sg, nents, dir);

	if (moved)
		return moved;
	if (id >= DUCT_REGION_PEERS)
		return -ENOENT;
	peer = duct_region_get_peer(region, id);
	if (!peer)
		return region->owner && id ? -ENOENT : region->owner ? -EINVAL : -ENOTCONN;
	if (!region->owner && id == peer->id)
		moved = -EINVAL;
	else
		moved = duct_sg_ask(peer, id, &lent);
	duct_region_put_peer(peer);
	return moved;
}
EXPORT_SYMBOL_GPL(duct_sg_xfer);

/* ---- between two peers ---- */

/**
 * struct duct_relay - a transfer of one peer to another
 * @node: on peer->relays
 * @req: the one's
 * @id: the other
 */
struct duct_relay {
	struct list_head node;
	struct duct_request *req;
	u32 id;
};

static void duct_relay_free(struct scatterlist *sg, struct bio_vec *bv, u32 pages)
{
	while (bv && pages--)
		if (bv[pages].bv_page)
			__free_page(bv[pages].bv_page);
	kvfree(bv);
	kvfree(sg);
}

/* Pages for @bytes, as both kinds of list. Return: 0 or -ENOMEM */
static int duct_relay_pages(u32 bytes, struct scatterlist **sg, struct bio_vec **bv)
{
	u32 pages = DIV_ROUND_UP(bytes, PAGE_SIZE), i;

	*sg = kvmalloc_array(pages, sizeof(**sg), GFP_KERNEL);
	*bv = kvcalloc(pages, sizeof(**bv), GFP_KERNEL);
	if (!*sg || !*bv)
		goto err;
	sg_init_table(*sg, pages);
	for (i = 0; i < pages; i++) {
		/* Zeroed: the target could see what it does not write over. */
		(*bv)[i].bv_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!(*bv)[i].bv_page)
			goto err;
		(*bv)[i].bv_len = min_t(u32, PAGE_SIZE, bytes - i * PAGE_SIZE);
		sg_set_page(&(*sg)[i], (*bv)[i].bv_page, (*bv)[i].bv_len, 0);
	}
	return 0;
err:
	duct_relay_free(*sg, *bv, *bv ? pages : 0);
	return -ENOMEM;
}

/* Return: bytes, or -errno */
static ssize_t duct_relay_move(struct duct_region_peer *to, const struct duct_relay *relay)
{
	struct duct_request *req = relay->req;
	bool write = req->dir == DMA_TO_DEVICE;
	u32 pages = DIV_ROUND_UP(req->bulk_len, PAGE_SIZE);
	struct duct_call lent = { .nents = pages, .dir = req->dir, .timeout = DUCT_SG_RELAY };
	struct iov_iter it;
	struct bio_vec *bv;
	ssize_t moved;

	moved = duct_relay_pages(req->bulk_len, &lent.sg, &bv);
	if (moved)
		return moved;
	iov_iter_bvec(&it, write ? ITER_DEST : ITER_SOURCE, bv, pages, req->bulk_len);
	if (write)
		moved = duct_bulk_copy(req, 0, &it);
	if (moved >= 0)
		moved = duct_sg_ask(to, relay->id, &lent);
	if (moved > 0 && !write) {
		iov_iter_truncate(&it, moved);
		moved = duct_bulk_copy(req, 0, &it);
	}
	duct_relay_free(lent.sg, bv, pages);
	return moved;
}

static void duct_relay_run(struct duct_region_peer *from, struct duct_relay *relay)
{
	struct duct_region_moved answer = { .status = DUCT_REGION_NOBODY };
	struct duct_region_peer *to;
	ssize_t moved;

	to = READ_ONCE(from->gone) ? NULL : duct_region_get_peer(from->region, relay->id);
	if (to) {
		moved = duct_relay_move(to, relay);
		duct_region_put_peer(to);
		if (moved >= 0)
			answer = (struct duct_region_moved){ .bytes = moved };
		else if (moved == -ENOBUFS)
			answer.status = DUCT_REGION_NONE;
		else if (moved == -ENOMEM)
			answer.status = DUCT_REGION_MEMORY;
		else if (moved != -ENOENT)
			answer.status = DUCT_REGION_BROKEN;
	}
	duct_reply(relay->req, &answer, sizeof(answer));
	kfree(relay);
}

static void duct_relay_work(struct work_struct *work)
{
	struct duct_region_peer *from = container_of(work, struct duct_region_peer, relay);
	struct duct_region_core *region = from->region;
	struct duct_relay *relay;

	do {
		spin_lock_irq(&region->lock);
		relay = list_first_entry_or_null(&from->relays, struct duct_relay, node);
		if (relay)
			list_del(&relay->node);
		spin_unlock_irq(&region->lock);
		if (relay)
			duct_relay_run(from, relay);
	} while (relay);
}

void duct_sg_init(struct duct_region_peer *peer)
{
	INIT_LIST_HEAD(&peer->relays);
	INIT_WORK(&peer->relay, duct_relay_work);
}

/* Return: 0 or -ENOMEM */
static int duct_relay_queue(struct duct_region_peer *peer, struct duct_request *req, u32 id)
{
	struct duct_relay *relay = kmalloc(sizeof(*relay), GFP_KERNEL);

	if (!relay)
		return -ENOMEM;
	relay->req = req;
	relay->id = id;
	spin_lock_irq(&peer->region->lock);
	list_add_tail(&relay->node, &peer->relays);
	spin_unlock_irq(&peer->region->lock);
	queue_work(duct_recv_wq, &peer->relay);
	return 0;
}

/* ---- being asked ---- */

/* A transfer came: for us, or, to the owner, for another. peer->mutex is held. */
void duct_sg_receive(struct duct_region_peer *peer, struct duct_msg *msg)
{
	struct duct_region_moved answer = { .status = DUCT_REGION_NOBODY };
	struct duct_region_core *region = peer->region;
	u32 self = region->owner ? 0 : peer->id;
	struct duct_request *req = msg->request;
	struct duct_region_xfer ask = {};
	bool in = peer->state == DUCT_PEER_IN;
	const char *why = NULL;
	u32 len = msg->len;

	/* What is of another length is wrong, whatever it says. */
	if (len == sizeof(ask) && duct_read(msg, &ask, sizeof(ask)))
		in = false;
	else
		why = duct_region_msg_check_xfer(&ask, len, req->bulk_len);
	if (why) {
		duct_msg_fault(msg, why);
		in = false;
	}
	if (in && ask.peer == self) {
		answer = duct_sg_move(region, req);
	} else if (in && region->owner && ask.peer != peer->id) {
		if (!duct_relay_queue(peer, req, ask.peer))
			return;
		answer.status = DUCT_REGION_MEMORY;
	}
	duct_reply(req, &answer, sizeof(answer));
}
