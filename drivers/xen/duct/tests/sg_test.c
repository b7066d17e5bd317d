// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers between the domains of a region: lists of any shape at both ends, every byte
 * compared, and every byte around the pieces must stay what it was.
 */
#include <linux/scatterlist.h>
#include <linux/vmalloc.h>

#include "hostile.h"
#include "regions.h"

#define SG_PAGES	48u
#define SG_FIELD	(SG_PAGES * PAGE_SIZE)
#define SG_PIECES	40u
#define SG_CANARY	0xc5
#define SG_RANDOM	150u

/**
 * struct sg_list - a list cut from a field of its own
 * @s: to register
 * @all: the test
 * @field: SG_FIELD bytes
 * @table: the pieces
 * @nents: of @table
 * @at: where each piece begins in @field
 * @len: and its bytes
 * @bytes: of all
 * @dones: calls of done()
 * @moved: what the last one said
 * @order: which done() this was
 * @err: what the last one was told, if it took the list back
 */
struct sg_list {
	struct duct_sg s;
	struct regions *all;
	u8 *field;
	struct scatterlist table[SG_PIECES];
	u32 nents;
	u32 at[SG_PIECES];
	u32 len[SG_PIECES];
	u32 bytes;
	atomic_t dones;
	u32 moved;
	u32 order;
	int err;
};

struct sg_test {
	struct regions *all;
	struct sg_list list[4];
	atomic_t dones;
	struct rnd_state rnd;
};

static struct duct_region *sg_region(struct sg_test *t, u32 domain)
{
	return domain ? t->all->peer[domain - 1].r : t->all->owner.r;
}

static void sg_done(struct duct_sg *s, u32 len)
{
	struct sg_list *list = container_of(s, struct sg_list, s);
	struct sg_test *t = list->all->priv;

	list->moved = len;
	list->order = atomic_inc_return(&t->dones);
	atomic_inc(&list->dones);
	wake_up_all(&list->all->kit->wait);
}

static void sg_free(struct kit_driver *driver, struct duct_device *dd);
static void (*sg_remove)(struct kit_driver *driver, struct duct_device *dd);

static struct sg_test *sg_start(struct kunit *test, unsigned int side)
{
	struct sg_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->all = regions_start(test, side, PAGE_SIZE, false);
	t->all->priv = t;
	sg_remove = t->all->driver->on_remove;
	t->all->driver->on_remove = sg_free;
	prandom_seed_state(&t->rnd, 11);
	for (i = 0; i < ARRAY_SIZE(t->list); i++) {
		t->list[i].all = t->all;
		t->list[i].field = vmalloc(SG_FIELD);
		KUNIT_ASSERT_NOT_NULL(test, t->list[i].field);
	}
	for (i = 0; i < REGIONS_PEERS; i++)
		regions_join(t->all, i, true);
	return t;
}

/* After the last region is gone. */
static void sg_free(struct kit_driver *driver, struct duct_device *dd)
{
	struct regions *all = driver->priv;
	struct sg_test *t = all->priv;
	u32 i;

	sg_remove(driver, dd);
	for (i = 0; !all->bound && i < ARRAY_SIZE(t->list); i++)
		vfree(t->list[i].field);
}

/* ---- lists ---- */

static void sg_begin(struct sg_list *list)
{
	memset(list->field, SG_CANARY, SG_FIELD);
	list->nents = 0;
	list->bytes = 0;
	atomic_set(&list->dones, 0);
	list->s = (struct duct_sg){ .done = sg_done, .sg = list->table };
}

/* In one page. */
static void sg_piece(struct sg_list *list, u32 at, u32 len)
{
	u32 i = list->nents++;

	list->at[i] = at;
	list->len[i] = len;
	list->bytes += len;
	if (!i)
		sg_init_table(list->table, SG_PIECES);
	sg_set_page(&list->table[i], vmalloc_to_page(list->field + at), len, at % PAGE_SIZE);
	list->s.nents = list->nents;
}

static void sg_random(struct sg_test *t, struct sg_list *list)
{
	u32 pieces = 1 + prandom_u32_state(&t->rnd) % SG_PIECES, page = 0;

	sg_begin(list);
	while (pieces-- && page < SG_PAGES) {
		u32 at = prandom_u32_state(&t->rnd) % PAGE_SIZE;
		u32 len = 1 + prandom_u32_state(&t->rnd) % (PAGE_SIZE - at);

		if (prandom_u32_state(&t->rnd) % 3 == 0) {
			at = 0;
			len = PAGE_SIZE;
		}
		sg_piece(list, page * PAGE_SIZE + at, len);
		page += 1 + prandom_u32_state(&t->rnd) % 2;
	}
}

