// SPDX-License-Identifier: GPL-2.0
/*
 * Bulk: the serving half. What a caller lent with its call is copied by way of
 * pages of our own, many pages at once, and never before the list of it was
 * checked in a private copy.
 */
#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

#include "core.h"

/**
 * struct duct_bulk_pages - all that was lent, in pages of ours
 * @req: whose
 * @work: gives it back, and replies
 * @bv: the pages
 * @n: of @bv
 * @len: of @rsp
 * @fits: the reply is not too long
 * @rsp: the reply, while @work is on its way
 */
struct duct_bulk_pages {
	struct duct_request_core *req;
	struct work_struct work;
	struct bio_vec *bv;
	u32 n;
	u32 len;
	bool fits;
	u8 rsp[];
};

/**
 * duct_bulk_receive() - read the list before a request
 * @slot: the caller's; the one reader
 * @frame: DUCT_FRAME_BULK
 * @max_msg: of the channel
 * @bulk: the list, checked; NULL: no memory
 *
 * Return: NULL or how it breaks the protocol
 */
const char *duct_bulk_receive(struct duct_slot *slot, const struct duct_frame *frame, u32 max_msg,
			      struct duct_bulk_in **bulk)
{
	const u8 __peer *from = duct_rx_payload(&slot->rx);
	struct duct_bulk head;
	const char *why;
	u32 list;

	*bulk = NULL;
	if (frame->len < sizeof(head))
		return "memory lent without a list";
	duct_peer_copy_in(&head, from, sizeof(head));
	if (head.words > DUCT_BULK_WORDS_MAX)
		return "more memory lent than may be";
	list = sizeof(head) + head.words * sizeof(u32);
	if (frame->len < list || frame->len - list > max_msg)
		return "a list of memory lent that is cut";
	*bulk = kmalloc(struct_size(*bulk, word, head.words), GFP_ATOMIC | __GFP_NOWARN);
	if (!*bulk)
		return NULL;
	(*bulk)->head = head;
	duct_peer_copy_in((*bulk)->word, from + sizeof(head), head.words * sizeof(u32));
	why = duct_segs_check(&head, (*bulk)->word, slot->link->stage.bytes);
	if (why) {
		kfree(*bulk);
		*bulk = NULL;
	}
	return why;
}

/* ---- copying ---- */

/* Pages of ours through which bytes go. */
struct duct_window {
	struct duct_copy_batch *batch;
	struct page **page;
	u32 pages;
};

static int duct_window_flush(struct duct_channel_core *ch, struct duct_copy_batch *batch)
{
	int err;

	if (!batch->n)
		return 0;
	err = ch->link->memory->copy(ch->link->peer, batch);
	atomic64_inc(&ch->stats.in_copies);
	batch->n = 0;
	return err;
}

/* Bytes of a segment, and of one page of the window at @pos. Return: 0 or -errno */
static int duct_window_piece(struct duct_channel_core *ch, struct duct_window *window,
			     const struct duct_seg *seg, u32 skip, u32 pos, u32 len, bool to_peer)
{
	struct duct_copy_batch *batch = window->batch;
	struct page *page = window->page[pos / PAGE_SIZE];

	if (seg->staged) {
		u8 __peer *there = ch->link->stage.peer + seg->offset + skip;
		u8 *here = page_address(page) + pos % PAGE_SIZE;

		if (to_peer)
			duct_peer_copy_out(there, here, len);
		else
			duct_peer_copy_in(here, there, len);
		return 0;
	}
	batch->copy[batch->n++] = (struct duct_copy) {
		.ref = seg->ref,
		.offset = seg->offset + skip,
		.len = len,
		.page = page,
		.page_offset = pos % PAGE_SIZE,
		.to_peer = to_peer,
	};
	return batch->n == DUCT_COPIES ? duct_window_flush(ch, batch) : 0;
}

