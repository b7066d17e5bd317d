// SPDX-License-Identifier: GPL-2.0
/* See segs.h. */
#include "segs.h"

/**
 * duct_segs_next() - the next segment of a list
 * @segs: the place; moves on
 * @seg: the result, in range only for a list that duct_segs_check() liked
 *
 * Return: false at the end, and where a word is missing
 */
bool duct_segs_next(struct duct_segs *segs, struct duct_seg *seg)
{
	u32 word;

	if (segs->at >= segs->words)
		return false;
	word = segs->word[segs->at++];
	seg->staged = false;
	switch (word & DUCT_SEG_KIND) {
	case DUCT_SEG_PAGE:
		seg->len = DUCT_PAGE_SIZE;
		seg->offset = 0;
		seg->ref = word;
		return true;
	case DUCT_SEG_PART:
		if (segs->at >= segs->words)
			break;
		seg->len = word & DUCT_SEG_PART_LEN;
		seg->offset = (word & DUCT_SEG_REST) >> DUCT_SEG_PART_SHIFT;
		seg->ref = segs->word[segs->at++];
		return true;
	case DUCT_SEG_STAGED:
		seg->len = word & DUCT_SEG_REST;
		seg->staged = true;
		seg->offset = segs->stage;
		seg->ref = 0;
		segs->stage += seg->len;
		return true;
	}
	segs->at--;	/* what is no segment is left over */
	return false;
}

static bool duct_seg_valid(const struct duct_seg *seg, u32 stage_bytes)
{
	u32 room = seg->staged ? stage_bytes : DUCT_PAGE_SIZE;

	return seg->len && seg->len <= room && seg->offset <= room - seg->len;
}

/**
 * duct_segs_check() - whether a list is well formed
 * @bulk: its head, a private copy
 * @word: @bulk->words words, a private copy
 * @stage_bytes: of the sender's half of the staging
 *
 * Return: NULL, or how it breaks the protocol
 */
const char *duct_segs_check(const struct duct_bulk *bulk, const u32 *word, u32 stage_bytes)
{
	struct duct_segs segs = { .word = word, .words = bulk->words, .stage = bulk->stage };
	struct duct_seg seg;
	u32 left = bulk->bytes;

	if (bulk->flags & ~(DUCT_BULK_WRITE | DUCT_BULK_MAP))
		return "memory lent with unknown flags";
	if (!bulk->bytes || bulk->bytes > DUCT_BULK_BYTES_MAX || !bulk->words ||
	    bulk->words > DUCT_BULK_WORDS_MAX)
		return "more memory lent than may be";
	while (duct_segs_next(&segs, &seg)) {
		if (!duct_seg_valid(&seg, stage_bytes) || seg.len > left)
			return "memory lent that is not there";
		left -= seg.len;
	}
	return left || segs.at != segs.words ? "a list of memory lent that is cut" : NULL;
}

/**
 * duct_segs_read_head() - read the head of a list
 * @head: the private copy
 * @from: the frame's payload
 * @len: of that
 * @max_msg: the longest request that may follow the list
 *
 * Return: NULL: so many words of list are there; or how it breaks the protocol
 */
const char *duct_segs_read_head(struct duct_bulk *head, const u8 __peer *from, u32 len,
				u32 max_msg)
{
	u32 list;

	if (len < sizeof(*head))
		return "memory lent without a list";
	duct_peer_copy_in(head, from, sizeof(*head));
	if (head->words > DUCT_BULK_WORDS_MAX)
		return "more memory lent than may be";
	list = sizeof(*head) + head->words * sizeof(u32);
	if (len < list || len - list > max_msg)
		return "a list of memory lent that is cut";
	return NULL;
}

/**
 * duct_segs_read() - read a list, and look at it
 * @head: of duct_segs_read_head()
 * @word: room for @head->words, the private copy
 * @from: the frame's payload
 * @stage_bytes: of the sender's half of the staging
 *
 * Return: NULL, or how it breaks the protocol
 */
const char *duct_segs_read(const struct duct_bulk *head, u32 *word, const u8 __peer *from,
			   u32 stage_bytes)
{
	duct_peer_copy_in(word, from + sizeof(*head), head->words * sizeof(*word));
	return duct_segs_check(head, word, stage_bytes);
}
