// SPDX-License-Identifier: GPL-2.0
/*
 * The arena: chunks of pages that the frontend owns and shares, and the backend
 * has mapped before anything in them is named. All of it under link->lock.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "chunk.h"

/* ---- the budget of pages ---- */

static bool duct_pages_left(struct duct_link *link, u32 pages)
{
	lockdep_assert_held(&link->lock);
	return link->policy &&
	       (u64)link->pages + link->region_pages + pages <= duct_policy_pages(link->policy);
}

/* Pages of a region, for the end that shares them and the one that maps. [sleep] */
int duct_pages_charge(struct duct_link *link, u32 pages)
{
	bool left;

	mutex_lock(&link->lock);
	left = duct_pages_left(link, pages);
	if (left)
		link->region_pages += pages;
	mutex_unlock(&link->lock);
	return left ? 0 : -EDQUOT;
}

void duct_pages_uncharge(struct duct_link *link, u32 pages)
{
	if (!pages)
		return;
	mutex_lock(&link->lock);
	link->region_pages -= pages;
	mutex_unlock(&link->lock);
}

/* ---- telling the peer ---- */

/* Queues CHUNK_DONE or DOOR_DONE. Return: 0, -ENOSPC when too many are due */
int duct_done_out(struct duct_link *link, u32 type, u32 id, u32 status)
{
	if (link->done_len >= ARRAY_SIZE(link->done))
		return -ENOSPC;
	link->done[link->done_len].type = type;
	link->done[link->done_len].id = id;
	link->done[link->done_len].status = status;
	link->done_len++;
	duct_link_out(link, &link->chunk_out);
	return 0;
}

static int duct_emit_done(struct duct_link *link)
{
	while (link->done_len) {
		const union duct_ctl msg = {
			.done = {
				.type = link->done[0].type,
				.id = link->done[0].id,
				.status = link->done[0].status,
			},
		};
		int err = duct_link_send(link, &msg);

		if (err)
			return err;
		link->done_len--;
		memmove(link->done, link->done + 1, link->done_len * sizeof(link->done[0]));
	}
	return 0;
}

static int duct_emit_chunk(struct duct_link *link, struct duct_chunk *chunk)
{
	while (chunk->sent < chunk->pages) {
		u32 n = min(chunk->pages - chunk->sent, DUCT_REFS_PER_MSG);
		union duct_ctl msg = {
			.chunk = {
				.type = DUCT_CTL_CHUNK,
				.chunk = chunk->id,
				.pages = chunk->pages,
				.first = chunk->sent,
			},
		};
		int err;

		memcpy(msg.chunk.refs, chunk->share->refs + chunk->sent, n * sizeof(u32));
		err = duct_link_send(link, &msg);
		if (err)
			return err;
		chunk->sent += n;
	}
	return 0;
}

static int duct_emit_chunks(struct duct_link *link, struct duct_out *out)
{
	u32 i;
	int err;

	if (!duct_link_is_front(link))
		return duct_emit_done(link);
	for (i = 0; i < DUCT_CHUNKS; i++) {
		if (!link->chunks[i])
			continue;
		err = duct_emit_chunk(link, link->chunks[i]);
		if (err)
			return err;
	}
	return 0;
}

/* The memory of the struct itself; pages and mapping are gone. */
static void duct_chunk_drop(struct duct_link *link, struct duct_chunk *chunk)
{
	link->chunks[chunk->id] = NULL;
	link->pages -= chunk->pages;
	kvfree(chunk->page);
	kvfree(chunk->refs);
	kvfree(chunk->arena.map);
	kfree(chunk);
}

static struct duct_chunk *duct_chunk_new(struct duct_link *link, u32 id, u32 pages)
{
	struct duct_chunk *chunk = kzalloc(sizeof(*chunk), GFP_KERNEL);

	if (!chunk)
		return NULL;
	chunk->id = id;
	chunk->pages = pages;
	link->chunks[id] = chunk;
	link->pages += pages;
	return chunk;
}

