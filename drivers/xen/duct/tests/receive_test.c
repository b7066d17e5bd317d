// SPDX-License-Identifier: GPL-2.0
/* The receive cursor: the oldest message, read front to back, until it is released. */
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/workqueue.h>

#include "hostile.h"
#include "kit.h"

static void receive_pair(struct kunit *test, const struct duct_channel_config *cfg,
			 struct kit_end *a, struct kit_end *b)
{
	struct kit *kit = test->priv;
	unsigned int side = test->param_value ? kit_param_side(test) : KIT_FRONT;

	kit_connect(kit_peers(kit, false), a, side, NULL, b, cfg, 0);
}

static void receive_cursor(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg, twin, old;
	u8 buf[16];

	receive_pair(test, NULL, a, b);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "0123456789", 10, 0), 0);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "next", 4, 0), 0);
	KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
	KUNIT_EXPECT_EQ(test, msg.len, 10u);
	KUNIT_EXPECT_NULL(test, msg.request);
	KUNIT_EXPECT_PTR_EQ(test, msg.ch, b->ch);
	KUNIT_EXPECT_EQ(test, duct_read(&msg, buf, 3), 0);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "012", 3), 0);
	KUNIT_EXPECT_EQ(test, msg.len, 7u);
	/* Too much: nothing is read. */
	KUNIT_EXPECT_EQ(test, duct_read(&msg, buf, 8), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, duct_read(&msg, buf, U32_MAX), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, msg.len, 7u);
	/* The same message again, where it was. */
	KUNIT_ASSERT_EQ(test, duct_next(b->ch, &twin), 0);
	KUNIT_EXPECT_EQ(test, twin.len, 7u);
	KUNIT_EXPECT_EQ(test, duct_read(&twin, buf, 0), 0);
	KUNIT_EXPECT_EQ(test, duct_read(&twin, buf, 7), 0);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "3456789", 7), 0);
	KUNIT_EXPECT_EQ(test, duct_read(&twin, buf, 1), -EMSGSIZE);
	KUNIT_EXPECT_TRUE(test, duct_readable(b->ch));
	old = twin;
	duct_release(&twin);
	duct_release(&twin);
	KUNIT_EXPECT_EQ(test, duct_read(&twin, buf, 0), -ECONNRESET);
	KUNIT_EXPECT_EQ(test, duct_read(&old, buf, 0), -ECONNRESET);
	KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
	KUNIT_EXPECT_EQ(test, msg.len, 4u);
	/* Released without being read. */
	duct_release(&twin);
	KUNIT_ASSERT_EQ(test, duct_next(b->ch, &msg), 0);
	KUNIT_EXPECT_EQ(test, msg.len, 4u);
	duct_release(&msg);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	KUNIT_EXPECT_FALSE(test, duct_readable(b->ch));
	kit_exchange(a, b);
}

static u64 receive_events(struct kit_end *end)
{
	struct duct_stats stats;

	duct_stats(end->ch, &stats);
	return stats.out_events;
}

/* Looking without asking to be woken. */
static void receive_pending(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg;
	u64 events;

	receive_pair(test, NULL, a, b);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "one", 3, 0), 0);
	KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
	duct_release(&msg);
	/* The space goes back all the same. */
	KUNIT_EXPECT_LT(test, duct_room(a->ch), a->ch->tx_bytes);
	KUNIT_EXPECT_FALSE(test, duct_pending(b->ch));
	KUNIT_EXPECT_EQ(test, duct_room(a->ch), a->ch->tx_bytes);
	events = receive_events(a);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "two", 3, 0), 0);
	KUNIT_EXPECT_EQ(test, receive_events(a), events);
	KUNIT_EXPECT_TRUE(test, duct_pending(b->ch));
	KUNIT_ASSERT_EQ(test, duct_next(b->ch, &msg), 0);
	KUNIT_EXPECT_TRUE(test, duct_pending(b->ch));
	duct_release(&msg);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	KUNIT_EXPECT_FALSE(test, duct_pending(b->ch));
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "three", 5, 0), 0);
	KUNIT_EXPECT_EQ(test, receive_events(a), events + 1);
	KUNIT_ASSERT_EQ(test, duct_next(b->ch, &msg), 0);
	duct_release(&msg);
	kit_exchange(a, b);
	/* The end is something to hear of. */
	kit_close(a);
	kit_wait(kit, duct_pending(b->ch));
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EPIPE);
}

