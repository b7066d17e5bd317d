// SPDX-License-Identifier: GPL-2.0
/* Messages: every length, order and contents, pieces, in place, from any context. */
#include <linux/bvec.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

#include "kit.h"

#define MESSAGES_LONG (256u << 10)

/* A pair of ends that read by duct_next(), @kit's in test->priv. */
static void messages_pair(struct kunit *test, u32 max_msg, struct kit_end **a, struct kit_end **b)
{
	struct duct_channel_config cfg = { .max_msg = max_msg };
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	unsigned int side = test->param_value ? kit_param_side(test) : KIT_FRONT;

	*a = kit_end(kit);
	*b = kit_end(kit);
	kit_connect(driver, *a, side, &cfg, *b, &cfg, 0);
}

static void messages_lengths(struct kunit *test)
{
	static const u32 lengths[] = { 0, 1, 15, 16, 17, 31, 32, 33, 4079, 4080, 4081, 4095, 4096 };
	struct kit *kit = test->priv;
	struct kit_end *a, *b;
	struct iov_iter iter;
	struct kvec vec;
	u32 i, round;
	void *p;

	messages_pair(test, 4096, &a, &b);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < ARRAY_SIZE(lengths); i++) {
			const u8 *data = kit_bytes(kit, i + round, lengths[i]);

			KUNIT_ASSERT_EQ(test, duct_send(a->ch, data, lengths[i], 0), 0);
			kit_expect(b, data, lengths[i]);
		}
	}
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, kit->pattern, 4097, 0), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, kit->pattern, U32_MAX, 0), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(duct_reserve(a->ch, 4097)), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(duct_reserve(a->ch, U32_MAX)), -EMSGSIZE);
	vec.iov_base = kit->pattern;
	vec.iov_len = 4096;
	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, 4096);
	KUNIT_EXPECT_EQ(test, duct_send_iter(a->ch, kit->pattern, 1, &iter, 0), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, duct_send_iter(a->ch, kit->pattern, U32_MAX, &iter, 0), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 4096ul);
	p = duct_reserve(a->ch, 4096);
	KUNIT_ASSERT_FALSE(test, IS_ERR(p));
	duct_abort(a->ch, p);
	/* None of these was sent. */
	kit_exchange(a, b);
}

static void messages_longest(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a, *b;
	u32 i, len;

	messages_pair(test, MESSAGES_LONG, &a, &b);
	KUNIT_EXPECT_GE(test, a->ch->tx_bytes, 2 * MESSAGES_LONG);
	for (i = 0; i < 9; i++) {
		len = MESSAGES_LONG - i % 3;
		KUNIT_ASSERT_EQ(test, kit_send(a, kit_bytes(kit, i, len), len, 0), 0);
		kit_expect(b, kit_bytes(kit, i, len), len);
	}
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, kit->pattern, MESSAGES_LONG + 1, 0), -EMSGSIZE);
}

/* The longest message of all, both ways. */
static void messages_maximum(struct kunit *test)
{
	const u32 most = (1u << 20) - 16;
	struct kit *kit = test->priv;
	u8 *data = vmalloc(most + 1);
	struct kit_end *a, *b;

	KUNIT_ASSERT_NOT_NULL(test, data);
	memcpy(data, kit->pattern, KIT_PATTERN);
	memcpy(data + KIT_PATTERN, kit->pattern + 1, most - KIT_PATTERN);
	messages_pair(test, most, &a, &b);
	KUNIT_EXPECT_EQ(test, a->ch->max_msg, most);
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, data, most + 1, 0), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, data, most, 0), 0);
	kit_expect(b, data, most);
	KUNIT_EXPECT_EQ(test, duct_send(b->ch, data, most, 0), 0);
	kit_expect(a, data, most);
	kit_exchange(a, b);
	vfree(data);
}

/* ---- a long sequence ---- */

#define MESSAGES_SEQUENCE 50000	/* by each end */

