// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping what a peer shares: contiguous, any number of pages.
 *
 * xenbus_map_ring_valloc() stops at 16 pages, and its parts are not exported. A
 * PV domain maps straight into page table entries of a vmap area, so what it
 * maps has no struct page; others map at pages that have no memory of their own.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/page.h>
#include <xen/xen.h>
#include <asm/xen/hypercall.h>

#include "memory.h"

static DEFINE_SPINLOCK(duct_leaked_lock);	/* the next */
static uint duct_leaked;
module_param_named(leaked, duct_leaked, uint, 0444);
MODULE_PARM_DESC(leaked, "pages whose unmapping failed; their addresses are never used again");

/* So many pages are still mapped: these addresses must not be given to anybody else. [any] */
void duct_grant_leaked(u32 pages)
{
	unsigned long irq;

	spin_lock_irqsave(&duct_leaked_lock, irq);
	duct_leaked += pages;
	spin_unlock_irqrestore(&duct_leaked_lock, irq);
}

static bool duct_map_is_pv(void)
{
	return xen_pv_domain();
}

static void duct_mapping_free(struct duct_xen_mapping *m)
{
	kvfree(m->host);
	kvfree(m->handle);
	kvfree(m->pages);
	kvfree(m->ref);
	kfree(m);
}

static struct duct_xen_mapping *duct_mapping_new(u32 n, bool writable)
{
	struct duct_xen_mapping *m = kzalloc(sizeof(*m), GFP_KERNEL);
	u32 i;

	if (!m)
		return NULL;
	m->n = n;
	m->writable = writable;
	INIT_LIST_HEAD(&m->users);
	m->host = kvcalloc(n, sizeof(*m->host), GFP_KERNEL);
	m->handle = kvcalloc(n, sizeof(*m->handle), GFP_KERNEL);
	m->pages = kvcalloc(n, sizeof(*m->pages), GFP_KERNEL);
	if (!m->host || !m->handle || !m->pages) {
		duct_mapping_free(m);
		return NULL;
	}
	for (i = 0; i < n; i++)
		m->handle[i] = INVALID_GRANT_HANDLE;
	return m;
}

#ifdef CONFIG_XEN_PV
/* Addresses with page table entries and nothing in them. Return: 0 or -ENOMEM */
static int duct_map_area_pv(struct duct_xen_mapping *m)
{
	struct page *placeholder = alloc_page(GFP_KERNEL);
	unsigned int level;
	u32 i;

	if (!placeholder)
		return -ENOMEM;
	for (i = 0; i < m->n; i++)
		m->pages[i] = placeholder;
	m->pub.addr = vmap(m->pages, m->n, VM_MAP, __pgprot(0));
	__free_page(placeholder);
	kvfree(m->pages);
	m->pages = NULL;
	if (!m->pub.addr)
		return -ENOMEM;
	for (i = 0; i < m->n; i++) {
		pte_t *pte = lookup_address((unsigned long)m->pub.addr + i * PAGE_SIZE, &level);

		if (WARN_ON_ONCE(!pte || level != PG_LEVEL_4K))
			return -ENOMEM;
		set_pte(pte, __pte(0));
		m->host[i] = arbitrary_virt_to_machine(pte).maddr;
	}
	return 0;
}
#else
static int duct_map_area_pv(struct duct_xen_mapping *m)
{
	return -ENOMEM;
}
#endif

static int duct_map_area(struct duct_xen_mapping *m)
{
	u32 i;
	int err;

	if (duct_map_is_pv())
		return duct_map_area_pv(m);
	err = xen_alloc_unpopulated_pages(m->n, m->pages);
	if (err) {
		kvfree(m->pages);
		m->pages = NULL;
		return err;
	}
	for (i = 0; i < m->n; i++)
		m->host[i] = (phys_addr_t)(unsigned long)
			     pfn_to_kaddr(page_to_xen_pfn(m->pages[i]));
	/* Read only here, too, or a write would be a #GP that nobody expects. */
	m->pub.addr = vmap(m->pages, m->n, VM_MAP, m->writable ? PAGE_KERNEL : PAGE_KERNEL_RO);
	return m->pub.addr ? 0 : -ENOMEM;
}

static u32 duct_map_flags(const struct duct_xen_mapping *m)
{
	return GNTMAP_host_map | (duct_map_is_pv() ? GNTMAP_contains_pte : 0) |
	       (m->writable ? 0 : GNTMAP_readonly);
}

