// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the two ends of a loopback: what Xen does by grants is done by a table
 * of pages and by page tables. In xen_duct.ko, as xenbus/memory.h is, since it
 * outlives the wire.
 */
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include "../wire.h"

/* Pages by reference, shared or lent; a zero entry is revoked. */
static DEFINE_XARRAY_FLAGS(duct_local, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_IRQ);

/* Of what is lent: the other end has it mapped. */
#define DUCT_LOCAL_MAPPED	XA_MARK_1

/**
 * struct duct_local_share - pages that the other end may map
 * @pub: what the core sees
 * @page: each is held
 */
struct duct_local_share {
	struct duct_share pub;
	struct page *page[];
};

struct duct_local_mapping {
	struct duct_mapping pub;
	u32 n;
	struct page *page[];
};

/* ---- mapping ---- */

static void duct_local_unmap(struct duct_mapping *mapping)
{
	struct duct_local_mapping *m = container_of(mapping, struct duct_local_mapping, pub);
	u32 i;

	vunmap(m->pub.addr);
	for (i = 0; i < m->n && m->page[i]; i++)
		put_page(m->page[i]);
	kvfree(m);
}

static struct duct_mapping *duct_local_map(domid_t peer, const u32 *refs, u32 n, bool writable)
{
	struct duct_local_mapping *m = kvzalloc(struct_size(m, page, n), GFP_KERNEL);
	u32 i;

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->n = n;
	for (i = 0; i < n; i++) {
		xa_lock_irq(&duct_local);
		m->page[i] = xa_load(&duct_local, refs[i]);
		if (m->page[i])
			get_page(m->page[i]);
		xa_unlock_irq(&duct_local);
		if (!m->page[i]) {
			duct_local_unmap(&m->pub);
			return ERR_PTR(-EINVAL);
		}
	}
	m->pub.addr = vmap(m->page, n, VM_MAP, writable ? PAGE_KERNEL : PAGE_KERNEL_RO);
	if (!m->pub.addr) {
		duct_local_unmap(&m->pub);
		return ERR_PTR(-ENOMEM);
	}
	return &m->pub;
}

static struct page *duct_local_page(struct duct_mapping *mapping, u32 i)
{
	return container_of(mapping, struct duct_local_mapping, pub)->page[i];
}

/* ---- lending ---- */

static u32 duct_local_revoke(struct page **pages, u32 n, const u32 *refs)
{
	u32 i, ended = 0;
	unsigned long irq;

	xa_lock_irqsave(&duct_local, irq);
	while (ended < n && !xa_get_mark(&duct_local, refs[ended], DUCT_LOCAL_MAPPED))
		__xa_store(&duct_local, refs[ended++], XA_ZERO_ENTRY, GFP_ATOMIC);
	for (i = ended; i < n; i++)
		get_page(pages[i]);
	xa_unlock_irqrestore(&duct_local, irq);
	return ended;
}

/* A page that is still mapped lives on by the mapper's hold, which frees the reference, too. */
static u32 duct_local_reclaim(domid_t peer, struct page **pages, u32 n, const u32 *refs, u32 ended,
			      bool held)
{
	unsigned long irq;
	u32 i, kept = 0;

	xa_lock_irqsave(&duct_local, irq);
	for (i = 0; i < n; i++) {
		if (xa_get_mark(&duct_local, refs[i], DUCT_LOCAL_MAPPED)) {
			__xa_store(&duct_local, refs[i], XA_ZERO_ENTRY, GFP_ATOMIC);
			kept++;
		} else {
			__xa_erase(&duct_local, refs[i]);
		}
	}
	xa_unlock_irqrestore(&duct_local, irq);
	for (i = ended; held && i < n; i++)
		put_page(pages[i]);
	return kept;
}

static int duct_local_lend(domid_t peer, struct page **pages, u32 n, bool writable, u32 *refs)
{
	unsigned long irq;
	int err = 0;
	u32 i;

	xa_lock_irqsave(&duct_local, irq);
	for (i = 0; i < n && !err; i++)
		err = __xa_alloc(&duct_local, &refs[i], pages[i],
				 XA_LIMIT(1, DUCT_SEG_REST), GFP_ATOMIC);
	while (err && --i)
		__xa_erase(&duct_local, refs[i - 1]);
	xa_unlock_irqrestore(&duct_local, irq);
	return err ? -ENOSPC : 0;
}

/* Under the lock that revoking takes: what was revoked is not touched any more. */
static int duct_local_copy(domid_t peer, struct duct_copy_batch *batch)
{
	unsigned long irq;
	int err = 0;
	u32 i;

	xa_lock_irqsave(&duct_local, irq);
	for (i = 0; i < batch->n; i++) {
		const struct duct_copy *copy = &batch->copy[i];
		struct page *page = xa_load(&duct_local, copy->ref);

		if (!page)
			err = -EIO;
		else if (copy->to_peer)
			memcpy_page(page, copy->offset, copy->page, copy->page_offset, copy->len);
		else
			memcpy_page(copy->page, copy->page_offset, page, copy->offset, copy->len);
	}
	xa_unlock_irqrestore(&duct_local, irq);
	return err;
}

