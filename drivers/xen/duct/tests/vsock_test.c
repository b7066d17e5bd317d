// SPDX-License-Identifier: GPL-2.0
/*
 * A peer of duct_vsock that says what it likes. duct_vsock has both ends of the loopback;
 * the frontend's is taken from it for the time of a test, and sends and receives frames
 * as they are. Sockets are at the backend's, which is told that it is another domain:
 * what one has with itself is vsock_loopback's.
 */
#include <linux/net.h>
#include <linux/virtio_vsock.h>
#include <linux/vmalloc.h>
#include <net/sock.h>

#include "hostile.h"

#define RAW_CID		(2u + DOMID_SELF)	/* the peer's */
#define RAW_REAL_CID	(2u + DOMID_IO)		/* of the sockets */
#define RAW_LISTEN	99u	/* a socket's here */
#define RAW_MAX		(sizeof(struct virtio_vsock_hdr) + VIRTIO_VSOCK_MAX_PKT_BUF_SIZE)

/**
 * struct raw - the one peer of a test
 * @kit: the test
 * @registered: raw_driver is
 * @end: its channel
 * @dev: the device that is taken
 * @real: the other, which is duct_vsock's
 * @listener: waits at RAW_LISTEN
 * @sock: connected with the peer
 * @port: the peer's
 * @fwd: bytes that it says to have taken
 * @hdr: the last frame that came
 * @refused: before the test
 * @frame: to send
 */
struct raw {
	struct kit *kit;
	bool registered;
	struct kit_end *end;
	struct device *dev;
	struct device *real;
	struct socket *listener;
	struct socket *sock;
	u32 port;
	u32 fwd;
	struct virtio_vsock_hdr hdr;
	u32 refused;
	u8 *frame;
};

static struct raw raw;
static u32 raw_ports = 5000;	/* a closed socket may be there for 8 s */

static int raw_probe(struct duct_device *dd)
{
	const struct duct_channel_config cfg = { .max_msg = RAW_MAX, .tx_bytes = 4 * RAW_MAX };

	return &dd->dev == raw.dev ? kit_open(raw.end, dd, 0, &cfg) : -ENODEV;
}

static void raw_remove(struct duct_device *dd)
{
	kit_close(raw.end);
}

static const struct duct_device_id raw_ids[] = { { "vsock" }, { } };
static struct duct_driver raw_driver = {
	.id_table = raw_ids,
	.roles = DUCT_PEER,
	.features = BIT_ULL(VIRTIO_VSOCK_F_SEQPACKET),
	.probe = raw_probe,
	.remove = raw_remove,
};

/* ---- frames ---- */

static struct virtio_vsock_hdr raw_hdr(u16 type, u16 op, u32 len)
{
	return (struct virtio_vsock_hdr) {
		.src_cid = cpu_to_le64(RAW_CID),
		.dst_cid = cpu_to_le64(RAW_REAL_CID),
		.src_port = cpu_to_le32(raw.port),
		.dst_port = cpu_to_le32(RAW_LISTEN),
		.len = cpu_to_le32(len),
		.type = cpu_to_le16(type),
		.op = cpu_to_le16(op),
		.buf_alloc = cpu_to_le32(256 << 10),
		.fwd_cnt = cpu_to_le32(raw.fwd),
	};
}

/* @bytes of payload behind the header, whatever that says. */
static int raw_send(const struct virtio_vsock_hdr *hdr, u32 bytes)
{
	memcpy(raw.frame, hdr, sizeof(*hdr));
	memcpy(raw.frame + sizeof(*hdr), raw.kit->pattern, bytes);
	return duct_send(raw.end->ch, raw.frame, sizeof(*hdr) + bytes, 0);
}

static void raw_must_send(const struct virtio_vsock_hdr *hdr, u32 bytes)
{
	kit_wait(raw.kit, duct_writable(raw.end->ch, sizeof(*hdr) + bytes));
	KUNIT_ASSERT_EQ(raw.kit->test, raw_send(hdr, bytes), 0);
}

static void raw_say(u16 op)
{
	const struct virtio_vsock_hdr hdr = raw_hdr(VIRTIO_VSOCK_TYPE_STREAM, op, 0);

	raw_must_send(&hdr, 0);
}

