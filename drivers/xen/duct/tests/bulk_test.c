// SPDX-License-Identifier: GPL-2.0
/*
 * Bulk: lists of any shape, either way, from either end; every byte of them is
 * compared, and every byte around them must stay what it was.
 */
#include <linux/scatterlist.h>
#include <linux/vmalloc.h>

#include "calls.h"
#include "hostile.h"

#define BULK_PAGES	192u	/* of the field that lists are cut from */
#define BULK_FIELD	(BULK_PAGES * PAGE_SIZE)
#define BULK_PIECES	64u
#define BULK_CANARY	0xc5
#define BULK_CALLS	8u

enum bulk_how {
	BULK_COPY,	/* piece by piece, each of another length */
	BULK_MAP,
	BULK_REFUSE,
	BULK_HOLD,
};

/* A request: how the server checks, or what it writes: the pattern from @n on. */
struct bulk_ask {
	u32 how;
	u32 n;
	u32 bytes;
};

/**
 * struct bulk - a caller's memory, and what the server saw
 * @kit: the test
 * @a: calls
 * @b: serves
 * @field: BULK_FIELD bytes, the list's pieces and canaries
 * @table: the list
 * @sg: of @table
 * @nents: of @sg
 * @bytes: of the list
 * @scratch: the server's, BULK_FIELD bytes
 * @rnd: the server's
 * @bad: bytes that the server found wrong, or calls that it could not serve
 * @held: the request that BULK_HOLD kept
 */
struct bulk {
	struct kit *kit;
	struct kit_end *a;
	struct kit_end *b;
	u8 *field;
	struct scatterlist sg[BULK_PIECES];
	u32 nents;
	u32 bytes;
	u8 *scratch;
	struct rnd_state rnd;
	u32 bad;
	struct duct_request *held;
};

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

static void bulk_fill(struct bulk *bulk, u8 *data, u32 n, u32 at, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		data[i] = *bulk_pattern(bulk, n, at + i);
}

static int bulk_serve_copy(struct bulk *bulk, struct duct_request *req, u32 n)
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

static int bulk_serve_map(struct bulk *bulk, struct duct_request *req, u32 n)
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

static struct bulk *bulk_start(struct kunit *test, unsigned int side, u32 ring)
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

/* A piece that does not cross pages, for vmalloc'ed ones are nowhere near each other. */
static void bulk_piece(struct bulk *bulk, u32 at, u32 len)
{
	sg_set_page(&bulk->sg[bulk->nents++], vmalloc_to_page(bulk->field + at), len,
		    at % PAGE_SIZE);
	bulk->bytes += len;
}

static void bulk_begin(struct bulk *bulk)
{
	memset(bulk->field, BULK_CANARY, BULK_FIELD);
	sg_init_table(bulk->sg, BULK_PIECES);
	bulk->nents = 0;
	bulk->bytes = 0;
}

/* Pieces of one byte to a page, whole pages in between, in any order of kinds. */
static void bulk_random(struct bulk *bulk)
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

/* The list's bytes are the pattern, or are made it; the others are canaries. */
static u32 bulk_look(struct bulk *bulk, u32 n, bool make, bool want)
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

static int bulk_call(struct bulk *bulk, struct call *call, enum bulk_how how, u32 n,
		     enum dma_data_direction dir)
{
	const struct bulk_ask ask = { .how = how, .n = n, .bytes = bulk->bytes };

	atomic_set(&call->dones, 0);
	call->call.sg = bulk->sg;
	call->call.nents = bulk->nents;
	call->call.dir = dir;
	return calls_start(bulk->a, call, &ask, sizeof(ask));
}

/* Nothing is lent or staged at either end. */
static void bulk_expect_settled(struct kunit *test, struct bulk *bulk)
{
	struct duct_link *a = hostile_slot(bulk->a)->link, *b = hostile_slot(bulk->b)->link;

	KUNIT_EXPECT_EQ(test, bulk->bad, 0u);
	KUNIT_EXPECT_EQ(test, a->stage.arena.used, 0u);
	KUNIT_EXPECT_EQ(test, b->stage.arena.used, 0u);
}

