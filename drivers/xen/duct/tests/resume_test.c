// SPDX-License-Identifier: GPL-2.0
/*
 * Resumable channels: whatever is in flight, and wherever reader and writer are when an
 * epoch ends, each message and each byte of a stream comes once and in order; or the
 * channel goes down, and says so.
 */
#include <linux/delay.h>

#include "hostile.h"
#include "kit.h"

#define RESUME_MSG	700u
#define RESUME_ROUNDS	120u
#define RESUME_TIMEOUT	"/sys/module/xen_duct/parameters/resume_timeout"

static const struct duct_channel_config resume_cfg = {
	.flags = DUCT_RESUMABLE,
	.max_msg = RESUME_MSG,
	.tx_bytes = 4096,
};

static const struct duct_channel_config resume_stream = {
	.flags = DUCT_RESUMABLE | DUCT_STREAM,
	.max_msg = RESUME_MSG,
	.tx_bytes = 4096,
};

/**
 * struct resume - both ends of a channel, and how far they are
 * @kit: the test's
 * @end: both
 * @sent: messages or bytes sent by each
 * @got: messages or bytes that each received
 * @epochs: that were ended
 */
struct resume {
	struct kit *kit;
	struct kit_end *end[2];
	u64 sent[2];
	u64 got[2];
	u32 epochs;
};

static struct resume *resume_start(struct kunit *test, unsigned int side,
				   const struct duct_channel_config *cfg)
{
	struct resume *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	r->kit = test->priv;
	r->end[0] = kit_end(r->kit);
	r->end[1] = kit_end(r->kit);
	kit_connect(kit_peers(r->kit, true), r->end[0], side, cfg, r->end[1], cfg, 0);
	return r;
}

static u32 resume_random(struct resume *r, u32 n)
{
	return prandom_u32_state(&r->kit->rnd) % n;
}

static u64 resume_count(const struct kit_end *end)
{
	return READ_ONCE(to_duct_channel_core(end->ch)->stats.resumed);
}

/* A new epoch; and the driver does not hear of it. */
static void resume_epoch(struct resume *r)
{
	struct kunit *test = r->kit->test;
	u32 i;

	r->epochs++;
	kit_loop_run(r->kit, true);
	for (i = 0; i < 2; i++)
		kit_wait(r->kit, resume_count(r->end[i]) == r->epochs);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, atomic_read(&r->end[i]->ups), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&r->end[i]->downs), 0);
	}
}

/* ---- messages ---- */

static u32 resume_len(u64 n)
{
	return (u32)n * 2654435761u % (RESUME_MSG + 1);
}

static const u8 *resume_bytes(struct kit *kit, u64 n)
{
	return kit_bytes(kit, n, resume_len(n));
}

static void resume_send(struct resume *r, u32 i, u32 n)
{
	while (n--) {
		int err = duct_send(r->end[i]->ch, resume_bytes(r->kit, r->sent[i]),
				    resume_len(r->sent[i]), n % 3 ? DUCT_MORE : 0);

		if (err == -EAGAIN)
			return;
		KUNIT_ASSERT_EQ(r->kit->test, err, 0);
		r->sent[i]++;
	}
}

/* Reads the rest of the message, @at bytes of which are known, and compares all. */
static int resume_read(struct resume *r, u32 i, struct duct_msg *msg, u8 *buf, u32 at)
{
	u32 len = at + msg->len;
	int err = duct_read(msg, buf + at, msg->len);

	if (err)
		return err;
	KUNIT_EXPECT_EQ(r->kit->test, len, resume_len(r->got[i]));
	KUNIT_EXPECT_EQ(r->kit->test, memcmp(buf, resume_bytes(r->kit, r->got[i]), len), 0);
	r->got[i]++;
	return 0;
}

static void resume_receive(struct resume *r, u32 i, u32 n)
{
	struct duct_msg msg;
	u8 buf[RESUME_MSG];

	while (n-- && !duct_next(r->end[i]->ch, &msg)) {
		if (resume_read(r, i, &msg, buf, 0))
			return;
		duct_release(&msg);
	}
}

