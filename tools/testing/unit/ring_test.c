// SPDX-License-Identifier: GPL-2.0-only
/* The ring between two correct ends. */
#include "ring_pair.h"

/* Each place in the ring, both near 0 and where the indexes wrap. */
#define for_each_start(start, size, base, wrap)				\
	for (wrap = 0; wrap < 2; wrap++)				\
		for (base = wrap ? 0u - 64u : 0u, start = base;		\
		     start - base < (size); start += DUCT_ALIGN)

/* The longest payload that fits at every index. */
static u32 longest(u32 size)
{
	return size / 2 - sizeof(struct duct_frame);
}

/* @frames messages of @len, as many at once as there is room for. */
static void carry(struct ring_pair *pair, u32 len, u32 frames)
{
	u32 sent = 0, got = 0;

	while (got < frames) {
		u32 before = got;

		while (sent < frames) {
			int err = ring_pair_write(pair, len, sent);

			if (err) {
				assert_int_equal(err, -EAGAIN);
				break;
			}
			sent++;
		}
		duct_tx_publish(&pair->tx);
		while (got < sent)
			ring_pair_read(pair, len, got++);
		assert_true(got > before);
		duct_rx_return(&pair->rx);
	}
}

static void test_need(void **state)
{
	u32 len;

	(void)state;
	for (len = 0; len < 300; len++) {
		assert_int_equal(duct_frame_bytes(len), DUCT_ALIGN * ((16 + len + 15) / 16));
		assert_int_equal(duct_ring_need(len), 2 * duct_frame_bytes(len));
	}
	assert_int_equal(duct_frame_bytes(DUCT_MSG_MAX), DUCT_MSG_MAX + 16);
}

static void test_round_trip(void **state)
{
	static const u32 sizes[] = { 64, 256, 1024 };
	u32 s, l, start, base, wrap, frames;

	(void)state;
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		u32 size = sizes[s], max = longest(size);
		const u32 lens[] = { 0, 1, 15, 16, 17, max - 1, max };
		struct ring_pair pair;

		ring_pair_make(&pair, size, 0);
		for (l = 0; l < ARRAY_SIZE(lens); l++) {
			if (lens[l] > max)
				continue;
			for_each_start(start, size, base, wrap)
				for (frames = 1; frames <= 9; frames++) {
					ring_pair_start(&pair, size, start);
					carry(&pair, lens[l], frames);
					assert_int_equal(pair.tx.prod, pair.rx.cons);
				}
		}
		ring_pair_free(&pair);
	}
}

/* One byte more than duct_ring_need() allows does not fit everywhere. */
static void test_longest(void **state)
{
	u32 size = 1024, start, base, wrap, at;
	struct ring_pair pair;
	bool refused = false;

	(void)state;
	assert_int_equal(duct_ring_need(longest(size)), size);
	ring_pair_make(&pair, size, 0);
	for_each_start(start, size, base, wrap) {
		int err;

		ring_pair_start(&pair, size, start);
		assert_int_equal(duct_tx_reserve(&pair.tx, longest(size), 0, &at), 0);
		err = duct_tx_reserve(&pair.tx, longest(size) + 1, 0, &at);
		if (err) {
			assert_int_equal(err, -EAGAIN);
			refused = true;
		}
		/* More than the ring never fits and never writes. */
		assert_int_equal(duct_tx_reserve(&pair.tx, size, 0, &at), -EAGAIN);
		assert_int_equal(duct_tx_reserve(&pair.tx, DUCT_MSG_MAX, 0, &at), -EAGAIN);
	}
	assert_true(refused);
	/* The whole of an empty ring, where no pad is needed. */
	ring_pair_start(&pair, size, 0);
	carry(&pair, size - 16, 3);
	ring_pair_free(&pair);
}

static void test_mixed_lengths(void **state)
{
	u32 size = 512, step;
	u64 seed = 0x9e3779b97f4a7c15;
	struct ring_pair pair;
	u32 lens[64], sent = 0, got = 0;

	(void)state;
	ring_pair_make(&pair, size, 0u - 4096u);
	for (step = 0; step < 200000; step++) {
		u32 len = unit_random(&seed) % (longest(size) + 1);

		switch (unit_random(&seed) % 4) {
		case 0:
		case 1:
			if (ring_pair_write(&pair, len, sent) == 0)
				lens[sent++ % 64] = len;
			break;
		case 2:
			duct_tx_publish(&pair.tx);
			break;
		default:
			while (pair.tx.published != pair.rx.cons && got < sent &&
			       unit_random(&seed) % 8) {
				ring_pair_read(&pair, lens[got % 64], got);
				got++;
			}
			if (unit_random(&seed) % 2)
				duct_rx_return(&pair.rx);
		}
	}
	assert_true(sent > 10000);
	ring_pair_free(&pair);
}

