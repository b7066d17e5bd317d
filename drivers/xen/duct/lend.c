// SPDX-License-Identifier: GPL-2.0
/*
 * Lending: the caller's half of bulk. Whole pages are lent as they are, and the
 * peer copies from or to them, or maps them if it may. What is small, and pieces
 * that are no whole page, go through the staging, so that a peer never sees a page's
 * other bytes; where the staging is full, through pages made for the purpose.
 *
 * A list ends in two steps. When the call ends, whatever the reason, the peer's
 * access does. When its answer has come, or the peer has said that it has let go of
 * the channel or the link, references and staging may be used again: a peer that was
 * late would else copy from another list than it means. Pages that the peer has
 * mapped when the call ends are held until then, and longer if it lies.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "chunk.h"
#include "core.h"

static uint duct_stage_small = DUCT_STAGE_SMALL;
module_param_named(stage_small, duct_stage_small, uint, 0600);
MODULE_PARM_DESC(stage_small, "bytes up to which memory is lent through the staging, not by grants");

static uint duct_stage_kib = DUCT_STAGE_BYTES >> 10;
module_param_named(stage_kib, duct_stage_kib, uint, 0600);
MODULE_PARM_DESC(stage_kib, "KiB of each end's staging, 32 to 1024: the frontend's says, once in an epoch");

static atomic_t duct_lent_kept;

static int duct_lent_kept_get(char *buf, const struct kernel_param *param)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&duct_lent_kept));
}

static const struct kernel_param_ops duct_lent_kept_ops = { .get = duct_lent_kept_get };
module_param_cb(lent_kept, &duct_lent_kept_ops, NULL, 0444);
MODULE_PARM_DESC(lent_kept, "pages lent that a peer had mapped when they were to come back");

/* ---- the staging ---- */

static int duct_stage_emit(struct duct_link *link, struct duct_out *out)
{
	return duct_link_send(link, &link->stage_msg);
}

void duct_stage_init(struct duct_link *link)
{
	spin_lock_init(&link->stage.lock);
	INIT_LIST_HEAD(&link->lends);
	INIT_LIST_HEAD(&link->stage_out.node);
	link->stage_out.emit = duct_stage_emit;
}

static void duct_stage_start(struct duct_link *link, u8 __peer *base, u32 bytes)
{
	struct duct_stage *stage = &link->stage;
	bool front = duct_link_is_front(link);

	stage->own = front ? base : base + bytes;
	stage->peer = front ? base + bytes : base;
	duct_arena_init(&stage->arena, stage->map, bytes);
	stage->bytes = bytes;
}

/* STAGE goes out before the BOUND that is sent next: the backend knows it before it is used. */
static void duct_stage_say(struct duct_link *link, const struct duct_chunk *chunk, u32 offset,
			   u32 bytes)
{
	struct duct_ctl_stage *msg = &link->stage_msg.stage;

	memset(&link->stage_msg, 0, sizeof(link->stage_msg));
	msg->type = DUCT_CTL_STAGE;
	msg->chunk = chunk->id;
	msg->offset = offset;
	msg->bytes = bytes;
	duct_stage_start(link, chunk->base + offset, bytes);
	duct_link_out(link, &link->stage_out);
}

/**
 * duct_stage_large() - frontend: more staging than usual, if that is asked for
 * @link: running; its lock is held
 *
 * Before the first channel with calls has its rings. Without the pages for it there is the
 * usual staging.
 *
 * Return: 0; -EAGAIN: a chunk for it is on its way to the backend: the bind is tried
 * again when it arrives
 */
int duct_stage_large(struct duct_link *link)
{
	u32 bytes = min_t(u32, READ_ONCE(duct_stage_kib), DUCT_STAGE_MAX >> 10) << 10, offset;
	struct duct_chunk *chunk;
	int err;

	lockdep_assert_held(&link->lock);
	if (link->stage.bytes || bytes <= DUCT_STAGE_BYTES)
		return 0;
	err = duct_chunk_alloc(link, 2 * bytes, &chunk, &offset);
	if (!err)
		duct_stage_say(link, chunk, offset, bytes);
	return err == -EAGAIN ? err : 0;
}

/* Frontend: the usual staging, where a chunk has room. The first channel with calls is next. */
void duct_stage_offer(struct duct_link *link)
{
	struct duct_chunk *chunk;
	u32 offset;

	lockdep_assert_held(&link->lock);
	if (!link->stage.bytes && duct_chunk_find(link, 2 * DUCT_STAGE_BYTES, &chunk, &offset))
		duct_stage_say(link, chunk, offset, DUCT_STAGE_BYTES);
}

