// SPDX-License-Identifier: GPL-2.0
/*
 * Bulk: the serving half. What a caller lent with its call is copied, many pages at
 * once, and never before the list of it was checked in a private copy. Mapping it
 * instead is in bulk_map.c.
 */
#include <linux/bvec.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "core.h"

static uint duct_copy_piece = DUCT_COPY_PIECE;
module_param_named(copy_piece, duct_copy_piece, uint, 0600);
MODULE_PARM_DESC(copy_piece, "bytes a piece from which on memory lent is copied to a driver's own pages");

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
	const char *why = duct_segs_read_head(&head, from, frame->len, max_msg);

	*bulk = NULL;
	if (why)
		return why;
	*bulk = kmalloc(struct_size(*bulk, word, head.words), GFP_ATOMIC | __GFP_NOWARN);
	if (!*bulk)
		return NULL;
	(*bulk)->head = head;
	why = duct_segs_read(&head, (*bulk)->word, from, slot->link->stage.bytes);
	if (why) {
		kfree(*bulk);
		*bulk = NULL;
	}
	return why;
}

/* ---- copying ---- */

/**
 * duct_bulk_bound() - whether the caller still waits on the binding of its call
 * @req: the request
 *
 * RCU or link->mapping is held, and whoever lets go of the binding waits for both
 * before the peer hears of it: until then its references are what the list says.
 *
 * Return: true if so
 */
bool duct_bulk_bound(struct duct_request_core *req)
{
	struct duct_channel_core *ch = to_duct_channel_core(req->pub.ch);

	if (!rcu_access_pointer(ch->slot))
		return false;
	/*
	 * In one kernel: pairs with rcu_assign_pointer() in duct_channel_bind(): a new slot,
	 * a new number.
	 */
	smp_rmb();
	return req->serial == READ_ONCE(ch->serial);
}

static int duct_move_flush(struct duct_move *move)
{
	struct duct_channel_core *ch = to_duct_channel_core(move->req->pub.ch);
	int err = -ECONNRESET;

	if (!move->batch->n)
		return 0;
	rcu_read_lock();
	if (duct_bulk_bound(move->req)) {
		err = ch->link->memory->copy(ch->link->peer, move->batch);
		atomic64_inc(&ch->stats.in_copies);
	}
	rcu_read_unlock();
	move->batch->n = 0;
	cond_resched();
	return err;
}

/* Between the staging and one page. Return: 0 or -ECONNRESET */
static int duct_move_staged(struct duct_move *move, u32 from, struct page *page, u32 offset,
			    u32 len, bool to_peer)
{
	struct duct_link *link = to_duct_channel_core(move->req->pub.ch)->link;
	int err = -ECONNRESET;
	u8 *here;

	rcu_read_lock();
	if (duct_bulk_bound(move->req)) {
		here = kmap_local_page(page);
		if (to_peer)
			duct_peer_copy_out(link->stage.peer + from, here + offset, len);
		else
			duct_peer_copy_in(here + offset, link->stage.peer + from, len);
		kunmap_local(here);
		err = 0;
	}
	rcu_read_unlock();
	return err;
}

/* Bytes of a segment from @skip on, in one page of ours. Return: 0 or -errno; @len: how many */
static int duct_move_piece(struct duct_move *move, const struct duct_seg *seg, u32 skip, u32 *len)
{
	bool to_peer = move->req->bulk->head.flags & DUCT_BULK_WRITE;
	struct page *page;
	u32 offset;

	while (move->at == move->bv->bv_len) {
		move->bv++;
		move->at = 0;
	}
	offset = move->bv->bv_offset + move->at;
	page = pfn_to_page(page_to_pfn(move->bv->bv_page) + offset / PAGE_SIZE);
	offset %= PAGE_SIZE;
	*len = min3(*len, move->bv->bv_len - move->at, (u32)PAGE_SIZE - offset);
	move->at += *len;
	if (seg->staged)
		return duct_move_staged(move, seg->offset + skip, page, offset, *len, to_peer);
	move->batch->copy[move->batch->n++] = (struct duct_copy) {
		.ref = seg->ref,
		.offset = seg->offset + skip,
		.len = *len,
		.page = page,
		.page_offset = offset,
		.to_peer = to_peer,
	};
	return move->batch->n == DUCT_COPIES ? duct_move_flush(move) : 0;
}

/* A whole page that is mapped is a piece of its own; the one before it is done. */
static void duct_move_over(struct duct_move *move)
{
	move->bv += move->at ? 2 : 1;
	move->at = 0;
}

/**
 * duct_bulk_move() - copy between what was lent and pages of ours. [sleep]
 * @move: the request, the pages, and a batch to work with
 * @off: byte of what was lent to begin at
 * @len: bytes, no more than there are from @off on, and than @move->bv has
 *
 * Return: 0; -ECONNRESET: the epoch of the call has ended; -EIO: some page was not
 * lent, or is not any more, or ours cannot be copied so. What was copied by then
 * stays where it is
 */
int duct_bulk_move(struct duct_move *move, u32 off, u32 len)
{
	const struct duct_bulk_in *bulk = move->req->bulk;
	struct duct_segs segs = duct_bulk_segs(bulk);
	struct duct_seg seg;
	int err = 0;

	move->batch->n = 0;
	while (!err && len && duct_segs_next(&segs, &seg)) {
		u32 skip = min(off, seg.len), n;

		off -= skip;
		if (move->parts && duct_seg_whole(&seg)) {
			duct_move_over(move);
			len -= seg.len;
			continue;
		}
		for (; !err && skip < seg.len && len; skip += n, len -= n) {
			n = min(seg.len - skip, len);
			err = duct_move_piece(move, &seg, skip, &n);
		}
	}
	return err ?: duct_move_flush(move);
}

