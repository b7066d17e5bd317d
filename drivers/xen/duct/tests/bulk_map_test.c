// SPDX-License-Identifier: GPL-2.0
/*
 * Bulk that is mapped: the caller's own pages, never without its leave, and given
 * back in every order of ends. On the loopback to map a page is to hold it.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "bulk.h"
#include "hostile.h"

#define MAP_PARAM	"/sys/module/xen_duct/parameters/map_pages"
#define MAP_KEPT	"/sys/module/xen_duct/parameters/lent_kept"
#define MAP_PAGES	3u	/* whole ones of bulk_map_hold()'s list */

static struct bulk *bulk_map_start(struct kunit *test, u32 ring)
{
	struct bulk *bulk = bulk_start(test, kit_param_side(test), ring);

	bulk->flags = DUCT_MAY_MAP;
	return bulk;
}

static u64 bulk_map_hypercalls(struct bulk *bulk, bool maps)
{
	struct duct_stats stats;

	duct_stats(bulk->b->ch, &stats);
	return maps ? stats.in_maps : stats.in_copies;
}

static u32 bulk_map_kept(struct bulk *bulk)
{
	char text[16] = "";
	u32 kept = U32_MAX;

	KUNIT_EXPECT_EQ(bulk->kit->test, kit_read(MAP_KEPT, text, sizeof(text)), 0);
	KUNIT_EXPECT_EQ(bulk->kit->test, kstrtou32(text, 10, &kept), 0);
	return kept;
}

/* Whole pages of the list that are held more than once. */
static u32 bulk_map_held(struct bulk *bulk)
{
	u32 i, n = 0;

	for (i = 0; i < bulk->nents; i++)
		n += page_count(sg_page(&bulk->sg[i])) > 1;
	return n;
}

/* A call with whole pages, and two pieces that are none, is at the server. */
static void bulk_map_hold(struct bulk *bulk, struct call *call, u32 n, enum dma_data_direction dir)
{
	struct kunit *test = bulk->kit->test;

	bulk_begin(bulk);
	bulk_piece(bulk, 0, PAGE_SIZE);
	bulk_piece(bulk, 2 * PAGE_SIZE + 7, 77);
	bulk_piece(bulk, 5 * PAGE_SIZE, PAGE_SIZE);
	bulk_piece(bulk, 6 * PAGE_SIZE, PAGE_SIZE);
	bulk_piece(bulk, 9 * PAGE_SIZE, 2001);
	if (dir == DMA_TO_DEVICE)
		bulk_look(bulk, n, true, false);
	bulk->held = NULL;
	KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, BULK_HOLD, n, dir), 0);
	kit_wait(bulk->kit, READ_ONCE(bulk->held));
	KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), 0u);
}

/* A thread lets go after duct_reply(), and nobody is told when no answer follows. */
static void bulk_map_expect_free(struct bulk *bulk)
{
	unsigned long until = jiffies + KIT_WAIT;

	while (bulk_map_held(bulk) && time_before(jiffies, until))
		usleep_range(1000, 2000);
	KUNIT_EXPECT_EQ(bulk->kit->test, bulk_map_held(bulk), 0u);
}

/* ---- mapping ---- */

static void bulk_map_random(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	u32 kept = bulk_map_kept(bulk);

	bulk_many(test, bulk, BULK_MAP, 300);
	KUNIT_EXPECT_GT(test, bulk_map_hypercalls(bulk, true), 300ull);
	KUNIT_EXPECT_EQ(test, bulk_map_kept(bulk), kept);
}

/* In order: a whole page is the caller's own, with no copy; the rest is not. Twice the same. */
static void bulk_map_own(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);
	struct bio_vec *bv, *again;
	int i;

	bulk_map_hold(bulk, call, 1, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, duct_bulk_map(bulk->held, &bv), (int)bulk->nents);
	for (i = 0; i < bulk->nents; i++) {
		bool whole = bulk->sg[i].length == PAGE_SIZE;

		KUNIT_EXPECT_EQ(test, bv[i].bv_len, bulk->sg[i].length);
		KUNIT_EXPECT_EQ(test, bv[i].bv_page == sg_page(&bulk->sg[i]), whole);
	}
	KUNIT_EXPECT_EQ(test, duct_bulk_map(bulk->held, &again), (int)bulk->nents);
	KUNIT_EXPECT_PTR_EQ(test, again, bv);
	KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), MAP_PAGES);
	KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, 1), 0);
	KUNIT_EXPECT_EQ(test, bulk_answer(bulk), 0);
	kit_wait(bulk->kit, calls_ended(call));
	/* It went out when nothing was mapped any more. */
	KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), 0u);
	KUNIT_EXPECT_EQ(test, bulk_map_hypercalls(bulk, true), 2ull);
	bulk_expect_settled(test, bulk);
}