/* The epoch ends while a message is at hand, all, some or nothing of it read. */
static void resume_held(struct resume *r, u32 i)
{
	struct duct_msg msg;
	u8 buf[RESUME_MSG];
	u32 part;

	if (duct_next(r->end[i]->ch, &msg))
		return;
	part = resume_random(r, 2) ? msg.len : resume_random(r, msg.len + 1);
	KUNIT_ASSERT_EQ(r->kit->test, duct_read(&msg, buf, part), 0);
	if (!msg.len) {
		resume_read(r, i, &msg, buf, part);	/* only compares */
		resume_epoch(r);
	} else {
		resume_epoch(r);
		/* It comes again. */
		KUNIT_EXPECT_EQ(r->kit->test, resume_read(r, i, &msg, buf, part), -ECONNRESET);
	}
	duct_release(&msg);
}

static void resume_drain(struct resume *r)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		resume_receive(r, i, U32_MAX);
		KUNIT_EXPECT_EQ(r->kit->test, r->got[i], r->sent[!i]);
	}
}

static void resume_messages(struct kunit *test)
{
	struct resume *r = resume_start(test, kit_param_side(test), &resume_cfg);
	u32 round, i;

	for (round = 0; round < RESUME_ROUNDS; round++) {
		i = resume_random(r, 2);
		switch (resume_random(r, 8)) {
		case 0:
			resume_epoch(r);
			break;
		case 1:
			resume_held(r, i);
			break;
		case 2 ... 4:
			resume_send(r, i, resume_random(r, 30));
			break;
		default:
			resume_receive(r, i, resume_random(r, 20));
		}
	}
	KUNIT_EXPECT_GT(test, r->epochs, 10u);
	for (i = 0; i < 2; i++)
		duct_publish(r->end[i]->ch);
	resume_drain(r);
	KUNIT_EXPECT_GT(test, r->got[0] + r->got[1], 100u);
}

/* Both ends busy, and epochs that end at any moment. */
static int resume_reader(void *arg)
{
	struct resume *r = arg;

	while (r->got[1] < 3000 && !READ_ONCE(r->kit->over)) {
		wait_event_timeout(r->kit->wait, duct_readable(r->end[1]->ch), HZ);
		resume_receive(r, 1, U32_MAX);
	}
	return 0;
}

static int resume_writer(void *arg)
{
	struct resume *r = arg;

	while (r->sent[0] < 3000 && !READ_ONCE(r->kit->over)) {
		duct_wait_writable(r->end[0]->ch, RESUME_MSG, HZ);
		resume_send(r, 0, 3000 - r->sent[0]);
	}
	duct_publish(r->end[0]->ch);
	return 0;
}

static void resume_busy(struct kunit *test)
{
	struct resume *r = resume_start(test, kit_param_side(test), &resume_cfg);
	struct kit_thread *reader = kit_thread(r->kit, resume_reader, r);
	struct kit_thread *writer = kit_thread(r->kit, resume_writer, r);
	u32 i;

	for (i = 0; i < 20 && READ_ONCE(r->got[1]) < 2900; i++)
		resume_epoch(r);
	kit_join(writer);
	kit_join(reader);
	KUNIT_EXPECT_GT(test, r->epochs, 3u);
	KUNIT_EXPECT_EQ(test, r->got[1], 3000u);
}

/* What is released while the link is down was received, and does not come again. */
static void resume_release(struct kunit *test)
{
	struct resume *r = resume_start(test, kit_param_side(test), &resume_cfg);
	struct duct_msg msg;

	resume_send(r, 0, 2);
	duct_publish(r->end[0]->ch);
	KUNIT_ASSERT_EQ(test, kit_next(r->end[1], &msg), 0);
	kit_loop_run(r->kit, false);
	KUNIT_EXPECT_EQ(test, duct_next(r->end[1]->ch, &(struct duct_msg){}), -EAGAIN);
	duct_release(&msg);
	r->got[1]++;
	resume_epoch(r);
	resume_drain(r);
}

/* ---- streams ---- */

