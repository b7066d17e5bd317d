// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that breaks the protocol of a channel: that one is broken at both ends,
 * with -EPROTO; the others live; and it can be opened again.
 */
#include <linux/delay.h>

#include "calls.h"
#include "hostile.h"

#include <asm/sync_bitops.h>

#define HOSTILE_MSG	256u
#define HOSTILE_CALLS	2u

/**
 * struct hostile - one attack
 * @kit: the test
 * @a: who attacks
 * @b: who must notice
 * @slot: @a's
 * @call: in flight from @b, if @called
 * @called: so
 * @held: requests that @b took
 * @n: of those
 */
struct hostile {
	struct kit *kit;
	struct kit_end *a;
	struct kit_end *b;
	struct duct_slot *slot;
	struct call *call;
	bool called;
	struct duct_request *held[8];
	u32 n;
};

/* What takes more than writing to shared memory; for the others see attacks.c. */
struct hostile_attack {
	const char *name;
	void (*run)(struct hostile *h);
};

/* ---- indexes ---- */

/* @b looks at the index of who reads when it asks for room. */
static void hostile_found_by_room(struct hostile *h)
{
	KUNIT_EXPECT_EQ(h->kit->test, duct_room(h->b->ch), 0u);
	KUNIT_EXPECT_EQ(h->kit->test, duct_send(h->b->ch, "", 0, 0), -EPROTO);
}

static void hostile_cons_unaligned(struct hostile *h)
{
	KUNIT_ASSERT_EQ(h->kit->test, duct_send(h->b->ch, "", 0, 0), 0);
	duct_peer_release32(&h->slot->rx.shared->cons, h->slot->rx.cons + 8);
	hostile_found_by_room(h);
}

/* The same, found by who needs the room. */
static void hostile_cons_when_full(struct hostile *h)
{
	int err;

	duct_peer_release32(&h->slot->rx.shared->cons, h->slot->rx.cons + 0x1000000);
	while (!(err = duct_send(h->b->ch, h->kit->pattern, HOSTILE_MSG, 0)))
		;
	KUNIT_EXPECT_EQ(h->kit->test, err, -EPROTO);
}

/* ---- frames ---- */

static void hostile_pad_at_the_begin(struct hostile *h)
{
	static const struct duct_frame pad = { .type = DUCT_FRAME_PAD };

	hostile_frame(h->slot, &pad, NULL, 0);
}

static void hostile_pad_in_the_middle(struct hostile *h)
{
	static const struct duct_frame msg = { .type = DUCT_FRAME_MSG };
	static const struct duct_frame pad = { .type = DUCT_FRAME_PAD };

	hostile_frame(h->slot, &msg, NULL, 0);
	hostile_frame(h->slot, &pad, NULL, 0);
}

/* ---- calls and answers ---- */

static void hostile_victim_calls(struct hostile *h)
{
	KUNIT_ASSERT_EQ(h->kit->test, calls_start(h->b, h->call, "", 0), 0);
	h->called = true;
}

static void hostile_answer(struct hostile *h, u32 slot, u32 generation, u32 status, u32 len)
{
	const struct duct_frame frame = {
		.len = len,
		.type = DUCT_FRAME_ANSWER,
		.status = status,
		.slot = slot,
		.generation = generation,
	};

	hostile_frame(h->slot, &frame, h->kit->pattern, len);
}

static void hostile_answer_to_no_slot(struct hostile *h)
{
	hostile_victim_calls(h);
	hostile_answer(h, HOSTILE_CALLS, 1, 0, 0);
}

static void hostile_answer_to_old(struct hostile *h)
{
	hostile_victim_calls(h);
	hostile_answer(h, 0, 0, 0, 0);
}

static void hostile_answer_status(struct hostile *h)
{
	hostile_victim_calls(h);
	hostile_answer(h, 0, 1, 2, 0);
}

static void hostile_answer_long(struct hostile *h)
{
	hostile_victim_calls(h);
	hostile_answer(h, 0, 1, 0, CALLS_DATA + 1);
}

