// SPDX-License-Identifier: GPL-2.0
/*
 * The ring: see ring.h. What makes it right is written down here and in
 * Documentation/protocol.rst, and tried in tools/testing/unit.
 */
#include "ring.h"

/**
 * duct_tx_init() - start the writer's half
 * @tx: the half
 * @shared: the indexes, already zero but for prod and cons = @start
 * @data: the bytes
 * @size: of @data, a power of two
 * @start: the index that both halves begin with
 */
void duct_tx_init(struct duct_tx *tx, struct duct_shared_ring __peer *shared,
		  u8 __peer *data, u32 size, u32 start)
{
	tx->shared = shared;
	tx->data = data;
	tx->size = size;
	tx->prod = start;
	tx->published = start;
	tx->cons = start;
	tx->keep = NULL;
}

/* Looks at the peer's index; -EPROTO if it is not between the last and ours. */
static int duct_tx_refresh(struct duct_tx *tx)
{
	/* Pairs with the release in duct_rx_return(): its reads are done. */
	u32 cons = duct_peer_acquire32(&tx->shared->cons);

	if (unlikely(cons - tx->cons > tx->published - tx->cons ||
		     !IS_ALIGNED(cons, DUCT_ALIGN)))
		return -EPROTO;
	tx->cons = cons;
	return 0;
}

/**
 * duct_tx_reserve() - find the place for a frame
 * @tx: the half
 * @len: bytes of payload, at most DUCT_MSG_MAX
 * @keep: bytes of the ring that must stay free after it
 * @at: where the frame goes, for duct_tx_payload() and duct_tx_commit()
 *
 * Changes nothing that the peer sees: not committing is how to abort.
 *
 * Return: 0, -EAGAIN when there is no room now, -EPROTO
 */
int duct_tx_reserve(struct duct_tx *tx, u32 len, u32 keep, u32 *at)
{
	u32 need = duct_frame_bytes(len);
	u32 rest = tx->size - (tx->prod & (tx->size - 1));
	u32 pad = need > rest ? rest : 0;
	int err;

	if (tx->size - (tx->prod - tx->cons) < need + pad + keep) {
		err = duct_tx_refresh(tx);
		if (err)
			return err;
		if (tx->size - (tx->prod - tx->cons) < need + pad + keep)
			return -EAGAIN;
	}
	*at = tx->prod + pad;
	return 0;
}

static void duct_tx_header(struct duct_tx *tx, u32 at, const struct duct_frame *frame)
{
	u32 pos = at & (tx->size - 1);

	duct_peer_copy_out(tx->data + pos, frame, sizeof(*frame));
	if (tx->keep)
		memcpy(tx->keep + pos, frame, sizeof(*frame));
}

/**
 * duct_tx_commit() - write the frame's header; the peer does not see it yet
 * @tx: the half
 * @at: from duct_tx_reserve(), with nothing committed since
 * @frame: the header; its length is at most the one that was reserved
 */
void duct_tx_commit(struct duct_tx *tx, u32 at, const struct duct_frame *frame)
{
	if (at != tx->prod) {
		const struct duct_frame pad = {
			.len = at - tx->prod - sizeof(pad),
			.type = DUCT_FRAME_PAD,
		};

		duct_tx_header(tx, tx->prod, &pad);
	}
	duct_tx_header(tx, at, frame);
	if (unlikely(tx->keep)) {
		u32 pos = (at & (tx->size - 1)) + sizeof(*frame);

		duct_peer_copy_out(tx->data + pos, tx->keep + pos, frame->len);
	}
	tx->prod = at + duct_frame_bytes(frame->len);
}

/**
 * duct_tx_again() - commit once more what is kept of an earlier ring
 * @tx: the half, just begun, with all of it in @tx->keep
 * @end: the index behind the last frame, at most a ring behind where it began
 */
void duct_tx_again(struct duct_tx *tx, u32 end)
{
	while (tx->prod != end) {
		u32 pos = tx->prod & (tx->size - 1);
		u32 n = min(end - tx->prod, tx->size - pos);

		duct_peer_copy_out(tx->data + pos, tx->keep + pos, n);
		tx->prod += n;
	}
}

/**
 * duct_tx_publish() - show the peer all that was committed
 * @tx: the half
 *
 * Return: true if the peer sleeps and wants an event for this
 */
bool duct_tx_publish(struct duct_tx *tx)
{
	u32 old = tx->published;

	if (tx->prod == old)
		return false;
	duct_peer_release32(&tx->shared->prod, tx->prod);
	tx->published = tx->prod;
	/* prod before want_data: pairs with the fence in duct_rx_arm(). */
	virt_mb();
	return duct_passes(old, tx->prod, duct_peer_read32(&tx->shared->want_data));
}

/**
 * duct_tx_room() - bytes of the ring that are free
 * @tx: the half
 * @room: the result; a frame needs duct_frame_bytes(), and maybe a pad
 *
 * Return: 0 or -EPROTO
 */
int duct_tx_room(struct duct_tx *tx, u32 *room)
{
	int err = duct_tx_refresh(tx);

	*room = tx->size - (tx->prod - tx->cons);
	return err;
}

/**
 * duct_tx_arm() - ask for an event when there is room
 * @tx: the half; everything committed is published
 * @room: bytes of the ring, at most its size
 *
 * Return: 0 when armed, 1 when the room is there already, -EPROTO
 */
int duct_tx_arm(struct duct_tx *tx, u32 room)
{
	/* Enough room is when cons passes the byte before this one. */
	u32 cons = tx->prod + room - tx->size;
	int err;

	duct_peer_write32(&tx->shared->want_space, cons - 1);
	/* want_space before cons: pairs with the fence in duct_rx_return(). */
	virt_mb();
	err = duct_tx_refresh(tx);
	if (err)
		return err;
	return tx->size - (tx->prod - tx->cons) >= room;
}