static void resume_stream_send(struct resume *r, u32 i, u32 len)
{
	u32 at = r->sent[i] % (KIT_PATTERN - 8192);
	struct kvec vec = { .iov_base = r->kit->pattern + at, .iov_len = len };
	struct iov_iter iter;
	ssize_t n;

	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, len);
	n = duct_send_iter(r->end[i]->ch, NULL, 0, &iter, 0);
	if (n != -EAGAIN)
		KUNIT_ASSERT_GT(r->kit->test, n, 0);
	r->sent[i] += max_t(ssize_t, n, 0);
}

/* Some bytes of the next part; maybe with an epoch before the rest. */
static void resume_stream_read(struct resume *r, u32 i, bool epoch)
{
	struct kunit *test = r->kit->test;
	struct duct_msg msg;
	u8 buf[RESUME_MSG];
	u32 len, k;

	if (duct_next(r->end[i]->ch, &msg))
		return;
	len = resume_random(r, msg.len + 1);
	KUNIT_ASSERT_EQ(test, duct_read(&msg, buf, len), 0);
	for (k = 0; k < len; k++)
		if (buf[k] != r->kit->pattern[(r->got[i] + k) % (KIT_PATTERN - 8192)])
			break;
	KUNIT_EXPECT_EQ(test, k, len);
	r->got[i] += len;
	if (epoch)
		resume_epoch(r);
	duct_release(&msg);
}

static void resume_streams(struct kunit *test)
{
	struct resume *r = resume_start(test, kit_param_side(test), &resume_stream);
	u32 round, i, left;

	for (round = 0; round < RESUME_ROUNDS; round++) {
		i = resume_random(r, 2);
		/* The pattern's end is not crossed by one part. */
		left = KIT_PATTERN - 8192 - r->sent[i] % (KIT_PATTERN - 8192);
		switch (resume_random(r, 8)) {
		case 0:
			resume_epoch(r);
			break;
		case 1 ... 3:
			resume_stream_send(r, i, min(1 + resume_random(r, 3000), left));
			break;
		default:
			resume_stream_read(r, i, !resume_random(r, 4));
		}
	}
	KUNIT_EXPECT_GT(test, r->epochs, 10u);
	for (i = 0; i < 2; i++) {
		for (round = 0; round < 2000 && r->got[i] < r->sent[!i]; round++)
			resume_stream_read(r, i, false);
		KUNIT_EXPECT_EQ(test, r->got[i], r->sent[!i]);
	}
}

/* ---- when it cannot be ---- */

static void resume_wait_anew(struct resume *r, int times)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		kit_wait(r->kit, atomic_read(&r->end[i]->ups) == times + 1);
		KUNIT_EXPECT_EQ(r->kit->test, atomic_read(&r->end[i]->downs), times);
		KUNIT_EXPECT_EQ(r->kit->test, r->end[i]->why, -ECONNRESET);
	}
	kit_exchange(r->end[0], r->end[1]);
}

static void resume_too_late(struct kunit *test)
{
	struct resume *r = resume_start(test, kit_param_side(test), &resume_cfg);
	char text[16], state[16];
	u32 i;

	KUNIT_ASSERT_EQ(test, kit_read(RESUME_TIMEOUT, text, sizeof(text)), 0);
	kit_write(r->kit, RESUME_TIMEOUT, "1");
	resume_send(r, 0, 3);
	kit_loop_run(r->kit, false);
	kit_write(r->kit, RESUME_TIMEOUT, text);
	KUNIT_EXPECT_EQ(test, kit_read_channel(r->end[0], "state", state, sizeof(state)), 0);
	KUNIT_EXPECT_STREQ(test, state, "parked\n");
	KUNIT_EXPECT_EQ(test, duct_send(r->end[0]->ch, "", 0, 0), -EAGAIN);
	KUNIT_EXPECT_FALSE(test, duct_writable(r->end[0]->ch, 0));
	for (i = 0; i < 2; i++)
		kit_wait(r->kit, atomic_read(&r->end[i]->downs) == 1);
	KUNIT_EXPECT_EQ(test, duct_send(r->end[0]->ch, "", 0, 0), -ECONNRESET);
	kit_loop_run(r->kit, true);
	resume_wait_anew(r, 1);
}

/* Parked; one end is closed and opened meanwhile, and the link runs again. */
static void resume_reopen(struct resume *r, struct kit_end *end)
{
	struct duct_device *dd = end->dd;

	kit_loop_run(r->kit, false);
	kit_close(end);
	KUNIT_ASSERT_EQ(r->kit->test, kit_open(end, dd, 0, &resume_cfg), 0);
	kit_loop_run(r->kit, true);
}

