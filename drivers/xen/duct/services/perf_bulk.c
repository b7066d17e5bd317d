// SPDX-License-Identifier: GPL-2.0
/*
 * Bulk for perf: lists of random pieces among canaries, either way by turns. The
 * peer hashes what it reads, or what it writes, and answers with that.
 */
#include <linux/completion.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "perf.h"

#define PERF_CANARY 0xc5

/* What the peer writes; whether it has the list in pages or copies it. */
struct perf_bulk_ask {
	u32 seed;
	u32 map;
};

/* ---- the peer ---- */

static int perf_bulk_copied(struct perf *perf, struct duct_request *req, struct rnd_state *rnd,
			    u32 *hash)
{
	u8 *data = perf->scratch[PERF_MESSAGES];
	bool read = req->dir == DMA_TO_DEVICE;
	u32 at = 0;

	while (at < req->bulk_len) {
		u32 len = min_t(u32, req->bulk_len - at, PERF_MAX);
		struct kvec vec = { .iov_base = data, .iov_len = len };
		struct iov_iter it;
		ssize_t done;

		if (!read)
			prandom_bytes_state(rnd, data, len);
		iov_iter_kvec(&it, read ? ITER_DEST : ITER_SOURCE, &vec, 1, len);
		done = duct_bulk_copy(req, at, &it);
		if (done != len)
			return done < 0 ? done : -EIO;
		*hash = perf_stream_hash(*hash, data, len);
		at += len;
	}
	return 0;
}

static int perf_bulk_mapped(struct duct_request *req, struct rnd_state *rnd, u32 *hash)
{
	struct bio_vec *bv;
	int i, n = duct_bulk_map(req, &bv);

	for (i = 0; i < n; i++) {
		u8 *data = kmap_local_page(bv[i].bv_page);

		if (req->dir == DMA_FROM_DEVICE)
			prandom_bytes_state(rnd, data + bv[i].bv_offset, bv[i].bv_len);
		*hash = perf_stream_hash(*hash, data + bv[i].bv_offset, bv[i].bv_len);
		kunmap_local(data);
	}
	return min(n, 0);
}

/* A call with memory lent came: @data is the channel's scratch. Return: for recv() */
int perf_bulk_serve(struct perf *perf, struct duct_request *req, const u8 *data, u32 len)
{
	struct perf_bulk_ask ask;
	struct rnd_state rnd;
	u32 hash = 0;
	int err;

	if (len != sizeof(ask))
		return -EINVAL;
	memcpy(&ask, data, sizeof(ask));
	prandom_seed_state(&rnd, ask.seed);
	err = ask.map ? perf_bulk_mapped(req, &rnd, &hash) :
			perf_bulk_copied(perf, req, &rnd, &hash);
	return err ?: duct_reply(req, &hash, sizeof(hash));
}

/* ---- the caller ---- */

/**
 * struct perf_list - a list, and pages it is cut from
 * @sg: at most one piece of each page
 * @page: the pages
 * @pages: of @page and @sg
 * @nents: of @sg
 * @bytes: of the list
 * @call: that lends it
 * @ended: it has
 * @err: how
 * @hash: what the peer answered
 */
struct perf_list {
	struct scatterlist *sg;
	struct page **page;
	u32 pages;
	u32 nents;
	u32 bytes;
	struct duct_call call;
	struct completion ended;
	int err;
	u32 hash;
};

static void perf_list_free(struct perf_list *list)
{
	while (list->pages--)
		__free_page(list->page[list->pages]);
	kvfree(list->page);
	kvfree(list->sg);
}

static int perf_list_alloc(struct perf_list *list, u32 most)
{
	u32 pages = DIV_ROUND_UP(most, PAGE_SIZE) + 16;

	list->pages = 0;
	list->page = kvcalloc(pages, sizeof(*list->page), GFP_KERNEL);
	list->sg = kvcalloc(pages, sizeof(*list->sg), GFP_KERNEL);
	while (list->page && list->sg && list->pages < pages) {
		list->page[list->pages] = alloc_page(GFP_KERNEL);
		if (!list->page[list->pages])
			break;
		list->pages++;
	}
	if (list->pages == pages)
		return 0;
	perf_list_free(list);
	return -ENOMEM;
}

