// SPDX-License-Identifier: GPL-2.0-only
/*
 * A transfer between registered lists. Who is asked reads the list of what is lent, and the
 * request behind it, in a frame that the peer may change between any two reads of a byte: each
 * is read once and none outside, and as many bytes as the shorter list has are where the
 * longer one says. Who asks takes from the answer no more than it has lent.
 */
#include "input.h"
#include "region_msg.h"
#include "segs.h"

#define FRAME_MAX	128u
#define STAGE		256u

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

/* A frame of exactly so many bytes, so that ASan sees a look behind it. */
static void new_frame(u32 len)
{
	static u8 *frames[FRAME_MAX + 1];

	if (!frames[len])
		frames[len] = calloc(1, len + !len);
	frame = frames[len];
	frame_len = len;
	memset(seen, 0, len);
}

/* ---- being asked ---- */

/* A request for a transfer, with @words of list, or, as a call that lends nothing, without. */
static void plausible(bool lends, u32 words, u32 behind)
{
	struct duct_bulk head = { .flags = words & 3, .words = words };
	struct duct_region_xfer ask = { .peer = input_byte(&in) % 80 };
	u32 list = lends ? sizeof(head) + 4 * words : 0, i, word;
	u8 kind = input_byte(&in);

	new_frame(list + behind);
	memset(frame, 0, frame_len);
	memcpy(frame + list, &ask, min(behind, (u32)sizeof(ask)));
	if (!lends)
		return;
	for (i = 0; i < words; i++) {
		bool staged = (kind >> i) & 1;

		word = staged ? DUCT_SEG_STAGED | (7 + i) : 9 + i;
		head.bytes += staged ? 7 + i : 4096;
		memcpy(frame + sizeof(head) + 4 * i, &word, 4);
	}
	memcpy(frame, &head, sizeof(head));
}

/* What the copying does with a list here that has @bytes. */
static void move(const struct duct_bulk *head, const u32 *word, u32 bytes)
{
	struct duct_segs segs = { .word = word, .words = head->words, .stage = head->stage };
	u32 left = min(bytes, head->bytes);
	struct duct_seg seg;

	while (left && duct_segs_next(&segs, &seg)) {
		u32 n = min(seg.len, left);

		must(n && (u64)seg.offset + n <= (seg.staged ? STAGE : 4096));
		left -= n;
	}
	must(!left);
}

static void be_asked(u32 how)
{
	struct duct_region_xfer ask = { 0 };
	u32 behind = how & 8 ? sizeof(ask) : input_byte(&in) % 16, list = 0, i;
	u32 word[DUCT_BULK_WORDS_MAX];
	struct duct_bulk head = { 0 };
	bool lends = !(how & 64);

	plausible(lends, how % 8, behind);
	if (how & 16)
		for (i = 0; i < frame_len && in.left; i++)
			frame[i] = input_byte(&in);
	if (lends) {
		if (duct_segs_read_head(&head, frame, frame_len, sizeof(union duct_region_msg)) ||
		    duct_segs_read(&head, word, frame, STAGE))
			return;
		list = sizeof(head) + 4 * head.words;
	}
	behind = frame_len - list;
	if (behind == sizeof(ask))
		duct_peer_copy_in(&ask, frame + list, sizeof(ask));
	if (duct_region_msg_check_xfer(&ask, behind, head.bytes))
		return;
	/* The owner looks for the peer by its id, and answers, whatever it was asked. */
	must(behind == 8 && ask.peer < 64 && !ask.reserved);
	must(head.bytes && head.bytes <= 4u << 20);
	move(&head, word, input_byte(&in) * 4096 + input_byte(&in));
}

/* ---- asking ---- */

static void ask(u32 how)
{
	struct duct_region_moved moved = { .status = 0x55555555, .bytes = 0x55555555 };
	u32 len = how & 8 ? sizeof(moved) : input_byte(&in) % 16;
	u32 lent = 1 + input_word(&in) % (how & 16 ? 4u << 20 : 8192), i;
	int ret;

	new_frame(len);
	for (i = 0; i < len; i++)
		frame[i] = input_byte(&in);
	/* A status that is one, and more or less of what was lent. */
	if (len == sizeof(moved) && how & 32) {
		u32 word = input_byte(&in) % 8;

		memcpy(frame, &word, 4);
		word = lent + input_byte(&in) - 128;
		memcpy(frame + 4, &word, 4);
	}
	if (len == sizeof(moved))
		duct_peer_copy_in(&moved, frame, len);
	ret = duct_region_msg_moved(&moved, len, lent);
	if (ret >= 0)
		must(len == 8 && !moved.status && (u32)ret == moved.bytes && moved.bytes <= lent);
	must(len == 8 || ret == -EPROTO);
	must(ret >= 0 || ret == -ENOENT || ret == -ENOBUFS || ret == -ENOMEM || ret == -EIO ||
	     ret == -EPROTO);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 how;

	in.at = data;
	in.left = size;
	how = input_byte(&in);
	if (how & 128)
		ask(how);
	else
		be_asked(how);
	return 0;
}
