// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arbitrary words as a list of memory lent. What is accepted lies where it says,
 * has as many bytes as it says, and is walked in as many steps as it has words.
 */
#include "input.h"
#include "segs.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { .at = data, .left = size };
	struct duct_bulk head = {
		.flags = input_byte(&in),
		.bytes = input_word(&in),
		.stage = input_word(&in),
	};
	u32 stage_bytes = 128u * input_byte(&in), n = in.left / 4, i;
	u32 *word = malloc(n * sizeof(*word) + 1);
	struct duct_segs segs = { .word = word, .stage = head.stage };
	struct duct_seg seg;
	u64 bytes = 0;

	for (i = 0; i < n; i++)
		word[i] = input_word(&in);
	head.words = n;
	segs.words = n;
	if (!duct_segs_check(&head, word, stage_bytes)) {
		must(head.flags <= 3 && n && n <= DUCT_BULK_WORDS_MAX);
		for (i = 0; duct_segs_next(&segs, &seg); i++) {
			u64 end = (u64)seg.offset + seg.len;

			must(seg.len && end <= (seg.staged ? stage_bytes : 4096));
			must(seg.staged || seg.ref == word[segs.at - 1] || seg.ref < 1u << 30);
			bytes += seg.len;
		}
		must(i <= n && segs.at == n);
		must(bytes == head.bytes && bytes <= DUCT_BULK_BYTES_MAX);
	}
	free(word);
	return 0;
}
