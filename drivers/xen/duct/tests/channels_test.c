// SPDX-License-Identifier: GPL-2.0
/* Channels: open, up and down, stop, close, what the peer sees of it. */

#include "kit.h"

static void channels_config(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	struct duct_device *dd = kit_peer(driver, KIT_FRONT);
	static const struct duct_channel_ops both = {
		.recv = (int (*)(struct duct_channel *, struct duct_msg *))1,
		.ready = (void (*)(struct duct_channel *))1,
	};
	static const struct duct_channel_config bad[] = {
		{ .ops = &both },
		{ .flags = 2 },
		{ .flags = BIT(31) },
		{ .flags = DUCT_ON_CPU, .cpu = 1u << 20 },
		{ .max_msg = (1u << 20) - 15 },
		{ .max_msg = U32_MAX },
		{ .max_answer = (1u << 20) - 15 },
		{ .max_calls = 1025 },
		{ .max_calls = U32_MAX, .max_answer = 1 << 19 },
		{ .max_calls = 1024, .max_answer = 1 << 19 },
		{ .tx_bytes = (4u << 20) + 1 },
		{ .rx_bytes = U32_MAX },
	};
	struct duct_channel *ch;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ch = (void *)1;
		KUNIT_EXPECT_EQ_MSG(test, duct_open(dd, i, &bad[i], &ch), -EINVAL, "%u", i);
		KUNIT_EXPECT_NULL(test, ch);
	}
}

static void channels_exist(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	struct duct_channel_config cfg = { };
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_channel *ch = (void *)1;

	kit_connect(driver, a, KIT_FRONT, NULL, b, NULL, 7);
	KUNIT_EXPECT_EQ(test, duct_open(a->ch->dd, 7, &cfg, &ch), -EEXIST);
	KUNIT_EXPECT_NULL(test, ch);
	kit_exchange(a, b);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->ups), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->downs), 0);
}

/* Opened here first, and much later at the peer. */
static void channels_in_turn(struct kunit *test)
{
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct kit_end *c = kit_end(kit), *d = kit_end(kit);

	KUNIT_ASSERT_EQ(test, kit_open(a, kit_peer(driver, side), 1, NULL), 0);
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, "", 1, 0), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, duct_room(a->ch), 0u);
	KUNIT_EXPECT_TRUE(test, duct_writable(a->ch, 1));
	KUNIT_EXPECT_EQ(test, duct_call(a->ch, "", 0, NULL, 0, 1), -ENOTCONN);
	/* Another channel up: so the wish for the first has arrived. */
	kit_connect(driver, c, side, NULL, d, NULL, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->ups), 0);
	KUNIT_ASSERT_EQ(test, kit_open(b, kit_peer(driver, !side), 1, NULL), 0);
	kit_wait(kit, a->is_up && b->is_up);
	kit_exchange(a, b);
	kit_exchange(c, d);
}

static void channels_numbers(struct kunit *test)
{
	static const u32 numbers[] = { 0, 1, 0x10000, 0x7ffffffe, 0x7fffffff };
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a[ARRAY_SIZE(numbers)], *b[ARRAY_SIZE(numbers)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		a[i] = kit_end(kit);
		b[i] = kit_end(kit);
		kit_connect(driver, a[i], i % 2, NULL, b[i], NULL, numbers[i]);
		KUNIT_EXPECT_EQ(test, a[i]->ch->number, numbers[i]);
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		kit_exchange(a[i], b[i]);
	kit_loop_run(kit, true);
	kit_wait(kit, kit_bound(driver) == 2);
}

/* Sizes are the larger wish, the message the smaller one. */
static void channels_agree(struct kunit *test)
{
	struct duct_channel_config big = { .max_msg = 3000, .tx_bytes = 65536, .rx_bytes = 8192 };
	struct duct_channel_config small = { .max_msg = 100 };
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);

	kit_connect(driver, a, side, &big, b, &small, 0);
	KUNIT_EXPECT_EQ(test, a->ch->max_msg, 100u);
	KUNIT_EXPECT_EQ(test, b->ch->max_msg, 100u);
	KUNIT_EXPECT_EQ(test, a->ch->tx_bytes, 65536u);
	KUNIT_EXPECT_EQ(test, b->ch->tx_bytes, 8192u);
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, kit->pattern, 101, 0), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, duct_send(b->ch, kit->pattern, 101, 0), -EMSGSIZE);
	kit_exchange(a, b);
}