static void bulk_map_not_allowed(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);

	bulk->flags = 0;
	bulk_many(test, bulk, BULK_MAP, 50);
	bulk_map_hold(bulk, call, 1, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, 1), 0);
	KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), 0u);
	KUNIT_EXPECT_EQ(test, bulk_answer(bulk), 0);
	kit_wait(bulk->kit, calls_ended(call));
	KUNIT_EXPECT_EQ(test, bulk_map_hypercalls(bulk, true), 0ull);
}

/* What the server leaves out is zero: the caller sees nothing of memory here. */
static void bulk_map_unwritten(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);
	u8 *dirt[64], *data;
	struct bio_vec *bv;
	u32 i, j, bad = 0;

	for (i = 0; i < ARRAY_SIZE(dirt); i++) {
		dirt[i] = (u8 *)__get_free_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, dirt[i]);
		memset(dirt[i], 0x5a, PAGE_SIZE);
	}
	for (i = 0; i < ARRAY_SIZE(dirt); i++)
		free_page((unsigned long)dirt[i]);
	bulk->flags = 0;
	bulk_map_hold(bulk, call, 1, DMA_FROM_DEVICE);
	KUNIT_EXPECT_GT(test, duct_bulk_map(bulk->held, &bv), 0);
	KUNIT_EXPECT_EQ(test, bulk_answer(bulk), 0);
	kit_wait(bulk->kit, calls_ended(call));
	for (i = 0; i < bulk->nents; i++) {
		data = page_address(sg_page(&bulk->sg[i])) + bulk->sg[i].offset;
		for (j = 0; j < bulk->sg[i].length; j++)
			bad += !!data[j];
	}
	KUNIT_EXPECT_EQ(test, bad, 0u);
}

/* As soon as it pays: two hypercalls and no copy. */
static void bulk_map_pays(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);
	u64 copies;

	kit_write(bulk->kit, MAP_PARAM, "8");
	bulk_whole(bulk, 7);
	bulk_round(bulk, call, BULK_MAP, 1, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, bulk_map_hypercalls(bulk, true), 0ull);
	copies = bulk_map_hypercalls(bulk, false);
	bulk_whole(bulk, 8);
	bulk_round(bulk, call, BULK_MAP, 2, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, bulk_map_hypercalls(bulk, true), 2ull);
	KUNIT_EXPECT_EQ(test, bulk_map_hypercalls(bulk, false), copies);
}

/* No more than a peer's share: beyond it lists are copied. */
static void bulk_map_budget(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct duct_link *link = hostile_slot(bulk->b)->link;
	struct call *call = calls_new(bulk->kit);

	atomic_add(DUCT_MAPPED_MAX - MAP_PAGES + 1, &link->mapped);
	bulk_map_hold(bulk, call, 1, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, 1), 0);
	KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), 0u);
	KUNIT_EXPECT_EQ(test, bulk_answer(bulk), 0);
	kit_wait(bulk->kit, calls_ended(call));
	atomic_dec(&link->mapped);
	bulk_map_hold(bulk, call, 2, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, 2), 0);
	KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), MAP_PAGES);
	KUNIT_EXPECT_EQ(test, bulk_answer(bulk), 0);
	kit_wait(bulk->kit, calls_ended(call));
	atomic_sub(DUCT_MAPPED_MAX - MAP_PAGES, &link->mapped);
	bulk_expect_settled(test, bulk);
}

/* One page of the list is not lent: nothing stays mapped. */
static void bulk_map_not_lent(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);
	struct duct_slot *slot;
	struct duct_lend *lend;

	bulk_map_hold(bulk, call, 1, DMA_TO_DEVICE);
	slot = hostile_slot(bulk->a);
	lend = slot->calls[0].lend;
	slot->link->memory->revoke(lend->page + MAP_PAGES - 1, 1, lend->ref + MAP_PAGES - 1);
	KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, 1), -EIO);
	KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), 0u);
	KUNIT_EXPECT_EQ(test, bulk_answer(bulk), 0);
	kit_wait(bulk->kit, calls_ended(call));
	bulk_expect_settled(test, bulk);
}

