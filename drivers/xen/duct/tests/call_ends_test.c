// SPDX-License-Identifier: GPL-2.0
/* How calls end when they are not answered: once each, with the errno that says why. */
#include <linux/sched/signal.h>

#include "calls.h"

static void call_ends_expect(struct kit *kit, struct call *call, int err)
{
	kit_wait(kit, calls_ended(call));
	KUNIT_EXPECT_EQ(kit->test, call->err, err);
	KUNIT_EXPECT_EQ(kit->test, atomic_read(&call->dones), 1);
}

static void call_ends_refused(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 2, false);
	struct call *call = calls_new(kit);
	u8 buf[CALLS_DATA];
	u32 i;

	for (i = 0; i < 20; i++) {
		server->how = i % 2 ? CALLS_REFUSE : CALLS_TOO_LONG;
		calls_begin(a, call, "x", 1);
		call_ends_expect(kit, call, -EREMOTEIO);
		if (i % 2 == 0)
			KUNIT_EXPECT_EQ(test, server->reply, -EMSGSIZE);
	}
	server->how = CALLS_ECHO;
	KUNIT_EXPECT_EQ(test, duct_call(a->ch, "y", 1, buf, sizeof(buf), KIT_WAIT), 1);
}

/* The caller gives up; the late answer is dropped, and only then is its place free. */
static void call_ends_timeout(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 1, false);
	struct call *call = calls_new(kit), *next = calls_new(kit);
	u8 buf[CALLS_DATA];
	u32 i;

	server->how = CALLS_HOLD;
	call->call.timeout = 2;
	for (i = 0; i < 10; i++) {
		int before = atomic_read(&a->writables);

		calls_begin(a, call, "late", 4);
		call_ends_expect(kit, call, -ETIMEDOUT);
		kit_wait(kit, READ_ONCE(server->n) == 1);
		KUNIT_EXPECT_EQ(test, calls_start(a, next, "next", 4), -EAGAIN);
		calls_answer_all(server);
		KUNIT_EXPECT_EQ(test, server->reply, 0);
		kit_wait(kit, atomic_read(&a->writables) > before);
		KUNIT_EXPECT_EQ(test, atomic_read(&call->dones), 1);
		calls_begin(a, next, "next", 4);
		kit_wait(kit, READ_ONCE(server->n) == 1);
		calls_answer_all(server);
		call_ends_expect(kit, next, 0);
		KUNIT_EXPECT_EQ(test, memcmp(next->data, "next", 4), 0);
	}
	KUNIT_EXPECT_EQ(test, duct_call(a->ch, "", 0, buf, 8, 2), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, duct_call(a->ch, "", 0, buf, 8, 2), -ETIMEDOUT);
	kit_wait(kit, READ_ONCE(server->n) == 1);
	calls_answer_all(server);
}

/* Deadlines that come in another order than the calls; some are answered. */
static void call_ends_deadlines(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 8, false);
	struct call *call[8];
	u32 i;

	server->how = CALLS_HOLD;
	for (i = 0; i < 8; i++) {
		call[i] = calls_new(kit);
		call[i]->call.timeout = i % 2 ? KIT_WAIT * 2 : 9 - i;
		calls_begin(a, call[i], "", 0);
	}
	for (i = 0; i < 8; i += 2)
		call_ends_expect(kit, call[i], -ETIMEDOUT);
	kit_wait(kit, READ_ONCE(server->n) == 8);
	calls_answer_all(server);
	for (i = 1; i < 8; i += 2)
		call_ends_expect(kit, call[i], 0);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&call[i]->dones), 1);
}

static void call_ends_cancel(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 2, false);
	struct call *call = calls_new(kit);
	u32 i;

	server->how = CALLS_HOLD;
	for (i = 0; i < 20; i++) {
		calls_begin(a, call, "c", 1);
		/* Before the answer, twice, and after it has ended. */
		duct_call_cancel(&call->call);
		duct_call_cancel(&call->call);
		call_ends_expect(kit, call, -ECANCELED);
		duct_call_cancel(&call->call);
		kit_wait(kit, READ_ONCE(server->n) == 1);
		calls_answer_all(server);
		kit_wait(kit, duct_writable(a->ch, 0));
	}
	/* After the answer: too late. */
	calls_begin(a, call, "d", 1);
	kit_wait(kit, READ_ONCE(server->n) == 1);
	calls_answer_all(server);
	call_ends_expect(kit, call, 0);
	duct_call_cancel(&call->call);
	KUNIT_EXPECT_EQ(test, atomic_read(&call->dones), 1);
}

