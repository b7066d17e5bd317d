// SPDX-License-Identifier: GPL-2.0
/* Grants for what a call lends, and the copying of what the peer lent. */
#include <linux/mm.h>
#include <linux/module.h>
#include <xen/grant_table.h>
#include <xen/page.h>

#include <asm/xen/hypercall.h>

#include "memory.h"

static atomic_t duct_lent_kept;

static int duct_lent_kept_get(char *buf, const struct kernel_param *param)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&duct_lent_kept));
}

static const struct kernel_param_ops duct_lent_kept_ops = { .get = duct_lent_kept_get };
module_param_cb(lent_kept, &duct_lent_kept_ops, NULL, 0444);
MODULE_PARM_DESC(lent_kept, "pages lent that a peer had mapped when they were to come back");

/**
 * duct_grant_lend() - let a domain copy from pages, or to them. [any]
 * @peer: which domain
 * @pages: whole pages of anybody here, who keeps them until duct_grant_revoke()
 * @n: how many
 * @writable: or only to read
 * @refs: filled in, all below 2^30
 *
 * Return: 0; -ENOSPC: no grant reference is free
 */
int duct_grant_lend(domid_t peer, struct page **pages, u32 n, bool writable, u32 *refs)
{
	u32 i;

	for (i = 0; i < n; i++) {
		int ref = gnttab_grant_foreign_access(peer, xen_page_to_gfn(pages[i]), !writable);

		if (ref < 0 || ref & DUCT_SEG_KIND) {
			if (ref >= 0)
				gnttab_end_foreign_access(ref, NULL);
			duct_grant_revoke(pages, i, refs);
			duct_grant_reclaim(refs, i);
			return -ENOSPC;
		}
		refs[i] = ref;
	}
	return 0;
}

/**
 * duct_grant_revoke() - the peer cannot reach the pages any more. [any]
 * @pages: from duct_grant_lend()
 * @n: how many
 * @refs: theirs; 0 for pages that the peer has mapped, of which there is a count now,
 *        until the kernel's own list of such pages lets go of them
 */
void duct_grant_revoke(struct page **pages, u32 n, u32 *refs)
{
	u32 i;

	for (i = 0; i < n; i++) {
		if (gnttab_end_foreign_access_ref(refs[i]))
			continue;
		get_page(pages[i]);
		gnttab_end_foreign_access(refs[i], pages[i]);
		refs[i] = 0;
		atomic_inc(&duct_lent_kept);
	}
}

/**
 * duct_grant_reclaim() - the references may name other pages. [any]
 * @refs: from duct_grant_revoke()
 * @n: how many
 */
void duct_grant_reclaim(const u32 *refs, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (refs[i])
			gnttab_free_grant_reference(refs[i]);
}

static void duct_copy_fill(domid_t peer, const struct duct_copy *copy, struct gnttab_copy *op)
{
	struct gnttab_copy_ptr *there = copy->to_peer ? &op->dest : &op->source;
	struct gnttab_copy_ptr *here = copy->to_peer ? &op->source : &op->dest;

	there->u.ref = copy->ref;
	there->domid = peer;
	there->offset = copy->offset;
	here->u.gmfn = xen_page_to_gfn(copy->page);
	here->domid = DOMID_SELF;
	here->offset = copy->page_offset;
	op->len = copy->len;
	op->flags = copy->to_peer ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
	op->status = GNTST_general_error;
}

/**
 * duct_grant_copy() - between pages that a domain lent and ours. [any]
 * @peer: which domain
 * @batch: what
 *
 * A page that the hypervisor has paged out is an error here: waiting for it could
 * take half a minute.
 *
 * Return: 0; -EIO: not all of it was copied
 */
int duct_grant_copy(domid_t peer, struct duct_copy_batch *batch)
{
	struct gnttab_copy *op = (struct gnttab_copy *)batch->room;
	int err = 0;
	u32 i;

	BUILD_BUG_ON(sizeof(batch->room) < DUCT_COPIES * sizeof(*op));
	for (i = 0; i < batch->n; i++)
		duct_copy_fill(peer, &batch->copy[i], &op[i]);
	if (HYPERVISOR_grant_table_op(GNTTABOP_copy, op, batch->n))
		return -EIO;
	for (i = 0; i < batch->n; i++)
		if (op[i].status != GNTST_okay)
			err = -EIO;
	return err;
}
