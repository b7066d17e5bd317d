// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of the peer in the page tables of user space, on PV, where they have no struct
 * page: each is mapped once more, by its grant, with the address of its page table entry,
 * as gntdev does. All of them at once, while mmap_lock is held to write: nobody else
 * changes the entries then. They go when the addresses are unmapped, or used otherwise,
 * or the mapping goes, whichever is first.
 */
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/page.h>
#include <asm/xen/hypercall.h>

#include "../compat/compat.h"
#include "memory.h"

/**
 * struct duct_xen_user - pages mapped in a process
 * @ref: one of each VMA: there are two while an mremap() fails
 * @node: on mapping->users; empty when that is gone
 * @notifier: tells when the page tables change
 * @start: the first page's address
 * @n: how many
 * @flags: GNTMAP_*
 * @op: the hypervisor's
 * @handle: of each; INVALID_GRANT_HANDLE where not mapped
 * @host: its page table entry
 */
struct duct_xen_user {
	struct kref ref;
	struct list_head node;
	struct mmu_interval_notifier notifier;
	unsigned long start;
	u32 n;
	u32 flags;
	struct gnttab_map_grant_ref *op;
	grant_handle_t *handle;
	u64 *host;
};

/* Lists and handles; nothing is allocated under it, for reclaim may want it. */
static DEFINE_MUTEX(duct_user_lock);

static void duct_user_unmap(struct duct_xen_user *user, u32 from, u32 to)
{
	struct gnttab_unmap_grant_ref op;
	u32 i;

	lockdep_assert_held(&duct_user_lock);
	for (i = from; i < to; i++) {
		if (user->handle[i] == INVALID_GRANT_HANDLE)
			continue;
		gnttab_set_unmap_op(&op, user->host[i], user->flags, user->handle[i]);
		op.status = GNTST_general_error;
		if (HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1) ||
		    op.status != GNTST_okay)
			pr_err_ratelimited("duct: a user's page cannot be unmapped: %d\n",
					   op.status);
		user->handle[i] = INVALID_GRANT_HANDLE;
	}
}

static bool duct_user_invalidate(struct mmu_interval_notifier *notifier,
				 const struct mmu_notifier_range *range, unsigned long seq)
{
	struct duct_xen_user *user = container_of(notifier, struct duct_xen_user, notifier);
	unsigned long end = user->start + (unsigned long)user->n * PAGE_SIZE;

	if (!mmu_notifier_range_blockable(range))
		return false;
	if (range->start >= end || range->end <= user->start)
		return true;
	mutex_lock(&duct_user_lock);
	mmu_interval_set_seq(notifier, seq);
	duct_user_unmap(user, (max(range->start, user->start) - user->start) >> PAGE_SHIFT,
			(min(range->end, end) - user->start) >> PAGE_SHIFT);
	mutex_unlock(&duct_user_lock);
	return true;
}

static const struct mmu_interval_notifier_ops duct_user_notifier_ops = {
	.invalidate = duct_user_invalidate,
};

static void duct_user_free(struct duct_xen_user *user)
{
	kvfree(user->op);
	kvfree(user->handle);
	kvfree(user->host);
	kfree(user);
}

static struct duct_xen_user *duct_user_new(unsigned long start, u32 n)
{
	struct duct_xen_user *user = kzalloc(sizeof(*user), GFP_KERNEL);
	u32 i;

	if (!user)
		return NULL;
	kref_init(&user->ref);
	INIT_LIST_HEAD(&user->node);
	user->start = start;
	user->n = n;
	user->op = kvcalloc(n, sizeof(*user->op), GFP_KERNEL);
	user->handle = kvcalloc(n, sizeof(*user->handle), GFP_KERNEL);
	user->host = kvcalloc(n, sizeof(*user->host), GFP_KERNEL);
	if (!user->op || !user->handle || !user->host) {
		duct_user_free(user);
		return NULL;
	}
	for (i = 0; i < n; i++)
		user->handle[i] = INVALID_GRANT_HANDLE;
	return user;
}

/* Its addresses are not the user's any more. */
static void duct_user_end(struct kref *ref)
{
	struct duct_xen_user *user = container_of(ref, struct duct_xen_user, ref);

	mutex_lock(&duct_user_lock);
	duct_user_unmap(user, 0, user->n);
	list_del_init(&user->node);
	mutex_unlock(&duct_user_lock);
	mmu_interval_notifier_remove(&user->notifier);
	duct_user_free(user);
}