static void bulk_many(struct kunit *test, enum bulk_how how, u32 rounds)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), 16384);
	struct call *call = calls_new(bulk->kit);
	u32 n;

	for (n = 0; n < rounds; n++) {
		enum dma_data_direction dir = n % 2 ? DMA_TO_DEVICE : DMA_FROM_DEVICE;

		bulk_random(bulk);
		if (dir == DMA_TO_DEVICE)
			bulk_look(bulk, n, true, false);
		KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, how, n, dir), 0);
		kit_wait(bulk->kit, calls_ended(call));
		KUNIT_ASSERT_EQ(test, call->err, 0);
		KUNIT_ASSERT_EQ(test, bulk_look(bulk, n, false, true), 0u);
	}
	bulk_expect_settled(test, bulk);
}

static void bulk_copied(struct kunit *test)
{
	bulk_many(test, BULK_COPY, 200);
}

static void bulk_mapped(struct kunit *test)
{
	bulk_many(test, BULK_MAP, 200);
}

/* 256 KiB in whole pages: four hypercalls a MiB. */
static void bulk_hypercalls(struct kunit *test)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), 16384);
	struct call *call = calls_new(bulk->kit);
	struct duct_stats before, after;
	u32 n, i;

	for (n = 0; n < 4; n++) {
		bulk_begin(bulk);
		for (i = 0; i < BULK_PIECES; i++)
			bulk_piece(bulk, 2 * i * PAGE_SIZE, PAGE_SIZE);
		sg_mark_end(&bulk->sg[BULK_PIECES - 1]);
		if (n % 2)
			bulk_look(bulk, n, true, false);
		duct_stats(bulk->b->ch, &before);
		KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, BULK_MAP, n,
						n % 2 ? DMA_TO_DEVICE : DMA_FROM_DEVICE), 0);
		kit_wait(bulk->kit, calls_ended(call));
		KUNIT_EXPECT_EQ(test, call->err, 0);
		KUNIT_EXPECT_EQ(test, bulk_look(bulk, n, false, true), 0u);
		duct_stats(bulk->b->ch, &after);
		KUNIT_EXPECT_EQ(test, after.in_copies, before.in_copies + 1);
	}
}

/* What the server wrote before it refused is not the caller's. */
static void bulk_refused(struct kunit *test)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), 16384);
	struct call *call = calls_new(bulk->kit);

	bulk_begin(bulk);
	bulk_piece(bulk, 100, 1000);
	KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, BULK_REFUSE, 1, DMA_FROM_DEVICE), 0);
	kit_wait(bulk->kit, calls_ended(call));
	KUNIT_EXPECT_EQ(test, call->err, -EREMOTEIO);
	KUNIT_EXPECT_EQ(test, bulk_look(bulk, 1, false, false), 0u);
	bulk_expect_settled(test, bulk);
}

/* More than the staging holds: through pages made for it, and as right. */
static void bulk_crowded(struct kunit *test)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), 16384);
	struct call *call[BULK_CALLS];
	struct scatterlist sg[BULK_CALLS];
	u32 i, round;

	for (i = 0; i < BULK_CALLS; i++)
		call[i] = calls_new(bulk->kit);
	for (round = 0; round < 20; round++) {
		bulk_begin(bulk);
		for (i = 0; i < BULK_CALLS; i++) {
			const struct bulk_ask ask = { .how = BULK_COPY, .n = i, .bytes = 4000 };

			sg_init_table(&sg[i], 1);
			sg_set_page(&sg[i], vmalloc_to_page(bulk->field + i * PAGE_SIZE), 4000, 60);
			bulk_fill(bulk, bulk->field + i * PAGE_SIZE + 60, i, 0, 4000);
			atomic_set(&call[i]->dones, 0);
			call[i]->call.sg = &sg[i];
			call[i]->call.nents = 1;
			call[i]->call.dir = DMA_TO_DEVICE;
			calls_begin(bulk->a, call[i], &ask, sizeof(ask));
		}
		for (i = 0; i < BULK_CALLS; i++) {
			kit_wait(bulk->kit, calls_ended(call[i]));
			KUNIT_EXPECT_EQ(test, call[i]->err, 0);
		}
	}
	bulk_expect_settled(test, bulk);
}

