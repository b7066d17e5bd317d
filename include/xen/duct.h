/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Services between two Xen domains: the API of xen-duct.
 */
#ifndef _XEN_DUCT_H
#define _XEN_DUCT_H

#include <linux/bvec.h>
#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/uio.h>
#include <xen/interface/xen.h>

/**
 * DOC: Contexts
 *
 * Each function says where it may be called:
 *
 * [any]
 *	any context, hard interrupts too; never sleeps
 * [sleep]
 *	may sleep
 * [one]
 *	one caller at a time per channel; all others any number
 *
 * Callbacks: probe(), remove(), up() and down() may sleep for a bounded time
 * and run one at a time per device. recv() and done() may sleep, run one at a
 * time per channel, delay only that channel, and may overlap up(). ready() and
 * writable() run in [any] context and only wake something. On a channel with
 * ready() done() runs where duct_next() or duct_readable() was called, and may
 * sleep only if that may. A callback may run before the function that asked for
 * it returns.
 */

/**
 * DOC: Errors
 *
 * Functions that return a pointer return an ERR_PTR(), never NULL.
 *
 * ``-EAGAIN``
 *	full or empty now; writable() or ready() is armed
 * ``-EMSGSIZE``
 *	never fits
 * ``-ENOTCONN``
 *	the channel was not up yet; up() follows. Between down() and the next up()
 *	it is down()'s reason instead
 * ``-EPIPE``
 *	the peer has closed; what it sent before was read
 * ``-ECONNRESET``
 *	the epoch has ended, and what was in flight with it
 * ``-EPROTO``
 *	the peer broke the protocol; the channel is of no use until the next epoch
 * ``-EREMOTEIO``
 *	the peer refused the call
 * ``-EDQUOT``
 *	a budget of the link is used up
 * ``-ETIMEDOUT``, ``-ECANCELED``
 *	a call's own end
 * ``-ESHUTDOWN``
 *	duct_stop() was called
 */

/**
 * DOC: Resuming
 *
 * With DUCT_RESUMABLE at both ends a channel outlives the epoch, and so a reload of the
 * frontend's or the backend's module, save and restore, and migration: what was sent
 * arrives once and in order, as if nothing had been. In between the channel is parked: sends
 * give -EAGAIN, up() and down() are not told, writable() and ready() come when it goes on.
 * &duct_device.epoch and &duct_device.peer may change meanwhile.
 *
 * A message counts as received when all of it was read, or it was released; one of
 * which duct_read() gave -ECONNRESET comes again. On a stream each byte that was read counts.
 *
 * If the other end is not there again in time (xen_duct's parameter resume_timeout), has
 * closed the channel, or is an older image of itself, down() with -ECONNRESET tells so, and
 * what was in flight is lost. So it is without the flag at the other end. Only for drivers
 * that keep their devices; it serves and makes no calls. It takes the memory of the ring to
 * the peer a second time.
 */

#define DUCT_NAME_LEN 16
#define MODULE_ALIAS_DUCT(name) MODULE_ALIAS("duct:" name)

#define DUCT_CONNECT	1	/* uses what the peer offers */
#define DUCT_SERVE	2	/* offers it: one device per peer that binds */
#define DUCT_PEER	4	/* both ends are equal */

/**
 * struct duct_device_id - a service that a driver knows
 * @service: name, ``[a-z0-9_-]{1,15}``
 * @driver_data: the driver's
 */
struct duct_device_id {
	char service[DUCT_NAME_LEN];
	kernel_ulong_t driver_data;
};

/**
 * struct duct_device - one end of a service, for one peer
 * @dev: on the bus "duct", named duct<link>.<service>.<instance>.{s,c,p}
 * @id: the entry of the driver's table that matched
 * @service: name
 * @instance: number; the name and the number are the service
 * @role: ours: DUCT_CONNECT, DUCT_SERVE or DUCT_PEER
 * @peer: the other domain
 * @self: this domain's id, also for the peer; DOMID_INVALID if the toolstack did not say.
 *        Like @peer it changes only between down() and up(): a restored guest has another
 * @epoch: of the link; changes only between down() and up()
 * @features: those that both drivers have
 *
 * Read only for drivers; valid from probe() to the end of remove().
 */