static void receive_iter(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	u8 *buf = kunit_kzalloc(test, 4096, GFP_KERNEL);
	const u8 *data = kit->pattern;
	struct iov_iter iter;
	struct duct_msg msg;
	struct kvec vec[3];

	KUNIT_ASSERT_NOT_NULL(test, buf);
	receive_pair(test, NULL, a, b);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, data, 4000, 0), 0);
	KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
	vec[0].iov_base = buf;
	vec[0].iov_len = 1;
	vec[1].iov_base = buf + 1;
	vec[1].iov_len = 0;
	vec[2].iov_base = buf + 1;
	vec[2].iov_len = 999;
	iov_iter_kvec(&iter, ITER_DEST, vec, 3, 1000);
	KUNIT_EXPECT_EQ(test, duct_read_iter(&msg, &iter), 1000);
	KUNIT_EXPECT_EQ(test, msg.len, 3000u);
	KUNIT_EXPECT_EQ(test, memcmp(buf, data, 1000), 0);
	KUNIT_EXPECT_EQ(test, duct_read(&msg, buf, 1), 0);
	KUNIT_EXPECT_EQ(test, buf[0], data[1000]);
	/* More room than message. */
	vec[0].iov_len = 4096;
	iov_iter_kvec(&iter, ITER_DEST, vec, 1, 4096);
	KUNIT_EXPECT_EQ(test, duct_read_iter(&msg, &iter), 2999);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 4096ul - 2999);
	KUNIT_EXPECT_EQ(test, memcmp(buf, data + 1001, 2999), 0);
	KUNIT_EXPECT_EQ(test, duct_read_iter(&msg, &iter), 0);
	duct_release(&msg);
	KUNIT_EXPECT_EQ(test, duct_read_iter(&msg, &iter), 0);
	kit_exchange(a, b);
}

/* Not releasing holds the sender up; releasing lets it go on. */
static void receive_back_pressure(struct kunit *test)
{
	struct duct_channel_config cfg = { .max_msg = 200 };
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg;
	u32 n = 0, i;

	kit_connect(kit_peers(kit, false), a, kit_param_side(test), &cfg, b, &cfg, 0);
	while (!duct_send(a->ch, kit_bytes(kit, n, 200), 200, 0))
		n++;
	for (i = 0; i < 5; i++) {
		KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
		KUNIT_EXPECT_EQ(test, duct_send(a->ch, "", 200, 0), -EAGAIN);
	}
	KUNIT_EXPECT_FALSE(test, duct_writable(a->ch, 200));
	KUNIT_EXPECT_EQ(test, duct_wait_writable(a->ch, 200, 2), -ETIMEDOUT);
	for (i = 0; i < n; i++)
		kit_expect(b, kit_bytes(kit, i, 200), 200);
	KUNIT_EXPECT_EQ(test, duct_wait_writable(a->ch, 200, KIT_WAIT), 0);
	kit_exchange(a, b);
}

/* ---- the contexts that may call duct_next() ---- */

struct receive_context {
	struct kit_end *end;
	struct work_struct work;
	struct irq_work irq;
	struct completion done;
	u8 data[8];
	int err;
};

static void receive_take(struct receive_context *ctx)
{
	struct duct_msg msg;

	ctx->err = duct_next(ctx->end->ch, &msg);
	if (!ctx->err) {
		ctx->err = msg.len == 8 ? duct_read(&msg, ctx->data, 8) : -EMSGSIZE;
		duct_release(&msg);
	}
	complete(&ctx->done);
}

static void receive_work(struct work_struct *work)
{
	receive_take(container_of(work, struct receive_context, work));
}

static void receive_irq(struct irq_work *irq)
{
	receive_take(container_of(irq, struct receive_context, irq));
}

static int receive_thread(void *arg)
{
	receive_take(arg);
	return 0;
}

static void receive_anywhere(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct receive_context ctx = { .end = b };
	u32 i;

	INIT_WORK_ONSTACK(&ctx.work, receive_work);
	init_irq_work(&ctx.irq, receive_irq);
	init_completion(&ctx.done);
	receive_pair(test, NULL, a, b);
	for (i = 0; i < 30; i++) {
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, kit_bytes(kit, i, 8), 8, 0), 0);
		if (i % 3 == 0)
			schedule_work(&ctx.work);
		else if (i % 3 == 1)
			irq_work_queue(&ctx.irq);
		else
			kit_join(kit_thread(kit, receive_thread, &ctx));
		KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&ctx.done, KIT_WAIT), 0ul);
		KUNIT_EXPECT_EQ(test, ctx.err, 0);
		KUNIT_EXPECT_EQ(test, memcmp(ctx.data, kit_bytes(kit, i, 8), 8), 0);
	}
	flush_work(&ctx.work);
	destroy_work_on_stack(&ctx.work);
	irq_work_sync(&ctx.irq);
}

