// SPDX-License-Identifier: GPL-2.0
/* Counted events: the sum is right, calls and interrupts are few. */
#include "hostile.h"

#define EVENTS_ID	7u
#define EVENTS_MANY	20000u

/**
 * struct events - both ends of one event
 * @kit: the test
 * @driver: the devices
 * @ev: by side
 * @told: what fn() was told in all, by side
 * @calls: of fn(), by side
 * @first: what it was told at the first call, by side
 * @hold: fn() waits until this is false
 * @held: it does
 * @side: who triggers
 */
struct events {
	struct kit *kit;
	struct kit_driver *driver;
	struct duct_event *ev[2];
	atomic64_t told[2];
	atomic_t calls[2];
	u32 first[2];
	bool hold;
	bool held;
	unsigned int side;
};

static void events_told(struct events *e, unsigned int side, u32 n)
{
	if (atomic_inc_return(&e->calls[side]) == 1)
		e->first[side] = n;
	atomic64_add(n, &e->told[side]);
	WRITE_ONCE(e->held, READ_ONCE(e->hold));
	wake_up_all(&e->kit->wait);
	wait_event(e->kit->wait, !READ_ONCE(e->hold));
}

static void events_front(struct duct_event *ev, void *arg, u32 n)
{
	events_told(arg, KIT_FRONT, n);
}

static void events_back(struct duct_event *ev, void *arg, u32 n)
{
	events_told(arg, KIT_BACK, n);
}

static void events_close(struct events *e, unsigned int side)
{
	duct_event_close(e->ev[side]);
	e->ev[side] = NULL;
}

/* Also when a test fails: the core does not close them. */
static void events_remove(struct kit_driver *driver, struct duct_device *dd)
{
	struct events *e = driver->priv;

	WRITE_ONCE(e->hold, false);
	wake_up_all(&e->kit->wait);
	events_close(e, kit_side(dd));
}

static void events_open(struct events *e, unsigned int side)
{
	e->ev[side] = duct_event_open(kit_peer(e->driver, side), EVENTS_ID,
				      side == KIT_FRONT ? events_front : events_back, e);
	KUNIT_ASSERT_FALSE(e->kit->test, IS_ERR(e->ev[side]));
}

static struct events *events_start(struct kunit *test, bool keep)
{
	struct events *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, e);
	e->kit = test->priv;
	e->side = kit_param_side(test);
	e->driver = kit_peers(e->kit, keep);
	e->driver->priv = e;
	e->driver->on_remove = events_remove;
	return e;
}

static void events_wait(struct events *e, unsigned int side, u64 sum)
{
	kit_wait(e->kit, (u64)atomic64_read(&e->told[side]) >= sum);
	KUNIT_EXPECT_EQ(e->kit->test, (u64)atomic64_read(&e->told[side]), sum);
}

static u64 events_count(struct events *e, unsigned int side, const char *what)
{
	char file[48], text[24];
	u64 value = 0;

	snprintf(file, sizeof(file), "channels/event%u/%s", EVENTS_ID, what);
	KUNIT_EXPECT_EQ(e->kit->test, kit_read_shown(kit_peer(e->driver, side), file, text,
						     sizeof(text)), 0);
	KUNIT_EXPECT_EQ(e->kit->test, kstrtou64(strim(text), 10, &value), 0);
	return value;
}

/* Nobody is told of a counter. */
static void events_reach(struct events *e, unsigned int side, const char *what, u64 value)
{
	unsigned long until = jiffies + KIT_WAIT;

	while (events_count(e, side, what) != value && time_before(jiffies, until))
		schedule_timeout_uninterruptible(1);
	KUNIT_ASSERT_EQ(e->kit->test, events_count(e, side, what), value);
}

/* ---- what works ---- */

static int events_thread(void *arg)
{
	struct events *e = arg;
	u32 i;

	for (i = 0; i < EVENTS_MANY; i++)
		if (duct_event_trigger(e->ev[e->side], i % 3 + 1))
			return -EIO;
	return 0;
}