struct duct_device {
	struct device dev;
	const struct duct_device_id *id;
	char service[DUCT_NAME_LEN];
	unsigned int instance;
	unsigned int role;
	domid_t peer;
	domid_t self;
	u32 epoch;
	u64 features;
};

#define to_duct_device(d) container_of(d, struct duct_device, dev)

/**
 * struct duct_driver - a service driver
 * @driver: the core fills it in; the driver may set groups
 * @id_table: services; ends with an empty entry
 * @roles: what it does for all of them: DUCT_CONNECT | DUCT_SERVE, or DUCT_PEER
 * @features: bits that the driver gives a meaning; both ends' are joined by "and"
 * @keep: devices outlive the link and the peer's driver, their channels get
 *        down() and later up(); otherwise they are removed and probed again
 * @probe: required. Opens channels; must not wait for the peer, see &duct_channel_ops.up
 * @remove: optional. No callback of the device runs once it has returned
 * @node: the core's
 *
 * A service must be allowed by the toolstack on a link (see ductctl(8)) to be
 * offered or used there.
 */
struct duct_driver {
	struct device_driver driver;
	const struct duct_device_id *id_table;
	unsigned int roles;
	u64 features;
	bool keep;
	int (*probe)(struct duct_device *dd);
	void (*remove)(struct duct_device *dd);
	struct list_head node;
};

int __duct_driver_register(struct duct_driver *drv, struct module *owner, const char *name);
void duct_driver_unregister(struct duct_driver *drv);
#define duct_driver_register(drv) __duct_driver_register(drv, THIS_MODULE, KBUILD_MODNAME)
#define module_duct_driver(drv) module_driver(drv, duct_driver_register, duct_driver_unregister)

const char *duct_param(struct duct_device *dd, const char *key, const char *def);
bool duct_present(struct duct_device *dd);
bool duct_may_log(struct duct_device *dd);
/* dev_err() where the peer can have it said again and again */
#define duct_err(dd, ...)						\
do {									\
	if (duct_may_log(dd))						\
		dev_err(&(dd)->dev, __VA_ARGS__);			\
} while (0)

struct duct_request;

/**
 * struct duct_channel - an open channel
 * @dd: the device it belongs to
 * @priv: the driver's, from &duct_channel_config.priv
 * @number: which channel of the device
 * @max_msg: longest message, bytes: the smaller wish of both ends
 * @tx_bytes: size of the ring to the peer: the larger wish of both ends, or what
 *            messages and answers need
 * @rx_bytes: size of the ring from the peer
 *
 * Read only for drivers. @max_msg, @tx_bytes and @rx_bytes are final when up() runs.
 */
struct duct_channel {
	struct duct_device *dd;
	void *priv;
	u32 number;
	u32 max_msg;
	u32 tx_bytes;
	u32 rx_bytes;
};

/**
 * struct duct_msg - the oldest message of a channel, read front to back
 * @len: bytes not yet read
 * @request: not NULL for a call; it outlives the message, until duct_reply()
 * @ch: the core's
 * @serial: the core's
 */
struct duct_msg {
	u32 len;
	struct duct_request *request;
	struct duct_channel *ch;
	u32 serial;
};

/**
 * struct duct_channel_ops - what a driver is told; all optional
 * @up: open at both ends. duct_call() is fine here
 * @down: every call has ended; nothing can be sent until up(). @why is an errno of "Errors"
 * @recv: a message; it is released on return. An error refuses a call that was not replied to
 * @ready: instead of @recv: there is something for duct_next(), which the driver calls
 *         wherever it likes. Once per arming; also when the channel goes down or is stopped
 * @writable: the room that was asked for is there, once per arming; also when the
 *            channel goes down or is stopped
 *
 * See "Contexts".
 */
