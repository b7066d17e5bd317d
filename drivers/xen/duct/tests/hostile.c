// SPDX-License-Identifier: GPL-2.0
/* See hostile.h. */
#include "../region.h"
#include "hostile.h"

struct duct_slot *hostile_slot(struct kit_end *end)
{
	return hostile_slot_of(end->ch);
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
