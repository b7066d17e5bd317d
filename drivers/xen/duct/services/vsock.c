// SPDX-License-Identifier: GPL-2.0
/*
 * AF_VSOCK over xen-duct: a transport that stands on the kernel's own for virtio, as
 * those of vhost and of the loopback do. Connections, credit, streams and messages are
 * theirs; only what carries a packet to another domain is ours, in vsock_link.c.
 *
 * dom0 is the host of all guests; a guest reaches it and, by the links that it has, other
 * guests.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <xen/xen.h>

#include "vsock.h"

static bool duct_vsock_host;	/* dom0's side of the transport */

static u32 duct_vsock_local_cid(void)
{
	return duct_vsock_host ? VMADDR_CID_HOST : duct_vsock_self();
}

/* ---- to the peer ---- */

/* Takes @skb in any case. */
static int duct_vsock_send_pkt(struct sk_buff *skb duct_compat_net)
{
	struct duct_vsock *vs;
	int len = skb->len;

	rcu_read_lock();
	vs = duct_vsock_find(le64_to_cpu(virtio_vsock_hdr(skb)->dst_cid));
	if (vs)
		duct_vsock_queue(vs, skb);
	rcu_read_unlock();
	if (vs)
		return len;
	kfree_skb(skb);
	return -ENODEV;
}

static int duct_vsock_cancel_pkt(struct vsock_sock *vsk)
{
	struct duct_vsock *vs;

	rcu_read_lock();
	vs = duct_vsock_find(vsk->remote_addr.svm_cid);
	if (vs) {
		virtio_transport_purge_skbs(vsk, &vs->queue);
		duct_vsock_kick(vs);
	}
	rcu_read_unlock();
	return vs ? 0 : -ENODEV;
}

/*
 * What the peer has room for by its own word is not enough: one that never reads could
 * have us queue without end by giving ever more credit.
 */
static s64 duct_vsock_has_space(struct vsock_sock *vsk)
{
	s64 space = virtio_transport_stream_has_space(vsk);
	struct duct_vsock *vs;

	rcu_read_lock();
	vs = duct_vsock_find(vsk->remote_addr.svm_cid);
	if (space > 0 && vs && duct_vsock_full(vs))
		space = 0;
	rcu_read_unlock();
	return space;
}

static void duct_vsock_wake_sock(struct sock *sk)
{
	sk->sk_write_space(sk);
}

/* Sockets that waited for the queue look again. */
void duct_vsock_wake(void)
{
	vsock_for_each_connected_socket(&duct_vsock_transport.transport, duct_vsock_wake_sock);
}

/* ---- whom there is a link to ---- */

static bool duct_vsock_reaches(u32 cid, u64 features)
{
	struct duct_vsock *vs;
	bool yes;

	rcu_read_lock();
	vs = duct_vsock_find(cid);
	yes = vs && (vs->dd->features & features) == features;
	rcu_read_unlock();
	return yes;
}

/* No: ENETUNREACH to the one who connects, at once. */
static bool duct_vsock_stream_allow(duct_compat_vsk u32 cid, u32 port)
{
	return duct_compat_vsk_global() && duct_vsock_reaches(cid, 0);
}

/* Without a link it is as for streams, which are asked about later. */
static bool duct_vsock_seqpacket_allow(duct_compat_vsk u32 cid)
{
	return duct_compat_vsk_global() &&
	       (duct_vsock_reaches(cid, DUCT_VSOCK_F_SEQPACKET) || !duct_vsock_reaches(cid, 0));
}

static bool __maybe_unused duct_vsock_has_remote(struct vsock_sock *vsk, u32 cid)
{
	return duct_vsock_reaches(cid, 0);
}

/* ---- the end of a link ---- */

static DEFINE_MUTEX(duct_vsock_reset_lock);
static u32 duct_vsock_reset_cid;

/*
 * What came can still be read, then recv() says ECONNRESET. Without the socket's lock, as
 * in vhost_vsock: the table's is held, and a packet finds SOCK_DONE.
 */
static void duct_vsock_reset_sock(struct sock *sk)
{
	struct vsock_sock *vsk = vsock_sk(sk);

	/* A close that waits for the peer ends by its own time-out. */
	if (vsk->remote_addr.svm_cid != duct_vsock_reset_cid || vsk->close_work_scheduled)
		return;
	sock_set_flag(sk, SOCK_DONE);
	vsk->peer_shutdown = SHUTDOWN_MASK;
	sk->sk_err = ECONNRESET;
	sk_error_report(sk);
}