struct duct_channel_ops {
	void (*up)(struct duct_channel *ch);
	void (*down)(struct duct_channel *ch, int why);
	int (*recv)(struct duct_channel *ch, struct duct_msg *msg);
	void (*ready)(struct duct_channel *ch);
	void (*writable)(struct duct_channel *ch);
};

#define DUCT_STREAM	1	/* bytes, not messages */
#define DUCT_ON_CPU	4	/* its thread on &duct_channel_config.cpu */
#define DUCT_ONCE	8	/* one connection: after down() it does not come up again */
#define DUCT_RESUMABLE	16	/* nothing is lost with the epoch: see "Resuming" */

/**
 * struct duct_channel_config - how to open a channel; copied; 0 is a good default everywhere
 * @ops: what to be told
 * @priv: for &duct_channel.priv
 * @flags: DUCT_STREAM, DUCT_ON_CPU, DUCT_ONCE, DUCT_RESUMABLE; both ends must agree on
 *         DUCT_STREAM
 * @cpu: for DUCT_ON_CPU
 * @tx_bytes: size of the ring to the peer, at least; 0: four messages, up to 256 KiB
 * @rx_bytes: size of the ring from the peer, at least; 0: the same
 * @max_msg: longest message, bytes; 4096 if 0
 * @max_calls: calls served here at once; 0: the core refuses them
 * @max_answer: longest answer given here; so much is kept free for each
 */
struct duct_channel_config {
	const struct duct_channel_ops *ops;
	void *priv;
	u32 flags;
	u32 cpu;
	u32 tx_bytes;
	u32 rx_bytes;
	u32 max_msg;
	u32 max_calls;
	u32 max_answer;
};

int duct_open(struct duct_device *dd, u32 number, const struct duct_channel_config *cfg,
	      struct duct_channel **ch);
void duct_stop(struct duct_channel *ch);
void duct_close(struct duct_channel *ch);

/**
 * struct duct_stats - counters of a channel
 * @out_messages: frames sent, of any kind
 * @out_bytes: payload of them
 * @out_events: events raised at the peer, for data and for space: a hypercall each
 * @in_messages: messages received
 * @in_bytes: payload of them
 * @in_copies: times that duct_bulk_copy() and duct_bulk_map() copied: a hypercall each
 * @in_maps: times that duct_bulk_map() mapped, and what it mapped was unmapped: a
 *           hypercall each
 * @wakeups: times that the channel's worker ran, or ready() was told
 */
struct duct_stats {
	u64 out_messages;
	u64 out_bytes;
	u64 out_events;
	u64 in_messages;
	u64 in_bytes;
	u64 in_copies;
	u64 in_maps;
	u64 wakeups;
};

void duct_stats(struct duct_channel *ch, struct duct_stats *stats);
int duct_error(struct duct_channel *ch);

#define DUCT_MORE	1	/* publish with the next, at duct_publish(), when full, or closed */
#define DUCT_MAY_MAP	2	/* the peer may map whole pages lent; see &duct_call.sg */

int duct_send(struct duct_channel *ch, const void *data, u32 len, u32 flags);
ssize_t duct_send_iter(struct duct_channel *ch, const void *hdr, u32 hdr_len,
		       struct iov_iter *from, u32 flags);
void *duct_reserve(struct duct_channel *ch, u32 len);
void duct_commit(struct duct_channel *ch, void *p, u32 len, u32 flags);
void duct_abort(struct duct_channel *ch, void *p);
void duct_publish(struct duct_channel *ch);
u32 duct_room(struct duct_channel *ch);
bool duct_writable(struct duct_channel *ch, u32 room);
bool duct_has_room(struct duct_channel *ch, u32 room);
bool duct_readable(struct duct_channel *ch);
bool duct_pending(struct duct_channel *ch);
int duct_wait_writable(struct duct_channel *ch, u32 room, long timeout);

int duct_next(struct duct_channel *ch, struct duct_msg *msg);
int __must_check duct_read(struct duct_msg *msg, void *to, u32 len);
ssize_t __must_check duct_read_iter(struct duct_msg *msg, struct iov_iter *to);
void duct_release(struct duct_msg *msg);