/* Frontend: pages of our own, zeroed, contiguous here. Return: 0 or -ENOMEM */
static int duct_chunk_populate(struct duct_chunk *chunk)
{
	u32 bytes = chunk->pages * DUCT_PAGE_SIZE, i;

	chunk->page = kvcalloc(chunk->pages, sizeof(*chunk->page), GFP_KERNEL);
	chunk->arena.map = kvzalloc(duct_arena_map_bytes(bytes), GFP_KERNEL);
	if (!chunk->page || !chunk->arena.map)
		return -ENOMEM;
	duct_arena_init(&chunk->arena, chunk->arena.map, bytes);
	for (i = 0; i < chunk->pages; i++) {
		chunk->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!chunk->page[i])
			return -ENOMEM;
	}
	chunk->base = (u8 __force __peer *)vmap(chunk->page, chunk->pages, VM_MAP, PAGE_KERNEL);
	return chunk->base ? 0 : -ENOMEM;
}

static void duct_chunk_depopulate(struct duct_chunk *chunk)
{
	u32 i;

	vunmap((void __force *)chunk->base);
	chunk->base = NULL;
	for (i = 0; chunk->page && i < chunk->pages; i++)
		if (chunk->page[i])
			__free_page(chunk->page[i]);
}

/*
 * Frontend: one more chunk, within the budget; usable when the backend says so.
 * Return: 0, -EDQUOT, -ENOMEM or what share() says
 */
static int duct_chunk_add(struct duct_link *link, u32 pages)
{
	struct duct_chunk *chunk;
	u32 id;
	int err;

	if (pages > DUCT_CHUNK_PAGES_MAX || !duct_pages_left(link, pages))
		return -EDQUOT;
	for (id = 0; id < DUCT_CHUNKS && link->chunks[id]; id++)
		;
	if (id == DUCT_CHUNKS)
		return -EDQUOT;
	chunk = duct_chunk_new(link, id, pages);
	if (!chunk)
		return -ENOMEM;
	err = duct_chunk_populate(chunk);
	if (!err) {
		chunk->share = link->memory->share(link->peer, chunk->page, pages, true);
		err = PTR_ERR_OR_ZERO(chunk->share);
	}
	if (err) {
		duct_chunk_depopulate(chunk);
		duct_chunk_drop(link, chunk);
		return err;
	}
	duct_link_out(link, &link->chunk_out);
	return 0;
}

/* Frontend: ends the peer's access. */
static void duct_chunk_unshare(struct duct_link *link, struct duct_chunk *chunk)
{
	link->memory->unshare(chunk->share);
	duct_chunk_depopulate(chunk);
	duct_chunk_drop(link, chunk);
}

/* Pages of the chunk that is made for so many bytes. */
static u32 duct_chunk_pages(u32 bytes)
{
	return max_t(u32, DIV_ROUND_UP(bytes, DUCT_PAGE_SIZE), DUCT_CHUNK_PAGES);
}

/*
 * A chunk that was made for a large ring is for that one first, or what is small
 * takes a piece of it, and another as large has to be made.
 */
static bool duct_chunk_suits(const struct duct_chunk *chunk, u32 bytes)
{
	return chunk->taken || chunk->pages == DUCT_CHUNK_PAGES ||
	       chunk->pages == duct_chunk_pages(bytes);
}

static bool duct_chunk_take(struct duct_link *link, u32 bytes, bool any,
			    struct duct_chunk **chunk, u32 *offset)
{
	u32 i;

	lockdep_assert_held(&link->lock);
	for (i = 0; i < DUCT_CHUNKS; i++) {
		struct duct_chunk *c = link->chunks[i];

		if (!c || !c->usable || !(any || duct_chunk_suits(c, bytes)) ||
		    duct_arena_alloc(&c->arena, bytes, offset))
			continue;
		c->taken = true;
		*chunk = c;
		return true;
	}
	return false;
}