/* All that a header carries arrives, and nothing else. */
static void test_header(void **state)
{
	const struct duct_frame call = {
		.len = 3, .type = DUCT_FRAME_CALL, .slot = 7, .generation = 0xffffffff,
	};
	const struct duct_frame answer = {
		.len = 0, .type = DUCT_FRAME_ANSWER, .status = 0xffff, .slot = 0xffffffff,
		.generation = 1,
	};
	const struct duct_frame stream = { .len = 1, .type = DUCT_FRAME_STREAM };
	const struct duct_frame *const frames[] = { &call, &answer, &stream };
	struct ring_pair pair;
	struct duct_frame got;
	u32 at, i;

	(void)state;
	ring_pair_make(&pair, 128, 96);
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		assert_int_equal(duct_tx_reserve(&pair.tx, frames[i]->len, 0, &at), 0);
		duct_tx_commit(&pair.tx, at, frames[i]);
	}
	duct_tx_publish(&pair.tx);
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		assert_int_equal(duct_rx_peek(&pair.rx, &got), 0);
		assert_memory_equal(&got, frames[i], sizeof(got));
		/* Found again until it is taken. */
		memset(&got, 0, sizeof(got));
		assert_int_equal(duct_rx_peek(&pair.rx, &got), 0);
		assert_memory_equal(&got, frames[i], sizeof(got));
		duct_rx_take(&pair.rx, &got);
	}
	assert_int_equal(duct_rx_peek(&pair.rx, &got), -EAGAIN);
	ring_pair_free(&pair);
}

/* Nothing is seen before it is published, no space before it is returned. */
static void test_publish_return(void **state)
{
	struct ring_pair pair;
	struct duct_frame frame;
	u32 room;

	(void)state;
	ring_pair_make(&pair, 64, 0u - 32u);
	/* Nothing new is not even stored. */
	pair.shared->prod = 12345;
	pair.shared->cons = 12345;
	assert_false(duct_tx_publish(&pair.tx));
	assert_false(duct_rx_return(&pair.rx));
	assert_int_equal(pair.shared->prod, 12345);
	assert_int_equal(pair.shared->cons, 12345);
	pair.shared->prod = 0u - 32u;
	pair.shared->cons = 0u - 32u;
	assert_int_equal(ring_pair_write(&pair, 0, 0), 0);
	assert_int_equal(duct_rx_peek(&pair.rx, &frame), -EAGAIN);
	assert_int_equal(duct_rx_arm(&pair.rx), 0);
	duct_tx_publish(&pair.tx);
	assert_int_equal(duct_rx_arm(&pair.rx), 1);
	ring_pair_read(&pair, 0, 0);
	assert_int_equal(duct_rx_owed(&pair.rx), 16);
	assert_int_equal(duct_tx_room(&pair.tx, &room), 0);
	assert_int_equal(room, 48);
	duct_rx_return(&pair.rx);
	assert_int_equal(duct_rx_owed(&pair.rx), 0);
	assert_int_equal(duct_tx_room(&pair.tx, &room), 0);
	assert_int_equal(room, 64);
	ring_pair_free(&pair);
}

/* Reserving without committing leaves no trace anywhere. */
static void test_abort(void **state)
{
	u32 size = 256, fill, len, start, base, wrap, at, again;

	(void)state;
	for_each_start(start, size, base, wrap)
		for (fill = 0; fill < 4; fill++)
			for (len = 0; len < size; len += 13) {
				struct duct_shared_ring shared;
				struct ring_pair pair;
				struct duct_tx tx;
				u8 data[256];
				u32 i;
				int err;

				ring_pair_make(&pair, size, start);
				for (i = 0; i < fill; i++)
					assert_int_equal(ring_pair_write(&pair, 20, i), 0);
				shared = *pair.shared;
				memcpy(data, pair.data, size);
				tx = pair.tx;
				err = duct_tx_reserve(&pair.tx, len, 0, &at);
				assert_memory_equal(&shared, pair.shared, sizeof(shared));
				assert_memory_equal(data, pair.data, size);
				assert_memory_equal(&tx, &pair.tx, sizeof(tx));
				assert_int_equal(duct_tx_reserve(&pair.tx, len, 0, &again), err);
				if (!err)
					assert_int_equal(at, again);
				/* A shorter one can still go, and all of it arrives. */
				if (fill < 3)
					assert_int_equal(ring_pair_write(&pair, 1, 99), 0);
				duct_tx_publish(&pair.tx);
				for (i = 0; i < fill; i++)
					ring_pair_read(&pair, 20, i);
				if (fill < 3)
					ring_pair_read(&pair, 1, 99);
				ring_pair_free(&pair);
			}
}

