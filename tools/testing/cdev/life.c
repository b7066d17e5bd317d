// SPDX-License-Identifier: GPL-2.0-only
/* The end of a device, of an epoch, and who may open a file. */
#define _GNU_SOURCE
#include "kit.h"

#include <limits.h>
#include <sys/stat.h>

#define RUNNING "/sys/module/duct_loopback/parameters/running"
#define DRIVER "/sys/bus/duct/drivers/duct_cdev/"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	OK(fd >= 0);
	IS(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* The device on the bus that a file is of. */
static void device_of(int end, char *name)
{
	char path[PATH_MAX], real[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/duct_cdev/%s/device",
		 strrchr(end_path[end], '/') + 1);
	OK(realpath(path, real));
	strcpy(name, strrchr(real, '/') + 1);
}

static void until_there(int end)
{
	int i;

	for (i = 0; i < 5000 && access(end_path[end], F_OK); i++)
		usleep(2000);
	IS(access(end_path[end], F_OK), 0);
}

static void test_rights(void)
{
	struct stat st;
	int status, fd;
	pid_t pid;

	IS(stat(end_path[RIGHT2], &st), 0);
	IS(st.st_mode & 07777, 0660);
	IS(st.st_gid, 1000);
	IS(stat(end_path[LEFT], &st), 0);
	IS(st.st_mode & 07777, 0600);
	IS(st.st_gid, 0);
	pid = fork();
	if (!pid) {
		if (setgid(1000) || setuid(1000))
			_exit(1);
		fd = open(end_path[RIGHT2], O_RDWR);
		if (fd < 0 || write(fd, "no root", 7) != 7)
			_exit(2);
		if (open(end_path[LEFT], O_RDWR) >= 0 || errno != EACCES)
			_exit(3);
		_exit(0);
	}
	fd = end_open(LEFT2, O_RDWR);
	hears(fd, "no root");
	IS(waitpid(pid, &status, 0), pid);
	IS(status, 0);
}

static void *poll_some(void *arg)
{
	struct pollfd p = { .fd = (intptr_t)arg, .events = POLLIN };

	return (void *)(intptr_t)(poll(&p, 1, -1) == 1 ? p.revents : -1);
}

static void *call_some(void *arg)
{
	char rsp[16];

	return (void *)(intptr_t)call((intptr_t)arg, "x", rsp, sizeof(rsp), 0);
}

static void test_removed(void)
{
	struct duct_file_channel serves = { .number = 20, .max_calls = 4 };
	int channel = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	int alone = end_channel(LEFT, 8, 0), counts = event(LEFT, 3);
	int memory = region(LEFT, DUCT_IOC_REGION_CREATE, 5, 4096, DUCT_FILE_WRITABLE);
	int caller = end_channel(LEFT, 20, 0), server = end_open(RIGHT, O_RDWR);
	int nothing = end_open(LEFT, O_RDWR), attached, i, fds[6];
	volatile unsigned char *here = map(memory, 4096, PROT_READ), *there;
	pthread_t thread[6];
	char name[PATH_MAX], c;
	uint64_t cookie;

	IS(ioctl(server, DUCT_IOC_CHANNEL, &serves), 0);
	attached = region(RIGHT, DUCT_IOC_REGION_ATTACH, 5, 0, 0);
	IS(news(memory).type, DUCT_NEWS_UP);
	IS(news(attached).type, DUCT_NEWS_UP);
	there = map(attached, 4096, PROT_READ);
	IS(here[0] + there[0], 0);
	say(right, "held?");
	hears(channel, "held?");
	IS(begin(caller, "x", 1, 0), 0);
	start(&thread[0], read_one, channel);
	start(&thread[1], write_one, alone);
	start(&thread[2], read_one, counts);
	start(&thread[3], read_one, memory);
	start(&thread[4], poll_some, channel);
	start(&thread[5], call_some, caller);
	usleep(50000);
	device_of(LEFT, name);
	put(DRIVER "unbind", name);
	IS(joined(thread[0]), -ENODEV);
	IS(joined(thread[1]), -ENODEV);
	IS(joined(thread[2]), -ENODEV);
	IS(joined(thread[3]), -ENODEV);
	OK(joined(thread[4]) & POLLERR);
	IS(joined(thread[5]), -ENODEV);
	fds[0] = channel;
	fds[1] = alone;
	fds[2] = counts;
	fds[3] = memory;
	fds[4] = nothing;
	for (i = 0; i < 5; i++) {
		char buf[32];

		ERR(read(fds[i], buf, sizeof(buf)), ENODEV);
		IS(info_of(fds[i]).error, -ENODEV);
		OK(polled(fds[i], POLLIN) & POLLERR);
	}
	ERR(write(counts, "12345678", 8), EINVAL);
	ERR(write(counts, "\1\0\0\0\0\0\0", 8), ENODEV);
	IS(ended(caller, name, sizeof(name), &cookie, 0), -ENODEV);
	IS(touched(here, false), SIGBUS);
	IS(news(attached).type, DUCT_NEWS_DOWN);
	IS(touched(there, false), SIGBUS);
	/* The other end only hears that it was closed. */
	IS(read(right, &c, 1), 0);
	ERR(read(right, &c, 1), EPIPE);
	IS(access(end_path[LEFT], F_OK), -1);
	device_of(RIGHT, name);
	/* "duct0..." and "duct1...": the other one of them. */
	name[4] ^= 1;
	put(DRIVER "bind", name);
	until_there(LEFT);
	close(channel);
	channel = end_channel(LEFT, 7, 0);
	close(right);
	right = end_channel(RIGHT, 7, 0);
	say(channel, "again");
	hears(right, "again");
}

/* Regions that were offered to the peer of a device that goes. */
static void test_offer_removed(void)
{
	struct duct_file_offer offer = { .id = 5 };
	int memory = region(LEFT, DUCT_IOC_REGION_CREATE, 5, 4096, 0);
	int second;
	char name[PATH_MAX];

	offer.fd = end_open(LEFT2, O_RDWR);
	IS(ioctl(memory, DUCT_IOC_REGION_OFFER, &offer), 0);
	second = region(RIGHT2, DUCT_IOC_REGION_ATTACH, 5, 0, 0);
	IS(news(memory).type, DUCT_NEWS_UP);
	IS(news(second).type, DUCT_NEWS_UP);
	device_of(LEFT2, name);
	put(DRIVER "unbind", name);
	IS(news(memory).type, DUCT_NEWS_DOWN);
	IS(news(second).type, DUCT_NEWS_DOWN);
	ERR(ioctl(memory, DUCT_IOC_REGION_OFFER, &offer), ENODEV);
	put(DRIVER "bind", name);
	until_there(LEFT2);
}

static void test_epoch(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	int counts = event(LEFT, 3), other = event(RIGHT, 3), alone = end_channel(LEFT, 8, 0);
	int memory = region(LEFT, DUCT_IOC_REGION_CREATE, 5, 4096, 0);
	int attached = region(RIGHT, DUCT_IOC_REGION_ATTACH, 5, 0, 0);
	unsigned int epoch = info_of(left).epoch;
	uint64_t n = 1;
	char c;

	IS(news(memory).type, DUCT_NEWS_UP);
	IS(news(attached).type, DUCT_NEWS_UP);
	say(left, "was on its way");
	put(RUNNING, "1");
	IS(read(right, &c, 1), 0);
	ERR(read(right, &c, 1), ECONNRESET);
	ERR(write(left, &c, 1), ECONNRESET);
	IS(read(left, &c, 1), 0);
	ERR(read(left, &c, 1), ECONNRESET);
	OK(polled(left, POLLIN) & POLLHUP && polled(left, POLLIN) & POLLERR);
	/* The region and the event come back, and who waited for the first time. */
	IS(news(attached).type, DUCT_NEWS_DOWN);
	IS(news(attached).type, DUCT_NEWS_UP);
	IS(write(counts, &n, sizeof(n)), sizeof(n));
	IS(read(other, &n, sizeof(n)), sizeof(n));
	IS(n, 1);
	OK(info_of(left).epoch > epoch);
	close(right);
	right = end_channel(RIGHT, 8, 0);
	say(alone, "patience");
	hears(right, "patience");
	/* The dead one does not come back. */
	right = end_channel(RIGHT, 7, 0);
	IS(fcntl(right, F_SETFL, O_NONBLOCK), 0);
	usleep(100000);
	ERR(write(right, &c, 1), EAGAIN);
	close(left);
	left = end_channel(LEFT, 7, 0);
	say(left, "next");
	OK(polls(right, POLLIN, 10000));
	hears(right, "next");
}

const struct test life_tests[] = {
	{ "mode and group of a file", test_rights },
	{ "a device is removed while everything waits", test_removed },
	{ "a device is removed that a region was offered by", test_offer_removed },
	{ "the epoch ends: 0 once, then ECONNRESET", test_epoch },
	{ NULL, NULL }
};

/*
 * For scenarios that end things from outside: a channel with a server at the other end.
 * Says "up", and then all that read() gives until it is the same error twice.
 */
int life(const char *path)
{
	struct duct_file_channel arg = { .number = 100 };
	int fd = open(path, O_RDWR), last = 0, error = 0;
	char buf[64];
	ssize_t n;

	if (fd < 0 || ioctl(fd, DUCT_IOC_CHANNEL, &arg) || write(fd, "hello", 5) != 5 ||
	    read(fd, buf, sizeof(buf)) != 5) {
		printf("no connection: %s\n", strerror(errno));
		return 1;
	}
	puts("up");
	do {
		last = error;
		n = read(fd, buf, sizeof(buf));
		error = n < 0 ? errno : 0;
		printf("read %s\n", n < 0 ? strerror(error) : "0");
	} while (!error || error != last);
	return 0;
}
