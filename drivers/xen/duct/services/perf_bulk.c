// SPDX-License-Identifier: GPL-2.0
/*
 * Bulk for perf: lists of random pieces among canaries, either way by turns. The
 * peer copies into or from random pieces of its own, or has the list in pages. What
 * a list holds is a part of the pattern, which is the same at both ends: each byte
 * is compared where it arrives, and the canaries of both ends.
 */
#include <linux/completion.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "perf.h"

/* What the list holds or is to hold; how the peer gets at it. */
struct perf_bulk_ask {
	u32 seed;
	u32 map;
	u32 parts;
};

static const u8 *perf_bulk_data(struct perf *perf, u32 seed)
{
	return perf->pattern + seed % 4096;
}

/* ---- the peer ---- */

/* Up to @len bytes from @at on. Return: how many; -EILSEQ: some byte is wrong; -errno */
static int perf_bulk_part(struct perf *perf, struct duct_request *req, struct rnd_state *rnd,
			  const u8 *data, u32 at, u32 len)
{
	struct perf_list *list = perf->served;
	bool read = req->dir == DMA_TO_DEVICE;
	struct iov_iter it;
	ssize_t done;
	bool good;

	perf_list_make(list, rnd, len);
	if (!read)
		perf_list_fill(list, data + at);
	iov_iter_kvec(&it, read ? ITER_DEST : ITER_SOURCE, list->vec, list->n, list->bytes);
	done = duct_bulk_copy(req, at, &it);
	good = perf_list_check(list, data + at, prandom_u32_state(rnd) % 64 == 0);
	if (done < 0)
		return done;
	return good && done == list->bytes ? done : -EILSEQ;
}

/* Return: bytes that were right, or written; -errno */
static int perf_bulk_copied(struct perf *perf, struct duct_request *req,
			    const struct perf_bulk_ask *ask, const u8 *data)
{
	u32 first, at, end = req->bulk_len, most = end;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, ask->seed);
	/* From the middle on, and then what is before it: any order will do. */
	first = ask->parts > 1 ? prandom_u32_state(&rnd) % end : 0;
	if (ask->parts > 1)
		most = 2 * DIV_ROUND_UP(end, ask->parts);
	at = first;
	while (at < end) {
		u32 len = ask->parts > 1 ? 1 + prandom_u32_state(&rnd) % most : end;
		int done = perf_bulk_part(perf, req, &rnd, data, at, min(len, end - at));

		if (done < 0)
			return done;
		at += done;
		if (at == end && end == req->bulk_len) {
			end = first;
			at = 0;
		}
	}
	return req->bulk_len;
}

/* The same */
static int perf_bulk_mapped(struct duct_request *req, const u8 *data)
{
	struct bio_vec *bv;
	int i, n = duct_bulk_map(req, &bv);
	bool good = true;
	u32 done = 0;

	for (i = 0; i < n; i++) {
		u8 *page = kmap_local_page(bv[i].bv_page);

		if (req->dir == DMA_FROM_DEVICE)
			memcpy(page + bv[i].bv_offset, data + done, bv[i].bv_len);
		else
			good = !memcmp(page + bv[i].bv_offset, data + done, bv[i].bv_len) && good;
		done += bv[i].bv_len;
		kunmap_local(page);
	}
	return n < 0 ? n : good ? done : -EILSEQ;
}

/* A call with memory lent came: @msg is the channel's scratch. Return: for recv() */
int perf_bulk_serve(struct perf *perf, struct duct_request *req, const u8 *msg, u32 len)
{
	struct perf_lend_ask lend;
	struct perf_bulk_ask ask;
	const u8 *data;
	int done;

	if (len == sizeof(lend)) {
		memcpy(&lend, msg, sizeof(lend));
		return perf_lend_serve(perf, req, &lend);
	}
	if (len != sizeof(ask) || req->bulk_len > PERF_MAX)
		return -EINVAL;
	memcpy(&ask, msg, sizeof(ask));
	data = perf_bulk_data(perf, ask.seed);
	done = ask.map ? perf_bulk_mapped(req, data) : perf_bulk_copied(perf, req, &ask, data);
	return done < 0 ? done : duct_reply(req, &done, sizeof(done));
}

