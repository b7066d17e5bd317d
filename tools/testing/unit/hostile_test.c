// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring against a peer that writes what it likes. The bytes of the ring are
 * a malloc of exactly their size, so ASan sees each read outside.
 */
#include "ring_pair.h"

#define SIZE 256u

/* Indexes that a peer could write, around @from and at the ends. */
static u32 hostile_index(u32 from, u32 i)
{
	static const u32 far[] = {
		0, 1, 15, 16, SIZE, 0xffffffff, 0xfffffff0, 0x80000000, 0x7fffffff, 0x7ffffff0,
	};

	return i < ARRAY_SIZE(far) ? far[i] : from - 2 * SIZE - 3 + (i - ARRAY_SIZE(far));
}

#define HOSTILE_INDEXES (10 + 5 * SIZE)

static u32 starts(u32 i)
{
	return (i % 2 ? 0u - 64u : 0u) + i / 2 * DUCT_ALIGN;
}

#define STARTS (2 * SIZE / DUCT_ALIGN)

/*
 * The reader has seen @seen bytes, taken @taken of them and returned
 * @returned of those: prod is legal between what it was and the space given.
 */
static void test_prod(void **state)
{
	u32 s, seen, taken, returned, i;
	struct ring_pair pair;

	(void)state;
	ring_pair_make(&pair, SIZE, 0);
	for (s = 0; s < STARTS; s += 3)
		for (seen = 0; seen <= SIZE; seen += 64)
			for (taken = 0; taken <= seen; taken += 32)
				for (returned = 0; returned <= taken; returned += 32)
					for (i = 0; i < HOSTILE_INDEXES; i++) {
						u32 start = starts(s);
						u32 prod = hostile_index(start + seen, i);
						struct duct_rx rx = pair.rx;
						bool legal = prod % 16 == 0 &&
							prod - (start + seen) <=
							returned + SIZE - seen;

						rx.prod = start + seen;
						rx.cons = start + taken;
						rx.returned = start + returned;
						pair.shared->prod = prod;
						if (legal) {
							assert_int_equal(duct_rx_arm(&rx),
									 prod != rx.cons);
							assert_int_equal(rx.prod, prod);
						} else {
							assert_int_equal(duct_rx_arm(&rx), -EPROTO);
							assert_int_equal(rx.prod, start + seen);
						}
					}
	ring_pair_free(&pair);
}

/* The same by peek, which looks only when it has nothing left. */
static void test_prod_peek(void **state)
{
	u32 s, returned, i;
	struct ring_pair pair;

	(void)state;
	ring_pair_make(&pair, SIZE, 0);
	for (s = 0; s < STARTS; s++)
		for (returned = 0; returned <= SIZE; returned += 16)
			for (i = 0; i < HOSTILE_INDEXES; i++) {
				u32 start = starts(s);
				u32 prod = hostile_index(start + SIZE, i);
				struct duct_rx rx = pair.rx;
				struct duct_frame frame;
				int err;

				/* Zeros are no frame: a legal prod fails behind it. */
				memset(pair.data, 0, SIZE);
				rx.prod = start + SIZE;
				rx.cons = start + SIZE;
				rx.returned = start + returned;
				pair.shared->prod = prod;
				err = duct_rx_peek(&rx, &frame);
				if (prod == rx.cons)
					assert_int_equal(err, -EAGAIN);
				else
					assert_int_equal(err, -EPROTO);
				assert_int_equal(rx.cons, start + SIZE);
			}
	ring_pair_free(&pair);
}

/* The writer: cons is legal between what it was and what was published. */
static void test_cons(void **state)
{
	u32 s, published, prod, i, room, at;
	struct ring_pair pair;

	(void)state;
	ring_pair_make(&pair, SIZE, 0);
	for (s = 0; s < STARTS; s += 3)
		for (published = 0; published <= SIZE; published += 32)
			for (prod = published; prod <= SIZE; prod += 64)
				for (i = 0; i < HOSTILE_INDEXES; i++) {
					u32 start = starts(s);
					u32 cons = hostile_index(start + published, i);
					struct duct_tx tx = pair.tx;
					bool legal = cons % 16 == 0 && cons - start <= published;
					int err = legal ? 0 : -EPROTO;
					struct duct_tx now;

					tx.cons = start;
					tx.published = start + published;
					tx.prod = start + prod;
					pair.shared->cons = cons;

					now = tx;
					assert_int_equal(duct_tx_room(&now, &room), err);
					assert_int_equal(now.cons, legal ? cons : start);
					assert_true(room <= SIZE);
					if (legal)
						assert_int_equal(room, SIZE - (tx.prod - cons));

					now = tx;
					if (prod == published)
						assert_int_equal(duct_tx_arm(&now, SIZE),
								 legal ? tx.prod == cons : -EPROTO);

					/* Looks only if there is too little. */
					now = tx;
					if (duct_tx_reserve(&now, SIZE, 0, &at) == 0)
						fail_msg("more than the ring");
					assert_int_equal(duct_tx_reserve(&now, SIZE, 0, &at),
							 legal ? -EAGAIN : -EPROTO);
				}
	ring_pair_free(&pair);
}

