// SPDX-License-Identifier: GPL-2.0
/* See bulk.h. */
#include <linux/vmalloc.h>

#include "bulk.h"
#include "hostile.h"

static const u8 *bulk_pattern(struct bulk *bulk, u32 n, u32 at)
{
	return bulk->kit->pattern + (n * 977u + at) % (KIT_PATTERN / 2);
}

/* ---- the server ---- */

static u32 bulk_differ(struct bulk *bulk, const u8 *data, u32 n, u32 at, u32 len)
{
	u32 i, bad = 0;

	for (i = 0; i < len; i++)
		bad += data[i] != *bulk_pattern(bulk, n, at + i);
	return bad;
}

void bulk_fill(struct bulk *bulk, u8 *data, u32 n, u32 at, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		data[i] = *bulk_pattern(bulk, n, at + i);
}

int bulk_serve_copy(struct bulk *bulk, struct duct_request *req, u32 n)
{
	bool read = req->dir == DMA_TO_DEVICE;
	u32 at = 0;

	while (at < req->bulk_len) {
		u32 len = min_t(u32, 1 + prandom_u32_state(&bulk->rnd) % (BULK_FIELD / 2),
				req->bulk_len - at);
		struct kvec vec = { .iov_base = bulk->scratch, .iov_len = len };
		struct iov_iter it;
		ssize_t done;

		if (!read)
			bulk_fill(bulk, bulk->scratch, n, at, len);
		iov_iter_kvec(&it, read ? ITER_DEST : ITER_SOURCE, &vec, 1, len);
		done = duct_bulk_copy(req, at, &it);
		if (done != len)
			return done < 0 ? done : -EIO;
		if (read)
			bulk->bad += bulk_differ(bulk, bulk->scratch, n, at, len);
		at += len;
	}
	return 0;
}

/* The request in the server's pages: pieces of @piece bytes, with a byte left out between. */
static u32 bulk_pieces(struct bulk *bulk, struct bio_vec *bv, u32 len, u32 piece)
{
	u32 at, n = 0, pos = 0;

	for (at = 0; at < len; at += bv[n++].bv_len) {
		u32 offset = offset_in_page(pos);

		bv[n] = (struct bio_vec) {
			.bv_page = vmalloc_to_page(bulk->scratch + pos),
			.bv_offset = offset,
			.bv_len = min3(len - at, piece, (u32)PAGE_SIZE - offset),
		};
		/* Whole pages are left whole. */
		pos += bv[n].bv_len + (piece % PAGE_SIZE != 0);
	}
	return n;
}

/* Return: 0, or -errno: nothing beside the pieces has changed */
int bulk_serve_pages(struct bulk *bulk, struct duct_request *req, u32 n, u32 piece)
{
	bool read = req->dir == DMA_TO_DEVICE;
	struct bio_vec *bv = kvmalloc(BULK_FIELD / piece * sizeof(*bv), GFP_KERNEL | __GFP_NOWARN);
	u32 i, at = 0, changed = 0, pieces;
	struct iov_iter it;
	ssize_t done;

	if (!bv)
		return -ENOMEM;
	memset(bulk->scratch, BULK_CANARY, BULK_FIELD);
	pieces = bulk_pieces(bulk, bv, req->bulk_len, piece);
	for (i = 0; !read && i < pieces; at += bv[i++].bv_len)
		bulk_fill(bulk, page_address(bv[i].bv_page) + bv[i].bv_offset, n, at,
			  bv[i].bv_len);
	iov_iter_bvec(&it, read ? ITER_DEST : ITER_SOURCE, bv, pieces, req->bulk_len);
	done = duct_bulk_copy(req, 0, &it);
	for (i = 0, at = 0; i < pieces; at += bv[i++].bv_len) {
		u8 *data = page_address(bv[i].bv_page) + bv[i].bv_offset;

		if (done == req->bulk_len)
			bulk->bad += bulk_differ(bulk, data, n, at, bv[i].bv_len);
		memset(data, BULK_CANARY, bv[i].bv_len);
	}
	for (i = 0; i < BULK_FIELD; i++)
		changed += bulk->scratch[i] != BULK_CANARY;
	bulk->bad += changed + (done >= 0 && iov_iter_count(&it));
	kvfree(bv);
	return done == req->bulk_len ? 0 : done < 0 ? done : -EIO;
}

