// SPDX-License-Identifier: GPL-2.0
/* Doors: one per CPU, as channels come; each works alone, and none has to be. */
#include "hostile.h"

#define DOORS_CHANNELS 8

static struct duct_link *doors_link(struct kit_driver *driver, unsigned int side)
{
	return to_duct_device_core(kit_peer(driver, side))->service->link;
}

/* Nobody is told of a door. */
static void doors_wait(struct kunit *test, const u32 *value, u32 want)
{
	unsigned long until = jiffies + KIT_WAIT;

	while (READ_ONCE(*value) != want && time_before(jiffies, until))
		schedule_timeout_uninterruptible(1);
	KUNIT_ASSERT_EQ(test, READ_ONCE(*value), want);
}

static u32 doors_most(struct kunit *test)
{
	KUNIT_ASSERT_GE(test, num_online_cpus(), 2u);
	return min(num_online_cpus(), 8u);
}

/* A new epoch has door 0 alone. */
static struct kit_driver *doors_start(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver;

	kit_loop_run(kit, true);
	driver = kit_peers(kit, true);
	KUNIT_EXPECT_EQ(test, doors_link(driver, KIT_FRONT)->doors, 1u);
	KUNIT_EXPECT_EQ(test, doors_link(driver, KIT_BACK)->doors, 1u);
	return driver;
}

static void doors_spread(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = doors_start(test);
	struct duct_link *front = doors_link(driver, KIT_FRONT), *back = doors_link(driver, KIT_BACK);
	struct kit_end *a[DOORS_CHANNELS], *b[DOORS_CHANNELS];
	u32 i, most = doors_most(test), used[DUCT_DOORS] = {};
	u64 events[DUCT_DOORS];
	char text[8], want[8];

	for (i = 0; i < DOORS_CHANNELS; i++) {
		a[i] = kit_end(kit);
		b[i] = kit_end(kit);
		kit_connect(driver, a[i], KIT_FRONT, NULL, b[i], NULL, i);
		KUNIT_EXPECT_EQ(test, hostile_slot(a[i])->door, hostile_slot(b[i])->door);
		used[hostile_slot(a[i])->door]++;
		doors_wait(test, &front->doors, min(most, i + 2));
		KUNIT_EXPECT_EQ(test, back->doors, front->doors);
	}
	for (i = 0; i < most; i++) {
		KUNIT_EXPECT_GE(test, used[i], DOORS_CHANNELS / most);
		events[i] = back->door[i].events;
	}
	for (i = 0; i < DOORS_CHANNELS; i++)
		kit_exchange(a[i], b[i]);
	for (i = 0; i < most; i++)
		KUNIT_EXPECT_GT(test, READ_ONCE(back->door[i].events), events[i]);
	snprintf(want, sizeof(want), "%u\n", most);
	KUNIT_EXPECT_EQ(test, kit_read("/sys/bus/duct/devices/duct0/doors", text, sizeof(text)), 0);
	KUNIT_EXPECT_STREQ(test, text, want);
	/* What closes makes room behind its door, and not behind another. */
	i = hostile_slot(a[3])->door;
	kit_close(a[3]);
	kit_close(b[3]);
	doors_wait(test, &front->door[i].channels, used[i] - 1);
	kit_connect(driver, a[3], KIT_FRONT, NULL, b[3], NULL, 3);
	KUNIT_EXPECT_EQ(test, hostile_slot(a[3])->door, i);
	kit_exchange(a[3], b[3]);
}

static void doors_epochs(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = doors_start(test);
	struct duct_link *front = doors_link(driver, KIT_FRONT), *back = doors_link(driver, KIT_BACK);
	struct kit_end *a[2], *b[2];
	u32 i, most = doors_most(test);
	int round;

	for (i = 0; i < 2; i++) {
		a[i] = kit_end(kit);
		b[i] = kit_end(kit);
		kit_connect(driver, a[i], KIT_FRONT, NULL, b[i], NULL, i);
	}
	for (round = 1; round < 20; round++) {
		doors_wait(test, &front->doors, min(most, 3u));
		kit_loop_run(kit, true);
		for (i = 0; i < 2; i++) {
			kit_wait(kit, atomic_read(&a[i]->ups) > round &&
				 atomic_read(&b[i]->ups) > round);
			kit_exchange(a[i], b[i]);
		}
	}
	kit_loop_run(kit, false);
	KUNIT_EXPECT_EQ(test, front->doors, 1u);
	KUNIT_EXPECT_EQ(test, back->doors, 1u);
	for (i = 1; i < DUCT_DOORS; i++)
		KUNIT_EXPECT_TRUE(test, !front->door[i].out && !back->door[i].out &&
				  !front->door[i].in && !back->door[i].in);
}