static void channels_mismatch(struct kunit *test)
{
	struct duct_channel_config stream = { .flags = DUCT_STREAM };
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	char text[32];

	KUNIT_ASSERT_EQ(test, kit_open(a, kit_peer(driver, side), 3, &stream), 0);
	KUNIT_ASSERT_EQ(test, kit_open(b, kit_peer(driver, !side), 3, NULL), 0);
	kit_wait_error(a, -EPROTO);
	kit_wait_error(b, -EPROTO);
	KUNIT_EXPECT_EQ(test, kit_read_channel(a, "state", text, sizeof(text)), 0);
	KUNIT_EXPECT_STREQ(test, text, "broken\n");
	KUNIT_EXPECT_EQ(test, atomic_read(&a->ups) + atomic_read(&b->ups), 0);
	/* Both try again, and agree. */
	kit_close(a);
	kit_close(b);
	kit_connect(driver, a, side, NULL, b, NULL, 3);
	kit_exchange(a, b);
}

static void channels_many(struct kunit *test)
{
	struct duct_channel_config cfg = { .max_msg = 256 };
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a[64], *b[64];
	unsigned int i, j;

	for (i = 0; i < 64; i++) {
		a[i] = kit_end(kit);
		b[i] = kit_end(kit);
	}
	for (j = 0; j < 2; j++) {
		/* One end upwards, the other downwards. */
		for (i = 0; i < 64; i++) {
			KUNIT_ASSERT_EQ(test, kit_open(a[i], kit_peer(driver, 0), i, &cfg), 0);
			KUNIT_ASSERT_EQ(test, kit_open(b[63 - i], kit_peer(driver, 1), 63 - i,
						       &cfg), 0);
		}
		for (i = 0; i < 64; i++)
			kit_wait(kit, a[i]->is_up && b[i]->is_up);
		for (i = 0; i < 64; i++)
			KUNIT_ASSERT_EQ(test, kit_send(a[i], kit_bytes(kit, i, i), i, 0), 0);
		for (i = 64; i--;)
			kit_expect(b[i], kit_bytes(kit, i, i), i);
		for (i = 0; i < 64; i++) {
			kit_close(i % 2 ? a[i] : b[i]);
			kit_close(i % 2 ? b[i] : a[i]);
		}
	}
}

/* What was sent before close is read, then -EPIPE; a new open is a new up(). */
static void channels_close(struct kunit *test)
{
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test), i;
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg;

	kit_connect(driver, a, side, NULL, b, NULL, 0);
	for (i = 1; i < 4; i++) {
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, "one", 3, DUCT_MORE), 0);
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, "two", 3, 0), 0);
		kit_close(a);
		kit_expect(b, "one", 3);
		kit_expect(b, "two", 3);
		KUNIT_EXPECT_EQ(test, kit_next(b, &msg), -EPIPE);
		KUNIT_EXPECT_EQ(test, duct_send(b->ch, "", 1, 0), -EPIPE);
		kit_wait(kit, atomic_read(&b->downs) == i);
		KUNIT_EXPECT_EQ(test, b->why, -EPIPE);
		KUNIT_ASSERT_EQ(test, kit_open(a, kit_peer(driver, side), 0, NULL), 0);
		kit_wait(kit, a->is_up && b->is_up);
		KUNIT_EXPECT_EQ(test, atomic_read(&a->ups), i + 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&b->ups), i + 1);
		kit_exchange(a, b);
	}
}

static void channels_stop(struct kunit *test)
{
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg;

	duct_stop(NULL);
	duct_close(NULL);
	kit_connect(driver, a, side, NULL, b, NULL, 0);
	KUNIT_ASSERT_EQ(test, duct_send(b->ch, "unread", 6, 0), 0);
	duct_stop(a->ch);
	duct_stop(a->ch);
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, "", 1, 0), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, duct_next(a->ch, &msg), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(duct_reserve(a->ch, 1)), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, duct_call(a->ch, "", 0, NULL, 0, HZ), -ESHUTDOWN);
	KUNIT_EXPECT_TRUE(test, duct_writable(a->ch, 1));
	KUNIT_EXPECT_TRUE(test, duct_readable(a->ch));
	KUNIT_EXPECT_EQ(test, duct_wait_writable(a->ch, 1, KIT_WAIT), 0);
	KUNIT_EXPECT_EQ(test, duct_room(a->ch), 0u);
	duct_publish(a->ch);
	kit_wait(kit, atomic_read(&b->downs) == 1);
	/* A number that is stopped is still taken. */
	KUNIT_EXPECT_EQ(test, kit_open(kit_end(kit), a->ch->dd, 0, NULL), -EEXIST);
	WRITE_ONCE(a->gone, true);
}

struct channels_close_race {
	struct kit_end *end;
	u64 sent;
};