static u8 sg_byte(struct sg_test *t, u32 seed, u32 pos)
{
	return t->all->kit->pattern[(seed * 977u + pos) % KIT_PATTERN];
}

static void sg_fill(struct sg_test *t, struct sg_list *list, u32 seed)
{
	u32 i, n, pos = 0;

	for (i = 0; i < list->nents; i++)
		for (n = 0; n < list->len[i]; n++)
			list->field[list->at[i] + n] = sg_byte(t, seed, pos++);
}

/* Bytes that are wrong: the first @moved must be the pattern, the others as they were. */
static u32 sg_differ(struct sg_test *t, struct sg_list *list, u32 seed, u32 moved)
{
	u32 i, n, pos = 0, at = 0, bad = 0;

	for (i = 0; i < list->nents; i++) {
		for (; at < list->at[i]; at++)
			bad += list->field[at] != SG_CANARY;
		for (n = 0; n < list->len[i]; n++, at++, pos++)
			bad += list->field[at] != (pos < moved ? sg_byte(t, seed, pos) : SG_CANARY);
	}
	for (; at < SG_FIELD; at++)
		bad += list->field[at] != SG_CANARY;
	return bad;
}

/* ---- what works ---- */

/* One transfer: @by's list to, or from, one that @to has registered. */
static void sg_one(struct sg_test *t, u32 by, u32 to, bool write, u32 seed)
{
	struct kunit *test = t->all->kit->test;
	struct sg_list *mine = &t->list[0], *theirs = &t->list[1];
	struct sg_list *from = write ? mine : theirs, *into = write ? theirs : mine;
	u32 id = to ? sg_region(t, to)->self : 0, moved;

	sg_fill(t, from, seed);
	moved = min(mine->bytes, theirs->bytes);
	theirs->s.dir = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	KUNIT_ASSERT_EQ(test, duct_sg_register(sg_region(t, to), &theirs->s), 0);
	KUNIT_ASSERT_EQ(test, duct_sg_xfer(sg_region(t, by), id, mine->table, mine->nents,
					   write ? DMA_TO_DEVICE : DMA_FROM_DEVICE), moved);
	kit_wait(t->all->kit, atomic_read(&theirs->dones) == 1);
	KUNIT_EXPECT_EQ(test, theirs->moved, moved);
	KUNIT_EXPECT_EQ(test, sg_differ(t, into, seed, moved), 0u);
	KUNIT_EXPECT_EQ(test, sg_differ(t, from, seed, from->bytes), 0u);
}

/* Random lists at both ends, between any two domains, either way. */
static void sg_property(struct kunit *test)
{
	struct sg_test *t = sg_start(test, kit_param_side(test));
	u32 i;

	for (i = 0; i < SG_RANDOM; i++) {
		u32 by = prandom_u32_state(&t->rnd) % 4;
		u32 to = (by + 1 + prandom_u32_state(&t->rnd) % 3) % 4;

		sg_random(t, &t->list[0]);
		sg_random(t, &t->list[1]);
		sg_one(t, by, to, prandom_u32_state(&t->rnd) % 2, i);
	}
}

/* The oldest of its direction goes first, and each is used once. */
static void sg_oldest(struct kunit *test)
{
	struct sg_test *t = sg_start(test, kit_param_side(test));
	struct duct_region *r = sg_region(t, 1);
	u32 i;

	for (i = 0; i < 4; i++) {
		sg_begin(&t->list[i]);
		sg_piece(&t->list[i], i * 64, 64);
		t->list[i].s.dir = i == 1 ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	}
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, duct_sg_register(r, &t->list[i].s), 0);
	KUNIT_EXPECT_EQ(test, duct_sg_register(r, &t->list[2].s), -EBUSY);
	KUNIT_EXPECT_EQ(test, duct_sg_xfer(sg_region(t, 0), r->self, t->list[3].table, 1,
					   DMA_TO_DEVICE), 64);
	KUNIT_EXPECT_EQ(test, duct_sg_xfer(sg_region(t, 2), r->self, t->list[3].table, 1,
					   DMA_TO_DEVICE), 64);
	KUNIT_EXPECT_EQ(test, duct_sg_xfer(sg_region(t, 2), r->self, t->list[3].table, 1,
					   DMA_TO_DEVICE), -ENOBUFS);
	KUNIT_EXPECT_EQ(test, duct_sg_xfer(sg_region(t, 3), r->self, t->list[3].table, 1,
					   DMA_FROM_DEVICE), 64);
	kit_wait(t->all->kit, atomic_read(&t->dones) == 3);
	KUNIT_EXPECT_EQ(test, t->list[0].order, 1u);
	KUNIT_EXPECT_EQ(test, t->list[2].order, 2u);
	KUNIT_EXPECT_EQ(test, t->list[1].order, 3u);
	KUNIT_EXPECT_EQ(test, duct_sg_unregister(r, &t->list[0].s), -ENOENT);
	KUNIT_EXPECT_EQ(test, duct_sg_register(r, &t->list[0].s), 0);
	KUNIT_EXPECT_EQ(test, duct_sg_unregister(r, &t->list[0].s), 0);
	KUNIT_EXPECT_EQ(test, duct_sg_xfer(sg_region(t, 0), r->self, t->list[3].table, 1,
					   DMA_TO_DEVICE), -ENOBUFS);
	/* What is registered when the region ends is the caller's again. */
	KUNIT_EXPECT_EQ(test, duct_sg_register(r, &t->list[0].s), 0);
	regions_put(&t->all->peer[0]);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->list[0].dones), 1);
}