/**
 * struct messages_sequence - a receiver of kit_bytes() of random lengths
 * @kit: the test
 * @rnd: in step with the sender's
 * @n: messages so far
 * @wrong: of those, not as they should be
 * @most: longest, bytes
 * @buf: as long
 */
struct messages_sequence {
	struct kit *kit;
	struct rnd_state rnd;
	u32 n;
	u32 wrong;
	u32 most;
	u8 *buf;
};

static u32 messages_length(struct rnd_state *rnd, u32 most)
{
	u32 x = prandom_u32_state(rnd);

	return x % 16 ? x / 16 % 97 : x / 16 % (most + 1);
}

static int messages_check(struct kit_end *end, struct duct_msg *msg)
{
	struct messages_sequence *seq = end->priv;
	u32 len = messages_length(&seq->rnd, seq->most), n = seq->n++;

	if (msg->len != len || duct_read(msg, seq->buf, len) ||
	    memcmp(seq->buf, kit_bytes(seq->kit, n, len), len))
		seq->wrong++;
	return 0;
}

static void messages_in_order(struct kunit *test)
{
	struct duct_channel_config cfg = { .ops = &kit_recv_ops, .max_msg = 1500 };
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct messages_sequence seq = { .kit = kit, .most = 1500 };
	struct rnd_state rnd;
	u32 i;

	seq.buf = kunit_kzalloc(test, 1500, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seq.buf);
	prandom_seed_state(&seq.rnd, 4711);
	prandom_seed_state(&rnd, 4711);
	b->on_recv = messages_check;
	b->priv = &seq;
	kit_connect(driver, a, kit_param_side(test), &cfg, b, &cfg, 0);
	for (i = 0; i < MESSAGES_SEQUENCE; i++) {
		u32 len = messages_length(&rnd, seq.most);

		KUNIT_ASSERT_EQ(test, kit_send(a, kit_bytes(kit, i, len), len,
					       i % 8 ? DUCT_MORE : 0), 0);
	}
	duct_publish(a->ch);
	kit_wait(kit, READ_ONCE(seq.n) == MESSAGES_SEQUENCE);
	kit_close(b);
	KUNIT_EXPECT_EQ(test, seq.wrong, 0u);
}

/* ---- pieces ---- */

static void messages_pieces(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct page *page = alloc_page(GFP_KERNEL);
	const u8 *data = kit->pattern;
	struct kit_end *a, *b;
	struct iov_iter iter;
	struct bio_vec bv[3];
	struct kvec vec[4];
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	memcpy(page_address(page), data, PAGE_SIZE);
	messages_pair(test, 4096, &a, &b);
	for (i = 0; i < 40; i++) {
		u32 hdr = i % 5 * 7, at = hdr, j;

		for (j = 0; j < 4; j++) {
			vec[j].iov_base = (void *)data + at;
			vec[j].iov_len = j * i * 3;	/* empty ones, too */
			at += vec[j].iov_len;
		}
		iov_iter_kvec(&iter, ITER_SOURCE, vec, 4, at - hdr);
		KUNIT_ASSERT_EQ(test, duct_send_iter(a->ch, data, hdr, &iter, 0),
				(ssize_t)(at - hdr));
		KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 0ul);
		kit_expect(b, data, at);
	}
	/* Out of the page's order: its end, its middle, its begin. */
	for (i = 0; i < 3; i++) {
		bv[i].bv_page = page;
		bv[i].bv_len = 100 + i;
		bv[i].bv_offset = 2000 - 500 * i;
	}
	iov_iter_bvec(&iter, ITER_SOURCE, bv, 3, 303);
	KUNIT_EXPECT_EQ(test, duct_send_iter(a->ch, "hdr", 3, &iter, 0), 303);
	{
		u8 want[306] = "hdr";

		memcpy(want + 3, data + 2000, 100);
		memcpy(want + 103, data + 1500, 101);
		memcpy(want + 204, data + 1000, 102);
		kit_expect(b, want, sizeof(want));
	}
	__free_page(page);
}

/* ---- in place ---- */