/* A call that has ended: the server can reach nothing of it any more. */
static void bulk_given_up(struct kunit *test)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), 16384);
	struct call *call = calls_new(bulk->kit);
	u32 round;

	for (round = 0; round < 4; round++) {
		bulk_begin(bulk);
		bulk_piece(bulk, 0, PAGE_SIZE);
		bulk_piece(bulk, 5 * PAGE_SIZE, PAGE_SIZE);
		bulk_piece(bulk, 6 * PAGE_SIZE, PAGE_SIZE);
		bulk_piece(bulk, 9 * PAGE_SIZE + 7, 77);
		bulk->held = NULL;
		call->call.timeout = round % 2 ? HZ / 20 : 0;
		KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, BULK_HOLD, round, DMA_FROM_DEVICE), 0);
		kit_wait(bulk->kit, READ_ONCE(bulk->held));
		if (!(round % 2))
			duct_call_cancel(&call->call);
		kit_wait(bulk->kit, calls_ended(call));
		KUNIT_EXPECT_EQ(test, call->err, round % 2 ? -ETIMEDOUT : -ECANCELED);
		KUNIT_EXPECT_EQ(test, bulk_serve_copy(bulk, bulk->held, round), -EIO);
		KUNIT_EXPECT_EQ(test, bulk_look(bulk, round, false, false), 0u);
		KUNIT_EXPECT_EQ(test, duct_reply(bulk->held, NULL, 0), 0);
		bulk->held = NULL;
	}
	call->call.timeout = 0;
	bulk_random(bulk);
	KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, BULK_COPY, 9, DMA_FROM_DEVICE), 0);
	kit_wait(bulk->kit, calls_ended(call));
	KUNIT_EXPECT_EQ(test, bulk_look(bulk, 9, false, true), 0u);
	bulk_expect_settled(test, bulk);
}

/* The epoch ends while the server works on it. */
static void bulk_epoch(struct kunit *test)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), 16384);
	struct call *call = calls_new(bulk->kit);
	int round;

	for (round = 1; round < 10; round++) {
		bulk_random(bulk);
		bulk->held = NULL;
		KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, BULK_HOLD, 0, DMA_FROM_DEVICE), 0);
		kit_wait(bulk->kit, READ_ONCE(bulk->held));
		kit_loop_run(bulk->kit, true);
		kit_wait(bulk->kit, calls_ended(call));
		KUNIT_EXPECT_EQ(test, call->err, -ECONNRESET);
		KUNIT_EXPECT_EQ(test, bulk_serve_copy(bulk, bulk->held, 0), -ECONNRESET);
		KUNIT_EXPECT_EQ(test, duct_reply(bulk->held, NULL, 0), -ECONNRESET);
		bulk->held = NULL;
		kit_wait(bulk->kit, atomic_read(&bulk->a->ups) > round &&
			 atomic_read(&bulk->b->ups) > round);
		bulk_expect_settled(test, bulk);
	}
}