/* Two threads, sums of 1 to 3; the other direction at once. */
static void events_sum(struct kunit *test)
{
	struct events *e = events_start(test, false);
	struct kit_thread *thread[2];
	u64 sum = 0;
	u32 i;

	events_open(e, KIT_FRONT);
	events_open(e, KIT_BACK);
	for (i = 0; i < EVENTS_MANY; i++)
		sum += i % 3 + 1;
	for (i = 0; i < 2; i++)
		thread[i] = kit_thread(e->kit, events_thread, e);
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[!e->side], U32_MAX), 0);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, kit_join(thread[i]), 0);
	events_wait(e, !e->side, 2 * sum);
	events_wait(e, e->side, 100ull * U32_MAX);
}

/* While it is in fn(), a thousand triggers take one interrupt and few calls. */
static void events_few(struct kunit *test)
{
	struct events *e = events_start(test, false);
	u64 before;
	u32 i;

	events_open(e, KIT_FRONT);
	events_open(e, KIT_BACK);
	e->hold = true;
	KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[e->side], 1), 0);
	kit_wait(e->kit, READ_ONCE(e->held));
	before = events_count(e, e->side, "out_events");
	for (i = 0; i < 1000; i++)
		KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[e->side], 2), 0);
	KUNIT_EXPECT_LE(test, events_count(e, e->side, "out_events"), before + 1);
	WRITE_ONCE(e->hold, false);
	wake_up_all(&e->kit->wait);
	events_wait(e, !e->side, 2001);
	/* The ring was full: what it held, and what was added up meanwhile. */
	KUNIT_EXPECT_LE(test, atomic_read(&e->calls[!e->side]), 1 + 4);
}

/* Nothing is lost while the other end is not there yet, or away. */
static void events_kept(struct kunit *test)
{
	struct events *e = events_start(test, true);

	events_open(e, e->side);
	KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[e->side], 5), 0);
	KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[e->side], 6), 0);
	events_open(e, !e->side);
	events_wait(e, !e->side, 11);
	KUNIT_EXPECT_EQ(test, e->first[!e->side], 11u);
	events_close(e, !e->side);
	/* At the latest now it is known here. */
	KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[e->side], 1), 0);
	events_open(e, !e->side);
	kit_loop_run(e->kit, false);
	KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[e->side], 100), 0);
	kit_loop_run(e->kit, true);
	kit_wait(e->kit, atomic64_read(&e->told[!e->side]) >= 111);
	/* The one may have been in the ring of the end that closed. */
	KUNIT_EXPECT_LE(test, atomic64_read(&e->told[!e->side]), 112);
}

static void events_watch(struct kunit *test)
{
	struct events *e = events_start(test, false);
	u32 i;

	events_open(e, KIT_FRONT);
	events_open(e, KIT_BACK);
	duct_event_watch(e->ev[!e->side], 10);
	for (i = 0; i < 25; i++) {
		KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[e->side], 1), 0);
		events_reach(e, !e->side, "in_messages", i + 1);
	}
	kit_wait(e->kit, atomic_read(&e->calls[!e->side]) == 2);
	KUNIT_EXPECT_EQ(test, e->first[!e->side], 10u);
	KUNIT_EXPECT_EQ(test, atomic64_read(&e->told[!e->side]), 20);
	/* What has come counts. */
	duct_event_watch(e->ev[!e->side], 5);
	events_wait(e, !e->side, 25);
	duct_event_watch(e->ev[!e->side], 0);
	KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[e->side], 1), 0);
	events_wait(e, !e->side, 26);
	KUNIT_EXPECT_EQ(test, atomic_read(&e->calls[!e->side]), 4);
}

/* Opened and closed while triggers come. */
static void events_closes(struct kunit *test)
{
	struct events *e = events_start(test, false);
	struct kit_thread *thread;
	u32 i;

	events_open(e, e->side);
	thread = kit_thread(e->kit, events_thread, e);
	for (i = 0; i < 20; i++) {
		int calls = atomic_read(&e->calls[!e->side]);

		events_open(e, !e->side);
		kit_wait(e->kit, atomic_read(&e->calls[!e->side]) > calls ||
			 READ_ONCE(thread->ended.done));
		events_close(e, !e->side);
	}
	KUNIT_EXPECT_EQ(test, kit_join(thread), 0);
	KUNIT_EXPECT_LE(test, atomic64_read(&e->told[!e->side]), 2ll * EVENTS_MANY);
}