/* In down(), until the other end is up, and has sent. */
static void resume_in_down(struct kit_end *end)
{
	struct resume *r = end->priv;

	wake_up_all(&r->kit->wait);
	wait_event_timeout(r->kit->wait, READ_ONCE(r->sent[1]), KIT_WAIT);
}

/* Until down() is over nothing is sent, or read, that is of the next session. */
static void resume_stranger(struct kunit *test)
{
	struct resume *r = resume_start(test, kit_param_side(test), &resume_cfg);
	struct kit_end *a = r->end[0], *b = r->end[1];
	struct duct_msg msg;

	a->priv = r;
	a->on_down = resume_in_down;
	resume_send(r, 0, 3);
	resume_reopen(r, b);
	kit_wait(r->kit, atomic_read(&b->ups) == 2 && !READ_ONCE(a->is_up));
	KUNIT_EXPECT_EQ(test, duct_send(b->ch, "next", 4, 0), 0);
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, "last", 4, 0), -ECONNRESET);
	KUNIT_EXPECT_EQ(test, duct_next(a->ch, &msg), -ECONNRESET);
	KUNIT_EXPECT_TRUE(test, duct_pending(a->ch));
	KUNIT_EXPECT_EQ(test, atomic_read(&a->ups), 1);
	WRITE_ONCE(r->sent[1], 1);
	wake_up_all(&r->kit->wait);
	kit_wait(r->kit, atomic_read(&a->ups) == 2 && atomic_read(&b->ups) == 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->downs), 1);
	KUNIT_EXPECT_EQ(test, a->why, -ECONNRESET);
	kit_expect(a, "next", 4);
	kit_exchange(a, b);
}

/* One connection, which was parked and cannot go on: no other takes its place. */
static void resume_once(struct kunit *test)
{
	static const struct duct_channel_config once = {
		.flags = DUCT_RESUMABLE | DUCT_ONCE,
		.max_msg = RESUME_MSG,
	};
	struct resume *r = resume_start(test, kit_param_side(test), &once);
	struct kit_end *a = r->end[0], *b = r->end[1];
	struct kit_end *c = kit_end(r->kit), *d = kit_end(r->kit);
	struct duct_device *dd = a->dd;

	resume_reopen(r, b);
	kit_wait(r->kit, atomic_read(&a->downs) == 1);
	/* Another channel up: so whatever this one might be told it was told. */
	KUNIT_ASSERT_EQ(test, kit_open(c, a->dd, 1, NULL), 0);
	KUNIT_ASSERT_EQ(test, kit_open(d, b->dd, 1, NULL), 0);
	kit_wait(r->kit, c->is_up && d->is_up);
	KUNIT_EXPECT_EQ(test, a->why, -ECONNRESET);
	KUNIT_EXPECT_EQ(test, duct_error(a->ch), -ECONNRESET);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->ups), 1);
	kit_close(a);
	KUNIT_ASSERT_EQ(test, kit_open(a, dd, 0, &resume_cfg), 0);
	kit_wait(r->kit, a->is_up && b->is_up);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->ups), 2);
	kit_exchange(a, b);
}

/* One end alone has the flag: as if none had it. */
static void resume_alone(struct kunit *test)
{
	static const struct duct_channel_config plain = { .max_msg = RESUME_MSG };
	struct resume *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, r);
	r->kit = test->priv;
	r->end[0] = kit_end(r->kit);
	r->end[1] = kit_end(r->kit);
	kit_connect(kit_peers(r->kit, true), r->end[0], kit_param_side(test), &resume_cfg,
		    r->end[1], &plain, 0);
	kit_loop_run(r->kit, false);
	for (i = 0; i < 2; i++)
		kit_wait(r->kit, atomic_read(&r->end[i]->downs) == 1);
	kit_loop_run(r->kit, true);
	resume_wait_anew(r, 1);
}