static void bulk_errors(struct kunit *test)
{
	struct bulk *bulk = bulk_start(test, KIT_FRONT, 1024);
	struct call *call = calls_new(bulk->kit);
	struct kvec vec = { .iov_base = bulk->scratch, .iov_len = 10 };
	struct iov_iter it;
	u32 i;

	bulk_begin(bulk);
	bulk_piece(bulk, 0, 10);
	KUNIT_EXPECT_EQ(test, bulk_call(bulk, call, BULK_COPY, 0, DMA_NONE), -EINVAL);
	KUNIT_EXPECT_EQ(test, bulk_call(bulk, call, BULK_COPY, 0, DMA_BIDIRECTIONAL), -EINVAL);
	bulk->sg[0].length = 0;
	KUNIT_EXPECT_EQ(test, bulk_call(bulk, call, BULK_COPY, 0, DMA_TO_DEVICE), -EINVAL);
	bulk->sg[0].length = (4u << 20) + 1;
	KUNIT_EXPECT_EQ(test, bulk_call(bulk, call, BULK_COPY, 0, DMA_TO_DEVICE), -EMSGSIZE);
	/* A list that the ring never holds. */
	bulk_begin(bulk);
	for (i = 0; i < BULK_PIECES; i++)
		bulk_piece(bulk, i * PAGE_SIZE, i % 2 ? PAGE_SIZE : 5);
	KUNIT_EXPECT_EQ(test, bulk_call(bulk, call, BULK_COPY, 0, DMA_TO_DEVICE), -EMSGSIZE);
	bulk_expect_settled(test, bulk);

	bulk_begin(bulk);
	bulk_piece(bulk, 0, 10);
	KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, BULK_HOLD, 0, DMA_TO_DEVICE), 0);
	kit_wait(bulk->kit, READ_ONCE(bulk->held));
	iov_iter_kvec(&it, ITER_SOURCE, &vec, 1, 10);
	KUNIT_EXPECT_EQ(test, duct_bulk_copy(bulk->held, 0, &it), (ssize_t)-EINVAL);
	iov_iter_kvec(&it, ITER_DEST, &vec, 1, 10);
	KUNIT_EXPECT_EQ(test, duct_bulk_copy(bulk->held, 11, &it), (ssize_t)-EINVAL);
	KUNIT_EXPECT_EQ(test, duct_bulk_copy(bulk->held, 10, &it), (ssize_t)0);
	KUNIT_EXPECT_EQ(test, duct_bulk_copy(bulk->held, 4, &it), (ssize_t)6);
	KUNIT_EXPECT_EQ(test, duct_reply(bulk->held, NULL, 0), 0);
	bulk->held = NULL;
	kit_wait(bulk->kit, calls_ended(call));
}

/* ---- lists that lie ---- */

struct bulk_attack {
	const char *name;
	const char *why;
	struct duct_bulk head;
	u32 word[4];
	u32 words;	/* shown, if not head.words */
};

static const struct bulk_attack bulk_attacks[] = {
	{ "no list", "memory lent without a list", .words = U32_MAX },
	{ "flags", "memory lent with unknown flags", { .flags = 4, .bytes = 1, .words = 1 } },
	{ "no bytes", "more memory lent than may be", { .words = 1 } },
	{ "bytes", "more memory lent than may be", { .bytes = (4u << 20) + 1, .words = 1 } },
	{ "words", "more memory lent than may be", { .bytes = 1, .words = 3073 }, .words = 1 },
	{ "words cut", "a list of memory lent that is cut", { .bytes = 1, .words = 4 },
	  .words = 1 },
	{ "page too many", "memory lent that is not there", { .bytes = 4095, .words = 1 }, { 8 } },
	{ "bytes too many", "a list of memory lent that is cut", { .bytes = 4097, .words = 1 },
	  { 8 } },
	{ "word too many", "a list of memory lent that is cut", { .bytes = 4096, .words = 2 },
	  { 8, DUCT_SEG_PART | 1 } },
	{ "unknown kind", "a list of memory lent that is cut", { .bytes = 1, .words = 1 },
	  { DUCT_SEG_KIND | 1 } },
	{ "part of nothing", "memory lent that is not there", { .bytes = 1, .words = 2 },
	  { DUCT_SEG_PART, 8 } },
	{ "part beyond", "memory lent that is not there", { .bytes = 2, .words = 2 },
	  { DUCT_SEG_PART | 4095u << DUCT_SEG_PART_SHIFT | 2, 8 } },
	{ "staged beyond", "memory lent that is not there",
	  { .bytes = 2, .words = 1, .stage = DUCT_STAGE_BYTES - 1 }, { DUCT_SEG_STAGED | 2 } },
	{ "staged far", "memory lent that is not there",
	  { .bytes = 2, .words = 1, .stage = U32_MAX - 1 }, { DUCT_SEG_STAGED | 2 } },
	{ "staged long", "memory lent that is not there", { .bytes = 2, .words = 1 },
	  { DUCT_SEG_STAGED | DUCT_SEG_REST } },
};