/* The next frame that comes has this op. */
static void raw_hear(u16 op)
{
	struct kunit *test = raw.kit->test;
	struct duct_msg msg;

	kit_wait(raw.kit, duct_readable(raw.end->ch));
	KUNIT_ASSERT_EQ(test, duct_next(raw.end->ch, &msg), 0);
	KUNIT_ASSERT_GE(test, msg.len, (u32)sizeof(raw.hdr));
	KUNIT_ASSERT_EQ(test, duct_read(&msg, &raw.hdr, sizeof(raw.hdr)), 0);
	duct_release(&msg);
	KUNIT_ASSERT_EQ(test, le16_to_cpu(raw.hdr.op), op);
}

static void raw_hear_all(u16 op, u32 n)
{
	while (n--)
		raw_hear(op);
}

static u32 raw_value(const char *file)
{
	char text[24] = "";
	u32 value = U32_MAX;

	kit_read_device(to_duct_device(raw.real), file, text, sizeof(text));
	KUNIT_EXPECT_EQ(raw.kit->test, kstrtou32(text, 10, &value), 0);
	return value;
}

/* ---- sockets ---- */

static struct socket *raw_socket(int type)
{
	struct sockaddr_vm at = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_ANY,
		.svm_port = RAW_LISTEN,
	};
	struct kunit *test = raw.kit->test;

	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, AF_VSOCK, type, 0, &raw.listener), 0);
	KUNIT_ASSERT_EQ(test, kernel_bind(raw.listener, (void *)&at, sizeof(at)), 0);
	KUNIT_ASSERT_EQ(test, kernel_listen(raw.listener, 8), 0);
	return raw.listener;
}

/* The peer connects to a socket here. */
static void raw_connect(int type)
{
	struct virtio_vsock_hdr hdr = raw_hdr(type == SOCK_STREAM ? VIRTIO_VSOCK_TYPE_STREAM :
					      VIRTIO_VSOCK_TYPE_SEQPACKET,
					      VIRTIO_VSOCK_OP_REQUEST, 0);

	raw_socket(type);
	raw_must_send(&hdr, 0);
	raw_hear(VIRTIO_VSOCK_OP_RESPONSE);
	KUNIT_ASSERT_EQ(raw.kit->test, kernel_accept(raw.listener, &raw.sock, O_NONBLOCK), 0);
}

static int raw_recv(void *to, u32 size, int flags)
{
	struct kvec vec = { .iov_base = to, .iov_len = size };
	struct msghdr msg = { };

	return kernel_recvmsg(raw.sock, &msg, &vec, 1, size, flags);
}

/* Sends without waiting, until nothing more is taken. Return: bytes */
static u32 raw_fill(void)
{
	u32 sum = 0;
	int n;

	do {
		struct kvec vec = { .iov_base = raw.kit->pattern, .iov_len = 64 << 10 };
		struct msghdr msg = { .msg_flags = MSG_DONTWAIT };

		n = kernel_sendmsg(raw.sock, &msg, &vec, 1, vec.iov_len);
		sum += max(n, 0);
	} while (n > 0 && sum < (64 << 20));
	KUNIT_EXPECT_EQ(raw.kit->test, n, -EAGAIN);
	return sum;
}

/* ---- each test ---- */

static struct device *raw_find(const char *name)
{
	struct device *dev;

	dev = bus_find_device_by_name(raw_driver.driver.bus, NULL, name);
	if (dev && !dev->driver) {
		put_device(dev);
		dev = NULL;
	}
	return dev;
}

/* Takes effect when its channel comes up. */
static void raw_name(domid_t self)
{
	struct duct_link *link = to_duct_device_core(to_duct_device(raw.real))->service->link;

	mutex_lock(&link->lock);
	link->self = self;
	mutex_unlock(&link->lock);
}

static int raw_init(struct kunit *test)
{
	unsigned long until = jiffies + KIT_WAIT;
	int err = kit_init(test);

	memset(&raw, 0, sizeof(raw));
	raw.kit = test->priv;
	raw.port = raw_ports;
	raw_ports += 16;
	raw.frame = kunit_kzalloc(test, RAW_MAX, GFP_KERNEL);
	if (err || !raw.frame)
		return err ?: -ENOMEM;
	raw.end = kit_end(raw.kit);
	err = duct_driver_register(&raw_driver);
	if (err)
		return err;
	raw.registered = true;
	do {
		if (!raw.dev)
			raw.dev = raw_find("duct0.vsock.0.p");
		if (!raw.real)
			raw.real = raw_find("duct1.vsock.0.p");
		schedule_timeout_uninterruptible(1);
	} while ((!raw.dev || !raw.real) && time_before(jiffies, until));
	if (!raw.dev || !raw.real)
		return -ENODEV;
	raw.refused = raw_value("refused");
	device_release_driver(raw.dev);
	raw_name(DOMID_IO);
	err = device_driver_attach(&raw_driver.driver, raw.dev);
	if (err)
		return err;
	return wait_event_timeout(raw.kit->wait, READ_ONCE(raw.end->is_up), KIT_WAIT) ? 0 : -EIO;
}