static int sg_xfer_thread(void *arg)
{
	struct sg_test *t = arg;
	u32 moved = 0, i;

	for (i = 0; i < 200; i++)
		moved += duct_sg_xfer(sg_region(t, 0), 1, t->list[3].table, 1, DMA_TO_DEVICE) == 64;
	return moved;
}

/* Taken back while others transfer: each is either consumed or not. */
static void sg_unregister(struct kunit *test)
{
	struct sg_test *t = sg_start(test, kit_param_side(test));
	struct kit_thread *thread;
	u32 i, consumed = 0;

	sg_begin(&t->list[3]);
	sg_piece(&t->list[3], 0, 64);
	sg_begin(&t->list[0]);
	sg_piece(&t->list[0], 0, 64);
	t->list[0].s.dir = DMA_FROM_DEVICE;
	thread = kit_thread(t->all->kit, sg_xfer_thread, t);
	for (i = 0; !READ_ONCE(thread->ended.done); i++) {
		KUNIT_ASSERT_EQ(test, duct_sg_register(sg_region(t, 1), &t->list[0].s), 0);
		if (i % 2)
			schedule_timeout_uninterruptible(1);
		consumed += duct_sg_unregister(sg_region(t, 1), &t->list[0].s) == -ENOENT;
	}
	KUNIT_EXPECT_EQ(test, (u32)kit_join(thread), consumed);
	KUNIT_EXPECT_EQ(test, (u32)atomic_read(&t->list[0].dones), consumed);
	KUNIT_EXPECT_GT(test, consumed, 0u);
}

static void sg_done_unregisters(struct duct_sg *s, u32 len)
{
	struct sg_list *list = container_of(s, struct sg_list, s);

	list->err = duct_sg_unregister(sg_region(list->all->priv, 1), s);
	sg_done(s, len);
}

/* In its own done() nobody waits for that. */
static void sg_in_done(struct kunit *test)
{
	struct sg_test *t = sg_start(test, kit_param_side(test));
	struct sg_list *list = &t->list[0];

	sg_begin(list);
	sg_piece(list, 0, 64);
	sg_begin(&t->list[3]);
	sg_piece(&t->list[3], 0, 64);
	list->s.dir = DMA_FROM_DEVICE;
	list->s.done = sg_done_unregisters;
	KUNIT_ASSERT_EQ(test, duct_sg_register(sg_region(t, 1), &list->s), 0);
	KUNIT_EXPECT_EQ(test, duct_sg_xfer(sg_region(t, 0), sg_region(t, 1)->self,
					   t->list[3].table, 1, DMA_TO_DEVICE), 64);
	kit_wait(t->all->kit, atomic_read(&list->dones) == 1);
	KUNIT_EXPECT_EQ(test, list->err, -EBUSY);
}

/* ---- what does not ---- */

