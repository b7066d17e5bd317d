/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The messages of a region's channel, and what goes before and after a transfer: which are
 * well formed. Pure C.
 */
#ifndef _DUCT_REGION_MSG_H
#define _DUCT_REGION_MSG_H

#include "port.h"

#include <xen/interface/io/duct.h>

/**
 * union duct_region_msg - a private copy of any of them
 * @type: DUCT_REGION_*
 * @offer: OFFER
 * @refs: REFS
 * @state: ATTACHED, REVOKE, RELEASED
 * @point: WATCH, WATCHED, UNWATCH, TRIGGER
 */
union duct_region_msg {
	u32 type;
	struct duct_region_offer offer;
	struct duct_region_refs refs;
	struct duct_region_state state;
	struct duct_region_point point;
};

u32 duct_region_msg_len(u32 type);
const char *duct_region_msg_check(const union duct_region_msg *msg, u32 len, bool from_owner);
const char *duct_region_msg_check_xfer(const struct duct_region_xfer *ask, u32 len, u32 lent);
int duct_region_msg_moved(const struct duct_region_moved *moved, u32 len, u32 lent);

static inline u32 duct_region_pages(u64 size)
{
	return (size + DUCT_PAGE_SIZE - 1) / DUCT_PAGE_SIZE;
}

#endif /* _DUCT_REGION_MSG_H */
