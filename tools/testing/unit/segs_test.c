// SPDX-License-Identifier: GPL-2.0-only
/* Lists of memory lent: every kind of segment, right, and with each thing wrong. */
#include "unit.h"

#include "segs.h"

#define STAGE 4096u

static const char *check(u32 flags, u32 bytes, u32 stage, const u32 *word, u32 words)
{
	const struct duct_bulk head = {
		.flags = flags, .bytes = bytes, .words = words, .stage = stage,
	};
	/* Exactly as many, so that ASan sees a look behind them. */
	u32 *copy = malloc(words * sizeof(*word) + 1);
	const char *why;

	assert_non_null(copy);
	memcpy(copy, word, words * sizeof(*word));
	why = duct_segs_check(&head, copy, STAGE);
	free(copy);
	return why;
}

#define CHECK(why, flags, bytes, stage, ...) do {					\
	const u32 word[] = { __VA_ARGS__ };						\
	const char *got = check(flags, bytes, stage, word, ARRAY_SIZE(word));		\
											\
	assert_string_equal(got ? got : "", why);					\
} while (0)

#define NOT_THERE "memory lent that is not there"
#define CUT "a list of memory lent that is cut"
#define TOO_MUCH "more memory lent than may be"

static void test_kinds(void **state)
{
	const u32 word[] = {
		7, DUCT_SEG_STAGED | 100, duct_seg_part(96, 4000), 0x3fffffff, DUCT_SEG_STAGED | 1,
	};
	struct duct_segs segs = { .word = word, .words = ARRAY_SIZE(word), .stage = 50 };
	struct duct_seg seg;

	(void)state;
	assert_null(check(DUCT_BULK_WRITE | DUCT_BULK_MAP, 8197, 50, word, ARRAY_SIZE(word)));
	assert_true(duct_segs_next(&segs, &seg));
	assert_true(seg.len == 4096 && !seg.staged && !seg.offset && seg.ref == 7);
	assert_true(duct_segs_next(&segs, &seg));
	assert_true(seg.len == 100 && seg.staged && seg.offset == 50);
	assert_true(duct_segs_next(&segs, &seg));
	assert_true(seg.len == 4000 && !seg.staged && seg.offset == 96 && seg.ref == 0x3fffffff);
	assert_true(duct_segs_next(&segs, &seg));
	assert_true(seg.len == 1 && seg.staged && seg.offset == 150);
	assert_false(duct_segs_next(&segs, &seg));
	assert_false(duct_segs_next(&segs, &seg));
}

static void test_limits(void **state)
{
	(void)state;
	CHECK("memory lent with unknown flags", 4, 4096, 0, 7);
	CHECK(TOO_MUCH, 0, 0, 0, 7);
	CHECK(TOO_MUCH, 0, (4u << 20) + 1, 0, 7);
	CHECK(CUT, 0, 4097, 0, 7);
	CHECK(NOT_THERE, 0, 4095, 0, 7);
	CHECK("", 0, 4096, 0, DUCT_SEG_STAGED | 4096);
	CHECK(NOT_THERE, 0, 4097, 0, DUCT_SEG_STAGED | 4097);
	CHECK(NOT_THERE, 0, 4096, 1, DUCT_SEG_STAGED | 4096);
	CHECK("", 0, 1, 4095, DUCT_SEG_STAGED | 1);
	CHECK(NOT_THERE, 0, 1, 4096, DUCT_SEG_STAGED | 1);
	CHECK(NOT_THERE, 0, 1, 0xffffffff, DUCT_SEG_STAGED | 1);
	CHECK(NOT_THERE, 0, 4096, 0, DUCT_SEG_STAGED | 4095, DUCT_SEG_STAGED | 2);
	CHECK(NOT_THERE, 0, 1, 0, DUCT_SEG_STAGED, DUCT_SEG_STAGED | 1);
	CHECK("", 0, 4096, 0, duct_seg_part(0, 4096), 9);
	CHECK("", 0, 1, 0, duct_seg_part(4095, 1), 9);
	CHECK(NOT_THERE, 0, 2, 0, duct_seg_part(4095, 2), 9);
	CHECK(NOT_THERE, 0, 1, 0, duct_seg_part(0, 0), 9);
	CHECK(NOT_THERE, 0, 4097, 0, duct_seg_part(0, 4097), 9);
	CHECK(NOT_THERE, 0, 1, 0, DUCT_SEG_PART | DUCT_SEG_REST, 9);
	CHECK(CUT, 0, 4096, 0, 7, duct_seg_part(0, 1));
	CHECK(CUT, 0, 1, 0, DUCT_SEG_KIND | 1);
	CHECK(CUT, 0, 4096, 0, 7, DUCT_SEG_KIND);
	/* Every byte is there, and a page more. */
	CHECK(NOT_THERE, 0, 4096, 0, 7, 8);
}

static void test_words(void **state)
{
	u32 n = DUCT_BULK_WORDS_MAX + 1, i;
	u32 *word = malloc(n * sizeof(*word));

	(void)state;
	assert_non_null(word);
	for (i = 0; i < n; i++)
		word[i] = i % 2 ? 8 : duct_seg_part(0, 1);
	assert_null(check(0, n / 2, 0, word, n - 1));
	assert_string_equal(check(0, n / 2, 0, word, n), TOO_MUCH);
	assert_string_equal(check(0, 1, 0, word, 0), TOO_MUCH);
	free(word);
}

/* The frame that a list comes in, of exactly @len bytes. */
static const char *take(const struct duct_bulk *head, u32 word, u32 len, u32 max_msg)
{
	struct duct_bulk got;
	const char *why;
	u8 *frame = malloc(len + 1);
	u32 copy;

	assert_non_null(frame);
	memcpy(frame, head, min(len, (u32)sizeof(*head)));
	if (len >= sizeof(*head) + sizeof(word))
		memcpy(frame + sizeof(*head), &word, sizeof(word));
	why = duct_segs_read_head(&got, frame, len, max_msg);
	if (!why) {
		assert_memory_equal(&got, head, sizeof(got));
		if (got.words == 1)
			why = duct_segs_read(&got, &copy, frame, STAGE);
	}
	free(frame);
	return why;
}

static void test_read(void **state)
{
	struct duct_bulk head = { .bytes = 4096, .words = 1 };

	(void)state;
	assert_null(take(&head, 7, 20, 0));
	assert_null(take(&head, 7, 30, 10));
	assert_string_equal(take(&head, 7, 31, 10), CUT);
	assert_string_equal(take(&head, 7, 19, 10), CUT);
	assert_string_equal(take(&head, 7, 15, 10), "memory lent without a list");
	assert_string_equal(take(&head, DUCT_SEG_KIND, 20, 0), CUT);
	/* Times four it is one again. */
	head.words = 0x40000001;
	assert_string_equal(take(&head, 7, 20, 0), TOO_MUCH);
	head.words = DUCT_BULK_WORDS_MAX;
	assert_null(take(&head, 7, 16 + 4 * DUCT_BULK_WORDS_MAX, 0));
	head.words++;
	assert_string_equal(take(&head, 7, 20 + 4 * DUCT_BULK_WORDS_MAX, 0), TOO_MUCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests_name("segs", tests, NULL, NULL);
}
