// SPDX-License-Identifier: GPL-2.0
/*
 * Memory: what each domain allocates is on its list, until it is freed or the domain dies.
 * Pages are of one pool of the machine, and vmap() maps them once more, so that what is
 * used after vunmap(), or after the peer's page went, is a fault.
 */
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim.h"

#define FRAMES		4096u		/* 16 MiB */
#define HOLLOW		2048u		/* pages that have no frame of their own */
#define AREAS		96u
#define AREA_PAGES	(1u << 20)	/* of addresses, all together */

struct chunk {
	struct list_head node;
	const void *from;
	u32 domain;
	u32 size;
	u64 live;
};

#define SIM_UNSET	0x6b	/* a byte that nobody has written */
#define CHUNK_LIVE	0x6c6976656c697665ULL

struct area {
	char *addr;
	u32 domain;
	u32 n;
	struct page **page;
};

struct page *sim_pages;
static char *pool;
static char *areas_at;
static u32 areas_used;			/* pages of addresses */
static struct area areas[AREAS];
static int pool_fd;
static u32 next_frame, next_hollow, most_frame;

/* ---- small ---- */

void *sim_alloc(size_t size, gfp_t gfp)
{
	struct sim_domain *d = &sim_domains[sim_domain_now()];
	struct chunk *c;

	if (!(gfp & GFP_ATOMIC))
		sim_might_sleep("an allocation");
	sim_point();
	if (sim_fault(SIM_ALLOC))
		return NULL;
	c = malloc(sizeof(*c) + size);
	/* Else it is what was there before: nobody's business. */
	memset(c + 1, gfp & __GFP_ZERO ? 0 : SIM_UNSET, size);
	c->from = __builtin_return_address(0);
	c->domain = sim_domain_now();
	c->size = size;
	c->live = CHUNK_LIVE;
	list_add_tail(&c->node, &d->allocs);
	d->allocs_n++;
	return c + 1;
}

void kfree(const void *p)
{
	struct chunk *c;

	sim_point();
	if (!p)
		return;
	c = (struct chunk *)p - 1;
	if (c->live != CHUNK_LIVE)
		sim_fail("%p is freed, and was not allocated", p);
	if (c->domain != sim_domain_now() && sim_current())
		sim_fail("memory of another domain is freed");
	c->live = 0;
	list_del(&c->node);
	sim_domains[c->domain].allocs_n--;
	free(c);
}

char *kstrdup(const char *s, gfp_t gfp)
{
	size_t n = strlen(s) + 1;
	char *to = kmalloc(n, gfp);

	return to ? memcpy(to, s, n) : NULL;
}

char *kvasprintf(gfp_t gfp, const char *fmt, va_list args)
{
	char text[256];

	vsnprintf(text, sizeof(text), fmt, args);
	return kstrdup(text, gfp);
}

char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = kvasprintf(gfp, fmt, args);
	va_end(args);
	return text;
}

/* ---- pages ---- */

void *sim_frame_address(u32 frame)
{
	return pool + (size_t)frame * PAGE_SIZE;
}

