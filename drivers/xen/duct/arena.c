// SPDX-License-Identifier: GPL-2.0
/* The arena's allocator: see arena.h. */
#include "arena.h"

static bool duct_arena_test(const struct duct_arena *arena, u32 i)
{
	return arena->map[i / 64] >> (i % 64) & 1;
}

static void duct_arena_flip(struct duct_arena *arena, u32 first, u32 n)
{
	u32 i;

	for (i = first; i < first + n; i++)
		arena->map[i / 64] ^= 1ULL << (i % 64);
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
	u32 run = 0, i;

	if (!need || need > arena->granules - arena->used)
		return -ENOSPC;
	for (i = 0; i < arena->granules; i++) {
		if (i % 64 == 0 && arena->map[i / 64] == ~0ULL) {
			run = 0;
			i += 63;
			continue;
		}
		run = duct_arena_test(arena, i) ? 0 : run + 1;
		if (run == need) {
			duct_arena_flip(arena, i + 1 - need, need);
			arena->used += need;
			*offset = (i + 1 - need) * DUCT_GRANULE;
			return 0;
		}
	}
	return -ENOSPC;
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
	u32 first = offset / DUCT_GRANULE, need = duct_granules(bytes), i;

	if (offset % DUCT_GRANULE || first > arena->granules || need > arena->granules - first)
		return -EINVAL;
	for (i = first; i < first + need; i++)
		if (!duct_arena_test(arena, i))
			return -EINVAL;
	duct_arena_flip(arena, first, need);
	arena->used -= need;
	return 0;
}
