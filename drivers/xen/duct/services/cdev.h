/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The character device: what its files share. For user space see uapi/xen/duct.h.
 *
 *   cdev.c          the service: a device node for each device on the bus
 *   cdev_file.c     open files, and what they become
 *   cdev_channel.c  messages and streams
 *   cdev_many.c     several messages with one system call
 *   cdev_call.c     calls, made and served
 *   cdev_region.c   regions
 *   cdev_event.c    events
 */
#ifndef _DUCT_SERVICES_CDEV_H
#define _DUCT_SERVICES_CDEV_H

#include <linux/cdev.h>
#include <linux/poll.h>
#include <linux/uio.h>
#include <uapi/xen/duct.h>
#include <xen/duct.h>

#include "cdev_frame.h"

#define DFILE_CALLS	64u	/* calls at once, each way */

/* For duct_file_recv.flags, from within: the end is another reader's to be told. */
#define DFILE_NO_END	(1u << 31)

/**
 * struct dnode - a node of /dev/duct
 * @dev: in class duct_cdev; holds all of this
 * @cdev: the character device
 * @dd: the device on the bus, until @gone
 * @all: on the list of all nodes that have their name; empty: another has it now
 * @mode: of the file
 * @gid: of the file
 * @stream: channel 0 is one
 * @resume: it is resumable
 * @max_msg: longest message, if a program does not say
 * @ring: bytes of the rings of channel 0, 0: as duct_open() does
 * @ring_limit: longest ring that a program may ask for, bytes
 * @region_limit: bytes of all regions that its files own
 * @files_limit: files that are something
 * @lock: all below. Inside dfile.lock
 * @gone: the device on the bus is being removed
 * @files: struct dfile, all that are open
 * @offers: struct dfile_offer: regions of other nodes' files that its peer may attach
 * @files_used: those that are something
 * @region_bytes: of all regions that its files own
 */
struct dnode {
	struct device dev;
	struct cdev cdev;
	struct duct_device *dd;
	struct list_head all;
	umode_t mode;
	kgid_t gid;
	bool stream;
	u32 resume;
	u32 max_msg;
	u32 ring;
	u32 ring_limit;
	u32 region_limit;
	u32 files_limit;
	struct mutex lock;
	bool gone;
	struct list_head files;
	struct list_head offers;
	u32 files_used;
	u64 region_bytes;
};

/**
 * struct dfile_spin - looking again before sleeping; races between readers do no harm
 * @skip: so many waits sleep at once
 * @vain: how many that were after the last time, which was in vain; 0: it was not
 */
struct dfile_spin {
	u32 skip;
	u32 vain;
};

/**
 * struct dfile_channel - a file that is a channel
 * @ch: the channel, NULL when the device is gone: both locks to change it, one to use it
 * @max_answer: longest answer given here
 * @stream: it is one
 * @resumable: it was opened so; the other end may not wish it
 * @serves: calls come
 * @turn: readers among each other, while one takes a message
 * @rx_lock: duct_next() and what it gives; outside @tx_lock. No page fault is waited for
 *           in either: whoever removes the device takes both
 * @tx_lock: sending
 * @partial: a reader is in the middle of the message at hand; rx_lock for this and the next
 * @request: the message at hand is a call
 * @held: struct dfile_held: messages that were taken before their reader came
 * @held_bytes: of those
 * @eof_told: read() has given 0
 * @waiting: calls that wait for an answer, or for room
 * @calls: struct dfile_call, in flight; dfile.spin for all below
 * @ended: those that have ended
 * @calls_len: of both
 * @requests: struct dfile_request: calls of the other end that were not answered yet
 * @last_tag: of those
 * @drain: holds what there is when the other end has closed
 * @rx_spin: of who reads
 * @tx_spin: of who writes
 */
struct dfile_channel {
	struct duct_channel *ch;
	u32 max_answer;
	bool stream;
	bool resumable;
	bool serves;
	struct mutex turn;
	struct mutex rx_lock;
	struct mutex tx_lock;
	bool partial;
	struct duct_request *request;
	struct list_head held;
	u32 held_bytes;
	bool eof_told;
	atomic_t waiting;
	struct list_head calls;
	struct list_head ended;
	u32 calls_len;
	struct list_head requests;
	u64 last_tag;
	struct work_struct drain;
	struct dfile_spin rx_spin;
	struct dfile_spin tx_spin;
};

/**
 * struct dfile_peer - what is to be told of a peer of a region
 * @told: it is up, as was read
 * @up: it is
 * @down: it went down since
 * @why: the last time
 */
struct dfile_peer {
	bool told;
	bool up;
	bool down;
	int why;
};

#define DFILE_PEERS 64u	/* peer ids of a region */

/**
 * struct dfile_region - a file that is a region
 * @region: NULL when the device is gone; dfile.lock
 * @charged: bytes of dnode.region_bytes
 * @offers: struct dfile_offer; dfile.lock
 * @watches: struct dfile_watch; dfile.lock
 * @fired: those with something to tell; dfile.spin, and the next
 * @peer: by id
 */
struct dfile_region {
	struct duct_region *region;
	u64 charged;
	struct list_head offers;
	struct list_head watches;
	struct list_head fired;
	struct dfile_peer peer[DFILE_PEERS];
};