/* ---- the caller ---- */

/**
 * struct perf_lent - a list that is lent
 * @list: the list
 * @sg: the same
 * @call: that lends it
 * @ended: it has
 * @err: how
 * @done: what the peer answered
 */
struct perf_lent {
	struct perf_list list;
	struct scatterlist sg[PERF_PIECES];
	struct duct_call call;
	struct completion ended;
	int err;
	u32 done;
};

static void perf_lent_done(struct duct_call *call, int err, struct duct_msg *answer)
{
	struct perf_lent *lent = container_of(call, struct perf_lent, call);

	lent->err = err ?: duct_read(answer, &lent->done, sizeof(lent->done));
	complete(&lent->ended);
}

/* Lengths are even on a logarithmic scale. */
static void perf_lent_make(struct perf_lent *lent, struct rnd_state *rnd, u32 most)
{
	u32 low = 1u << prandom_u32_state(rnd) % (ilog2(most) + 1);
	struct perf_list *list = &lent->list;
	u32 i;

	perf_list_make(list, rnd, min(low + prandom_u32_state(rnd) % low, most));
	sg_init_table(lent->sg, list->n);
	for (i = 0; i < list->n; i++)
		sg_set_buf(&lent->sg[i], list->vec[i].iov_base, list->vec[i].iov_len);
}

static int perf_lent_call(struct perf *perf, struct perf_lent *lent,
			  const struct perf_bulk_ask *ask, enum dma_data_direction dir)
{
	struct duct_channel *ch = perf->ch[PERF_MESSAGES];
	/* Of those in pages, half. */
	u32 flags = ask->map && ask->seed % 2 ? DUCT_MAY_MAP : 0;
	int err;

	lent->call = (struct duct_call) {
		.done = perf_lent_done,
		.timeout = PERF_WAIT,
		.sg = lent->sg,
		.nents = lent->list.n,
		.dir = dir,
	};
	init_completion(&lent->ended);
	while ((err = duct_call_async(ch, &lent->call, ask, sizeof(*ask), flags)) == -EAGAIN) {
		err = duct_wait_writable(ch, PERF_MAX, PERF_WAIT);
		if (err)
			return err;
	}
	if (err)
		return err;
	/* The domain may be saved meanwhile. */
	wait_for_completion_state(&lent->ended, TASK_UNINTERRUPTIBLE | TASK_FREEZABLE);
	return lent->err;
}

/* List number @n: read by the peer if it is odd. Return: 0; -EILSEQ; -errno */
static int perf_bulk_one(struct perf *perf, struct perf_lent *lent, u32 n, u32 parts, bool last)
{
	const struct perf_bulk_ask ask = {
		.seed = prandom_u32_state(&perf->rnd),
		.map = n / 2 % 2,
		.parts = parts,
	};
	const u8 *data = perf_bulk_data(perf, ask.seed);
	int err;

	if (n % 2)
		perf_list_fill(&lent->list, data);
	err = perf_lent_call(perf, lent, &ask, n % 2 ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	if (err)
		return err;
	return perf_list_check(&lent->list, data, last) && lent->done == lent->list.bytes ?
	       0 : -EILSEQ;
}

/*
 * @count lists of up to @most bytes, of which the peer copies each in about @parts.
 * Return: 0; -EILSEQ: some byte is wrong, at either end; -errno
 */
int perf_bulk(struct perf *perf, struct perf_sum *sum, u32 most, u32 count, u32 parts)
{
	struct perf_lent *lent = kvzalloc(sizeof(*lent), GFP_KERNEL);
	u32 n, size = PERF_FIELD(most);
	int err = 0;
	/* In one piece: pieces of lists cross pages. */
	u8 *field = alloc_pages_exact(size, GFP_KERNEL);

	if (!lent || !field) {
		err = -ENOMEM;
		goto out;
	}
	perf_list_init(&lent->list, field, size);
	for (n = 0; n < count && !err; n++) {
		perf_lent_make(lent, &perf->rnd, most);
		err = perf_bulk_one(perf, lent, n, parts, n + 1 == count);
		sum->messages++;
		sum->bytes += lent->list.bytes;
	}
out:
	if (field)
		free_pages_exact(field, size);
	kvfree(lent);
	return err;
}