/**
 * duct_rx_init() - start the reader's half
 * @rx: the half
 * @shared: the indexes
 * @data: the bytes
 * @size: of @data, a power of two
 * @start: the index that both halves begin with
 */
void duct_rx_init(struct duct_rx *rx, struct duct_shared_ring __peer *shared,
		  u8 __peer *data, u32 size, u32 start)
{
	rx->shared = shared;
	rx->data = data;
	rx->size = size;
	rx->cons = start;
	rx->returned = start;
	rx->prod = start;
}

/*
 * Looks at the peer's index. It may not go back, nor beyond the space that was
 * given to it.
 */
static int duct_rx_refresh(struct duct_rx *rx)
{
	/* Pairs with the release in duct_tx_publish(): the frames are there. */
	u32 prod = duct_peer_acquire32(&rx->shared->prod);
	u32 most = rx->returned + rx->size - rx->prod;

	if (unlikely(prod - rx->prod > most || !IS_ALIGNED(prod, DUCT_ALIGN)))
		return -EPROTO;
	rx->prod = prod;
	return 0;
}

static bool duct_frame_valid(const struct duct_frame *frame)
{
	switch (frame->type) {
	case DUCT_FRAME_STREAM:
	case DUCT_FRAME_MSG:
	case DUCT_FRAME_PAD:
		if (!frame->len && frame->type == DUCT_FRAME_STREAM)
			return false;
		return !(frame->reserved | frame->status | frame->slot | frame->generation);
	case DUCT_FRAME_CALL:
	case DUCT_FRAME_BULK:
		return !(frame->reserved | frame->status);
	case DUCT_FRAME_ANSWER:
		return !frame->reserved;
	default:
		return false;
	}
}

/*
 * Two loads that the compiler can neither repeat nor skip. Return: true if it is a message:
 * nothing but a length and that type, as Xen's domains are little endian
 */
static bool duct_peer_read_frame(struct duct_frame *frame, const u8 __peer *at)
{
	const u64 __peer *from = (const u64 __peer *)at;
	const u64 first = duct_peer_read64(from), second = duct_peer_read64(from + 1);

	/* No array: it would have the compiler guard the stack. */
	memcpy(frame, &first, sizeof(first));
	memcpy((u8 *)frame + sizeof(first), &second, sizeof(second));
	return first >> 32 == DUCT_FRAME_MSG && !second;
}

/*
 * Reads the header at cons once and checks it against what is there. Returns
 * the bytes of the frame, 0 if it is none.
 */
static u32 duct_rx_header(struct duct_rx *rx, struct duct_frame *frame)
{
	u32 pos = rx->cons & (rx->size - 1);
	u32 most = min(rx->prod - rx->cons, rx->size - pos);
	bool message = duct_peer_read_frame(frame, rx->data + pos);

	/* The first comparison keeps the sum below from wrapping. */
	if (frame->len > most || duct_frame_bytes(frame->len) > most)
		return 0;
	if (!message && !duct_frame_valid(frame))
		return 0;
	return duct_frame_bytes(frame->len);
}

/**
 * duct_rx_peek() - find the oldest frame
 * @rx: the half
 * @frame: a private copy of its header
 *
 * Pads are skipped. The same place is found again until duct_rx_take(), but the
 * peer may have written another header there: keep the first.
 *
 * Return: 0, -EAGAIN when there is none, -EPROTO
 */
int duct_rx_peek(struct duct_rx *rx, struct duct_frame *frame)
{
	for (;;) {
		u32 bytes;
		int err;

		if (rx->cons == rx->prod) {
			err = duct_rx_refresh(rx);
			if (err)
				return err;
			if (rx->cons == rx->prod)
				return -EAGAIN;
		}
		bytes = duct_rx_header(rx, frame);
		if (unlikely(!bytes))
			return -EPROTO;
		if (likely(frame->type != DUCT_FRAME_PAD))
			return 0;
		/* The rest of a ring, and never the whole: so none follows another. */
		if (!(rx->cons & (rx->size - 1)) || ((rx->cons + bytes) & (rx->size - 1)))
			return -EPROTO;
		rx->cons += bytes;
	}
}

/**
 * duct_rx_take() - go on behind the frame that duct_rx_peek() found
 * @rx: the half
 * @frame: the header from duct_rx_peek()
 */
void duct_rx_take(struct duct_rx *rx, const struct duct_frame *frame)
{
	rx->cons += duct_frame_bytes(frame->len);
}

/**
 * duct_rx_return() - give the space of what was taken back to the peer
 * @rx: the half
 *
 * Return: true if the peer waits for room and wants an event for this
 */
bool duct_rx_return(struct duct_rx *rx)
{
	u32 old = rx->returned;

	if (rx->cons == old)
		return false;
	duct_peer_release32(&rx->shared->cons, rx->cons);
	rx->returned = rx->cons;
	/* cons before want_space: pairs with the fence in duct_tx_arm(). */
	virt_mb();
	return duct_passes(old, rx->cons, duct_peer_read32(&rx->shared->want_space));
}

/**
 * duct_rx_arm() - ask for an event when there is a frame
 * @rx: the half; duct_rx_return() was called
 *
 * Return: 0 when armed, 1 when a frame is there already, -EPROTO
 */
int duct_rx_arm(struct duct_rx *rx)
{
	int err;

	duct_peer_write32(&rx->shared->want_data, rx->cons);
	/* want_data before prod: pairs with the fence in duct_tx_publish(). */
	virt_mb();
	err = duct_rx_refresh(rx);
	if (err)
		return err;
	return rx->prod != rx->cons;
}
