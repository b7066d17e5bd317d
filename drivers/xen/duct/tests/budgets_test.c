// SPDX-License-Identifier: GPL-2.0
/* Budgets: who asks for more gets -EDQUOT at both ends, nobody else notices. */
#include "kit.h"

#define BUDGETS_CHANNELS 256	/* DUCT_POLICY_CHANNELS */
#define BUDGETS_BEYOND 8

struct budgets_ends {
	struct kit_end *a[BUDGETS_CHANNELS + BUDGETS_BEYOND];
	struct kit_end *b[BUDGETS_CHANNELS + BUDGETS_BEYOND];
};

static struct budgets_ends *budgets_ends(struct kunit *test)
{
	struct budgets_ends *ends = kunit_kzalloc(test, sizeof(*ends), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, ends);
	for (i = 0; i < BUDGETS_CHANNELS + BUDGETS_BEYOND; i++) {
		ends->a[i] = kit_end(test->priv);
		ends->b[i] = kit_end(test->priv);
	}
	return ends;
}

static bool budgets_refused(struct kit_end *end)
{
	return duct_error(end->ch) == -EDQUOT;
}

/* @side's end opens all first, then the other one. */
static void budgets_channels(struct kunit *test)
{
	struct duct_channel_config cfg = { .max_msg = 64 };
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_driver *driver = kit_peers(kit, false);
	struct budgets_ends *ends = budgets_ends(test);
	u32 i, up = 0, refused = 0;
	char text[32];

	for (i = 0; i < BUDGETS_CHANNELS + BUDGETS_BEYOND; i++)
		KUNIT_ASSERT_EQ(test, kit_open(ends->a[i], kit_peer(driver, side), i, &cfg), 0);
	for (i = 0; i < BUDGETS_CHANNELS + BUDGETS_BEYOND; i++)
		KUNIT_ASSERT_EQ(test, kit_open(ends->b[i], kit_peer(driver, !side), i, &cfg), 0);
	for (i = 0; i < BUDGETS_CHANNELS + BUDGETS_BEYOND; i++) {
		/* A backend that has asked for as many as it may does not even ask. */
		struct kit_end *back = side == KIT_BACK ? ends->a[i] : ends->b[i];

		kit_wait(kit, (ends->a[i]->is_up && ends->b[i]->is_up) || budgets_refused(back));
		if (ends->a[i]->is_up) {
			up++;
			kit_exchange(ends->a[i], ends->b[i]);
			continue;
		}
		refused++;
		KUNIT_EXPECT_EQ(test, kit_read_channel(back, "state", text, 32), 0);
		KUNIT_EXPECT_STREQ(test, text, "over budget\n");
		KUNIT_EXPECT_FALSE(test, ends->a[i]->is_up || ends->b[i]->is_up);
	}
	KUNIT_EXPECT_EQ(test, up, (u32)BUDGETS_CHANNELS);
	KUNIT_EXPECT_EQ(test, refused, (u32)BUDGETS_BEYOND);
	KUNIT_EXPECT_EQ(test, kit_read_device(kit_peer(driver, 0), "../fault", text, 32), 0);
	KUNIT_EXPECT_STREQ(test, text, "\n");
	KUNIT_EXPECT_EQ(test, kit_read_device(kit_peer(driver, 1), "../fault", text, 32), 0);
	KUNIT_EXPECT_STREQ(test, text, "\n");
}

/* A place that was given back is there for who asks again. */
static void budgets_given_back(struct kunit *test)
{
	struct duct_channel_config cfg = { .max_msg = 64 };
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	struct budgets_ends *ends = budgets_ends(test);
	struct duct_msg msg;
	u32 i;

	for (i = 0; i <= BUDGETS_CHANNELS; i++) {
		KUNIT_ASSERT_EQ(test, kit_open(ends->a[i], kit_peer(driver, 0), i, &cfg), 0);
		KUNIT_ASSERT_EQ(test, kit_open(ends->b[i], kit_peer(driver, 1), i, &cfg), 0);
		/* One by one, so that the last is the one too many. */
		kit_wait(kit, ends->b[i]->is_up || budgets_refused(ends->b[i]));
	}
	i = BUDGETS_CHANNELS;
	kit_wait(kit, budgets_refused(ends->a[i]) && budgets_refused(ends->b[i]));
	kit_close(ends->a[i]);
	kit_close(ends->b[i]);

	kit_close(ends->a[3]);
	kit_wait(kit, duct_next(ends->b[3]->ch, &msg) == -EPIPE && atomic_read(&ends->b[3]->downs));
	kit_close(ends->b[3]);
	kit_connect(driver, ends->a[i], 0, &cfg, ends->b[i], &cfg, i);
	kit_exchange(ends->a[i], ends->b[i]);
}

/* Memory, too: a ring that is too long, among others that are not. */
static void budgets_pages(struct kunit *test)
{
	struct duct_channel_config cfg = { .max_msg = 64 };
	struct duct_channel_config most = { .tx_bytes = 4u << 20, .rx_bytes = 4u << 20 };
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct kit_end *c = kit_end(kit), *d = kit_end(kit);

	kit_connect(driver, a, side, &cfg, b, &cfg, 0);
	KUNIT_ASSERT_EQ(test, kit_open(c, kit_peer(driver, side), 1, &most), 0);
	KUNIT_ASSERT_EQ(test, kit_open(d, kit_peer(driver, !side), 1, &most), 0);
	kit_wait(kit, budgets_refused(c) && budgets_refused(d));
	kit_exchange(a, b);
	kit_close(c);
	kit_close(d);
	kit_connect(driver, c, side, &cfg, d, &cfg, 1);
	kit_exchange(c, d);
}

static u32 budgets_arena(struct kunit *test, struct kit_driver *driver)
{
	char text[16];
	u32 pages;

	KUNIT_ASSERT_EQ(test, kit_read_device(kit_peer(driver, 0), "../pages", text, 16), 0);
	KUNIT_ASSERT_EQ(test, kstrtou32(text, 10, &pages), 0);
	return pages;
}

/*
 * A large ring that comes and goes is in the place where it was. What its readers may still
 * see, for a grace period, would else make the arena larger: by as much again, for ever.
 */
static void budgets_again(struct kunit *test)
{
	struct duct_channel_config cfg = { .ops = &kit_recv_ops, .tx_bytes = 256u << 10 };
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	u32 pages, i;

	kit_connect(driver, a, side, &cfg, b, &cfg, 0);
	pages = budgets_arena(test, driver);
	for (i = 1; i <= 40; i++) {
		kit_close(a);
		kit_wait(kit, atomic_read(&b->downs) == i);
		KUNIT_ASSERT_EQ(test, kit_open(a, kit_peer(driver, side), 0, &cfg), 0);
		kit_wait(kit, a->is_up && b->is_up);
	}
	KUNIT_EXPECT_EQ(test, budgets_arena(test, driver), pages);
}

static struct kunit_case budgets_cases[] = {
	KUNIT_CASE_PARAM(budgets_channels, kit_sides),
	KUNIT_CASE(budgets_given_back),
	KUNIT_CASE_PARAM(budgets_pages, kit_sides),
	KUNIT_CASE_PARAM(budgets_again, kit_sides),
	{}
};

struct kunit_suite duct_budgets_suite = {
	.name = "duct_budgets",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = budgets_cases,
};
