// SPDX-License-Identifier: GPL-2.0-only
/* Messages of a region's channel, and of a transfer: each right, then each single thing wrong. */
#include "unit.h"

#include "region_msg.h"

#define OWNER	1
#define PEER	2

static const struct {
	u32 len;
	u8 from;
	union duct_region_msg msg;
} good[] = {
	{ 24, OWNER, { .offer = { DUCT_REGION_OFFER, 1, 63, DUCT_REGION_WRITABLE, 64u << 20 } } },
	{ 256, OWNER, { .refs = { DUCT_REGION_REFS, 1, 16383, 60, { 8, [59] = 9 } } } },
	{ 16, PEER, { .state = { DUCT_REGION_ATTACHED, 1, DUCT_REGION_MEMORY, 0 } } },
	{ 16, OWNER, { .state = { DUCT_REGION_REVOKE, 0xffffffff, 0, 0 } } },
	{ 16, PEER, { .state = { DUCT_REGION_RELEASED, 1, 0, 0 } } },
	{ 16, PEER, { .point = { DUCT_REGION_WATCH, 0, UINT64_MAX } } },
	{ 16, OWNER, { .point = { DUCT_REGION_WATCHED, DUCT_REGION_BUDGET, 0 } } },
	{ 16, PEER, { .point = { DUCT_REGION_UNWATCH, 0, 7 } } },
	{ 16, OWNER | PEER, { .point = { DUCT_REGION_TRIGGER, 0xffffffff, 7 } } },
};

_Static_assert(ARRAY_SIZE(good) == DUCT_REGION_TRIGGER, "one for each type");

/* In a malloc of exactly @len, so that ASan sees a look behind it. */
static bool right(const union duct_region_msg *msg, u32 len, bool from_owner)
{
	u32 n = min(len, (u32)sizeof(*msg));
	void *copy = malloc(n ? n : 1);
	const char *why;

	assert_non_null(copy);
	memcpy(copy, msg, n);
	why = duct_region_msg_check(copy, len, from_owner);
	free(copy);
	return !why;
}

static void test_good(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(good[i].msg.type, i + 1);
		assert_int_equal(duct_region_msg_len(i + 1), good[i].len);
		assert_int_equal(right(&good[i].msg, good[i].len, true), good[i].from & OWNER);
		assert_int_equal(right(&good[i].msg, good[i].len, false), !!(good[i].from & PEER));
	}
}

static void test_length_and_type(void **state)
{
	static const u32 types[] = { 0, 10, 255, 256 + 1, 65536 + 1, 0x80000001, 0xffffffff };
	u32 i, len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		for (len = 0; len <= 300; len++)
			if (len != good[i].len)
				assert_false(right(&good[i].msg, len, good[i].from & OWNER));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		union duct_region_msg msg = { .type = types[i] };

		assert_int_equal(duct_region_msg_len(types[i]), 0);
		for (len = 0; len <= 300; len++)
			assert_false(right(&msg, len, true) || right(&msg, len, false));
	}
}

#define BAD(n, field, value) do {						\
	union duct_region_msg bad = good[(n) - 1].msg;				\
										\
	bad.field = (value);							\
	assert_false(right(&bad, good[(n) - 1].len, good[(n) - 1].from & OWNER));	\
} while (0)

static void test_words(void **state)
{
	(void)state;
	BAD(DUCT_REGION_OFFER, offer.peer, 0);
	BAD(DUCT_REGION_OFFER, offer.peer, 64);
	BAD(DUCT_REGION_OFFER, offer.flags, 2);
	BAD(DUCT_REGION_OFFER, offer.size, 0);
	BAD(DUCT_REGION_OFFER, offer.size, (64u << 20) + 1);
	BAD(DUCT_REGION_OFFER, offer.size, UINT64_MAX);
	BAD(DUCT_REGION_REFS, refs.n, 0);
	BAD(DUCT_REGION_REFS, refs.n, 59);	/* the last is behind */
	BAD(DUCT_REGION_REFS, refs.n, 61);
	BAD(DUCT_REGION_REFS, refs.first, 16384);
	BAD(DUCT_REGION_ATTACHED, state.status, DUCT_REGION_NOBODY);
	BAD(DUCT_REGION_ATTACHED, state.reserved, 1);
	BAD(DUCT_REGION_REVOKE, state.status, 1);
	BAD(DUCT_REGION_RELEASED, state.status, 1);
	BAD(DUCT_REGION_WATCH, point.value, 1);
	BAD(DUCT_REGION_UNWATCH, point.value, 1);
	BAD(DUCT_REGION_WATCHED, point.value, DUCT_REGION_MEMORY);
	BAD(DUCT_REGION_TRIGGER, point.value, 0);
}

static void test_pages(void **state)
{
	(void)state;
	assert_int_equal(duct_region_pages(1), 1);
	assert_int_equal(duct_region_pages(4096), 1);
	assert_int_equal(duct_region_pages(4097), 2);
	assert_int_equal(duct_region_pages(64u << 20), DUCT_REGION_PAGES_MAX);
}

static bool asks(u32 peer, u32 reserved, u32 len, u32 lent)
{
	const struct duct_region_xfer ask = { .peer = peer, .reserved = reserved };

	return !duct_region_msg_check_xfer(&ask, len, lent);
}

static void test_xfer(void **state)
{
	(void)state;
	assert_true(asks(0, 0, 8, 1));
	assert_true(asks(63, 0, 8, DUCT_BULK_BYTES_MAX));
	assert_false(asks(64, 0, 8, 1));
	assert_false(asks(UINT32_MAX, 0, 8, 1));
	assert_false(asks(0, 1, 8, 1));
	assert_false(asks(0, 0, 8, 0));
	assert_false(asks(0, 0, 7, 1));
	assert_false(asks(0, 0, 9, 1));
	assert_false(asks(0, 0, 0, 1));
}

static int moved(u32 status, u32 bytes, u32 len, u32 lent)
{
	const struct duct_region_moved answer = { .status = status, .bytes = bytes };

	return duct_region_msg_moved(&answer, len, lent);
}

static void test_moved(void **state)
{
	(void)state;
	assert_int_equal(moved(DUCT_REGION_OK, 0, 8, 5), 0);
	assert_int_equal(moved(DUCT_REGION_OK, 5, 8, 5), 5);
	assert_int_equal(moved(DUCT_REGION_OK, 6, 8, 5), -EPROTO);
	assert_int_equal(moved(DUCT_REGION_OK, UINT32_MAX, 8, DUCT_BULK_BYTES_MAX), -EPROTO);
	assert_int_equal(moved(DUCT_REGION_OK, 5, 7, 5), -EPROTO);
	assert_int_equal(moved(DUCT_REGION_OK, 5, 0, 5), -EPROTO);
	assert_int_equal(moved(DUCT_REGION_NOBODY, 0, 8, 5), -ENOENT);
	assert_int_equal(moved(DUCT_REGION_NONE, 0, 8, 5), -ENOBUFS);
	assert_int_equal(moved(DUCT_REGION_MEMORY, 0, 8, 5), -ENOMEM);
	assert_int_equal(moved(DUCT_REGION_BROKEN, 0, 8, 5), -EIO);
	assert_int_equal(moved(UINT32_MAX, 0, 8, 5), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_length_and_type),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_xfer),
		cmocka_unit_test(test_moved),
	};

	return cmocka_run_group_tests_name("region_msg", tests, NULL, NULL);
}