/**
 * struct duct_call - a call in flight: the caller's memory, until done()
 * @done: required. Once for each 0 of duct_call_async(), maybe before that returns.
 *        @answer is NULL if @err, and released on return. On channels with ready() it
 *        runs in duct_next(), or with @err in a thread
 * @timeout: jiffies; 0: none
 * @sg: memory lent to the peer until done(). Not DMA-mapped. Up to 4 MiB in all; each
 *      piece at least one byte. With an answer the peer has let go of it, and after an
 *      error it can copy nothing more, but with DUCT_MAY_MAP it may then still have
 *      pages mapped: the core holds each until it has not, and counts it. So memory
 *      that may be mapped is whole pages from the page allocator, and what was lent is
 *      put back there after an error, and not used for anything else. A peer that lies
 *      can map, and keep, any whole page: see Documentation/security.rst
 * @nents: of @sg; 0: nothing is lent
 * @dir: DMA_TO_DEVICE: the peer reads; DMA_FROM_DEVICE: it writes
 * @ch: the core's
 * @node: the core's
 * @deadline: the core's
 * @slot: the core's
 * @err: the core's
 */
struct duct_call {
	void (*done)(struct duct_call *call, int err, struct duct_msg *answer);
	unsigned long timeout;
	struct scatterlist *sg;
	unsigned int nents;
	enum dma_data_direction dir;
	struct duct_channel *ch;
	struct list_head node;
	unsigned long deadline;
	u32 slot;
	int err;
};

int duct_call_async(struct duct_channel *ch, struct duct_call *call,
		    const void *req, u32 len, u32 flags);
void duct_call_cancel(struct duct_call *call);
ssize_t duct_call(struct duct_channel *ch, const void *req, u32 len,
		  void *rsp, u32 size, unsigned long timeout);

/**
 * struct duct_request - an incoming call: the driver's until duct_reply()
 * @ch: where it came from
 * @priv: the driver's
 * @bulk_len: bytes that the caller lent
 * @dir: DMA_TO_DEVICE: they are to be read here; DMA_FROM_DEVICE: to be written
 */
struct duct_request {
	struct duct_channel *ch;
	void *priv;
	u32 bulk_len;
	enum dma_data_direction dir;
};

int duct_reply(struct duct_request *req, const void *rsp, u32 len);
void duct_refuse(struct duct_request *req);
ssize_t __must_check duct_bulk_copy(struct duct_request *req, u32 off, struct iov_iter *it);
int __must_check duct_bulk_map(struct duct_request *req, struct bio_vec **bv);

struct duct_event;

struct duct_event *duct_event_open(struct duct_device *dd, u32 id,
				   void (*fn)(struct duct_event *ev, void *arg, u32 n), void *arg);
int duct_event_trigger(struct duct_event *ev, u32 n);
void duct_event_watch(struct duct_event *ev, u32 after);
void duct_event_stats(struct duct_event *ev, struct duct_stats *stats);
void duct_event_close(struct duct_event *ev);

/**
 * struct duct_region - memory of several domains, as this one sees it
 * @addr: shared: read each value once, check it, then use it. For the owner from
 *        duct_region_create() on; attached: from up() until down() returns, else NULL
 * @size: bytes; attached: while @addr is there
 * @self: own peer id: 0 is the owner's; attached: while @addr is there
 * @priv: the driver's
 */
struct duct_region {
	void *addr;
	u64 size;
	unsigned int self;
	void *priv;
};

/**
 * struct duct_region_ops - what a driver is told of a region; all optional
 * @up: owner: the domain with id @peer has it mapped; attached: it is mapped, @peer is 0
 * @down: the reverse. Owner: @peer has let go, and its id may be another's after this;
 *        attached: it is unmapped when this returns. @why: 0: revoked, or let go of in
 *        good order; -ETIMEDOUT: the peer did not let go in time, its pages stay
 *        allocated until it does; else an errno of "Errors". Also without up() before:
 *        the memory cannot be shared or mapped: -EDQUOT, -ENOMEM, -ENOSPC, -EBUSY
 *
 * All callbacks of a region, those of &struct duct_watch and &struct duct_sg too, run one
 * at a time in a thread, and may sleep.
 */