/* ---- ends ---- */

/* recv() fails with pages mapped: they are back when the caller learns of it. */
static void bulk_map_refused(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);

	bulk_whole(bulk, 5);
	KUNIT_ASSERT_EQ(test, bulk_call(bulk, call, BULK_REFUSE, 1, DMA_FROM_DEVICE), 0);
	kit_wait(bulk->kit, calls_ended(call));
	KUNIT_EXPECT_EQ(test, call->err, -EREMOTEIO);
	KUNIT_EXPECT_EQ(test, bulk_map_hypercalls(bulk, true), 2ull);
	KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), 0u);
	bulk_expect_settled(test, bulk);
}

/*
 * The caller gives up, and has done() in time, but not its pages: the server, which
 * does not know, goes on to write to them. Mapping fails when the caller was first.
 */
static void bulk_map_given_up(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);
	u32 round, kept = bulk_map_kept(bulk);

	for (round = 0; round < 8; round++) {
		bool mapped = round & 2;

		call->call.timeout = round & 1 ? HZ / 20 : 0;
		bulk_map_hold(bulk, call, round, DMA_FROM_DEVICE);
		if (mapped)
			KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, round), 0);
		if (!(round & 1))
			duct_call_cancel(&call->call);
		kit_wait(bulk->kit, calls_ended(call));
		KUNIT_EXPECT_EQ(test, call->err, round & 1 ? -ETIMEDOUT : -ECANCELED);
		KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, round), mapped ? 0 : -EIO);
		KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), mapped ? MAP_PAGES : 0);
		kept += mapped ? MAP_PAGES : 0;
		KUNIT_EXPECT_EQ(test, bulk_map_kept(bulk), kept);
		KUNIT_EXPECT_EQ(test, bulk_answer(bulk), 0);
		bulk_map_expect_free(bulk);
	}
	call->call.timeout = 0;
	bulk_random(bulk);
	bulk_round(bulk, call, BULK_MAP, 9, DMA_FROM_DEVICE);
	bulk_expect_settled(test, bulk);
}

/* The epoch ends with pages mapped, and the next begins, before the server replies. */
static void bulk_map_epoch(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);
	int round;

	for (round = 1; round < 9; round++) {
		bool mapped = round % 2;

		bulk_map_hold(bulk, call, round, DMA_FROM_DEVICE);
		if (mapped)
			KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, round), 0);
		kit_loop_run(bulk->kit, true);
		kit_wait(bulk->kit, calls_ended(call));
		KUNIT_EXPECT_EQ(test, call->err, -ECONNRESET);
		KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, round),
				mapped ? 0 : -ECONNRESET);
		kit_wait(bulk->kit, atomic_read(&bulk->a->ups) > round &&
			 atomic_read(&bulk->b->ups) > round);
		KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, round),
				mapped ? 0 : -ECONNRESET);
		KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), mapped ? MAP_PAGES : 0);
		KUNIT_EXPECT_EQ(test, bulk_answer(bulk), mapped ? 0 : -ECONNRESET);
		bulk_map_expect_free(bulk);
		bulk_expect_settled(test, bulk);
	}
}

static int bulk_map_close(void *arg)
{
	struct bulk *bulk = arg;

	kit_close(bulk->b);
	return 0;
}

static int bulk_map_unregister(void *arg)
{
	struct bulk *bulk = arg;
	struct kit_driver *driver = list_first_entry(&bulk->kit->drivers, struct kit_driver, node);

	kit_unregister_only(driver);
	return 0;
}

static int bulk_map_stop_link(void *arg)
{
	struct bulk *bulk = arg;

	kit_loop_run(bulk->kit, false);
	return 0;
}

/**
 * struct bulk_map_end - what ends while the server has pages mapped
 * @side: the caller's; first, as for kit_param_side()
 * @name: what the test is called
 * @end: ends it; struct bulk
 * @waits: for the server's reply
 */
struct bulk_map_end {
	unsigned int side;
	const char *name;
	int (*end)(void *arg);
	bool waits;
};

