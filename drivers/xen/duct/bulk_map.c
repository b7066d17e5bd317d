// SPDX-License-Identifier: GPL-2.0
/*
 * Bulk in pages: for a server that passes on what a caller lent. The caller's whole
 * pages are mapped if it allows that and if it pays; everything else is copied into
 * pages of ours.
 *
 * What was mapped outlives the binding of its call, and even the link's wire: it is
 * let go when the server replies, always before the answer goes out.
 */
#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>

#include "core.h"

static uint duct_map_least = DUCT_MAP_PAGES;
module_param_named(map_pages, duct_map_least, uint, 0600);
MODULE_PARM_DESC(map_pages, "whole pages from which on memory lent is mapped, not copied");

/**
 * struct duct_bulk_pages - all that was lent, in pages
 * @req: whose
 * @work: gives it back, and replies
 * @memory: that @whole is from
 * @whole: the caller's whole pages, mapped; NULL: they are copied, too
 * @own: pages of ours for the rest, filled one behind the other
 * @owned: of @own
 * @bv: the pieces, in order
 * @n: of @bv
 * @batch: for copying the rest; NULL: there is none
 * @len: of @rsp
 * @fits: the reply is not too long
 * @rsp: the reply, while @work is on its way
 */
struct duct_bulk_pages {
	struct duct_request_core *req;
	struct work_struct work;
	const struct duct_memory_ops *memory;
	struct duct_pages *whole;
	struct page **own;
	u32 owned;
	struct bio_vec *bv;
	u32 n;
	struct duct_copy_batch *batch;
	u32 len;
	bool fits;
	u8 rsp[];
};

/* ---- mapping ---- */

/* Fills @refs, if it is there. Return: whole pages of a list */
static u32 duct_map_count(const struct duct_bulk_in *bulk, u32 *refs)
{
	struct duct_segs segs = duct_bulk_segs(bulk);
	struct duct_seg seg;
	u32 n = 0;

	while (duct_segs_next(&segs, &seg)) {
		if (!duct_seg_whole(&seg))
			continue;
		if (refs)
			refs[n] = seg.ref;
		n++;
	}
	return n;
}

static bool duct_map_pays(const struct duct_bulk_in *bulk, u32 n)
{
	return n && bulk->head.flags & DUCT_BULK_MAP && n >= READ_ONCE(duct_map_least);
}

/*
 * It sleeps, so RCU does not do: link->mapping says to who lets go of the binding
 * that no mapping is about to begin. Return: the pages or ERR_PTR()
 */
static struct duct_pages *duct_map_begin(struct duct_request_core *req, const u32 *refs, u32 n)
{
	struct duct_channel_core *ch = to_duct_channel_core(req->pub.ch);
	struct duct_pages *pages = ERR_PTR(-ECONNRESET);
	struct duct_link *link = ch->link;
	int idx = srcu_read_lock(&link->mapping);

	if (duct_bulk_bound(req)) {
		pages = link->memory->map_pages(link->peer, refs, n,
						req->bulk->head.flags & DUCT_BULK_WRITE);
		atomic64_inc(&ch->stats.in_maps);
	}
	srcu_read_unlock(&link->mapping, idx);
	return pages;
}

/* If it may be, and pays. Return: 0, then all whole pages are mapped or none is; -errno */
static int duct_map_whole(struct duct_bulk_pages *map)
{
	struct duct_link *link = to_duct_channel_core(map->req->pub.ch)->link;
	u32 n = duct_map_count(map->req->bulk, NULL), *refs;
	struct duct_pages *pages = ERR_PTR(-ENOSPC);

	if (!duct_map_pays(map->req->bulk, n))
		return 0;
	refs = kvmalloc_array(n, sizeof(*refs), GFP_KERNEL);
	if (!refs)
		return -ENOMEM;
	duct_map_count(map->req->bulk, refs);
	if (atomic_add_return(n, &link->mapped) <= DUCT_MAPPED_MAX)
		pages = duct_map_begin(map->req, refs, n);
	kvfree(refs);
	if (!IS_ERR(pages)) {
		map->memory = link->memory;
		map->whole = pages;
		return 0;
	}
	atomic_sub(n, &link->mapped);
	/* What is lacking here is no reason to fail: it can be copied. */
	return PTR_ERR(pages) == -ENOMEM || PTR_ERR(pages) == -ENOSPC ? 0 : PTR_ERR(pages);
}