/* Return: 0; -EINVAL when a page could not be mapped; -ENOMEM */
static int duct_map_pages(struct duct_xen_mapping *m, domid_t peer, const u32 *refs)
{
	struct gnttab_map_grant_ref *ops = kvcalloc(m->n, sizeof(*ops), GFP_KERNEL);
	int err = 0;
	u32 i;

	if (!ops)
		return -ENOMEM;
	for (i = 0; i < m->n; i++) {
		gnttab_set_map_op(&ops[i], m->host[i], duct_map_flags(m), refs[i], peer);
		/* What the hypervisor does not reach is no success. */
		ops[i].status = GNTST_general_error;
	}
	if (HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, ops, m->n))
		err = -EINVAL;
	for (i = 0; i < m->n; i++) {
		if (ops[i].status == GNTST_okay)
			m->handle[i] = ops[i].handle;
		else
			err = -EINVAL;
	}
	kvfree(ops);
	return err;
}

/* Return: 0, or -EIO when something is still mapped */
static int duct_unmap_pages(struct duct_xen_mapping *m)
{
	struct gnttab_unmap_grant_ref op;
	int err = 0;
	u32 i;

	for (i = 0; i < m->n; i++) {
		if (m->handle[i] == INVALID_GRANT_HANDLE)
			continue;
		gnttab_set_unmap_op(&op, m->host[i], duct_map_flags(m), m->handle[i]);
		op.status = GNTST_general_error;
		if (HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1) ||
		    op.status != GNTST_okay) {
			pr_err_ratelimited("duct: page %u of %u cannot be unmapped: %d\n", i,
					   m->n, op.status);
			err = -EIO;
			continue;
		}
		m->handle[i] = INVALID_GRANT_HANDLE;
	}
	return err;
}

/* On PV, user space maps them by these once more. Return: 0 or -ENOMEM */
static int duct_map_keep_refs(struct duct_xen_mapping *m, const u32 *refs)
{
	if (!duct_map_is_pv())
		return 0;
	m->ref = kvmalloc_array(m->n, sizeof(*m->ref), GFP_KERNEL);
	if (!m->ref)
		return -ENOMEM;
	memcpy(m->ref, refs, m->n * sizeof(*m->ref));
	return 0;
}

/**
 * duct_grant_map() - map pages of the peer. [sleep]
 * @peer: whose
 * @refs: their grant references, a private copy
 * @n: how many
 * @writable: or only to read
 *
 * Return: the mapping; ERR_PTR(): -EINVAL when the hypervisor refused a page,
 * -ENOMEM. Nothing stays mapped then
 */
struct duct_mapping *duct_grant_map(domid_t peer, const u32 *refs, u32 n, bool writable)
{
	struct duct_xen_mapping *m = duct_mapping_new(n, writable);
	int err;

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->peer = peer;
	err = duct_map_keep_refs(m, refs);
	if (!err)
		err = duct_map_area(m);
	if (!err)
		err = duct_map_pages(m, peer, refs);
	if (err) {
		duct_grant_unmap(&m->pub);
		return ERR_PTR(err);
	}
	return &m->pub;
}

/**
 * duct_grant_unmap() - the reverse of duct_grant_map(). [sleep]
 * @mapping: gone after this
 */
void duct_grant_unmap(struct duct_mapping *mapping)
{
	struct duct_xen_mapping *m = container_of(mapping, struct duct_xen_mapping, pub);

	if (duct_map_is_pv()) {
		duct_grant_munmap(m);
		if (duct_unmap_pages(m))
			goto leak;
		vunmap(m->pub.addr);
	} else {
		/* Our second view of the pages goes before they do. */
		vunmap(m->pub.addr);
		if (duct_unmap_pages(m))
			goto leak;
		if (m->pages)
			xen_free_unpopulated_pages(m->n, m->pages);
	}
	duct_mapping_free(m);
	return;
leak:
	duct_grant_leaked(m->n);
}

/* The page at @i, or NULL on PV: see duct_grant_mmap(). [any] */
struct page *duct_grant_page(struct duct_mapping *mapping, u32 i)
{
	struct duct_xen_mapping *m = container_of(mapping, struct duct_xen_mapping, pub);

	return m->pages ? m->pages[i] : NULL;
}