static void sg_bad_input(struct kunit *test)
{
	struct sg_test *t = sg_start(test, kit_param_side(test));
	struct sg_list *list = &t->list[0];
	u32 domain;

	for (domain = 0; domain < 2; domain++) {
		struct duct_region *r = sg_region(t, domain);
		unsigned int other = 1 - domain;

		sg_begin(list);
		sg_piece(list, 0, 100);
		KUNIT_EXPECT_EQ(test, duct_sg_xfer(r, other, list->table, 1, DMA_NONE), -EINVAL);
		KUNIT_EXPECT_EQ(test, duct_sg_xfer(r, other, list->table, 0, DMA_TO_DEVICE),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, duct_sg_xfer(r, other, list->table, 1025, DMA_TO_DEVICE),
				-EMSGSIZE);
		KUNIT_EXPECT_EQ(test, duct_sg_xfer(r, domain, list->table, 1, DMA_TO_DEVICE),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, duct_sg_xfer(r, 9, list->table, 1, DMA_TO_DEVICE), -ENOENT);
		KUNIT_EXPECT_EQ(test, duct_sg_xfer(r, 64, list->table, 1, DMA_TO_DEVICE), -ENOENT);
		KUNIT_EXPECT_EQ(test, duct_sg_xfer(r, other, list->table, 1, DMA_TO_DEVICE),
				-ENOBUFS);
		sg_piece(list, 99, 10);
		KUNIT_EXPECT_EQ(test, duct_sg_xfer(r, other, list->table, 2, DMA_FROM_DEVICE),
				-EINVAL);
		list->s.dir = DMA_FROM_DEVICE;
		KUNIT_EXPECT_EQ(test, duct_sg_register(r, &list->s), -EINVAL);
		list->s.dir = DMA_TO_DEVICE;	/* may be read twice */
		KUNIT_EXPECT_EQ(test, duct_sg_register(r, &list->s), 0);
		KUNIT_EXPECT_EQ(test, duct_sg_unregister(r, &list->s), 0);
		list->s.dir = DMA_BIDIRECTIONAL;
		KUNIT_EXPECT_EQ(test, duct_sg_register(r, &list->s), -EINVAL);
		list->table[1].length = 0;
		list->s.dir = DMA_TO_DEVICE;
		KUNIT_EXPECT_EQ(test, duct_sg_register(r, &list->s), -EINVAL);
		list->table[1].length = 4 << 20;
		KUNIT_EXPECT_EQ(test, duct_sg_register(r, &list->s), -EMSGSIZE);
		list->s.done = NULL;
		KUNIT_EXPECT_EQ(test, duct_sg_register(r, &list->s), -EINVAL);
	}
}

/* ---- a peer that lies ---- */

struct sg_lie {
	const char *name;
	struct duct_region_moved moved;
	u32 len;
	int result;
};

static const struct sg_lie sg_lies[] = {
	{ "all", { .bytes = 64 }, sizeof(struct duct_region_moved), 64 },
	{ "one byte too many", { .bytes = 65 }, sizeof(struct duct_region_moved), -EPROTO },
	{ "far too many", { .bytes = U32_MAX }, sizeof(struct duct_region_moved), -EPROTO },
	{ "half an answer", { }, 4, -EPROTO },
	{ "no answer", { }, 0, -EPROTO },
};

static void sg_lie_name(const struct sg_lie *lie, char *desc)
{
	strscpy(desc, lie->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sg_lie, sg_lies, sg_lie_name);

static int sg_lied_to(void *arg)
{
	struct sg_test *t = arg;

	return duct_sg_xfer(sg_region(t, 0), 1, t->list[3].table, 1, DMA_TO_DEVICE);
}

/* Answers in the peer's place; the peer's own answer is one too many then. */
static void sg_lying(struct kunit *test)
{
	const struct sg_lie *lie = test->param_value;
	struct sg_test *t = sg_start(test, KIT_FRONT);
	const struct duct_frame frame = {
		.len = lie->len,
		.type = DUCT_FRAME_ANSWER,
		.generation = 1,
	};
	struct kit_thread *thread;
	struct duct_slot *slot;

	sg_begin(&t->list[3]);
	sg_piece(&t->list[3], 0, 64);
	slot = hostile_region_stop(sg_region(t, 1));
	thread = kit_thread(t->all->kit, sg_lied_to, t);
	hostile_await(t->all->kit, slot);
	hostile_frame(slot, &frame, &lie->moved, lie->len);
	KUNIT_EXPECT_EQ(test, kit_join(thread), lie->result);
	hostile_region_go(sg_region(t, 1));
	kit_wait(t->all->kit, !regions_is_up(&t->all->peer[0]));
	KUNIT_EXPECT_EQ(test, duct_sg_xfer(sg_region(t, 0), 2, t->list[3].table, 1,
					   DMA_TO_DEVICE), -ENOBUFS);
}

static struct kunit_case sg_cases[] = {
	KUNIT_CASE_PARAM(sg_property, kit_sides),
	KUNIT_CASE_PARAM(sg_oldest, kit_sides),
	KUNIT_CASE_PARAM(sg_unregister, kit_sides),
	KUNIT_CASE_PARAM(sg_in_done, kit_sides),
	KUNIT_CASE_PARAM(sg_bad_input, kit_sides),
	KUNIT_CASE_PARAM(sg_lying, sg_lie_gen_params),
	{}
};

struct kunit_suite duct_sg_suite = {
	.name = "duct_sg",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = sg_cases,
};