/* What is committed may be shorter than what was reserved. */
static void test_commit_shorter(void **state)
{
	const struct duct_frame frame = { .len = 5, .type = DUCT_FRAME_MSG };
	u32 size = 256, start, base, wrap, at, i;
	struct ring_pair pair;

	(void)state;
	ring_pair_make(&pair, size, 0);
	for_each_start(start, size, base, wrap) {
		ring_pair_start(&pair, size, start);
		assert_int_equal(duct_tx_reserve(&pair.tx, 100, 0, &at), 0);
		for (i = 0; i < 5; i++)
			duct_tx_payload(&pair.tx, at)[i] = ring_pair_byte(3, i);
		duct_tx_commit(&pair.tx, at, &frame);
		assert_int_equal(pair.tx.prod, at + 32);
		assert_int_equal(ring_pair_write(&pair, 17, 4), 0);
		duct_tx_publish(&pair.tx);
		ring_pair_read(&pair, 5, 3);
		ring_pair_read(&pair, 17, 4);
	}
	ring_pair_free(&pair);
}

/*
 * Against the words of io/duct.h: a frame goes at prod, or behind a pad if it
 * would not be contiguous; @keep bytes stay free behind it.
 */
static void test_reserve_and_keep(void **state)
{
	u32 size = 128, used, len, keep, start, base, wrap;
	struct ring_pair pair;

	(void)state;
	ring_pair_make(&pair, size, 0);
	for_each_start(start, size, base, wrap)
		for (used = 0; used <= size; used += 16)
			for (len = 0; len <= size; len += 5)
				for (keep = 0; keep <= size; keep += 8) {
					u32 need = (16 + len + 15) / 16 * 16;
					u32 pos = (start + used) % size;
					u32 pad = pos + need > size ? size - pos : 0;
					u32 at = 0xdeadbeef, room;
					int err;

					ring_pair_start(&pair, size, start);
					pair.tx.prod += used;
					err = duct_tx_reserve(&pair.tx, len, keep, &at);
					if (used + pad + need + keep <= size) {
						assert_int_equal(err, 0);
						assert_int_equal(at, start + used + pad);
						assert_ptr_equal(duct_tx_payload(&pair.tx, at),
								 pair.data + at % size + 16);
					} else {
						assert_int_equal(err, -EAGAIN);
						assert_int_equal(at, 0xdeadbeef);
					}
					assert_int_equal(duct_tx_room(&pair.tx, &room), 0);
					assert_int_equal(room, size - used);
				}
	ring_pair_free(&pair);
}

/* The pad is a whole frame to the end of the ring, and is written by commit. */
static void test_pad(void **state)
{
	u32 size = 256, pos, at;
	struct ring_pair pair;

	(void)state;
	ring_pair_make(&pair, size, 0);
	for (pos = 16; pos < size; pos += 16) {
		u32 len = size - pos, room;
		struct duct_frame pad;

		ring_pair_start(&pair, size, pos);
		if (duct_tx_reserve(&pair.tx, len, 0, &at))
			continue;
		assert_int_equal(at, size);
		assert_int_equal(pair.data[pos], 0xee);
		assert_int_equal(ring_pair_write(&pair, len, 1), 0);
		memcpy(&pad, pair.data + pos, sizeof(pad));
		assert_int_equal(pad.type, DUCT_FRAME_PAD);
		assert_int_equal(pad.len, size - pos - 16);
		assert_int_equal(pad.reserved | pad.status | pad.slot | pad.generation, 0);
		duct_tx_publish(&pair.tx);
		ring_pair_read(&pair, len, 1);
		/* The space of the pad comes back as well. */
		duct_rx_return(&pair.rx);
		assert_int_equal(duct_tx_room(&pair.tx, &room), 0);
		assert_int_equal(room, size);
	}
	ring_pair_free(&pair);
}

static bool passes_slowly(u32 old, u32 now, u32 event)
{
	for (; old != now; old++)
		if (old == event)
			return true;
	return false;
}