static int channels_send_until_error(void *arg)
{
	struct channels_close_race *race = arg;
	int err;

	for (;;) {
		err = kit_send(race->end, race->end->kit->pattern, 40,
			       race->sent % 5 ? DUCT_MORE : 0);
		if (err)
			return err;
		race->sent++;
	}
}

/* Closing while the peer sends: it gets -EPIPE, and goes on after re-opening. */
static void channels_close_under_load(struct kunit *test)
{
	struct duct_channel_config cfg = { .ops = &kit_recv_ops, .max_msg = 64 };
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test), i;
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct channels_close_race race = { .end = b };

	kit_connect(driver, a, side, &cfg, b, &cfg, 0);
	for (i = 1; i <= 20; i++) {
		int seen = atomic_read(&a->recvs);
		struct kit_thread *sender = kit_thread(kit, channels_send_until_error, &race);

		kit_wait(kit, atomic_read(&a->recvs) > seen + 100);
		kit_close(a);
		KUNIT_EXPECT_EQ(test, kit_join(sender), -EPIPE);
		kit_wait(kit, atomic_read(&b->downs) == i);
		KUNIT_ASSERT_EQ(test, kit_open(a, kit_peer(driver, side), 0, &cfg), 0);
		kit_wait(kit, a->is_up && b->is_up);
	}
	KUNIT_EXPECT_LE(test, (u64)atomic_read(&a->recvs), race.sent);
}

struct channels_churn {
	struct kit *kit;
	struct kit_end *end;
	struct duct_device *dd;
	unsigned int rounds;
};

static int channels_churn_run(void *arg)
{
	struct duct_channel_config cfg = { .ops = &kit_recv_ops, .max_msg = 64 };
	struct channels_churn *churn = arg;
	unsigned int i;

	for (i = 0; i < churn->rounds; i++) {
		int err = kit_open(churn->end, churn->dd, 9, &cfg);

		if (err)
			return err;
		if (i % 3)
			duct_send(churn->end->ch, "x", 1, 0);
		kit_close(churn->end);
	}
	return 0;
}

/* Both ends open and close as they like: at the end it still comes up. */
static void channels_churn(struct kunit *test)
{
	struct duct_channel_config cfg = { .max_msg = 64 };
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct channels_churn front = { kit, a, kit_peer(driver, KIT_FRONT), 150 };
	struct channels_churn back = { kit, b, kit_peer(driver, KIT_BACK), 130 };
	struct kit_thread *t1 = kit_thread(kit, channels_churn_run, &front);
	struct kit_thread *t2 = kit_thread(kit, channels_churn_run, &back);

	KUNIT_EXPECT_EQ(test, kit_join(t1), 0);
	KUNIT_EXPECT_EQ(test, kit_join(t2), 0);
	KUNIT_ASSERT_EQ(test, kit_open(a, front.dd, 9, &cfg), 0);
	KUNIT_ASSERT_EQ(test, kit_open(b, back.dd, 9, &cfg), 0);
	/* A binding of earlier wishes may still come and go. */
	kit_wait(kit, a->is_up && b->is_up && !duct_send(a->ch, "last", 4, 0));
}

/* The core closes what remove() leaves; no callback once unregister returns. */
static void channels_left_open(struct kunit *test)
{
	struct duct_channel_config cfg = { .ops = &kit_recv_ops, .max_msg = 64 };
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_driver(kit, "kit", DUCT_PEER);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct channels_close_race race_a = { .end = a }, race_b = { .end = b };
	struct kit_thread *t1, *t2;
	unsigned int i;

	driver->leave = true;
	for (i = 0; i < 5; i++) {
		int seen = atomic_read(&a->recvs);

		kit_register(driver);
		kit_wait(kit, kit_bound(driver) == 2);
		kit_connect(driver, a, KIT_FRONT, &cfg, b, &cfg, 0);
		t1 = kit_thread(kit, channels_send_until_error, &race_a);
		t2 = kit_thread(kit, channels_send_until_error, &race_b);
		kit_wait(kit, atomic_read(&a->recvs) > seen + 100);
		/* The senders are the driver's to stop, before it goes. */
		duct_stop(a->ch);
		duct_stop(b->ch);
		KUNIT_EXPECT_EQ(test, kit_join(t1), -ESHUTDOWN);
		kit_join(t2);
		kit_unregister(driver);
		kit_gone(a);
		kit_gone(b);
	}
}

