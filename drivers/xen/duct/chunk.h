/* SPDX-License-Identifier: GPL-2.0 */
/* Chunks of the arena: see chunk.c. */
#ifndef _DUCT_CHUNK_H
#define _DUCT_CHUNK_H

#include "core.h"

/**
 * struct duct_chunk - pages of the arena
 * @id: on the wire
 * @pages: how many
 * @filled: backend: refs that came so far
 * @usable: the backend has mapped it
 * @taken: frontend: something was placed in it: the rest is for anybody
 * @base: the memory
 * @page: frontend: the pages
 * @share: frontend: of those
 * @refs: backend: what came
 * @mapping: backend: from the wire
 * @arena: frontend: what is in use
 * @sent: frontend: refs that were sent so far
 */
struct duct_chunk {
	u32 id;
	u32 pages;
	u32 filled;
	bool usable;
	bool taken;
	u8 __peer *base;
	struct page **page;
	struct duct_share *share;
	u32 *refs;
	struct duct_mapping *mapping;
	struct duct_arena arena;
	u32 sent;
};

int duct_chunk_alloc(struct duct_link *link, u32 bytes, struct duct_chunk **chunk, u32 *offset);
void duct_chunk_free(struct duct_chunk *chunk, u32 offset, u32 bytes);
int duct_pages_charge(struct duct_link *link, u32 pages);
void duct_pages_uncharge(struct duct_link *link, u32 pages);
int duct_chunk_receive(struct duct_link *link, const struct duct_ctl_chunk *msg);
int duct_chunk_done(struct duct_link *link, const struct duct_ctl_done *msg);
bool duct_chunk_find(struct duct_link *link, u32 bytes, struct duct_chunk **chunk, u32 *offset);
u8 __peer *duct_chunk_at(struct duct_link *link, u32 id, u32 offset, u32 bytes);
void duct_chunk_release_all(struct duct_link *link);
int duct_done_out(struct duct_link *link, u32 type, u32 id, u32 status);
void duct_chunk_init(struct duct_link *link);
void duct_chunk_first(struct duct_link *link);

#endif /* _DUCT_CHUNK_H */
