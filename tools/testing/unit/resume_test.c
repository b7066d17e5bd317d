// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resuming: which two ends fit, and that what is written again is what was written, over
 * thousands of epochs whose shared memory is lost.
 */
#include "unit.h"

#include "resume.h"
#include "ring_pair.h"

#define RING 1024u

static const struct {
	const char *name;
	struct duct_ctl_point a, b;
	bool fits;
} points[] = {
	/* cookie, sent, kept, taken */
	{ "the beginning", { 1, 0, 0, 0 }, { 1, 0, 0, 0 }, true },
	{ "all taken", { 1, 64, 32, 96 }, { 1, 96, 96, 64 }, true },
	{ "nothing taken", { 1, 64, 32, 96 }, { 1, 96, 96, 32 }, true },
	{ "no cookie", { 0, 0, 0, 0 }, { 0, 0, 0, 0 }, false },
	{ "another cookie", { 1, 0, 0, 0 }, { 2, 0, 0, 0 }, false },
	{ "more taken than sent", { 1, 64, 32, 96 }, { 1, 96, 96, 80 }, false },
	{ "less taken than kept", { 1, 64, 32, 96 }, { 1, 96, 96, 16 }, false },
	{ "the same, the other way", { 1, 64, 32, 112 }, { 1, 96, 96, 64 }, false },
	{ "and that", { 1, 64, 32, 80 }, { 1, 96, 96, 64 }, false },
	{ "4 GiB apart", { 1, 1ull << 32, 1ull << 32, 0 }, { 1, 0, 0, 0 }, false },
};

static void test_fits(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(points); i++) {
		bool ab = duct_resume_fits(&points[i].a, &points[i].b);
		bool ba = duct_resume_fits(&points[i].b, &points[i].a);

		if (ab != points[i].fits || ba != points[i].fits)
			fail_msg("%s: %d %d", points[i].name, ab, ba);
	}
}

static void test_position(void **state)
{
	struct duct_keep keep = { 0 };
	struct duct_ctl_point point;

	(void)state;
	duct_keep_point(&keep, &point);
	assert_int_equal(point.cookie | point.sent | point.kept | point.taken, 0);
	duct_keep_begin(&keep, 7, 0xffffffc0, 16);
	duct_keep_move(&keep.sent, 0xfffffff0);
	assert_int_equal(keep.sent, 0xfffffff0);
	duct_keep_move(&keep.sent, 0xfffffff0);
	duct_keep_move(&keep.sent, 0x20);
	assert_int_equal(keep.sent, 0x100000020);
	duct_keep_move(&keep.sent, 0x10);
	assert_int_equal(keep.sent, 0x200000010);
	duct_keep_point(&keep, &point);
	assert_int_equal(point.cookie, 7);
	assert_int_equal(point.sent, 0x200000010);
	assert_int_equal(point.kept, 0xffffffc0);
	assert_int_equal(point.taken, 16);
}

/* One direction; the reader's end keeps no more than a position. */
struct way {
	struct ring_pair pair;
	struct duct_keep writer, reader;
	u32 written, read;
};

static u32 way_len(u32 n)
{
	return n * 2654435761u % 200;
}

static void way_write(struct way *way)
{
	while (!ring_pair_write(&way->pair, way_len(way->written), way->written)) {
		duct_keep_move(&way->writer.sent, way->pair.tx.prod);
		way->written++;
		if (!(rand() % 8))
			break;
	}
	if (rand() % 4)
		duct_tx_publish(&way->pair.tx);
}

static void way_read(struct way *way)
{
	struct duct_frame frame;
	u32 n = rand() % 6;

	while (n-- && !duct_rx_peek(&way->pair.rx, &frame)) {
		ring_pair_read(&way->pair, way_len(way->read), way->read);
		duct_keep_move(&way->reader.taken, way->pair.rx.cons);
		way->read++;
	}
	if (rand() % 2)
		duct_rx_return(&way->pair.rx);
}