/* DUCT_ONCE: when the peer has closed, its next opening waits for ours. */
static void channels_once(struct kunit *test)
{
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit), *next = kit_end(kit);
	struct kit_end *c = kit_end(kit), *d = kit_end(kit);
	const struct duct_channel_config once = { .ops = &kit_ready_ops, .flags = DUCT_ONCE };

	kit_connect(driver, a, side, &once, b, NULL, 1);
	KUNIT_EXPECT_EQ(test, duct_error(a->ch), 0);
	KUNIT_EXPECT_GE(test, a->ch->rx_bytes, 4096u);
	kit_exchange(a, b);
	kit_close(b);
	kit_wait(kit, duct_readable(a->ch) && atomic_read(&a->downs) == 1);
	KUNIT_EXPECT_EQ(test, duct_error(a->ch), -EPIPE);
	KUNIT_ASSERT_EQ(test, kit_open(next, kit_peer(driver, !side), 1, NULL), 0);
	/* Another channel up: so the wish for that one has arrived. */
	kit_connect(driver, c, side, NULL, d, NULL, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&next->ups), 0);
	KUNIT_EXPECT_EQ(test, duct_error(next->ch), -ENOTCONN);
	KUNIT_EXPECT_EQ(test, duct_error(a->ch), -EPIPE);
	kit_close(a);
	a = kit_end(kit);
	KUNIT_ASSERT_EQ(test, kit_open(a, kit_peer(driver, side), 1, &once), 0);
	kit_wait(kit, a->is_up && next->is_up);
	kit_exchange(a, next);
}

/* Soon, though no callback tells of it: the channel may have been closed before. */
static bool channels_peer_left(struct duct_device *dd)
{
	unsigned long end = jiffies + KIT_WAIT;

	while (duct_present(dd) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	return !duct_present(dd);
}

/* One end keeps its device while the other's driver closes, leaves and comes back. */
static void channels_peer_returns(struct kunit *test, u32 keeps)
{
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	u32 leaves = keeps == DUCT_SERVE ? DUCT_CONNECT : DUCT_SERVE;
	struct kit_driver *keeper = kit_driver(kit, "kits", keeps);
	struct kit_driver *leaver = kit_driver(kit, "kits", leaves);
	struct kit_end *k = kit_end(kit), *l = kit_end(kit);
	int i;

	keeper->drv.keep = true;
	kit_register(keeper);
	kit_register(leaver);
	kit_wait(kit, kit_bound(keeper) == 2 && kit_bound(leaver) == 2);
	KUNIT_ASSERT_EQ(test, kit_open(k, kit_device(keeper, side, keeps, 0), 0, NULL), 0);
	for (i = 1; i < 5; i++) {
		struct duct_device *dd = kit_device(leaver, !side, leaves, 0);

		KUNIT_ASSERT_EQ(test, kit_open(l, dd, 0, NULL), 0);
		kit_wait(kit, atomic_read(&k->ups) == i && atomic_read(&l->ups) == i);
		kit_exchange(k, l);
		KUNIT_EXPECT_TRUE(test, duct_present(k->ch->dd));
		if (i % 2) {
			kit_close(l);
			kit_wait(kit, duct_readable(k->ch) && atomic_read(&k->downs) == i);
		}
		kit_unregister(leaver);
		kit_wait(kit, duct_readable(k->ch) && atomic_read(&k->downs) == i);
		KUNIT_EXPECT_TRUE(test, channels_peer_left(k->ch->dd));
		kit_register(leaver);
		kit_wait(kit, kit_bound(leaver) == 2);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&keeper->probes), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&keeper->removes), 0);
}

static void channels_client_returns(struct kunit *test)
{
	channels_peer_returns(test, DUCT_SERVE);
}

static void channels_server_returns(struct kunit *test)
{
	channels_peer_returns(test, DUCT_CONNECT);
}

static struct kunit_case channels_cases[] = {
	KUNIT_CASE(channels_config),
	KUNIT_CASE(channels_exist),
	KUNIT_CASE_PARAM(channels_in_turn, kit_sides),
	KUNIT_CASE(channels_numbers),
	KUNIT_CASE_PARAM(channels_agree, kit_sides),
	KUNIT_CASE_PARAM(channels_mismatch, kit_sides),
	KUNIT_CASE(channels_many),
	KUNIT_CASE_PARAM(channels_close, kit_sides),
	KUNIT_CASE_PARAM(channels_stop, kit_sides),
	KUNIT_CASE_PARAM(channels_close_under_load, kit_sides),
	KUNIT_CASE(channels_churn),
	KUNIT_CASE(channels_left_open),
	KUNIT_CASE_PARAM(channels_once, kit_sides),
	KUNIT_CASE_PARAM(channels_client_returns, kit_sides),
	KUNIT_CASE_PARAM(channels_server_returns, kit_sides),
	{}
};

struct kunit_suite duct_channels_suite = {
	.name = "duct_channels",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = channels_cases,
};