/* ---- what does not ---- */

static void events_errors(struct kunit *test)
{
	struct events *e = events_start(test, false);
	struct duct_device *dd = kit_peer(e->driver, e->side);
	const struct duct_channel_config cfg = {};
	struct duct_channel *ch;

	events_open(e, e->side);
	KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[e->side], 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_event_open(dd, EVENTS_ID, events_front, e)), -EEXIST);
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_event_open(dd, 1u << 31, events_front, e)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_event_open(dd, 1, NULL, e)), -EINVAL);
	KUNIT_EXPECT_EQ(test, duct_open(dd, 1u << 31 | EVENTS_ID, &cfg, &ch), -EINVAL);
	duct_event_close(NULL);
	duct_event_close(ERR_PTR(-EINVAL));
}

struct events_attack {
	const char *name;
	u32 len;
	u32 count;
	u32 reserved;
};

static const struct events_attack events_attacks[] = {
	{ "no triggers", 8, 0, 0 },
	{ "a word too short", 4, 1, 0 },
	{ "empty", 0, 0, 0 },
	{ "reserved", 8, 1, 1 },
};

static void events_attack_name(const struct events_attack *attack, char *desc)
{
	strscpy(desc, attack->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(events_attack, events_attacks, events_attack_name);

static struct duct_slot *events_slot(struct events *e, unsigned int side)
{
	struct duct_link *link = to_duct_device_core(kit_peer(e->driver, side))->service->link;
	struct duct_slot *found = NULL;
	u32 i;

	mutex_lock(&link->lock);
	for (i = 1; i < DUCT_SLOTS; i++) {
		struct duct_slot *slot = rcu_dereference_protected(link->slots[i], true);

		if (slot && slot->ch && slot->ch->pub.number == (DUCT_NUMBER_EVENT | EVENTS_ID))
			found = slot;
	}
	mutex_unlock(&link->lock);
	return found;
}

/* The event is broken until the next epoch; what came before was told. */
static void events_hostile(struct kunit *test)
{
	const struct events_attack *attack = test->param_value;
	const struct duct_trigger bad = { .count = attack->count, .reserved = attack->reserved };
	const struct duct_frame frame = { .len = attack->len, .type = DUCT_FRAME_MSG };
	struct events *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);
	struct duct_slot *slot;

	KUNIT_ASSERT_NOT_NULL(test, e);
	e->kit = test->priv;
	e->driver = kit_peers(e->kit, true);
	e->driver->priv = e;
	e->driver->on_remove = events_remove;
	events_open(e, KIT_FRONT);
	events_open(e, KIT_BACK);
	KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[KIT_FRONT], 3), 0);
	events_wait(e, KIT_BACK, 3);
	slot = events_slot(e, KIT_FRONT);
	KUNIT_ASSERT_NOT_NULL(test, slot);
	hostile_frame(slot, &frame, &bad, attack->len);
	events_reach(e, KIT_BACK, "faults", 1);
	KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[KIT_FRONT], 4), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&e->told[KIT_BACK]), 3);
	kit_loop_run(e->kit, true);
	/* The four may be in the ring that is gone. */
	KUNIT_EXPECT_EQ(test, duct_event_trigger(e->ev[KIT_FRONT], 5), 0);
	kit_wait(e->kit, atomic64_read(&e->told[KIT_BACK]) >= 8);
}

static struct kunit_case events_cases[] = {
	KUNIT_CASE_PARAM(events_sum, kit_sides),
	KUNIT_CASE_PARAM(events_few, kit_sides),
	KUNIT_CASE_PARAM(events_kept, kit_sides),
	KUNIT_CASE_PARAM(events_watch, kit_sides),
	KUNIT_CASE_PARAM(events_closes, kit_sides),
	KUNIT_CASE_PARAM(events_errors, kit_sides),
	KUNIT_CASE_PARAM(events_hostile, events_attack_gen_params),
	{}
};

struct kunit_suite duct_events_suite = {
	.name = "duct_events",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = events_cases,
};