/* Answer, cancel and time-out race; exactly one of them is the end. */
static void call_ends_races(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	u32 i, answered = 0, given_up = 0;
	struct call *call[4];

	for (i = 0; i < 4; i++)
		call[i] = calls_new(kit);
	calls_pair(test, a, b, 4, false);
	for (i = 0; i < 3000; i++) {
		struct call *c = call[i % 4];
		int err;

		if (i >= 4) {
			kit_wait(kit, calls_ended(c));
			KUNIT_ASSERT_EQ(test, atomic_read(&c->dones), 1);
			if (!c->err)
				answered++;
			else if (c->err == -ECANCELED || c->err == -ETIMEDOUT)
				given_up++;
		}
		c->call.timeout = i % 3;
		atomic_set(&c->dones, 0);
		kit_wait(kit, (err = duct_call_async(a->ch, &c->call, "race", 4, 0)) != -EAGAIN);
		KUNIT_ASSERT_EQ(test, err, 0);
		if (i % 5 == 0)
			duct_call_cancel(&c->call);
		else if (i % 5 == 1 && i >= 4)
			duct_call_cancel(&call[(i + 1) % 4]->call);
	}
	for (i = 0; i < 4; i++)
		kit_wait(kit, calls_ended(call[i]));
	KUNIT_EXPECT_EQ(test, answered + given_up, 3000u - 4);
	KUNIT_EXPECT_GT(test, answered, 0u);
	KUNIT_EXPECT_GT(test, given_up, 0u);
	duct_stop(a->ch);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&call[i]->dones), 1);
}

static int call_ends_close(void *arg)
{
	kit_close(arg);
	return 0;
}

/* The peer closes with calls in flight; its close waits for its own replies. */
static void call_ends_peer_closes(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 4, false);
	struct kit_thread *closer;
	struct call *call[4];
	u32 i;

	server->how = CALLS_HOLD;
	for (i = 0; i < 4; i++) {
		call[i] = calls_new(kit);
		calls_begin(a, call[i], "", 0);
	}
	kit_wait(kit, READ_ONCE(server->n) == 4);
	closer = kit_thread(kit, call_ends_close, b);
	for (i = 0; i < 4; i++)
		call_ends_expect(kit, call[i], -EPIPE);
	kit_wait(kit, atomic_read(&a->downs) == 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&closer->ended));
	calls_answer_all(server);
	KUNIT_EXPECT_EQ(test, server->reply, -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, kit_join(closer), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&call[i]->dones), 1);
}

/* The caller stops with calls in flight; all have ended when that returns. */
static void call_ends_stop(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 4, false);
	struct call *call[4];
	u32 i;

	server->how = CALLS_HOLD;
	for (i = 0; i < 4; i++) {
		call[i] = calls_new(kit);
		call[i]->call.timeout = i % 2 ? KIT_WAIT : 0;
		calls_begin(a, call[i], "", 0);
	}
	kit_wait(kit, READ_ONCE(server->n) == 4);
	duct_stop(a->ch);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, call[i]->err, -ESHUTDOWN);
		KUNIT_EXPECT_EQ(test, atomic_read(&call[i]->dones), 1);
	}
	calls_answer_all(server);
	kit_close(a);
	kit_close(b);
}

static void call_ends_answer_held(struct kit_driver *driver, struct duct_device *dd)
{
	struct kit_end *b = driver->priv;

	/* As a driver would: before its channel can be closed. */
	if (b->ch && b->ch->dd == dd) {
		duct_stop(b->ch);
		calls_answer_all(b->priv);
	}
}

static void call_ends_unregister(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 4, false);
	struct kit_driver *driver = list_first_entry(&kit->drivers, struct kit_driver, node);
	struct call *call[4];
	u32 i;

	driver->priv = b;
	driver->on_remove = call_ends_answer_held;
	server->how = CALLS_HOLD;
	for (i = 0; i < 4; i++) {
		call[i] = calls_new(kit);
		calls_begin(a, call[i], "", 0);
	}
	kit_wait(kit, READ_ONCE(server->n) == 4);
	kit_unregister(driver);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, atomic_read(&call[i]->dones), 1);
		KUNIT_EXPECT_TRUE(test, call[i]->err == -EPIPE || call[i]->err == -ESHUTDOWN ||
				  call[i]->err == -ECONNRESET);
	}
}

