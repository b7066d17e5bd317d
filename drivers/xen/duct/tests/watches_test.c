// SPDX-License-Identifier: GPL-2.0
/* Triggers of a region: the sums are right, the callbacks are few, nobody holds up another. */
#include "regions.h"

#define WATCHES_MANY	20000u
#define WATCHES_OFF	128u

/**
 * struct watches_one - a watch that notes what it is told
 * @w: the API's
 * @all: the test
 * @calls: of fn()
 * @told: total at the last of them
 * @hold: fn() waits until this is false
 * @held: it does
 */
struct watches_one {
	struct duct_watch w;
	struct regions *all;
	atomic_t calls;
	u64 told;
	bool hold;
	bool held;
};

/**
 * struct watches - one test
 * @all: the regions
 * @one: what the owner watches, then the others; the test's in any order
 * @by: who triggers
 */
struct watches {
	struct regions *all;
	struct watches_one one[REGIONS_PEERS + 1];
	u32 by;
};

static void watches_fn(struct duct_watch *w)
{
	struct watches_one *one = container_of(w, struct watches_one, w);
	bool hold = READ_ONCE(one->hold);

	atomic_inc(&one->calls);
	WRITE_ONCE(one->told, READ_ONCE(w->total));
	WRITE_ONCE(one->held, hold);
	wake_up_all(&one->all->kit->wait);
	/* Not for what the test asks of the next call. */
	if (hold)
		wait_event(one->all->kit->wait, !READ_ONCE(one->hold) || one->all->kit->over);
}

static struct duct_region *watches_region(struct watches *w, u32 domain)
{
	return domain ? w->all->peer[domain - 1].r : w->all->owner.r;
}

static void watches_add(struct watches *w, u32 domain, u64 off, u32 count)
{
	struct watches_one *one = &w->one[domain];

	one->all = w->all;
	one->w = (struct duct_watch){ .fn = watches_fn, .off = off, .count = count };
	KUNIT_ASSERT_EQ(w->all->kit->test, duct_region_watch(watches_region(w, domain), &one->w), 0);
}

/* An owner and three others, all of them up. */
static struct watches *watches_start(struct kunit *test, bool keep)
{
	struct watches *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->all = regions_start(test, kit_param_side(test), PAGE_SIZE, keep);
	for (i = 0; i < REGIONS_PEERS; i++)
		regions_join(w->all, i, i != 1);	/* one may only read */
	return w;
}

static void watches_wait(struct watches *w, u32 domain, u64 total)
{
	unsigned long until = jiffies + KIT_WAIT;

	/* Nobody is told of what is less than the count. */
	while (READ_ONCE(w->one[domain].w.total) < total && time_before(jiffies, until))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(w->all->kit->test, READ_ONCE(w->one[domain].w.total), total);
}

static void watches_trigger(struct watches *w, u32 domain, u64 off, u32 n)
{
	struct duct_region *r = watches_region(w, domain);

	while (n--)
		KUNIT_EXPECT_EQ(w->all->kit->test, duct_region_trigger(r, off), 0);
}

/* ---- what works ---- */

/* From each domain to all others, and not to itself. */
static void watches_all(struct kunit *test)
{
	struct watches *w = watches_start(test, false);
	u32 by, i;

	for (i = 0; i <= REGIONS_PEERS; i++)
		watches_add(w, i, WATCHES_OFF, 1);
	for (by = 0; by <= REGIONS_PEERS; by++) {
		watches_trigger(w, by, WATCHES_OFF, 10);
		watches_trigger(w, by, WATCHES_OFF + 1, 5);	/* nobody watches */
		for (i = 0; i <= REGIONS_PEERS; i++)
			watches_wait(w, i, 10 * (by + (i > by)));
	}
	for (i = 0; i <= REGIONS_PEERS; i++)
		duct_region_unwatch(watches_region(w, i), &w->one[i].w);
	watches_trigger(w, 0, WATCHES_OFF, 1);
}

static int watches_thread(void *arg)
{
	struct watches *w = arg;
	u32 i;

	for (i = 0; i < WATCHES_MANY; i++)
		if (duct_region_trigger(watches_region(w, w->by), WATCHES_OFF))
			return -EIO;
	return 0;
}

static int watches_thread_other(void *arg)
{
	struct watches *w = arg;
	u32 i;

	for (i = 0; i < WATCHES_MANY; i++)
		if (duct_region_trigger(watches_region(w, (w->by + 1) % 4), WATCHES_OFF))
			return -EIO;
	return 0;
}

