/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core's own structures.
 *
 * Locks, outermost first:
 *
 *   duct_lock      all links, all drivers, all policies' use (mutex)
 *   device_lock    the driver core's: held over probe, remove, up and down
 *   dev->show_lock which channels of a device have a directory in sysfs (mutex)
 *   link->lock     everything of a link but what is said below (mutex)
 *   ch->tx_lock    the writer's half, calls, requests and arming of a channel
 *                  (spinlock, hard irqs off)
 *
 * The reader's half of a channel has one caller at a time by contract and no
 * lock. Both halves reach shared memory through ch->slot only: writers under
 * tx_lock, readers under RCU; who takes the slot away clears it under tx_lock
 * and waits for a grace period before the memory goes.
 */
#ifndef _DUCT_CORE_H
#define _DUCT_CORE_H

#include <linux/kobject.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/duct.h>

#include "arena.h"
#include "bulk.h"
#include "control.h"
#include "policy.h"
#include "resume.h"
#include "ring.h"
#include "stats.h"
#include "wire.h"

/* All freezable. Drivers' callbacks may sleep long: they do not share with the control works. */
extern struct workqueue_struct *duct_wq;	/* control, devices */
extern struct workqueue_struct *duct_recv_wq;	/* recv() and done() */
extern struct workqueue_struct *duct_cpu_wq;	/* the same, per CPU: DUCT_ON_CPU */
extern struct mutex duct_lock;
extern uint duct_max_doors;			/* module parameter */
extern uint duct_start_index;			/* module parameter: where indexes begin */
extern struct list_head duct_drivers;		/* duct_lock */
extern struct list_head duct_links;		/* duct_lock */
extern struct bus_type duct_bus;
extern const struct device_type duct_link_type;
extern const struct device_type duct_device_type;

struct duct_chunk;

#ifndef DUCT_BUDGET		/* the simulator has others */
#define DUCT_BUDGET	64	/* messages that one run of a worker takes */
/*
 * A channel's while nobody else wants the processor: to begin again costs as much as 20
 * messages (Documentation/performance.rst).
 */
#define DUCT_BUDGET_ALONE	1024
#define DUCT_CONTROL_ROOM	DUCT_CONTROL_BYTES	/* of the control ring */
#endif

/**
 * struct duct_out - something to tell the peer, in the order of asking
 * @node: on link->out, or empty
 * @emit: sends what is due; -EAGAIN: the ring is full, come again
 * @drop: optional: the epoch ends before it was sent
 */
struct duct_out {
	struct list_head node;
	int (*emit)(struct duct_link *link, struct duct_out *out);
	void (*drop)(struct duct_out *out);
};

/* What a CHUNK_DONE or DOOR_DONE says. */
struct duct_done {
	u32 type;
	u32 id;
	u32 status;
};

/**
 * struct duct_door - one event channel, and its bitmaps
 * @in: the peer sets bits; NULL: nothing is looked at
 * @out: we set bits; NULL: there is no such door
 * @usable: the backend has bound it
 * @channels: slots behind it, the control ring left out
 * @events: that the wire raised here; hard irq, one at a time
 * @spurious: of those, without anything behind them; the same
 */
struct duct_door {
	struct duct_door_table __peer *in;
	struct duct_door_table __peer *out;
	bool usable;
	u32 channels;
	u64 events;
	u64 spurious;
};

/**
 * struct duct_call_slot - a call in flight, by its number on the wire
 * @call: the caller's; NULL: free, or given up and the answer due
 * @generation: tells one use from the next
 * @busy: the peer may still answer
 * @lend: what was lent with it, NULL: nothing
 */
struct duct_call_slot {
	struct duct_call *call;
	struct duct_lend *lend;
	u32 generation;
	bool busy;
};

/* bits of duct_slot.flags */
enum {
	DUCT_SLOT_DRAINED,	/* the peer closed, and all that it sent was read */
	DUCT_SLOT_FAULT,	/* the peer broke the protocol of this channel */
	DUCT_SLOT_NEWS,		/* on link->todo */
	DUCT_SLOT_EARLY,	/* down() of the channel's last session is not over yet */
};

/* No reader goes into the rings of such a slot. */
#define DUCT_SLOT_UNREAD	(BIT(DUCT_SLOT_DRAINED) | BIT(DUCT_SLOT_FAULT) | \
				 BIT(DUCT_SLOT_EARLY))

