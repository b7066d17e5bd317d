/* SPDX-License-Identifier: GPL-2.0 */
/*
 * AF_VSOCK over a link: what the transport (vsock.c) and what carries its packets
 * (vsock_link.c) know of each other.
 *
 * A message is a header of virtio's and its payload; the core of the kernel's virtio
 * transport makes and takes them. A domain's context id is its domain id and two: so dom0
 * has VMADDR_CID_HOST.
 */
#ifndef _DUCT_VSOCK_H
#define _DUCT_VSOCK_H

#include <xen/duct.h>

#include "../compat/vsock.h"
#include "vsock_frame.h"

#define DUCT_VSOCK_CID(domid)	(VMADDR_CID_HOST + (u32)(domid))
#define DUCT_VSOCK_FRAME	(sizeof(struct virtio_vsock_hdr) + VIRTIO_VSOCK_MAX_PKT_BUF_SIZE)
#define DUCT_VSOCK_F_SEQPACKET	BIT_ULL(VIRTIO_VSOCK_F_SEQPACKET)

/*
 * Packets that wait for room in the ring. Sockets are stopped above the first number;
 * above the second, which only answers reach, nothing more is received.
 */
#define DUCT_VSOCK_QUEUE	64u
#define DUCT_VSOCK_QUEUE_MOST	1024u

/**
 * struct duct_vsock - one peer
 * @dd: the device
 * @ch: its channel
 * @cid: the peer's context id; written before it can be found
 * @self: ours, as the peer knows it
 * @node: in duct_vsock_links while the channel is up
 * @queue: packets to send
 * @send: sends them
 * @recv: receives, while the channel is up and @queue is not too long
 * @up: between up() and down()
 * @waiting: sockets wait for @queue to become shorter
 * @stalled: so does @recv
 * @refused: frames that broke the rules
 */
struct duct_vsock {
	struct duct_device *dd;
	struct duct_channel *ch;
	u32 cid;
	u32 self;
	struct hlist_node node;
	struct sk_buff_head queue;
	struct work_struct send;
	struct work_struct recv;
	bool up;
	atomic_t waiting;
	atomic_t stalled;
	atomic64_t refused;
};

/* vsock.c */
extern struct virtio_transport duct_vsock_transport;
void duct_vsock_reset(u32 cid);
void duct_vsock_wake(void);

/* vsock_link.c */
struct duct_vsock *duct_vsock_find(u32 cid);
u32 duct_vsock_self(void);
void duct_vsock_queue(struct duct_vsock *vs, struct sk_buff *skb);
void duct_vsock_kick(struct duct_vsock *vs);
bool duct_vsock_full(struct duct_vsock *vs);
int duct_vsock_links_init(void);
void duct_vsock_links_exit(void);

#endif /* _DUCT_VSOCK_H */
