// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writer against a hostile reader, which owns the shared words and the
 * bytes and changes both between any two reads.
 */
#include "input.h"
#include "ring.h"

static struct input in;
static struct duct_shared_ring *shared;
static u8 *data;
static u8 kept[1024];	/* what is resumable stays there */
static u32 size;
static struct duct_tx tx;

static void flip(void)
{
	switch (input_byte(&in) % 8) {
	case 0:		/* takes something, as it should */
	case 1:
		__atomic_store_n(&shared->cons, tx.cons + input_byte(&in) % 16 * 16,
				 __ATOMIC_RELEASE);
		break;
	case 2:
		__atomic_store_n(&shared->cons, tx.published, __ATOMIC_RELEASE);
		break;
	case 3:
		__atomic_store_n(&shared->cons, tx.prod, __ATOMIC_RELEASE);
		break;
	case 4:
		__atomic_store_n(&shared->cons, input_word(&in), __ATOMIC_RELEASE);
		break;
	case 5:
		shared->want_data = tx.prod + input_byte(&in) - 128;
		break;
	case 6:
		data[input_word(&in) & (size - 1)] = input_byte(&in);
		break;
	default:	/* the words that the writer owns as well */
		((u8 *)shared)[input_byte(&in) % sizeof(*shared)] = input_byte(&in);
	}
}

/* The writer reads two words, and never what it or the peer wrote as bytes. */
void shim_peer_acts(const void *p, size_t len)
{
	must(len == sizeof(u32));
	must(p == &shared->cons || p == &shared->want_data);
	if (in.left && input_byte(&in) % 4 == 0)
		flip();
}

static void check(void)
{
	must((tx.cons | tx.prod | tx.published) % DUCT_ALIGN == 0);
	must(tx.prod - tx.cons <= size);
	must(tx.published - tx.cons <= tx.prod - tx.cons);
}

static int send(u32 len, u32 keep, bool commit)
{
	struct duct_frame frame = { .len = len, .type = DUCT_FRAME_MSG };
	u32 at = 0, pos, need = duct_frame_bytes(len);
	struct duct_tx before = tx;
	int err = duct_tx_reserve(&tx, len, keep, &at);

	must(err == 0 || err == -EAGAIN || err == -EPROTO);
	must(tx.prod == before.prod && tx.published == before.published);
	if (err)
		return err == -EPROTO ? err : 0;
	pos = at & (size - 1);
	must(pos + need <= size);
	must(at == tx.prod || (!pos && at - tx.prod < size));
	/* Nothing is overwritten that the reader has not taken. */
	must(at + need - tx.cons + keep <= size);
	memset(duct_tx_payload(&tx, at), 0x55, len);
	if (!commit)
		return 0;
	duct_tx_commit(&tx, at, &frame);
	must(tx.prod == at + need);
	/* But for the peer, which may have written there meanwhile: not between these two. */
	if (tx.keep)
		must(!memcmp(kept + pos, data + pos, sizeof(frame) + len));
	return 0;
}

static int use(u8 op)
{
	u32 room, len;
	int err;

	switch (op % 8) {
	case 0:
		flip();
		return 0;
	case 1:
		duct_tx_publish(&tx);
		must(tx.published == tx.prod);
		return 0;
	case 2:
		err = duct_tx_room(&tx, &room);
		must(err == 0 || err == -EPROTO);
		must(room == size - (tx.prod - tx.cons) && room <= size);
		return err;
	case 3:
		room = input_word(&in) % (size + 1);
		duct_tx_publish(&tx);
		err = duct_tx_arm(&tx, room);
		must(err == -EPROTO || err == (size - (tx.prod - tx.cons) >= room));
		return min(err, 0);
	case 4:
		return send(input_word(&in) % (DUCT_MSG_MAX + 1), 0, true);
	case 5:
		len = input_byte(&in);
		return send(len, input_word(&in) % (size + 1), op & 0x40);
	default:
		return send(input_byte(&in) % (size / 2), 0, true);
	}
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t len)
{
	static const u32 sizes[] = { 64, 128, 256, 1024 };
	static u8 *datas[ARRAY_SIZE(sizes)];
	u32 i, which, start;

	in.at = bytes;
	in.left = len;
	if (!shared) {
		shared = malloc(sizeof(*shared));
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			datas[i] = malloc(sizes[i]);
	}
	which = input_byte(&in) % 8;
	size = sizes[which % 4];
	data = datas[which % 4];
	start = (input_byte(&in) - 128u) * DUCT_ALIGN;
	memset(shared, 0, sizeof(*shared));
	shared->prod = start;
	shared->cons = start;
	duct_tx_init(&tx, shared, data, size, start);
	if (which >= 4)
		tx.keep = kept;
	while (in.left) {
		int err = use(input_byte(&in));

		check();
		if (err)
			break;
	}
	return 0;
}
