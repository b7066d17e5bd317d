// SPDX-License-Identifier: GPL-2.0
/*
 * Bulk: lists of any shape, either way, from either end; every byte of them is
 * compared, and every byte around them must stay what it was.
 */
#include <linux/vmalloc.h>

#include "bulk.h"
#include "hostile.h"

static void bulk_copied(struct kunit *test)
{
	bulk_many(test, bulk_start(test, kit_param_side(test), 16384), BULK_COPY, 200);
}

static void bulk_mapped(struct kunit *test)
{
	bulk_many(test, bulk_start(test, kit_param_side(test), 16384), BULK_MAP, 200);
}

static void bulk_to_pages(struct kunit *test)
{
	bulk_many(test, bulk_start(test, kit_param_side(test), 16384), BULK_TO_PAGES, 200);
}

/* A held list of 64 whole pages, copied in pieces. Return: hypercalls */
static u64 bulk_in_pieces(struct bulk *bulk, u32 piece)
{
	struct call *call = calls_new(bulk->kit);
	struct duct_stats before, after;
	u32 n;

	duct_stats(bulk->b->ch, &before);
	for (n = 0; n < 2; n++) {
		bulk_whole(bulk, BULK_PIECES);
		if (n)
			bulk_look(bulk, n, true, false);
		bulk->held = NULL;
		KUNIT_ASSERT_EQ(bulk->kit->test, 0,
				bulk_call(bulk, call, BULK_HOLD, n,
					  n ? DMA_TO_DEVICE : DMA_FROM_DEVICE));
		kit_wait(bulk->kit, READ_ONCE(bulk->held));
		KUNIT_EXPECT_EQ(bulk->kit->test, bulk_serve_pages(bulk, bulk->held, n, piece), 0);
		KUNIT_EXPECT_EQ(bulk->kit->test, bulk_answer(bulk), 0);
		kit_wait(bulk->kit, calls_ended(call));
		KUNIT_EXPECT_EQ(bulk->kit->test, bulk_look(bulk, n, false, true), 0u);
	}
	duct_stats(bulk->b->ch, &after);
	return (after.in_copies - before.in_copies) / 2;
}

/* Whole pages and large pieces are copied as they are, 64 at once; small ones by another way. */
static void bulk_direct(struct kunit *test)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), 16384);

	KUNIT_EXPECT_EQ(test, bulk_in_pieces(bulk, PAGE_SIZE), 1ull);
	KUNIT_EXPECT_GT(test, bulk_in_pieces(bulk, PAGE_SIZE / 2), 1ull);
	KUNIT_EXPECT_EQ(test, bulk_in_pieces(bulk, 64), 1ull);
	bulk_expect_settled(test, bulk);
}

static const struct duct_memory_ops *bulk_memory;
static struct page *bulk_no_page;

/* As Xen with a page that is mapped here and another domain's. */
static int bulk_copy_not(domid_t peer, struct duct_copy_batch *batch)
{
	u32 i;

	for (i = 0; i < batch->n; i++)
		if (batch->copy[i].page == bulk_no_page)
			return -EIO;
	return bulk_memory->copy(peer, batch);
}

static void bulk_not_direct(struct kunit *test)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), 16384);
	struct duct_link *link = hostile_slot(bulk->b)->link;
	struct duct_memory_ops memory = *link->memory;

	bulk_memory = link->memory;
	bulk_no_page = vmalloc_to_page(bulk->scratch + 7 * PAGE_SIZE);
	memory.copy = bulk_copy_not;
	link->memory = &memory;
	/* In vain, and then by the other way. */
	KUNIT_EXPECT_EQ(test, bulk_in_pieces(bulk, PAGE_SIZE), 2ull);
	link->memory = bulk_memory;
	bulk_expect_settled(test, bulk);
}

/* 256 KiB in whole pages: four hypercalls a MiB. */
static void bulk_hypercalls(struct kunit *test)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), 16384);
	struct call *call = calls_new(bulk->kit);
	struct duct_stats before, after;
	u32 n;

	for (n = 0; n < 4; n++) {
		bulk_whole(bulk, BULK_PIECES);
		duct_stats(bulk->b->ch, &before);
		bulk_round(bulk, call, BULK_MAP, n, n % 2 ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
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
		KUNIT_EXPECT_EQ(test, bulk_answer(bulk), 0);
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
		KUNIT_EXPECT_EQ(test, bulk_answer(bulk), -ECONNRESET);
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
	KUNIT_EXPECT_EQ(test, bulk_answer(bulk), 0);
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
	KUNIT_CASE_PARAM(bulk_to_pages, kit_sides),
	KUNIT_CASE_PARAM(bulk_direct, kit_sides),
	KUNIT_CASE_PARAM(bulk_not_direct, kit_sides),
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
