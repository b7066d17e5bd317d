/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The border below which no message is named and above which no grant, event
 * channel or xenstore is: what a wire gives the core, and what it may ask of it.
 *
 * The frontend owns all memory of a link and shares it; the backend maps it.
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

/**
 * struct duct_mapping - pages of the peer, mapped here
 * @addr: contiguous
 */
struct duct_mapping {
	void *addr;
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
 * struct duct_wire_ops - what a link is made of; all may sleep but @notify
 * @share: frontend: let the peer map @n pages; fills @refs. All or nothing.
 *         Return: 0 or -errno
 * @unshare: frontend: take that back and free the pages; those that the peer
 *           still maps are kept by the wire until it does not
 * @map: backend: map @n pages of the peer. Return: the mapping or ERR_PTR()
 * @unmap: backend: the reverse; the mapping is gone
 * @lend: let the peer copy from @n whole pages of anybody here, or into them if
 *        @writable; fills @refs. All or nothing. Return: 0 or -errno. [any]
 * @revoke: take that back. A page that the peer has mapped meanwhile is kept by the
 *          wire, which counts it, until it is not; its reference becomes 0. [any]
 * @reclaim: after @revoke: the references may be used for other pages. [any]
 * @copy: between pages that the peer lent and ours. Return: 0; -EIO: some page was
 *        not lent, or is not any more. [any]
 * @door_make: frontend: an event channel for door @door, 1 and up, that the peer
 *             may bind; fills @port. Return: 0 or -errno
 * @door_bind: backend: bind the peer's @port for door @door. Return: 0 or -errno
 * @door_end: no event of door @door from here on; the reverse of both
 * @notify: raise the peer's side of a door. [any]
 * @fault: the link is broken, or the peer said goodbye: close it. Only queues
 *         work; called with the link's lock held
 */
struct duct_wire_ops {
	int (*share)(void *wire, struct page **pages, u32 n, u32 *refs);
	void (*unshare)(void *wire, struct page **pages, u32 n, const u32 *refs);
	struct duct_mapping *(*map)(void *wire, const u32 *refs, u32 n);
	void (*unmap)(void *wire, struct duct_mapping *mapping);
	int (*lend)(void *wire, struct page **pages, u32 n, bool writable, u32 *refs);
	void (*revoke)(void *wire, struct page **pages, u32 n, u32 *refs);
	void (*reclaim)(void *wire, const u32 *refs, u32 n);
	int (*copy)(void *wire, struct duct_copy_batch *batch);
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
 * @uuid: the link's identity; the two ends of a loopback share it
 * @side: frontend or backend
 * @peer: the other domain
 */
struct duct_link_config {
	const struct duct_wire_ops *ops;
	void *wire;
	uuid_t uuid;
	enum duct_side side;
	domid_t peer;
};

struct duct_link *duct_link_attach(const struct duct_link_config *cfg);
void duct_link_detach(struct duct_link *link);
int duct_link_start(struct duct_link *link, void *page, struct duct_policy *policy,
		    u64 incarnation, u64 peer_incarnation);
void duct_link_goodbye(struct duct_link *link);
void duct_link_stop(struct duct_link *link);
void duct_link_release(struct duct_link *link);
bool duct_link_event(struct duct_link *link, u32 door);
bool duct_link_closing(struct duct_link *link);
const char *duct_link_fault(struct duct_link *link);
void duct_link_set_state(struct duct_link *link, unsigned int state);

/* What the toolstack allows; see policy.c. */
#define DUCT_POLICY_CHANNELS	256	/* budget: channels at once */
#define DUCT_POLICY_PAGES	2048	/* budget: arena pages, 8 MiB */
#define DUCT_POLICY_SERVICES	64	/* entries */
#define DUCT_POLICY_PARAMS	32	/* of an entry */

struct duct_policy *duct_policy_new(void);
void duct_policy_put(struct duct_policy *policy);
int duct_policy_allow(struct duct_policy *policy, const char *service);
int duct_policy_param(struct duct_policy *policy, const char *service,
		      const char *key, const char *value);
int duct_policy_budget(struct duct_policy *policy, unsigned int channels, unsigned int pages);

#endif /* _DUCT_WIRE_H */
