// SPDX-License-Identifier: GPL-2.0-only
/* Regions: LEFT has them, RIGHT attaches. */
#define _GNU_SOURCE
#include "kit.h"

#define SIZE 16384u
#define ID 5

static int owner(unsigned int flags)
{
	return region(LEFT, DUCT_IOC_REGION_CREATE, ID, SIZE, flags);
}

static int attached(int end)
{
	return region(end, DUCT_IOC_REGION_ATTACH, ID, 0, 0);
}

static void goes_up(int fd, unsigned int peer)
{
	struct duct_file_news n = news(fd);

	IS(n.type, DUCT_NEWS_UP);
	IS(n.peer, peer);
}

static void goes_down(int fd, unsigned int peer, int why)
{
	struct duct_file_news n = news(fd);

	IS(n.type, DUCT_NEWS_DOWN);
	IS(n.peer, peer);
	IS(n.why, why);
}

static void test_shared(void)
{
	int left = owner(DUCT_FILE_WRITABLE), right = attached(RIGHT);
	volatile unsigned char *here = map(left, SIZE, PROT_READ | PROT_WRITE), *there;
	unsigned int i;

	IS(info_of(left).size, SIZE);
	IS(info_of(left).kind, DUCT_FILE_OWNER);
	for (i = 0; i < SIZE; i++) {
		IS(here[i], 0);
		here[i] = pattern(1, i);
	}
	goes_up(left, 1);
	goes_up(right, 0);
	IS(info_of(right).self, 1);
	IS(info_of(right).size, SIZE);
	there = map(right, SIZE, PROT_READ | PROT_WRITE);
	for (i = 0; i < SIZE; i++) {
		IS(there[i], pattern(1, i));
		there[i] = pattern(2, i);
	}
	for (i = 0; i < SIZE; i++)
		IS(here[i], pattern(2, i));
	/* A part of it, too. */
	there = map_try(right, 4096, PROT_READ, 8192);
	OK(there != MAP_FAILED);
	IS(there[0], pattern(2, 8192));
}

static void test_read_only(void)
{
	int left = owner(0), right = attached(RIGHT);
	volatile unsigned char *here = map(left, SIZE, PROT_READ | PROT_WRITE), *there;

	goes_up(right, 0);
	here[0] = 42;
	ERR((long)map_try(right, SIZE, PROT_READ | PROT_WRITE, 0), EACCES);
	there = map(right, SIZE, PROT_READ);
	IS(there[0], 42);
	IS(touched(there, true), SIGSEGV);
	ERR(mprotect((void *)there, SIZE, PROT_READ | PROT_WRITE), EACCES);
	IS(touched(there, true), SIGSEGV);
	IS(touched(there, false), 0);
}

static void test_mmap_input(void)
{
	int left = owner(0), right = attached(RIGHT), other = end_open(LEFT, O_RDWR);
	int reader = end_open(LEFT, O_RDONLY);
	struct duct_file_region arg = { .id = ID };

	goes_up(right, 0);
	ERR((long)mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, right, 0), EINVAL);
	ERR((long)map_try(right, SIZE + 4096, PROT_READ, 0), EINVAL);
	ERR((long)map_try(right, SIZE, PROT_READ, 4096), EINVAL);
	ERR((long)map_try(other, SIZE, PROT_READ, 0), ENODEV);
	ERR((long)map_try(end_channel(LEFT, 7, 0), SIZE, PROT_READ, 0), ENODEV);
	/* Region 5 of the other end is none, yet. */
	IS(ioctl(reader, DUCT_IOC_REGION_ATTACH, &arg), 0);
	ERR((long)map_try(reader, SIZE, PROT_READ, 0), ENOTCONN);
	IS(info_of(reader).error, -ENOTCONN);
	OK(left > 0);
}