static void duct_user_vm_open(struct vm_area_struct *vma)
{
	struct duct_xen_user *user = vma->vm_private_data;

	kref_get(&user->ref);
}

static void duct_user_vm_close(struct vm_area_struct *vma)
{
	struct duct_xen_user *user = vma->vm_private_data;

	kref_put(&user->ref, duct_user_end);
}

/* The notifier knows one range of addresses. */
static int duct_user_vm_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

/* Asked when it was moved: back again, but its pages have gone by then. */
static int duct_user_vm_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static const struct vm_operations_struct duct_user_vm_ops = {
	.open = duct_user_vm_open,
	.close = duct_user_vm_close,
	.may_split = duct_user_vm_split,
	.mremap = duct_user_vm_mremap,
};

static int duct_user_find_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct duct_xen_user *user = data;

	user->host[(addr - user->start) >> PAGE_SHIFT] = arbitrary_virt_to_machine(pte).maddr;
	return 0;
}

/* Return: 0; -EIO: the hypervisor refused a page */
static int duct_user_map(struct duct_xen_user *user, struct duct_xen_mapping *m, u32 first)
{
	int err = 0;
	u32 i;

	for (i = 0; i < user->n; i++) {
		gnttab_set_map_op(&user->op[i], user->host[i], user->flags, m->ref[first + i],
				  m->peer);
		user->op[i].status = GNTST_general_error;
	}
	mutex_lock(&duct_user_lock);
	if (HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, user->op, user->n))
		err = -EIO;
	for (i = 0; i < user->n; i++) {
		if (user->op[i].status == GNTST_okay)
			user->handle[i] = user->op[i].handle;
		else
			err = -EIO;
	}
	list_add(&user->node, &m->users);
	mutex_unlock(&duct_user_lock);
	return err;
}

/**
 * duct_grant_mmap() - map pages of a mapping in user space. [sleep]
 * @mapping: from duct_grant_map(), on PV; duct_grant_unmap() does not run meanwhile
 * @vma: where; mmap_lock is held to write
 * @first: the first of the pages
 *
 * Return: 0; -EIO: the hypervisor refused a page; -ENOMEM
 */
int duct_grant_mmap(struct duct_mapping *mapping, struct vm_area_struct *vma, u32 first)
{
	struct duct_xen_mapping *m = container_of(mapping, struct duct_xen_mapping, pub);
	struct duct_xen_user *user;
	int err;

	/* Only so are the entries left alone by all who would look for a struct page. */
	if (!xen_feature(XENFEAT_gnttab_map_avail_bits))
		return -EIO;
	user = duct_user_new(vma->vm_start, vma_pages(vma));
	if (!user)
		return -ENOMEM;
	user->flags = GNTMAP_host_map | GNTMAP_application_map | GNTMAP_contains_pte |
		      1 << _GNTMAP_guest_avail0 |
		      (vma->vm_flags & VM_WRITE ? 0 : GNTMAP_readonly);
	err = mmu_interval_notifier_insert_locked(&user->notifier, vma->vm_mm, vma->vm_start,
						  vma->vm_end - vma->vm_start,
						  &duct_user_notifier_ops);
	if (err) {
		duct_user_free(user);
		return err;
	}
	mmu_interval_read_begin(&user->notifier);
	err = apply_to_page_range(vma->vm_mm, vma->vm_start, vma->vm_end - vma->vm_start,
				  duct_user_find_pte, user);
	if (!err)
		err = duct_user_map(user, m, first);
	if (err) {
		kref_put(&user->ref, duct_user_end);
		return err;
	}
	duct_compat_vm_flags_set(vma, VM_DONTCOPY);
	/* Later it could be made writable, and the pages are not. */
	if (!(vma->vm_flags & VM_WRITE))
		duct_compat_vm_flags_clear(vma, VM_MAYWRITE);
	vma->vm_private_data = user;
	vma->vm_ops = &duct_user_vm_ops;
	return 0;
}

/* The mapping goes: no user has a page of it after this. [sleep] */
void duct_grant_munmap(struct duct_xen_mapping *m)
{
	struct duct_xen_user *user, *next;

	mutex_lock(&duct_user_lock);
	list_for_each_entry_safe(user, next, &m->users, node) {
		duct_user_unmap(user, 0, user->n);
		list_del_init(&user->node);
	}
	mutex_unlock(&duct_user_lock);
}