/* Frontend: memory in a chunk that is there. Return: true if there is some */
bool duct_chunk_find(struct duct_link *link, u32 bytes, struct duct_chunk **chunk, u32 *offset)
{
	return duct_chunk_take(link, bytes, false, chunk, offset);
}

/* Whether a chunk for so many bytes is on its way to the backend. */
static bool duct_chunk_coming(struct duct_link *link, u32 bytes, bool any)
{
	u32 i;

	for (i = 0; i < DUCT_CHUNKS; i++) {
		const struct duct_chunk *c = link->chunks[i];

		if (c && !c->usable && c->pages >= duct_chunk_pages(bytes) &&
		    (any || duct_chunk_suits(c, bytes)))
			return true;
	}
	return false;
}

/**
 * duct_chunk_alloc() - frontend: memory for the rings of a channel
 * @link: running
 * @bytes: contiguous
 * @chunk: where
 * @offset: where in it
 *
 * Return: 0; -EAGAIN when a chunk is on its way to the backend: the bind is
 * tried again when it arrives; -EDQUOT, -ENOMEM
 */
int duct_chunk_alloc(struct duct_link *link, u32 bytes, struct duct_chunk **chunk, u32 *offset)
{
	int err;

	if (duct_chunk_take(link, bytes, false, chunk, offset))
		return 0;
	if (duct_chunk_coming(link, bytes, false))
		return -EAGAIN;
	err = link->chunk_failed ? -ENOMEM : duct_chunk_add(link, duct_chunk_pages(bytes));
	if (!err)
		return -EAGAIN;
	/* No more to be had: then what was made for another will do. */
	if (duct_chunk_take(link, bytes, true, chunk, offset))
		return 0;
	return duct_chunk_coming(link, bytes, true) ? -EAGAIN : err;
}

void duct_chunk_free(struct duct_chunk *chunk, u32 offset, u32 bytes)
{
	WARN_ON(duct_arena_free(&chunk->arena, offset, bytes));
}

/* Backend: all refs are there: map them, and say how that went. */
static int duct_chunk_map(struct duct_link *link, struct duct_chunk *chunk)
{
	u32 id = chunk->id;

	chunk->mapping = link->memory->map(link->peer, chunk->refs, chunk->pages, true);
	if (IS_ERR(chunk->mapping)) {
		if (duct_link_may_log(link))
			dev_err(&link->dev, "chunk %u of dom%u, %u pages, cannot be mapped: %ld\n",
				id, link->peer, chunk->pages, PTR_ERR(chunk->mapping));
		duct_chunk_drop(link, chunk);
		return duct_done_out(link, DUCT_CTL_CHUNK_DONE, id, 1);
	}
	chunk->base = (u8 __force __peer *)chunk->mapping->addr;
	chunk->usable = true;
	return duct_done_out(link, DUCT_CTL_CHUNK_DONE, id, 0);
}

/* Backend: the first refs of a chunk came. Return: the chunk or ERR_PTR(-ENOMEM) */
static struct duct_chunk *duct_chunk_expect(struct duct_link *link, u32 id, u32 pages)
{
	struct duct_chunk *chunk = duct_chunk_new(link, id, pages);

	if (!chunk)
		return ERR_PTR(-ENOMEM);
	chunk->refs = kvcalloc(pages, sizeof(u32), GFP_KERNEL);
	if (chunk->refs)
		return chunk;
	duct_chunk_drop(link, chunk);
	return ERR_PTR(-ENOMEM);
}

/* Backend: no memory or budget for a chunk: drops its refs, then says so. */
static int duct_chunk_refuse(struct duct_link *link, const struct duct_ctl_chunk *msg)
{
	if (msg->first != link->refused_next)
		return -EPROTO;
	link->refused_next += DUCT_REFS_PER_MSG;
	if (link->refused_next < msg->pages)
		return 0;
	link->refused = 0;
	return duct_done_out(link, DUCT_CTL_CHUNK_DONE, msg->chunk, 1) ? -EPROTO : 0;
}

