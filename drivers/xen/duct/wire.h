/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The border below which no message is named and above which no grant, event
 * channel or xenstore is: what a wire gives the core, and what it may ask of it.
 *
 * The frontend owns the memory of a link's channels and shares it; the backend maps it.
 * Regions and what calls lend are of either end.
 */
#ifndef _DUCT_WIRE_H
#define _DUCT_WIRE_H

#include <linux/uuid.h>
#include <xen/interface/xen.h>

#include "peer.h"
#include "state.h"

#include <xen/interface/io/duct.h>

struct duct_link;
struct duct_policy;
struct page;
struct vm_area_struct;

/**
 * struct duct_share - pages of ours that a peer may map
 * @n: how many
 * @refs: what it names them by
 */
struct duct_share {
	u32 n;
	u32 *refs;
};

/**
 * struct duct_mapping - pages of the peer, mapped here
 * @addr: contiguous
 */
struct duct_mapping {
	void *addr;
};

/**
 * struct duct_pages - pages that the peer lent, mapped here
 * @n: how many
 * @page: each with a struct page, and an address, of its own
 */
struct duct_pages {
	u32 n;
	struct page **page;
};

/**
 * struct duct_copy - bytes to copy between a page of the peer and one of ours
 * @ref: the peer's page
 * @offset: in it
 * @len: bytes; in one page at both ends
 * @page: ours
 * @page_offset: in that
 * @to_peer: that way; else from it
 */
struct duct_copy {
	u32 ref;
	u32 offset;
	u32 len;
	struct page *page;
	u32 page_offset;
	bool to_peer;
};

/* 64 pages: 256 KiB with one hypercall. */
#define DUCT_COPIES	64

/**
 * struct duct_copy_batch - what is copied at once
 * @n: of @copy
 * @copy: what
 * @room: the wire's, to write it down its own way
 */
struct duct_copy_batch {
	u32 n;
	struct duct_copy copy[DUCT_COPIES];
	u64 room[DUCT_COPIES * 5];
};

/**
 * struct duct_memory_ops - memory of two domains; needs no link, and so outlives any
 * @share: let @peer map @n pages, which are held until it has let go of them. All or
 *         nothing. Return: the share or ERR_PTR(). [sleep]
 * @unshare: take that back; pages that the peer still maps are kept, and counted,
 *           until it does not. The share is gone. [sleep]
 * @map: map what @peer shares. Return: the mapping or ERR_PTR(). [sleep]
 * @unmap: the reverse; the mapping is gone. [sleep]
 * @page: a page of a mapping; NULL: it has no struct page, for any of them. [any]
 * @mmap: for those, the pages from @first on that fit @vma in user space, until they are
 *        unmapped there, or @unmap. mmap_lock is held to write. Return: 0 or -errno. [sleep]
 * @lend: let @peer copy from @n whole pages of anybody here, or into them if
 *        @writable; fills @refs. All or nothing. Return: 0; -ENOSPC; -EBUSY: @peer has not
 *        let go of too many pages. [any]
 * @revoke: the peer's access ends early, page by page, but not from the first on that it
 *          has mapped: that one and all behind it are held. Return: how many
 *          pages it cannot reach any more. [any]
 * @reclaim: @peer is done, or said so: the references may be used for other pages. After
 *           @revoke, which gave @ended and has the others @held, or without it. What the
 *           peer still has mapped is held until it has not. Return: how many pages that
 *           are. [any]
 * @copy: between pages that @peer lent and ours. Return: 0; -EIO: some page was
 *        not lent, or is not any more, or ours are such that cannot be. [any]
 * @map_pages: map @n whole pages that @peer lent, for writing only if @writable. One
 *             hypercall, all or nothing. Return: the pages; ERR_PTR(): -ENOMEM,
 *             -ENOSPC: for want of means here; -EIO: some page was not lent so, or
 *             is not any more. [sleep]
 * @unmap_pages: the reverse, once nobody else holds the pages any more: one
 *               hypercall; @pages is gone. [sleep]
 */
