// SPDX-License-Identifier: GPL-2.0
/* See hostile.h. */
#include "../region.h"
#include "hostile.h"

#include <asm/sync_bitops.h>

struct duct_slot *hostile_slot(struct kit_end *end)
{
	return rcu_dereference_protected(to_duct_channel_core(end->ch)->slot, true);
}

struct duct_slot *hostile_region_stop(struct duct_region *r)
{
	struct duct_region_peer *peer = duct_region_owner(to_duct_region_core(r));

	mutex_lock(&peer->mutex);
	return rcu_dereference_protected(to_duct_channel_core(peer->ch)->slot, true);
}

void hostile_region_go(struct duct_region *r)
{
	mutex_unlock(&duct_region_owner(to_duct_region_core(r))->mutex);
}

void hostile_await(struct kit *kit, struct duct_slot *slot)
{
	unsigned long end = jiffies + 10 * HZ;

	while (duct_peer_acquire32(&slot->rx.shared->prod) == slot->rx.cons &&
	       time_before(jiffies, end))
		cond_resched();
	KUNIT_EXPECT_NE(kit->test, duct_peer_acquire32(&slot->rx.shared->prod), slot->rx.cons);
}

void hostile_ring(struct duct_slot *slot)
{
	struct duct_link *link = slot->link;

	sync_set_bit(slot->index, (unsigned long __force *)link->door[slot->door].out->bits);
	link->ops->notify(link->wire, slot->door);
}

void hostile_frame(struct duct_slot *slot, const struct duct_frame *frame, const void *payload,
		   u32 bytes)
{
	struct duct_tx *tx = &slot->tx;
	u32 pos = tx->prod & (tx->size - 1), rest = tx->size - pos;

	/* Behind the ring's end it would be refused for that alone. */
	if (duct_frame_bytes(bytes) > rest) {
		const struct duct_frame pad = {
			.len = rest - sizeof(pad),
			.type = DUCT_FRAME_PAD,
		};

		duct_peer_copy_out(tx->data + pos, &pad, sizeof(pad));
		tx->prod += rest;
		pos = 0;
	}
	duct_peer_copy_out(tx->data + pos, frame, sizeof(*frame));
	duct_peer_copy_out(tx->data + pos + sizeof(*frame), payload, bytes);
	tx->prod += duct_frame_bytes(bytes);
	tx->published = tx->prod;
	duct_peer_release32(&tx->shared->prod, tx->prod);
	hostile_ring(slot);
}

void hostile_control_frame(struct duct_link *link, const struct duct_frame *frame,
			   const void *msg, u32 bytes)
{
	struct duct_slot *slot;
	struct duct_tx *tx;
	u32 rest;

	mutex_lock(&link->lock);
	slot = link->control;
	tx = &slot->tx;
	rest = tx->size - (tx->prod & (tx->size - 1));
	if (duct_frame_bytes(bytes) > rest) {
		const struct duct_frame pad = {
			.len = rest - sizeof(pad),
			.type = DUCT_FRAME_PAD,
		};

		duct_peer_copy_out(tx->data + tx->size - rest, &pad, sizeof(pad));
		tx->prod += rest;
	}
	hostile_frame(slot, frame, msg, bytes);
	mutex_unlock(&link->lock);
}

void hostile_control(struct duct_link *link, const void *msg, u32 bytes)
{
	const struct duct_frame frame = { .len = bytes, .type = DUCT_FRAME_MSG };

	hostile_control_frame(link, &frame, msg, bytes);
}

u32 hostile_control_len(u32 type)
{
	static const u32 len[] = {
		[DUCT_CTL_HELLO] = sizeof(struct duct_ctl_hello),
		[DUCT_CTL_ANNOUNCE] = sizeof(struct duct_ctl_offer),
		[DUCT_CTL_WITHDRAW] = sizeof(struct duct_ctl_withdraw),
		[DUCT_CTL_BIND] = sizeof(struct duct_ctl_offer),
		[DUCT_CTL_UNBIND] = sizeof(struct duct_ctl_withdraw),
		[DUCT_CTL_OPEN] = sizeof(struct duct_ctl_open),
		[DUCT_CTL_CANCEL] = sizeof(struct duct_ctl_open),
		[DUCT_CTL_BOUND] = sizeof(struct duct_ctl_bound),
		[DUCT_CTL_REFUSED] = sizeof(struct duct_ctl_refused),
		[DUCT_CTL_CLOSE] = sizeof(struct duct_ctl_close),
		[DUCT_CTL_CLOSED] = sizeof(struct duct_ctl_close),
		[DUCT_CTL_CHUNK] = sizeof(struct duct_ctl_chunk),
		[DUCT_CTL_CHUNK_DONE] = sizeof(struct duct_ctl_done),
		[DUCT_CTL_DOOR] = sizeof(struct duct_ctl_door),
		[DUCT_CTL_DOOR_DONE] = sizeof(struct duct_ctl_done),
		[DUCT_CTL_GOODBYE] = sizeof(struct duct_ctl_goodbye),
		[DUCT_CTL_STAGE] = sizeof(struct duct_ctl_stage),
	};

	return type < ARRAY_SIZE(len) ? len[type] : 0;
}
