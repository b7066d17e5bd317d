// SPDX-License-Identifier: GPL-2.0
/* Calls: each is answered once, by whom, when and in which order it may be. */
#include <linux/irq_work.h>
#include <linux/workqueue.h>

#include "calls.h"

static void calls_sync(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	u8 buf[CALLS_DATA];
	u32 i, len;

	calls_pair(test, a, b, 4, false);
	for (i = 0; i < 300; i++) {
		len = i % (CALLS_DATA + 1);
		KUNIT_ASSERT_EQ(test, duct_call(a->ch, kit_bytes(kit, i, len), len, buf,
						sizeof(buf), KIT_WAIT), (ssize_t)len);
		KUNIT_EXPECT_EQ(test, memcmp(buf, kit_bytes(kit, i, len), len), 0);
	}
	KUNIT_EXPECT_EQ(test, duct_call(a->ch, buf, CALLS_DATA + 1, buf, 8, KIT_WAIT), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, duct_call(a->ch, buf, 9, buf, 8, KIT_WAIT), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, duct_call(a->ch, "12345678", 8, buf, 8, 0), 8);
	/* The caller serves none. */
	KUNIT_EXPECT_EQ(test, duct_call(b->ch, "", 0, buf, 8, KIT_WAIT), -EREMOTEIO);
	KUNIT_EXPECT_EQ(test, duct_call_async(b->ch, &calls_new(kit)->call, "", 0, 0), -EREMOTEIO);
}

/* Answers in another order than the calls, each to its own. */
static void calls_out_of_order(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_server *server = calls_pair(test, a, b, 8, false);
	struct call *call[8];
	u32 i, round;

	server->how = CALLS_HOLD;
	for (i = 0; i < 8; i++)
		call[i] = calls_new(kit);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 8; i++)
			calls_begin(a, call[i], kit_bytes(kit, i, i), i);
		KUNIT_EXPECT_EQ(test, calls_start(a, calls_new(kit), "", 0), -EAGAIN);
		kit_wait(kit, READ_ONCE(server->n) == 8);
		calls_answer_all(server);
		KUNIT_EXPECT_EQ(test, server->reply, 0);
		for (i = 0; i < 8; i++) {
			kit_wait(kit, calls_ended(call[i]));
			KUNIT_EXPECT_EQ(test, call[i]->err, 0);
			KUNIT_EXPECT_EQ(test, call[i]->len, i);
			KUNIT_EXPECT_EQ(test, memcmp(call[i]->data, kit_bytes(kit, i, i), i), 0);
		}
	}
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&call[i]->dones), 1);
}

/* ---- many threads, more than there may be calls ---- */

struct calls_caller {
	struct kit_end *end;
	u32 id;
};

static int calls_thread(void *arg)
{
	struct calls_caller *caller = arg;
	u32 i, answer[2];

	for (i = 0; i < 200; i++) {
		u32 req[2] = { caller->id, i };
		ssize_t len = duct_call(caller->end->ch, req, sizeof(req), answer, sizeof(answer),
					KIT_WAIT);

		if (len != sizeof(req))
			return len < 0 ? len : -EMSGSIZE;
		if (memcmp(req, answer, sizeof(req)))
			return -EILSEQ;
	}
	return 0;
}

static void calls_threads(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_caller caller[8];
	struct kit_thread *thread[8];
	u32 i;

	calls_pair(test, a, b, 3, false);
	for (i = 0; i < 8; i++) {
		caller[i] = (struct calls_caller){ a, i };
		thread[i] = kit_thread(kit, calls_thread, &caller[i]);
	}
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, kit_join(thread[i]), 0);
}

/* ---- replies from elsewhere ---- */

struct calls_replier {
	struct calls_server *server;
	struct irq_work irq;
	struct work_struct work;
	int err;
};

static void calls_reply_irq(struct irq_work *irq)
{
	struct calls_replier *replier = container_of(irq, struct calls_replier, irq);

	replier->err = calls_answer(replier->server, 0);
}

