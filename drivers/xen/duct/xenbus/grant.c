// SPDX-License-Identifier: GPL-2.0
/*
 * The frontend's pages: shared by grants, and not freed before the peer has let
 * go. What a silent peer still maps is quarantined: counted, capped, tried
 * again, and handed to the kernel's own deferred list when the module goes.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/page.h>

#include "grant.h"

/* 64 MiB: eight links of the default budget whose peers all went silent. */
#define DUCT_QUARANTINE_MAX 16384

static void duct_quarantine_retry(struct work_struct *work);

static DEFINE_SPINLOCK(duct_quarantine_lock);	/* the two below */
static LIST_HEAD(duct_quarantine);		/* page->lru; page->private is the reference */
static uint duct_quarantined;
module_param_named(quarantined, duct_quarantined, uint, 0444);
MODULE_PARM_DESC(quarantined, "pages that a peer still maps after their link has gone");
static DECLARE_DELAYED_WORK(duct_quarantine_work, duct_quarantine_retry);

/* Return: true when the page is gone */
static bool duct_grant_end(struct page *page, u32 ref)
{
	if (!gnttab_try_end_foreign_access(ref))
		return false;
	__free_page(page);
	return true;
}

static void duct_quarantine_retry(struct work_struct *work)
{
	struct page *page, *next;
	LIST_HEAD(list);

	spin_lock(&duct_quarantine_lock);
	list_splice_init(&duct_quarantine, &list);
	spin_unlock(&duct_quarantine_lock);
	list_for_each_entry_safe(page, next, &list, lru) {
		list_del(&page->lru);
		if (duct_grant_end(page, page_private(page))) {
			spin_lock(&duct_quarantine_lock);
			duct_quarantined--;
		} else {
			spin_lock(&duct_quarantine_lock);
			list_add_tail(&page->lru, &duct_quarantine);
		}
		spin_unlock(&duct_quarantine_lock);
	}
	if (READ_ONCE(duct_quarantined))
		schedule_delayed_work(&duct_quarantine_work, HZ / 10);
}

static void duct_quarantine_page(struct page *page, u32 ref)
{
	set_page_private(page, ref);
	spin_lock(&duct_quarantine_lock);
	list_add_tail(&page->lru, &duct_quarantine);
	duct_quarantined++;
	spin_unlock(&duct_quarantine_lock);
	schedule_delayed_work(&duct_quarantine_work, HZ / 100 + 1);
}

/**
 * duct_grant_share() - let a domain map pages. [sleep]
 * @peer: which domain
 * @pages: whole pages of our own
 * @n: how many
 * @refs: filled in
 *
 * Return: 0; -ENOSPC: no grant reference is free; -EBUSY: too many pages are in
 * quarantine already
 */
int duct_grant_share(domid_t peer, struct page **pages, u32 n, u32 *refs)
{
	u32 i;

	if (READ_ONCE(duct_quarantined) + n > DUCT_QUARANTINE_MAX)
		return -EBUSY;
	for (i = 0; i < n; i++) {
		int ref = gnttab_grant_foreign_access(peer, xen_page_to_gfn(pages[i]), 0);

		if (ref < 0) {
			while (i--)
				WARN_ON(!gnttab_try_end_foreign_access(refs[i]));
			return ref;
		}
		refs[i] = ref;
	}
	return 0;
}

/**
 * duct_grant_unshare() - end access to pages, and free them. [sleep]
 * @pages: from duct_grant_share()
 * @n: how many
 * @refs: theirs
 */
void duct_grant_unshare(struct page **pages, u32 n, const u32 *refs)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (!duct_grant_end(pages[i], refs[i]))
			duct_quarantine_page(pages[i], refs[i]);
}

/* The module goes: the kernel tries on, and frees. [sleep] */
void duct_grant_exit(void)
{
	struct page *page, *next;

	cancel_delayed_work_sync(&duct_quarantine_work);
	list_for_each_entry_safe(page, next, &duct_quarantine, lru) {
		list_del(&page->lru);
		gnttab_end_foreign_access(page_private(page), page);
	}
}
