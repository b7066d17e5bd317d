/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One direction of a channel: frames in a power-of-two ring of bytes, one
 * writer and one reader in different domains that do not trust each other.
 *
 * Pure C: no allocation, no locks, no Xen. Each half keeps its own index and
 * the last checked value of the peer's in private memory, so a hostile peer can
 * at most make a half say -EPROTO, never make it loop or leave the ring. After
 * -EPROTO the caller must not use the half again.
 *
 * Callers serialise the calls on one half; the two halves need nothing.
 */
#ifndef _DUCT_RING_H
#define _DUCT_RING_H

#include "peer.h"

#include <xen/interface/io/duct.h>

/**
 * struct duct_tx - the writer's half of a ring
 * @shared: the indexes
 * @data: the bytes
 * @keep: optional: private memory of @size bytes, in which the frames stay as they
 *        were written until the peer has taken them
 * @size: of @data, a power of two
 * @prod: own index: frames up to here are written
 * @published: frames up to here were shown to the peer
 * @cons: the peer's index as last checked
 */
struct duct_tx {
	struct duct_shared_ring __peer *shared;
	u8 __peer *data;
	u8 *keep;
	u32 size;
	u32 prod;
	u32 published;
	u32 cons;
};

/**
 * struct duct_rx - the reader's half of a ring
 * @shared: the indexes
 * @data: the bytes
 * @size: of @data, a power of two
 * @cons: own index: frames up to here are taken
 * @returned: space up to here was given back to the peer
 * @prod: the peer's index as last checked
 */
struct duct_rx {
	struct duct_shared_ring __peer *shared;
	u8 __peer *data;
	u32 size;
	u32 cons;
	u32 returned;
	u32 prod;
};

/* Bytes that a frame with @len bytes of payload takes. */
static inline u32 duct_frame_bytes(u32 len)
{
	return ALIGN((u32)sizeof(struct duct_frame) + len, DUCT_ALIGN);
}

/* "x moves from @old to @now and passes @event", see io/duct.h. */
static inline bool duct_passes(u32 old, u32 now, u32 event)
{
	return now - event - 1 < now - old;
}

/*
 * The smallest ring in which a frame of @len fits whatever the index is: at the
 * worst index the pad before it is one unit smaller than the frame.
 */
static inline u32 duct_ring_need(u32 len)
{
	return 2 * duct_frame_bytes(len);
}

void duct_tx_init(struct duct_tx *tx, struct duct_shared_ring __peer *shared,
		  u8 __peer *data, u32 size, u32 start);
int duct_tx_reserve(struct duct_tx *tx, u32 len, u32 keep, u32 *at);
void duct_tx_commit(struct duct_tx *tx, u32 at, const struct duct_frame *frame);
bool duct_tx_publish(struct duct_tx *tx);
void duct_tx_again(struct duct_tx *tx, u32 end);
int duct_tx_room(struct duct_tx *tx, u32 *room);
int duct_tx_arm(struct duct_tx *tx, u32 room);

/* Where the payload of the frame that duct_tx_reserve() placed @at is written. */
static inline u8 __peer *duct_tx_payload(const struct duct_tx *tx, u32 at)
{
	u8 __peer *to = tx->keep ? (u8 __force __peer *)tx->keep : tx->data;

	return to + (at & (tx->size - 1)) + sizeof(struct duct_frame);
}

void duct_rx_init(struct duct_rx *rx, struct duct_shared_ring __peer *shared,
		  u8 __peer *data, u32 size, u32 start);
int duct_rx_peek(struct duct_rx *rx, struct duct_frame *frame);
void duct_rx_take(struct duct_rx *rx, const struct duct_frame *frame);
bool duct_rx_return(struct duct_rx *rx);
int duct_rx_arm(struct duct_rx *rx);

/* Whether the peer's index is elsewhere: duct_rx_peek() says what that is worth. */
static inline bool duct_rx_pending(const struct duct_rx *rx)
{
	return rx->cons != rx->prod || duct_peer_read32(&rx->shared->prod) != rx->cons;
}

/* The payload of the frame that duct_rx_peek() found. */
static inline const u8 __peer *duct_rx_payload(const struct duct_rx *rx)
{
	return rx->data + (rx->cons & (rx->size - 1)) + sizeof(struct duct_frame);
}

/* Taken, but the peer does not know yet. */
static inline u32 duct_rx_owed(const struct duct_rx *rx)
{
	return rx->cons - rx->returned;
}

#endif /* _DUCT_RING_H */