/* Backend: STAGE came. Return: NULL or how it breaks the protocol */
const char *duct_stage_receive(struct duct_link *link, const struct duct_ctl_stage *msg)
{
	u8 __peer *base = duct_chunk_at(link, msg->chunk, msg->offset, 2 * msg->bytes);

	if (!base)
		return "staging outside the arena";
	if (link->stage.bytes)
		return "staging that is there already";
	duct_stage_start(link, base, msg->bytes);
	return NULL;
}

/* The end of an epoch: no channel has a slot any more. */
void duct_stage_end(struct duct_link *link)
{
	lockdep_assert_held(&link->lock);
	link->stage.bytes = 0;
	link->stage.own = NULL;
	link->stage.peer = NULL;
}

static bool duct_stage_take(struct duct_stage *stage, u32 bytes, u32 *offset)
{
	unsigned long irq;
	bool taken;

	if (!stage->bytes)
		return false;
	spin_lock_irqsave(&stage->lock, irq);
	taken = !duct_arena_alloc(&stage->arena, bytes, offset);
	spin_unlock_irqrestore(&stage->lock, irq);
	return taken;
}

static void duct_stage_give(struct duct_stage *stage, u32 bytes, u32 offset)
{
	unsigned long irq;

	spin_lock_irqsave(&stage->lock, irq);
	WARN_ON(duct_arena_free(&stage->arena, offset, bytes));
	spin_unlock_irqrestore(&stage->lock, irq);
}

/* ---- the caller's list, a page at a time ---- */

struct duct_piece {
	struct page *page;
	u32 offset;
	u32 len;
};

struct duct_pieces {
	struct scatterlist *sg;
	unsigned int left;
	u32 at;
};

static bool duct_pieces_next(struct duct_pieces *it, struct duct_piece *piece)
{
	u32 pos;

	if (it->left && it->at == it->sg->length) {
		it->sg = sg_next(it->sg);
		it->left--;
		it->at = 0;
	}
	if (!it->left)
		return false;
	pos = it->sg->offset + it->at;
	piece->page = pfn_to_page(page_to_pfn(sg_page(it->sg)) + pos / PAGE_SIZE);
	piece->offset = pos % PAGE_SIZE;
	piece->len = min_t(u32, PAGE_SIZE - piece->offset, it->sg->length - it->at);
	it->at += piece->len;
	return true;
}

static bool duct_piece_whole(const struct duct_lend *lend, const struct duct_piece *piece)
{
	return piece->len == PAGE_SIZE && !lend->all;
}

/* ---- making a list ---- */

/* Sizes of it. @runs: how often staged bytes follow on whole pages. Return: 0 or -errno */
static int duct_lend_count(struct duct_lend *lend, u32 *runs)
{
	struct duct_pieces it = { .sg = lend->sg, .left = lend->nents };
	struct duct_piece piece;
	struct scatterlist *sg;
	bool staged = false;
	unsigned int i;
	u64 bytes = 0;

	for_each_sg(lend->sg, sg, lend->nents, i) {
		if (!sg->length)
			return -EINVAL;
		bytes += sg->length;
	}
	if (bytes > DUCT_BULK_BYTES_MAX)
		return -EMSGSIZE;
	lend->bytes = bytes;
	lend->whole = 0;
	*runs = 0;
	while (duct_pieces_next(&it, &piece)) {
		bool whole = duct_piece_whole(lend, &piece);

		lend->whole += whole;
		*runs += !whole && !staged;
		staged = !whole;
	}
	lend->staged = bytes - lend->whole * PAGE_SIZE;
	return 0;
}

/* Chooses how it goes: all by the staging, pieces by it, or pieces by pages of ours. */
static int duct_lend_plan(struct duct_stage *stage, struct duct_lend *lend, u32 *runs)
{
	int err = duct_lend_count(lend, runs);

	if (err)
		return err;
	if (lend->bytes <= READ_ONCE(duct_stage_small) &&
	    duct_stage_take(stage, lend->bytes, &lend->stage)) {
		lend->all = true;
		lend->in_stage = true;
		lend->whole = 0;
		lend->staged = lend->bytes;
		*runs = 1;
		return 0;
	}
	if (lend->staged)
		lend->in_stage = duct_stage_take(stage, lend->staged, &lend->stage);
	return 0;
}

