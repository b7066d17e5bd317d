/* SPDX-License-Identifier: GPL-2.0 */
/* Memory: allocations, pages, mappings, scatter lists, iterators. See ../memory.c, ../iter.c. */
#ifndef _SIM_KERNEL_MEMORY_H
#define _SIM_KERNEL_MEMORY_H

#include "sync.h"

#define GFP_KERNEL	1u
#define GFP_ATOMIC	2u
#define __GFP_ZERO	4u
#define __GFP_NOWARN	8u

void *sim_alloc(size_t size, gfp_t gfp);
void kfree(const void *p);
#define kvfree(p)			kfree(p)
#define kmalloc(n, g)			sim_alloc(n, g)
#define kzalloc(n, g)			sim_alloc(n, (g) | __GFP_ZERO)
#define kvzalloc(n, g)			kzalloc(n, g)
#define kcalloc(n, s, g)		kzalloc((size_t)(n) * (s), g)
#define kvcalloc(n, s, g)		kcalloc(n, s, g)
#define kmalloc_array(n, s, g)		kmalloc((size_t)(n) * (s), g)
#define kvmalloc_array(n, s, g)		kmalloc_array(n, s, g)
/* A cache is the size of its objects. */
struct kmem_cache;
#define KMEM_CACHE(name, flags)		((struct kmem_cache *)sizeof(struct name))
#define kmem_cache_zalloc(c, g)		kzalloc((size_t)(c), g)
#define kmem_cache_free(c, p)		kfree(p)
#define kmem_cache_destroy(c)		do { } while (0)
char *kstrdup(const char *s, gfp_t gfp);
__printf(2, 0) char *kvasprintf(gfp_t gfp, const char *fmt, va_list args);
__printf(2, 3) char *kasprintf(gfp_t gfp, const char *fmt, ...);
/* Readers that are inside may still look at it: freed after a grace period. */
void sim_kfree_rcu(void *p);
#define kfree_rcu(p, member)		sim_kfree_rcu(p)

/* ---- pages ---- */

#define PAGE_SHIFT	12
#define PAGE_SIZE	4096UL
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define PAGE_KERNEL	1UL
#define PAGE_KERNEL_RO	2UL
#define VM_MAP		4

/**
 * struct page - as of one domain
 * @refs: 0: free
 * @domain: whose
 * @frame: of the machine, that is behind it; SIM_NO_FRAME: none, of a page that is to be
 *         mapped at
 * @hollow: such a page
 * @lent: a client's: what is in it is its own business
 */
struct page {
	int refs;
	u32 domain;
	u32 frame;
	bool hollow;
	bool lent;
};

#define SIM_NO_FRAME	UINT32_MAX

extern struct page *sim_pages;
#define page_to_pfn(p)		((unsigned long)((p) - sim_pages))
#define pfn_to_page(n)		(&sim_pages[n])
#define page_to_xen_pfn(p)	page_to_pfn(p)
#define xen_page_to_gfn(p)	page_to_pfn(p)
#define pfn_to_kaddr(n)		((void *)((unsigned long)(n) << PAGE_SHIFT))
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
struct page *sim_alloc_page(gfp_t gfp, const char *module);
#define alloc_page(gfp)		sim_alloc_page(gfp, _sim_text(SIM_MODULE))
void get_page(struct page *page);
void put_page(struct page *page);
#define __free_page(p)		put_page(p)
void *page_address(struct page *page);
#define kmap_local_page(p)	page_address(p)
#define kunmap_local(p)		((void)(p))
void *vmap(struct page **pages, unsigned int n, unsigned long flags, pgprot_t prot);
void vunmap(const void *addr);

/* ---- scatter lists ---- */

enum dma_data_direction {
	DMA_BIDIRECTIONAL,
	DMA_TO_DEVICE,
	DMA_FROM_DEVICE,
	DMA_NONE,
};

struct scatterlist {
	struct page *page;
	unsigned int offset;
	unsigned int length;
	bool last;
};

static inline void sg_init_table(struct scatterlist *sg, unsigned int n)
{
	memset(sg, 0, n * sizeof(*sg));
	sg[n - 1].last = true;
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int len,
			       unsigned int offset)
{
	sg->page = page;
	sg->length = len;
	sg->offset = offset;
}

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	return sg->last ? NULL : sg + 1;
}

#define sg_page(sg)		((sg)->page)
#define sg_phys(sg)		(((u64)page_to_pfn(sg_page(sg)) << PAGE_SHIFT) + (sg)->offset)
#define for_each_sg(list, sg, n, i)	for (i = 0, sg = (list); i < (n); i++, sg = sg_next(sg))

/* ---- iterators: of memory of the kernel, and of pages ---- */

struct kvec {
	void *iov_base;
	size_t iov_len;
};

struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};

struct iov_iter {
	bool pages;
	bool nofault;
	bool data_source;
	size_t iov_offset;
	size_t count;
	union {
		const struct kvec *kvec;
		const struct bio_vec *bvec;
	};
	unsigned long nr_segs;
};

#define ITER_SOURCE	1
#define ITER_DEST	0
void iov_iter_kvec(struct iov_iter *it, unsigned int dir, const struct kvec *v, unsigned long n,
		   size_t count);
void iov_iter_bvec(struct iov_iter *it, unsigned int dir, const struct bio_vec *v,
		   unsigned long n, size_t count);
void iov_iter_advance(struct iov_iter *it, size_t n);
void iov_iter_revert(struct iov_iter *it, size_t n);
void iov_iter_truncate(struct iov_iter *it, u64 n);
size_t copy_from_iter(void *to, size_t n, struct iov_iter *it);
size_t copy_to_iter(const void *from, size_t n, struct iov_iter *it);
#define iov_iter_count(it)	((it)->count)
#define iov_iter_rw(it)		((it)->data_source)
#define iov_iter_is_bvec(it)	((it)->pages)
#define user_backed_iter(it)	((void)(it), false)
#define fault_in_iov_iter_readable(it, n)	((void)(it), (size_t)(n))
#define fault_in_iov_iter_writeable(it, n)	((void)(it), (size_t)(n))
#define pagefault_disable()	((void)0)
#define pagefault_enable()	((void)0)

/* ---- user space, which there is none of here ---- */

typedef unsigned int vm_fault_t;
typedef unsigned long vm_flags_t;

struct inode;
struct address_space {
	struct inode *host;
};
struct file {
	struct address_space *f_mapping;
};
struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_flags, vm_pgoff;
	struct file *vm_file;
	void *vm_private_data;
	const struct vm_operations_struct *vm_ops;
};
struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long pgoff;
	unsigned long address;
};
struct vm_operations_struct {
	void (*open)(struct vm_area_struct *vma);
	void (*close)(struct vm_area_struct *vma);
	vm_fault_t (*fault)(struct vm_fault *vmf);
};

#define VM_FAULT_SIGBUS	2
#define VM_WRITE	2
#define VM_MAYSHARE	0x80
#define VM_MAYWRITE	0x20
#define VM_IO		0x4000
#define VM_PFNMAP	0x400
#define VM_DONTEXPAND	0x40000
#define VM_DONTDUMP	0x4000000
#define vma_pages(v)		(((v)->vm_end - (v)->vm_start) >> PAGE_SHIFT)
#define vmf_insert_pfn(v, a, p)	((void)(p), 0u)
#define unmap_mapping_range(s, a, b, c) ((void)(s))
#define ihold(i)		((void)(i))
#define iput(i)			((void)(i))

#endif /* _SIM_KERNEL_MEMORY_H */
