// SPDX-License-Identifier: GPL-2.0
/*
 * Grants: a table for each domain, and what is mapped. A page that is granted may not be
 * freed, and one that the peer has mapped not be taken back.
 */
#include <stdlib.h>

#include "sim.h"

#define REFS		2048u
#define FIRST_REF	8u		/* below are the hypervisor's own */
#define HANDLES		2048u
#define FRAMES		4096u

enum ref_state {
	REF_FREE,
	REF_ACTIVE,
	REF_ENDED,	/* the peer has no access; not free yet */
};

struct ref {
	enum ref_state state;
	domid_t peer;
	u32 frame;
	bool readonly;
	u32 maps;
	bool deferred;		/* gnttab_end_foreign_access() found it mapped */
	struct page *page;	/* to be put then */
	char *older;		/* what was in it some time ago; NULL: not remembered */
};

struct handle {
	bool used;
	u32 mapper;
	u32 owner;
	u32 life;		/* of the owner */
	u32 ref;
	u32 frame;
	struct page *page;	/* where */
	bool lost;		/* it could not be unmapped */
};

static struct ref refs[SIM_DOMAINS][REFS];
static struct handle handles[HANDLES];
static u32 refs_used[SIM_DOMAINS], next_ref[SIM_DOMAINS], lives[SIM_DOMAINS];
static u32 handles_used;
static u32 unmapped_sync;	/* calls of gnttab_unmap_refs_sync() */
static u16 granted[FRAMES], mapped[FRAMES];

bool sim_frame_granted(u32 frame)
{
	return granted[frame];
}

bool sim_frame_mapped(u32 frame)
{
	return mapped[frame];
}

/* ---- granting ---- */

int gnttab_grant_foreign_access(domid_t domid, unsigned long frame, int readonly)
{
	u32 d = sim_domain_now(), i, ref;
	int err;

	sim_point();
	err = sim_fault(SIM_GRANT);
	if (err)
		return err;
	for (i = 0; i < REFS - FIRST_REF; i++) {
		ref = FIRST_REF + (next_ref[d] + i) % (REFS - FIRST_REF);
		if (refs[d][ref].state == REF_FREE)
			break;
	}
	if (i == REFS - FIRST_REF)
		return -ENOSPC;
	next_ref[d] = ref + 1 - FIRST_REF;
	if (sim_pages[frame].domain != d || !sim_pages[frame].refs || sim_pages[frame].hollow)
		sim_fail("a page is granted that is not the domain's own");
	refs[d][ref] = (struct ref){ .state = REF_ACTIVE, .peer = domid,
				     .frame = sim_pages[frame].frame, .readonly = readonly };
	granted[refs[d][ref].frame]++;
	refs_used[d]++;
	sim_page_shown(&sim_pages[frame]);
	return ref;
}

static struct ref *own_ref(grant_ref_t ref)
{
	struct ref *r = &refs[sim_domain_now()][ref % REFS];

	if (ref < FIRST_REF || ref >= REFS || r->state == REF_FREE)
		sim_fail("reference %u is used, and free", ref);
	return r;
}

int gnttab_end_foreign_access_ref(grant_ref_t ref)
{
	struct ref *r = own_ref(ref);

	sim_point();
	if (r->maps || sim_fault(SIM_REVOKE))
		return 0;
	if (r->state == REF_ACTIVE) {
		sim_page_shown(&sim_pages[r->frame]);
		granted[r->frame]--;
	}
	r->state = REF_ENDED;
	return 1;
}

static void ref_free(u32 domain, struct ref *r)
{
	free(r->older);
	*r = (struct ref){};
	refs_used[domain]--;
}

void gnttab_free_grant_reference(grant_ref_t ref)
{
	struct ref *r = own_ref(ref);

	sim_point();
	if (r->state != REF_ENDED)
		sim_fail("reference %u is freed while the peer has access", ref);
	ref_free(sim_domain_now(), r);
}