static void resume_bad_input(struct kunit *test)
{
	const struct duct_channel_config calls = { .flags = DUCT_RESUMABLE, .max_calls = 1 };
	const struct duct_channel_config answer = { .flags = DUCT_RESUMABLE, .max_answer = 1 };
	struct resume *r = resume_start(test, kit_param_side(test), &resume_cfg);
	struct kit_end *end = kit_end(r->kit);
	struct duct_device *dd = r->end[0]->dd;

	KUNIT_EXPECT_EQ(test, kit_open(end, dd, 1, &calls), -EINVAL);
	KUNIT_EXPECT_EQ(test, kit_open(end, dd, 1, &answer), -EINVAL);
	KUNIT_EXPECT_EQ(test, duct_call(r->end[0]->ch, "", 0, NULL, 0, HZ), -EINVAL);
}

/* ---- a peer that was elsewhere ---- */

struct resume_lie {
	const char *name;
	u64 cookie;	/* are added to the truth */
	u64 sent;
	u64 kept;
	u64 taken;
	bool fits;
};

/* The truth: the peer has sent 2 messages, 64 bytes in all, and taken nothing. */
static const struct resume_lie resume_lies[] = {
	{ "the truth", .fits = true },
	{ "another cookie", .cookie = 1 },
	{ "took more than was sent", .taken = 4096 },
	{ "took more than was kept for", .taken = -64ull },
	{ "sent less than was taken", .sent = -64ull },
	{ "kept too little", .sent = 64, .kept = 64 },
	{ "4 GiB on", .sent = 1ull << 32, .kept = 1ull << 32, .taken = 1ull << 32 },
};

static void resume_lie_name(const struct resume_lie *lie, char *desc)
{
	strscpy(desc, lie->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(resume_lie, resume_lies, resume_lie_name);

static void resume_lying_to(struct kunit *test, unsigned int liar)
{
	const struct resume_lie *lie = test->param_value;
	struct resume *r = resume_start(test, liar, &resume_cfg);
	struct duct_keep *keep = to_duct_channel_core(r->end[0]->ch)->keep;
	struct duct_msg msg;
	u32 i;

	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, duct_send(r->end[0]->ch, "four", 4, 0), 0);
		KUNIT_ASSERT_EQ(test, duct_send(r->end[1]->ch, "four", 4, 0), 0);
	}
	kit_expect(r->end[1], "four", 4);
	kit_loop_run(r->kit, false);
	keep->cookie += lie->cookie;
	keep->sent += lie->sent;
	keep->kept += lie->kept;
	keep->taken += lie->taken;
	kit_loop_run(r->kit, true);
	if (!lie->fits) {
		resume_wait_anew(r, 1);
		KUNIT_EXPECT_EQ(test, resume_count(r->end[1]), 0u);
		return;
	}
	kit_wait(r->kit, resume_count(r->end[1]) == 1);
	kit_expect(r->end[1], "four", 4);
	kit_expect(r->end[0], "four", 4);
	kit_expect(r->end[0], "four", 4);
	KUNIT_EXPECT_EQ(test, duct_next(r->end[1]->ch, &msg), -EAGAIN);
}

/* An older image, or a newer one; either end finds it, and both begin anew. */
static void resume_lying(struct kunit *test)
{
	resume_lying_to(test, KIT_BACK);
}

static void resume_lying_front(struct kunit *test)
{
	resume_lying_to(test, KIT_FRONT);
}

/* What a peer leaves in shared memory when an epoch ends is not what it goes on from. */
static void resume_forged(struct kunit *test)
{
	struct resume *r = resume_start(test, kit_param_side(test), &resume_cfg);
	struct duct_tx *tx = &hostile_slot(r->end[0])->tx;

	resume_send(r, 0, 5);
	duct_publish(r->end[0]->ch);
	resume_receive(r, 1, 2);
	duct_peer_write32(&tx->shared->cons, tx->prod);
	resume_epoch(r);
	resume_drain(r);
}