/* ---- pages of ours ---- */

/* For @bytes; cleared where the driver writes, and may leave something out. */
static int duct_map_own(struct duct_bulk_pages *map, u32 bytes)
{
	bool clear = map->req->pub.dir == DMA_FROM_DEVICE;
	u32 n = DIV_ROUND_UP(bytes, PAGE_SIZE);

	if (!n)
		return 0;
	map->batch = kmalloc(sizeof(*map->batch), GFP_KERNEL);
	map->own = kvmalloc_array(n, sizeof(*map->own), GFP_KERNEL);
	if (!map->batch || !map->own)
		return -ENOMEM;
	for (; map->owned < n; map->owned++) {
		map->own[map->owned] = alloc_page(GFP_KERNEL | (clear ? __GFP_ZERO : 0));
		if (!map->own[map->owned])
			return -ENOMEM;
	}
	return 0;
}

/* The next @len bytes are ours, from @pos of them on. */
static void duct_map_lay(struct duct_bulk_pages *map, u32 pos, u32 len)
{
	while (len) {
		u32 offset = pos % PAGE_SIZE, n = min_t(u32, len, PAGE_SIZE - offset);
		struct page *page = map->own[pos / PAGE_SIZE];

		if (offset && map->bv[map->n - 1].bv_page == page)
			map->bv[map->n - 1].bv_len += n;
		else
			map->bv[map->n++] = (struct bio_vec) {
				.bv_page = page,
				.bv_offset = offset,
				.bv_len = n,
			};
		pos += n;
		len -= n;
	}
}

/* The pieces in order. Return: 0 or -ENOMEM */
static int duct_map_pieces(struct duct_bulk_pages *map)
{
	struct duct_segs segs = duct_bulk_segs(map->req->bulk);
	u32 mapped = map->whole ? map->whole->n : 0;
	u32 whole = 0, pos = 0;
	struct duct_seg seg;
	int err;

	err = duct_map_own(map, map->req->pub.bulk_len - mapped * PAGE_SIZE);
	if (err)
		return err;
	/* Each page of either kind, and a page of ours once more on each whole one in it. */
	map->bv = kvmalloc_array(2 * mapped + map->owned, sizeof(*map->bv), GFP_KERNEL);
	if (!map->bv)
		return -ENOMEM;
	while (duct_segs_next(&segs, &seg)) {
		if (map->whole && duct_seg_whole(&seg)) {
			map->bv[map->n++] = (struct bio_vec) {
				.bv_page = map->whole->page[whole++],
				.bv_len = PAGE_SIZE,
			};
			continue;
		}
		duct_map_lay(map, pos, seg.len);
		pos += seg.len;
	}
	return 0;
}

/* What is not mapped: from the caller, or to it. [sleep] Return: 0 or -errno */
static int duct_map_move(struct duct_bulk_pages *map)
{
	struct duct_move move = {
		.req = map->req,
		.batch = map->batch,
		.bv = map->bv,
		.parts = map->whole,
	};

	return map->owned ? duct_bulk_move(&move, 0, map->req->pub.bulk_len) : 0;
}

/* ---- the end ---- */

