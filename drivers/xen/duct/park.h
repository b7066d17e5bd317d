/* SPDX-License-Identifier: GPL-2.0 */
/* Resumable channels between two epochs: see park.c. */
#ifndef _DUCT_PARK_H
#define _DUCT_PARK_H

#include "core.h"

extern uint duct_resume_timeout;

int duct_park_init(struct duct_channel_core *ch);
void duct_park_free(struct duct_channel_core *ch);
bool duct_park_begin(struct duct_channel_core *ch, struct duct_slot *slot, int why);
void duct_park_freeze(struct duct_channel_core *ch);
void duct_park_release(struct duct_channel_core *ch, const struct duct_msg *msg);
void duct_park_end(struct duct_channel_core *ch, int why);
void duct_park_stop(struct duct_channel_core *ch);
void duct_park_agree(struct duct_channel_core *ch, const struct duct_ctl_wish *wish,
		     struct duct_ctl_bound *msg);
int duct_park_check(const struct duct_channel_core *ch, const struct duct_ctl_bound *msg);
int duct_park_bind(struct duct_channel_core *ch, struct duct_slot *slot,
		   const struct duct_ctl_bound *msg);

#endif /* _DUCT_PARK_H */