/* Two domains at once; the others count. */
static void watches_sum(struct kunit *test)
{
	struct watches *w = watches_start(test, false);
	struct kit_thread *thread[2];
	u32 i, to;

	for (w->by = 0; w->by <= REGIONS_PEERS; w->by++) {
		for (i = 2; i < 4; i++)
			watches_add(w, (w->by + i) % 4, WATCHES_OFF, (i - 1) * 100);
		thread[0] = kit_thread(w->all->kit, watches_thread, w);
		thread[1] = kit_thread(w->all->kit, watches_thread_other, w);
		KUNIT_EXPECT_EQ(test, kit_join(thread[0]), 0);
		KUNIT_EXPECT_EQ(test, kit_join(thread[1]), 0);
		for (i = 2; i < 4; i++) {
			to = (w->by + i) % 4;
			watches_wait(w, to, 2 * WATCHES_MANY);
			kit_wait(w->all->kit, READ_ONCE(w->one[to].told) == 2 * WATCHES_MANY);
			KUNIT_EXPECT_LE(test, atomic_xchg(&w->one[to].calls, 0),
					2 * WATCHES_MANY / ((i - 1) * 100));
			duct_region_unwatch(watches_region(w, to), &w->one[to].w);
			w->one[to].told = 0;
		}
	}
}

/* Once per count, and the rest counts for the next time. */
static void watches_count(struct kunit *test)
{
	struct watches *w = watches_start(test, false);

	watches_add(w, 1, WATCHES_OFF, 10);
	watches_trigger(w, 2, WATCHES_OFF, 9);
	watches_wait(w, 1, 9);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->one[1].calls), 0);
	watches_trigger(w, 0, WATCHES_OFF, 1);
	kit_wait(w->all->kit, atomic_read(&w->one[1].calls) == 1);
	/* While fn() runs 25 come: two counts, one call, five over. */
	w->one[1].hold = true;
	watches_trigger(w, 3, WATCHES_OFF, 10);
	kit_wait(w->all->kit, READ_ONCE(w->one[1].held));
	watches_trigger(w, 3, WATCHES_OFF, 25);
	watches_wait(w, 1, 45);
	WRITE_ONCE(w->one[1].hold, false);
	wake_up_all(&w->all->kit->wait);
	kit_wait(w->all->kit, atomic_read(&w->one[1].calls) == 3);
	watches_trigger(w, 3, WATCHES_OFF, 4);
	watches_wait(w, 1, 49);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->one[1].calls), 3);
	watches_trigger(w, 3, WATCHES_OFF, 1);
	kit_wait(w->all->kit, atomic_read(&w->one[1].calls) == 4);
}

/* One that does not return from fn() holds up nobody: storms at many offsets. */
static void watches_storm(struct kunit *test)
{
	struct watches *w = watches_start(test, false);
	u32 i;

	watches_add(w, 1, 0, 1);
	watches_add(w, 2, 0, 1);
	watches_add(w, 3, 7, 1);
	w->one[1].hold = true;
	watches_trigger(w, 0, 0, 1);
	kit_wait(w->all->kit, READ_ONCE(w->one[1].held));
	/* From where nothing sleeps: the rings are full many times over. */
	for (i = 0; i < 10; i++) {
		local_irq_disable();
		for (u32 n = 0; n < 1000; n++)
			duct_region_trigger(w->all->owner.r, 0);
		local_irq_enable();
	}
	watches_wait(w, 2, 10001);
	watches_trigger(w, 2, 7, 100);
	watches_wait(w, 3, 100);
	WRITE_ONCE(w->one[1].hold, false);
	wake_up_all(&w->all->kit->wait);
	kit_wait(w->all->kit, READ_ONCE(w->one[1].told) == 10001);
	KUNIT_EXPECT_LE(test, atomic_read(&w->one[1].calls), 40);
}

/* A watch is the domain's, not the epoch's. */
static void watches_epoch(struct kunit *test)
{
	struct watches *w = watches_start(test, true);
	u32 i;

	watches_add(w, 0, WATCHES_OFF, 1);
	watches_add(w, 2, WATCHES_OFF, 1);
	watches_trigger(w, 1, WATCHES_OFF, 5);
	watches_wait(w, 0, 5);
	watches_wait(w, 2, 5);
	kit_loop_run(w->all->kit, false);
	kit_wait(w->all->kit, !regions_is_up(&w->all->peer[0]));
	KUNIT_EXPECT_EQ(test, duct_region_trigger(w->all->peer[0].r, 0), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, duct_region_trigger(w->all->owner.r, 0), 0);
	/* Before it is up again, too. */
	watches_add(w, 3, WATCHES_OFF, 1);
	kit_loop_run(w->all->kit, true);
	for (i = 0; i < REGIONS_PEERS; i++)
		kit_wait(w->all->kit, regions_is_up(&w->all->peer[i]));
	kit_wait(w->all->kit, hweight64(READ_ONCE(w->all->owner.in)) == REGIONS_PEERS);
	watches_trigger(w, 1, WATCHES_OFF, 3);
	watches_wait(w, 0, 8);
	watches_wait(w, 2, 8);
	watches_wait(w, 3, 3);
}

