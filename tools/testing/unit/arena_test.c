// SPDX-License-Identifier: GPL-2.0-only
/* The arena's allocator against a map of one byte for each granule. */
#include "unit.h"

#include "arena.h"

#define GRANULES 2048u	/* 256 KiB, a common chunk */

struct naive {
	u32 granules;
	u8 used[GRANULES];
};

static int naive_alloc(struct naive *naive, u64 bytes, u32 *offset)
{
	u64 need = (bytes + DUCT_GRANULE - 1) / DUCT_GRANULE;
	u32 i, n;

	for (i = 0; need && i + need <= naive->granules; i++) {
		for (n = 0; n < need && !naive->used[i + n]; n++)
			;
		if (n == need) {
			memset(naive->used + i, 1, need);
			*offset = i * DUCT_GRANULE;
			return 0;
		}
	}
	return -ENOSPC;
}

static int naive_free(struct naive *naive, u32 offset, u64 bytes)
{
	u64 need = (bytes + DUCT_GRANULE - 1) / DUCT_GRANULE;
	u32 i = offset / DUCT_GRANULE, n;

	if (offset % DUCT_GRANULE || i + need > naive->granules)
		return -EINVAL;
	for (n = 0; n < need; n++)
		if (!naive->used[i + n])
			return -EINVAL;
	memset(naive->used + i, 0, need);
	return 0;
}

static void compare(const struct duct_arena *arena, const struct naive *naive)
{
	u32 i, used = 0;

	for (i = 0; i < naive->granules; i++) {
		if ((arena->map[i / 64] >> (i % 64) & 1) != naive->used[i])
			fail_msg("granule %u differs", i);
		used += naive->used[i];
	}
	/* Nothing is ever set behind the end. */
	for (; i < ALIGN(naive->granules, 64u); i++)
		assert_false(arena->map[i / 64] >> (i % 64) & 1);
	assert_int_equal(arena->used, used);
	assert_int_equal(arena->granules, naive->granules);
}

static u64 *make(struct duct_arena *arena, struct naive *naive, u32 granules)
{
	u64 *map = malloc(duct_arena_map_bytes(granules * DUCT_GRANULE));

	assert_non_null(map);
	memset(map, 0xff, duct_arena_map_bytes(granules * DUCT_GRANULE));
	duct_arena_init(arena, map, granules * DUCT_GRANULE);
	memset(naive, 0, sizeof(*naive));
	naive->granules = granules;
	compare(arena, naive);
	return map;
}

static void test_map_bytes(void **state)
{
	u32 granules;

	(void)state;
	for (granules = 0; granules < 1000; granules++)
		assert_int_equal(duct_arena_map_bytes(granules * DUCT_GRANULE),
				 (granules + 63) / 64 * 8);
}

/* Puts @bytes at @offset in use again, in both. */
static void take_back(struct duct_arena *arena, struct naive *naive, u32 offset, u32 bytes)
{
	u32 need = (bytes + DUCT_GRANULE - 1) / DUCT_GRANULE, i;

	for (i = offset / DUCT_GRANULE; need; need--, i++) {
		naive->used[i] = 1;
		arena->map[i / 64] |= 1ull << (i % 64);
		arena->used++;
	}
}

static void random_steps(u32 granules, u64 seed, u32 most, u32 steps)
{
	struct { u32 offset, bytes; } held[GRANULES];
	u32 n = 0, step, offset, expected;
	struct duct_arena arena;
	struct naive naive;
	u64 *map = make(&arena, &naive, granules);

	for (step = 0; step < steps; step++) {
		u32 bytes = unit_random(&seed) % (most * DUCT_GRANULE) + 1;

		/* Filling and emptying take turns. */
		if (unit_random(&seed) % 8 < (step / 2000 % 2 ? 3 : 5)) {
			int err = duct_arena_alloc(&arena, bytes, &offset);

			assert_int_equal(err, naive_alloc(&naive, bytes, &expected));
			if (!err) {
				assert_int_equal(offset, expected);
				held[n].offset = offset;
				held[n++].bytes = bytes;
			}
		} else if (n && unit_random(&seed) % 16) {
			u32 i = unit_random(&seed) % n;

			offset = held[i].offset;
			bytes = held[i].bytes;
			assert_int_equal(duct_arena_free(&arena, offset, bytes), 0);
			assert_int_equal(naive_free(&naive, offset, bytes), 0);
			held[i] = held[--n];
		} else {
			/* Of what is free, off the granule, or over the end. */
			offset = unit_random(&seed) % ((granules + 2) * DUCT_GRANULE);
			if (unit_random(&seed) % 2)
				offset -= offset % DUCT_GRANULE;
			if (naive_free(&naive, offset, bytes) == 0) {
				/* In use after all: put it back. */
				assert_int_equal(duct_arena_free(&arena, offset, bytes), 0);
				take_back(&arena, &naive, offset, bytes);
			} else {
				assert_int_equal(duct_arena_free(&arena, offset, bytes), -EINVAL);
			}
		}
		if (step % 16 == 0)
			compare(&arena, &naive);
	}
	while (n--)
		assert_int_equal(duct_arena_free(&arena, held[n].offset, held[n].bytes), 0);
	assert_int_equal(arena.used, 0);
	free(map);
}

static void test_random(void **state)
{
	(void)state;
	random_steps(GRANULES, 1, 200, 60000);
	random_steps(GRANULES, 2, 8, 20000);
	random_steps(100, 3, 30, 20000);
	random_steps(64, 4, 70, 5000);
	random_steps(1, 5, 3, 1000);
	random_steps(65, 6, 5, 5000);
}