int bulk_serve_map(struct bulk *bulk, struct duct_request *req, u32 n)
{
	struct bio_vec *bv;
	int i, pieces = duct_bulk_map(req, &bv);
	u32 at = 0;

	for (i = 0; i < pieces; i++) {
		u8 *data = page_address(bv[i].bv_page) + bv[i].bv_offset;

		if (req->dir == DMA_TO_DEVICE)
			bulk->bad += bulk_differ(bulk, data, n, at, bv[i].bv_len);
		else
			bulk_fill(bulk, data, n, at, bv[i].bv_len);
		at += bv[i].bv_len;
	}
	return pieces < 0 ? pieces : at == req->bulk_len ? 0 : -EIO;
}

static int bulk_recv(struct kit_end *end, struct duct_msg *msg)
{
	struct bulk *bulk = end->priv;
	struct bulk_ask ask;
	int err;

	if (duct_read(msg, &ask, sizeof(ask)) || msg->len)
		return -EINVAL;
	if (msg->request->bulk_len != ask.bytes)
		bulk->bad++;
	if (ask.how == BULK_HOLD) {
		WRITE_ONCE(bulk->held, msg->request);
		return 0;
	}
	if (ask.how == BULK_MAP)
		err = bulk_serve_map(bulk, msg->request, ask.n);
	else if (ask.how == BULK_TO_PAGES)
		err = bulk_serve_pages(bulk, msg->request, ask.n,
				       100 + prandom_u32_state(&bulk->rnd) % PAGE_SIZE);
	else
		err = bulk_serve_copy(bulk, msg->request, ask.n);
	/* With its pages mapped, too: the core takes them back. */
	if (ask.how == BULK_REFUSE)
		err = bulk_serve_map(bulk, msg->request, ask.n) ?: -EIO;
	return err ?: duct_reply(msg->request, &ask.n, sizeof(ask.n));
}

/* ---- the caller ---- */

static void bulk_exit(struct kit_end *end)
{
	struct bulk *bulk = end->priv;

	if (bulk->held)
		duct_reply(bulk->held, NULL, 0);
	vfree(bulk->field);
	vfree(bulk->scratch);
}

struct bulk *bulk_start(struct kunit *test, unsigned int side, u32 ring)
{
	struct kit *kit = test->priv;
	struct bulk *bulk = kunit_kzalloc(test, sizeof(*bulk), GFP_KERNEL);
	struct duct_channel_config cfg = {
		.ops = &kit_recv_ops,
		.max_msg = CALLS_DATA,
		.tx_bytes = ring,
		.rx_bytes = ring,
		.max_calls = BULK_CALLS,
		.max_answer = CALLS_DATA,
	};

	KUNIT_ASSERT_NOT_NULL(test, bulk);
	bulk->kit = kit;
	bulk->field = vmalloc(BULK_FIELD);
	bulk->scratch = vmalloc(BULK_FIELD);
	bulk->a = kit_end(kit);
	bulk->b = kit_end(kit);
	bulk->b->priv = bulk;
	bulk->b->on_recv = bulk_recv;
	bulk->b->on_exit = bulk_exit;
	prandom_seed_state(&bulk->rnd, 7);
	KUNIT_ASSERT_NOT_NULL(test, bulk->field);
	KUNIT_ASSERT_NOT_NULL(test, bulk->scratch);
	kit_connect(kit_peers(kit, true), bulk->a, side, &cfg, bulk->b, &cfg, 0);
	return bulk;
}

void bulk_piece(struct bulk *bulk, u32 at, u32 len)
{
	sg_set_page(&bulk->sg[bulk->nents++], vmalloc_to_page(bulk->field + at), len,
		    at % PAGE_SIZE);
	bulk->bytes += len;
}

void bulk_begin(struct bulk *bulk)
{
	memset(bulk->field, BULK_CANARY, BULK_FIELD);
	sg_init_table(bulk->sg, BULK_PIECES);
	bulk->nents = 0;
	bulk->bytes = 0;
}

