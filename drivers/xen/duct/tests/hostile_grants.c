// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that takes its grants back while they are in use, for duct_hostile. Lines:
 *
 *   revoke chunks          all of the link's, which the backend has mapped
 *   revoke offer           offers a chunk of two pages, of which one was granted, and is not
 *   revoke lent HOW WHEN   makes a call that lends 4 MiB to duct_perf; HOW it gets at it:
 *                          "copy" or "map"; WHEN they are revoked: "before" it looks, or
 *                          "while" it copies, or has it mapped
 *
 * The kernel ends no grant that is in use, so the entries are cleared behind its back: in the
 * table itself, as a kernel may that wants to. What is mapped stays so for the hypervisor.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <xen/grant_table.h>
#include <xen/interface/grant_table.h>
#include <xen/page.h>
#include <asm/xen/hypercall.h>

#include "../chunk.h"
#include "../services/perf.h"
#include "attacks.h"
#include "hostile_grants.h"

#define HOSTILE_LENT	(DUCT_BULK_BYTES_MAX / PAGE_SIZE)
#define HOSTILE_ENTRIES	(PAGE_SIZE / sizeof(struct grant_entry_v1))

/* ---- the table ---- */

/* The frame of the table with that number; not on PV, where it is none of the guest's. */
static void *hostile_table(u32 number)
{
	xen_pfn_t *frames = kcalloc(number + 1, sizeof(*frames), GFP_KERNEL);
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = number + 1 };
	struct gnttab_get_version version = { .dom = DOMID_SELF };
	void *table = NULL;

	if (!frames)
		return NULL;
	set_xen_guest_handle(setup.frame_list, frames);
	if (!HYPERVISOR_grant_table_op(GNTTABOP_get_version, &version, 1) && version.version == 1 &&
	    !HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1) && !setup.status)
		table = memremap(PFN_PHYS(frames[number]), PAGE_SIZE, MEMREMAP_WB);
	kfree(frames);
	return table;
}

/* Return: how many; -EIO */
static int hostile_clear(const u32 *refs, u32 n)
{
	struct grant_entry_v1 *table = NULL;
	u32 i, frame = U32_MAX;

	for (i = 0; i < n; i++) {
		if (refs[i] / HOSTILE_ENTRIES != frame) {
			if (table)
				memunmap(table);
			frame = refs[i] / HOSTILE_ENTRIES;
			table = hostile_table(frame);
			if (!table)
				return -EIO;
		}
		WRITE_ONCE(table[refs[i] % HOSTILE_ENTRIES].flags, 0);
	}
	if (table)
		memunmap(table);
	return n;
}

/* ---- chunks ---- */

static int hostile_revoke_chunks(struct hostile_grants *grants, struct duct_link *link)
{
	int done = 0;
	u32 i;

	mutex_lock(&link->lock);
	for (i = 0; i < DUCT_CHUNKS && done >= 0; i++) {
		const struct duct_chunk *chunk = link->chunks[i];

		if (!chunk || !chunk->share)
			continue;
		done = hostile_clear(chunk->share->refs, chunk->share->n);
		grants->revoked += max(done, 0);
	}
	mutex_unlock(&link->lock);
	return min(done, 0) ?: grants->revoked ? 0 : -ENOENT;
}

static int hostile_revoke_offer(struct hostile_grants *grants, struct duct_link *link)
{
	union duct_ctl msg = {
		.chunk = { .type = DUCT_CTL_CHUNK, .chunk = 200, .pages = HOSTILE_OFFERED },
	};
	u32 i;

	hostile_grants_end(grants);
	for (i = 0; i < HOSTILE_OFFERED; i++) {
		int ref;

		grants->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!grants->page[i])
			return -ENOMEM;
		ref = gnttab_grant_foreign_access(link->peer, xen_page_to_gfn(grants->page[i]), 0);
		if (ref < 0)
			return ref;
		grants->ref[i] = ref;
		msg.chunk.refs[i] = ref;
	}
	if (!gnttab_end_foreign_access_ref(grants->ref[HOSTILE_OFFERED - 1]))
		return -EIO;
	grants->revoked = 1;
	hostile_control(link, &msg, hostile_control_len(DUCT_CTL_CHUNK));
	return 0;
}

/* The peer has nothing of it mapped: it could not have the whole. */
void hostile_grants_end(struct hostile_grants *grants)
{
	u32 i;

	for (i = 0; i < HOSTILE_OFFERED; i++) {
		/* Says in the log what is still in use, and the rig fails for that. */
		if (grants->ref[i] && gnttab_end_foreign_access_ref(grants->ref[i]))
			gnttab_free_grant_reference(grants->ref[i]);
		else if (grants->ref[i])
			continue;
		if (grants->page[i])
			__free_page(grants->page[i]);
		grants->ref[i] = 0;
		grants->page[i] = NULL;
	}
}

