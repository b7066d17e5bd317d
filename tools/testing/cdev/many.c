// SPDX-License-Identifier: GPL-2.0-only
/* Several messages with one system call. */
#include "kit.h"

#define MANY	100u	/* more than the kernel reads the description of at once */
#define ROOM	64u

static unsigned char text[MANY][ROOM], got[MANY][ROOM];
static struct duct_file_piece pieces[1025];

static void describe(unsigned char (*buf)[ROOM], unsigned int len)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		pieces[i] = (struct duct_file_piece){
			.buf = (uintptr_t)buf[i], .len = len ? len : i % ROOM,
		};
}

/* Return: how many, or -errno */
static int many(int fd, unsigned long request, unsigned int count, unsigned int flags)
{
	struct duct_file_many arg = {
		.pieces = (uintptr_t)pieces, .count = count, .flags = flags,
	};

	return ioctl(fd, request, &arg) ? -errno : (int)arg.count;
}

/* Messages of all lengths from 0 on. */
static int send_100(int fd)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		fill(text[i], ROOM, i);
	describe(text, 0);
	return many(fd, DUCT_IOC_SEND_MANY, MANY, 0);
}

static int receive(int fd, unsigned int count, unsigned int flags)
{
	describe(got, ROOM);
	return many(fd, DUCT_IOC_RECV_MANY, count, flags);
}

static void test_many(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	unsigned int i;

	IS(send_100(left), MANY);
	IS(receive(right, 0, 0), -EINVAL);
	IS(receive(right, 1, 0), 1);
	IS(pieces[0].len, 0);
	/* It waits for none but the first. */
	IS(receive(right, MANY, 0), MANY - 1);
	for (i = 0; i < MANY - 1; i++) {
		IS(pieces[i].len, (i + 1) % ROOM);
		IS(memcmp(got[i], text[i + 1], pieces[i].len), 0);
	}
	IS(receive(right, MANY, DUCT_FILE_NOWAIT), -EAGAIN);
	IS(info_of(left).out_messages, MANY);
}

static void test_full(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	static char large[8192];
	unsigned int i;
	int sent;

	until_up(left);
	for (i = 0; i < MANY; i++)
		pieces[i] = (struct duct_file_piece){ (uintptr_t)large, sizeof(large), 0 };
	sent = many(left, DUCT_IOC_SEND_MANY, MANY, 0);
	OK(sent > 1 && sent < (int)MANY);
	IS(many(left, DUCT_IOC_SEND_MANY, 1, DUCT_FILE_NOWAIT), -EAGAIN);
	/* All of them are there to be seen. */
	while (sent--)
		IS(read(right, large, sizeof(large)), sizeof(large));
	OK(polls(left, POLLOUT, 10000));
}

static void test_end(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);

	until_up(left);
	IS(send_100(left), MANY);
	close(left);
	IS(receive(right, MANY, 0), MANY);
	IS(receive(right, MANY, 0), 0);
	IS(receive(right, MANY, 0), -EPIPE);
	describe(text, 1);
	IS(many(right, DUCT_IOC_SEND_MANY, 1, 0), -EPIPE);
}

/* What is wrong with one message stops there, and is told when it is the first. */
static void test_refused(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	int stream = end_channel(LEFT, 8, DUCT_FILE_STREAM);

	describe(text, 1);
	IS(many(stream, DUCT_IOC_SEND_MANY, 1, DUCT_FILE_NOWAIT), -EINVAL);
	IS(many(stream, DUCT_IOC_RECV_MANY, 1, DUCT_FILE_NOWAIT), -EINVAL);
	IS(many(left, DUCT_IOC_SEND_MANY, 1025, 0), -EINVAL);
	IS(many(left, DUCT_IOC_SEND_MANY, 1, DUCT_FILE_CUT), -EINVAL);
	pieces[0].reserved = 1;
	IS(many(left, DUCT_IOC_SEND_MANY, 1, 0), -EINVAL);
	pieces[0].reserved = 0;
	pieces[2].len = 1 << 20;
	IS(many(left, DUCT_IOC_SEND_MANY, MANY, 0), 2);
	pieces[0] = pieces[2];
	IS(many(left, DUCT_IOC_SEND_MANY, MANY, 0), -EMSGSIZE);
	pieces[0] = (struct duct_file_piece){ .buf = 16, .len = 8 };
	IS(many(left, DUCT_IOC_SEND_MANY, MANY, 0), -EFAULT);
	say(left, "longer");
	IS(receive(right, MANY, 0), 3);
	IS(pieces[1].len, 1);
	say(left, "longer");
	describe(got, 2);
	IS(many(right, DUCT_IOC_RECV_MANY, MANY, 0), -EMSGSIZE);
	IS(pieces[0].len, 6);
	pieces[0] = (struct duct_file_piece){ .buf = 16, .len = 8 };
	IS(many(right, DUCT_IOC_RECV_MANY, MANY, 0), -EFAULT);
	hears(right, "longer");
}

const struct test many_tests[] = {
	{ "100 messages with a system call", test_many },
	{ "100 messages: as many as there is room for", test_full },
	{ "100 messages, then the end", test_end },
	{ "one of many is refused", test_refused },
	{ NULL, NULL }
};
