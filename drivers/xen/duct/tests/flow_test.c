// SPDX-License-Identifier: GPL-2.0
/* Flow control: full rings, and that no wake-up for room is ever lost. */
#include "kit.h"

static void flow_pair(struct kunit *test, u32 max_msg, struct kit_end *a,
		      const struct duct_channel_ops *ops, struct kit_end *b)
{
	struct duct_channel_config cfg_a = { .max_msg = max_msg, .tx_bytes = 1024 };
	struct duct_channel_config cfg_b = { .ops = ops, .max_msg = max_msg, .rx_bytes = 1024 };
	struct kit *kit = test->priv;
	unsigned int side = test->param_value ? kit_param_side(test) : KIT_FRONT;

	kit_connect(kit_peers(kit, false), a, side, &cfg_a, b, &cfg_b, 0);
}

static u32 flow_fill(struct kit_end *end, u32 len)
{
	u32 n = 0;

	while (!duct_send(end->ch, end->kit->pattern, len, 0))
		n++;
	return n;
}

/* -EAGAIN, and a duct_writable() that says no, are answered by one writable() each. */
static void flow_writable_once(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg;
	u32 n, i;

	flow_pair(test, 100, a, &kit_ready_ops, b);
	for (i = 1; i < 30; i++) {
		n = flow_fill(a, 100);
		KUNIT_EXPECT_GE(test, n, 4u);
		KUNIT_EXPECT_FALSE(test, duct_writable(a->ch, 100));
		KUNIT_EXPECT_EQ(test, atomic_read(&a->writables), (int)i - 1);
		while (n--)
			kit_expect(b, kit->pattern, 100);
		KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
		kit_wait(kit, atomic_read(&a->writables) == i);
		/* Nobody asks: nobody is told. */
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, "", 1, 0), 0);
		kit_expect(b, "", 1);
		KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
		KUNIT_EXPECT_TRUE(test, duct_writable(a->ch, 100));
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&a->writables), (int)i - 1);
	KUNIT_EXPECT_TRUE(test, duct_writable(a->ch, 101));	/* it would fail at once */
}

/* Not before there is as much room as was asked for. */
static void flow_writable_room(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg;
	u32 n, i;

	flow_pair(test, 400, a, &kit_ready_ops, b);
	for (i = 0; i < 30; i++) {
		int before = atomic_read(&a->writables);

		n = flow_fill(a, 20);
		while (n && !duct_writable(a->ch, 400)) {
			kit_expect(b, kit->pattern, 20);
			n--;
		}
		if (!n)
			KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
		kit_wait(kit, duct_writable(a->ch, 400));
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, kit->pattern, 400, 0), 0);
		while (n--)
			kit_expect(b, kit->pattern, 20);
		kit_expect(b, kit->pattern, 400);
		KUNIT_EXPECT_GT(test, atomic_read(&a->writables), before);
	}
}

/* By what is in flight: told once, when the peer has given back so much. */
static void flow_has_room(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg;
	u32 i, all;

	flow_pair(test, 100, a, &kit_ready_ops, b);
	all = a->ch->tx_bytes;
	KUNIT_EXPECT_TRUE(test, duct_has_room(a->ch, all + 1));	/* never: nothing to wait for */
	for (i = 1; i < 30; i++) {
		KUNIT_EXPECT_TRUE(test, duct_has_room(a->ch, all));
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, kit->pattern, 20, DUCT_MORE), 0);
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, kit->pattern, 20, DUCT_MORE), 0);
		KUNIT_EXPECT_TRUE(test, duct_writable(a->ch, 100));
		KUNIT_EXPECT_TRUE(test, duct_has_room(a->ch, all / 2));
		KUNIT_EXPECT_FALSE(test, duct_has_room(a->ch, all));
		/* That has published them, too. */
		kit_expect(b, kit->pattern, 20);
		KUNIT_EXPECT_EQ(test, atomic_read(&a->writables), (int)i - 1);
		kit_expect(b, kit->pattern, 20);
		KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
		kit_wait(kit, atomic_read(&a->writables) == i);
	}
	duct_stop(b->ch);
	kit_wait_error(a, -EPIPE);
	KUNIT_EXPECT_TRUE(test, duct_has_room(a->ch, all));
}