/**
 * duct_chunk_receive() - backend: CHUNK came
 * @link: running
 * @msg: well formed
 *
 * Return: 0, -EPROTO when it does not continue what came before
 */
int duct_chunk_receive(struct duct_link *link, const struct duct_ctl_chunk *msg)
{
	u32 id = array_index_nospec(msg->chunk, DUCT_CHUNKS);
	struct duct_chunk *chunk = link->chunks[id];
	u32 n = min(msg->pages - msg->first, DUCT_REFS_PER_MSG);

	if (!chunk && !msg->first) {
		/* A region offered here meanwhile is no reason: the frontend did not know. */
		if (link->pages + msg->pages > duct_policy_pages(link->policy))
			chunk = ERR_PTR(-EDQUOT);
		else
			chunk = duct_chunk_expect(link, id, msg->pages);
		if (IS_ERR(chunk)) {
			link->refused = id + 1;
			link->refused_next = 0;
		}
	}
	if (link->refused == id + 1)
		return duct_chunk_refuse(link, msg);
	if (!chunk || chunk->usable || chunk->pages != msg->pages || chunk->filled != msg->first)
		return -EPROTO;
	memcpy(chunk->refs + chunk->filled, msg->refs, n * sizeof(u32));
	chunk->filled += n;
	if (chunk->filled < chunk->pages)
		return 0;
	return duct_chunk_map(link, chunk) ? -EPROTO : 0;
}

/**
 * duct_chunk_done() - frontend: CHUNK_DONE came
 * @link: running
 * @msg: well formed
 *
 * Return: 0, -EPROTO when nobody asked
 */
int duct_chunk_done(struct duct_link *link, const struct duct_ctl_done *msg)
{
	struct duct_chunk *chunk = link->chunks[array_index_nospec(msg->id, DUCT_CHUNKS)];

	if (msg->type != DUCT_CTL_CHUNK_DONE || !chunk || chunk->usable ||
	    chunk->sent < chunk->pages)
		return -EPROTO;
	if (msg->status) {
		link->chunk_failed = true;
		duct_chunk_unshare(link, chunk);
	} else {
		chunk->usable = true;
	}
	duct_services_retry(link);
	return 0;
}

/* Backend: what the peer placed. Return: NULL if it does not lie in a mapped chunk */
u8 __peer *duct_chunk_at(struct duct_link *link, u32 id, u32 offset, u32 bytes)
{
	struct duct_chunk *chunk = link->chunks[array_index_nospec(id, DUCT_CHUNKS)];

	if (!chunk || !chunk->usable || bytes > chunk->pages * DUCT_PAGE_SIZE ||
	    offset > chunk->pages * DUCT_PAGE_SIZE - bytes)
		return NULL;
	return chunk->base + offset;
}

/*
 * Backend: unmaps all, no reader can be inside. Frontend: ends the peer's
 * access to all.
 */
void duct_chunk_release_all(struct duct_link *link)
{
	u32 i;

	lockdep_assert_held(&link->lock);
	link->done_len = 0;
	link->refused = 0;
	for (i = 0; i < DUCT_CHUNKS; i++) {
		struct duct_chunk *chunk = link->chunks[i];

		if (!chunk)
			continue;
		if (duct_link_is_front(link)) {
			duct_chunk_unshare(link, chunk);
			continue;
		}
		if (chunk->mapping)
			link->memory->unmap(chunk->mapping);
		duct_chunk_drop(link, chunk);
	}
}

void duct_chunk_init(struct duct_link *link)
{
	INIT_LIST_HEAD(&link->chunk_out.node);
	link->chunk_out.emit = duct_emit_chunks;
}

/* Frontend: the first chunk, before anybody asks; best effort. */
void duct_chunk_first(struct duct_link *link)
{
	if (duct_link_is_front(link) && !link->pages)
		duct_chunk_add(link, DUCT_CHUNK_PAGES);
}