static void test_passes(void **state)
{
	static const u32 bases[] = { 0, 0u - 20u, (1u << 31) - 20u };
	u32 b, o, n, e;

	(void)state;
	for (b = 0; b < ARRAY_SIZE(bases); b++)
		for (o = 0; o < 40; o++)
			for (n = 0; n < 40; n++)
				for (e = 0; e < 160; e++) {
					u32 old = bases[b] + o, now = old + n;
					u32 event = bases[b] - 60 + e;

					assert_int_equal(duct_passes(old, now, event),
							 passes_slowly(old, now, event));
				}
	assert_false(duct_passes(5, 5, 5));
	assert_true(duct_passes(0, 1u << 22, (1u << 22) - 1));
	assert_false(duct_passes(0, 1u << 22, 1u << 22));
}

/* publish and return say "notify" exactly if the index passes what is wanted. */
static void test_notify(void **state)
{
	u32 size = 128, start, base, wrap, frames, want;
	struct ring_pair pair;

	(void)state;
	ring_pair_make(&pair, size, 0);
	for_each_start(start, size, base, wrap)
		for (frames = 0; frames <= 4; frames++)
			for (want = start - 80; want != start + 140; want++) {
				u32 i, now;

				ring_pair_start(&pair, size, start);
				pair.shared->want_data = want;
				pair.shared->want_space = want;
				for (i = 0; i < frames; i++)
					assert_int_equal(ring_pair_write(&pair, 0, i), 0);
				now = start + frames * 16;
				assert_int_equal(duct_tx_publish(&pair.tx),
						 passes_slowly(start, now, want));
				assert_int_equal(pair.shared->prod, now);
				/* Nothing new, nothing to tell. */
				assert_false(duct_tx_publish(&pair.tx));
				for (i = 0; i < frames; i++)
					ring_pair_read(&pair, 0, i);
				assert_int_equal(duct_rx_return(&pair.rx),
						 passes_slowly(start, now, want));
				assert_int_equal(pair.shared->cons, now);
				assert_false(duct_rx_return(&pair.rx));
			}
	ring_pair_free(&pair);
}

/* A writer that waits is told once, by the return that makes enough room. */
static void test_arm_space(void **state)
{
	u32 size = 128, start, base, wrap, frames, room;
	struct ring_pair pair;

	(void)state;
	ring_pair_make(&pair, size, 0);
	for_each_start(start, size, base, wrap)
		for (frames = 0; frames <= 8; frames++)
			for (room = 1; room <= size; room++) {
				u32 space = size - frames * 16, i;
				bool told = false;

				ring_pair_start(&pair, size, start);
				for (i = 0; i < frames; i++)
					assert_int_equal(ring_pair_write(&pair, 0, i), 0);
				duct_tx_publish(&pair.tx);
				assert_int_equal(duct_tx_arm(&pair.tx, room), space >= room);
				if (space >= room)
					continue;
				for (i = 0; i < frames; i++) {
					bool enough, event;

					ring_pair_read(&pair, 0, i);
					event = duct_rx_return(&pair.rx);
					enough = space + (i + 1) * 16 >= room;
					assert_int_equal(event, enough && !told);
					told |= event;
				}
				assert_true(told);
				assert_int_equal(duct_tx_arm(&pair.tx, room), 1);
			}
	ring_pair_free(&pair);
}

/* A reader that waits is told once, by the first publish. */
static void test_arm_data(void **state)
{
	u32 size = 128, start, base, wrap, i;
	struct ring_pair pair;

	(void)state;
	ring_pair_make(&pair, size, 0);
	for_each_start(start, size, base, wrap) {
		ring_pair_start(&pair, size, start);
		assert_int_equal(duct_rx_arm(&pair.rx), 0);
		assert_int_equal(pair.shared->want_data, start);
		for (i = 0; i < 8; i++) {
			assert_int_equal(ring_pair_write(&pair, 0, i), 0);
			assert_int_equal(duct_tx_publish(&pair.tx), i == 0);
		}
		assert_int_equal(duct_rx_arm(&pair.rx), 1);
		for (i = 0; i < 8; i++)
			ring_pair_read(&pair, 0, i);
		duct_rx_return(&pair.rx);
		assert_int_equal(duct_rx_arm(&pair.rx), 0);
		assert_int_equal(ring_pair_write(&pair, 0, 0), 0);
		assert_true(duct_tx_publish(&pair.tx));
	}
	ring_pair_free(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_need),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_mixed_lengths),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_publish_return),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_commit_shorter),
		cmocka_unit_test(test_reserve_and_keep),
		cmocka_unit_test(test_pad),
		cmocka_unit_test(test_passes),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_arm_space),
		cmocka_unit_test(test_arm_data),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