static void test_exhaustion(void **state)
{
	static const u32 sizes[] = { 1, 63, 64, 65, 127, 128, 200, GRANULES };
	struct duct_arena arena;
	struct naive naive;
	u32 s, i, need, offset;

	(void)state;
	for (s = 0; s < ARRAY_SIZE(sizes); s++)
		for (need = 1; need <= sizes[s] + 1; need += need < 70 ? 1 : 61) {
			u64 *map = make(&arena, &naive, sizes[s]);

			for (i = 0; i < sizes[s] / need; i++) {
				assert_int_equal(duct_arena_alloc(&arena, need * DUCT_GRANULE,
								  &offset), 0);
				assert_int_equal(offset, i * need * DUCT_GRANULE);
			}
			offset = 12345;
			assert_int_equal(duct_arena_alloc(&arena, need * DUCT_GRANULE, &offset),
					 -ENOSPC);
			assert_int_equal(offset, 12345);
			assert_int_equal(arena.used, sizes[s] / need * need);
			for (i = 0; i < sizes[s] / need; i++)
				assert_int_equal(duct_arena_free(&arena, i * need * DUCT_GRANULE,
								 need * DUCT_GRANULE), 0);
			compare(&arena, &naive);
			free(map);
		}
}

/* Half is free, but in holes: what fits in none of them is refused. */
static void test_fragmentation(void **state)
{
	struct duct_arena arena;
	struct naive naive;
	u64 *map = make(&arena, &naive, GRANULES);
	u32 hole, i, offset;

	(void)state;
	for (hole = 1; hole <= 128; hole *= 2) {
		for (i = 0; i < GRANULES / hole; i++)
			assert_int_equal(duct_arena_alloc(&arena, hole * DUCT_GRANULE, &offset), 0);
		for (i = 0; i < GRANULES / hole; i += 2)
			assert_int_equal(duct_arena_free(&arena, i * hole * DUCT_GRANULE,
							 hole * DUCT_GRANULE), 0);
		assert_int_equal(arena.used, GRANULES / 2);
		assert_int_equal(duct_arena_alloc(&arena, hole * DUCT_GRANULE + 1, &offset),
				 -ENOSPC);
		assert_int_equal(duct_arena_alloc(&arena, hole * DUCT_GRANULE, &offset), 0);
		assert_int_equal(offset, 0);
		duct_arena_init(&arena, map, GRANULES * DUCT_GRANULE);
	}
	free(map);
}

static void test_bytes(void **state)
{
	static const u32 huge[] = {
		64 * DUCT_GRANULE + 1, 0x7fffffff, 0x80000000, 0xffffff80, 0xffffff81, 0xffffffff,
	};
	struct duct_arena arena;
	struct naive naive;
	u64 *map = make(&arena, &naive, 64);
	u32 bytes, offset, i;

	(void)state;
	assert_int_equal(duct_arena_alloc(&arena, 0, &offset), -ENOSPC);
	for (i = 0; i < ARRAY_SIZE(huge); i++)
		assert_int_equal(duct_arena_alloc(&arena, huge[i], &offset), -ENOSPC);
	for (bytes = 1; bytes <= 64 * DUCT_GRANULE; bytes++) {
		assert_int_equal(duct_arena_alloc(&arena, bytes, &offset), 0);
		assert_int_equal(arena.used, (bytes + DUCT_GRANULE - 1) / DUCT_GRANULE);
		assert_int_equal(duct_arena_free(&arena, offset, bytes), 0);
	}
	compare(&arena, &naive);
	free(map);
}

static void test_bad_free(void **state)
{
	static const struct { u32 offset, bytes; } bad[] = {
		{ 1, 128 },			/* off the granule */
		{ 64, 128 },
		{ 0, 128 },			/* free already */
		{ 0, 256 },			/* the first half is free */
		{ 10 * 128, 6 * 128 },		/* the second half is free */
		{ 14 * 128, 1 },
		{ 64 * 128, 1 },		/* over the end */
		{ 65 * 128, 1 },
		{ 63 * 128, 129 },
		{ 0xffffff80, 128 },
		{ 0xffffff80, 0xffffffff },
		{ 0, 0xffffffff },
		{ 128, 0xffffff80 },
		{ 0xffffffff, 0xffffffff },
	};
	struct duct_arena arena;
	struct naive naive;
	u64 *map = make(&arena, &naive, 64);
	u32 offset, i;

	(void)state;
	/* In use: 1 to 13 and 63. */
	assert_int_equal(duct_arena_alloc(&arena, 64 * 128, &offset), 0);
	assert_int_equal(duct_arena_free(&arena, 0, 128), 0);
	assert_int_equal(duct_arena_free(&arena, 14 * 128, 49 * 128), 0);
	memset(naive.used + 1, 1, 13);
	naive.used[63] = 1;
	compare(&arena, &naive);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(duct_arena_free(&arena, bad[i].offset, bad[i].bytes), -EINVAL);
		compare(&arena, &naive);
	}
	/* Of nothing, anywhere inside: nothing changes. */
	assert_int_equal(duct_arena_free(&arena, 128, 0), 0);
	compare(&arena, &naive);
	assert_int_equal(duct_arena_free(&arena, 63 * 128, 128), 0);
	assert_int_equal(duct_arena_free(&arena, 128, 13 * 128), 0);
	assert_int_equal(duct_arena_free(&arena, 128, 13 * 128), -EINVAL);
	assert_int_equal(arena.used, 0);
	free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_bytes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_exhaustion),
		cmocka_unit_test(test_fragmentation),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_bad_free),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
