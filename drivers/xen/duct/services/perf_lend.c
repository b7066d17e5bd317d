// SPDX-License-Identifier: GPL-2.0
/* What lending costs: lists of one size in whole pages, which nobody looks at. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include "perf.h"

/* How the peer serves a list: one of these, or it copies it into pages, so many bytes a piece. */
#define PERF_COPY	1u	/* into a buffer */
#define PERF_PAGES	2u	/* has it in pages */
#define PERF_MAPPED	3u	/* the same, and they may be mapped */
#define PERF_KEPT	4u	/* of perf_lend(): the same, and kept for 200 ms */

/* ---- the peer ---- */

static bool perf_lend_how(u32 how)
{
	return (how >= PERF_COPY && how <= PERF_MAPPED) ||
	       (is_power_of_2(how) && how >= PERF_PIECE && how <= PAGE_SIZE);
}

/* The scratch memory in pieces; made when another size is asked for. */
static const struct bio_vec *perf_lend_bv(struct perf *perf, u32 piece)
{
	const u8 *data = perf->scratch[PERF_MESSAGES];
	u32 i;

	for (i = 0; piece != perf->piece && i < PERF_MAX / piece; i++, data += piece)
		perf->bv[i] = (struct bio_vec) {
			.bv_page = is_vmalloc_addr(data) ? vmalloc_to_page(data) :
							   virt_to_page(data),
			.bv_offset = offset_in_page(data),
			.bv_len = piece,
		};
	perf->piece = piece;
	return perf->bv;
}

static int perf_lend_copied(struct perf *perf, struct duct_request *req, u32 how)
{
	unsigned int way = req->dir == DMA_TO_DEVICE ? ITER_DEST : ITER_SOURCE;
	u32 at, len;

	for (at = 0; at < req->bulk_len; at += len) {
		struct kvec vec = { .iov_base = perf->scratch[PERF_MESSAGES] };
		struct iov_iter it;
		ssize_t done;

		len = min_t(u32, req->bulk_len - at, PERF_MAX);
		vec.iov_len = len;
		if (how != PERF_COPY)
			iov_iter_bvec(&it, way, perf_lend_bv(perf, how), DIV_ROUND_UP(len, how),
				      len);
		else
			iov_iter_kvec(&it, way, &vec, 1, len);
		done = duct_bulk_copy(req, at, &it);
		if (done != len)
			return done < 0 ? done : -EIO;
	}
	return 0;
}

/* A call of perf_lend() came. Return: for recv() */
int perf_lend_serve(struct perf *perf, struct duct_request *req, const struct perf_lend_ask *ask)
{
	struct bio_vec *bv;
	int err;

	if (!perf_lend_how(ask->how))
		return -EINVAL;
	if (ask->how == PERF_PAGES || ask->how == PERF_MAPPED)
		err = min(duct_bulk_map(req, &bv), 0);
	else
		err = perf_lend_copied(perf, req, ask->how);
	if (ask->keep)
		msleep(min(ask->keep, 1000u));
	return err ?: duct_reply(req, NULL, 0);
}

/* ---- the caller ---- */

struct perf_lend_call {
	struct duct_call call;
	struct completion ended;
	int err;
};

static void perf_lend_done(struct duct_call *call, int err, struct duct_msg *answer)
{
	struct perf_lend_call *lend = container_of(call, struct perf_lend_call, call);

	lend->err = err;
	complete(&lend->ended);
}

static int perf_lend_one(struct perf *perf, struct scatterlist *sg, u32 nents,
			 const struct perf_lend_ask *ask, bool write)
{
	struct duct_channel *ch = perf->ch[PERF_MESSAGES];
	u32 flags = ask->how == PERF_MAPPED ? DUCT_MAY_MAP : 0;
	struct perf_lend_call lend = {
		.call = {
			.done = perf_lend_done,
			.timeout = PERF_WAIT,
			.sg = sg,
			.nents = nents,
			.dir = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE,
		},
	};
	int err;

	init_completion(&lend.ended);
	while ((err = duct_call_async(ch, &lend.call, ask, sizeof(*ask), flags)) == -EAGAIN) {
		err = duct_wait_writable(ch, PERF_MAX, PERF_WAIT);
		if (err)
			return err;
	}
	if (err)
		return err;
	/* The domain may be saved meanwhile. */
	wait_for_completion_state(&lend.ended, TASK_UNINTERRUPTIBLE | TASK_FREEZABLE);
	return lend.err;
}

/* Pages for @size bytes, each an entry. Return: how many, or -ENOMEM; the rest is freed by @sg */
static int perf_lend_pages(struct scatterlist *sg, u32 pages, u32 size)
{
	u32 i;

	sg_init_table(sg, pages);
	for (i = 0; i < pages; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			return -ENOMEM;
		sg_set_page(&sg[i], page, min_t(u32, size - i * PAGE_SIZE, PAGE_SIZE), 0);
	}
	return 0;
}

/* @count times the same @size bytes in whole pages, served as @how says. Return: 0 or -errno */
int perf_lend(struct perf *perf, struct perf_sum *sum, bool write, u32 size, u32 count, u32 how)
{
	const struct perf_lend_ask ask = {
		.how = how == PERF_KEPT ? PERF_MAPPED : how,
		.keep = how == PERF_KEPT ? 200 : 0,
	};
	u32 pages = DIV_ROUND_UP(size, PAGE_SIZE), i;
	struct scatterlist *sg;
	int err;

	if (!perf_lend_how(ask.how))
		return -EINVAL;
	sg = kvcalloc(pages, sizeof(*sg), GFP_KERNEL);
	if (!sg)
		return -ENOMEM;
	err = perf_lend_pages(sg, pages, size);
	for (; count && !err; count--) {
		err = perf_lend_one(perf, sg, pages, &ask, write);
		sum->messages++;
		sum->bytes += size;
		/* One call is not broken off. A signal that is not fatal may be the freezer's. */
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
	}
	for (i = 0; i < pages; i++)
		if (sg_page(&sg[i]))
			__free_page(sg_page(&sg[i]));
	kvfree(sg);
	return err;
}