static void bulk_attack_describe(const struct bulk_attack *attack, char *desc)
{
	strscpy(desc, attack->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(bulk_attack, bulk_attacks, bulk_attack_describe);

static void bulk_hostile(struct kunit *test)
{
	const struct bulk_attack *attack = test->param_value;
	struct bulk *bulk = bulk_start(test, KIT_FRONT, 16384);
	u32 words = attack->words ?: attack->head.words;
	struct duct_frame frame = { .type = DUCT_FRAME_BULK };
	u8 list[sizeof(attack->head) + sizeof(attack->word)];

	memcpy(list, &attack->head, sizeof(attack->head));
	memcpy(list + sizeof(attack->head), attack->word, sizeof(attack->word));
	frame.len = words == U32_MAX ? 8 : sizeof(attack->head) + words * sizeof(u32);
	hostile_frame(hostile_slot(bulk->a), &frame, list, frame.len);
	kit_wait(bulk->kit, atomic_read(&bulk->a->downs) == 1 && atomic_read(&bulk->b->downs) == 1);
	KUNIT_EXPECT_EQ(test, bulk->a->why, -EPROTO);
	KUNIT_EXPECT_EQ(test, bulk->b->why, -EPROTO);
}

/* A reference that was not lent: the call fails, the channel lives. */
static void bulk_not_lent(struct kunit *test)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), 16384);
	const struct bulk_ask ask = { .how = BULK_HOLD, .bytes = PAGE_SIZE };
	struct call *call = calls_new(bulk->kit);
	struct duct_slot *slot;

	bulk_begin(bulk);
	bulk_piece(bulk, 0, PAGE_SIZE);
	bulk_piece(bulk, PAGE_SIZE, PAGE_SIZE);
	bulk_piece(bulk, 2 * PAGE_SIZE, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, BULK_HOLD, 0, DMA_TO_DEVICE), 0);
	kit_wait(bulk->kit, READ_ONCE(bulk->held));
	slot = hostile_slot(bulk->a);
	slot->link->memory->revoke(slot->calls[0].lend->page, 3,
				slot->calls[0].lend->ref);
	KUNIT_EXPECT_EQ(test, bulk_serve_copy(bulk, bulk->held, 0), -EIO);
	KUNIT_EXPECT_EQ(test, duct_reply(bulk->held, &ask.n, 4), 0);
	bulk->held = NULL;
	kit_wait(bulk->kit, calls_ended(call));
	bulk_expect_settled(test, bulk);
}

static struct kunit_case bulk_cases[] = {
	KUNIT_CASE_PARAM(bulk_copied, kit_sides),
	KUNIT_CASE_PARAM(bulk_mapped, kit_sides),
	KUNIT_CASE_PARAM(bulk_hypercalls, kit_sides),
	KUNIT_CASE_PARAM(bulk_refused, kit_sides),
	KUNIT_CASE_PARAM(bulk_crowded, kit_sides),
	KUNIT_CASE_PARAM(bulk_given_up, kit_sides),
	KUNIT_CASE_PARAM(bulk_epoch, kit_sides),
	KUNIT_CASE(bulk_errors),
	KUNIT_CASE_PARAM(bulk_hostile, bulk_attack_gen_params),
	KUNIT_CASE_PARAM(bulk_not_lent, kit_sides),
	{}
};

struct kunit_suite duct_bulk_suite = {
	.name = "duct_bulk",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = bulk_cases,
};
