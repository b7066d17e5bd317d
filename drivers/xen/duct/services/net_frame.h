/* SPDX-License-Identifier: GPL-2.0 */
/* A frame of the peer's: which is one. Pure C, over a private copy of its header. */
#ifndef _DUCT_NET_FRAME_H
#define _DUCT_NET_FRAME_H

#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/virtio_net.h>

#include "../port.h"

/* Where the last byte of a checksum to be filled in may be: headers are not longer. */
#define NET_CSUM_MAX	1024u

/* @len: of the message, with its header */
static inline bool duct_net_frame_short(u32 len)
{
	return len < sizeof(struct virtio_net_hdr) + ETH_HLEN;
}

/* @len: of the packet. One that is cut into pieces here is as long as it likes. */
static inline bool duct_net_frame_long(const struct virtio_net_hdr *hdr, u32 len, u32 mtu)
{
	return len > mtu + ETH_HLEN + 2 * VLAN_HLEN && !hdr->gso_type;
}

/* What Documentation/protocol.rst allows, which is less than the helper of virtio does. */
static inline bool duct_net_header_ok(const struct virtio_net_hdr *hdr)
{
	bool fill = hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	u32 end = __virtio16_to_cpu(true, hdr->csum_start) +
		  __virtio16_to_cpu(true, hdr->csum_offset) + sizeof(__sum16);

	if (hdr->flags & ~(VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID))
		return false;
	if (fill && end > NET_CSUM_MAX)
		return false;
	switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return !hdr->gso_type;
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return fill;
	}
	return false;
}

#endif /* _DUCT_NET_FRAME_H */