struct duct_region_ops {
	void (*up)(struct duct_region *r, unsigned int peer);
	void (*down)(struct duct_region *r, unsigned int peer, int why);
};

/**
 * struct duct_watch - triggers at an offset: the caller's memory, until unwatch or put
 * @fn: required. Told when @count more triggers have come, once for all that have
 * @off: byte of the region
 * @count: how many; 0 is as 1
 * @total: triggers that have come; written by the core
 * @told: the core's
 * @state: the core's
 * @node: the core's
 */
struct duct_watch {
	void (*fn)(struct duct_watch *w);
	u64 off;
	u32 count;
	u64 total;
	u64 told;
	u32 state;
	struct list_head node;
};

/**
 * struct duct_sg - a list for others to transfer to or from: the caller's memory, until
 * done() or unregister
 * @done: required. A transfer has used it, @len bytes of it; it is not registered any more
 * @sg: pieces, not DMA-mapped, up to 4 MiB in all
 * @nents: of @sg
 * @dir: DMA_FROM_DEVICE: it is written; DMA_TO_DEVICE: it is read
 * @len: the core's
 * @state: the core's
 * @node: the core's
 */
struct duct_sg {
	void (*done)(struct duct_sg *s, u32 len);
	struct scatterlist *sg;
	unsigned int nents;
	enum dma_data_direction dir;
	u32 len;
	u32 state;
	struct list_head node;
};

struct vm_area_struct;

struct duct_region *duct_region_create(u64 size, const struct duct_region_ops *ops, void *priv);
int duct_region_offer(struct duct_region *r, struct duct_device *dd, u32 id, bool writable);
int duct_region_revoke(struct duct_region *r, struct duct_device *dd);
struct duct_region *duct_region_attach(struct duct_device *dd, u32 id,
				       const struct duct_region_ops *ops, void *priv);
void duct_region_put(struct duct_region *r);
int duct_region_mmap(struct duct_region *r, struct vm_area_struct *vma);
int duct_region_watch(struct duct_region *r, struct duct_watch *w);
void duct_region_unwatch(struct duct_region *r, struct duct_watch *w);
int duct_region_trigger(struct duct_region *r, u64 off);
int duct_sg_register(struct duct_region *r, struct duct_sg *s);
int duct_sg_unregister(struct duct_region *r, struct duct_sg *s);
ssize_t duct_sg_xfer(struct duct_region *r, unsigned int peer, struct scatterlist *sg,
		     unsigned int nents, enum dma_data_direction dir);

#define DUCT_ENDPOINT_NAME 32

struct duct_endpoint;

/**
 * enum duct_endpoint_news - what a handler of an endpoint is told
 * @DUCT_ENDPOINT_JOINED: the other end is there, and the page is
 * @DUCT_ENDPOINT_RUNG: it has notified, once or more often
 * @DUCT_ENDPOINT_GONE: it is not there any more; a connected end's page goes when the
 *                      handler returns
 */
enum duct_endpoint_news {
	DUCT_ENDPOINT_JOINED,
	DUCT_ENDPOINT_RUNG,
	DUCT_ENDPOINT_GONE,
};

/* In a thread, may sleep, one at a time for an endpoint; not for making or closing endpoints. */
typedef void (*duct_handler)(struct duct_endpoint *ep, enum duct_endpoint_news news, void *data);

struct duct_endpoint *duct_endpoint_advertise(domid_t buddy, const char *name,
					      duct_handler handler, void *data);
struct duct_endpoint *duct_endpoint_connect(domid_t buddy, const char *name,
					    duct_handler handler, void *data);
void *duct_endpoint_page(struct duct_endpoint *ep);
int duct_endpoint_notify(struct duct_endpoint *ep);
void duct_endpoint_close(struct duct_endpoint *ep);

#endif /* _XEN_DUCT_H */