static void memory_init(void)
{
	u32 i;

	pool_fd = memfd_create("sim", 0);
	if (pool_fd < 0 || ftruncate(pool_fd, (off_t)FRAMES * PAGE_SIZE))
		sim_fail("no memory for pages");
	pool = mmap(NULL, (size_t)FRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		    pool_fd, 0);
	areas_at = mmap(NULL, (size_t)AREA_PAGES * PAGE_SIZE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	sim_pages = calloc(FRAMES + HOLLOW, sizeof(*sim_pages));
	if (pool == MAP_FAILED || areas_at == MAP_FAILED || !sim_pages)
		sim_fail("no memory for pages");
	for (i = 0; i < FRAMES + HOLLOW; i++)
		sim_pages[i].frame = SIM_NO_FRAME;
	ASAN_POISON_MEMORY_REGION(pool, (size_t)FRAMES * PAGE_SIZE);
}

bool sim_is_shared(const void *p)
{
	return (size_t)((const char *)p - pool) < (size_t)FRAMES * PAGE_SIZE ||
	       (size_t)((const char *)p - areas_at) < (size_t)AREA_PAGES * PAGE_SIZE;
}

/* A free one of [from, from + n), from the last one on, so that runs stay whole. */
static struct page *page_find(u32 from, u32 n, u32 *next)
{
	u32 i;

	for (i = 0; i < n; i++, *next = (*next + 1) % n) {
		struct page *page = &sim_pages[from + *next];

		if (!page->refs) {
			*next = (*next + 1) % n;
			return page;
		}
	}
	sim_fail("no more pages");
}

/* @module: whose. What is not asked for as zeroes is what was there before. */
struct page *sim_alloc_page(gfp_t gfp, const char *module)
{
	struct page *page;

	if (!(gfp & GFP_ATOMIC))
		sim_might_sleep("alloc_page");
	sim_point();
	if (sim_fault(SIM_ALLOC))
		return NULL;
	page = page_find(0, FRAMES, &next_frame);
	*page = (struct page){ .refs = 1, .domain = sim_domain_now(),
			       .frame = page - sim_pages, .lent = !strcmp(module, "client") };
	if (page->frame >= most_frame)
		most_frame = page->frame + 1;
	sim_domains[page->domain].pages++;
	ASAN_UNPOISON_MEMORY_REGION(sim_frame_address(page->frame), PAGE_SIZE);
	memset(sim_frame_address(page->frame), gfp & __GFP_ZERO ? 0 : SIM_UNSET, PAGE_SIZE);
	return page;
}

/*
 * XSA-216, 403: nothing that was in our memory before is in a page that the peer sees; but
 * for pages that a client lends, which are shown because they are what they are.
 */
void sim_page_shown(const struct page *page)
{
	const u64 *word = sim_frame_address(page->frame);
	u32 i;

	for (i = 0; !page->lent && i < PAGE_SIZE / sizeof(*word); i++)
		if (word[i] == ~0ULL / 0xff * SIM_UNSET)
			sim_fail("the peer is shown memory that nobody has written, at %#zx",
				 i * sizeof(*word));
}

void get_page(struct page *page)
{
	if (!page->refs)
		sim_fail("a free page is held");
	page->refs++;
}

static void page_free(struct page *page)
{
	if (!page->hollow)
		ASAN_POISON_MEMORY_REGION(sim_frame_address(page->frame), PAGE_SIZE);
	sim_domains[page->domain].pages--;
	page->refs = 0;
	page->frame = SIM_NO_FRAME;
}

void put_page(struct page *page)
{
	if (!page->refs)
		sim_fail("a page is freed twice");
	if (--page->refs)
		return;
	if (!page->hollow && sim_frame_mapped(page->frame))
		sim_fail("a page is freed that the other domain has mapped");
	if (!page->hollow && sim_frame_granted(page->frame))
		sim_fail("a page is freed that is still granted");
	page_free(page);
	sim_point();
}

void *page_address(struct page *page)
{
	if (page->frame == SIM_NO_FRAME)
		sim_fail("a page without memory is used");
	return sim_frame_address(page->frame);
}

int xen_alloc_unpopulated_pages(unsigned int n, struct page **pages)
{
	u32 i;

	sim_might_sleep("xen_alloc_unpopulated_pages");
	if (sim_fault(SIM_ALLOC))
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		pages[i] = page_find(FRAMES, HOLLOW, &next_hollow);
		*pages[i] = (struct page){ .refs = 1, .domain = sim_domain_now(),
					   .frame = SIM_NO_FRAME, .hollow = true };
		sim_domains[pages[i]->domain].pages++;
	}
	return 0;
}

void xen_free_unpopulated_pages(unsigned int n, struct page **pages)
{
	u32 i;

	for (i = 0; i < n; i++) {
		if (pages[i]->frame != SIM_NO_FRAME)
			sim_fail("a page goes that has something mapped at it");
		put_page(pages[i]);
	}
}

int gnttab_alloc_pages(int n, struct page **pages)
{
	return xen_alloc_unpopulated_pages(n, pages);
}

void gnttab_free_pages(int n, struct page **pages)
{
	xen_free_unpopulated_pages(n, pages);
}

/* ---- mappings ---- */