/* The backend wants no more: the frontend asks once, and gets along. */
static void doors_refused(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = doors_start(test);
	struct duct_link *front = doors_link(driver, KIT_FRONT), *back = doors_link(driver, KIT_BACK);
	struct kit_end *a[DOORS_CHANNELS], *b[DOORS_CHANNELS];
	u32 i;

	doors_most(test);
	mutex_lock(&back->lock);
	back->doors_most = 1;
	mutex_unlock(&back->lock);
	for (i = 0; i < DOORS_CHANNELS; i++) {
		a[i] = kit_end(kit);
		b[i] = kit_end(kit);
		kit_connect(driver, a[i], KIT_FRONT, NULL, b[i], NULL, i);
		doors_wait(test, &front->doors_most, 1);
		KUNIT_EXPECT_EQ(test, hostile_slot(a[i])->door, 0u);
		kit_exchange(a[i], b[i]);
	}
	KUNIT_EXPECT_EQ(test, front->doors, 1u);
	KUNIT_EXPECT_NULL(test, (void __force *)front->door[1].out);
}

static void doors_set_bits(struct duct_link *link)
{
	u32 word;

	for (word = link->door_words; word < DUCT_SLOTS / 64; word++)
		duct_peer_write64(&link->door[0].in->bits[word], ~0ull);
}

/* Who sleeps is told. */
static void doors_wakes(struct kit_end *from, struct kit_end *to)
{
	struct duct_msg msg;
	int readies;

	KUNIT_ASSERT_EQ(to->kit->test, duct_next(to->ch, &msg), -EAGAIN);
	readies = atomic_read(&to->readies);
	KUNIT_ASSERT_EQ(to->kit->test, kit_send(from, "x", 1, 0), 0);
	kit_wait(to->kit, atomic_read(&to->readies) > readies);
	kit_expect(to, "x", 1);
}

/*
 * Events look only as far as there were channels: what was set behind that takes no event from
 * a channel there.
 */
static void doors_far(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = doors_start(test);
	struct duct_link *front = doors_link(driver, KIT_FRONT), *back = doors_link(driver, KIT_BACK);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);

	KUNIT_EXPECT_EQ(test, front->door_words, 1u);
	KUNIT_EXPECT_EQ(test, back->door_words, 1u);
	doors_set_bits(front);
	doors_set_bits(back);
	mutex_lock(&front->lock);
	front->next_slot = DUCT_SLOTS - 1;
	mutex_unlock(&front->lock);
	kit_connect(driver, a, KIT_FRONT, NULL, b, NULL, 0);
	KUNIT_EXPECT_EQ(test, hostile_slot(a)->index, DUCT_SLOTS - 1);
	doors_wakes(a, b);
	doors_wakes(b, a);
	kit_close(a);
	kit_close(b);
	/* The lowest that is free. */
	doors_wait(test, &front->channels, 0);
	mutex_lock(&front->lock);
	front->next_slot = 0;
	mutex_unlock(&front->lock);
	kit_connect(driver, a, KIT_FRONT, NULL, b, NULL, 0);
	KUNIT_EXPECT_EQ(test, hostile_slot(a)->index, 1u);
	doors_wakes(a, b);
}

static struct kunit_case doors_cases[] = {
	KUNIT_CASE(doors_spread),
	KUNIT_CASE(doors_epochs),
	KUNIT_CASE(doors_refused),
	KUNIT_CASE(doors_far),
	{}
};

struct kunit_suite duct_doors_suite = {
	.name = "duct_doors",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = doors_cases,
};