static void hostile_answer_twice(struct hostile *h)
{
	struct duct_msg msg;

	hostile_victim_calls(h);
	hostile_answer(h, 0, 1, 0, 0);
	kit_wait(h->kit, duct_next(h->b->ch, &msg) == -EAGAIN && calls_ended(h->call));
	KUNIT_EXPECT_EQ(h->kit->test, h->call->err, 0);
	h->called = false;
	hostile_answer(h, 0, 1, 0, 0);
}

static void hostile_too_many_calls(struct hostile *h)
{
	u32 i;

	for (i = 0; i <= HOSTILE_CALLS; i++) {
		const struct duct_frame frame = {
			.type = DUCT_FRAME_CALL,
			.slot = i,
			.generation = 1,
		};

		hostile_frame(h->slot, &frame, NULL, 0);
	}
}

static const struct hostile_attack hostile_attacks[] = {
	{ .name = "cons not aligned", .run = hostile_cons_unaligned },
	{ .name = "cons found when full", .run = hostile_cons_when_full },
	{ .name = "pad at the begin", .run = hostile_pad_at_the_begin },
	{ .name = "pad in the middle", .run = hostile_pad_in_the_middle },
	{ .name = "answer to no slot", .run = hostile_answer_to_no_slot },
	{ .name = "answer to an old call", .run = hostile_answer_to_old },
	{ .name = "answer with no status", .run = hostile_answer_status },
	{ .name = "answer too long", .run = hostile_answer_long },
	{ .name = "answer twice", .run = hostile_answer_twice },
	{ .name = "too many calls", .run = hostile_too_many_calls },
};

static void hostile_describe(const struct hostile_attack *attack, char *desc)
{
	strscpy(desc, attack->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hostile, hostile_attacks, hostile_describe);

static const void *hostile_written_gen_params(const void *last, char *desc)
{
	const struct attack *attack = last ? last : attacks - 1;

	while (++attack < attacks + attacks_n) {
		if (attack->why)
			continue;
		strscpy(desc, attack->name, KUNIT_PARAM_DESC_SIZE);
		return attack;
	}
	return NULL;
}

static void hostile_expect_file(struct kit_end *end, const char *file, const char *text)
{
	char found[80];

	KUNIT_EXPECT_EQ(end->kit->test, kit_read_channel(end, file, found, sizeof(found)), 0);
	KUNIT_EXPECT_STREQ(end->kit->test, found, text);
}

/* What was wrong, in words. */
static void hostile_expect_words(struct kit_end *end)
{
	char found[80] = "";

	KUNIT_EXPECT_EQ(end->kit->test, kit_read_channel(end, "fault", found, sizeof(found)), 0);
	KUNIT_EXPECT_GT(end->kit->test, strlen(found), strlen("\n"));
}

/* Reads until it finds out. */
static int hostile_notice(struct hostile *h)
{
	struct duct_msg msg;
	int err;

	while (!(err = kit_next(h->b, &msg))) {
		if (msg.request)
			h->held[h->n++] = msg.request;
		duct_release(&msg);
	}
	return err;
}

/* What a test that failed still held: closing would wait for it. */
static void hostile_reply_held(struct kit_end *end)
{
	struct hostile *h = end->priv;

	while (h->n)
		duct_reply(h->held[--h->n], NULL, 0);
}

static void hostile_write(struct hostile *h, const struct attack *attack)
{
	attack_run(attack, h->a->ch, h->kit->pattern);
	if (attack->cons)
		hostile_found_by_room(h);
}

/* @special, or @written. */
static void hostile_one(struct kunit *test, struct kit_driver *driver, unsigned int side,
			const struct hostile_attack *special, const struct attack *written)
{
	struct duct_channel_config cfg = {
		.max_msg = HOSTILE_MSG,
		.max_calls = HOSTILE_CALLS,
		.max_answer = CALLS_DATA,
	};
	struct kit *kit = test->priv;
	struct hostile *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);
	struct kit_end *c = kit_end(kit), *d = kit_end(kit);

	KUNIT_ASSERT_NOT_NULL(test, h);
	h->kit = kit;
	h->a = kit_end(kit);
	h->b = kit_end(kit);
	h->b->priv = h;
	h->b->on_exit = hostile_reply_held;
	h->call = calls_new(kit);
	kit_connect(driver, h->a, side, &cfg, h->b, &cfg, 0);
	kit_connect(driver, c, side, NULL, d, NULL, 1);
	h->slot = hostile_slot(h->a);
	KUNIT_ASSERT_EQ(test, duct_link_is_front(h->slot->link), side == KIT_FRONT);
	if (special)
		special->run(h);
	else
		hostile_write(h, written);
	KUNIT_EXPECT_EQ(test, hostile_notice(h), -EPROTO);
	kit_wait(kit, atomic_read(&h->a->downs) == 1 && atomic_read(&h->b->downs) == 1);
	KUNIT_EXPECT_EQ(test, h->a->why, -EPROTO);
	KUNIT_EXPECT_EQ(test, h->b->why, -EPROTO);
	KUNIT_EXPECT_EQ(test, duct_send(h->b->ch, "", 0, 0), -EPROTO);
	KUNIT_EXPECT_EQ(test, duct_send(h->a->ch, "", 0, 0), -EPROTO);
	hostile_expect_file(h->b, "faults", "1\n");
	hostile_expect_file(h->b, "state", "broken\n");
	hostile_expect_file(h->b, "error", "-71\n");
	hostile_expect_words(h->b);
	hostile_expect_file(h->a, "faults", "0\n");
	hostile_expect_file(h->a, "fault", "\n");
	while (h->n)
		KUNIT_EXPECT_EQ(test, duct_reply(h->held[--h->n], NULL, 0), -EPROTO);
	if (h->called) {
		kit_wait(kit, calls_ended(h->call));
		KUNIT_EXPECT_EQ(test, h->call->err, -EPROTO);
	}
	KUNIT_EXPECT_LE(test, atomic_read(&h->call->dones), 1);
	/* The others are well, and it itself when both want it again. */
	kit_exchange(c, d);
	kit_close(h->a);
	kit_close(h->b);
	kit_connect(driver, h->a, side, &cfg, h->b, &cfg, 0);
	kit_exchange(h->a, h->b);
	kit_close(h->a);
	kit_close(h->b);
	kit_close(c);
	kit_close(d);
}

