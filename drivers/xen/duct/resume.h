/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a resumable channel keeps of itself from one epoch to the next, in private memory:
 * nothing in shared memory is believed after an epoch. Pure C.
 */
#ifndef _DUCT_RESUME_H
#define _DUCT_RESUME_H

#include "port.h"

#include <xen/interface/io/duct.h>

/**
 * struct duct_keep - one end of a resumable channel
 * @tx: the ring that it writes, as it was written: frames that the peer may not have taken
 * @tx_bytes: of @tx, and of that ring; 0: nothing was bound yet
 * @rx_bytes: of the other ring
 * @cookie: of this run, 0: there is none to go on with
 * @sent: position behind the last frame written; the writer's
 * @kept: the first position in @tx that counts; of a run that is parked
 * @taken: position behind the last frame read; the reader's
 * @skip: stream: bytes read of the frame behind that; of a run that is parked
 */
struct duct_keep {
	u8 *tx;
	u32 tx_bytes;
	u32 rx_bytes;
	u64 cookie;
	u64 sent;
	u64 kept;
	u64 taken;
	u32 skip;
};

/* Moves a position to where an index is, less than 4 GiB further on. */
static inline void duct_keep_move(u64 *position, u32 index)
{
	*position += (u32)(index - (u32)*position);
}

void duct_keep_begin(struct duct_keep *keep, u64 cookie, u32 tx_start, u32 rx_start);
void duct_keep_point(const struct duct_keep *keep, struct duct_ctl_point *point);
bool duct_keep_agree(const struct duct_keep *keep, const struct duct_ctl_point *peer,
		     struct duct_ctl_bound *bound);
bool duct_keep_follows(const struct duct_keep *keep, const struct duct_ctl_bound *bound);
bool duct_resume_fits(const struct duct_ctl_point *a, const struct duct_ctl_point *b);

#endif /* _DUCT_RESUME_H */
