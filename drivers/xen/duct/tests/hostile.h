/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A peer that breaks the rules: it writes to the memory that its end shares.
 * This is the only part of the tests that knows the core's structures.
 */
#ifndef _DUCT_TESTS_HOSTILE_H
#define _DUCT_TESTS_HOSTILE_H

#include "attacks.h"
#include "kit.h"

/* The slot of an end that is up. */
struct duct_slot *hostile_slot(struct kit_end *end);
/* Who attached a region reads nothing of the owner's from here on; its slot. */
struct duct_slot *hostile_region_stop(struct duct_region *r);
/* Until here. */
void hostile_region_go(struct duct_region *r);
/* Waits until something is there to read. */
void hostile_await(struct kit *kit, struct duct_slot *slot);

#endif /* _DUCT_TESTS_HOSTILE_H */