/**
 * struct duct_slot - a channel while it is bound: its place in shared memory
 * @link: whose
 * @ch: the channel; NULL for the control ring, and when the channel let go
 * @index: in link->slots and the doors' tables
 * @generation: tells one use of the index from the next
 * @door: which the channel is behind
 * @tx: under the channel's tx_lock; for the control ring link->lock
 * @rx: the one reader's; for the control ring link->lock
 * @credit: 1 when an event is welcome: see the protocol of a door
 * @seen_prod: the peer's index of @rx at the last event, for nothing but whether it moved
 * @seen_cons: that of @tx
 * @flags: DUCT_SLOT_*; atomic
 * @todo: on link->todo while DUCT_SLOT_NEWS is set
 * @sent_close: we said CLOSE
 * @got_close: the peer did
 * @owe_close: we have to say CLOSE
 * @owe_closed: we have to say CLOSED
 * @close_reason: DUCT_CLOSE_*
 * @drain_until: jiffies: after that unread messages are dropped
 * @chunk: frontend: where the rings are
 * @offset: frontend: of both rings in @chunk
 * @bytes: frontend: of both rings
 * @calls: calls in flight to the peer, under tx_lock
 * @max_calls: of @calls
 * @next_call: where to look for a free one
 * @calls_busy: of @calls
 * @max_answer: the longest that the peer gives
 * @serving: calls of the peer that wait for duct_reply(), under tx_lock
 * @keep: bytes of tx that only answers may use
 * @out: emits CLOSE and CLOSED
 * @grave: in struct duct_leaving, then on link->graves until no reader can be inside
 * @cookie: RCU's, for @grave
 */
struct duct_slot {
	struct duct_link *link;
	struct duct_channel_core *ch;
	u32 index;
	u32 generation;
	u32 door;
	struct duct_tx tx;
	struct duct_rx rx;
	atomic_t credit;
	u32 seen_prod;
	u32 seen_cons;
	unsigned long flags;
	struct llist_node todo;
	bool sent_close;
	bool got_close;
	bool owe_close;
	bool owe_closed;
	u32 close_reason;
	unsigned long drain_until;
	struct duct_chunk *chunk;
	u32 offset;
	u32 bytes;
	struct duct_call_slot *calls;
	u32 max_calls;
	u32 next_call;
	u32 calls_busy;
	u32 max_answer;
	u32 serving;
	u32 keep;
	struct duct_out out;
	struct list_head grave;
	unsigned long cookie;
};

/**
 * struct duct_link - one pair of domains
 * @dev: on the bus, named duct<id>
 * @id: a number of this machine
 * @node: on duct_links; duct_lock
 * @side: frontend or backend; const
 * @peer: the other domain; duct_lock and @lock
 * @self: this one, as @peer
 * @uuid: identity; const
 * @lock: the rest
 * @ops: the wire; NULL while parked
 * @wire: for @ops
 * @memory: how memory goes between the two domains
 * @policy: what the toolstack allows; NULL before the first start
 * @epoch: counts starts
 * @incarnation: own, of this epoch
 * @peer_incarnation: the peer's, of this epoch
 * @running: between start and stop
 * @greeted: the peer's HELLO came: the link is up
 * @said_hello: ours is out
 * @goodbye_in: the peer said it
 * @goodbye_out: we did
 * @goodbye: completed by the peer's
 * @fault: NULL, or why the link is broken
 * @state: of the handshake, in words; the wire's
 * @slots: by index; written under @lock, read under RCU
 * @control: slots[0]
 * @lends: of channels that the epoch's end took: struct duct_lend
 * @mapping: mapping of what the peer lent begins under it; who lets go of a binding
 *           waits, as for RCU
 * @mapped: pages of the peer's lists that are mapped now
 * @stage: staging of this epoch
 * @stage_out: frontend: emits STAGE
 * @stage_msg: frontend: that
 * @door: by number
 * @doors: usable ones
 * @doors_most: frontend: how many it would have in this epoch
 * @door_words: of the doors' tables, which have bits of slots; written under @lock
 * @door_out: frontend: emits DOOR
 * @door_msg: frontend: the DOOR that waits for its answer; type 0: none
 * @work: reads the control ring, sends what is due
 * @tick: bounded waits: draining slots
 * @todo: slots with news, from any context
 * @out: struct duct_out in order
 * @services: struct duct_service
 * @chunks: by id
 * @graves: slots whose memory readers may still see
 * @grave_bytes: of the rings of those
 * @channels: bound slots
 * @pages: of all chunks
 * @region_pages: of regions that are shared or mapped over the link
 * @generation: of the last slot bound
 * @next_slot: none below it is free
 * @hello: emits HELLO
 * @chunk_out: emits CHUNK and CHUNK_DONE
 * @refused: backend: the chunk whose refs are read and dropped, by id + 1; 0: none
 * @refused_next: the page that its next message begins with
 * @done: chunks and doors to acknowledge, with their status
 * @done_len: of @done
 * @bye: emits GOODBYE
 * @stats: counters
 * @log: lines that the peer can cause
 * @chunk_failed: the backend could not map one: no more in this epoch
 * @starved: 0, or so often, up to a limit, there was no memory for @starved_msg: it is tried
 *           again, ever less often, before the next is read
 * @starved_msg: a message of the peer's, checked
 * @destroy: removes a link that nobody needs any more
 * @expire: parked, with devices that a driver keeps: they go when nobody comes back
 * @debugfs: its directory there
 */
