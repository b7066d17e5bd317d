// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arbitrary bytes as packets of duct_vsock. What is accepted comes from the peer, is for
 * us, and has as many bytes as it says; its pieces end a message once.
 */
#include "input.h"
#include "kernel.h"
#include "services/vsock_frame.h"

#define SELF 5u
#define PEER 2u

static void check_pieces(const struct virtio_vsock_hdr *hdr, u32 len, u32 piece)
{
	struct virtio_vsock_hdr one, like;
	u32 total = 0, ends = 0;

	do {
		u32 n = min(len - total, piece);

		total += n;
		duct_vsock_frame_piece(&one, hdr, n, total == len);
		must(le32_to_cpu(one.len) == n);
		/* But for these two it is the same. */
		like = one;
		like.len = hdr->len;
		like.flags = hdr->flags;
		must(!memcmp(&like, hdr, sizeof(like)));
		must(one.flags == hdr->flags || !one.flags);
		ends += !!(le32_to_cpu(one.flags) & VIRTIO_VSOCK_SEQ_EOM);
		must(total == len || !one.flags);
	} while (total < len);
	if (le16_to_cpu(hdr->op) == VIRTIO_VSOCK_OP_RW)
		must(ends == (le16_to_cpu(hdr->type) == VIRTIO_VSOCK_TYPE_SEQPACKET &&
			      le32_to_cpu(hdr->flags) & VIRTIO_VSOCK_SEQ_EOM));
	else
		must(one.flags == hdr->flags);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u8 how = input_byte(&in);
	u32 len = how & 1 ? input_byte(&in) << 8 | input_byte(&in) : 0;
	struct virtio_vsock_hdr hdr;
	u8 bytes[sizeof(hdr)];
	u32 i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = input_byte(&in);
	memcpy(&hdr, bytes, sizeof(hdr));
	/* The right addresses and length, more often than chance has them. */
	if (how & 2)
		hdr.src_cid = PEER;
	if (how & 4)
		hdr.dst_cid = SELF;
	if (how & 8)
		hdr.len = len;
	if (!duct_vsock_frame_ok(&hdr, len, PEER, SELF))
		return 0;
	must(hdr.src_cid == PEER && hdr.dst_cid == SELF && hdr.len == len);
	must((hdr.op == VIRTIO_VSOCK_OP_RW) == (len > 0));
	check_pieces(&hdr, len, 4095 + (how >> 4) * 4096);
	return 0;
}
