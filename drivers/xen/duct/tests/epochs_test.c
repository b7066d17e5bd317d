// SPDX-License-Identifier: GPL-2.0
/* Epochs: what is in flight ends once, and everything comes up again. */
#include "calls.h"

static void epochs_wait_up(struct kit_end *a, struct kit_end *b, int ups)
{
	kit_wait(a->kit, atomic_read(&a->ups) == ups && atomic_read(&b->ups) == ups);
}

/* Messages unread, calls unanswered: a new epoch. Devices stay for who keeps them. */
static void epochs_in_flight(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 4, true);
	struct kit_driver *driver = list_first_entry(&kit->drivers, struct kit_driver, node);
	struct duct_device *dd = a->ch->dd;
	u8 buf[CALLS_DATA];
	struct call *call[4];
	u32 i, round, epoch;

	for (i = 0; i < 4; i++)
		call[i] = calls_new(kit);
	for (round = 1; round < 5; round++) {
		epoch = dd->epoch;
		server->how = CALLS_HOLD;
		for (i = 0; i < 4; i++) {
			call[i]->call.timeout = i % 2 ? KIT_WAIT : 0;
			calls_begin(a, call[i], "", 0);
		}
		kit_wait(kit, READ_ONCE(server->n) == 4);
		kit_loop_run(kit, true);
		for (i = 0; i < 4; i++) {
			kit_wait(kit, calls_ended(call[i]));
			KUNIT_EXPECT_EQ(test, call[i]->err, -ECONNRESET);
		}
		epochs_wait_up(a, b, round + 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&a->downs), (int)round);
		KUNIT_EXPECT_EQ(test, atomic_read(&b->downs), (int)round);
		KUNIT_EXPECT_EQ(test, a->why, -ECONNRESET);
		KUNIT_EXPECT_EQ(test, b->why, -ECONNRESET);
		KUNIT_EXPECT_PTR_EQ(test, a->ch->dd, dd);
		KUNIT_EXPECT_EQ(test, dd->epoch, epoch + 1);
		/* The old requests still take all places; the core says so. */
		KUNIT_EXPECT_EQ(test, duct_call(a->ch, "", 0, buf, 8, KIT_WAIT), -EREMOTEIO);
		calls_answer_all(server);
		KUNIT_EXPECT_EQ(test, server->reply, -ECONNRESET);
		server->how = CALLS_ECHO;
		KUNIT_EXPECT_EQ(test, duct_call(a->ch, "new", 3, buf, 8, KIT_WAIT), 3);
		for (i = 0; i < 4; i++)
			KUNIT_EXPECT_EQ(test, atomic_read(&call[i]->dones), 1);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&driver->probes), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&driver->removes), 0);
}

/* A message at hand when the epoch ends. */
static void epochs_cursor(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg;
	u8 buf[4];

	kit_connect(kit_peers(kit, true), a, kit_param_side(test), NULL, b, NULL, 0);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "old", 3, 0), 0);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "older", 5, 0), 0);
	KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
	KUNIT_EXPECT_EQ(test, duct_read(&msg, buf, 1), 0);
	kit_loop_run(kit, true);
	KUNIT_EXPECT_EQ(test, duct_read(&msg, buf, 1), -ECONNRESET);
	epochs_wait_up(a, b, 2);
	KUNIT_EXPECT_EQ(test, duct_read(&msg, buf, 1), -ECONNRESET);
	duct_release(&msg);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	kit_exchange(a, b);
}

/* The link goes down for a while. */
static void epochs_down(struct kunit *test)
{
	struct kit *kit = test->priv;
	unsigned int side = kit_param_side(test);
	struct kit_driver *driver = kit_peers(kit, true);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg;
	char text[16];
	u32 i;

	kit_connect(driver, a, side, NULL, b, NULL, 0);
	for (i = 1; i < 5; i++) {
		kit_loop_run(kit, false);
		kit_wait(kit, atomic_read(&a->downs) == i && atomic_read(&b->downs) == i);
		KUNIT_EXPECT_EQ(test, duct_send(a->ch, "", 1, 0), -ECONNRESET);
		KUNIT_EXPECT_EQ(test, duct_next(a->ch, &msg), -ECONNRESET);
		KUNIT_EXPECT_EQ(test, duct_call(a->ch, "", 0, NULL, 0, HZ), -ECONNRESET);
		KUNIT_EXPECT_EQ(test, kit_read_channel(a, "state", text, sizeof(text)), 0);
		KUNIT_EXPECT_STREQ(test, text, "down\n");
		/* Opened and closed meanwhile: that is fine, too. */
		if (i % 2) {
			kit_close(b);
			KUNIT_ASSERT_EQ(test, kit_open(b, kit_peer(driver, !side), 0, NULL), 0);
		}
		kit_loop_run(kit, true);
		epochs_wait_up(a, b, i + 1);
		kit_exchange(a, b);
	}
}

/* ---- drivers that do not keep their devices ---- */

static int epochs_probe(struct kit_driver *driver, struct duct_device *dd)
{
	struct kit_end **ends = driver->priv;

	return kit_open(ends[kit_side(dd)], dd, 0, NULL);
}