static void duct_lend_pages_free(struct duct_lend *lend)
{
	u32 i;

	for (i = lend->whole; i < lend->pages; i++)
		if (lend->page[i])
			__free_page(lend->page[i]);
	lend->pages = 0;
}

/* Pages to lend: the caller's, then ours. Return: 0 or -ENOMEM */
static int duct_lend_pages(struct duct_lend *lend)
{
	struct duct_pieces it = { .sg = lend->sg, .left = lend->nents };
	struct duct_piece piece;
	u32 i = 0;

	while (duct_pieces_next(&it, &piece))
		if (duct_piece_whole(lend, &piece))
			lend->page[i++] = piece.page;
	for (; i < lend->pages; i++) {
		lend->page[i] = alloc_page(GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO);
		if (!lend->page[i])
			return -ENOMEM;
	}
	return 0;
}

/* Words for the next @run staged bytes, after @pos of them. */
static void duct_lend_run(struct duct_lend *lend, u32 pos, u32 run)
{
	if (run && lend->in_stage) {
		lend->word[lend->words++] = DUCT_SEG_STAGED | run;
		return;
	}
	while (run) {
		u32 offset = pos % PAGE_SIZE, n = min_t(u32, run, PAGE_SIZE - offset);

		lend->word[lend->words++] = duct_seg_part(offset, n);
		lend->word[lend->words++] = lend->ref[lend->whole + pos / PAGE_SIZE];
		pos += n;
		run -= n;
	}
}

static void duct_lend_words(struct duct_lend *lend)
{
	struct duct_pieces it = { .sg = lend->sg, .left = lend->nents };
	u32 i = 0, pos = 0, run = 0;
	struct duct_piece piece;

	while (duct_pieces_next(&it, &piece)) {
		if (!duct_piece_whole(lend, &piece)) {
			run += piece.len;
			continue;
		}
		duct_lend_run(lend, pos, run);
		pos += run;
		run = 0;
		lend->word[lend->words++] = DUCT_SEG_PAGE | lend->ref[i++];
	}
	duct_lend_run(lend, pos, run);
}

/* Staged bytes, from @pos on: to where the peer sees them, or back. */
static void duct_lend_move(struct duct_link *link, struct duct_lend *lend, u32 pos, u8 *data,
			   u32 len, bool back)
{
	while (len) {
		u32 n = min_t(u32, len, PAGE_SIZE - pos % PAGE_SIZE);
		u8 __peer *at;

		if (lend->in_stage)
			at = link->stage.own + lend->stage + pos;
		else
			at = (u8 __force __peer *)page_address(lend->page[lend->whole +
									 pos / PAGE_SIZE]) +
			     pos % PAGE_SIZE;
		if (back)
			duct_peer_copy_in(data, at, n);
		else
			duct_peer_copy_out(at, data, n);
		data += n;
		pos += n;
		len -= n;
	}
}

static void duct_lend_stage(struct duct_link *link, struct duct_lend *lend, bool back)
{
	struct duct_pieces it = { .sg = lend->sg, .left = lend->nents };
	struct duct_piece piece;
	u32 pos = 0;

	while (lend->staged && duct_pieces_next(&it, &piece)) {
		u8 *data;

		if (duct_piece_whole(lend, &piece))
			continue;
		data = kmap_local_page(piece.page);
		duct_lend_move(link, lend, pos, data + piece.offset, piece.len, back);
		kunmap_local(data);
		pos += piece.len;
	}
}

/* One allocation for all of it. The plan is in @plan. */
static struct duct_lend *duct_lend_alloc(const struct duct_lend *plan, u32 runs)
{
	u32 ours = plan->in_stage ? 0 : DIV_ROUND_UP(plan->staged, PAGE_SIZE);
	u32 pages = plan->whole + ours;
	u32 words = plan->whole + (plan->in_stage ? runs : 2 * (runs + ours));
	struct duct_lend *lend;

	if (words > DUCT_BULK_WORDS_MAX)
		return ERR_PTR(-EMSGSIZE);
	lend = kmalloc(sizeof(*lend) + pages * (sizeof(*lend->page) + sizeof(u32)) +
		       words * sizeof(u32), GFP_ATOMIC | __GFP_NOWARN);
	if (!lend)
		return ERR_PTR(-ENOMEM);
	*lend = *plan;
	lend->pages = pages;
	lend->page = (struct page **)(lend + 1);
	lend->ref = (u32 *)(lend->page + pages);
	lend->word = lend->ref + pages;
	memset(lend->page, 0, pages * sizeof(*lend->page));
	return lend;
}

