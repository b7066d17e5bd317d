// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list of memory lent, in a frame that the peer may change between any two reads of a
 * byte. Each byte is read once and none outside; what is accepted lies where it says, has
 * as many bytes as it says, and is walked in as many steps as it has words.
 */
#include "input.h"
#include "segs.h"

#define FRAME_MAX 256u

static struct input in;
static u8 *frame;
static u32 frame_len;
static u8 seen[FRAME_MAX];

/* Before and after each read of a byte. */
void shim_peer_acts(const void *p, size_t len)
{
	const u8 *at = p;

	must(at >= frame && at + len <= frame + frame_len);
	must(++seen[at - frame] <= 2);
	if (in.left && input_byte(&in) % 16 == 0)
		frame[input_byte(&in) % frame_len] = input_byte(&in);
}

static void check_walk(const struct duct_bulk *head, const u32 *word, u32 stage_bytes)
{
	struct duct_segs segs = { .word = word, .words = head->words, .stage = head->stage };
	struct duct_seg seg;
	u64 bytes = 0;
	u32 i;

	must(head->flags <= 3 && head->words && head->words <= DUCT_BULK_WORDS_MAX);
	for (i = 0; duct_segs_next(&segs, &seg); i++) {
		u64 end = (u64)seg.offset + seg.len;

		must(seg.len && end <= (seg.staged ? stage_bytes : 4096));
		must(seg.staged || seg.ref == word[segs.at - 1] || seg.ref < 1u << 30);
		must(duct_seg_whole(&seg) == (!seg.staged && seg.len == 4096));
		bytes += seg.len;
	}
	must(i <= head->words && segs.at == head->words);
	must(bytes == head->bytes && bytes <= DUCT_BULK_BYTES_MAX);
}

/* A list that would be accepted, for the rest of the input to spoil. */
static void plausible(u32 words, u32 stage_bytes)
{
	struct duct_bulk head = { .flags = words & 3, .words = words };
	u32 i, word;

	for (i = 0; i < words; i++) {
		u8 kind = input_byte(&in);

		if (kind % 4 == 0 && stage_bytes) {
			word = DUCT_SEG_STAGED | (1 + kind / 4);
			head.bytes += 1 + kind / 4;
		} else if (kind % 4 == 1 && i + 1 < words) {
			word = duct_seg_part(kind, 1 + kind);
			memcpy(frame + sizeof(head) + i++ * 4, &word, 4);
			head.bytes += 1 + kind;
			word = kind;
		} else if (kind % 4 == 3 && i + 1 == words) {
			/* No segment, or half of one, and no bytes of it. */
			word = kind & 4 ? DUCT_SEG_KIND : duct_seg_part(0, 1);
		} else {
			word = kind;
			head.bytes += 4096;
		}
		memcpy(frame + sizeof(head) + i * 4, &word, 4);
	}
	memcpy(frame, &head, sizeof(head));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 *frames[FRAME_MAX + 1];
	struct duct_bulk head;
	u32 how, max_msg, stage_bytes, i, *word;

	in.at = data;
	in.left = size;
	how = input_byte(&in);
	max_msg = how & 1 ? input_word(&in) : 64;
	stage_bytes = 128u * (input_byte(&in) % 16);
	/* Lists of exactly so many bytes, so that ASan sees a look behind one. */
	frame_len = how & 2 ? input_byte(&in) % FRAME_MAX : 16 + (how >> 2) % 16 * 4;
	if (!frames[frame_len])
		frames[frame_len] = malloc(frame_len);
	frame = frames[frame_len];
	memset(seen, 0, frame_len);
	if (how & 2)
		for (i = 0; i < frame_len; i++)
			frame[i] = input_byte(&in);
	else
		plausible((how >> 2) % 16, stage_bytes);
	if (duct_segs_read_head(&head, frame, frame_len, max_msg))
		return 0;
	must(frame_len >= 16 + 4 * (u64)head.words);
	must(frame_len - 16 - 4 * head.words <= max_msg);
	word = malloc(head.words * sizeof(*word) + 1);
	if (!duct_segs_read(&head, word, frame, stage_bytes))
		check_walk(&head, word, stage_bytes);
	free(word);
	return 0;
}