static void flow_told_at_the_end(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	int before;

	flow_pair(test, 100, a, &kit_ready_ops, b);
	flow_fill(a, 100);
	before = atomic_read(&a->writables);
	duct_stop(b->ch);
	kit_wait(kit, atomic_read(&a->writables) > before);
	KUNIT_EXPECT_EQ(test, duct_wait_writable(a->ch, 100, KIT_WAIT), 0);
}

static int flow_waiter(void *arg)
{
	struct kit_end *end = arg;

	return duct_wait_writable(end->ch, 100, KIT_WAIT);
}

/* Who waits for room is woken by stop, by close of the peer, and by the epoch's end. */
static void flow_wait_ends(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct kit_thread *waiter;

	flow_pair(test, 100, a, &kit_ready_ops, b);
	flow_fill(a, 100);
	waiter = kit_thread(kit, flow_waiter, a);
	duct_stop(a->ch);
	KUNIT_EXPECT_EQ(test, kit_join(waiter), 0);
	kit_close(a);
	kit_close(b);
	kit_unregister(list_first_entry(&kit->drivers, struct kit_driver, node));

	flow_pair(test, 100, a, &kit_ready_ops, b);
	flow_fill(a, 100);
	waiter = kit_thread(kit, flow_waiter, a);
	kit_close(b);
	KUNIT_EXPECT_EQ(test, kit_join(waiter), 0);
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, "", 1, 0), -EPIPE);
}

/* ---- the sender sleeps and the reader frees, at the same time, many times ---- */

#define FLOW_MESSAGES 10000

struct flow_sender {
	struct kit_end *end;
	u32 count;
	u32 len;
};

static int flow_send(void *arg)
{
	struct flow_sender *sender = arg;
	u32 i;
	int err = 0;

	for (i = 0; i < sender->count && !err; i++)
		err = kit_send(sender->end, sender->end->kit->pattern, sender->len, 0);
	return err;
}

static void flow_stress(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct flow_sender sender = { .end = a, .count = FLOW_MESSAGES, .len = 100 };

	flow_pair(test, 100, a, &kit_recv_ops, b);
	KUNIT_EXPECT_EQ(test, kit_join(kit_thread(kit, flow_send, &sender)), 0);
	kit_wait(kit, atomic_read(&b->recvs) == FLOW_MESSAGES);
}

/* Senders that want much, and senders that want little. */
static void flow_stress_several(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct flow_sender sender[4];
	struct kit_thread *thread[4];
	u32 i;

	flow_pair(test, 400, a, &kit_recv_ops, b);
	for (i = 0; i < 4; i++) {
		sender[i] = (struct flow_sender){ a, FLOW_MESSAGES / 4, 1 + 133 * i };
		thread[i] = kit_thread(kit, flow_send, &sender[i]);
	}
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, kit_join(thread[i]), 0);
	kit_wait(kit, atomic_read(&b->recvs) == FLOW_MESSAGES);
}

/* By the callback: false from duct_writable() is followed by writable(). */
static void flow_stress_callback(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	u32 n = 0;
	int armed = 0;

	flow_pair(test, 100, a, &kit_recv_ops, b);
	while (n < FLOW_MESSAGES) {
		int before = atomic_read(&a->writables);

		if (duct_writable(a->ch, 100)) {
			KUNIT_ASSERT_EQ(test, duct_send(a->ch, kit->pattern, 100, 0), 0);
			n++;
			continue;
		}
		armed++;
		kit_wait(kit, atomic_read(&a->writables) > before);
	}
	kit_wait(kit, atomic_read(&b->recvs) == FLOW_MESSAGES);
	KUNIT_EXPECT_LE(test, atomic_read(&a->writables), armed);
}

