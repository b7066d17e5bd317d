// SPDX-License-Identifier: GPL-2.0-only
/* What no program should say, and what it gets. */
#define _GNU_SOURCE
#include "kit.h"

#include <termios.h>

#define BAD_POINTER ((void *)8)

static void test_ioctls(void)
{
	struct duct_file_channel arg = { .number = 1u << 31 };
	struct duct_file_recv recv = { .flags = 64 };
	struct duct_file_send send = { .flags = 1 };
	int fd = end_open(LEFT, O_RDWR);
	char buf[256] = "";

	ERR(ioctl(fd, DUCT_IOC_CHANNEL, &arg), EINVAL);
	arg.number = 7;
	arg.flags = 2;
	ERR(ioctl(fd, DUCT_IOC_CHANNEL, &arg), EINVAL);
	arg.flags = DUCT_FILE_RESUMABLE;
	arg.max_calls = 1;
	ERR(ioctl(fd, DUCT_IOC_CHANNEL, &arg), EINVAL);
	arg.max_calls = 0;
	arg.flags = 0;
	arg.reserved = 1;
	ERR(ioctl(fd, DUCT_IOC_CHANNEL, &arg), EINVAL);
	arg.reserved = 0;
	arg.max_calls = 65;
	ERR(ioctl(fd, DUCT_IOC_CHANNEL, &arg), EINVAL);
	arg.max_calls = 0;
	arg.tx_bytes = 2 << 20;
	ERR(ioctl(fd, DUCT_IOC_CHANNEL, &arg), EDQUOT);
	arg.tx_bytes = 0;
	arg.max_msg = ~0u;
	ERR(ioctl(fd, DUCT_IOC_CHANNEL, &arg), EDQUOT);
	arg.max_msg = 0;
	arg.max_answer = ~0u;
	ERR(ioctl(fd, DUCT_IOC_CHANNEL, &arg), EDQUOT);
	ERR(ioctl(fd, DUCT_IOC_CHANNEL, BAD_POINTER), EFAULT);
	ERR(ioctl(fd, DUCT_IOC_INFO, BAD_POINTER), EFAULT);
	ERR(ioctl(fd, _IOWR(0xdc, 0x7f, char[8]), buf), ENOTTY);
	ERR(ioctl(fd, _IOWR(0xdc, 0x7f, char[200]), buf), ENOTTY);
	ERR(ioctl(fd, TCGETS, buf), ENOTTY);
	IS(info_of(fd).kind, DUCT_FILE_NOTHING);
	ERR(ioctl(fd, DUCT_IOC_RECV, &recv), EINVAL);
	recv.flags = 0;
	recv.tag = 1;
	ERR(ioctl(fd, DUCT_IOC_RECV, &recv), EINVAL);
	ERR(ioctl(fd, DUCT_IOC_SEND, &send), EINVAL);
	ERR(lseek(fd, 0, SEEK_SET), ESPIPE);
}

static void test_directions(void)
{
	struct duct_file_recv recv = {};
	struct duct_file_send send = {};
	struct duct_file_call call = {};
	int reader = end_open(LEFT, O_RDONLY), writer = end_open(LEFT, O_WRONLY);
	char c = 0;

	ERR(write(reader, &c, 1), EBADF);
	ERR(ioctl(reader, DUCT_IOC_SEND, &send), EBADF);
	ERR(ioctl(reader, DUCT_IOC_CALL, &call), EBADF);
	ERR(read(writer, &c, 1), EBADF);
	ERR(ioctl(writer, DUCT_IOC_RECV, &recv), EBADF);
	ERR(ioctl(writer, DUCT_IOC_CALL, &call), EBADF);
}

static void test_kinds(void)
{
	struct duct_file_event_watch after = {};
	struct duct_file_event event = { .id = 9 };
	struct duct_file_watch watch = {};
	struct duct_file_offer offer = { .fd = -1 };
	struct duct_file_send send = {};
	int channel = end_channel(LEFT, 7, 0), fd = end_open(LEFT, O_RDWR);

	ERR(ioctl(channel, DUCT_IOC_EVENT, &event), EINVAL);
	ERR(ioctl(channel, DUCT_IOC_EVENT_WATCH, &after), EINVAL);
	ERR(ioctl(channel, DUCT_IOC_REGION_WATCH, &watch), EINVAL);
	ERR(ioctl(channel, DUCT_IOC_REGION_TRIGGER, &watch), EINVAL);
	ERR(ioctl(channel, DUCT_IOC_REGION_REVOKE, &offer), EINVAL);
	IS(ioctl(fd, DUCT_IOC_EVENT, &event), 0);
	ERR(ioctl(fd, DUCT_IOC_SEND, &send), EINVAL);
	ERR(ioctl(fd, DUCT_IOC_REGION_OFFER, &offer), EINVAL);
	ERR(splice(fd, NULL, fd, NULL, 1, 0), EINVAL);
}

static void test_limit(void)
{
	struct duct_file_channel arg = { .number = 1000 };
	int fd, i;

	for (i = 0; i < 64; i++)
		end_channel(LEFT, i, 0);
	fd = end_open(LEFT, O_RDWR);
	ERR(ioctl(fd, DUCT_IOC_CHANNEL, &arg), EDQUOT);
	/* Enough for one file to be closed. */
	close(fd - 1);
	IS(ioctl(fd, DUCT_IOC_CHANNEL, &arg), 0);
}

const struct test input_tests[] = {
	{ "bad ioctls", test_ioctls },
	{ "files only to read, or to write", test_directions },
	{ "what another kind of file has", test_kinds },
	{ "64 files, and not one more", test_limit },
	{ NULL, NULL }
};