/* What was in flight to or from @cid is lost, so are its connections. [sleep] */
void duct_vsock_reset(u32 cid)
{
	mutex_lock(&duct_vsock_reset_lock);
	duct_vsock_reset_cid = cid;
	vsock_for_each_connected_socket(&duct_vsock_transport.transport, duct_vsock_reset_sock);
	mutex_unlock(&duct_vsock_reset_lock);
}

/* ---- the transport ---- */

struct virtio_transport duct_vsock_transport = {
	.transport = {
		.module = THIS_MODULE,

		.get_local_cid = duct_vsock_local_cid,
		DUCT_COMPAT_VSOCK_REMOTE(duct_vsock_has_remote)

		.init = virtio_transport_do_socket_init,
		.destruct = virtio_transport_destruct,
		.release = virtio_transport_release,
		.connect = virtio_transport_connect,
		.shutdown = virtio_transport_shutdown,
		.cancel_pkt = duct_vsock_cancel_pkt,

		.dgram_bind = virtio_transport_dgram_bind,
		.dgram_dequeue = virtio_transport_dgram_dequeue,
		.dgram_enqueue = virtio_transport_dgram_enqueue,
		.dgram_allow = virtio_transport_dgram_allow,

		.stream_dequeue = virtio_transport_stream_dequeue,
		.stream_enqueue = virtio_transport_stream_enqueue,
		.stream_has_data = virtio_transport_stream_has_data,
		.stream_has_space = duct_vsock_has_space,
		.stream_rcvhiwat = virtio_transport_stream_rcvhiwat,
		.stream_is_active = virtio_transport_stream_is_active,
		.stream_allow = duct_vsock_stream_allow,

		.seqpacket_dequeue = virtio_transport_seqpacket_dequeue,
		.seqpacket_enqueue = virtio_transport_seqpacket_enqueue,
		.seqpacket_allow = duct_vsock_seqpacket_allow,
		.seqpacket_has_data = virtio_transport_seqpacket_has_data,

		.notify_poll_in = virtio_transport_notify_poll_in,
		.notify_poll_out = virtio_transport_notify_poll_out,
		.notify_recv_init = virtio_transport_notify_recv_init,
		.notify_recv_pre_block = virtio_transport_notify_recv_pre_block,
		.notify_recv_pre_dequeue = virtio_transport_notify_recv_pre_dequeue,
		.notify_recv_post_dequeue = virtio_transport_notify_recv_post_dequeue,
		.notify_send_init = virtio_transport_notify_send_init,
		.notify_send_pre_block = virtio_transport_notify_send_pre_block,
		.notify_send_pre_enqueue = virtio_transport_notify_send_pre_enqueue,
		.notify_send_post_enqueue = virtio_transport_notify_send_post_enqueue,
		.notify_buffer_size = virtio_transport_notify_buffer_size,
		DUCT_COMPAT_VSOCK_RCVLOWAT
		DUCT_COMPAT_VSOCK_UNSENT
		DUCT_COMPAT_VSOCK_READ_SKB
	},
	.send_pkt = duct_vsock_send_pkt,
};

static int __init duct_vsock_init(void)
{
	int err;

	duct_vsock_host = xen_initial_domain();
	err = vsock_core_register(&duct_vsock_transport.transport, duct_vsock_host ?
				  VSOCK_TRANSPORT_F_H2G : VSOCK_TRANSPORT_F_G2H);
	if (err == -EBUSY)
		pr_err("duct_vsock: the kernel has one transport to %s, and another module is it: unload %s\n",
		       duct_vsock_host ? "guests" : "a host",
		       duct_vsock_host ? "vhost_vsock" : "vmw_vsock_virtio_transport or such");
	if (err)
		return err;
	err = duct_vsock_links_init();
	if (err)
		vsock_core_unregister(&duct_vsock_transport.transport);
	return err;
}

static void __exit duct_vsock_exit(void)
{
	duct_vsock_links_exit();
	vsock_core_unregister(&duct_vsock_transport.transport);
}

module_init(duct_vsock_init);
module_exit(duct_vsock_exit);
MODULE_ALIAS_DUCT("vsock");
MODULE_DESCRIPTION("xen-duct: AF_VSOCK between domains");
MODULE_LICENSE("GPL");