static void raw_exit(struct kunit *test)
{
	if (raw.sock)
		sock_release(raw.sock);
	if (raw.listener)
		sock_release(raw.listener);
	if (raw.registered)
		duct_driver_unregister(&raw_driver);
	if (raw.real)
		raw_name(DOMID_SELF);
	/* duct_vsock has both again. */
	if (raw.dev) {
		KUNIT_EXPECT_EQ(test, device_attach(raw.dev), 1);
		put_device(raw.dev);
	}
	put_device(raw.real);
	kit_exit(test);
}

/* Whether the connection still carries. */
static void raw_carries(void)
{
	const struct virtio_vsock_hdr hdr = raw_hdr(VIRTIO_VSOCK_TYPE_STREAM,
						    VIRTIO_VSOCK_OP_RW, 5);
	char got[8];

	raw_must_send(&hdr, 5);
	KUNIT_EXPECT_EQ(raw.kit->test, raw_recv(got, 5, MSG_WAITALL), 5);
	KUNIT_EXPECT_EQ(raw.kit->test, memcmp(got, raw.kit->pattern, 5), 0);
}

/* ---- frames that are none ---- */

static void vsock_refused(struct kunit *test)
{
	const struct {
		s32 len;	/* as the header says */
		u32 bytes;	/* that there are */
		u16 op;
		u64 src, dst;	/* more than there should be */
	} bad[] = {
		{ .len = 8, .bytes = 7, .op = VIRTIO_VSOCK_OP_RW },
		{ .len = 7, .bytes = 8, .op = VIRTIO_VSOCK_OP_RW },
		{ .len = -1, .bytes = 8, .op = VIRTIO_VSOCK_OP_RW },
		{ .len = 65536, .bytes = 0, .op = VIRTIO_VSOCK_OP_RW },
		{ .len = 0, .bytes = 65536, .op = VIRTIO_VSOCK_OP_RW },
		{ .len = 0, .bytes = 0, .op = VIRTIO_VSOCK_OP_RW },
		{ .len = 8, .bytes = 8, .op = VIRTIO_VSOCK_OP_REQUEST },
		{ .len = 8, .bytes = 0, .op = VIRTIO_VSOCK_OP_RST },
		{ .len = 8, .bytes = 8, .op = VIRTIO_VSOCK_OP_RW, .src = 1 },
		{ .len = 8, .bytes = 8, .op = VIRTIO_VSOCK_OP_RW, .dst = 1 },
		{ .len = 8, .bytes = 8, .op = VIRTIO_VSOCK_OP_RW, .src = 1ull << 32 },
		{ .len = 8, .bytes = 8, .op = VIRTIO_VSOCK_OP_RW, .dst = 1ull << 63 },
		{ .op = VIRTIO_VSOCK_OP_RST, .src = -(s64)(RAW_CID - VMADDR_CID_HOST) },
	};
	struct virtio_vsock_hdr hdr;
	u32 i;

	raw_connect(SOCK_STREAM);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		hdr = raw_hdr(VIRTIO_VSOCK_TYPE_STREAM, bad[i].op, bad[i].len);
		hdr.src_cid = cpu_to_le64(RAW_CID + bad[i].src);
		hdr.dst_cid = cpu_to_le64(RAW_REAL_CID + bad[i].dst);
		raw_must_send(&hdr, bad[i].bytes);
	}
	for (i = 0; i < sizeof(hdr); i++)
		KUNIT_ASSERT_EQ(test, duct_send(raw.end->ch, &hdr, i, 0), 0);
	raw_carries();
	KUNIT_EXPECT_EQ(test, raw_value("refused") - raw.refused,
			(u32)(ARRAY_SIZE(bad) + sizeof(hdr)));
}