/* Moves @len bytes from @off on. RCU is held. Return: 0 or -errno */
static int duct_window_move(struct duct_channel_core *ch, const struct duct_bulk_in *bulk,
			    struct duct_window *window, u32 off, u32 len, bool to_peer)
{
	struct duct_segs segs = {
		.word = bulk->word,
		.words = bulk->head.words,
		.stage = bulk->head.stage,
	};
	struct duct_seg seg;
	u32 pos = 0;
	int err = 0;

	window->batch->n = 0;
	while (!err && pos < len && duct_segs_next(&segs, &seg)) {
		u32 skip = min(off, seg.len);

		off -= skip;
		while (!err && skip < seg.len && pos < len) {
			u32 n = min3(seg.len - skip, len - pos, (u32)(PAGE_SIZE - pos % PAGE_SIZE));

			err = duct_window_piece(ch, window, &seg, skip, pos, n, to_peer);
			skip += n;
			pos += n;
		}
	}
	return err ?: duct_window_flush(ch, window->batch);
}

/* The same while the caller's epoch lasts. [any] Return: 0, -ECONNRESET, -EIO */
static int duct_bulk_move(struct duct_request_core *req, struct duct_window *window, u32 off,
			  u32 len)
{
	struct duct_channel_core *ch = to_duct_channel_core(req->pub.ch);
	bool to_peer = req->bulk->head.flags & DUCT_BULK_WRITE;
	struct duct_slot *slot;
	int err = -ECONNRESET;

	rcu_read_lock();
	slot = rcu_dereference(ch->slot);
	if (slot && req->serial == READ_ONCE(ch->serial))
		err = duct_window_move(ch, req->bulk, window, off, len, to_peer);
	rcu_read_unlock();
	return err;
}

static void duct_window_free(struct duct_window *window)
{
	while (window->pages--)
		__free_page(window->page[window->pages]);
	kvfree(window->page);
	kfree(window->batch);
}

/* Pages for @bytes. [sleep] Return: 0 or -ENOMEM */
static int duct_window_new(struct duct_window *window, u32 bytes)
{
	u32 pages = DIV_ROUND_UP(bytes, PAGE_SIZE);

	window->pages = 0;
	window->batch = kmalloc(sizeof(*window->batch), GFP_KERNEL);
	window->page = kvmalloc_array(pages, sizeof(*window->page), GFP_KERNEL);
	while (window->batch && window->page && window->pages < pages) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

		if (!page)
			break;
		window->page[window->pages++] = page;
	}
	if (window->pages == pages)
		return 0;
	duct_window_free(window);
	return -ENOMEM;
}

/* Between the window and the driver's memory. Return: bytes */
static u32 duct_window_iter(struct duct_window *window, u32 len, struct iov_iter *it, bool from)
{
	u32 done = 0;

	while (done < len) {
		u32 n = min_t(u32, len - done, PAGE_SIZE);
		void *data = page_address(window->page[done / PAGE_SIZE]);
		size_t moved = from ? copy_from_iter(data, n, it) : copy_to_iter(data, n, it);

		done += moved;
		if (moved < n)
			break;
	}
	return done;
}

/**
 * duct_bulk_copy() - copy what a caller lent, or into it. [sleep]
 * @request: with &duct_request.bulk_len
 * @off: byte to begin at
 * @it: where to or, if &duct_request.dir is DMA_FROM_DEVICE, where from; as many
 *      bytes as it has, or as are left
 *
 * 256 KiB take one hypercall where the caller lent whole pages.
 *
 * Return: bytes copied; -EINVAL: nothing was lent, @off is behind its end, or @it
 * goes the other way; -EFAULT: no byte of @it could be reached; -ECONNRESET: the
 * epoch of the call has ended; -EIO: the call has ended, or the caller lent what
 * it has not; -ENOMEM
 */