/* ---- what is lent ---- */

struct hostile_lent {
	struct duct_call call;
	struct completion ended;
	int err;
};

static void hostile_lent_done(struct duct_call *call, int err, struct duct_msg *answer)
{
	struct hostile_lent *lent = container_of(call, struct hostile_lent, call);

	lent->err = err;
	complete(&lent->ended);
}

/* The references of the one call in flight. Return: how many; @refs is the caller's */
static u32 hostile_lent_refs(struct duct_channel *ch, u32 *refs)
{
	struct duct_channel_core *core = to_duct_channel_core(ch);
	struct duct_slot *slot;
	u32 i, n = 0;

	spin_lock_irq(&core->tx_lock);
	slot = hostile_slot_of(ch);
	for (i = 0; slot && i < slot->max_calls; i++) {
		const struct duct_lend *lend = slot->calls[i].lend;

		if (!lend || n)
			continue;
		n = min_t(u32, lend->pages, HOSTILE_LENT);
		memcpy(refs, lend->ref, n * sizeof(*refs));
	}
	spin_unlock_irq(&core->tx_lock);
	return n;
}

/* The answer is in the ring, and nobody else looks. */
static int hostile_lent_wait(struct duct_channel *ch, struct hostile_lent *lent)
{
	while (!try_wait_for_completion(&lent->ended)) {
		duct_readable(ch);
		usleep_range(1000, 2000);
	}
	return lent->err;
}

static int hostile_lent_call(struct hostile_grants *grants, struct duct_channel *ch,
			     struct scatterlist *sg, u32 *refs, bool map, bool before)
{
	/* For who maps: long enough to be found with the pages mapped. */
	const struct perf_lend_ask ask = { .how = map ? 3 : 1, .keep = map ? 200 : 0 };
	struct hostile_lent lent = {
		.call = {
			.done = hostile_lent_done,
			.timeout = PERF_WAIT,
			.sg = sg,
			.nents = HOSTILE_LENT,
			.dir = DMA_TO_DEVICE,
		},
	};
	int err;
	u32 n;

	init_completion(&lent.ended);
	err = duct_call_async(ch, &lent.call, &ask, sizeof(ask),
			      DUCT_MORE | (map ? DUCT_MAY_MAP : 0));
	if (err)
		return err;
	n = hostile_lent_refs(ch, refs);
	if (before)
		err = hostile_clear(refs, n);
	duct_publish(ch);
	if (!before && map)
		msleep(100);
	/* From the last on: who copies comes the other way. */
	for (; !before && n && err >= 0; n--)
		err = hostile_clear(&refs[n - 1], 1);
	grants->revoked += HOSTILE_LENT;
	grants->err = hostile_lent_wait(ch, &lent);
	return min(err, 0);
}

static int hostile_revoke_lent(struct hostile_grants *grants, struct duct_channel *ch, bool map,
			       bool before)
{
	struct scatterlist *sg = kvcalloc(HOSTILE_LENT, sizeof(*sg), GFP_KERNEL);
	u32 *refs = kvcalloc(HOSTILE_LENT, sizeof(*refs), GFP_KERNEL);
	int err = -ENOMEM;
	u32 i;

	if (!sg || !refs)
		goto out;
	sg_init_table(sg, HOSTILE_LENT);
	for (i = 0; i < HOSTILE_LENT; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			goto out;
		sg_set_page(&sg[i], page, PAGE_SIZE, 0);
	}
	err = hostile_lent_call(grants, ch, sg, refs, map, before);
out:
	for (i = 0; sg && i < HOSTILE_LENT; i++)
		if (sg_page(&sg[i]))
			__free_page(sg_page(&sg[i]));
	kvfree(refs);
	kvfree(sg);
	return err;
}

/* One of the lines. [sleep] */
int hostile_revoke(struct hostile_grants *grants, struct duct_channel *ch, const char *line)
{
	struct duct_link *link = to_duct_link(ch->dd->dev.parent);
	char how[8] = "", when[8] = "";

	grants->revoked = 0;
	grants->err = 0;
	if (!strncmp(line, "chunks", 6))
		return hostile_revoke_chunks(grants, link);
	if (!strncmp(line, "offer", 5))
		return hostile_revoke_offer(grants, link);
	if (sscanf(line, "lent %7s %7s", how, when) == 2)
		return hostile_revoke_lent(grants, ch, !strcmp(how, "map"), !strcmp(when, "before"));
	return -EINVAL;
}
