/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which bytes of a chunk are in use: first fit over a bitmap of granules. Pure
 * C. Only the frontend allocates; its map is private, so a peer cannot touch it.
 */
#ifndef _DUCT_ARENA_H
#define _DUCT_ARENA_H

#include "port.h"

#define DUCT_GRANULE 128u	/* bytes: two cache lines, the size of a ring's indexes */

/**
 * struct duct_arena - the allocator of one chunk
 * @granules: how many the chunk has
 * @used: how many are in use
 * @map: one bit each, duct_arena_map_bytes() long, the caller's
 */
struct duct_arena {
	u32 granules;
	u32 used;
	u64 *map;
};

static inline u32 duct_arena_map_bytes(u32 bytes)
{
	return ALIGN(bytes / DUCT_GRANULE, 64u) / 8;
}

void duct_arena_init(struct duct_arena *arena, u64 *map, u32 bytes);
int duct_arena_alloc(struct duct_arena *arena, u32 bytes, u32 *offset);
int duct_arena_free(struct duct_arena *arena, u32 offset, u32 bytes);

#endif /* _DUCT_ARENA_H */
