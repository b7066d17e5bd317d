/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUCT_LEND_H
#define _DUCT_LEND_H

#include <xen/interface/xen.h>

#include "../wire.h"

int duct_grant_lend(domid_t peer, struct page **pages, u32 n, bool writable, u32 *refs);
void duct_grant_revoke(struct page **pages, u32 n, u32 *refs);
void duct_grant_reclaim(const u32 *refs, u32 n);
int duct_grant_copy(domid_t peer, struct duct_copy_batch *batch);

#endif /* _DUCT_LEND_H */
