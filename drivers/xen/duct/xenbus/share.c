// SPDX-License-Identifier: GPL-2.0
/*
 * Pages shared by grants: for a peer to map, until it has let go. What a silent
 * peer still maps is quarantined: counted, capped, tried again, and handed to the
 * kernel's own deferred list when the module goes.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/page.h>

#include "memory.h"

/* 64 MiB: eight links of the default budget whose peers all went silent. */
#define DUCT_QUARANTINE_MAX 16384

/**
 * struct duct_xen_share - pages that a peer may map
 * @pub: what the core sees
 * @node: on the list of the quarantine
 * @page: each is held; NULL where the peer's access has ended
 */
struct duct_xen_share {
	struct duct_share pub;
	struct list_head node;
	struct page *page[];
};

static void duct_quarantine_retry(struct work_struct *work);

static DEFINE_SPINLOCK(duct_quarantine_lock);	/* the two below */
static LIST_HEAD(duct_quarantine);		/* struct duct_xen_share */
static uint duct_quarantined;
module_param_named(quarantined, duct_quarantined, uint, 0444);
MODULE_PARM_DESC(quarantined, "pages that a peer still maps though they are shared no more");
static DECLARE_DELAYED_WORK(duct_quarantine_work, duct_quarantine_retry);

static void duct_share_free(struct duct_xen_share *share)
{
	kvfree(share->pub.refs);
	kvfree(share);
}

/* Return: pages that the peer still maps */
static u32 duct_share_end(struct duct_xen_share *share)
{
	u32 i, left = 0;

	for (i = 0; i < share->pub.n; i++) {
		if (!share->page[i])
			continue;
		if (!gnttab_try_end_foreign_access(share->pub.refs[i])) {
			left++;
			continue;
		}
		put_page(share->page[i]);
		share->page[i] = NULL;
	}
	return left;
}

static u32 duct_share_held(const struct duct_xen_share *share)
{
	u32 i, n = 0;

	for (i = 0; i < share->pub.n; i++)
		n += !!share->page[i];
	return n;
}

/* @had: pages of it that are counted already; @left: that still are mapped */
static void duct_quarantine_put(struct duct_xen_share *share, u32 had, u32 left)
{
	spin_lock(&duct_quarantine_lock);
	duct_quarantined -= had - left;
	if (left)
		list_add_tail(&share->node, &duct_quarantine);
	spin_unlock(&duct_quarantine_lock);
	if (!left)
		duct_share_free(share);
}

static void duct_quarantine_retry(struct work_struct *work)
{
	struct duct_xen_share *share, *next;
	LIST_HEAD(list);

	spin_lock(&duct_quarantine_lock);
	list_splice_init(&duct_quarantine, &list);
	spin_unlock(&duct_quarantine_lock);
	list_for_each_entry_safe(share, next, &list, node) {
		u32 had = duct_share_held(share);

		list_del(&share->node);
		duct_quarantine_put(share, had, duct_share_end(share));
	}
	if (READ_ONCE(duct_quarantined))
		schedule_delayed_work(&duct_quarantine_work, HZ / 10);
}

/**
 * duct_grant_share() - let a domain map pages. [sleep]
 * @peer: which domain
 * @pages: whole pages of our own; each is held until the peer has let go of it
 * @n: how many
 * @writable: or only to read
 *
 * Return: the share; ERR_PTR(): -ENOSPC: no grant reference is free; -EBUSY: too many
 * pages are in quarantine already; -ENOMEM
 */
struct duct_share *duct_grant_share(domid_t peer, struct page **pages, u32 n, bool writable)
{
	struct duct_xen_share *share;
	u32 i;

	if (READ_ONCE(duct_quarantined) + n > DUCT_QUARANTINE_MAX)
		return ERR_PTR(-EBUSY);
	share = kvzalloc(struct_size(share, page, n), GFP_KERNEL);
	if (!share)
		return ERR_PTR(-ENOMEM);
	share->pub.refs = kvcalloc(n, sizeof(u32), GFP_KERNEL);
	if (!share->pub.refs) {
		kvfree(share);
		return ERR_PTR(-ENOMEM);
	}
	share->pub.n = n;
	for (i = 0; i < n; i++) {
		int ref = gnttab_grant_foreign_access(peer, xen_page_to_gfn(pages[i]), !writable);

		if (ref < 0) {
			duct_grant_unshare(&share->pub);
			return ERR_PTR(-ENOSPC);
		}
		get_page(pages[i]);
		share->page[i] = pages[i];
		share->pub.refs[i] = ref;
	}
	return &share->pub;
}

/**
 * duct_grant_unshare() - end the peer's access, now or when it lets go. [sleep]
 * @pub: from duct_grant_share(); gone after this
 */
void duct_grant_unshare(struct duct_share *pub)
{
	struct duct_xen_share *share = container_of(pub, struct duct_xen_share, pub);
	u32 left = duct_share_end(share);

	spin_lock(&duct_quarantine_lock);
	duct_quarantined += left;
	spin_unlock(&duct_quarantine_lock);
	duct_quarantine_put(share, left, left);
	if (left)
		schedule_delayed_work(&duct_quarantine_work, HZ / 100 + 1);
}

/* The module goes: the kernel tries on, and frees. [sleep] */
void duct_grant_exit(void)
{
	struct duct_xen_share *share, *next;
	u32 i;

	cancel_delayed_work_sync(&duct_quarantine_work);
	list_for_each_entry_safe(share, next, &duct_quarantine, node) {
		list_del(&share->node);
		/* It takes our hold of the page over. */
		for (i = 0; i < share->pub.n; i++)
			if (share->page[i])
				gnttab_end_foreign_access(share->pub.refs[i], share->page[i]);
		duct_share_free(share);
	}
}
