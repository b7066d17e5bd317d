// SPDX-License-Identifier: GPL-2.0
/* Streams: bytes, cut anywhere by either end. */
#include "kit.h"

#define STREAMS_BYTES (1024u * 1024)

/**
 * struct streams_reader - who compares what comes with kit->pattern, over and over
 * @kit: the test
 * @rnd: where to cut
 * @at: bytes so far
 * @wrong: reads that did not give what was sent
 * @buf: 4096 bytes
 */
struct streams_reader {
	struct kit *kit;
	struct rnd_state rnd;
	u32 at;
	u32 wrong;
	u8 *buf;
};

static void streams_take(struct streams_reader *reader, struct duct_msg *msg)
{
	u32 n = 1 + prandom_u32_state(&reader->rnd) % min(msg->len, 4096u);

	n = min(n, KIT_PATTERN - reader->at % KIT_PATTERN);
	if (duct_read(msg, reader->buf, n) ||
	    memcmp(reader->buf, reader->kit->pattern + reader->at % KIT_PATTERN, n))
		reader->wrong++;
	reader->at += n;
}

/* Once or more often, and never all: what is left comes again. */
static int streams_recv(struct kit_end *end, struct duct_msg *msg)
{
	struct streams_reader *reader = end->priv;

	do
		streams_take(reader, msg);
	while (msg->len && prandom_u32_state(&reader->rnd) % 2);
	return 0;
}

static void streams_pair(struct kunit *test, struct kit_end *a, struct kit_end *b,
			 const struct duct_channel_ops *ops, struct streams_reader *reader)
{
	struct duct_channel_config cfg = { .flags = DUCT_STREAM, .max_msg = 3000 };
	struct duct_channel_config cfg_b = { .flags = DUCT_STREAM, .max_msg = 3000, .ops = ops };
	struct kit *kit = test->priv;

	reader->kit = kit;
	prandom_seed_state(&reader->rnd, 99);
	reader->buf = kunit_kzalloc(test, 4096, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, reader->buf);
	b->priv = reader;
	b->on_recv = streams_recv;
	kit_connect(kit_peers(kit, false), a, kit_param_side(test), &cfg, b, &cfg_b, 0);
}

/* Sends @len bytes of the pattern from @at on, as the ring takes them. */
static int streams_send(struct kit_end *end, u32 at, u32 len)
{
	struct kvec vec = { .iov_base = end->kit->pattern + at, .iov_len = len };
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, len);
	while (iov_iter_count(&iter)) {
		size_t before = iov_iter_count(&iter);
		ssize_t n = duct_send_iter(end->ch, NULL, 0, &iter, len % 3 ? 0 : DUCT_MORE);

		if (n > 0 && before - iov_iter_count(&iter) != n)
			return -EINVAL;
		if (n == -EAGAIN)
			n = duct_wait_writable(end->ch, 1, KIT_WAIT);
		else if (!n)
			return -EINVAL;
		if (n < 0)
			return n;
	}
	return 0;
}

static void streams_write_all(struct kunit *test, struct kit_end *a)
{
	struct kit *kit = test->priv;
	u32 at = 0;

	while (at < STREAMS_BYTES) {
		u32 len = 1 + prandom_u32_state(&kit->rnd) % 20000;

		len = min3(len, KIT_PATTERN - at % KIT_PATTERN, STREAMS_BYTES - at);
		KUNIT_ASSERT_EQ(test, streams_send(a, at % KIT_PATTERN, len), 0);
		at += len;
	}
	duct_publish(a->ch);
}

static void streams_all_bytes(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct streams_reader reader = { };

	streams_pair(test, a, b, &kit_recv_ops, &reader);
	streams_write_all(test, a);
	kit_wait(kit, READ_ONCE(reader.at) == STREAMS_BYTES);
	kit_close(b);
	KUNIT_EXPECT_EQ(test, reader.wrong, 0u);
}

