// SPDX-License-Identifier: GPL-2.0-only
/* Events. */
#include "kit.h"

static void trigger(int fd, uint64_t n)
{
	IS(write(fd, &n, sizeof(n)), sizeof(n));
}

/* What was triggered comes, in one or more sums. */
static uint64_t counted(int fd, uint64_t want)
{
	uint64_t sum = 0, n;

	while (sum < want) {
		IS(read(fd, &n, sizeof(n)), sizeof(n));
		OK(n > 0);
		sum += n;
	}
	return sum;
}

static void test_counts(void)
{
	int left = event(LEFT, 3), right = event(RIGHT, 3), i;

	for (i = 1; i <= 1000; i++)
		trigger(left, i);
	IS(counted(right, 500500), 500500);
	trigger(right, 1);
	IS(counted(left, 1), 1);
	IS(info_of(left).kind, DUCT_FILE_EVENT);
	IS(info_of(left).number, 3);
	OK(info_of(left).out_messages > 0);
}

static void test_early(void)
{
	int left = event(LEFT, 3), right;

	trigger(left, 4000000000ull);
	trigger(left, 4000000000ull);
	right = event(RIGHT, 3);
	IS(counted(right, 8000000000ull), 8000000000ull);
}

static void test_nonblock(void)
{
	int left = event(LEFT, 3), right = event(RIGHT, 3);
	uint64_t n;

	IS(fcntl(right, F_SETFL, O_NONBLOCK), 0);
	ERR(read(right, &n, sizeof(n)), EAGAIN);
	IS(polled(right, POLLIN | POLLOUT), POLLOUT);
	trigger(left, 5);
	OK(polls(right, POLLIN, 10000));
	IS(counted(right, 5), 5);
	ERR(read(right, &n, sizeof(n)), EAGAIN);
}

static void test_watch(void)
{
	struct duct_file_event_watch arg = { .after = 10 };
	int left = event(LEFT, 3), right = event(RIGHT, 3);

	IS(ioctl(right, DUCT_IOC_EVENT_WATCH, &arg), 0);
	trigger(left, 9);
	OK(!polls(right, POLLIN, 300));
	trigger(left, 1);
	OK(polls(right, POLLIN, 10000));
	IS(counted(right, 10), 10);
}

static void test_input(void)
{
	int left = event(LEFT, 3), other = end_open(LEFT, O_RDWR);
	struct duct_file_event arg = { .id = 3 };
	uint64_t n = 0;

	ERR(write(left, &n, sizeof(n)), EINVAL);
	n = 1ull << 32;
	ERR(write(left, &n, sizeof(n)), EINVAL);
	ERR(write(left, &n, 4), EINVAL);
	ERR(read(left, &n, 7), EINVAL);
	ERR(ioctl(other, DUCT_IOC_EVENT, &arg), EBUSY);
	arg.id = 1u << 30;
	ERR(ioctl(other, DUCT_IOC_EVENT, &arg), EINVAL);
	arg.id = 4;
	arg.reserved = 1;
	ERR(ioctl(other, DUCT_IOC_EVENT, &arg), EINVAL);
}

const struct test event_tests[] = {
	{ "events: triggers are counted", test_counts },
	{ "events: triggers wait for the other end", test_early },
	{ "events: O_NONBLOCK and poll", test_nonblock },
	{ "events: no less than so many", test_watch },
	{ "events: bad input", test_input },
	{ NULL, NULL }
};