/* Nobody has what is in @map any more. [sleep] */
static void duct_map_let_go(struct duct_bulk_pages *map)
{
	struct duct_channel_core *ch = to_duct_channel_core(map->req->pub.ch);
	u32 i;

	if (map->whole) {
		atomic_sub(map->whole->n, &ch->link->mapped);
		map->memory->unmap_pages(map->whole);
		atomic64_inc(&ch->stats.in_maps);
	}
	for (i = 0; i < map->owned; i++)
		__free_page(map->own[i]);
	kvfree(map->own);
	kvfree(map->bv);
	kfree(map->batch);
}

/**
 * duct_bulk_unmap() - let go of what a caller lent, whose call is not answered yet. [sleep]
 * @map: freed; NULL is fine
 */
void duct_bulk_unmap(struct duct_bulk_pages *map)
{
	if (!map)
		return;
	duct_map_let_go(map);
	kvfree(map);
}

static void duct_bulk_map_work(struct work_struct *work)
{
	struct duct_bulk_pages *map = container_of(work, struct duct_bulk_pages, work);
	struct duct_request_core *req = map->req;
	int err = req->pub.dir == DMA_FROM_DEVICE ? duct_map_move(map) : 0;

	/* The answer says that nothing is mapped any more. */
	duct_map_let_go(map);
	/* A caller that cannot have what was written gets no answer that says so. */
	if (err)
		duct_request_finish(req, NULL, 0, false);
	else
		duct_request_finish(req, map->rsp, map->len, map->fits);
	kvfree(map);
}

static int duct_bulk_map_fill(struct duct_bulk_pages *map)
{
	int err = duct_map_whole(map) ?: duct_map_pieces(map);

	if (!err && map->req->pub.dir == DMA_TO_DEVICE)
		err = duct_map_move(map);
	return err;
}

/**
 * duct_bulk_map() - have what a caller lent in pages. [sleep]
 * @request: with &duct_request.bulk_len
 * @bv: the pieces in order, none longer than a page, good until duct_reply(): to
 *      read, or, if &duct_request.dir is DMA_FROM_DEVICE, to write
 *
 * Whole pages of a caller that said DUCT_MAY_MAP are the caller's own, mapped, if there
 * are enough of them to be cheaper than copying; all else is copied into pages of
 * ours. A driver cannot tell which, and need not: it only reads, or what it wrote is
 * with the caller before the answer is, which a thread sends after duct_reply(). But the
 * caller may change a page while it is read here: whoever trusts a byte copies it
 * first. Pages may be given to anything that takes pages, which must have let go of
 * them before duct_reply().
 *
 * They are good until then even if the call, the channel or the epoch ends before;
 * only the caller has nothing of them any more. One caller at a time. A second call
 * gives the same pages.
 *
 * Return: number of pieces; -EINVAL: nothing was lent; -ENOMEM; or what
 * duct_bulk_copy() says
 */
int duct_bulk_map(struct duct_request *request, struct bio_vec **bv)
{
	struct duct_request_core *req = container_of(request, struct duct_request_core, pub);
	struct duct_channel_core *ch = to_duct_channel_core(request->ch);
	struct duct_bulk_pages *map = req->map;
	int err;

	if (!req->bulk)
		return -EINVAL;
	if (!map) {
		map = kvzalloc(struct_size(map, rsp, ch->cfg.max_answer), GFP_KERNEL);
		if (!map)
			return -ENOMEM;
		map->req = req;
		INIT_WORK(&map->work, duct_bulk_map_work);
		err = duct_bulk_map_fill(map);
		if (err) {
			duct_bulk_unmap(map);
			return err;
		}
		req->map = map;
	}
	*bv = map->bv;
	return map->n;
}
EXPORT_SYMBOL_GPL(duct_bulk_map);

/* The driver replies: what it has in pages goes back first. [any] */
void duct_bulk_reply(struct duct_request_core *req, const void *rsp, u32 len, bool fits)
{
	struct duct_bulk_pages *map = req->map;

	map->len = len;
	map->fits = fits;
	if (len)
		memcpy(map->rsp, rsp, len);
	req->map = NULL;
	queue_work(duct_recv_wq, &map->work);
}
