/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions: memory of several domains. The owner is in the middle: it has a channel of
 * its own with each peer, and passes on what is between two of them.
 *
 *   region.c       made, offered, attached; what the driver is told
 *   region_mmap.c  in user space
 *   region_peer.c  the messages of one of those channels
 *   watch.c        triggers
 *   sg.c           transfers
 */
#ifndef _DUCT_REGION_H
#define _DUCT_REGION_H

#include "core.h"
#include "region_msg.h"

struct duct_region_peer;
struct duct_region_users;

/**
 * struct duct_region_core - the core's part of a region
 * @pub: the driver's part; attached: changed by @work alone
 * @ops: what to tell the driver
 * @owner: it is ours; else it is attached, and @peers has the owner alone; const
 * @page: owner: the memory; const
 * @pages: of @page; const
 * @users: who has it mapped in user space; const
 * @lock: all below, and what is said there of others; hard irqs off. Outside the
 *        channels' tx_lock
 * @closing: @work is not queued any more
 * @peers: struct duct_region_peer
 * @ids: owner: peer ids in use
 * @watches: struct duct_watch
 * @firing: the watch whose fn() runs
 * @lists: struct duct_sg that are registered, oldest first
 * @moved: those whose done() is due
 * @moving: the one whose done() runs
 * @work: calls the driver
 * @worker: the task that runs @work
 * @wait: who waits for anything here
 */
struct duct_region_core {
	struct duct_region pub;
	const struct duct_region_ops *ops;
	bool owner;
	struct page **page;
	u32 pages;
	struct duct_region_users *users;
	spinlock_t lock;
	bool closing;
	struct list_head peers;
	u64 ids;
	struct list_head watches;
	struct duct_watch *firing;
	struct list_head lists;
	struct list_head moved;
	struct duct_sg *moving;
	struct work_struct work;
	struct task_struct *worker;
	wait_queue_head_t wait;
};

#define to_duct_region_core(r) container_of(r, struct duct_region_core, pub)

/* How far a peer is. */
enum duct_region_peer_state {
	DUCT_PEER_OUT,		/* nothing yet, or not any more */
	DUCT_PEER_OFFERED,	/* OFFER and REFS are on their way, or it is being mapped */
	DUCT_PEER_IN,		/* it has it, or we have */
	DUCT_PEER_LEAVING,	/* REVOKE was said, or is due */
	DUCT_PEER_REFUSED,	/* no more in this epoch */
};

/* bits of duct_region_peer.say */
#define DUCT_SAY_OFFER		1u
#define DUCT_SAY_ATTACHED	2u
#define DUCT_SAY_REVOKE		4u
#define DUCT_SAY_RELEASED	8u
#define DUCT_SAY_WATCHED	16u

/**
 * struct duct_point - an offset with triggers
 * @off: of the region
 * @pending: triggers that the peer was not told yet
 * @used: owner: the peer watches it; attached: @pending is not 0
 */
struct duct_point {
	u64 off;
	u64 pending;
	bool used;
};

/**
 * struct duct_region_peer - the other end of one of the region's channels
 * @node: on region->peers
 * @region: whose
 * @dd: the device; const
 * @ch: its channel; const
 * @writable: owner: it may write; const
 * @mutex: @share, @mapping, @refs, and the channel's messages. Outside link->lock and
 *         region->lock
 * @work: the messages
 * @gone: @work is not queued any more; region->lock for this and the next
 * @ending: owner: it is not offered again
 * @users: who uses @ch though it may be ending
 * @serial: of the channel's binding that its up() told of; 0: it is down
 * @state: enum duct_region_peer_state
 * @told: the driver was told up(), and not down()
 * @fail: the driver is to be told down() without an up()
 * @why: for that, and for down()
 * @id: owner: the peer's; 0: none. Attached: ours, for up()
 * @say: what is to be sent: DUCT_SAY_*
 * @status: for ATTACHED
 * @watched: owner: WATCHED; nothing is read before it is sent. @mutex
 * @offer: number of the last offer
 * @size: of the region; attached: as offered
 * @share: owner: its pages, for this peer
 * @sent: owner: of those, the peer was told
 * @refs: attached: pages of the offer
 * @filled: attached: of @refs that came
 * @mapping: attached: the region
 * @charged: pages of the link's budget that this takes; @mutex
 * @relays: transfers of the peer to others, struct duct_relay; region->lock
 * @relay: makes them, one at a time
 * @point: offsets; region->lock
 */
struct duct_region_peer {
	struct list_head node;
	struct duct_region_core *region;
	struct duct_device *dd;
	struct duct_channel *ch;
	bool writable;
	struct mutex mutex;
	struct work_struct work;
	bool gone;
	bool ending;
	u32 users;
	u32 serial;
	enum duct_region_peer_state state;
	bool told;
	bool fail;
	int why;
	u32 id;
	u32 say;
	u32 status;
	struct duct_region_point watched;
	u32 offer;
	u64 size;
	struct duct_share *share;
	u32 sent;
	u32 *refs;
	u32 filled;
	struct duct_mapping *mapping;
	u32 charged;
	struct list_head relays;
	struct work_struct relay;
	struct duct_point point[DUCT_REGION_WATCHES];
};

/* Attached: the only one. */
static inline struct duct_region_peer *duct_region_owner(struct duct_region_core *region)
{
	return list_first_entry(&region->peers, struct duct_region_peer, node);
}

/* region.c */
void duct_region_queue(struct duct_region_core *region);
struct duct_region_peer *duct_region_get_peer(struct duct_region_core *region, u32 id);
void duct_region_put_peer(struct duct_region_peer *peer);

/* region_peer.c */
struct duct_region_peer *duct_region_peer_new(struct duct_region_core *region,
					      struct duct_device *dd, bool writable);
int duct_region_peer_open(struct duct_region_peer *peer, u32 id);
void duct_region_peer_queue(struct duct_region_peer *peer);
void duct_region_peer_begin_users(struct duct_region_peer *peer);
void duct_region_peer_unmap(struct duct_region_peer *peer);
void duct_region_peer_revoke(struct duct_region_peer *peer);
void duct_region_peer_end(struct duct_region_peer *peer);

/* region_mmap.c */
struct duct_region_users *duct_region_users_new(void);
void duct_region_users_put(struct duct_region_users *users);
void duct_region_users_own(struct duct_region_users *users, struct page **page, u32 pages);
void duct_region_users_begin(struct duct_region_users *users, struct duct_mapping *mapping,
			     const struct duct_memory_ops *memory, u32 pages, bool writable);
void duct_region_users_end(struct duct_region_users *users);

/* watch.c */
bool duct_watches_tell(struct duct_region_core *region);
void duct_watches_forget(struct duct_region_peer *peer);
int duct_watches_say(struct duct_region_peer *peer);
void duct_watch_known(struct duct_region_core *region, const struct duct_region_point *msg);
void duct_point_flush(struct duct_region_peer *peer);
bool duct_point_watch(struct duct_region_peer *peer, u64 off);
void duct_point_unwatch(struct duct_region_peer *peer, u64 off);
void duct_region_triggered(struct duct_region_peer *from, u64 off, u32 n);

/* sg.c */
void duct_sg_init(struct duct_region_peer *peer);
bool duct_sg_tell(struct duct_region_core *region);
void duct_sg_forget(struct duct_region_core *region);
void duct_sg_receive(struct duct_region_peer *peer, struct duct_msg *msg);

#endif /* _DUCT_REGION_H */
