/* SPDX-License-Identifier: GPL-2.0 */
/* Differences of the kernel's vsock, by probes as those of compat.h. */
#ifndef _DUCT_COMPAT_VSOCK_H
#define _DUCT_COMPAT_VSOCK_H

#include <linux/virtio_vsock.h>

/*
 * Since 7.0 sockets belong to a network namespace, and a transport is asked for one of
 * them. A domain has one address, which is all global namespaces': NULL stands for those.
 */
#ifdef DUCT_HAVE_VSOCK_NET
#define duct_compat_vsk struct vsock_sock *vsk,
#define duct_compat_vsk_global() vsock_net_mode_global(vsk)
#define duct_compat_net , struct net *net
#define duct_compat_recv_pkt(t, skb) virtio_transport_recv_pkt(t, skb, NULL)
#define DUCT_COMPAT_VSOCK_REMOTE(fn) .has_remote_cid = fn,
#else
#define duct_compat_vsk
#define duct_compat_vsk_global() true
#define duct_compat_net
#define duct_compat_recv_pkt(t, skb) virtio_transport_recv_pkt(t, skb)
#define DUCT_COMPAT_VSOCK_REMOTE(fn)
#endif

/* Bytes that are not sent yet are counted since 6.11. */
#ifdef DUCT_HAVE_VSOCK_UNSENT
#define DUCT_COMPAT_VSOCK_UNSENT .unsent_bytes = virtio_transport_unsent_bytes,
#define duct_compat_skb_sent(skb) virtio_transport_consume_skb_sent(skb, true)
#else
#define DUCT_COMPAT_VSOCK_UNSENT
#define duct_compat_skb_sent(skb) consume_skb(skb)
#endif

/* Sockets can be in a BPF map since 6.4. */
#ifdef DUCT_HAVE_VSOCK_READ_SKB
#define DUCT_COMPAT_VSOCK_READ_SKB .read_skb = virtio_transport_read_skb,
#else
#define DUCT_COMPAT_VSOCK_READ_SKB
#endif

/* SO_RCVLOWAT sends credit since 6.8. */
#ifdef DUCT_HAVE_VSOCK_RCVLOWAT
#define DUCT_COMPAT_VSOCK_RCVLOWAT \
	.notify_set_rcvlowat = virtio_transport_notify_set_rcvlowat,
#else
#define DUCT_COMPAT_VSOCK_RCVLOWAT
#endif

#endif /* _DUCT_COMPAT_VSOCK_H */