ssize_t duct_bulk_copy(struct duct_request *request, u32 off, struct iov_iter *it)
{
	struct duct_request_core *req = container_of(request, struct duct_request_core, pub);
	bool from = request->dir == DMA_FROM_DEVICE;
	struct duct_window window;
	u32 left, done = 0;
	int err;

	if (!req->bulk || off > request->bulk_len || iov_iter_rw(it) != from)
		return -EINVAL;
	left = min_t(size_t, iov_iter_count(it), request->bulk_len - off);
	if (!left)
		return 0;
	err = duct_window_new(&window, min_t(u32, left, DUCT_COPIES * PAGE_SIZE));
	if (err)
		return err;
	while (left && !err) {
		u32 n = min_t(u32, left, window.pages * PAGE_SIZE), moved = n;

		if (from) {
			moved = duct_window_iter(&window, n, it, true);
			err = moved ? duct_bulk_move(req, &window, off + done, moved) : -EFAULT;
		} else {
			err = duct_bulk_move(req, &window, off + done, n);
			if (!err)
				moved = duct_window_iter(&window, n, it, false);
			if (!err && !moved)
				err = -EFAULT;
		}
		if (err)
			break;
		done += moved;
		left -= moved;
		if (moved < n)
			break;
	}
	duct_window_free(&window);
	/* What was moved before user memory ended counts. */
	if (err && (err != -EFAULT || !done))
		return err;
	return done;
}
EXPORT_SYMBOL_GPL(duct_bulk_copy);

/* ---- all of it in pages ---- */

/* NULL is fine. [sleep] */
void duct_bulk_unmap(struct duct_bulk_pages *map)
{
	u32 i;

	if (!map)
		return;
	for (i = 0; i < map->n; i++)
		__free_page(map->bv[i].bv_page);
	kvfree(map->bv);
	kvfree(map);
}

/* What the driver wrote goes to the caller. [sleep] Return: 0 or -errno */
static int duct_bulk_map_return(struct duct_bulk_pages *map)
{
	struct duct_request_core *req = map->req;
	struct iov_iter it;
	ssize_t n;

	if (req->pub.dir != DMA_FROM_DEVICE)
		return 0;
	iov_iter_bvec(&it, ITER_SOURCE, map->bv, map->n, req->pub.bulk_len);
	n = duct_bulk_copy(&req->pub, 0, &it);
	return n < 0 ? n : 0;
}

static void duct_bulk_map_work(struct work_struct *work)
{
	struct duct_bulk_pages *map = container_of(work, struct duct_bulk_pages, work);
	struct duct_request_core *req = map->req;

	/* A caller that cannot have what was written gets no answer that says so. */
	if (duct_bulk_map_return(map))
		duct_request_finish(req, NULL, 0, false);
	else
		duct_request_finish(req, map->rsp, map->len, map->fits);
	duct_bulk_unmap(map);
}

/* Pages for the whole of it, filled with what the caller lent. */
static int duct_bulk_map_fill(struct duct_bulk_pages *map, u32 bytes, bool read)
{
	struct iov_iter it;
	ssize_t n;

	map->bv = kvcalloc(DIV_ROUND_UP(bytes, PAGE_SIZE), sizeof(*map->bv), GFP_KERNEL);
	if (!map->bv)
		return -ENOMEM;
	for (; map->n * PAGE_SIZE < bytes; map->n++) {
		struct bio_vec *bv = &map->bv[map->n];

		bv->bv_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!bv->bv_page)
			return -ENOMEM;
		bv->bv_len = min_t(u32, PAGE_SIZE, bytes - map->n * PAGE_SIZE);
	}
	if (!read)
		return 0;
	iov_iter_bvec(&it, ITER_DEST, map->bv, map->n, bytes);
	n = duct_bulk_copy(&map->req->pub, 0, &it);
	return n < 0 ? n : 0;
}

/**
 * duct_bulk_map() - have what a caller lent in pages. [sleep]
 * @request: with &duct_request.bulk_len
 * @bv: the pages, good until duct_reply(): to read, or, if &duct_request.dir is
 *      DMA_FROM_DEVICE, to write. What was written goes to the caller at
 *      duct_reply(), from a thread, before the answer does
 *
 * One caller at a time. A second call gives the same pages.
 *
 * Return: number of pages; -EINVAL: nothing was lent; -ENOMEM; or what
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
		err = duct_bulk_map_fill(map, request->bulk_len, request->dir == DMA_TO_DEVICE);
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