static void area_show(const struct area *a, u32 i, u32 n, bool writable)
{
	char *at = a->addr + (size_t)i * PAGE_SIZE;
	u32 frame = a->page[i]->frame;
	void *got;

	if (frame == SIM_NO_FRAME)
		got = mmap(at, n * PAGE_SIZE, PROT_NONE,
			   MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	else
		got = mmap(at, n * PAGE_SIZE, writable ? PROT_READ | PROT_WRITE : PROT_READ,
			   MAP_FIXED | MAP_SHARED, pool_fd, (off_t)frame * PAGE_SIZE);
	if (got == MAP_FAILED)
		sim_fail("mmap: %d", errno);
}

/* In as few pieces as it takes. */
static void area_show_all(const struct area *a, bool writable)
{
	u32 i, n;

	for (i = 0; i < a->n; i += n) {
		u32 frame = a->page[i]->frame;

		for (n = 1; i + n < a->n; n++)
			if (a->page[i + n]->frame != (frame == SIM_NO_FRAME ? frame : frame + n))
				break;
		area_show(a, i, n, writable);
	}
}

void *vmap(struct page **pages, unsigned int n, unsigned long flags, pgprot_t prot)
{
	struct area *a = areas;
	u32 i;

	sim_might_sleep("vmap");
	if (sim_fault(SIM_ALLOC))
		return NULL;
	while (a < areas + AREAS && a->addr)
		a++;
	if (a == areas + AREAS || areas_used + n + 1 > AREA_PAGES)
		sim_fail("no more addresses for vmap()");
	*a = (struct area){
		.addr = areas_at + (size_t)areas_used * PAGE_SIZE, .n = n,
		.domain = sim_domain_now(), .page = malloc(n * sizeof(*pages)),
	};
	/* A hole between two. */
	areas_used += n + 1;
	for (i = 0; i < n; i++)
		a->page[i] = pages[i];
	if (!pages[0]->hollow)
		area_show_all(a, prot == PAGE_KERNEL);
	return a->addr;
}

static void area_end(struct area *a)
{
	if (mmap(a->addr, a->n * PAGE_SIZE, PROT_NONE,
		 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		sim_fail("mmap: %d", errno);
	free(a->page);
	*a = (struct area){};
}

void vunmap(const void *addr)
{
	u32 i;

	if (!addr)
		return;
	sim_might_sleep("vunmap");
	for (i = 0; i < AREAS; i++) {
		if (areas[i].addr != addr)
			continue;
		area_end(&areas[i]);
		return;
	}
	sim_fail("vunmap() of what is not mapped");
}

static bool area_has(const struct area *a, const struct page *page)
{
	u32 i;

	for (i = 0; a->addr && i < a->n; i++)
		if (a->page[i] == page)
			return true;
	return false;
}

/* What is behind this page, and others with it, has changed: so it has where it is mapped. */
void sim_page_changed(struct page *page, bool writable)
{
	u32 i;

	for (i = 0; i < AREAS; i++)
		if (area_has(&areas[i], page))
			area_show_all(&areas[i], writable);
}

/* ---- begin and end ---- */

void sim_memory_kill(u32 domain)
{
	struct sim_domain *d = &sim_domains[domain];
	struct chunk *c, *next;
	u32 i;

	list_for_each_entry_safe(c, next, &d->allocs, node)
		free(c);
	INIT_LIST_HEAD(&d->allocs);
	d->allocs_n = 0;
	for (i = 0; i < AREAS; i++)
		if (areas[i].addr && areas[i].domain == domain)
			area_end(&areas[i]);
	for (i = 0; i < FRAMES + HOLLOW; i++) {
		struct page *page = &sim_pages[i];

		/* What the other has mapped stays the machine's until it has not. */
		if (page->refs && page->domain == domain &&
		    (page->hollow || !sim_frame_mapped(page->frame)))
			page_free(page);
	}
}

/* Of a domain that is no more, and whose page the other has mapped. Return: the frame */
u32 sim_frame_copy(u32 frame)
{
	struct page *page = page_find(0, FRAMES, &next_frame);

	*page = (struct page){ .refs = 1, .domain = sim_pages[frame].domain,
			       .frame = page - sim_pages };
	sim_domains[page->domain].pages++;
	ASAN_UNPOISON_MEMORY_REGION(sim_frame_address(page->frame), PAGE_SIZE);
	memcpy(sim_frame_address(page->frame), sim_frame_address(frame), PAGE_SIZE);
	return page->frame;
}

/* The last mapping of a page of a domain that died is gone. */
void sim_page_orphan(u32 frame)
{
	page_free(&sim_pages[frame]);
}

void sim_memory_reset(void)
{
	u32 i;

	if (!pool)
		memory_init();
	for (i = 0; i < SIM_DOMAINS; i++) {
		if (!sim_domains[i].allocs.next)
			INIT_LIST_HEAD(&sim_domains[i].allocs);
		sim_memory_kill(i);
		sim_domains[i].pages = 0;
	}
	areas_used = 0;
	next_frame = 0;
	next_hollow = 0;
}

void sim_memory_ledger(u32 domain)
{
	struct sim_domain *d = &sim_domains[domain];
	u32 i;

	if (d->allocs_n) {
		struct chunk *c = list_first_entry(&d->allocs, struct chunk, node);

		sim_fail("%u allocations are left, one of %u bytes by %p", d->allocs_n, c->size,
			 c->from);
	}
	if (d->pages)
		sim_fail("%u pages are left", d->pages);
	for (i = 0; i < AREAS; i++)
		if (areas[i].addr && areas[i].domain == domain)
			sim_fail("a mapping of %u pages is left", areas[i].n);
}

/*
 * Each of these mappings could not be ended: its pages are never used again, nor what they
 * are remembered by, which is four allocations. Nothing else is left.
 */
void sim_memory_lost(u32 domain, u32 most)
{
	struct sim_domain *d = &sim_domains[domain];
	u32 i, left = 0;

	for (i = FRAMES; i < FRAMES + HOLLOW; i++)
		left += sim_pages[i].refs && sim_pages[i].domain == domain;
	if (left != d->leaked)
		sim_fail("%u pages are left, and %u were said to be", left, d->leaked);
	if (left < most || d->allocs_n > 4 * most)
		sim_fail("%u mappings are left, but %u pages and %u allocations", most, left,
			 d->allocs_n);
}
