/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control messages: which are well formed, and what they are called. Pure C.
 * What they mean in the link's state is link.c's, service.c's and slot.c's.
 */
#ifndef _DUCT_CONTROL_H
#define _DUCT_CONTROL_H

#include "port.h"

#include <xen/interface/io/duct.h>

/**
 * union duct_ctl - a private copy of any control message
 * @type: DUCT_CTL_*
 * @hello: HELLO
 * @offer: ANNOUNCE and BIND
 * @withdraw: WITHDRAW and UNBIND
 * @open: OPEN and CANCEL
 * @bound: BOUND
 * @refused: REFUSED
 * @close: CLOSE and CLOSED
 * @chunk: CHUNK
 * @done: CHUNK_DONE and DOOR_DONE
 * @door: DOOR
 * @goodbye: GOODBYE
 * @stage: STAGE
 */
union duct_ctl {
	u32 type;
	struct duct_ctl_hello hello;
	struct duct_ctl_offer offer;
	struct duct_ctl_withdraw withdraw;
	struct duct_ctl_open open;
	struct duct_ctl_bound bound;
	struct duct_ctl_refused refused;
	struct duct_ctl_close close;
	struct duct_ctl_chunk chunk;
	struct duct_ctl_done done;
	struct duct_ctl_door door;
	struct duct_ctl_goodbye goodbye;
	struct duct_ctl_stage stage;
};

u32 duct_ctl_len(u32 type);
const char *duct_ctl_name(u32 type);
const char *duct_ctl_check(const union duct_ctl *msg, u32 len, bool from_front);
bool duct_trigger_valid(const struct duct_trigger *trigger);
bool duct_name_valid(const u8 *name);
u32 duct_role_opposite(u32 role);

#endif /* _DUCT_CONTROL_H */