static const struct bulk_map_end bulk_map_ends[] = {
	{ KIT_FRONT, "close, front", bulk_map_close, true },
	{ KIT_BACK, "close, back", bulk_map_close, true },
	{ KIT_FRONT, "remove, front", bulk_map_unregister, true },
	{ KIT_BACK, "remove, back", bulk_map_unregister, true },
	{ KIT_FRONT, "link, front", bulk_map_stop_link, false },
	{ KIT_BACK, "link, back", bulk_map_stop_link, false },
};

static void bulk_map_describe(const struct bulk_map_end *end, char *desc)
{
	strscpy(desc, end->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(bulk_map_end, bulk_map_ends, bulk_map_describe);

static void bulk_map_ended(struct kunit *test)
{
	const struct bulk_map_end *end = test->param_value;
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);
	struct kit_thread *closer;

	bulk_map_hold(bulk, call, 1, DMA_FROM_DEVICE);
	KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, 1), 0);
	closer = kit_thread(bulk->kit, end->end, bulk);
	kit_wait(bulk->kit, calls_ended(call));
	KUNIT_EXPECT_NE(test, call->err, 0);
	msleep(50);
	if (end->waits)
		KUNIT_EXPECT_FALSE(test, completion_done(&closer->ended));
	else
		kit_join(closer);
	KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, 1), 0);
	KUNIT_EXPECT_EQ(test, bulk_map_held(bulk), MAP_PAGES);
	bulk_answer(bulk);
	if (end->waits)
		kit_join(closer);
	bulk_map_expect_free(bulk);
}

/*
 * Whoever lets go of a binding waits for a mapping that is about to begin, as if the
 * hypervisor took its time: the peer hears nothing before.
 */
static void bulk_map_waited_for(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);
	struct duct_link *link = hostile_slot(bulk->b)->link;
	struct kit_thread *closer;
	int idx;

	bulk_map_hold(bulk, call, 1, DMA_FROM_DEVICE);
	idx = srcu_read_lock(&link->mapping);
	closer = kit_thread(bulk->kit, bulk_map_close, bulk);
	msleep(200);
	KUNIT_EXPECT_FALSE(test, calls_ended(call));
	srcu_read_unlock(&link->mapping, idx);
	kit_wait(bulk->kit, calls_ended(call));
	KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, 1), -ECONNRESET);
	bulk_answer(bulk);
	kit_join(closer);
}

/* The same at the end of an epoch: the lender's page is not let go of before. */
static void bulk_map_waited_for_link(struct kunit *test)
{
	struct bulk *bulk = bulk_map_start(test, 16384);
	struct call *call = calls_new(bulk->kit);
	struct duct_link *link = hostile_slot(bulk->b)->link;
	struct kit_thread *closer;
	int idx;

	bulk_map_hold(bulk, call, 1, DMA_FROM_DEVICE);
	idx = srcu_read_lock(&link->mapping);
	closer = kit_thread(bulk->kit, bulk_map_stop_link, bulk);
	msleep(200);
	KUNIT_EXPECT_FALSE(test, completion_done(&closer->ended));
	srcu_read_unlock(&link->mapping, idx);
	kit_join(closer);
	kit_wait(bulk->kit, calls_ended(call));
	KUNIT_EXPECT_EQ(test, bulk_serve_map(bulk, bulk->held, 1), -ECONNRESET);
	bulk_answer(bulk);
}

static struct kunit_case bulk_map_cases[] = {
	KUNIT_CASE_PARAM(bulk_map_random, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_own, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_not_allowed, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_unwritten, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_pays, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_budget, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_not_lent, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_refused, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_given_up, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_epoch, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_ended, bulk_map_end_gen_params),
	KUNIT_CASE_PARAM(bulk_map_waited_for, kit_sides),
	KUNIT_CASE_PARAM(bulk_map_waited_for_link, kit_sides),
	{}
};

static int bulk_map_init(struct kunit *test)
{
	int err = kit_init(test);

	/* Few pages are enough to test with. */
	if (!err)
		kit_write(test->priv, MAP_PARAM, "1");
	return err;
}

static void bulk_map_exit(struct kunit *test)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", DUCT_MAP_PAGES);
	kit_exit(test);
	kit_write(test->priv, MAP_PARAM, text);
}

struct kunit_suite duct_bulk_map_suite = {
	.name = "duct_bulk_map",
	.init = bulk_map_init,
	.exit = bulk_map_exit,
	.test_cases = bulk_map_cases,
};