/* From the words of io/duct.h, with 64 bits so that nothing wraps. */
static bool header_legal(const struct duct_frame *f, u32 pos, u32 there)
{
	u64 bytes = ((u64)f->len + 16 + 15) / 16 * 16;

	if (bytes > there || pos + bytes > SIZE || f->reserved)
		return false;
	switch (f->type) {
	case DUCT_FRAME_PAD:
		return pos && pos + bytes == SIZE && !f->status && !f->slot && !f->generation;
	case DUCT_FRAME_MSG:
		return !f->status && !f->slot && !f->generation;
	case DUCT_FRAME_STREAM:
		return f->len && !f->status && !f->slot && !f->generation;
	case DUCT_FRAME_CALL:
	case DUCT_FRAME_BULK:
		return !f->status;
	case DUCT_FRAME_ANSWER:
		return true;
	}
	return false;
}

/* @f is at @pos, with @there bytes published. */
static void try_header(struct ring_pair *pair, const struct duct_frame *f, u32 base, u32 pos,
		       u32 there)
{
	const struct duct_frame msg = { .len = 0, .type = DUCT_FRAME_MSG };
	bool legal = header_legal(f, pos, there);
	struct duct_frame got;
	u8 copy[SIZE];
	int err;

	pair->rx.cons = base + pos;
	pair->rx.returned = base + pos;
	pair->rx.prod = base + pos;
	pair->shared->prod = base + pos + there;
	memcpy(pair->data + pos, f, sizeof(*f));
	/* What a pad may lead to. */
	if (pos)
		memcpy(pair->data, &msg, sizeof(msg));

	err = duct_rx_peek(&pair->rx, &got);
	if (!legal) {
		assert_int_equal(err, -EPROTO);
		assert_int_equal(pair->rx.cons, base + pos);
		return;
	}
	if (f->type == DUCT_FRAME_PAD) {
		u32 rest = SIZE - pos;

		assert_int_equal(err, there > rest ? 0 : -EAGAIN);
		assert_int_equal(pair->rx.cons, base + SIZE);
		if (!err)
			assert_memory_equal(&got, &msg, sizeof(msg));
		return;
	}
	assert_int_equal(err, 0);
	assert_memory_equal(&got, f, sizeof(got));
	duct_peer_copy_in(copy, duct_rx_payload(&pair->rx), got.len);
	duct_rx_take(&pair->rx, &got);
	assert_true(pair->rx.prod - pair->rx.cons <= there);
}

static u32 hostile_len(u32 i, u32 pos, u32 there)
{
	static const u32 far[] = {
		SIZE, SIZE + 1, 2 * SIZE, 1u << 20, (1u << 20) + 1, 0x7fffffff, 0x80000000,
		0xffffffe0, 0xffffffef, 0xfffffff0, 0xfffffff1, 0xfffffffe, 0xffffffff,
	};
	u32 rest = SIZE - pos;

	if (i < 40)
		return i;
	if (i < 80)
		return there - 36 + (i - 40);
	if (i < 120)
		return rest - 36 + (i - 80);
	return far[i - 120];
}

#define HOSTILE_LENS (120 + 13)