/* What the common code answers by itself. */
static void vsock_reset(struct kunit *test)
{
	struct virtio_vsock_hdr hdr;

	raw_say(VIRTIO_VSOCK_OP_REQUEST);
	raw_hear(VIRTIO_VSOCK_OP_RST);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(raw.hdr.dst_port), raw.port);
	raw_connect(SOCK_STREAM);
	hdr = raw_hdr(9, VIRTIO_VSOCK_OP_REQUEST, 0);
	hdr.src_port = cpu_to_le32(raw.port + 1);
	raw_must_send(&hdr, 0);
	raw_hear(VIRTIO_VSOCK_OP_RST);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(raw.hdr.dst_port), raw.port + 1);
	raw_carries();
	KUNIT_EXPECT_EQ(test, raw_value("refused"), raw.refused);
}

/* The longest frame, in pieces for the socket; and one byte more is no frame. */
static void vsock_longest(struct kunit *test)
{
	const u32 most = VIRTIO_VSOCK_MAX_PKT_BUF_SIZE;
	struct virtio_vsock_hdr hdr = raw_hdr(VIRTIO_VSOCK_TYPE_SEQPACKET,
					      VIRTIO_VSOCK_OP_RW, most);
	u8 *got = kunit_kzalloc(test, most + 8, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, got);
	raw_connect(SOCK_SEQPACKET);
	KUNIT_EXPECT_EQ(test, duct_send(raw.end->ch, raw.frame, RAW_MAX + 1, 0), -EMSGSIZE);
	/* One message of two frames, then one of one. */
	for (i = 0; i < 3; i++) {
		hdr.flags = i ? cpu_to_le32(VIRTIO_VSOCK_SEQ_EOM) : 0;
		raw_must_send(&hdr, most);
	}
	KUNIT_EXPECT_EQ(test, raw_recv(got, most + 8, MSG_TRUNC), (int)(2 * most));
	KUNIT_EXPECT_EQ(test, memcmp(got, raw.kit->pattern, most), 0);
	KUNIT_EXPECT_EQ(test, memcmp(got + most, raw.kit->pattern, 8), 0);
	memset(got, 0, most);
	KUNIT_EXPECT_EQ(test, raw_recv(got, most + 8, 0), (int)most);
	KUNIT_EXPECT_EQ(test, memcmp(got, raw.kit->pattern, most), 0);
}

/* ---- a peer that takes more than it may, or nothing ---- */

static void vsock_overrun(struct kunit *test)
{
	const u32 most = VIRTIO_VSOCK_MAX_PKT_BUF_SIZE;
	const struct virtio_vsock_hdr hdr = raw_hdr(VIRTIO_VSOCK_TYPE_STREAM,
						    VIRTIO_VSOCK_OP_RW, most);
	u32 i;

	raw_connect(SOCK_STREAM);
	/* The socket has room for four. */
	for (i = 0; i < 5; i++)
		raw_must_send(&hdr, most);
	raw_hear(VIRTIO_VSOCK_OP_RST);
}