static void messages_in_place(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct duct_msg msg;
	struct kit_end *a, *b;
	u8 *p;
	u32 i;

	messages_pair(test, 512, &a, &b);
	for (i = 0; i < 200; i++) {
		p = duct_reserve(a->ch, 512);
		KUNIT_ASSERT_FALSE(test, IS_ERR(p));
		memset(p, 0xee, 512);
		duct_abort(a->ch, p);
		p = duct_reserve(a->ch, 300 + i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(p));
		memcpy(p, kit_bytes(kit, i, i), i);
		duct_commit(a->ch, p, i, 0);
		kit_expect(b, kit_bytes(kit, i, i), i);
	}
	p = duct_reserve(a->ch, 8);
	memcpy(p, "twofold", 8);
	duct_commit(a->ch, p, 3, DUCT_MORE);
	p = duct_reserve(a->ch, 8);
	duct_abort(a->ch, p);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	p = duct_reserve(a->ch, 8);
	memcpy(p, "four", 4);
	duct_commit(a->ch, p, 4, 0);
	kit_expect(b, "two", 3);
	kit_expect(b, "four", 4);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
}

static void messages_more(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a, *b;
	struct duct_msg msg;
	u32 i, n = 0;

	messages_pair(test, 100, &a, &b);
	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, kit_bytes(kit, i, i), i, DUCT_MORE), 0);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	duct_publish(a->ch);
	for (i = 0; i < 5; i++)
		kit_expect(b, kit_bytes(kit, i, i), i);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	duct_publish(a->ch);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	/* A full ring is shown: the peer makes no room for what it does not see. */
	while (!duct_send(a->ch, kit_bytes(kit, n, 100), 100, DUCT_MORE))
		n++;
	for (i = 0; i < n; i++)
		kit_expect(b, kit_bytes(kit, i, 100), 100);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	KUNIT_EXPECT_GT(test, n, 3u);
}

static void messages_room(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a, *b;
	struct duct_msg msg;
	u32 i, room, all;

	messages_pair(test, 100, &a, &b);
	all = a->ch->tx_bytes;
	KUNIT_EXPECT_EQ(test, duct_room(a->ch), all);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, kit->pattern, 17, 0), 0);
	KUNIT_EXPECT_LE(test, duct_room(a->ch), all - 48);
	kit_expect(b, kit->pattern, 17);
	/* All is given back before the reader sleeps. */
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
	KUNIT_EXPECT_EQ(test, duct_room(a->ch), all);
	for (i = 0; (room = duct_room(a->ch)) >= 2 * (100 + 28); i++)
		KUNIT_ASSERT_EQ(test, duct_send(a->ch, kit->pattern, 100, 0), 0);
	while (i--)
		kit_expect(b, kit->pattern, 100);
}

/* ---- from any context ---- */

struct messages_atomic {
	struct kit_end *end;
	struct irq_work work;
	struct timer_list timer;
	struct hrtimer hrtimer;
	struct completion ran;
	int err;
	u32 hard;
};

static void messages_atomic_send(struct messages_atomic *ctx)
{
	struct iov_iter iter;
	struct kvec vec = { .iov_base = "ef", .iov_len = 2 };
	void *p;

	ctx->hard += in_hardirq() ? 1 : 0;
	ctx->err = duct_send(ctx->end->ch, "ab", 2, DUCT_MORE);
	p = duct_reserve(ctx->end->ch, 2);
	if (!IS_ERR(p)) {
		memcpy(p, "cd", 2);
		duct_commit(ctx->end->ch, p, 2, DUCT_MORE);
	}
	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, 2);
	ctx->err = ctx->err ?: PTR_ERR_OR_ZERO(p) ?:
		   min_t(ssize_t, 0, duct_send_iter(ctx->end->ch, NULL, 0, &iter, 0));
	duct_publish(ctx->end->ch);
	complete(&ctx->ran);
}

static void messages_irq_work(struct irq_work *work)
{
	messages_atomic_send(container_of(work, struct messages_atomic, work));
}