static void hostile_channel(struct kunit *test)
{
	struct kit_driver *driver = kit_peers(test->priv, false);

	hostile_one(test, driver, KIT_FRONT, test->param_value, NULL);
	hostile_one(test, driver, KIT_BACK, test->param_value, NULL);
}

static void hostile_channel_written(struct kunit *test)
{
	struct kit_driver *driver = kit_peers(test->priv, false);

	hostile_one(test, driver, KIT_FRONT, NULL, test->param_value);
	hostile_one(test, driver, KIT_BACK, NULL, test->param_value);
}

static void hostile_stream(struct kunit *test)
{
	static const struct duct_frame frames[] = {
		{ .len = 4, .type = DUCT_FRAME_MSG },
		{ .len = 4, .type = DUCT_FRAME_CALL },
		{ .len = 0, .type = DUCT_FRAME_STREAM },
		{ .len = 0, .type = DUCT_FRAME_ANSWER },
	};
	struct duct_channel_config cfg = { .flags = DUCT_STREAM };
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	u32 i;

	for (i = 0; i < 2 * ARRAY_SIZE(frames); i++) {
		struct kit_end *a = kit_end(kit), *b = kit_end(kit);
		struct duct_msg msg;

		kit_connect(driver, a, i % 2, &cfg, b, &cfg, i);
		hostile_frame(hostile_slot(a), &frames[i / 2], "abcd", frames[i / 2].len);
		KUNIT_EXPECT_EQ(test, kit_next(b, &msg), -EPROTO);
		kit_wait(kit, atomic_read(&a->downs) == 1 && atomic_read(&b->downs) == 1);
	}
}

