// SPDX-License-Identifier: GPL-2.0
/*
 * Pages shared by grants: for a peer to map, until it has let go. What a silent
 * peer still maps, of these and of what was lent, is quarantined: counted, capped,
 * tried again, and handed to the kernel's own deferred list when the module goes.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xen/grant_table.h>
#include <xen/page.h>
#include <xen/xen.h>

#include "memory.h"

/* 64 MiB: eight links of the default budget whose peers all went silent. */
#define DUCT_QUARANTINE_MAX 16384

/* Of these, one peer's: twice the default budget, or four of the longest lists lent. */
#define DUCT_QUARANTINE_PEER 4096

/*
 * When a PV domain dies, Xen takes back its grants before its page tables, which hold
 * the pages still: one that were used as a page table here meanwhile, could not be.
 * Nothing says when that is over. Taking apart 1 GiB takes the emulated machine 1 s.
 */
#define DUCT_QUARANTINE_GRACE (5 * HZ)

/**
 * struct duct_xen_share - pages that a peer may map
 * @pub: what the core sees; a reference is 0 once the peer's access has ended
 * @node: on the list of the quarantine
 * @peer: who may map them
 * @mapped: pages whose reference is not 0
 * @free_at: jiffies: in quarantine, when @mapped is 0
 * @page: each is held
 */
struct duct_xen_share {
	struct duct_share pub;
	struct list_head node;
	domid_t peer;
	u32 mapped;
	unsigned long free_at;
	struct page *page[];
};

static void duct_quarantine_retry(struct work_struct *work);

static DEFINE_SPINLOCK(duct_quarantine_lock);	/* the two below; hard irqs off */
static LIST_HEAD(duct_quarantine);		/* struct duct_xen_share */
static uint duct_quarantined;
module_param_named(quarantined, duct_quarantined, uint, 0444);
MODULE_PARM_DESC(quarantined, "pages shared no more with a peer that has not let go of all");
static DECLARE_DELAYED_WORK(duct_quarantine_work, duct_quarantine_retry);

static struct duct_xen_share *duct_share_new(domid_t peer, u32 n, gfp_t gfp)
{
	struct duct_xen_share *share = kvzalloc(struct_size(share, page, n), gfp);

	if (!share)
		return NULL;
	share->peer = peer;
	share->pub.n = n;
	share->pub.refs = kvcalloc(n, sizeof(u32), gfp);
	if (share->pub.refs)
		return share;
	kvfree(share);
	return NULL;
}

static void duct_share_free(struct duct_xen_share *share)
{
	u32 i;

	for (i = 0; i < share->pub.n; i++)
		if (share->page[i])
			put_page(share->page[i]);
	kvfree(share->pub.refs);
	kvfree(share);
}

/* Ends the peer's access where it has let go. */
static void duct_share_end(struct duct_xen_share *share)
{
	u32 i;

	for (i = 0; share->mapped && i < share->pub.n; i++) {
		if (!share->pub.refs[i] || !gnttab_try_end_foreign_access(share->pub.refs[i]))
			continue;
		share->pub.refs[i] = 0;
		share->mapped--;
	}
}

/* Return: true when the share can go */
static bool duct_share_retry(struct duct_xen_share *share)
{
	if (share->mapped) {
		duct_share_end(share);
		share->free_at = jiffies + (xen_pv_domain() ? DUCT_QUARANTINE_GRACE : 0);
	}
	return !share->mapped && time_after_eq(jiffies, share->free_at);
}

static void duct_quarantine_retry(struct work_struct *work)
{
	struct duct_xen_share *share, *next;
	LIST_HEAD(list);

	spin_lock_irq(&duct_quarantine_lock);
	list_splice_init(&duct_quarantine, &list);
	spin_unlock_irq(&duct_quarantine_lock);
	list_for_each_entry_safe(share, next, &list, node) {
		bool end = duct_share_retry(share);

		list_del(&share->node);
		spin_lock_irq(&duct_quarantine_lock);
		if (end)
			duct_quarantined -= share->pub.n;
		else
			list_add_tail(&share->node, &duct_quarantine);
		spin_unlock_irq(&duct_quarantine_lock);
		if (end)
			duct_share_free(share);
	}
	if (READ_ONCE(duct_quarantined))
		schedule_delayed_work(&duct_quarantine_work, HZ / 10);
}