static void messages_timer(struct timer_list *timer)
{
	messages_atomic_send(container_of(timer, struct messages_atomic, timer));
}

static enum hrtimer_restart messages_hrtimer(struct hrtimer *hrtimer)
{
	messages_atomic_send(container_of(hrtimer, struct messages_atomic, hrtimer));
	return HRTIMER_NORESTART;
}

static void messages_from_interrupts(struct kunit *test)
{
	struct messages_atomic ctx;
	struct kit_end *a, *b;
	u32 i;

	messages_pair(test, 100, &a, &b);
	ctx.end = a;
	ctx.hard = 0;
	init_completion(&ctx.ran);
	init_irq_work(&ctx.work, messages_irq_work);
	timer_setup_on_stack(&ctx.timer, messages_timer, 0);
	hrtimer_init_on_stack(&ctx.hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	ctx.hrtimer.function = messages_hrtimer;
	for (i = 0; i < 60; i++) {
		if (i % 3 == 0)
			irq_work_queue(&ctx.work);
		else if (i % 3 == 1)
			mod_timer(&ctx.timer, jiffies + 1);
		else
			hrtimer_start(&ctx.hrtimer, 100000, HRTIMER_MODE_REL_HARD);
		if (!wait_for_completion_timeout(&ctx.ran, KIT_WAIT) || ctx.err)
			break;
		kit_expect(b, "ab", 2);
		kit_expect(b, "cd", 2);
		kit_expect(b, "ef", 2);
	}
	irq_work_sync(&ctx.work);
	del_timer_sync(&ctx.timer);
	hrtimer_cancel(&ctx.hrtimer);
	destroy_timer_on_stack(&ctx.timer);
	destroy_hrtimer_on_stack(&ctx.hrtimer);
	KUNIT_EXPECT_EQ(test, i, 60u);
	KUNIT_EXPECT_EQ(test, ctx.hard, 40u);
	KUNIT_EXPECT_EQ(test, ctx.err, 0);
}

/* The worker on a CPU of the driver's choice. */
static int messages_note_cpu(struct kit_end *end, struct duct_msg *msg)
{
	WRITE_ONCE(*(int *)end->priv, raw_smp_processor_id());
	return 0;
}

static void messages_on_cpu(struct kunit *test)
{
	struct duct_channel_config cfg = { .ops = &kit_recv_ops, .flags = DUCT_ON_CPU };
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	unsigned int cpu;
	int seen, i;

	for_each_online_cpu(cpu) {
		struct kit_end *a = kit_end(kit), *b = kit_end(kit);

		cfg.cpu = cpu;
		b->priv = &seen;
		b->on_recv = messages_note_cpu;
		kit_connect(driver, a, KIT_FRONT, NULL, b, &cfg, cpu);
		for (i = 1; i <= 20; i++) {
			seen = -1;
			KUNIT_ASSERT_EQ(test, duct_send(a->ch, "", 0, 0), 0);
			kit_wait(kit, atomic_read(&b->recvs) == i);
			KUNIT_EXPECT_EQ(test, READ_ONCE(seen), (int)cpu);
		}
		kit_close(b);
	}
}

static struct kunit_case messages_cases[] = {
	KUNIT_CASE_PARAM(messages_lengths, kit_sides),
	KUNIT_CASE_PARAM(messages_longest, kit_sides),
	KUNIT_CASE(messages_maximum),
	KUNIT_CASE_PARAM(messages_in_order, kit_sides),
	KUNIT_CASE_PARAM(messages_pieces, kit_sides),
	KUNIT_CASE_PARAM(messages_in_place, kit_sides),
	KUNIT_CASE_PARAM(messages_more, kit_sides),
	KUNIT_CASE_PARAM(messages_room, kit_sides),
	KUNIT_CASE(messages_from_interrupts),
	KUNIT_CASE(messages_on_cpu),
	{}
};

struct kunit_suite duct_messages_suite = {
	.name = "duct_messages",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = messages_cases,
};