int gnttab_try_end_foreign_access(grant_ref_t ref)
{
	if (!gnttab_end_foreign_access_ref(ref))
		return 0;
	gnttab_free_grant_reference(ref);
	return 1;
}

static void deferred_end(u32 domain, struct ref *r)
{
	struct page *page = r->page;

	granted[r->frame]--;
	ref_free(domain, r);
	if (page)
		put_page(page);
}

/* Of a page that nobody had mapped: it was busy for a moment. */
static void deferred_task(void *arg)
{
	struct ref *r = arg;

	sim_sleep(HZ);
	if (!r->maps)
		deferred_end(sim_domain_now(), r);
}

/* The kernel tries on, and puts the page then. */
void gnttab_end_foreign_access(grant_ref_t ref, struct page *page)
{
	struct ref *r = own_ref(ref);

	if (!gnttab_end_foreign_access_ref(ref)) {
		r->deferred = true;
		r->page = page;
		if (!r->maps)
			sim_spawn(sim_domain_now(), "deferred", deferred_task, r);
		return;
	}
	gnttab_free_grant_reference(ref);
	if (page)
		put_page(page);
}

/*
 * What is given only to be read is used so, and nothing else is given otherwise: Xen sees to the
 * one half, and a link that works in spite of it has lost what it was given.
 */
static void check_use(const struct ref *r, bool write, const char *how)
{
	if (r->readonly == write)
		sim_fail("a page given to be %s is %s to be %s", r->readonly ? "read" : "written",
			 how, write ? "written" : "read");
}

/* ---- mapping ---- */

static int map_one(struct gnttab_map_grant_ref *op)
{
	int owner = sim_domain_of(op->dom);
	u32 mapper = sim_domain_now(), i;
	struct page *page = pfn_to_page(op->host_addr >> PAGE_SHIFT);
	struct ref *r;
	int err;

	err = sim_fault(SIM_MAP);
	if (err)
		return err;
	if (owner < 0 || op->ref >= REFS || !(op->flags & GNTMAP_host_map))
		return GNTST_bad_gntref;
	r = &refs[owner][op->ref];
	if (r->state != REF_ACTIVE || r->peer != sim_domains[mapper].domid)
		return GNTST_bad_gntref;
	check_use(r, !(op->flags & GNTMAP_readonly), "mapped");
	if (!page->hollow || page->domain != mapper || page->frame != SIM_NO_FRAME)
		sim_fail("mapped at a page that is not for that");
	for (i = 0; i < HANDLES && handles[i].used; i++)
		;
	if (i == HANDLES)
		return GNTST_no_space;
	handles[i] = (struct handle){ .used = true, .mapper = mapper, .owner = owner,
				      .life = lives[owner], .ref = op->ref, .frame = r->frame,
				      .page = page };
	r->maps++;
	mapped[r->frame]++;
	handles_used++;
	page->frame = r->frame;
	op->handle = i;
	return GNTST_okay;
}

static void handle_end(struct handle *h)
{
	struct ref *r = &refs[h->owner][h->ref];

	h->page->frame = SIM_NO_FRAME;
	h->used = false;
	handles_used--;
	mapped[h->frame]--;
	if (h->life != lives[h->owner]) {
		/* Of a domain that died: its last use. */
		if (!mapped[h->frame])
			sim_page_orphan(h->frame);
		return;
	}
	r->maps--;
	if (!r->maps && r->deferred)
		deferred_end(h->owner, r);
}

static int unmap_one(struct gnttab_unmap_grant_ref *op)
{
	struct handle *h = &handles[op->handle % HANDLES];
	int err;

	if (op->handle >= HANDLES || !h->used || h->mapper != sim_domain_now() ||
	    pfn_to_page(op->host_addr >> PAGE_SHIFT) != h->page)
		sim_fail("unmapped by a handle that is none");
	if (h->lost)
		sim_fail("unmapped once more, after that failed");
	err = sim_fault(SIM_UNMAP);
	h->lost = err;
	if (!err)
		handle_end(h);
	return err;
}