struct call_ends_signalled {
	struct kit_end *end;
	struct completion ready;
	u32 room;
};

static int call_ends_interruptible(void *arg)
{
	struct call_ends_signalled *s = arg;
	u8 buf[8];

	allow_signal(SIGUSR1);
	complete(&s->ready);
	return duct_call(s->end->ch, "sig", 3, buf, sizeof(buf), 0);
}

/* A signal ends a call that waits for its answer, and one that waits for a place. */
static void call_ends_signal(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 1, false);
	struct call_ends_signalled s = { .end = a };
	struct kit_thread *first, *second;

	server->how = CALLS_HOLD;
	init_completion(&s.ready);
	first = kit_thread(kit, call_ends_interruptible, &s);
	kit_wait(kit, READ_ONCE(server->n) == 1);
	reinit_completion(&s.ready);
	second = kit_thread(kit, call_ends_interruptible, &s);
	KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&s.ready, KIT_WAIT), 0ul);
	send_sig(SIGUSR1, second->task, 1);
	KUNIT_EXPECT_EQ(test, kit_join(second), -ERESTARTSYS);
	send_sig(SIGUSR1, first->task, 1);
	KUNIT_EXPECT_EQ(test, kit_join(first), -ERESTARTSYS);
	calls_answer_all(server);
	KUNIT_EXPECT_EQ(test, server->reply, 0);
}

/**
 * struct call_ends_slow - a call whose done() takes long
 * @call: the call
 * @end: whose
 * @dones: calls of done()
 * @late: down() came meanwhile
 */
struct call_ends_slow {
	struct duct_call call;
	struct kit_end *end;
	atomic_t dones;
	bool late;
};

static void call_ends_slow_done(struct duct_call *call, int err, struct duct_msg *answer)
{
	struct call_ends_slow *slow = container_of(call, struct call_ends_slow, call);
	struct kit *kit = slow->end->kit;

	slow->late = wait_event_timeout(kit->wait, atomic_read(&slow->end->downs), HZ) > 0;
	atomic_inc(&slow->dones);
	wake_up_all(&kit->wait);
}

/* Each call has ended before its channel's down(). */
static void call_ends_before_down(struct kunit *test)
{
	struct call_ends_slow *slow = kunit_kzalloc(test, sizeof(*slow), GFP_KERNEL);
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 1, true);

	KUNIT_ASSERT_NOT_NULL(test, slow);
	slow->call.done = call_ends_slow_done;
	slow->end = a;
	server->how = CALLS_HOLD;
	KUNIT_ASSERT_EQ(test, duct_call_async(a->ch, &slow->call, "", 0, 0), 0);
	kit_wait(kit, READ_ONCE(server->n) == 1);
	kit_loop_run(kit, true);
	kit_wait(kit, atomic_read(&slow->dones) && atomic_read(&a->ups) == 2);
	KUNIT_EXPECT_FALSE(test, slow->late);
	KUNIT_EXPECT_EQ(test, atomic_read(&slow->dones), 1);
	calls_answer_all(server);
}

static struct kunit_case call_ends_cases[] = {
	KUNIT_CASE_PARAM(call_ends_refused, kit_sides),
	KUNIT_CASE_PARAM(call_ends_timeout, kit_sides),
	KUNIT_CASE_PARAM(call_ends_deadlines, kit_sides),
	KUNIT_CASE_PARAM(call_ends_cancel, kit_sides),
	KUNIT_CASE_PARAM(call_ends_races, kit_sides),
	KUNIT_CASE_PARAM(call_ends_peer_closes, kit_sides),
	KUNIT_CASE_PARAM(call_ends_stop, kit_sides),
	KUNIT_CASE_PARAM(call_ends_unregister, kit_sides),
	KUNIT_CASE(call_ends_signal),
	KUNIT_CASE_PARAM(call_ends_before_down, kit_sides),
	{}
};

struct kunit_suite duct_call_ends_suite = {
	.name = "duct_call_ends",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = call_ends_cases,
};
