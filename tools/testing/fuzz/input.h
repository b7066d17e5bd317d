/* SPDX-License-Identifier: GPL-2.0-only */
/* The bytes of one execution, taken from the front; zeros when they are over. */
#ifndef _INPUT_H
#define _INPUT_H

#include "port.h"

#include <stdlib.h>

struct input {
	const u8 *at;
	size_t left;
};

static inline u8 input_byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static inline u32 input_word(struct input *in)
{
	u32 low = input_byte(in), high = input_byte(in);

	low |= high << 8;
	high = input_byte(in);
	return low | high << 16 | (u32)input_byte(in) << 24;
}

/* What the fuzzers call wrong, apart from what the sanitizers see. */
#define must(condition)							\
	do {								\
		if (!(condition))					\
			abort();					\
	} while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif /* _INPUT_H */
