/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer that breaks the rules: it writes to the memory that its end shares.
 * This is the only part of the tests that knows the core's structures.
 */
#ifndef _DUCT_TESTS_HOSTILE_H
#define _DUCT_TESTS_HOSTILE_H

#include "../core.h"
#include "kit.h"

/* The slot of an end that is up. */
struct duct_slot *hostile_slot(struct kit_end *end);
/* Writes a frame as it is, shows it, and raises the event. */
void hostile_frame(struct duct_slot *slot, const struct duct_frame *frame, const void *payload,
		   u32 bytes);
/* Who attached a region reads nothing of the owner's from here on; its slot. */
struct duct_slot *hostile_region_stop(struct duct_region *r);
/* Until here. */
void hostile_region_go(struct duct_region *r);
/* Waits until something is there to read. */
void hostile_await(struct kit *kit, struct duct_slot *slot);
/* The event for a slot, without anything else. */
void hostile_ring(struct duct_slot *slot);
/* The only legal length of a control message; 0: there is none. */
u32 hostile_control_len(u32 type);
/* A control message from one end's link, @bytes long. */
void hostile_control(struct duct_link *link, const void *msg, u32 bytes);
/* The same with another frame around it. */
void hostile_control_frame(struct duct_link *link, const struct duct_frame *frame,
			   const void *msg, u32 bytes);

#endif /* _DUCT_TESTS_HOSTILE_H */