/* ---- copying ---- */

static char *copy_side(const struct gnttab_copy_ptr *p, bool foreign, bool to, u32 len)
{
	int owner = sim_domain_of(p->domid);
	struct page *page;
	struct ref *r;

	if (p->offset + len > PAGE_SIZE)
		return NULL;
	if (!foreign) {
		page = pfn_to_page(p->u.gmfn);
		if (!page->refs || page->domain != sim_domain_now())
			sim_fail("copied from or to a page that is not the domain's own");
		return page->hollow ? NULL : (char *)page_address(page) + p->offset;
	}
	if (owner < 0 || p->u.ref >= REFS)
		return NULL;
	r = &refs[owner][p->u.ref];
	if (r->state != REF_ACTIVE || r->peer != sim_domains[sim_domain_now()].domid)
		return NULL;
	check_use(r, to, "copied");
	return (char *)sim_frame_address(r->frame) + p->offset;
}

static int copy_one(const struct gnttab_copy *op)
{
	char *from = copy_side(&op->source, op->flags & GNTCOPY_source_gref, false, op->len);
	char *to = copy_side(&op->dest, op->flags & GNTCOPY_dest_gref, true, op->len);
	int err;

	if (!from || !to)
		return GNTST_bad_gntref;
	err = sim_fault(SIM_COPY);
	if (!err)
		memmove(to, from, op->len);
	return err;
}

/* It does nothing, and says nothing of any page. */
static int call_fails(unsigned int cmd, struct gnttab_unmap_grant_ref *unmap, unsigned int n)
{
	unsigned int i;
	int err;

	if (cmd == GNTTABOP_map_grant_ref)
		return sim_fault(SIM_MAP_CALL);
	if (cmd == GNTTABOP_copy)
		return sim_fault(SIM_COPY_CALL);
	err = sim_fault(SIM_UNMAP_CALL);
	for (i = 0; err && i < n; i++)
		handles[unmap[i].handle % HANDLES].lost = true;
	return err;
}

int HYPERVISOR_grant_table_op(unsigned int cmd, void *arg, unsigned int n)
{
	struct gnttab_map_grant_ref *map = arg;
	struct gnttab_unmap_grant_ref *unmap = arg;
	struct gnttab_copy *copy = arg;
	struct page *page;
	unsigned int i;
	int err;

	sim_fence();
	err = call_fails(cmd, unmap, n);
	if (err)
		return err;
	for (i = 0; i < n; i++) {
		switch (cmd) {
		case GNTTABOP_map_grant_ref:
			map[i].status = map_one(&map[i]);
			break;
		case GNTTABOP_unmap_grant_ref:
			page = pfn_to_page(unmap[i].host_addr >> PAGE_SHIFT);
			unmap[i].status = unmap_one(&unmap[i]);
			sim_page_changed(page, false);
			break;
		default:
			copy[i].status = copy_one(&copy[i]);
		}
	}
	if (cmd == GNTTABOP_map_grant_ref && n)
		sim_page_changed(pfn_to_page(map[0].host_addr >> PAGE_SHIFT),
				 !(map[0].flags & GNTMAP_readonly));
	sim_point();
	return 0;
}

int gnttab_map_refs(struct gnttab_map_grant_ref *op, void *kop, struct page **pages,
		    unsigned int n)
{
	int err = HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, op, n);
	unsigned int i;

	/* Linux waits for what is paged out, and not for ever. */
	for (i = 0; !err && i < n; i++) {
		if (op[i].status != GNTST_eagain)
			continue;
		err = HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, &op[i], 1);
		if (err || op[i].status == GNTST_eagain)
			op[i].status = GNTST_bad_page;
	}
	return err;
}

