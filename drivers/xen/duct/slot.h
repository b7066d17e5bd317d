/* SPDX-License-Identifier: GPL-2.0 */
/* A channel's place in shared memory: see slot.c. */
#ifndef _DUCT_SLOT_H
#define _DUCT_SLOT_H

#include "core.h"

/**
 * struct duct_leaving - slots whose channels let go together: one wait is enough for all of them
 * @slots: by &duct_slot.grave; link->lock
 * @readers: one may be in the rings
 * @requests: one may be copied, or mapped
 */
struct duct_leaving {
	struct list_head slots;
	bool readers;
	bool requests;
};

/* Where the channel is bound, or NULL. link->lock is held. */
static inline struct duct_slot *duct_channel_slot(struct duct_channel_core *ch)
{
	return rcu_dereference_protected(ch->slot, lockdep_is_held(&ch->link->lock));
}

struct duct_slot *duct_slot_new(struct duct_link *link, u32 index, u32 generation);
void duct_slot_try_bind(struct duct_channel_core *ch);
u32 duct_ring_size(u32 a, u32 b, u32 max_msg, u32 max_calls, u32 max_answer);
const char *duct_slot_receive_bound(struct duct_link *link, const struct duct_ctl_bound *msg);
const char *duct_slot_receive_close(struct duct_link *link, const struct duct_ctl_close *msg);
const char *duct_slot_receive_closed(struct duct_link *link, const struct duct_ctl_close *msg);
void duct_slot_news(struct duct_slot *slot, int flag);
void duct_slot_handle_news(struct duct_link *link);
void duct_slot_close(struct duct_channel_core *ch, struct duct_leaving *leaving);
bool duct_slot_closed(struct duct_link *link, struct duct_leaving *leaving);
void duct_slot_lose(struct duct_slot *slot);
void duct_slot_drain_tick(struct duct_link *link);
void duct_slot_reset_all(struct duct_link *link, int why);
void duct_slot_bury_all(struct duct_link *link);

#endif /* _DUCT_SLOT_H */