static void calls_reply_work(struct work_struct *work)
{
	struct calls_replier *replier = container_of(work, struct calls_replier, work);

	replier->err = calls_answer(replier->server, 0);
}

static void calls_reply_anywhere(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct calls_replier replier = { .server = calls_pair(test, a, b, 1, false) };
	struct call *call = calls_new(kit);
	u32 i;

	replier.server->how = CALLS_HOLD;
	init_irq_work(&replier.irq, calls_reply_irq);
	INIT_WORK_ONSTACK(&replier.work, calls_reply_work);
	for (i = 0; i < 40; i++) {
		calls_begin(a, call, kit_bytes(kit, i, 5), 5);
		kit_wait(kit, READ_ONCE(replier.server->n) == 1);
		replier.err = -EINPROGRESS;
		if (i % 2)
			irq_work_queue(&replier.irq);
		else
			schedule_work(&replier.work);
		kit_wait(kit, calls_ended(call));
		irq_work_sync(&replier.irq);
		flush_work(&replier.work);
		KUNIT_EXPECT_EQ(test, replier.err, 0);
		KUNIT_EXPECT_EQ(test, call->err, 0);
		KUNIT_EXPECT_EQ(test, memcmp(call->data, kit_bytes(kit, i, 5), 5), 0);
		replier.server->n = 0;
	}
	destroy_work_on_stack(&replier.work);
}

/* ---- room ---- */

/* duct_reply() never lacks room, however full of messages the ring is. */
static void calls_answers_have_room(struct kunit *test)
{
	struct duct_channel_config caller = { .max_msg = 100 };
	struct duct_channel_config serves = {
		.max_msg = 100,
		.max_calls = 8,
		.max_answer = 300,
	};
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_request *request[8];
	struct call *call[8];
	struct duct_msg msg;
	u32 i, round, n;

	for (i = 0; i < 8; i++)
		call[i] = calls_new(kit);
	kit_connect(kit_peers(kit, false), a, kit_param_side(test), &caller, b, &serves, 0);
	for (round = 0; round < 30; round++) {
		for (n = 0; !duct_send(b->ch, kit_bytes(kit, n, n % 101), n % 101, 0); n++)
			;
		for (i = 0; i < 8; i++)
			calls_begin(a, call[i], "", 0);
		for (i = 0; i < 8; i++) {
			KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
			KUNIT_ASSERT_NOT_NULL(test, msg.request);
			request[i] = msg.request;
			duct_release(&msg);
		}
		for (i = 0; i < 8; i++) {
			KUNIT_EXPECT_EQ(test, duct_send(b->ch, kit->pattern, 100, 0), -EAGAIN);
			KUNIT_ASSERT_EQ(test, duct_reply(request[i], kit->pattern, 300), 0);
		}
		/* The messages were first; then nothing, for answers go to done(). */
		for (i = 0; i < n; i++)
			kit_expect(a, kit_bytes(kit, i, i % 101), i % 101);
		for (i = 0; i < 8; i++) {
			kit_wait(kit, duct_next(a->ch, &msg) == -EAGAIN && calls_ended(call[i]));
			KUNIT_EXPECT_EQ(test, call[i]->err, 0);
			KUNIT_EXPECT_EQ(test, call[i]->len, 300u);
			KUNIT_EXPECT_EQ(test, atomic_read(&call[i]->dones), 1);
		}
	}
}