struct duct_link {
	struct device dev;
	int id;
	struct list_head node;
	enum duct_side side;
	domid_t peer;
	domid_t self;
	uuid_t uuid;
	struct mutex lock;
	const struct duct_wire_ops *ops;
	void *wire;
	const struct duct_memory_ops *memory;
	struct duct_policy *policy;
	u32 epoch;
	u64 incarnation;
	u64 peer_incarnation;
	bool running;
	bool greeted;
	bool said_hello;
	bool goodbye_in;
	bool goodbye_out;
	struct completion goodbye;
	const char *fault;
	const char *state;
	struct duct_slot __rcu *slots[DUCT_SLOTS];
	struct duct_slot *control;
	struct list_head lends;
	struct srcu_struct mapping;
	atomic_t mapped;
	struct duct_stage stage;
	struct duct_out stage_out;
	union duct_ctl stage_msg;
	struct duct_door door[DUCT_DOORS];
	u32 doors;
	u32 doors_most;
	u32 door_words;
	struct duct_out door_out;
	union duct_ctl door_msg;
	struct work_struct work;
	struct delayed_work tick;
	struct llist_head todo;
	struct list_head out;
	struct list_head services;
	struct duct_chunk *chunks[DUCT_CHUNKS];
	struct list_head graves;
	u32 grave_bytes;
	u32 channels;
	u32 pages;
	u32 region_pages;
	u32 generation;
	u32 next_slot;
	struct duct_out hello;
	struct duct_out chunk_out;
	u32 refused;
	u32 refused_next;
	struct duct_done done[DUCT_CHUNKS + DUCT_DOORS];
	u32 done_len;
	struct duct_out bye;
	struct duct_link_stats stats;
	struct ratelimit_state log;
	bool chunk_failed;
	u32 starved;
	union duct_ctl starved_msg;
	struct work_struct destroy;
	struct delayed_work expire;
	struct dentry *debugfs;
};

/* What a service owes the peer: bits of duct_service.owe. */
#define DUCT_OWE_ANNOUNCE	1u
#define DUCT_OWE_WITHDRAW	2u
#define DUCT_OWE_BIND		4u
#define DUCT_OWE_UNBIND		8u

/**
 * struct duct_service - a service on a link, in one role
 * @link: whose; link->lock covers the rest
 * @node: on link->services
 * @name: padded with zeros
 * @instance: number
 * @role: ours, DUCT_ROLE_*
 * @local: a driver for it is registered here
 * @local_features: that driver's
 * @announced: we told the peer
 * @offered: the peer announced
 * @bound: serving end: the peer bound; using end: we did
 * @peer_features: the peer's driver's
 * @life: counts how often it came up: a device of an earlier life is removed
 * @dev: the device, or NULL; changed by @work alone
 * @wanted: a device should be there
 * @work: makes and removes the device, tells channels up and down
 * @owe: DUCT_OWE_*
 * @out: emits those
 * @wishes: frontend: OPENs that no local channel matched yet, struct duct_wish
 * @wishes_len: of @wishes
 * @kref: one for link->services, one for @dev, one while @work is queued
 */