static void test_trigger(void)
{
	struct duct_file_watch watch = { .off = 100, .count = 10 }, at = { .off = 100 };
	int left = owner(DUCT_FILE_WRITABLE), right = attached(RIGHT), i;
	struct duct_file_news n;
	void *nowhere;

	goes_up(left, 1);
	goes_up(right, 0);
	IS(ioctl(left, DUCT_IOC_REGION_WATCH, &watch), 0);
	ERR(ioctl(left, DUCT_IOC_REGION_WATCH, &watch), EEXIST);
	watch.count = 1;
	IS(ioctl(right, DUCT_IOC_REGION_WATCH, &watch), 0);
	for (i = 0; i < 9; i++)
		IS(ioctl(right, DUCT_IOC_REGION_TRIGGER, &at), 0);
	OK(!polls(left, POLLIN, 200));
	IS(ioctl(right, DUCT_IOC_REGION_TRIGGER, &at), 0);
	n = news(left);
	IS(n.type, DUCT_NEWS_TRIGGERED);
	IS(n.off, 100);
	IS(n.total, 10);
	/* None is lost to an address that is none. */
	IS(ioctl(right, DUCT_IOC_REGION_TRIGGER, &at), 0);
	for (i = 0; i < 9; i++)
		IS(ioctl(right, DUCT_IOC_REGION_TRIGGER, &at), 0);
	OK(polls(left, POLLIN, 10000));
	nowhere = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ERR(read(left, nowhere, sizeof(n)), EFAULT);
	IS(news(left).total, 20);
	/* None of one's own. */
	IS(polled(right, POLLIN), 0);
	for (i = 0; i < 1000; i++)
		IS(ioctl(left, DUCT_IOC_REGION_TRIGGER, &at), 0);
	do {
		n = news(right);
		IS(n.type, DUCT_NEWS_TRIGGERED);
	} while (n.total < 1000);
	IS(n.total, 1000);
	at.count = 0;
	IS(ioctl(right, DUCT_IOC_REGION_UNWATCH, &at), 0);
	ERR(ioctl(right, DUCT_IOC_REGION_UNWATCH, &at), ENOENT);
	at.off = SIZE;
	ERR(ioctl(right, DUCT_IOC_REGION_TRIGGER, &at), EINVAL);
	ERR(ioctl(left, DUCT_IOC_REGION_WATCH, &at), EINVAL);
}

static void test_revoke(void)
{
	struct duct_file_offer arg = { .fd = -1 };
	int left = owner(DUCT_FILE_WRITABLE), right = attached(RIGHT);
	volatile unsigned char *there;

	goes_up(left, 1);
	goes_up(right, 0);
	there = map(right, SIZE, PROT_READ | PROT_WRITE);
	there[5] = 9;
	IS(ioctl(left, DUCT_IOC_REGION_REVOKE, &arg), 0);
	ERR(ioctl(left, DUCT_IOC_REGION_REVOKE, &arg), ENOENT);
	goes_down(right, 0, 0);
	goes_down(left, 1, 0);
	IS(touched(there + 5, false), SIGBUS);
	ERR((long)map_try(right, SIZE, PROT_READ, 0), ENOTCONN);
	/* And once more. */
	arg.id = ID;
	IS(ioctl(left, DUCT_IOC_REGION_OFFER, &arg), 0);
	ERR(ioctl(left, DUCT_IOC_REGION_OFFER, &arg), EEXIST);
	goes_up(right, 0);
	there = map(right, SIZE, PROT_READ);
	IS(there[5], 9);
}

static void test_close(void)
{
	int left = owner(DUCT_FILE_WRITABLE), right = attached(RIGHT);
	volatile unsigned char *here = map(left, SIZE, PROT_READ | PROT_WRITE), *there;

	goes_up(left, 1);
	goes_up(right, 0);
	close(right);
	goes_down(left, 1, 0);
	right = attached(RIGHT);
	goes_up(left, 1);
	goes_up(right, 0);
	there = map(right, SIZE, PROT_READ | PROT_WRITE);
	there[0] = 3;
	IS(here[0], 3);
	close(left);
	/* The mapping holds the owner's file. */
	IS(touched(here, false), 0);
	IS(touched(there, false), 0);
	IS(munmap((void *)here, SIZE), 0);
	OK(news(right).type == DUCT_NEWS_DOWN);
	IS(touched(there, false), SIGBUS);
}