/* Whether an iterator's own pages are copied from or to, in pieces that are worth it. */
static bool duct_iter_direct(const struct iov_iter *it, u32 len)
{
	u32 at = it->iov_offset, left = len, pieces = 0;
	const struct bio_vec *bv = it->bvec;

	if (!iov_iter_is_bvec(it))
		return false;
	for (; left; bv++, at = 0) {
		u32 n = min(left, bv->bv_len - at);

		pieces += DIV_ROUND_UP(offset_in_page(bv->bv_offset + at) + n, PAGE_SIZE);
		left -= n;
	}
	return pieces <= 1 + len / max(READ_ONCE(duct_copy_piece), 1u);
}

/* Return: as duct_bulk_move(); then @it is where it was, and its bytes may be anything */
static int duct_iter_move(struct duct_move *move, u32 off, struct iov_iter *it, u32 len)
{
	int err;

	move->bv = it->bvec;
	move->at = it->iov_offset;
	err = duct_bulk_move(move, off, len);
	if (!err)
		iov_iter_advance(it, len);
	return err;
}

/* Pages of ours through which bytes go. */
struct duct_window {
	struct bio_vec *bv;
	u32 pages;
};

static void duct_window_free(struct duct_window *window)
{
	while (window->pages--)
		__free_page(window->bv[window->pages].bv_page);
	kfree(window->bv);
}

/* Pages for @bytes. [sleep] Return: 0 or -ENOMEM */
static int duct_window_new(struct duct_window *window, u32 bytes)
{
	u32 pages = DIV_ROUND_UP(bytes, PAGE_SIZE);

	window->pages = 0;
	window->bv = kmalloc_array(pages, sizeof(*window->bv), GFP_KERNEL);
	while (window->bv && window->pages < pages) {
		/* Not cleared: what is not copied is not shown to anybody. */
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			break;
		window->bv[window->pages++] = (struct bio_vec) {
			.bv_page = page,
			.bv_len = PAGE_SIZE,
		};
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
		void *data = page_address(window->bv[done / PAGE_SIZE].bv_page);
		size_t moved = from ? copy_from_iter(data, n, it) : copy_to_iter(data, n, it);

		done += moved;
		if (moved < n)
			break;
	}
	return done;
}

/* Up to @n bytes by way of the window. Return: how many; -EFAULT; as duct_bulk_move() */
static ssize_t duct_window_move(struct duct_window *window, struct duct_move *move, u32 off,
				struct iov_iter *it, u32 n)
{
	bool from = iov_iter_rw(it) == ITER_SOURCE;
	int err;

	n = min_t(u32, n, window->pages * PAGE_SIZE);
	if (from)
		n = duct_window_iter(window, n, it, true);
	move->bv = window->bv;
	move->at = 0;
	err = n ? duct_bulk_move(move, off, n) : -EFAULT;
	if (err)
		return err;
	return from ? n : duct_window_iter(window, n, it, false) ?: -EFAULT;
}

/* All of it. Return: bytes, fewer where user memory ended; -ENOMEM; as duct_window_move() */
static ssize_t duct_window_copy(struct duct_move *move, u32 off, struct iov_iter *it, u32 len)
{
	struct duct_window window;
	u32 done = 0;
	ssize_t n;

	n = duct_window_new(&window, min_t(u32, len, DUCT_COPIES * PAGE_SIZE));
	if (n)
		return n;
	while (n >= 0 && done < len) {
		n = duct_window_move(&window, move, off + done, it, len - done);
		done += max_t(ssize_t, n, 0);
	}
	duct_window_free(&window);
	return n < 0 && (n != -EFAULT || !done) ? n : done;
}

/**
 * duct_bulk_copy() - copy what a caller lent, or into it. [sleep]
 * @request: with &duct_request.bulk_len
 * @off: byte to begin at
 * @it: where to or, if &duct_request.dir is DMA_FROM_DEVICE, where from; as many
 *      bytes as it has, or as are left
 *
 * Pages of an iterator of kind bvec are copied from or to as they are, unless they come
 * in small pieces; all else goes by way of pages of ours. 256 KiB take one hypercall
 * where the caller lent whole pages and @it has whole ones, or is of another kind.
 *
 * After an error what was to be read is to be taken for nothing.
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
	struct duct_move move = { .req = req };
	ssize_t n;
	u32 left;

	if (!req->bulk || off > request->bulk_len || iov_iter_rw(it) != from)
		return -EINVAL;
	left = min_t(size_t, iov_iter_count(it), request->bulk_len - off);
	if (!left)
		return 0;
	move.batch = kmalloc(sizeof(*move.batch), GFP_KERNEL);
	if (!move.batch)
		return -ENOMEM;
	n = duct_iter_direct(it, left) ? duct_iter_move(&move, off, it, left) : -EIO;
	/* What cannot be copied so may be a page that another domain lent, mapped here. */
	if (n == -EIO)
		n = duct_window_copy(&move, off, it, left);
	else if (!n)
		n = left;
	kfree(move.batch);
	return n;
}
EXPORT_SYMBOL_GPL(duct_bulk_copy);