static void epochs_probe_again(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *ends[2] = { kit_end(kit), kit_end(kit) };
	struct kit_driver *driver = kit_driver(kit, "kit", DUCT_PEER);
	u32 i, epoch = 0;

	driver->on_probe = epochs_probe;
	driver->priv = ends;
	kit_register(driver);
	for (i = 1; i < 8; i++) {
		epochs_wait_up(ends[0], ends[1], i);
		KUNIT_EXPECT_EQ(test, atomic_read(&driver->probes), 2 * (int)i);
		KUNIT_EXPECT_EQ(test, atomic_read(&driver->removes), 2 * (int)i - 2);
		KUNIT_EXPECT_NE(test, ends[0]->ch->dd->epoch, epoch);
		epoch = ends[0]->ch->dd->epoch;
		KUNIT_EXPECT_EQ(test, ends[1]->ch->dd->epoch, epoch);
		kit_exchange(ends[0], ends[1]);
		if (i % 2) {
			kit_loop_run(kit, false);
			kit_wait(kit, !kit_bound(driver));
		}
		kit_loop_run(kit, true);
	}
	epochs_wait_up(ends[0], ends[1], i);
}

/* The driver comes while the link is down. */
static void epochs_register_while_down(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_driver(kit, "kit", DUCT_PEER);

	kit_loop_run(kit, false);
	kit_register(driver);
	KUNIT_EXPECT_EQ(test, kit_bound(driver), 0u);
	kit_loop_run(kit, true);
	kit_wait(kit, kit_bound(driver) == 2);
	kit_loop_run(kit, false);
	kit_wait(kit, !kit_bound(driver));
	kit_unregister(driver);
	kit_loop_run(kit, true);
	kit_wait(kit, kit_bound(kit_peers(kit, true)) == 2);
}

/* ---- under load ---- */

/**
 * struct epochs_load - a thread's work on one end
 * @end: which
 * @call: of a thread that calls
 * @good: answered, or sent
 * @ended: of calls: with an error that may be
 * @bad: the last one that may not be
 * @twice: calls that did not end once, or with the answer to another
 */
struct epochs_load {
	struct kit_end *end;
	struct call *call;
	u32 good, ended, twice;
	int bad;
};

static bool epochs_error_may_be(int err)
{
	return err == -ECONNRESET || err == -ENOTCONN || err == -EPIPE;
}

static void epochs_count(struct epochs_load *load, int err)
{
	struct kit *kit = load->end->kit;

	if (!err) {
		load->good++;
		return;
	}
	if (epochs_error_may_be(err))
		load->ended++;
	else
		load->bad = err;
	wait_event_timeout(kit->wait, READ_ONCE(load->end->is_up) || READ_ONCE(kit->over),
			   KIT_WAIT);
}

static int epochs_caller(void *arg)
{
	struct epochs_load *load = arg;
	struct call *call = load->call;
	struct kit *kit = load->end->kit;
	int err = 0;

	while (!READ_ONCE(load->end->kit->over)) {
		wait_event_timeout(kit->wait,
				   (err = calls_start(load->end, call, "load", 4)) != -EAGAIN,
				   KIT_WAIT);
		if (!err) {
			if (!wait_event_timeout(kit->wait, calls_ended(call), KIT_WAIT))
				return -ETIMEDOUT;
			err = call->err;
			if (atomic_read(&call->dones) != 1 ||
			    (!err && memcmp(call->data, "load", 4)))
				load->twice++;
		}
		epochs_count(load, err);
		cond_resched();
	}
	return 0;
}

static int epochs_sender(void *arg)
{
	struct epochs_load *load = arg;

	while (!READ_ONCE(load->end->kit->over)) {
		epochs_count(load, kit_send(load->end, load->end->kit->pattern, 50, 0));
		cond_resched();
	}
	return 0;
}

#define EPOCHS_ROUNDS 20

static void epochs_under_load(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct epochs_load *load = kunit_kzalloc(test, 4 * sizeof(*load), GFP_KERNEL);
	struct kit_thread *thread[4];
	u32 i, j;

	KUNIT_ASSERT_NOT_NULL(test, load);
	calls_pair(test, a, b, 2, true);
	for (i = 0; i < 4; i++) {
		load[i].end = i < 3 ? a : b;
		load[i].call = calls_new(kit);
		thread[i] = kit_thread(kit, i < 2 ? epochs_caller : epochs_sender, &load[i]);
	}
	for (i = 1; i <= EPOCHS_ROUNDS; i++) {
		u32 good[4];

		/* Only who was told up() is told down(). */
		epochs_wait_up(a, b, i);
		for (j = 0; j < 4; j++)
			good[j] = READ_ONCE(load[j].good);
		/* Traffic in each epoch, but at times only just. */
		kit_wait(kit, READ_ONCE(load[i % 4].good) > good[i % 4] + (i % 3) * 5);
		kit_loop_run(kit, true);
		kit_wait(kit, atomic_read(&a->downs) == i && atomic_read(&b->downs) == i);
	}
	epochs_wait_up(a, b, EPOCHS_ROUNDS + 1);
	WRITE_ONCE(kit->over, true);
	wake_up_all(&kit->wait);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, kit_join(thread[i]), 0);
		KUNIT_EXPECT_EQ(test, load[i].bad, 0);
		KUNIT_EXPECT_EQ(test, load[i].twice, 0u);
		KUNIT_EXPECT_GT(test, load[i].good, 0u);
	}
}

static struct kunit_case epochs_cases[] = {
	KUNIT_CASE_PARAM(epochs_in_flight, kit_sides),
	KUNIT_CASE_PARAM(epochs_cursor, kit_sides),
	KUNIT_CASE_PARAM(epochs_down, kit_sides),
	KUNIT_CASE(epochs_probe_again),
	KUNIT_CASE(epochs_register_while_down),
	KUNIT_CASE_PARAM(epochs_under_load, kit_sides),
	{}
};

struct kunit_suite duct_epochs_suite = {
	.name = "duct_epochs",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = epochs_cases,
};