struct duct_service {
	struct duct_link *link;
	struct list_head node;
	u8 name[DUCT_SERVICE_NAME];
	u32 instance;
	u32 role;
	bool local;
	u64 local_features;
	bool announced;
	bool offered;
	bool bound;
	u64 peer_features;
	u32 life;
	struct duct_device_core *dev;
	bool wanted;
	struct work_struct work;
	u32 owe;
	struct duct_out out;
	struct list_head wishes;
	u32 wishes_len;
	struct kref kref;
};

struct duct_wish {
	struct list_head node;
	u32 number;
	struct duct_ctl_wish wish;
};

/**
 * struct duct_device_core - the core's part of a device
 * @pub: the driver's part
 * @service: counted
 * @policy: counted: the parameters
 * @life: of the service when it was made
 * @keep: its driver asked for that; set by probe
 * @channels: struct duct_channel_core; link->lock
 * @channels_dir: sysfs
 * @show: gives those that have none directories there
 * @show_lock: over adding such a directory, and over leaving @channels and removing it
 */
struct duct_device_core {
	struct duct_device pub;
	struct duct_service *service;
	struct duct_policy *policy;
	u32 life;
	bool keep;
	struct list_head channels;
	struct kobject *channels_dir;
	struct delayed_work show;
	struct mutex show_lock;
};

/**
 * struct duct_request_core - a call that a driver here works on
 * @pub: the driver's part
 * @busy: between duct_next() and duct_reply(); tx_lock
 * @slot: the caller's
 * @generation: the caller's
 * @serial: of the binding that it came by
 * @bulk: what was lent with it, NULL: nothing
 * @map: duct_bulk_map()'s, NULL: not called
 */
struct duct_request_core {
	struct duct_request pub;
	struct duct_bulk_in *bulk;
	struct duct_bulk_pages *map;
	bool busy;
	u32 slot;
	u32 generation;
	u32 serial;
};

/* bits of duct_channel_core.flags */
enum {
	DUCT_CH_RX_ARMED,	/* tell ready() */
	DUCT_CH_TX_WAKE,	/* the worker wakes who waits for room */
};

/**
 * struct duct_channel_core - the core's part of a channel
 * @pub: the driver's part
 * @link: counted by the device
 * @node: on the device's channels; link->lock
 * @cfg: as opened, defaults filled in
 * @slot: NULL while not bound
 * @fault: NULL, or in words how the peer broke the last session
 * @serial: counts bindings; link->lock and tx_lock to change
 * @told: the driver was, or is being, told of session number @told by up(), and not of its
 *        end; 0: none. device_lock
 * @session: the @serial that it began with: the same through all epochs in which it is
 *           resumed; link->lock
 * @up: there is a binding to tell of; link->lock
 * @why: down's reason; link->lock
 * @telling: up() or down() runs
 * @broken: no new wish in this epoch; link->lock
 * @stopped: duct_stop() was called
 * @wished: the wish is made; backend: OPEN was queued; link->lock
 * @keep: resumable: what it keeps; const, and its @tx_bytes and @tx by link->lock
 * @parked: the epoch is over, the session is not; link->lock and tx_lock to change
 * @park_frozen: parked, and what was taken is settled; the same
 * @tx_lock: see the top
 * @tx_err: why not to send, 0 if up; tx_lock
 * @rx_err: why there is nothing to receive once @slot is gone; tx_lock to change
 * @tx_want: room that somebody waits for, 0: nobody; tx_lock
 * @tx_want_call: somebody waits for a free call; tx_lock
 * @reserved: bytes of the reservation in progress; tx_lock
 * @reserved_at: where
 * @reserve_flags: irq flags of tx_lock between reserve and commit
 * @flags: DUCT_CH_*; atomic
 * @wait: writers and readers that sleep, close
 * @work: runs recv() and done()
 * @worker: the task that runs @work, for -EDEADLK
 * @timer: the earliest deadline of a call
 * @pending: calls that wait for an answer and have a deadline; tx_lock
 * @failed: calls whose done() has to be told an error; tx_lock
 * @open: the one reader has a message
 * @open_serial: of which binding
 * @open_frame: its header
 * @open_pos: bytes read of it
 * @open_lost: not all of it could be read
 * @open_request: its request until it is released or replied; tx_lock to change
 * @requests: cfg.max_calls of them
 * @requests_busy: of those; tx_lock
 * @next_request: where to look for a free one; tx_lock
 * @out: emits OPEN, the frontend's REFUSED
 * @owe_open: link->lock
 * @shown: it has a directory in sysfs, or there was no memory for one; dev->show_lock
 * @refused: frontend: DUCT_REFUSED_* to send; link->lock
 * @kobj: the directory; holds the memory
 * @opened: in jiffies, when: it is @shown a while later; link->lock
 * @stats: counters
 */
