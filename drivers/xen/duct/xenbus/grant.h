/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUCT_GRANT_H
#define _DUCT_GRANT_H

#include <linux/mm_types.h>
#include <xen/interface/xen.h>

#include "../port.h"

int duct_grant_share(domid_t peer, struct page **pages, u32 n, u32 *refs);
void duct_grant_unshare(struct page **pages, u32 n, const u32 *refs);
void duct_grant_exit(void);

#endif /* _DUCT_GRANT_H */