void bulk_whole(struct bulk *bulk, u32 n)
{
	u32 i;

	bulk_begin(bulk);
	for (i = 0; i < n; i++)
		bulk_piece(bulk, 2 * i * PAGE_SIZE, PAGE_SIZE);
	sg_mark_end(&bulk->sg[n - 1]);
}

void bulk_random(struct bulk *bulk)
{
	u32 most = 1 + prandom_u32_state(&bulk->kit->rnd) % BULK_PIECES, page;
	u32 whole = prandom_u32_state(&bulk->kit->rnd) % 4;

	bulk_begin(bulk);
	for (page = 0; bulk->nents < most && page < BULK_PAGES; page++) {
		u32 r = prandom_u32_state(&bulk->kit->rnd), from = 0, len = PAGE_SIZE;

		if (r % 4 >= whole) {
			from = (r >> 8) % PAGE_SIZE;
			len = 1 + (r >> 4) % (PAGE_SIZE - from);
		}
		bulk_piece(bulk, page * PAGE_SIZE + from, len);
	}
	sg_mark_end(&bulk->sg[bulk->nents - 1]);
}

u32 bulk_look(struct bulk *bulk, u32 n, bool make, bool want)
{
	u32 i, at = 0, bad = 0, total = 0;

	for (i = 0; i < bulk->nents; i++) {
		u8 *data = page_address(sg_page(&bulk->sg[i])) + bulk->sg[i].offset;
		u32 len = bulk->sg[i].length;

		if (make)
			bulk_fill(bulk, data, n, at, len);
		else if (want)
			bad += bulk_differ(bulk, data, n, at, len);
		if (!make)
			memset(data, BULK_CANARY, len);
		at += len;
	}
	for (i = 0; !make && i < BULK_FIELD; i++)
		total += bulk->field[i] == BULK_CANARY;
	return make ? 0 : bad + BULK_FIELD - total;
}

int bulk_call(struct bulk *bulk, struct call *call, enum bulk_how how, u32 n,
	      enum dma_data_direction dir)
{
	const struct bulk_ask ask = { .how = how, .n = n, .bytes = bulk->bytes };

	atomic_set(&call->dones, 0);
	call->err = -EINPROGRESS;
	call->call.sg = bulk->sg;
	call->call.nents = bulk->nents;
	call->call.dir = dir;
	return duct_call_async(bulk->a->ch, &call->call, &ask, sizeof(ask), bulk->flags);
}

void bulk_expect_settled(struct kunit *test, struct bulk *bulk)
{
	struct duct_link *a = hostile_slot(bulk->a)->link, *b = hostile_slot(bulk->b)->link;

	KUNIT_EXPECT_EQ(test, bulk->bad, 0u);
	KUNIT_EXPECT_EQ(test, a->stage.arena.used, 0u);
	KUNIT_EXPECT_EQ(test, b->stage.arena.used, 0u);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->mapped), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->mapped), 0);
}

void bulk_round(struct bulk *bulk, struct call *call, enum bulk_how how, u32 n,
		enum dma_data_direction dir)
{
	struct kunit *test = bulk->kit->test;

	if (dir == DMA_TO_DEVICE)
		bulk_look(bulk, n, true, false);
	KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, how, n, dir), 0);
	kit_wait(bulk->kit, calls_ended(call));
	KUNIT_ASSERT_EQ(test, call->err, 0);
	KUNIT_ASSERT_EQ(test, bulk_look(bulk, n, false, true), 0u);
}

int bulk_answer(struct bulk *bulk)
{
	struct duct_request *req = bulk->held;

	bulk->held = NULL;
	return duct_reply(req, NULL, 0);
}

void bulk_many(struct kunit *test, struct bulk *bulk, enum bulk_how how, u32 rounds)
{
	struct call *call = calls_new(bulk->kit);
	u32 n;

	for (n = 0; n < rounds; n++) {
		bulk_random(bulk);
		bulk_round(bulk, call, how, n, n % 2 ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
	}
	bulk_expect_settled(test, bulk);
}