static void watches_fn_ends(struct duct_watch *w)
{
	struct watches_one *one = container_of(w, struct watches_one, w);

	duct_region_unwatch(one->all->peer[0].r, w);
	atomic_inc(&one->calls);
	wake_up_all(&one->all->kit->wait);
}

/* Both in a callback: watching waits for the owner there, and ending does not for itself. */
static void watches_up(struct regions_end *end)
{
	struct watches *w = end->all->priv;

	if (duct_region_watch(end->r, &w->one[1].w))
		atomic_inc(&end->bad);
}

static void watches_callbacks(struct kunit *test)
{
	struct watches *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->all = regions_start(test, kit_param_side(test), PAGE_SIZE, false);
	w->all->priv = w;
	w->one[1].all = w->all;
	w->one[1].w = (struct duct_watch){ .fn = watches_fn_ends, .off = 3 };
	w->all->peer[0].on_up = watches_up;
	regions_join(w->all, 0, true);
	kit_wait(w->all->kit, atomic_read(&w->all->peer[0].ups));
	watches_trigger(w, 0, 3, 1);
	kit_wait(w->all->kit, atomic_read(&w->one[1].calls) == 1);
	/* The owner is asked, and knows then that the other has ended. */
	w->one[2].all = w->all;
	w->one[2].w = (struct duct_watch){ .fn = watches_fn, .off = 4, .count = 1 };
	KUNIT_ASSERT_EQ(test, duct_region_watch(watches_region(w, 1), &w->one[2].w), 0);
	watches_trigger(w, 0, 3, 1);
	watches_add(w, 1, 3, 1);
	watches_trigger(w, 0, 3, 1);
	watches_wait(w, 1, 1);
}

/* ---- what does not ---- */

static void watches_bad_input(struct kunit *test)
{
	struct watches *w = watches_start(test, false);
	struct duct_watch *many = kunit_kcalloc(test, 65, sizeof(*many), GFP_KERNEL);
	struct duct_watch bad = { .fn = watches_fn, .off = PAGE_SIZE };
	u32 domain, i;

	KUNIT_ASSERT_NOT_NULL(test, many);
	for (domain = 0; domain < 2; domain++) {
		struct duct_region *r = watches_region(w, domain);

		KUNIT_EXPECT_EQ(test, duct_region_trigger(r, PAGE_SIZE), -EINVAL);
		KUNIT_EXPECT_EQ(test, duct_region_trigger(r, U64_MAX), -EINVAL);
		KUNIT_EXPECT_EQ(test, duct_region_trigger(r, PAGE_SIZE - 1), 0);
		bad.fn = watches_fn;
		KUNIT_EXPECT_EQ(test, duct_region_watch(r, &bad), -EINVAL);
		bad.fn = NULL;
		KUNIT_EXPECT_EQ(test, duct_region_watch(r, &bad), -EINVAL);
		for (i = 0; i <= 64; i++) {
			many[i] = (struct duct_watch){ .fn = watches_fn, .off = i };
			KUNIT_EXPECT_EQ(test, duct_region_watch(r, &many[i]), i < 64 ? 0 : -ENOSPC);
		}
		for (i = 0; i < 64; i++)
			duct_region_unwatch(r, &many[i]);
	}
}

static struct kunit_case watches_cases[] = {
	KUNIT_CASE_PARAM(watches_all, kit_sides),
	KUNIT_CASE_PARAM(watches_sum, kit_sides),
	KUNIT_CASE_PARAM(watches_count, kit_sides),
	KUNIT_CASE_PARAM(watches_storm, kit_sides),
	KUNIT_CASE_PARAM(watches_epoch, kit_sides),
	KUNIT_CASE_PARAM(watches_callbacks, kit_sides),
	KUNIT_CASE_PARAM(watches_bad_input, kit_sides),
	{}
};

struct kunit_suite duct_watches_suite = {
	.name = "duct_watches",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = watches_cases,
};