static void test_joined(void)
{
	int left = owner(0), right = attached(RIGHT);
	struct duct_file_news n[4];

	goes_up(left, 1);
	close(right);
	OK(polls(left, POLLIN, 20000));
	right = attached(RIGHT);
	goes_up(right, 0);
	/* "Down" and "up" since, whatever came between. */
	while (info_of(left).kind && read(left, n, 32) == 32 && n[0].type != DUCT_NEWS_UP)
		IS(n[0].type, DUCT_NEWS_DOWN);
	IS(n[0].type, DUCT_NEWS_UP);
	IS(polled(left, POLLIN), 0);
	ERR(read(left, n, 31), EINVAL);
	IS(fcntl(left, F_SETFL, O_NONBLOCK), 0);
	ERR(read(left, n, 32), EAGAIN);
	ERR(write(left, n, 32), EINVAL);
}

/* The region of one service's file, for another service's peer. */
static void test_offer(void)
{
	struct duct_file_offer arg = { .id = ID, .flags = DUCT_FILE_WRITABLE };
	int left = owner(DUCT_FILE_WRITABLE), right = attached(RIGHT), second;
	int way = end_open(LEFT2, O_RDWR);
	volatile unsigned char *one, *two;

	goes_up(left, 1);
	arg.fd = 0;
	ERR(ioctl(left, DUCT_IOC_REGION_OFFER, &arg), EBADF);
	arg.fd = way;
	ERR(ioctl(right, DUCT_IOC_REGION_OFFER, &arg), EINVAL);
	IS(ioctl(left, DUCT_IOC_REGION_OFFER, &arg), 0);
	ERR(ioctl(left, DUCT_IOC_REGION_OFFER, &arg), EEXIST);
	second = attached(RIGHT2);
	goes_up(left, 2);
	goes_up(right, 0);
	goes_up(second, 0);
	one = map(right, SIZE, PROT_READ | PROT_WRITE);
	two = map(second, SIZE, PROT_READ | PROT_WRITE);
	one[0] = 17;
	IS(two[0], 17);
	arg.id = arg.flags = 0;
	IS(ioctl(left, DUCT_IOC_REGION_REVOKE, &arg), 0);
	goes_down(second, 0, 0);
	IS(touched(two, false), SIGBUS);
	IS(touched(one, false), 0);
}

static void test_input(void)
{
	struct duct_file_region arg = { .id = ID };
	int left = owner(0), other = end_open(LEFT, O_RDWR);

	ERR(ioctl(other, DUCT_IOC_REGION_CREATE, &arg), EINVAL);
	arg.size = SIZE;
	ERR(ioctl(other, DUCT_IOC_REGION_CREATE, &arg), EBUSY);
	ERR(ioctl(other, DUCT_IOC_REGION_ATTACH, &arg), EINVAL);
	arg.id = 6;
	arg.size = 5 << 20;
	ERR(ioctl(other, DUCT_IOC_REGION_CREATE, &arg), EDQUOT);
	arg.size = ~0ull;
	ERR(ioctl(other, DUCT_IOC_REGION_CREATE, &arg), EINVAL);
	arg.size = SIZE;
	arg.flags = 1;
	ERR(ioctl(other, DUCT_IOC_REGION_CREATE, &arg), EINVAL);
	arg.flags = 0;
	arg.id = 1u << 29;
	ERR(ioctl(other, DUCT_IOC_REGION_CREATE, &arg), EINVAL);
	/* What failed took nothing of the limit. */
	arg.id = 6;
	arg.size = (4 << 20) - SIZE;
	IS(ioctl(other, DUCT_IOC_REGION_CREATE, &arg), 0);
	OK(left > 0);
}

const struct test region_tests[] = {
	{ "regions: shared memory", test_shared },
	{ "regions: only to read: SIGSEGV", test_read_only },
	{ "regions: what cannot be mapped", test_mmap_input },
	{ "regions: watch and trigger", test_trigger },
	{ "regions: revoked: SIGBUS; offered again", test_revoke },
	{ "regions: closed at either end", test_close },
	{ "regions: news are joined", test_joined },
	{ "regions: for another device's peer", test_offer },
	{ "regions: bad input, and the limit", test_input },
	{ NULL, NULL }
};
