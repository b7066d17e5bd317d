// SPDX-License-Identifier: GPL-2.0
/* Grants for what a call lends, and copying what the peer lent; mapping is in pages.c. */
#include <linux/mm.h>
#include <xen/grant_table.h>
#include <xen/page.h>

#include <asm/xen/hypercall.h>

#include "memory.h"

/**
 * duct_grant_lend() - let a domain copy from pages, or to them. [any]
 * @peer: which domain
 * @pages: whole pages of anybody here, who keeps them until duct_grant_revoke()
 * @n: how many
 * @writable: or only to read
 * @refs: filled in, all below 2^30
 *
 * Return: 0; -ENOSPC: no grant reference is free; -EBUSY: the peer has not let go of too
 * many already
 */
int duct_grant_lend(domid_t peer, struct page **pages, u32 n, bool writable, u32 *refs)
{
	u32 i;

	if (!duct_grant_room(peer, n))
		return -EBUSY;
	for (i = 0; i < n; i++) {
		int ref = gnttab_grant_foreign_access(peer, xen_page_to_gfn(pages[i]), !writable);

		if (ref < 0 || ref & DUCT_SEG_KIND) {
			if (ref >= 0)
				gnttab_end_foreign_access(ref, NULL);
			duct_grant_reclaim(peer, pages, i, refs, 0, false);
			return -ENOSPC;
		}
		refs[i] = ref;
	}
	return 0;
}

/**
 * duct_grant_revoke() - end the peer's access early, as far as it has nothing mapped. [any]
 * @pages: from duct_grant_lend()
 * @n: how many
 * @refs: theirs
 *
 * The kernel writes a line for each reference that it finds in use, and a peer may
 * keep a thousand so: the first is the last that is asked about. The others are not
 * ended, and so not freed, behind the back of a peer that is just mapping them.
 *
 * Return: how many pages the peer cannot reach any more; the others are held
 */
u32 duct_grant_revoke(struct page **pages, u32 n, const u32 *refs)
{
	u32 i, ended = 0;

	while (ended < n && gnttab_end_foreign_access_ref(refs[ended]))
		ended++;
	for (i = ended; i < n; i++)
		get_page(pages[i]);
	return ended;
}

/**
 * duct_grant_reclaim() - the peer is done: the references may name other pages. [any]
 * @peer: which domain
 * @pages: from duct_grant_lend()
 * @n: how many
 * @refs: theirs
 * @ended: what duct_grant_revoke() returned, 0 without it
 * @held: that was called, and holds the pages behind
 *
 * No line of the log for a peer that has some mapped all the same: from the first on they
 * are held, in quarantine, until it has not.
 *
 * Return: how many these are
 */
u32 duct_grant_reclaim(domid_t peer, struct page **pages, u32 n, const u32 *refs, u32 ended,
		       bool held)
{
	u32 i, kept;

	for (i = 0; i < ended; i++)
		gnttab_free_grant_reference(refs[i]);
	for (; i < n && gnttab_try_end_foreign_access(refs[i]); i++)
		if (held)
			put_page(pages[i]);
	kept = n - i;
	if (!kept)
		return 0;
	for (; i < n && !held; i++)
		get_page(pages[i]);
	duct_grant_keep(peer, pages + n - kept, kept, refs + n - kept);
	return kept;
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