/* ---- mapping what was lent ---- */

/**
 * struct duct_local_pages - pages of the other end, mapped: no more than held
 * @pub: what the core sees
 * @ref: their references
 */
struct duct_local_pages {
	struct duct_pages pub;
	u32 *ref;
};

static void duct_local_unmap_pages(struct duct_pages *pages)
{
	struct duct_local_pages *p = container_of(pages, struct duct_local_pages, pub);
	unsigned long irq;
	u32 i;

	for (i = 0; i < p->pub.n; i++) {
		xa_lock_irqsave(&duct_local, irq);
		__xa_clear_mark(&duct_local, p->ref[i], DUCT_LOCAL_MAPPED);
		if (!xa_load(&duct_local, p->ref[i]))
			__xa_erase(&duct_local, p->ref[i]);
		xa_unlock_irqrestore(&duct_local, irq);
		put_page(p->pub.page[i]);
	}
	kvfree(p->pub.page);
	kvfree(p->ref);
	kfree(p);
}

/* Once at a time. Return: the page, held; NULL: it is not lent, or mapped already */
static struct page *duct_local_hold(u32 ref)
{
	struct page *page;
	unsigned long irq;

	xa_lock_irqsave(&duct_local, irq);
	page = xa_load(&duct_local, ref);
	if (page && xa_get_mark(&duct_local, ref, DUCT_LOCAL_MAPPED))
		page = NULL;
	if (page) {
		get_page(page);
		__xa_set_mark(&duct_local, ref, DUCT_LOCAL_MAPPED);
	}
	xa_unlock_irqrestore(&duct_local, irq);
	return page;
}

/* Writing where only reading was allowed is no fault, other than on Xen. */
static struct duct_pages *duct_local_map_pages(domid_t peer, const u32 *refs, u32 n,
					       bool writable)
{
	struct duct_local_pages *p = kzalloc(sizeof(*p), GFP_KERNEL);
	int err = -ENOMEM;

	if (!p)
		return ERR_PTR(-ENOMEM);
	p->ref = kvcalloc(n, sizeof(*p->ref), GFP_KERNEL);
	p->pub.page = kvcalloc(n, sizeof(*p->pub.page), GFP_KERNEL);
	if (p->ref && p->pub.page) {
		memcpy(p->ref, refs, n * sizeof(*refs));
		while (p->pub.n < n && (p->pub.page[p->pub.n] = duct_local_hold(refs[p->pub.n])))
			p->pub.n++;
		err = p->pub.n == n ? 0 : -EIO;
	}
	if (!err)
		return &p->pub;
	duct_local_unmap_pages(&p->pub);
	return ERR_PTR(err);
}

/* ---- sharing ---- */

static void duct_local_share_free(struct duct_local_share *share)
{
	kvfree(share->pub.refs);
	kvfree(share);
}

/* A page that is still mapped lives on by the mapper's hold. */
static void duct_local_unshare(struct duct_share *pub)
{
	struct duct_local_share *share = container_of(pub, struct duct_local_share, pub);
	u32 i;

	for (i = 0; i < share->pub.n; i++)
		xa_erase_irq(&duct_local, share->pub.refs[i]);
	for (i = 0; i < share->pub.n; i++)
		put_page(share->page[i]);
	duct_local_share_free(share);
}

static struct duct_share *duct_local_share(domid_t peer, struct page **pages, u32 n,
					   bool writable)
{
	struct duct_local_share *share = kvzalloc(struct_size(share, page, n), GFP_KERNEL);
	u32 i;
	int err;

	if (!share)
		return ERR_PTR(-ENOMEM);
	share->pub.n = n;
	share->pub.refs = kvcalloc(n, sizeof(u32), GFP_KERNEL);
	err = share->pub.refs ? duct_local_lend(peer, pages, n, writable, share->pub.refs) :
				-ENOMEM;
	if (err) {
		duct_local_share_free(share);
		return ERR_PTR(err);
	}
	for (i = 0; i < n; i++) {
		get_page(pages[i]);
		share->page[i] = pages[i];
	}
	return &share->pub;
}

const struct duct_memory_ops duct_local_memory = {
	.share = duct_local_share,
	.unshare = duct_local_unshare,
	.map = duct_local_map,
	.unmap = duct_local_unmap,
	.page = duct_local_page,
	.lend = duct_local_lend,
	.revoke = duct_local_revoke,
	.reclaim = duct_local_reclaim,
	.copy = duct_local_copy,
	.map_pages = duct_local_map_pages,
	.unmap_pages = duct_local_unmap_pages,
};
EXPORT_SYMBOL_GPL(duct_local_memory);

/* Nobody shares or lends any more. */
void duct_local_exit(void)
{
	WARN_ON(!xa_empty(&duct_local));
	xa_destroy(&duct_local);
}