/* Gives credit without end and reads nothing. Return: bytes that the socket sent */
static u32 raw_overfill(void)
{
	struct virtio_vsock_hdr hdr = raw_hdr(VIRTIO_VSOCK_TYPE_STREAM,
					      VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	u32 i, n;

	hdr.buf_alloc = cpu_to_le32(U32_MAX);
	for (i = 0; i < 200; i++) {
		/* "All of it has arrived." */
		hdr.fwd_cnt = cpu_to_le32(raw.fwd);
		raw_must_send(&hdr, 0);
		usleep_range(1000, 2000);
		n = raw_fill();
		raw.fwd += n;
		if (!n && i > 100)
			break;
	}
	return raw.fwd;
}

static void vsock_credit(struct kunit *test)
{
	const u32 most = VIRTIO_VSOCK_MAX_PKT_BUF_SIZE;
	u32 sum;

	raw_connect(SOCK_STREAM);
	sum = raw_overfill();
	/* 64 packets wait, and the ring has less than a MiB. */
	KUNIT_EXPECT_GE(test, sum, 64 * most);
	KUNIT_EXPECT_LT(test, sum, 66 * most + (1 << 20));
	KUNIT_EXPECT_LE(test, raw_value("queued"), 65u);
	/* Once they are read, the socket goes on. */
	raw_hear_all(VIRTIO_VSOCK_OP_RW, sum / most);
	raw_carries();
	KUNIT_EXPECT_GT(test, raw_fill(), 0u);
}

/* Questions without end from a peer that reads no answers. */
static void vsock_answers(struct kunit *test)
{
	const u32 questions = 3000;
	unsigned long until = jiffies + KIT_WAIT;
	struct virtio_vsock_hdr hdr;
	u32 sum, i;

	raw_connect(SOCK_STREAM);
	sum = raw_overfill();
	hdr = raw_hdr(VIRTIO_VSOCK_TYPE_STREAM, VIRTIO_VSOCK_OP_REQUEST, 0);
	hdr.src_port = cpu_to_le32(raw.port + 1);
	hdr.dst_port = cpu_to_le32(RAW_LISTEN + 1);
	for (i = 0; i < questions; i++)
		raw_must_send(&hdr, 0);
	while (raw_value("queued") < 1024 && time_before(jiffies, until))
		schedule_timeout_uninterruptible(1);
	/* All the others are not received. */
	schedule_timeout_uninterruptible(HZ / 2);
	KUNIT_EXPECT_GE(test, raw_value("queued"), 1024u);
	KUNIT_EXPECT_LE(test, raw_value("queued"), 1025u);
	/* Each is answered, once the answers are read. */
	raw_hear_all(VIRTIO_VSOCK_OP_RW, sum / VIRTIO_VSOCK_MAX_PKT_BUF_SIZE);
	raw_hear_all(VIRTIO_VSOCK_OP_RST, questions);
}

/* ---- anything ---- */

static void vsock_anything(struct kunit *test)
{
	struct rnd_state *rnd = &raw.kit->rnd;
	struct virtio_vsock_hdr hdr;
	struct duct_msg msg;
	u32 i, bytes;

	raw_connect(SOCK_SEQPACKET);
	for (i = 0; i < 4000; i++) {
		u32 r = prandom_u32_state(rnd);

		bytes = r % 8 ? 0 : prandom_u32_state(rnd) % 300;
		hdr = raw_hdr(r >> 3 & 3, r >> 5 & 7, bytes);
		hdr.flags = cpu_to_le32(r >> 8 & 3);
		hdr.src_port = cpu_to_le32(raw.port + (r >> 10 & 3));
		hdr.buf_alloc = cpu_to_le32(prandom_u32_state(rnd));
		hdr.fwd_cnt = cpu_to_le32(prandom_u32_state(rnd));
		if (!(r >> 12 & 15))
			((u8 *)&hdr)[prandom_u32_state(rnd) % sizeof(hdr)] = r >> 16;
		raw_must_send(&hdr, bytes);
		while (!duct_next(raw.end->ch, &msg))
			duct_release(&msg);
	}
	/* All was taken, and the next one is answered as ever. */
	hdr = raw_hdr(VIRTIO_VSOCK_TYPE_STREAM, VIRTIO_VSOCK_OP_REQUEST, 0);
	hdr.src_port = cpu_to_le32(raw.port + 9);
	hdr.dst_port = cpu_to_le32(RAW_LISTEN + 1);
	raw_must_send(&hdr, 0);
	do {
		kit_wait(raw.kit, duct_readable(raw.end->ch));
		KUNIT_ASSERT_EQ(test, duct_next(raw.end->ch, &msg), 0);
		KUNIT_ASSERT_EQ(test, duct_read(&msg, &hdr, sizeof(hdr)), 0);
		duct_release(&msg);
	} while (le32_to_cpu(hdr.dst_port) != raw.port + 9);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(hdr.op), (u16)VIRTIO_VSOCK_OP_RST);
	KUNIT_EXPECT_GT(test, raw_value("refused"), raw.refused);
}

static struct kunit_case vsock_cases[] = {
	KUNIT_CASE(vsock_refused),
	KUNIT_CASE(vsock_reset),
	KUNIT_CASE(vsock_longest),
	KUNIT_CASE(vsock_overrun),
	KUNIT_CASE(vsock_credit),
	KUNIT_CASE(vsock_answers),
	KUNIT_CASE(vsock_anything),
	{ }
};

struct kunit_suite duct_vsock_suite = {
	.name = "duct_vsock",
	.init = raw_init,
	.exit = raw_exit,
	.test_cases = vsock_cases,
};