static int streams_read_thread(void *arg)
{
	struct kit_end *end = arg;
	struct streams_reader *reader = end->priv;
	struct duct_msg msg;
	int err = 0;

	while (reader->at < STREAMS_BYTES && !err) {
		err = kit_next(end, &msg);
		if (err)
			break;
		streams_take(reader, &msg);
		duct_release(&msg);
	}
	return err;
}

static void streams_by_cursor(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct streams_reader reader = { };
	struct kit_thread *thread;

	streams_pair(test, a, b, &kit_ready_ops, &reader);
	thread = kit_thread(kit, streams_read_thread, b);
	streams_write_all(test, a);
	KUNIT_EXPECT_EQ(test, kit_join(thread), 0);
	KUNIT_EXPECT_EQ(test, reader.wrong, 0u);
}

/* A reader that does not read: what fits is sent, then -EAGAIN; all of it comes. */
static void streams_partial(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct streams_reader reader = { };
	struct kvec vec = { .iov_base = kit->pattern, .iov_len = 200000 };
	struct iov_iter iter;
	struct duct_msg msg;
	u32 sent = 0, rest;
	ssize_t n;

	streams_pair(test, a, b, &kit_ready_ops, &reader);
	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, 200000);
	while ((n = duct_send_iter(a->ch, NULL, 0, &iter, 0)) > 0) {
		sent += n;
		KUNIT_ASSERT_LE(test, n, 3000);
	}
	KUNIT_EXPECT_EQ(test, n, -EAGAIN);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 200000ul - sent);
	/* Little is left unused. */
	rest = duct_room(a->ch);
	KUNIT_EXPECT_LE(test, rest, 128u);
	while (reader.at < sent) {
		KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
		streams_take(&reader, &msg);
		duct_release(&msg);
	}
	KUNIT_EXPECT_EQ(test, reader.wrong, 0u);
	KUNIT_EXPECT_EQ(test, duct_next(b->ch, &msg), -EAGAIN);
}

static void streams_errors(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_end *a = kit_end(kit), *b = kit_end(kit);
	struct streams_reader reader = { };
	struct duct_call call = { };
	struct duct_msg msg;
	u8 buf[8];
	void *p;

	streams_pair(test, a, b, &kit_ready_ops, &reader);
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, "", 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, duct_send(a->ch, kit->pattern, 3001, 0), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, duct_call_async(a->ch, &call, "", 1, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, duct_call(a->ch, "", 1, buf, 8, HZ), -EINVAL);
	/* No bytes are no message: as if it had been aborted. */
	p = duct_reserve(a->ch, 10);
	KUNIT_ASSERT_FALSE(test, IS_ERR(p));
	duct_commit(a->ch, p, 0, 0);
	KUNIT_ASSERT_EQ(test, duct_send(a->ch, "abcd", 4, 0), 0);
	KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
	KUNIT_EXPECT_EQ(test, duct_read(&msg, buf, 1), 0);
	KUNIT_EXPECT_EQ(test, buf[0], 'a');
	duct_release(&msg);
	/* What was read is gone, the rest is not. */
	KUNIT_EXPECT_EQ(test, duct_read(&msg, buf, 1), -ECONNRESET);
	KUNIT_ASSERT_EQ(test, kit_next(b, &msg), 0);
	KUNIT_EXPECT_EQ(test, msg.len, 3u);
	KUNIT_EXPECT_EQ(test, duct_read(&msg, buf, 3), 0);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "bcd", 3), 0);
	duct_release(&msg);
	kit_exchange(a, b);
}

static struct kunit_case streams_cases[] = {
	KUNIT_CASE_PARAM(streams_all_bytes, kit_sides),
	KUNIT_CASE_PARAM(streams_by_cursor, kit_sides),
	KUNIT_CASE_PARAM(streams_partial, kit_sides),
	KUNIT_CASE_PARAM(streams_errors, kit_sides),
	{}
};

struct kunit_suite duct_streams_suite = {
	.name = "duct_streams",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = streams_cases,
};