/* The peer resumed what it has not: it says so, and that is no orderly close. */
static void resume_lost(struct kunit *test)
{
	struct resume *r = resume_start(test, kit_param_side(test), &resume_cfg);
	struct duct_slot *slot = hostile_slot(r->end[0]);
	const union duct_ctl msg = {
		.close = { .type = DUCT_CTL_CLOSE, .slot = slot->index,
			   .generation = slot->generation, .reason = DUCT_CLOSE_LOST },
	};

	hostile_control(hostile_slot(r->end[1])->link, &msg, sizeof(msg.close));
	kit_wait(r->kit, atomic_read(&r->end[0]->downs) == 1);
	KUNIT_EXPECT_EQ(test, r->end[0]->why, -ECONNRESET);
	/* Its core did not say it, and does not understand the answer. */
	kit_loop_run(r->kit, true);
	kit_wait(r->kit, atomic_read(&r->end[0]->ups) == 2 && atomic_read(&r->end[1]->ups) == 2);
}

static int resume_wait_room(void *arg)
{
	struct resume *r = arg;

	return duct_wait_writable(r->end[0]->ch, RESUME_MSG, KIT_WAIT);
}

/* Who waits for room learns that the channel is stopped: that is no end of an epoch. */
static void resume_stop(struct kunit *test)
{
	struct resume *r = resume_start(test, kit_param_side(test), &resume_cfg);
	struct kit_thread *thread;
	unsigned long begin;

	while (!duct_send(r->end[0]->ch, r->kit->pattern, RESUME_MSG, 0))
		;
	thread = kit_thread(r->kit, resume_wait_room, r);
	begin = jiffies;
	while (!wq_has_sleeper(&to_duct_channel_core(r->end[0]->ch)->wait) &&
	       time_before(jiffies, begin + KIT_WAIT))
		usleep_range(100, 200);
	begin = jiffies;
	duct_stop(r->end[0]->ch);
	KUNIT_EXPECT_EQ(test, kit_join(thread), 0);
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, begin + KIT_WAIT / 2));
}

static int resume_loop_run(void *arg)
{
	struct resume *r = arg;

	kit_loop_run(r->kit, true);
	return 0;
}

/* A peer broke the channel just before the epoch's end, which comes first: it is over. */
static void resume_broken(struct kunit *test)
{
	static const struct duct_frame bad = { .type = 99 };
	struct resume *r = resume_start(test, kit_param_side(test), &resume_cfg);
	struct duct_link *link = hostile_slot(r->end[1])->link;
	struct kit_thread *thread;
	struct duct_msg msg;

	hostile_frame(hostile_slot(r->end[0]), &bad, NULL, 0);
	mutex_lock(&link->lock);
	thread = kit_thread(r->kit, resume_loop_run, r);
	/* It waits for the lock, and is the first who does. */
	schedule_timeout_uninterruptible(HZ / 5);
	KUNIT_EXPECT_EQ(test, duct_next(r->end[1]->ch, &msg), -EPROTO);
	mutex_unlock(&link->lock);
	kit_join(thread);
	kit_wait(r->kit, atomic_read(&r->end[1]->ups) == 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&r->end[1]->downs), 1);
	KUNIT_EXPECT_EQ(test, resume_count(r->end[1]), 0u);
}

static struct kunit_case resume_cases[] = {
	KUNIT_CASE_PARAM(resume_messages, kit_sides),
	KUNIT_CASE_PARAM(resume_busy, kit_sides),
	KUNIT_CASE_PARAM(resume_release, kit_sides),
	KUNIT_CASE_PARAM(resume_streams, kit_sides),
	KUNIT_CASE_PARAM(resume_too_late, kit_sides),
	KUNIT_CASE_PARAM(resume_stranger, kit_sides),
	KUNIT_CASE_PARAM(resume_once, kit_sides),
	KUNIT_CASE_PARAM(resume_alone, kit_sides),
	KUNIT_CASE_PARAM(resume_bad_input, kit_sides),
	KUNIT_CASE_PARAM(resume_lying, resume_lie_gen_params),
	KUNIT_CASE_PARAM(resume_lying_front, resume_lie_gen_params),
	KUNIT_CASE_PARAM(resume_forged, kit_sides),
	KUNIT_CASE_PARAM(resume_lost, kit_sides),
	KUNIT_CASE_PARAM(resume_stop, kit_sides),
	KUNIT_CASE_PARAM(resume_broken, kit_sides),
	{}
};

struct kunit_suite duct_resume_suite = {
	.name = "duct_resume",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = resume_cases,
};