/**
 * duct_lend_new() - lend a call's memory to the peer
 * @slot: the channel's, its tx_lock is held
 * @call: what to lend
 * @flags: DUCT_MAY_MAP, DUCT_LEND_KEEP
 *
 * Return: the list; ERR_PTR(): -EINVAL: a piece without bytes, or no direction;
 * -EMSGSIZE: more than 4 MiB, or too many pieces; -ENOMEM; -ENOSPC: the machine
 * has no reference free
 */
struct duct_lend *duct_lend_new(struct duct_slot *slot, const struct duct_call *call, u32 flags)
{
	struct duct_link *link = slot->link;
	struct duct_lend plan = { .sg = call->sg, .nents = call->nents }, *lend;
	u32 runs;
	int err;

	if (call->dir != DMA_TO_DEVICE && call->dir != DMA_FROM_DEVICE)
		return ERR_PTR(-EINVAL);
	plan.flags = call->dir == DMA_FROM_DEVICE ? DUCT_BULK_WRITE : 0;
	if (flags & DUCT_MAY_MAP)
		plan.flags |= DUCT_BULK_MAP;
	err = duct_lend_plan(&link->stage, &plan, &runs);
	lend = err ? ERR_PTR(err) : duct_lend_alloc(&plan, runs);
	if (IS_ERR(lend)) {
		if (plan.in_stage)
			duct_stage_give(&link->stage, plan.staged, plan.stage);
		return lend;
	}
	err = duct_lend_pages(lend);
	if (!err && lend->pages)
		err = link->memory->lend(link->peer, lend->page, lend->pages,
				      plan.flags & DUCT_BULK_WRITE, lend->ref);
	if (err) {
		if (plan.in_stage)
			duct_stage_give(&link->stage, plan.staged, plan.stage);
		duct_lend_pages_free(lend);
		kfree(lend);
		return ERR_PTR(err);
	}
	duct_lend_words(lend);
	if (!(plan.flags & DUCT_BULK_WRITE) || flags & DUCT_LEND_KEEP)
		duct_lend_stage(link, lend, false);
	return lend;
}

/* Bytes that its description takes before the request. */
u32 duct_lend_len(const struct duct_lend *lend)
{
	return sizeof(struct duct_bulk) + lend->words * sizeof(u32);
}

void duct_lend_write(const struct duct_lend *lend, u8 __peer *to)
{
	const struct duct_bulk head = {
		.flags = lend->flags,
		.bytes = lend->bytes,
		.words = lend->words,
		.stage = lend->in_stage ? lend->stage : 0,
	};

	duct_peer_copy_out(to, &head, sizeof(head));
	duct_peer_copy_out(to + sizeof(head), lend->word, lend->words * sizeof(u32));
}

/* The call ends before the peer is done: its access does, too. [any] */
void duct_lend_revoke(struct duct_link *link, struct duct_lend *lend)
{
	if (lend->revoked)
		return;
	lend->revoked = true;
	if (lend->pages)
		lend->ended = link->memory->revoke(lend->page, lend->pages, lend->ref);
	atomic_add(lend->pages - lend->ended, &duct_lent_kept);
}

/**
 * duct_lend_end() - the peer has answered, or the channel is gone
 * @link: running
 * @lend: freed
 * @good: what the peer wrote is taken; the caller's memory is still there
 */
void duct_lend_end(struct duct_link *link, struct duct_lend *lend, bool good)
{
	u32 kept = 0;

	if (lend->pages)
		kept = link->memory->reclaim(link->peer, lend->page, lend->pages, lend->ref,
					     lend->ended, lend->revoked);
	if (!lend->revoked)
		atomic_add(kept, &duct_lent_kept);
	if (good && lend->flags & DUCT_BULK_WRITE)
		duct_lend_stage(link, lend, true);
	if (lend->in_stage)
		duct_stage_give(&link->stage, lend->staged, lend->stage);
	duct_lend_pages_free(lend);
	kfree(lend);
}

/* The peer has let go of the epoch, or is gone: what its channels still lent. */
void duct_lend_release_all(struct duct_link *link)
{
	struct duct_lend *lend, *next;

	lockdep_assert_held(&link->lock);
	list_for_each_entry_safe(lend, next, &link->lends, node)
		duct_lend_end(link, lend, false);
	INIT_LIST_HEAD(&link->lends);
}