/* Into the quarantine, unless the peer has let go of all. [any] */
static void duct_share_end_all(struct duct_xen_share *share)
{
	unsigned long irq;

	duct_share_end(share);
	if (!share->mapped) {
		duct_share_free(share);
		return;
	}
	spin_lock_irqsave(&duct_quarantine_lock, irq);
	duct_quarantined += share->pub.n;
	list_add_tail(&share->node, &duct_quarantine);
	spin_unlock_irqrestore(&duct_quarantine_lock, irq);
	schedule_delayed_work(&duct_quarantine_work, HZ / 100 + 1);
}

/**
 * duct_grant_room() - may a peer have more pages, for all that it has not let go of? [any]
 * @peer: which domain
 * @n: how many
 */
bool duct_grant_room(domid_t peer, u32 n)
{
	struct duct_xen_share *share;
	unsigned long irq;
	u32 own = n, all;

	if (likely(!READ_ONCE(duct_quarantined)))
		return true;
	spin_lock_irqsave(&duct_quarantine_lock, irq);
	all = duct_quarantined + n;
	list_for_each_entry(share, &duct_quarantine, node)
		if (share->peer == peer)
			own += share->pub.n;
	spin_unlock_irqrestore(&duct_quarantine_lock, irq);
	return all <= DUCT_QUARANTINE_MAX && own <= DUCT_QUARANTINE_PEER;
}

/**
 * duct_grant_share() - let a domain map pages. [sleep]
 * @peer: which domain
 * @pages: whole pages of our own; each is held until the peer has let go of it
 * @n: how many
 * @writable: or only to read
 *
 * Return: the share; ERR_PTR(): -ENOSPC: no grant reference is free; -EBUSY: too many
 * pages are in quarantine already, of all or of this peer; -ENOMEM
 */
struct duct_share *duct_grant_share(domid_t peer, struct page **pages, u32 n, bool writable)
{
	struct duct_xen_share *share;
	u32 i;

	if (!duct_grant_room(peer, n))
		return ERR_PTR(-EBUSY);
	share = duct_share_new(peer, n, GFP_KERNEL);
	if (!share)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < n; i++) {
		int ref = gnttab_grant_foreign_access(peer, xen_page_to_gfn(pages[i]), !writable);

		if (ref < 0) {
			duct_grant_unshare(&share->pub);
			return ERR_PTR(-ENOSPC);
		}
		get_page(pages[i]);
		share->page[i] = pages[i];
		share->pub.refs[i] = ref;
		share->mapped++;
	}
	return &share->pub;
}

/**
 * duct_grant_unshare() - end the peer's access, now or when it lets go. [sleep]
 * @pub: from duct_grant_share(); gone after this
 */
void duct_grant_unshare(struct duct_share *pub)
{
	duct_share_end_all(container_of(pub, struct duct_xen_share, pub));
}

/**
 * duct_grant_keep() - end a peer's access to pages lent, when it lets go. [any]
 * @peer: which domain
 * @pages: each is held for this
 * @n: how many, at least one
 * @refs: theirs
 */
void duct_grant_keep(domid_t peer, struct page **pages, u32 n, const u32 *refs)
{
	struct duct_xen_share *share = duct_share_new(peer, n, GFP_ATOMIC | __GFP_NOWARN);
	u32 i;

	if (!share) {
		/* Then the kernel's own list of such pages has to do. */
		for (i = 0; i < n; i++)
			gnttab_end_foreign_access(refs[i], pages[i]);
		return;
	}
	memcpy(share->page, pages, n * sizeof(*pages));
	memcpy(share->pub.refs, refs, n * sizeof(*refs));
	share->mapped = n;
	duct_share_end_all(share);
}

/* The module goes: the kernel tries on, and frees. [sleep] */
void duct_grant_exit(void)
{
	struct duct_xen_share *share, *next;
	u32 i;

	cancel_delayed_work_sync(&duct_quarantine_work);
	list_for_each_entry_safe(share, next, &duct_quarantine, node) {
		list_del(&share->node);
		/* It takes our hold of a page over. */
		for (i = 0; i < share->pub.n; i++) {
			if (!share->pub.refs[i])
				continue;
			gnttab_end_foreign_access(share->pub.refs[i], share->page[i]);
			share->page[i] = NULL;
		}
		duct_share_free(share);
	}
}
