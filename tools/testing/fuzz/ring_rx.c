// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader against a hostile writer, which owns the shared words and the
 * bytes and changes both between any two reads.
 */
#include "input.h"
#include "ring.h"

static struct input in;
static struct duct_shared_ring *shared;
static u8 *data;
static u32 size;
static struct duct_rx rx;

/* A header where the reader will look, plausible or not. */
static void write_header(u32 pos)
{
	struct duct_frame frame = { .type = input_byte(&in) % 8 };
	u8 how = input_byte(&in);

	switch (how % 8) {
	case 0:
		frame.len = input_word(&in);
		break;
	case 1:		/* to the end of the ring, or not quite */
		frame.len = size - pos - 16 + input_byte(&in) % 4 - 1;
		break;
	case 2:		/* to the end of what is there, or not quite */
		frame.len = rx.prod - rx.cons - 16 + input_byte(&in) % 4 - 1;
		break;
	case 3:
		frame.len = 0u - input_byte(&in);
		break;
	default:
		frame.len = input_byte(&in);
	}
	if (how & 0x10)
		frame.slot = input_byte(&in);
	if (how & 0x20)
		frame.generation = input_byte(&in);
	if (how & 0x40)
		frame.status = input_byte(&in);
	if (how & 0x80)
		frame.reserved = input_byte(&in);
	memcpy(data + pos, &frame, sizeof(frame));
}

static void flip(void)
{
	switch (input_byte(&in) % 8) {
	case 0:		/* more data, as it should be */
	case 1:
		__atomic_store_n(&shared->prod, rx.prod + input_byte(&in) % 64 * 16,
				 __ATOMIC_RELEASE);
		break;
	case 2:
		__atomic_store_n(&shared->prod, rx.returned + size + input_byte(&in) % 4 * 16 - 32,
				 __ATOMIC_RELEASE);
		break;
	case 3:
		__atomic_store_n(&shared->prod, input_word(&in), __ATOMIC_RELEASE);
		break;
	case 4:
		write_header(rx.cons & (size - 1));
		break;
	case 5:
		write_header(input_byte(&in) * 16 & (size - 1));
		break;
	case 6:
		data[input_word(&in) & (size - 1)] = input_byte(&in);
		break;
	default:	/* the words that the reader owns as well */
		((u8 *)shared)[input_byte(&in) % sizeof(*shared)] = input_byte(&in);
	}
}

void shim_peer_acts(const void *p, size_t len)
{
	const u8 *at = p;

	must((at >= data && at + len <= data + size) ||
	     (at >= (u8 *)shared && at + len <= (u8 *)(shared + 1)));
	if (in.left && input_byte(&in) % 4 == 0)
		flip();
}

/* What holds whatever the peer does. */
static void check(void)
{
	must((rx.cons | rx.prod | rx.returned) % DUCT_ALIGN == 0);
	must(rx.prod - rx.cons <= size);
	must(rx.prod - rx.returned <= size);
	must(rx.cons - rx.returned <= rx.prod - rx.returned);
}

static void check_frame(const struct duct_frame *frame)
{
	u32 pos = rx.cons & (size - 1);
	bool call = frame->type == DUCT_FRAME_CALL || frame->type == DUCT_FRAME_ANSWER ||
		    frame->type == DUCT_FRAME_BULK;

	must(frame->type >= DUCT_FRAME_MSG && frame->type <= DUCT_FRAME_BULK);
	must(frame->len <= size - 16 && frame->len + 16 <= size - pos);
	must(duct_frame_bytes(frame->len) <= rx.prod - rx.cons);
	must(!frame->reserved);
	must(call || (!frame->slot && !frame->generation));
	must(frame->type == DUCT_FRAME_ANSWER || !frame->status);
	must(frame->type != DUCT_FRAME_STREAM || frame->len);
}

static int use(struct duct_frame *frame, u8 op, u8 *copy)
{
	u32 old = rx.cons;
	int err;

	switch (op % 8) {
	case 0:
		duct_rx_return(&rx);
		must(!duct_rx_owed(&rx));
		return 0;
	case 1:
		err = duct_rx_arm(&rx);
		must(err == -EPROTO || err == (rx.prod != rx.cons));
		return min(err, 0);
	case 2:
		flip();
		return 0;
	default:
		err = duct_rx_peek(&rx, frame);
		must(err == 0 || err == -EAGAIN || err == -EPROTO);
		/* At most one pad is skipped, and only that. */
		must(rx.cons == old || !(rx.cons & (size - 1)));
		if (err)
			return err == -EPROTO ? err : 0;
		check_frame(frame);
		if (op & 0x40)
			return 0;
		duct_peer_copy_in(copy, duct_rx_payload(&rx), frame->len);
		duct_rx_take(&rx, frame);
		return 0;
	}
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len)
{
	static const u32 sizes[] = { 64, 128, 256, 1024 };
	static u8 *datas[ARRAY_SIZE(sizes)];
	static u8 copy[1024];
	struct duct_frame frame;
	u32 i, which, start;

	in.at = bytes;
	in.left = len;
	if (!shared) {
		shared = malloc(sizeof(*shared));
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			datas[i] = malloc(sizes[i]);
	}
	which = input_byte(&in) % ARRAY_SIZE(sizes);
	size = sizes[which];
	data = datas[which];
	start = (input_byte(&in) - 128u) * DUCT_ALIGN;
	memset(shared, 0, sizeof(*shared));
	memset(data, 0, size);
	shared->prod = start;
	shared->cons = start;
	/* Some frames to begin with: empty messages. */
	for (i = 0; i < size; i += 16)
		data[i + 4] = DUCT_FRAME_MSG;
	duct_rx_init(&rx, shared, data, size, start);
	while (in.left) {
		int err = use(&frame, input_byte(&in), copy);

		check();
		if (err)
			break;
	}
	return 0;
}
