// SPDX-License-Identifier: GPL-2.0
/* See memory.h. */
#include <linux/export.h>

#include "memory.h"

const struct duct_memory_ops duct_xen_memory = {
	.share = duct_grant_share,
	.unshare = duct_grant_unshare,
	.map = duct_grant_map,
	.unmap = duct_grant_unmap,
	.page = duct_grant_page,
	.mmap = duct_grant_mmap,
	.lend = duct_grant_lend,
	.revoke = duct_grant_revoke,
	.reclaim = duct_grant_reclaim,
	.copy = duct_grant_copy,
	.map_pages = duct_grant_map_pages,
	.unmap_pages = duct_grant_unmap_pages,
};
EXPORT_SYMBOL_GPL(duct_xen_memory);
