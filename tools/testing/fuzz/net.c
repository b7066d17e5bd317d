// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arbitrary bytes as frames of duct_net. What is accepted is what the stack is told of a
 * packet: never a checksum behind the headers, nor a kind of segmentation that it would
 * have to believe the peer about.
 */
#include "input.h"
#include "kernel.h"
#include "services/net_frame.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u32 mtu = input_byte(&in) * 257, len = input_word(&in) & 0x1ffff, gso;
	struct virtio_net_hdr hdr;
	u8 bytes[sizeof(hdr)];
	u32 i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = input_byte(&in);
	memcpy(&hdr, bytes, sizeof(hdr));
	must(duct_net_frame_short(len) == (len < 10 + 14));
	if (duct_net_frame_short(len) || !duct_net_header_ok(&hdr))
		return 0;
	gso = bytes[1];
	must(bytes[0] <= 3);
	must(gso == 0 || gso == 1 || gso == 4 || gso == 0x81 || gso == 0x84);
	must(!gso || bytes[0] & 1);
	must(!(bytes[0] & 1) || (bytes[6] | bytes[7] << 8) + (bytes[8] | bytes[9] << 8) + 2 <= 1024);
	if (!duct_net_frame_long(&hdr, len - sizeof(hdr), mtu))
		must(gso || len - 10 <= mtu + 22);
	else
		must(!gso && len - 10 > mtu + 22);
	return 0;
}