/* Calls and messages go in the order of sending, in one ring. */
static void calls_among_messages(struct kunit *test)
{
	struct duct_channel_config serves = { .max_calls = 2, .max_answer = 16 };
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct call *call = calls_new(kit);
	struct duct_msg msg;
	u8 data[4];

	kit_connect(kit_peers(kit, false), a, kit_param_side(test), NULL, b, &serves, 0);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "one", 3, DUCT_MORE), 0);
	KUNIT_ASSERT_EQ(test, duct_call_async(a->ch, &call->call, "two", 3, DUCT_MORE), 0);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "three", 5, 0), 0);
	kit_expect(b, "one", 3);
	KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
	KUNIT_ASSERT_NOT_NULL(test, msg.request);
	KUNIT_EXPECT_PTR_EQ(test, msg.request->ch, b->ch);
	KUNIT_EXPECT_EQ(test, duct_read(&msg, data, 3), 0);
	KUNIT_EXPECT_EQ(test, memcmp(data, "two", 3), 0);
	/* A request outlives its message; replied to before release is fine, too. */
	KUNIT_EXPECT_EQ(test, duct_reply(msg.request, "ok", 2), 0);
	KUNIT_ASSERT_EQ(test, duct_next(b->ch, &msg), 0);
	KUNIT_EXPECT_NULL(test, msg.request);
	duct_release(&msg);
	kit_expect(b, "three", 5);
	kit_wait(kit, duct_next(a->ch, &msg) == -EAGAIN && calls_ended(call));
	KUNIT_EXPECT_EQ(test, call->len, 2u);
	kit_exchange(a, b);
}

/* ---- from callbacks ---- */

static int calls_from_recv(struct kit_end *end, struct duct_msg *msg)
{
	u8 buf[4];

	WRITE_ONCE(*(ssize_t *)end->priv, duct_call(end->ch, "", 0, buf, 4, KIT_WAIT));
	return 0;
}

static void calls_deadlock(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	ssize_t ret = 0;
	u8 buf[4];

	calls_pair(test, a, b, 1, false);
	a->priv = &ret;
	a->on_recv = calls_from_recv;
	KUNIT_ASSERT_EQ(test, duct_send(b->ch, "", 0, 0), 0);
	kit_wait(kit, atomic_read(&a->recvs) == 1);
	KUNIT_EXPECT_EQ(test, READ_ONCE(ret), -EDEADLK);
	KUNIT_EXPECT_EQ(test, duct_call(a->ch, "echo", 4, buf, 4, KIT_WAIT), 4);
}

/* duct_refuse(): for who takes calls by duct_next(). */
static void calls_refuse(struct kunit *test)
{
	const struct duct_channel_config serve = {
		.ops = &kit_ready_ops, .max_calls = 1, .max_answer = CALLS_DATA,
	};
	const struct duct_channel_config call_it = { .ops = &kit_recv_ops };
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct call *call = calls_new(kit);
	struct duct_msg msg;
	int i;

	kit_connect(kit_peers(kit, false), a, kit_param_side(test), &call_it, b, &serve, 0);
	/* More often than there are places: each is free again. */
	for (i = 0; i < 3; i++) {
		calls_begin(a, call, "x", 1);
		KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
		KUNIT_ASSERT_NOT_NULL(test, msg.request);
		duct_refuse(msg.request);
		duct_release(&msg);
		kit_wait(kit, calls_ended(call));
		KUNIT_EXPECT_EQ(test, call->err, -EREMOTEIO);
	}
}

static void calls_from_up(struct kit_end *end)
{
	u8 buf[4] = "";
	ssize_t ret = duct_call(end->ch, "up", 2, buf, 4, KIT_WAIT);

	*(ssize_t *)end->priv = ret;
}

static void calls_in_up(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	ssize_t ret = 0;

	a->priv = &ret;
	a->on_up = calls_from_up;
	calls_pair(test, a, b, 1, false);
	KUNIT_EXPECT_EQ(test, ret, 2);
}

static struct kunit_case calls_cases[] = {
	KUNIT_CASE_PARAM(calls_sync, kit_sides),
	KUNIT_CASE_PARAM(calls_out_of_order, kit_sides),
	KUNIT_CASE_PARAM(calls_threads, kit_sides),
	KUNIT_CASE_PARAM(calls_reply_anywhere, kit_sides),
	KUNIT_CASE_PARAM(calls_answers_have_room, kit_sides),
	KUNIT_CASE_PARAM(calls_among_messages, kit_sides),
	KUNIT_CASE_PARAM(calls_deadlock, kit_sides),
	KUNIT_CASE_PARAM(calls_in_up, kit_sides),
	KUNIT_CASE_PARAM(calls_refuse, kit_sides),
	{}
};

struct kunit_suite duct_calls_suite = {
	.name = "duct_calls",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = calls_cases,
};
