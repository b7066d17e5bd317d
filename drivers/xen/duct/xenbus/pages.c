// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping what a call lent: pages that anything can be done with, since each has a
 * struct page and an address in the kernel's own map, on PV, too.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <xen/grant_table.h>
#include <xen/page.h>

#include "memory.h"

/**
 * struct duct_xen_pages - pages of the peer and how to let go of them
 * @pub: what the core sees
 * @unmap: for the kernel, which has a timer in it that may not be on a stack
 * @op: for each; made when it is mapped, since unmapping may lack no memory
 */
struct duct_xen_pages {
	struct duct_pages pub;
	struct gntab_unmap_queue_data unmap;
	struct gnttab_unmap_grant_ref op[];
};

static phys_addr_t duct_page_host(struct page *page)
{
	return (phys_addr_t)(unsigned long)pfn_to_kaddr(page_to_xen_pfn(page));
}

static void duct_pages_free(struct duct_xen_pages *p)
{
	kvfree(p->pub.page);
	kvfree(p);
}

static struct duct_xen_pages *duct_pages_new(u32 n)
{
	struct duct_xen_pages *p = kvzalloc(struct_size(p, op, n), GFP_KERNEL);

	if (!p)
		return NULL;
	p->pub.page = kvcalloc(n, sizeof(*p->pub.page), GFP_KERNEL);
	if (!p->pub.page || gnttab_alloc_pages(n, p->pub.page)) {
		duct_pages_free(p);
		return NULL;
	}
	p->pub.n = n;
	return p;
}

/*
 * Maps what can be. Pages that cannot go, so that @p is only what is mapped.
 * Return: 0, or why not all of it
 */
static int duct_pages_map(struct duct_xen_pages *p, domid_t peer, const u32 *refs, u32 flags,
			  struct gnttab_map_grant_ref *op)
{
	u32 i, n = p->pub.n, mapped = 0;
	int err = 0;

	for (i = 0; i < n; i++) {
		gnttab_set_map_op(&op[i], duct_page_host(p->pub.page[i]), flags, refs[i], peer);
		/* What the hypervisor does not reach is no success. */
		op[i].status = GNTST_general_error;
	}
	if (gnttab_map_refs(op, NULL, p->pub.page, n))
		err = -EIO;
	for (i = 0; i < n; i++) {
		struct page *page = p->pub.page[i];

		if (op[i].status == GNTST_okay) {
			gnttab_set_unmap_op(&p->op[mapped], duct_page_host(page), flags,
					    op[i].handle);
			p->pub.page[mapped++] = page;
			continue;
		}
		if (op[i].status == GNTST_no_space || op[i].status == GNTST_no_device_space)
			err = err ?: -ENOSPC;
		else
			err = -EIO;
		gnttab_free_pages(1, &page);
	}
	p->pub.n = mapped;
	return err;
}

/**
 * duct_grant_map_pages() - map pages that a domain lent. [sleep]
 * @peer: which domain
 * @refs: their references, a private copy
 * @n: how many
 * @writable: or only to read: a write is a fault then
 *
 * For a page that the hypervisor has paged out the kernel waits, up to half a minute.
 *
 * Return: the pages; ERR_PTR(): -ENOMEM; -ENOSPC: the hypervisor keeps track of too
 * many mappings already; -EIO: some page was not lent so. Nothing is mapped then
 */
struct duct_pages *duct_grant_map_pages(domid_t peer, const u32 *refs, u32 n, bool writable)
{
	struct gnttab_map_grant_ref *op = kvcalloc(n, sizeof(*op), GFP_KERNEL);
	struct duct_xen_pages *p = op ? duct_pages_new(n) : NULL;
	int err = -ENOMEM;

	if (p) {
		err = duct_pages_map(p, peer, refs,
				     GNTMAP_host_map | (writable ? 0 : GNTMAP_readonly), op);
		if (err)
			duct_grant_unmap_pages(&p->pub);
	}
	kvfree(op);
	return err ? ERR_PTR(err) : &p->pub;
}

/**
 * duct_grant_unmap_pages() - the reverse. [sleep]
 * @pages: gone after this
 *
 * Waits while anybody else holds one of them.
 */
void duct_grant_unmap_pages(struct duct_pages *pages)
{
	struct duct_xen_pages *p = container_of(pages, struct duct_xen_pages, pub);
	u32 i, free = 0;

	p->unmap.unmap_ops = p->op;
	p->unmap.pages = p->pub.page;
	p->unmap.count = p->pub.n;
	for (i = 0; i < p->pub.n; i++)
		p->op[i].status = GNTST_general_error;
	if (p->pub.n && gnttab_unmap_refs_sync(&p->unmap))
		pr_err_ratelimited("duct: pages lent are not unmapped well\n");
	for (i = 0; i < p->pub.n; i++)
		if (p->op[i].status == GNTST_okay)
			p->pub.page[free++] = p->pub.page[i];
	gnttab_free_pages(free, p->pub.page);
	if (free < p->pub.n)
		duct_grant_leaked(p->pub.n - free);
	duct_pages_free(p);
}