static void test_headers(void **state)
{
	static const u32 positions[] = { 0, 16, 128, SIZE - 48, SIZE - 32, SIZE - 16 };
	static const u8 types[] = { 0, 1, 2, 3, 4, 5, 6, 7, 128, 255 };
	static const u32 theres[] = { 16, 32, 48, 128, SIZE - 16, SIZE };
	static const u32 words[] = { 0, 1, 0x80000000, 0xffffffff };
	u32 p, t, th, l, bits, wrap;
	struct ring_pair pair;

	(void)state;
	ring_pair_make(&pair, SIZE, 0);
	for (p = 0; p < ARRAY_SIZE(positions); p++)
		for (th = 0; th < ARRAY_SIZE(theres); th++)
			for (l = 0; l < HOSTILE_LENS; l++)
				for (t = 0; t < ARRAY_SIZE(types); t++)
					for (bits = 0; bits < 64; bits++)
						for (wrap = 0; wrap < 2; wrap++) {
							struct duct_frame f = {
								.len = hostile_len(l, positions[p],
										   theres[th]),
								.type = types[t],
								.reserved = bits & 1 ? 0x80 : 0,
								.status = bits & 2 ? 0x100 : 0,
								.slot = words[bits >> 2 & 3],
								.generation = words[bits >> 4 & 3],
							};

							try_header(&pair, &f, wrap ? 0u - SIZE : 0,
								   positions[p], theres[th]);
						}
	ring_pair_free(&pair);
}

/* Every type, every bit of a field that must be zero. */
static void test_each_bit(void **state)
{
	struct ring_pair pair;
	u32 type, bit;

	(void)state;
	ring_pair_make(&pair, SIZE, 0);
	for (type = 0; type < 256; type++) {
		struct duct_frame f = { .len = 16, .type = type };

		try_header(&pair, &f, 0, 32, 64);
		for (bit = 0; bit < 8; bit++) {
			f = (struct duct_frame){ .len = 16, .type = type, .reserved = 1 << bit };
			try_header(&pair, &f, 0, 32, 64);
		}
		for (bit = 0; bit < 16; bit++) {
			f = (struct duct_frame){ .len = 16, .type = type, .status = 1 << bit };
			try_header(&pair, &f, 0, 32, 64);
		}
		for (bit = 0; bit < 32; bit++) {
			f = (struct duct_frame){ .len = 16, .type = type, .slot = 1u << bit };
			try_header(&pair, &f, 0, 32, 64);
			f = (struct duct_frame){ .len = 16, .type = type, .generation = 1u << bit };
			try_header(&pair, &f, 0, 32, 64);
			f = (struct duct_frame){ .len = 1u << bit, .type = type };
			try_header(&pair, &f, 0, 32, 64);
		}
	}
	ring_pair_free(&pair);
}

/* A pad leads to index 0, where no pad may be: never two, never a loop. */
static void test_two_pads(void **state)
{
	struct ring_pair pair;
	u32 pos, len;

	(void)state;
	ring_pair_make(&pair, SIZE, 0);
	for (pos = 16; pos < SIZE; pos += 16)
		for (len = 0; len < SIZE; len += 16) {
			const struct duct_frame first = {
				.len = SIZE - pos - 16, .type = DUCT_FRAME_PAD,
			};
			const struct duct_frame second = { .len = len, .type = DUCT_FRAME_PAD };
			struct duct_frame got;

			ring_pair_start(&pair, SIZE, pos);
			memcpy(pair.data, &second, sizeof(second));
			memcpy(pair.data + pos, &first, sizeof(first));
			pair.shared->prod = pos + SIZE;
			assert_int_equal(duct_rx_peek(&pair.rx, &got), -EPROTO);
			/* Alone it is no error, and the next look is. */
			ring_pair_start(&pair, SIZE, pos);
			memcpy(pair.data, &second, sizeof(second));
			memcpy(pair.data + pos, &first, sizeof(first));
			pair.shared->prod = SIZE;
			assert_int_equal(duct_rx_peek(&pair.rx, &got), -EAGAIN);
			pair.shared->prod = pos + SIZE;
			assert_int_equal(duct_rx_peek(&pair.rx, &got), -EPROTO);
		}
	ring_pair_free(&pair);
}

/* What the peer wants is only compared: no number of it does any harm. */
static void test_wants(void **state)
{
	struct ring_pair pair;
	u32 i;

	(void)state;
	ring_pair_make(&pair, SIZE, 0);
	for (i = 0; i < HOSTILE_INDEXES; i++) {
		u32 want = hostile_index(0, i);

		ring_pair_start(&pair, SIZE, 0);
		pair.shared->want_data = want;
		pair.shared->want_space = want;
		assert_int_equal(ring_pair_write(&pair, 0, 0), 0);
		assert_int_equal(duct_tx_publish(&pair.tx), want < 16);
		ring_pair_read(&pair, 0, 0);
		assert_int_equal(duct_rx_return(&pair.rx), want < 16);
	}
	ring_pair_free(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prod),
		cmocka_unit_test(test_prod_peek),
		cmocka_unit_test(test_cons),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_two_pads),
		cmocka_unit_test(test_wants),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
