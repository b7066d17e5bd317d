/* SPDX-License-Identifier: GPL-2.0 */
/* A packet of the peer's: which is one. Pure C, over a private copy of its header. */
#ifndef _DUCT_VSOCK_FRAME_H
#define _DUCT_VSOCK_FRAME_H

#include <linux/virtio_vsock.h>

#include "../port.h"

/*
 * Whether it may be given to the common code.
 * @len: bytes behind the header
 * @cid: the peer's
 * @self: ours
 */
static inline bool duct_vsock_frame_ok(const struct virtio_vsock_hdr *hdr, u32 len, u32 cid,
				       u32 self)
{
	/* All 64 bits: those who look for a socket take 32. */
	if (le64_to_cpu(hdr->src_cid) != cid || le64_to_cpu(hdr->dst_cid) != self)
		return false;
	/*
	 * Only data has a payload, and has one: an empty packet costs no credit, so a
	 * socket would queue any number of them.
	 */
	return le32_to_cpu(hdr->len) == len &&
	       !len == (le16_to_cpu(hdr->op) != VIRTIO_VSOCK_OP_RW);
}

/* The header of a piece of @len bytes of a packet that is @from. */
static inline void duct_vsock_frame_piece(struct virtio_vsock_hdr *hdr,
					  const struct virtio_vsock_hdr *from, u32 len, bool last)
{
	*hdr = *from;
	hdr->len = cpu_to_le32(len);
	/* The message ends with its last piece; a stream has no messages. */
	if (le16_to_cpu(hdr->op) == VIRTIO_VSOCK_OP_RW &&
	    (!last || le16_to_cpu(hdr->type) != VIRTIO_VSOCK_TYPE_SEQPACKET))
		hdr->flags = 0;
}

#endif /* _DUCT_VSOCK_FRAME_H */