struct duct_channel_core {
	struct duct_channel pub;
	struct duct_link *link;
	struct list_head node;
	struct duct_channel_config cfg;
	struct duct_slot __rcu *slot;
	const char *fault;
	u32 serial;
	u32 session;
	u32 told;
	bool up;
	int why;
	bool telling;
	bool broken;
	bool stopped;
	bool wished;

	struct duct_keep *keep;
	bool parked;
	bool park_frozen;

	spinlock_t tx_lock;
	int tx_err;
	int rx_err;
	u32 tx_want;
	bool tx_want_call;
	u32 reserved;
	u32 reserved_at;
	unsigned long reserve_flags;
	unsigned long flags;
	wait_queue_head_t wait;
	struct work_struct work;
	struct task_struct *worker;
	struct timer_list timer;
	struct list_head pending;
	struct list_head failed;

	bool open;
	u32 open_serial;
	struct duct_frame open_frame;
	u32 open_pos;
	bool open_lost;
	struct duct_request *open_request;

	struct duct_request_core *requests;
	u32 requests_busy;
	u32 next_request;

	struct duct_out out;
	bool owe_open;
	bool shown;
	u32 refused;
	struct kobject kobj;
	unsigned long opened;
	struct duct_channel_stats stats;
};

#define to_duct_channel_core(c) container_of(c, struct duct_channel_core, pub)
#define to_duct_driver(d) container_of(d, struct duct_driver, driver)
#define to_duct_device_core(d) container_of(d, struct duct_device_core, pub)
#define to_duct_link(d) container_of(d, struct duct_link, dev)

/* link.c */
void duct_link_forget(struct duct_link *link);
void duct_link_break(struct duct_link *link, const char *why);
void duct_link_kick(struct duct_link *link);
bool duct_link_may_log(struct duct_link *link);
int duct_link_send(struct duct_link *link, const union duct_ctl *msg);
void duct_link_out(struct duct_link *link, struct duct_out *out);
int duct_link_post(struct duct_link *link, const union duct_ctl *msg);
void duct_link_drop_out(struct duct_link *link);
static inline bool duct_link_is_front(const struct duct_link *link)
{
	return link->side == duct_side_front;
}

/* dispatch.c */
/* What is returned for a message that is right, but for which there is no memory here now. */
extern const char * const duct_no_memory;
void duct_dispatch_init(struct duct_link *link);
void duct_dispatch_start(struct duct_link *link);
void duct_link_quiesce(struct duct_link *link, int why);

/* door.c */
void duct_doors_init(struct duct_link *link);
void duct_doors_start(struct duct_link *link, struct duct_control_page __peer *page);
void duct_doors_cover(struct duct_link *link, u32 slot);
void duct_doors_deaf(struct duct_link *link);
void duct_doors_end(struct duct_link *link);
u32 duct_door_pick(struct duct_link *link);
void duct_door_offer(struct duct_link *link);
const char *duct_door_receive(struct duct_link *link, const struct duct_ctl_door *msg);
const char *duct_door_done(struct duct_link *link, const struct duct_ctl_done *msg);
bool duct_door_ring(struct duct_slot *slot);

/* service.c */
int duct_services_start(struct duct_link *link);
void duct_services_stop(struct duct_link *link);
void duct_services_end(struct duct_link *link);
void duct_service_up_all(struct duct_link *link);
int duct_services_driver(struct duct_link *link, const struct duct_driver *drv, bool here);
const char *duct_service_receive(struct duct_link *link, const union duct_ctl *msg);
struct duct_service *duct_service_find(struct duct_link *link, const u8 *name, u32 instance,
				       u32 role);
struct duct_service *duct_service_of(struct duct_link *link, const struct duct_ctl_service *id);
void duct_service_fill(const struct duct_service *service, struct duct_ctl_service *id);
void duct_service_bound(struct duct_service *service, bool bound);
void duct_service_queue(struct duct_service *service);
void duct_service_put(struct duct_service *service);
void duct_services_retry(struct duct_link *link);
const struct duct_ctl_wish *duct_service_wish(struct duct_service *service, u32 number);
void duct_service_wish_done(struct duct_service *service, u32 number);

