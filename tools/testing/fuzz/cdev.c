// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes to the files of duct_cdev: messages of a stream or not, answers, events. A
 * small model of a file: no byte goes behind the program's memory, none is lost unless the
 * program said so, and what is held for it has a bound.
 */
#include "input.h"
#include "control.h"
#include "services/cdev_frame.h"

#define RING 1024u
#define HEAD 40u	/* of a message that is held: more than it has */

struct file {
	bool stream;
	u32 held;	/* bytes that messages take here */
	u32 first;	/* bytes of the first message, 0: none */
	u64 events;
};

static void comes(struct file *f, struct input *in)
{
	u32 len = input_word(in) % (RING + 1);

	if (dfile_frame_held_full(f->held, RING))
		return;
	f->held += HEAD + len;
	must(f->held <= 4 * RING + 3 + HEAD + RING);
	if (!f->first)
		f->first = len;
}

static void reads(struct file *f, struct input *in)
{
	size_t room = input_byte(in) & 1 ? input_word(in) : input_byte(in);
	bool cut = input_byte(in) & 1;
	u32 n;

	if (!f->first)
		return;
	if (!dfile_frame_fits(f->stream, f->first, room, cut)) {
		must(!f->stream && !cut && f->first > room);
		return;
	}
	n = min((size_t)f->first, room);
	must(n == f->first || f->stream || cut);
	f->first = f->stream ? f->first - n : 0;
	if (!f->first)
		f->held = 0;
}

static void triggers(struct file *f, struct input *in)
{
	struct duct_trigger msg = { .count = input_word(in), .reserved = input_byte(in) };
	u64 before = f->events;

	if (input_byte(in) & 1)
		msg.reserved = 0;
	if (duct_trigger_valid(&msg)) {
		must(msg.count && !msg.reserved);
		f->events += msg.count;
		must(f->events > before);
	} else {
		must(!msg.count || msg.reserved);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct file f = { .stream = input_byte(&in) & 1 };

	while (in.left) {
		switch (input_byte(&in) % 3) {
		case 0:
			comes(&f, &in);
			break;
		case 1:
			reads(&f, &in);
			break;
		default:
			triggers(&f, &in);
		}
	}
	return 0;
}
