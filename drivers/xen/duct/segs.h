/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The segments of what is lent with a call: a list of words, see io/duct.h. Pure
 * C: the list is read once, into a private copy, and only that is looked at.
 */
#ifndef _DUCT_SEGS_H
#define _DUCT_SEGS_H

#include "peer.h"

#include <xen/interface/io/duct.h>

/**
 * struct duct_seg - one segment
 * @len: bytes, at least 1
 * @staged: in the staging, else in a page
 * @offset: in the sender's half of the staging, or in the page
 * @ref: the page's reference
 */
struct duct_seg {
	u32 len;
	bool staged;
	u32 offset;
	u32 ref;
};

/**
 * struct duct_segs - a place in a list
 * @word: the list
 * @words: of it
 * @at: the next word
 * @stage: the next staged byte
 */
struct duct_segs {
	const u32 *word;
	u32 words;
	u32 at;
	u32 stage;
};

const char *duct_segs_read_head(struct duct_bulk *head, const u8 __peer *from, u32 len,
				u32 max_msg);
const char *duct_segs_read(const struct duct_bulk *head, u32 *word, const u8 __peer *from,
			   u32 stage_bytes);
const char *duct_segs_check(const struct duct_bulk *bulk, const u32 *word, u32 stage_bytes);
bool duct_segs_next(struct duct_segs *segs, struct duct_seg *seg);

/* Nothing but a page: it may be mapped. */
static inline bool duct_seg_whole(const struct duct_seg *seg)
{
	return !seg->staged && seg->len == DUCT_PAGE_SIZE;
}

static inline u32 duct_seg_part(u32 offset, u32 len)
{
	return DUCT_SEG_PART | offset << DUCT_SEG_PART_SHIFT | len;
}

#endif /* _DUCT_SEGS_H */