/**
 * struct dfile_event - a file that is an event
 * @event: NULL when the device is gone; dfile.lock
 * @sum: of the triggers that were not read yet; dfile.spin
 */
struct dfile_event {
	struct duct_event *event;
	u64 sum;
};

/**
 * struct dfile - an open file
 * @ref: one of the file, one of who ends it
 * @node: counted
 * @list: on node->files
 * @lock: what the file is, and its end. Outside node->lock; no page fault in it, since
 *        mmap() takes it inside mmap_lock
 * @kind: DUCT_FILE_*; is set once, when the rest is there
 * @number: of the channel, region, or event
 * @gone: the device is; everything ends
 * @wait: whoever waits for anything here
 * @spin: short lists; not taken by interrupts
 */
struct dfile {
	struct kref ref;
	struct dnode *node;
	struct list_head list;
	struct mutex lock;
	u32 kind;
	u32 number;
	bool gone;
	wait_queue_head_t wait;
	spinlock_t spin;
	union {
		struct dfile_channel channel;
		struct dfile_region region;
		struct dfile_event event;
	};
};

/* cdev_file.c */
extern const struct file_operations dfile_fops;
void dfile_put(struct dfile *f);
void dfile_end(struct dfile *f);
int dfile_begin(struct dfile *f);
void dfile_became(struct dfile *f, u32 kind, u32 number);
void dfile_info_stats(struct duct_file_info *info, const struct duct_stats *stats);
void dfile_spin(struct dfile *f, struct dfile_spin *spin, bool (*there)(struct dfile *f, void *arg),
		void *arg);
int dfile_wait(struct dfile *f, bool (*done)(struct dfile *f, void *arg), void *arg, long timeout);
static inline u32 dfile_kind(const struct dfile *f)
{
	return smp_load_acquire(&f->kind);	/* in one kernel: dfile_became() */
}

/* Where in the program's memory a field of an ioctl is. */
static inline void __user *dfile_user(u64 address)
{
	return u64_to_user_ptr(address);
}

/* cdev_channel.c */
int dfile_channel_open(struct dfile *f, const struct duct_file_channel *arg);
int dfile_channel_open_default(struct dfile *f);
void dfile_channel_end(struct dfile *f);
void dfile_channel_free(struct dfile *f);
void dfile_channel_info(struct dfile *f, struct duct_file_info *info);
ssize_t dfile_channel_read(struct dfile *f, struct iov_iter *to, struct duct_file_recv *recv,
			   bool nowait);
ssize_t dfile_channel_write(struct dfile *f, struct iov_iter *from, bool nowait, u32 flags);
void dfile_channel_publish(struct dfile *f);
__poll_t dfile_channel_poll(struct dfile *f);
void dfile_channel_take(struct dfile *f);
int dfile_channel_error(int err);

/* cdev_many.c */
int dfile_send_many(struct dfile *f, struct duct_file_many *arg, bool nowait);
int dfile_recv_many(struct dfile *f, struct duct_file_many *arg, bool nowait);

/* cdev_call.c */
int dfile_call(struct dfile *f, struct duct_file_call *arg);
int dfile_call_start(struct dfile *f, const struct duct_file_call_start *arg, bool nowait);
int dfile_call_end(struct dfile *f, struct duct_file_call_end *arg, bool nowait);
int dfile_call_cancel(struct dfile *f, const struct duct_file_call_cancel *arg);
void dfile_calls_free(struct dfile *f);
int dfile_request_add(struct dfile *f, struct duct_request *req, u64 *tag);
int dfile_request_reply(struct dfile *f, const struct duct_file_reply *arg);
void dfile_requests_refuse(struct dfile *f);

/* cdev_region.c */
int dfile_region_create(struct dfile *f, const struct duct_file_region *arg);
int dfile_region_attach(struct dfile *f, const struct duct_file_region *arg);
int dfile_region_offer(struct dfile *f, const struct duct_file_offer *arg);
int dfile_region_revoke(struct dfile *f, const struct duct_file_offer *arg);
int dfile_region_watch(struct dfile *f, const struct duct_file_watch *arg);
int dfile_region_unwatch(struct dfile *f, const struct duct_file_watch *arg);
int dfile_region_trigger(struct dfile *f, const struct duct_file_watch *arg);
int dfile_region_mmap(struct dfile *f, struct vm_area_struct *vma);
ssize_t dfile_region_read(struct dfile *f, struct iov_iter *to, bool nowait);
__poll_t dfile_region_poll(struct dfile *f);
void dfile_region_info(struct dfile *f, struct duct_file_info *info);
void dfile_region_end(struct dfile *f);
void dfile_region_end_offers(struct dnode *node);

/* cdev_event.c */
int dfile_event_open(struct dfile *f, const struct duct_file_event *arg);
int dfile_event_watch(struct dfile *f, const struct duct_file_event_watch *arg);
ssize_t dfile_event_read(struct dfile *f, struct iov_iter *to, bool nowait);
ssize_t dfile_event_write(struct dfile *f, struct iov_iter *from);
__poll_t dfile_event_poll(struct dfile *f);
void dfile_event_info(struct dfile *f, struct duct_file_info *info);
void dfile_event_end(struct dfile *f);

#endif /* _DUCT_SERVICES_CDEV_H */