/* One piece of a page in three is none that begins and ends with it. */
static void perf_list_make(struct perf_list *list, struct rnd_state *rnd, u32 most)
{
	u32 low = 1u << prandom_u32_state(rnd) % (ilog2(most) + 1);
	u32 left = min(low + prandom_u32_state(rnd) % low, most);

	sg_init_table(list->sg, list->pages);
	list->bytes = left;
	for (list->nents = 0; left && list->nents < list->pages; list->nents++) {
		u32 from = 0, len = PAGE_SIZE;

		if (!(prandom_u32_state(rnd) % 3)) {
			from = prandom_u32_state(rnd) % PAGE_SIZE;
			len = 1 + prandom_u32_state(rnd) % (PAGE_SIZE - from);
		}
		len = min(len, left);
		sg_set_page(&list->sg[list->nents], list->page[list->nents], len, from);
		left -= len;
	}
	list->bytes -= left;
	sg_mark_end(&list->sg[list->nents - 1]);
}

/* Canaries everywhere, and random bytes in the list. Return: their hash */
static u32 perf_list_fill(struct perf_list *list, struct rnd_state *rnd)
{
	u32 hash = 0, i;

	for (i = 0; i < list->pages; i++) {
		u8 *data = page_address(list->page[i]);

		memset(data, PERF_CANARY, PAGE_SIZE);
		if (i >= list->nents)
			continue;
		prandom_bytes_state(rnd, data + list->sg[i].offset, list->sg[i].length);
		hash = perf_stream_hash(hash, data + list->sg[i].offset, list->sg[i].length);
	}
	return hash;
}

/* Return: whether the list hashes to what the peer says, among canaries */
static bool perf_list_check(struct perf_list *list)
{
	u32 hash = 0, i;
	bool good = true;

	for (i = 0; i < list->pages; i++) {
		u8 *data = page_address(list->page[i]);

		if (i < list->nents) {
			u8 *piece = data + list->sg[i].offset;

			hash = perf_stream_hash(hash, piece, list->sg[i].length);
			memset(piece, PERF_CANARY, list->sg[i].length);
		}
		good = good && !memchr_inv(data, PERF_CANARY, PAGE_SIZE);
	}
	return good && hash == list->hash;
}

static void perf_list_done(struct duct_call *call, int err, struct duct_msg *answer)
{
	struct perf_list *list = container_of(call, struct perf_list, call);

	list->err = err ?: duct_read(answer, &list->hash, sizeof(list->hash));
	complete(&list->ended);
}

static int perf_list_call(struct perf *perf, struct perf_list *list, u32 n)
{
	struct duct_channel *ch = perf->ch[PERF_MESSAGES];
	const struct perf_bulk_ask ask = { .seed = n, .map = n / 2 % 2 };
	int err;

	list->call = (struct duct_call) {
		.done = perf_list_done,
		.timeout = PERF_WAIT,
		.sg = list->sg,
		.nents = list->nents,
		.dir = n % 2 ? DMA_TO_DEVICE : DMA_FROM_DEVICE,
	};
	init_completion(&list->ended);
	while ((err = duct_call_async(ch, &list->call, &ask, sizeof(ask), 0)) == -EAGAIN) {
		err = duct_wait_writable(ch, PERF_MAX, PERF_WAIT);
		if (err)
			return err;
	}
	if (err)
		return err;
	wait_for_completion(&list->ended);
	return list->err;
}

/* @count lists of up to @most bytes. Return: 0; -EILSEQ: some byte is wrong; -errno */
int perf_bulk(struct perf *perf, struct perf_sum *sum, u32 most, u32 count)
{
	struct perf_list list;
	u32 hash, n;
	int err = perf_list_alloc(&list, most);

	if (err)
		return err;
	for (n = 0; n < count && !err; n++) {
		perf_list_make(&list, &perf->rnd, most);
		hash = perf_list_fill(&list, &perf->rnd);
		err = perf_list_call(perf, &list, n);
		/* What the peer has read, and what it has written. */
		if (!err && (!perf_list_check(&list) || (n % 2 && hash != list.hash)))
			err = -EILSEQ;
		sum->messages++;
		sum->bytes += list.bytes;
	}
	perf_list_free(&list);
	return err;
}