/* One CPU's sender polls without ever sleeping while another one sleeps. */
struct flow_poller {
	struct kit_end *end;
	bool stop;
};

static int flow_poll(void *arg)
{
	struct flow_poller *poller = arg;
	int err = 0;

	while (!READ_ONCE(poller->stop) && (!err || err == -EAGAIN)) {
		err = duct_send(poller->end->ch, poller->end->kit->pattern, 400, 0);
		cond_resched();
	}
	return err == -EAGAIN ? 0 : err;
}

static void flow_stress_poller(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct flow_sender sender = { .end = a, .count = FLOW_MESSAGES / 4, .len = 1 };
	struct flow_poller poller = { .end = a };
	struct kit_thread *t1, *t2;

	flow_pair(test, 400, a, &kit_recv_ops, b);
	t1 = kit_thread(kit, flow_poll, &poller);
	t2 = kit_thread(kit, flow_send, &sender);
	KUNIT_EXPECT_EQ(test, kit_join(t2), 0);
	WRITE_ONCE(poller.stop, true);
	KUNIT_EXPECT_EQ(test, kit_join(t1), 0);
}

/**
 * struct flow_race - a reader that empties the ring when told
 * @end: its end
 * @round: the one to run
 * @ran: the last one that was
 */
struct flow_race {
	struct kit_end *end;
	u32 round;
	u32 ran;
};

static int flow_race_reader(void *arg)
{
	struct flow_race *race = arg;
	struct duct_msg msg;
	u32 round = 0;

	while (round < U32_MAX) {
		while (READ_ONCE(race->round) == round)
			cond_resched();
		round = READ_ONCE(race->round);
		while (!duct_next(race->end->ch, &msg))
			duct_release(&msg);
		WRITE_ONCE(race->ran, round);
		wake_up_all(&race->end->kit->wait);
	}
	return 0;
}

/*
 * Somebody waits for room while somebody else tries all the time, just as the
 * reader makes some: that is not told to one and kept from the other.
 */
static void flow_wake_for_another(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct flow_race race = { .end = b };
	struct kit_thread *reader;
	u32 i;

	flow_pair(test, 400, a, &kit_ready_ops, b);
	reader = kit_thread(kit, flow_race_reader, &race);
	for (i = 1; i <= 500; i++) {
		int before = atomic_read(&a->writables);
		/* The reader gives a quarter of the ring at once: this fits then. */
		u32 tries = 10000000;

		flow_fill(a, 1);
		KUNIT_EXPECT_FALSE(test, duct_writable(a->ch, 1));
		WRITE_ONCE(race.round, i);
		while (duct_send(a->ch, kit->pattern, 100, 0) == -EAGAIN && --tries)
			cpu_relax();
		if (wait_event_timeout(kit->wait, atomic_read(&a->writables) > before &&
				       READ_ONCE(race.ran) == i, 10 * HZ) <= 0)
			break;
	}
	WRITE_ONCE(race.round, U32_MAX);
	KUNIT_EXPECT_EQ(test, kit_join(reader), 0);
	KUNIT_EXPECT_EQ(test, i, 501u);
}

static struct kunit_case flow_cases[] = {
	KUNIT_CASE_PARAM(flow_writable_once, kit_sides),
	KUNIT_CASE_PARAM(flow_writable_room, kit_sides),
	KUNIT_CASE_PARAM(flow_has_room, kit_sides),
	KUNIT_CASE_PARAM(flow_told_at_the_end, kit_sides),
	KUNIT_CASE(flow_wait_ends),
	KUNIT_CASE_PARAM(flow_stress, kit_sides),
	KUNIT_CASE_PARAM(flow_stress_several, kit_sides),
	KUNIT_CASE_PARAM(flow_stress_callback, kit_sides),
	KUNIT_CASE_PARAM(flow_stress_poller, kit_sides),
	KUNIT_CASE_PARAM(flow_wake_for_another, kit_sides),
	{}
};

struct kunit_suite duct_flow_suite = {
	.name = "duct_flow",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = flow_cases,
};
