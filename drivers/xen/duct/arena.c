// SPDX-License-Identifier: GPL-2.0
/* The arena's allocator: see arena.h. */
#include "arena.h"

/* Bits from @first on that are in its word, @n of them at most. Return: how many */
static u32 duct_arena_span(u32 first, u32 n, u64 *mask)
{
	u32 at = first % 64;

	n = min(n, 64 - at);
	*mask = ~0ULL >> (64 - n) << at;
	return n;
}

static void duct_arena_flip(struct duct_arena *arena, u32 first, u32 n)
{
	u32 done;
	u64 mask;

	for (; n; first += done, n -= done) {
		done = duct_arena_span(first, n, &mask);
		arena->map[first / 64] ^= mask;
	}
}

static bool duct_arena_in_use(const struct duct_arena *arena, u32 first, u32 n)
{
	u32 done;
	u64 mask;

	for (; n; first += done, n -= done) {
		done = duct_arena_span(first, n, &mask);
		if ((arena->map[first / 64] & mask) != mask)
			return false;
	}
	return true;
}

static u32 duct_granules(u32 bytes)
{
	return bytes / DUCT_GRANULE + !!(bytes % DUCT_GRANULE);
}

/**
 * duct_arena_init() - nothing is in use
 * @arena: the allocator
 * @map: duct_arena_map_bytes(@bytes) bytes, the arena's until it is gone
 * @bytes: of the chunk, a multiple of DUCT_GRANULE
 */
void duct_arena_init(struct duct_arena *arena, u64 *map, u32 bytes)
{
	arena->granules = bytes / DUCT_GRANULE;
	arena->used = 0;
	arena->map = map;
	memset(map, 0, duct_arena_map_bytes(bytes));
}

/**
 * duct_arena_alloc() - take the first run that is long enough
 * @arena: the allocator
 * @bytes: at least 1
 * @offset: the result, a multiple of DUCT_GRANULE
 *
 * Return: 0 or -ENOSPC
 */
int duct_arena_alloc(struct duct_arena *arena, u32 bytes, u32 *offset)
{
	u32 need = duct_granules(bytes);
	u32 run = 0, i, n;

	if (!need || need > arena->granules - arena->used)
		return -ENOSPC;
	for (i = 0; run < need && i < arena->granules; i += n) {
		u64 word = arena->map[i / 64] >> (i % 64);
		bool used = word & 1;

		/* As many as are of a kind, up to the end of the word. */
		if (used)
			word = ~word;
		n = word ? __ffs64(word) : 64 - i % 64;
		run = used ? 0 : run + n;
	}
	/* The last word may end behind the last granule. */
	if (run < need || i - run + need > arena->granules)
		return -ENOSPC;
	duct_arena_flip(arena, i - run, need);
	arena->used += need;
	*offset = (i - run) * DUCT_GRANULE;
	return 0;
}

/**
 * duct_arena_free() - give back what duct_arena_alloc() gave
 * @arena: the allocator
 * @offset: from duct_arena_alloc()
 * @bytes: the same as there
 *
 * Return: 0, or -EINVAL if some of it is not in use: then nothing changed
 */
int duct_arena_free(struct duct_arena *arena, u32 offset, u32 bytes)
{
	u32 first = offset / DUCT_GRANULE, need = duct_granules(bytes);

	if (offset % DUCT_GRANULE || first > arena->granules || need > arena->granules - first)
		return -EINVAL;
	if (!duct_arena_in_use(arena, first, need))
		return -EINVAL;
	duct_arena_flip(arena, first, need);
	arena->used -= need;
	return 0;
}
