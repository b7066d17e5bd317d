// SPDX-License-Identifier: GPL-2.0
/*
 * Regions in the page tables of user space. A page is put there when it is first
 * touched, and all go before the region's memory does; what is touched after that is a
 * SIGBUS. Pages without a struct page are the wire's to map: &duct_memory_ops.mmap.
 */
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "region.h"

/**
 * struct duct_region_users - who has a region mapped in user space
 * @ref: one of the region, and one of each mapping
 * @lock: all below. Inside mmap_lock and peer->mutex
 * @pages: of the region, 0 while there is nothing to map
 * @writable: or only to read
 * @page: owner: the memory
 * @mapping: attached: the memory
 * @memory: attached: whose operations
 * @space: of the file that it is mapped by; its inode is held
 * @pgoff: where the region is in that, so that it can be found there; const
 */
struct duct_region_users {
	struct kref ref;
	struct mutex lock;
	u32 pages;
	bool writable;
	struct page **page;
	struct duct_mapping *mapping;
	const struct duct_memory_ops *memory;
	struct address_space *space;
	unsigned long pgoff;
};

/* Each region has a place of its own in the files that it is mapped by. */
static atomic_long_t duct_region_places;

struct duct_region_users *duct_region_users_new(void)
{
	struct duct_region_users *users = kzalloc(sizeof(*users), GFP_KERNEL);

	if (!users)
		return NULL;
	kref_init(&users->ref);
	mutex_init(&users->lock);
	users->pgoff = atomic_long_inc_return(&duct_region_places) * DUCT_REGION_PAGES_MAX;
	return users;
}

static void duct_region_users_free(struct kref *ref)
{
	struct duct_region_users *users = container_of(ref, struct duct_region_users, ref);

	if (users->space)
		iput(users->space->host);
	kfree(users);
}

void duct_region_users_put(struct duct_region_users *users)
{
	if (users)
		kref_put(&users->ref, duct_region_users_free);
}

/* Owner: from now on. [sleep] */
void duct_region_users_own(struct duct_region_users *users, struct page **page, u32 pages)
{
	mutex_lock(&users->lock);
	users->page = page;
	users->pages = pages;
	users->writable = true;
	mutex_unlock(&users->lock);
}

/* Attached: it is mapped in the kernel. [sleep] */
void duct_region_users_begin(struct duct_region_users *users, struct duct_mapping *mapping,
			     const struct duct_memory_ops *memory, u32 pages, bool writable)
{
	mutex_lock(&users->lock);
	users->mapping = mapping;
	users->memory = memory;
	users->pages = pages;
	users->writable = writable;
	mutex_unlock(&users->lock);
}

/* No user has a page of it after this, but for those that the wire has mapped. [sleep] */
void duct_region_users_end(struct duct_region_users *users)
{
	mutex_lock(&users->lock);
	if (users->pages && users->space)
		unmap_mapping_range(users->space, (loff_t)users->pgoff << PAGE_SHIFT,
				    (loff_t)users->pages << PAGE_SHIFT, 1);
	users->pages = 0;
	users->page = NULL;
	users->mapping = NULL;
	mutex_unlock(&users->lock);
}

static struct page *duct_region_users_page(struct duct_region_users *users, unsigned long i)
{
	lockdep_assert_held(&users->lock);
	if (i >= users->pages)
		return NULL;
	return users->page ? users->page[i] : users->memory->page(users->mapping, i);
}

static vm_fault_t duct_region_fault(struct vm_fault *vmf)
{
	struct duct_region_users *users = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	struct page *page;

	mutex_lock(&users->lock);
	page = duct_region_users_page(users, vmf->pgoff - users->pgoff);
	if (page)
		ret = vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));
	mutex_unlock(&users->lock);
	return ret;
}

static void duct_region_vm_open(struct vm_area_struct *vma)
{
	struct duct_region_users *users = vma->vm_private_data;

	kref_get(&users->ref);
}

static void duct_region_vm_close(struct vm_area_struct *vma)
{
	duct_region_users_put(vma->vm_private_data);
}

static const struct vm_operations_struct duct_region_vm_ops = {
	.open = duct_region_vm_open,
	.close = duct_region_vm_close,
	.fault = duct_region_fault,
};

static int duct_region_users_map(struct duct_region_users *users, struct vm_area_struct *vma)
{
	struct address_space *space = vma->vm_file->f_mapping;
	unsigned long first = vma->vm_pgoff;

	lockdep_assert_held(&users->lock);
	if (!users->pages)
		return -ENOTCONN;
	if (first >= users->pages || vma_pages(vma) > users->pages - first)
		return -EINVAL;
	if (!users->writable && vma->vm_flags & VM_WRITE)
		return -EACCES;
	if (!users->writable)
		duct_compat_vm_flags_clear(vma, VM_MAYWRITE);
	/* Nobody else gets hold of the pages, or they could not be taken back. */
	duct_compat_vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	if (!duct_region_users_page(users, first))
		return users->memory->mmap(users->mapping, vma, first);
	if (users->space && users->space != space)
		return -EBUSY;
	if (!users->space) {
		ihold(space->host);
		users->space = space;
	}
	kref_get(&users->ref);
	vma->vm_pgoff += users->pgoff;
	vma->vm_private_data = users;
	vma->vm_ops = &duct_region_vm_ops;
	return 0;
}

/**
 * duct_region_mmap() - map a region, or part of it, in user space. [sleep]
 * @r: the region; attached: between up() and the end of down()
 * @vma: from the driver's &file_operations.mmap; its offset is the region's. All of one
 *       region by the same inode
 *
 * A region that is only to be read can only be mapped so. It cannot be pinned, as for
 * O_DIRECT. When the region goes down, right after the driver was told, or is put, its
 * pages go from user space; touching them is a SIGBUS from then on. On PV, what is
 * attached is not there after a fork(), its mapping can be neither moved nor cut, and one
 * made to read stays so.
 *
 * Return: 0; -EINVAL: outside the region, or not shared; -EACCES: to be written, which it
 * may not; -ENOTCONN: it is not attached now; -EBUSY: it is mapped by another inode;
 * -ENOMEM; -EIO: the hypervisor refused a page
 */
int duct_region_mmap(struct duct_region *r, struct vm_area_struct *vma)
{
	struct duct_region_users *users = to_duct_region_core(r)->users;
	int err;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	mutex_lock(&users->lock);
	err = duct_region_users_map(users, vma);
	mutex_unlock(&users->lock);
	return err;
}
EXPORT_SYMBOL_GPL(duct_region_mmap);