/* Waits while anybody else holds a page, as Linux does. */
int gnttab_unmap_refs_sync(struct gntab_unmap_queue_data *item)
{
	unsigned int i;

	sim_might_sleep("gnttab_unmap_refs_sync");
	unmapped_sync++;
	for (i = 0; i < item->count; i++)
		while (item->pages[i]->refs > 1)
			sim_sleep(1);
	return HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, item->unmap_ops, item->count);
}

/* ---- the domain is saved, and restored ---- */

/* The saving has begun: what the peer writes from here on may be lost. */
void sim_grants_remember(u32 domain)
{
	u32 i;

	for (i = FIRST_REF; i < REFS; i++) {
		struct ref *r = &refs[domain][i];

		if (r->state != REF_ACTIVE || r->readonly || r->older)
			continue;
		r->older = malloc(PAGE_SIZE);
		memcpy(r->older, sim_frame_address(r->frame), PAGE_SIZE);
	}
}

/* What the peer has mapped are the pages of the domain that was saved, and is no more. */
static void handles_leave(u32 domain)
{
	u32 copies[FRAMES] = {}, i;

	for (i = 0; i < HANDLES; i++) {
		struct handle *h = &handles[i];

		if (!h->used || (h->owner != domain && h->mapper != domain))
			continue;
		if (h->mapper == domain)
			sim_fail("a domain is saved that has pages of another mapped");
		if (h->life != lives[domain])
			continue;
		if (!copies[h->frame])
			copies[h->frame] = sim_frame_copy(h->frame);
		mapped[h->frame]--;
		h->frame = copies[h->frame];
		mapped[h->frame]++;
		h->page->frame = h->frame;
		sim_page_changed(h->page, true);
	}
}

/*
 * All references are there, as Linux knows, and none means anything. Xen takes no note of what
 * is written through grants: some pages are what they were when the saving began.
 */
void sim_grants_restore(u32 domain)
{
	u32 i;

	handles_leave(domain);
	lives[domain]++;
	for (i = FIRST_REF; i < REFS; i++) {
		struct ref *r = &refs[domain][i];

		if (r->state == REF_FREE)
			continue;
		r->maps = 0;
		if (r->deferred) {
			deferred_end(domain, r);
			continue;
		}
		if (r->state == REF_ACTIVE) {
			granted[r->frame]--;
			if (r->older && sim_one_in(2))
				memcpy(sim_frame_address(r->frame), r->older, PAGE_SIZE);
		}
		r->state = REF_ENDED;
	}
}

/* ---- begin and end ---- */

/* Pages that stay mapped since that failed. */
u32 sim_grants_lost(u32 domain)
{
	u32 i, n = 0;

	for (i = 0; i < HANDLES; i++)
		n += handles[i].used && handles[i].lost && handles[i].mapper == domain;
	return n;
}

void sim_grants_kill(u32 domain)
{
	u32 i;

	for (i = 0; i < HANDLES; i++)
		if (handles[i].used && handles[i].mapper == domain)
			handle_end(&handles[i]);
	for (i = FIRST_REF; refs_used[domain] && i < REFS; i++) {
		struct ref *r = &refs[domain][i];

		if (r->state == REF_FREE)
			continue;
		if (r->state == REF_ACTIVE)
			granted[r->frame]--;
		ref_free(domain, r);
	}
	lives[domain]++;
}

void sim_grants_reset(void)
{
	u32 i;

	for (i = 0; i < SIM_DOMAINS; i++)
		sim_grants_kill(i);
	memset(next_ref, 0, sizeof(next_ref));
	memset(mapped, 0, sizeof(mapped));
	memset(granted, 0, sizeof(granted));
	unmapped_sync = 0;
}

u32 sim_grants_unmapped_sync(void)
{
	return unmapped_sync;
}

void sim_grants_ledger(u32 domain)
{
	u32 i;

	if (refs_used[domain])
		sim_fail("%u grants are left", refs_used[domain]);
	for (i = 0; i < HANDLES; i++)
		if (handles[i].used && handles[i].mapper == domain)
			sim_fail("a page of the peer is left mapped");
}