/* Found by the core's worker, with recv(). */
static void hostile_worker(struct kunit *test)
{
	static const struct duct_frame bad = { .type = 99 };
	struct duct_channel_config cfg = { .ops = &kit_recv_ops };
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);

	kit_connect(kit_peers(kit, false), a, kit_param_side(test), &cfg, b, &cfg, 0);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "good", 4, 0), 0);
	hostile_frame(hostile_slot(a), &bad, NULL, 0);
	kit_wait(kit, atomic_read(&a->downs) == 1 && atomic_read(&b->downs) == 1);
	KUNIT_EXPECT_EQ(test, b->why, -EPROTO);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->recvs), 1);
}

/* Events without reason, for slots that are there and that are not. */
static void hostile_events(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_slot *slot;
	struct duct_link *link;
	u32 i;

	kit_connect(kit_peers(kit, false), a, kit_param_side(test), NULL, b, NULL, 0);
	slot = hostile_slot(a);
	link = slot->link;
	for (i = 0; i < 2000; i++) {
		hostile_ring(slot);
		sync_set_bit(prandom_u32_state(&kit->rnd) % DUCT_SLOTS,
			     (unsigned long __force *)link->door[0].out->bits);
		link->ops->notify(link->wire, 0);
		if (i % 100 == 0)
			kit_exchange(a, b);
	}
	kit_exchange(a, b);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->downs) + atomic_read(&b->downs), 0);
}

/* The event has come, and @slot's worker sleeps again. */
static void hostile_settle(struct kunit *test, struct duct_slot *slot, u64 events)
{
	struct duct_door *door = &slot->link->door[slot->door];
	unsigned long until = jiffies + KIT_WAIT;

	while ((READ_ONCE(door->events) == events || !atomic_read(&slot->credit)) &&
	       time_before(jiffies, until))
		usleep_range(100, 200);
	/* It gives credit before it has counted that it sleeps. */
	flush_work(&slot->ch->work);
	KUNIT_EXPECT_GT(test, READ_ONCE(door->events), events);
	KUNIT_EXPECT_EQ(test, atomic_read(&slot->credit), 1);
}

/* A bit for a channel that sleeps, and nothing behind it: the wire lets such come slowly. */
static void hostile_bits(struct kunit *test)
{
	struct duct_channel_config cfg = { .ops = &kit_recv_ops };
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_slot *slot;
	struct duct_door *door;
	u64 events, spurious, empty = 0;
	u32 i;

	kit_connect(kit_peers(kit, false), a, kit_param_side(test), &cfg, b, &cfg, 0);
	slot = hostile_slot(b);
	door = &slot->link->door[slot->door];
	for (i = 0; i < 20; i++) {
		events = READ_ONCE(door->events);
		spurious = READ_ONCE(door->spurious);
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, "good", 4, 0), 0);
		hostile_settle(test, slot, events);
		KUNIT_EXPECT_EQ(test, READ_ONCE(door->spurious), spurious);
		if (!i)
			empty = READ_ONCE(slot->ch->stats.in_empty);
		events = READ_ONCE(door->events);
		hostile_ring(hostile_slot(a));
		hostile_settle(test, slot, events);
		KUNIT_EXPECT_EQ(test, READ_ONCE(door->spurious), spurious + 1);
		/* No one was woken for it: once for each message is all. */
		KUNIT_EXPECT_EQ(test, READ_ONCE(slot->ch->stats.in_empty), empty + i);
	}
}

static struct kunit_case hostile_channel_cases[] = {
	KUNIT_CASE_PARAM(hostile_channel, hostile_gen_params),
	KUNIT_CASE_PARAM(hostile_channel_written, hostile_written_gen_params),
	KUNIT_CASE(hostile_stream),
	KUNIT_CASE_PARAM(hostile_worker, kit_sides),
	KUNIT_CASE_PARAM(hostile_events, kit_sides),
	KUNIT_CASE_PARAM(hostile_bits, kit_sides),
	{}
};

struct kunit_suite duct_hostile_channel_suite = {
	.name = "duct_hostile_channel",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = hostile_channel_cases,
};
