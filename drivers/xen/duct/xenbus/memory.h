/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory between Xen domains: grants. It needs nothing of a link but the other
 * domain's number, so it is the same at both ends and outlives the link's wire,
 * and lives in xen_duct.ko.
 */
#ifndef _DUCT_XENBUS_MEMORY_H
#define _DUCT_XENBUS_MEMORY_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <xen/grant_table.h>

#include "../wire.h"

struct duct_share *duct_grant_share(domid_t peer, struct page **pages, u32 n, bool writable);
void duct_grant_unshare(struct duct_share *share);
bool duct_grant_room(domid_t peer, u32 n);
void duct_grant_keep(domid_t peer, struct page **pages, u32 n, const u32 *refs);
void duct_grant_exit(void);

/**
 * struct duct_xen_mapping - a mapping and how to end it; private copies only
 * @pub: what the core sees
 * @n: pages
 * @writable: or only to read, for the page tables, too
 * @host: where each is mapped, for the hypervisor
 * @handle: of each; INVALID_GRANT_HANDLE where not mapped
 * @pages: NULL on PV
 * @peer: whose pages
 * @ref: PV: of each page
 * @users: PV: struct duct_xen_user; see user.c
 */
struct duct_xen_mapping {
	struct duct_mapping pub;
	u32 n;
	bool writable;
	phys_addr_t *host;
	grant_handle_t *handle;
	struct page **pages;
	domid_t peer;
	u32 *ref;
	struct list_head users;
};

struct duct_mapping *duct_grant_map(domid_t peer, const u32 *refs, u32 n, bool writable);
void duct_grant_unmap(struct duct_mapping *mapping);
struct page *duct_grant_page(struct duct_mapping *mapping, u32 i);
void duct_grant_leaked(u32 pages);

#ifdef CONFIG_XEN_PV
int duct_grant_mmap(struct duct_mapping *mapping, struct vm_area_struct *vma, u32 first);
void duct_grant_munmap(struct duct_xen_mapping *m);
#else
#define duct_grant_mmap NULL
static inline void duct_grant_munmap(struct duct_xen_mapping *m) { }
#endif

int duct_grant_lend(domid_t peer, struct page **pages, u32 n, bool writable, u32 *refs);
u32 duct_grant_revoke(struct page **pages, u32 n, const u32 *refs);
u32 duct_grant_reclaim(domid_t peer, struct page **pages, u32 n, const u32 *refs, u32 ended,
		       bool held);
int duct_grant_copy(domid_t peer, struct duct_copy_batch *batch);

struct duct_pages *duct_grant_map_pages(domid_t peer, const u32 *refs, u32 n, bool writable);
void duct_grant_unmap_pages(struct duct_pages *pages);

#endif /* _DUCT_XENBUS_MEMORY_H */