/* channel.c */
int duct_channel_init(void);
void duct_channel_exit(void);
void duct_channel_free(struct duct_channel_core *ch);
void duct_channel_bind(struct duct_channel_core *ch, struct duct_slot *slot,
		       const struct duct_ctl_bound *msg);
void duct_channel_went_down(struct duct_channel_core *ch);
void duct_channel_unwish(struct duct_channel_core *ch);
u32 duct_channel_wish_flags(const struct duct_channel_core *ch);
struct duct_slot *duct_channel_unbind(struct duct_channel_core *ch, int why);
void duct_channel_wish(struct duct_channel_core *ch);
void duct_channel_refused(struct duct_channel_core *ch, int why);
bool duct_channel_tell_down(struct duct_channel_core *ch);
bool duct_channel_tell_up(struct duct_channel_core *ch);
void duct_channel_queue(struct duct_channel_core *ch);
void duct_channel_event(struct duct_channel_core *ch);
void duct_channel_fault(struct duct_channel_core *ch, struct duct_slot *slot, const char *why);
void duct_channel_peer_closed(struct duct_channel_core *ch, struct duct_slot *slot);
void duct_channel_forget(struct duct_channel_core *ch);
void duct_channel_close_all(struct duct_device_core *dev);
struct duct_channel_core *duct_channel_find(struct duct_service *service, u32 number);
int duct_channel_open(struct duct_device *dd, u32 number, const struct duct_channel_config *cfg,
		      struct duct_channel **channel);

/* send.c */
int duct_tx_start(struct duct_channel_core *ch, u32 len, u32 keep, u32 *at);
void duct_tx_end(struct duct_channel_core *ch, struct duct_slot *slot, u32 at,
		 const struct duct_frame *frame, u32 flags);
bool duct_tx_check(struct duct_channel_core *ch);
void duct_tx_show(struct duct_channel_core *ch, struct duct_slot *slot);
void duct_tx_wake(struct duct_channel_core *ch);

/* recv.c */
void duct_msg_fault(const struct duct_msg *msg, const char *why);
void duct_recv_work(struct work_struct *work);

/* call.c */
ssize_t duct_call_lend(struct duct_channel *channel, const struct duct_call *lent,
		       const void *req, u32 len, void *rsp, u32 size);
int duct_request_finish(struct duct_request_core *req, const void *rsp, u32 len, bool fits);
int duct_call_answer(struct duct_channel_core *ch, struct duct_slot *slot,
		     const struct duct_frame *frame, struct duct_call **call);
void duct_call_end(struct duct_channel_core *ch, struct duct_slot *slot,
		   const struct duct_frame *frame);
void duct_calls_fail(struct duct_channel_core *ch, struct duct_slot *slot, int err);
void duct_calls_run_failed(struct duct_channel_core *ch);
void duct_call_timer(struct timer_list *timer);
struct duct_request *duct_request_begin(struct duct_channel_core *ch, struct duct_slot *slot,
					const struct duct_frame *frame, struct duct_bulk_in *bulk);
void duct_request_refuse(struct duct_channel_core *ch);

/* device.c */
int duct_device_add(struct duct_service *service);
void duct_device_del(struct duct_device_core *dev);
void duct_device_join_features(struct duct_device_core *dev, u64 features);

/* bus.c */
int duct_bus_init(void);
void duct_bus_exit(void);

/* sysfs.c */
extern const struct attribute_group *duct_link_groups[];
extern const struct attribute_group *duct_device_groups[];
extern const struct kobj_type duct_channel_ktype;
int duct_channel_set_name(struct duct_channel_core *ch);
void duct_channel_remove(struct duct_channel_core *ch);
void duct_device_show(struct duct_device_core *dev);
void duct_device_show_work(struct work_struct *work);
void duct_channel_show_soon(struct duct_channel_core *ch);

/* debugfs.c */
void duct_debugfs_init(void);
void duct_debugfs_exit(void);
void duct_debugfs_link(struct duct_link *link);
void duct_debugfs_unlink(struct duct_link *link);

#endif /* _DUCT_CORE_H */