struct duct_memory_ops {
	struct duct_share *(*share)(domid_t peer, struct page **pages, u32 n, bool writable);
	void (*unshare)(struct duct_share *share);
	struct duct_mapping *(*map)(domid_t peer, const u32 *refs, u32 n, bool writable);
	void (*unmap)(struct duct_mapping *mapping);
	struct page *(*page)(struct duct_mapping *mapping, u32 i);
	int (*mmap)(struct duct_mapping *mapping, struct vm_area_struct *vma, u32 first);
	int (*lend)(domid_t peer, struct page **pages, u32 n, bool writable, u32 *refs);
	u32 (*revoke)(struct page **pages, u32 n, const u32 *refs);
	u32 (*reclaim)(domid_t peer, struct page **pages, u32 n, const u32 *refs, u32 ended,
		       bool held);
	int (*copy)(domid_t peer, struct duct_copy_batch *batch);
	struct duct_pages *(*map_pages)(domid_t peer, const u32 *refs, u32 n, bool writable);
	void (*unmap_pages)(struct duct_pages *pages);
};

extern const struct duct_memory_ops duct_xen_memory;	/* by grants: xenbus/ */
extern const struct duct_memory_ops duct_local_memory;	/* in one kernel: loopback/memory.c */

void duct_local_exit(void);

/**
 * struct duct_wire_ops - events of a link, and its end; all may sleep but @notify
 * @door_make: frontend: an event channel for door @door, 1 and up, that the peer
 *             may bind; fills @port. Return: 0 or -errno
 * @door_bind: backend: bind the peer's @port for door @door. Return: 0 or -errno
 * @door_end: no event of door @door from here on; the reverse of both
 * @notify: raise the peer's side of a door. [any]
 * @fault: the link is broken, or the peer said goodbye: close it. Only queues
 *         work; called with the link's lock held
 */
struct duct_wire_ops {
	int (*door_make)(void *wire, u32 door, u32 *port);
	int (*door_bind)(void *wire, u32 door, u32 port);
	void (*door_end)(void *wire, u32 door);
	void (*notify)(void *wire, u32 door);
	void (*fault)(void *wire);
};

/**
 * struct duct_link_config - what a wire knows when it finds a link
 * @ops: how to reach the peer
 * @wire: for @ops
 * @memory: how memory goes between the two
 * @uuid: the link's identity; the two ends of a loopback share it
 * @side: frontend or backend
 * @peer: the other domain
 * @self: this one, or DOMID_INVALID
 */
struct duct_link_config {
	const struct duct_wire_ops *ops;
	void *wire;
	const struct duct_memory_ops *memory;
	uuid_t uuid;
	enum duct_side side;
	domid_t peer;
	domid_t self;
};

struct duct_link *duct_link_attach(const struct duct_link_config *cfg);
void duct_link_end(struct duct_link *link);
void duct_link_detach(struct duct_link *link);
int duct_link_start(struct duct_link *link, void *page, struct duct_policy *policy,
		    u64 incarnation, u64 peer_incarnation);
void duct_link_goodbye(struct duct_link *link);
void duct_link_stop(struct duct_link *link);
void duct_link_release(struct duct_link *link);
bool duct_link_event(struct duct_link *link, u32 door);
bool duct_link_closing(struct duct_link *link);
const char *duct_link_fault(struct duct_link *link);
extern const char * const duct_blamed;	/* that fault which is not the peer's */
void duct_link_set_state(struct duct_link *link, unsigned int state);

/* XSA-43: 10 lines a minute that a peer can cause: the core's of a link, and xenbus's as many. */
#define DUCT_LOG_LINES		5

/* What the toolstack allows; see policy.c. */
#define DUCT_POLICY_CHANNELS	256	/* budget: channels at once */
#define DUCT_POLICY_PAGES	2048	/* budget: of the arena and of regions, 8 MiB */
#define DUCT_POLICY_SERVICES	64	/* entries */
#define DUCT_POLICY_PARAMS	32	/* of an entry */

struct duct_policy *duct_policy_new(void);
void duct_policy_put(struct duct_policy *policy);
int duct_policy_allow(struct duct_policy *policy, const char *service);
int duct_policy_param(struct duct_policy *policy, const char *service,
		      const char *key, const char *value);
int duct_policy_budget(struct duct_policy *policy, unsigned int channels, unsigned int pages);

#endif /* _DUCT_WIRE_H */
