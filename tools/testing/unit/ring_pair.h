/* SPDX-License-Identifier: GPL-2.0-only */
/* Both halves of one ring; indexes and bytes each in a malloc of their own. */
#ifndef _RING_PAIR_H
#define _RING_PAIR_H

#include "unit.h"

#include "ring.h"

struct ring_pair {
	struct duct_shared_ring *shared;
	u8 *data;
	struct duct_tx tx;
	struct duct_rx rx;
};

static inline void ring_pair_start(struct ring_pair *pair, u32 size, u32 start)
{
	memset(pair->shared, 0, sizeof(*pair->shared));
	memset(pair->data, 0xee, size);
	pair->shared->prod = start;
	pair->shared->cons = start;
	duct_tx_init(&pair->tx, pair->shared, pair->data, size, start);
	duct_rx_init(&pair->rx, pair->shared, pair->data, size, start);
}

static inline void ring_pair_make(struct ring_pair *pair, u32 size, u32 start)
{
	pair->shared = malloc(sizeof(*pair->shared));
	pair->data = malloc(size);
	assert_non_null(pair->shared);
	assert_non_null(pair->data);
	ring_pair_start(pair, size, start);
}

static inline void ring_pair_free(struct ring_pair *pair)
{
	free(pair->shared);
	free(pair->data);
}

/* Byte @i of the message with number @serial. */
static inline u8 ring_pair_byte(u32 serial, u32 i)
{
	return (u8)(serial * 31 + i * 7 + (i >> 8) + 1);
}

/* Commits a message of @len; what duct_tx_reserve() says. */
static inline int ring_pair_write(struct ring_pair *pair, u32 len, u32 serial)
{
	const struct duct_frame frame = { .len = len, .type = DUCT_FRAME_MSG };
	u32 at, i;
	int err = duct_tx_reserve(&pair->tx, len, 0, &at);

	if (err)
		return err;
	for (i = 0; i < len; i++)
		duct_tx_payload(&pair->tx, at)[i] = ring_pair_byte(serial, i);
	duct_tx_commit(&pair->tx, at, &frame);
	return 0;
}

/* Takes a message that must be number @serial with @len bytes. */
static inline void ring_pair_read(struct ring_pair *pair, u32 len, u32 serial)
{
	struct duct_frame frame;
	u8 *copy = malloc(len + 1);
	u32 i;

	assert_int_equal(duct_rx_peek(&pair->rx, &frame), 0);
	assert_int_equal(frame.len, len);
	assert_int_equal(frame.type, DUCT_FRAME_MSG);
	duct_peer_copy_in(copy, duct_rx_payload(&pair->rx), len);
	for (i = 0; i < len; i++)
		if (copy[i] != ring_pair_byte(serial, i))
			fail_msg("byte %u of %u in message %u", i, len, serial);
	free(copy);
	duct_rx_take(&pair->rx, &frame);
}

#endif /* _RING_PAIR_H */