/* The shared memory is anything now, and then it is new. */
static void way_epoch(struct way *way)
{
	struct duct_tx *tx = &way->pair.tx;
	struct duct_ctl_point writer, reader;
	u32 i;

	way->writer.kept = way->writer.sent - (u32)(tx->prod - tx->cons);
	for (i = 0; i < RING; i++)
		way->pair.data[i] = (u8)rand();
	way->reader.sent = way->writer.taken;
	way->reader.kept = way->writer.taken;
	duct_keep_point(&way->writer, &writer);
	duct_keep_point(&way->reader, &reader);
	assert_true(duct_resume_fits(&writer, &reader));
	ring_pair_start(&way->pair, RING, way->reader.taken);
	tx->keep = way->writer.tx;
	duct_tx_again(tx, way->writer.sent);
	duct_tx_publish(tx);
}

static void test_again(void **state)
{
	static const u32 starts[] = { 0, 0xffffff80, 0xfffffff0 };
	u32 i, round;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		struct way way = { 0 };

		srand(i);
		ring_pair_make(&way.pair, RING, starts[i]);
		way.writer.tx = malloc(RING);
		assert_non_null(way.writer.tx);
		duct_keep_begin(&way.writer, 5, starts[i], starts[i]);
		duct_keep_begin(&way.reader, 5, starts[i], starts[i]);
		way.pair.tx.keep = way.writer.tx;
		for (round = 0; round < 20000; round++) {
			switch (rand() % 5) {
			case 0:
				way_epoch(&way);
				break;
			case 1:
			case 2:
				way_write(&way);
				break;
			default:
				way_read(&way);
			}
		}
		way_epoch(&way);
		for (round = 0; round < 20000 && way.read < way.written; round++)
			way_read(&way);
		assert_int_equal(way.read, way.written);
		assert_true(way.read > 10000);
		free(way.writer.tx);
		ring_pair_free(&way.pair);
	}
}

/* Two ends agree where both are: the backend follows just what the frontend says then. */
static void test_agree(void **state)
{
	const struct duct_keep front = {
		.tx_bytes = 64, .rx_bytes = 128, .cookie = 7, .sent = 64, .kept = 32, .taken = 96,
	};
	const struct duct_keep back = {
		.tx_bytes = 128, .rx_bytes = 64, .cookie = 7, .sent = 112, .kept = 96, .taken = 48,
	};
	const struct duct_ctl_bound rings = { .to_back.bytes = 64, .to_front.bytes = 128 };
	struct duct_ctl_bound bound, wrong;
	struct duct_ctl_point point;

	(void)state;
	bound = rings;
	duct_keep_point(&back, &point);
	assert_true(duct_keep_agree(&front, &point, &bound));
	assert_int_equal(bound.flags, DUCT_WISH_RESUMED);
	assert_int_equal(bound.to_back.start, 48);
	assert_int_equal(bound.to_front.start, 96);
	assert_true(duct_keep_follows(&back, &bound));

#define WRONG(field, value) do {						\
	wrong = bound;								\
	wrong.field = value;							\
	assert_false(duct_keep_follows(&back, &wrong));				\
} while (0)
	WRONG(to_back.start, 64);
	WRONG(to_front.start, 112);
	WRONG(to_back.bytes, 128);
	WRONG(to_front.bytes, 64);
	WRONG(point.cookie, 8);
	WRONG(point.taken, 80);
	wrong = rings;
	wrong.to_back.bytes = 128;
	assert_false(duct_keep_agree(&front, &point, &wrong));
	assert_int_equal(wrong.flags, 0);
	wrong = rings;
	wrong.to_front.bytes = 64;
	assert_false(duct_keep_agree(&front, &point, &wrong));
	wrong = rings;
	point.taken = 16;
	assert_false(duct_keep_agree(&front, &point, &wrong));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_position),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_agree),
	};

	return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
