/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory between Xen domains: grants. It needs nothing of a link but the other
 * domain's number, so it is the same at both ends and outlives the link's wire,
 * and lives in xen_duct.ko.
 */
#ifndef _DUCT_XENBUS_MEMORY_H
#define _DUCT_XENBUS_MEMORY_H

#include "../wire.h"

struct duct_share *duct_grant_share(domid_t peer, struct page **pages, u32 n, bool writable);
void duct_grant_unshare(struct duct_share *share);
void duct_grant_exit(void);

struct duct_mapping *duct_grant_map(domid_t peer, const u32 *refs, u32 n, bool writable);
void duct_grant_unmap(struct duct_mapping *mapping);
void duct_grant_leaked(u32 pages);

int duct_grant_lend(domid_t peer, struct page **pages, u32 n, bool writable, u32 *refs);
u32 duct_grant_revoke(struct page **pages, u32 n, const u32 *refs);
void duct_grant_reclaim(struct page **pages, u32 n, const u32 *refs, u32 ended);
int duct_grant_copy(domid_t peer, struct duct_copy_batch *batch);

struct duct_pages *duct_grant_map_pages(domid_t peer, const u32 *refs, u32 n, bool writable);
void duct_grant_unmap_pages(struct duct_pages *pages);

#endif /* _DUCT_XENBUS_MEMORY_H */