/* ready() comes once per arming: not for what the reader takes without sleeping. */
static void receive_ready_once(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_msg msg;
	int readies, i;

	receive_pair(test, NULL, a, b);
	KUNIT_ASSERT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	for (i = 0; i < 50; i++) {
		readies = atomic_read(&b->readies);
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, "1", 1, 0), 0);
		kit_wait(kit, atomic_read(&b->readies) == readies + 1);
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, "2", 1, 0), 0);
		kit_expect(b, "1", 1);
		kit_expect(b, "2", 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&b->readies), readies + 1);
		KUNIT_ASSERT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	}
	readies = atomic_read(&b->readies);
	duct_stop(a->ch);
	kit_wait(kit, atomic_read(&b->readies) > readies);
}

static int receive_refuse(struct kit_end *end, struct duct_msg *msg)
{
	return atomic_read(&end->recvs) % 2 ? -EIO : 0;
}

/* recv() that fails, or reads nothing: the message is gone, the next comes. */
static void receive_error(struct kunit *test)
{
	struct duct_channel_config cfg = { .ops = &kit_recv_ops };
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	u32 i;

	b->on_recv = receive_refuse;
	receive_pair(test, &cfg, a, b);
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, kit_send(a, kit->pattern, i, 0), 0);
	kit_wait(kit, atomic_read(&b->recvs) == 100);
}

/* Counters are those of the API, too. */
static void receive_stats(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct duct_stats sa, sb;
	u32 i;

	receive_pair(test, NULL, a, b);
	for (i = 0; i < 10; i++) {
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, kit->pattern, i, 0), 0);
		kit_expect(b, kit->pattern, i);
	}
	duct_stats(a->ch, &sa);
	duct_stats(b->ch, &sb);
	KUNIT_EXPECT_EQ(test, sa.out_messages, 10ull);
	KUNIT_EXPECT_EQ(test, sa.out_bytes, 45ull);
	KUNIT_EXPECT_EQ(test, sb.in_messages, 10ull);
	KUNIT_EXPECT_EQ(test, sb.in_bytes, 45ull);
	KUNIT_EXPECT_LE(test, sa.out_events, 10ull);
	KUNIT_EXPECT_GE(test, sb.wakeups, 1ull);
}

/**
 * struct receive_closer - closes an end
 * @end: which
 * @go: now
 */
struct receive_closer {
	struct kit_end *end;
	bool go;
};

static int receive_close(void *arg)
{
	struct receive_closer *closer = arg;

	while (!READ_ONCE(closer->go))
		schedule_timeout_uninterruptible(1);
	kit_close(closer->end);
	return 0;
}

/*
 * Who is reading keeps the slot: the frontend in memory, though both ends have closed, and said so;
 * the backend by not saying so, since the frontend could use the memory then.
 */
static void receive_inside(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct receive_closer a = { .end = kit_end(kit) }, b = { .end = kit_end(kit) };
	struct kit_thread *first, *second;
	unsigned long until;
	struct duct_slot *slot;
	struct duct_msg msg;
	u32 generation;

	receive_pair(test, NULL, a.end, b.end);
	first = kit_thread(kit, receive_close, &a);
	second = kit_thread(kit, receive_close, &b);
	rcu_read_lock();
	slot = hostile_slot(a.end);
	generation = slot->generation;
	WRITE_ONCE(a.go, true);
	until = jiffies + 2 * HZ;
	/* The other end finds that all is read, and lets go. */
	while (rcu_access_pointer(slot->link->slots[slot->index]) && time_before(jiffies, until))
		KUNIT_EXPECT_LT(test, duct_next(b.end->ch, &msg), 0);
	/* Longer than the link's tick, which frees it if it may. */
	mdelay(200);
	KUNIT_EXPECT_EQ(test, slot->generation, generation);
	KUNIT_EXPECT_EQ(test, READ_ONCE(slot->sent_close), kit_param_side(test) == KIT_FRONT);
	rcu_read_unlock();
	WRITE_ONCE(b.go, true);
	KUNIT_EXPECT_EQ(test, kit_join(first) + kit_join(second), 0);
}

static struct kunit_case receive_cases[] = {
	KUNIT_CASE_PARAM(receive_cursor, kit_sides),
	KUNIT_CASE_PARAM(receive_pending, kit_sides),
	KUNIT_CASE_PARAM(receive_iter, kit_sides),
	KUNIT_CASE_PARAM(receive_back_pressure, kit_sides),
	KUNIT_CASE_PARAM(receive_anywhere, kit_sides),
	KUNIT_CASE_PARAM(receive_ready_once, kit_sides),
	KUNIT_CASE_PARAM(receive_error, kit_sides),
	KUNIT_CASE(receive_stats),
	KUNIT_CASE_PARAM(receive_inside, kit_sides),
	{}
};

struct kunit_suite duct_receive_suite = {
	.name = "duct_receive",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = receive_cases,
};
