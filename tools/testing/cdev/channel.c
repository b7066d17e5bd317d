// SPDX-License-Identifier: GPL-2.0-only
/* Channels of messages: read(), write() and what goes with them. */
#define _GNU_SOURCE
#include "kit.h"

#include <sys/epoll.h>

static void test_nothing(void)
{
	int fd = end_open(LEFT, O_RDWR);
	struct duct_file_info info = info_of(fd);

	IS(info.kind, DUCT_FILE_NOTHING);
	IS(info.instance, 0);
	OK(info.epoch > 0);
	/* Asking has not made it channel 0. */
	IS(read(end_open(LEFT, O_RDWR | O_NONBLOCK), &info, 1), -1);
	IS(errno, EAGAIN);
}

static void test_default(void)
{
	int left = end_open(LEFT, O_RDWR), right = end_open(RIGHT, O_RDWR);

	/* What is only open is nothing yet; poll() makes it a channel, too. */
	IS(polled(right, POLLIN), 0);
	say(left, "a message");
	hears(right, "a message");
	say(right, "and back");
	hears(left, "and back");
	IS(info_of(left).kind, DUCT_FILE_CHANNEL);
	IS(info_of(left).number, 0);
	IS(info_of(left).error, 0);
	IS(info_of(left).out_messages, 1);
	IS(info_of(left).out_bytes, 9);
	IS(info_of(left).in_messages, 1);
	IS(info_of(left).max_msg, 16 << 10);
}

static void test_borders(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	struct duct_file_send send = {};
	struct duct_file_recv recv = {};
	char c;

	say(left, "one");
	say(left, "three");
	IS(write(left, "", 0), 0);
	IS(ioctl(left, DUCT_IOC_SEND, &send), 0);
	say(left, "x");
	hears(right, "one");
	hears(right, "three");
	IS(ioctl(right, DUCT_IOC_RECV, &recv), 0);
	IS(recv.len, 0);
	IS(recv.flags, 0);
	IS(read(right, &c, 1), 1);
}

static void test_small_buffer(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	char buf[16] = "";
	struct duct_file_recv recv = { .buf = (uintptr_t)buf, .len = 4 };

	say(left, "too long");
	say(left, "next");
	ERR(read(right, buf, 4), EMSGSIZE);
	ERR(ioctl(right, DUCT_IOC_RECV, &recv), EMSGSIZE);
	IS(recv.len, 8);
	hears(right, "too long");
	say(left, "too long");
	hears(right, "next");
	recv.len = 4;
	recv.flags = DUCT_FILE_CUT;
	IS(ioctl(right, DUCT_IOC_RECV, &recv), 0);
	IS(recv.len, 8);
	IS(recv.flags, DUCT_FILE_WAS_CUT);
	IS(memcmp(buf, "too ", 5), 0);
	say(left, "goes on");
	hears(right, "goes on");
}

static void test_too_long(void)
{
	struct duct_file_channel arg = { .number = 7, .max_msg = 100 };
	int left = end_open(LEFT, O_RDWR), right = end_channel(RIGHT, 7, 0);
	char buf[101] = "";

	IS(ioctl(left, DUCT_IOC_CHANNEL, &arg), 0);
	until_up(right);
	/* The smaller of both wishes. */
	IS(info_of(right).max_msg, 100);
	ERR(write(right, buf, 101), EMSGSIZE);
	ERR(write(left, buf, 101), EMSGSIZE);
	IS(write(left, buf, 100), 100);
	IS(read(right, buf, 101), 100);
}

static void test_nonblock(void)
{
	struct duct_file_send send = { .len = 1, .flags = DUCT_FILE_NOWAIT };
	int left = end_channel(LEFT, 7, 0), right, n = 0;
	static char buf[16384];

	send.buf = (uintptr_t)buf;
	/* Nobody there. */
	ERR(ioctl(left, DUCT_IOC_SEND, &send), EAGAIN);
	IS(fcntl(left, F_SETFL, O_NONBLOCK), 0);
	ERR(read(left, buf, 1), EAGAIN);
	ERR(write(left, buf, 1), EAGAIN);
	IS(polled(left, POLLIN | POLLOUT), 0);
	right = end_channel(RIGHT, 7, 0);
	OK(polls(left, POLLOUT, 10000));
	ERR(read(left, buf, 1), EAGAIN);
	while (write(left, buf, sizeof(buf)) > 0)
		n++;
	IS(errno, EAGAIN);
	OK(n >= 3);
	IS(polled(left, POLLOUT), 0);
	while (n--)
		IS(read(right, buf, sizeof(buf)), sizeof(buf));
	OK(polls(left, POLLOUT, 10000));
	IS(write(left, buf, sizeof(buf)), sizeof(buf));
}

static void test_waits(void)
{
	int left = end_channel(LEFT, 7, 0), right;
	pthread_t writer, reader;

	/* Both before anybody is there, and at once. */
	start(&writer, write_one, left);
	start(&reader, read_one, left);
	usleep(20000);
	right = end_channel(RIGHT, 7, 0);
	hears(right, "hello");
	IS(joined(writer), 5);
	say(right, "four");
	IS(joined(reader), 4);
}

static void test_full_waits(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	static char buf[16384];
	pthread_t writer;

	until_up(left);
	IS(fcntl(left, F_SETFL, O_NONBLOCK), 0);
	while (write(left, buf, sizeof(buf)) > 0)
		;
	while (write(left, buf, 1) > 0)
		;
	IS(fcntl(left, F_SETFL, 0), 0);
	start(&writer, write_one, left);
	usleep(20000);
	while (read(right, buf, sizeof(buf)) != 5)
		;
	IS(memcmp(buf, "hello", 5), 0);
	IS(joined(writer), 5);
}

static void test_poll(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);

	until_up(left);
	IS(polled(right, POLLIN), 0);
	IS(polled(left, POLLOUT | POLLIN), POLLOUT);
	IS(epoll_ctl(ep, EPOLL_CTL_ADD, right, &event), 0);
	IS(epoll_wait(ep, &event, 1, 0), 0);
	say(left, "one");
	IS(epoll_wait(ep, &event, 1, 10000), 1);
	IS(event.events, EPOLLIN);
	hears(right, "one");
	/* All is read: the next is told. */
	IS(fcntl(right, F_SETFL, O_NONBLOCK), 0);
	ERR(read(right, &event, sizeof(event)), EAGAIN);
	IS(epoll_wait(ep, &event, 1, 0), 0);
	say(left, "two");
	IS(epoll_wait(ep, &event, 1, 10000), 1);
	IS(polled(right, POLLIN), POLLIN);
	close(left);
	OK(polls(right, POLLHUP, 10000));
	IS(polled(right, POLLIN), POLLIN | POLLHUP);
}

static void test_vectors(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	char a[3], b[8] = "";
	struct iovec out[] = { { "ab", 2 }, { "cdef", 4 } }, in[] = { { a, 3 }, { b, 8 } };

	IS(writev(left, out, 2), 6);
	IS(readv(right, in, 2), 6);
	IS(memcmp(a, "abc", 3), 0);
	IS(strcmp(b, "def"), 0);
}

static void test_end(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	struct duct_file_recv recv = {};
	char c;

	say(left, "last words");
	close(left);
	hears(right, "last words");
	IS(read(right, &c, 1), 0);
	ERR(read(right, &c, 1), EPIPE);
	ERR(ioctl(right, DUCT_IOC_RECV, &recv), EPIPE);
	/* There would be a SIGPIPE, or not. */
	ERR(write(right, &c, 1), EPIPE);
	IS(polled(right, POLLIN | POLLOUT), POLLIN | POLLOUT | POLLHUP);
	IS(info_of(right).error, -EPIPE);
}

/* The core gives a reader two seconds; a program may take longer. */
static void test_late_reader(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	struct duct_file_recv recv = {};
	char text[16];
	int i;

	for (i = 0; i < 1000; i++) {
		sprintf(text, "message %d", i);
		say(left, text);
	}
	close(left);
	sleep(3);
	for (i = 0; i < 1000; i++) {
		sprintf(text, "message %d", i);
		hears(right, text);
	}
	IS(ioctl(right, DUCT_IOC_RECV, &recv), 0);
	IS(recv.flags, DUCT_FILE_EOF);
	ERR(ioctl(right, DUCT_IOC_RECV, &recv), EINVAL);
	recv.flags = 0;
	ERR(ioctl(right, DUCT_IOC_RECV, &recv), EPIPE);
}

static void test_exclusive(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0), other;
	struct duct_file_channel arg = { .number = 7 };

	say(left, "x");
	other = end_open(LEFT, O_RDWR);
	ERR(ioctl(other, DUCT_IOC_CHANNEL, &arg), EBUSY);
	/* It is still nothing. */
	arg.number = 8;
	IS(ioctl(other, DUCT_IOC_CHANNEL, &arg), 0);
	ERR(ioctl(other, DUCT_IOC_CHANNEL, &arg), EINVAL);
	hears(right, "x");
}

static void test_next_connection(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0), next, i;
	char c;

	for (i = 0; i < 20; i++) {
		say(left, "old");
		close(left);
		/* A new one, while the other end still has the old. */
		left = end_channel(LEFT, 7, 0);
		IS(fcntl(left, F_SETFL, O_NONBLOCK), 0);
		hears(right, "old");
		IS(read(right, &c, 1), 0);
		ERR(write(left, "lost?", 5), EAGAIN);
		close(right);
		next = end_channel(RIGHT, 7, 0);
		OK(polls(left, POLLOUT, 10000));
		IS(fcntl(left, F_SETFL, 0), 0);
		say(left, "new");
		hears(next, "new");
		right = next;
	}
}

static void test_fork(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0), copy, status;
	pid_t pid;

	copy = dup(left);
	close(left);
	say(copy, "by a duplicate");
	hears(right, "by a duplicate");
	pid = fork();
	if (!pid)
		_exit(write(copy, "child", 5) != 5);
	hears(right, "child");
	IS(waitpid(pid, &status, 0), pid);
	IS(status, 0);
	/* The child's end was not that of the file. */
	say(copy, "parent");
	hears(right, "parent");
	close(copy);
	IS(read(right, &status, 1), 0);
}

static void test_close_in_read(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	pthread_t reader;
	char c;

	until_up(left);
	start(&reader, read_one, right);
	usleep(20000);
	close(right);
	/* The read holds the file. */
	say(left, "still");
	IS(joined(reader), 5);
	IS(read(left, &c, 1), 0);
}

static void test_closed_in_read(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	pthread_t reader;

	until_up(left);
	start(&reader, read_one, right);
	usleep(20000);
	close(left);
	IS(joined(reader), 0);
}

static void test_signal(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	pthread_t reader;

	until_up(left);
	start(&reader, read_one, left);
	IS(interrupted(reader, 0), -EINTR);
	say(right, "later");
	hears(left, "later");
}

#define READERS 4

static void *read_many(void *arg)
{
	intptr_t sum = 0;
	unsigned int n;

	while (read((intptr_t)arg, &n, sizeof(n)) == sizeof(n) && n)
		sum += n;
	return (void *)sum;
}

static void test_readers(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0);
	pthread_t reader[READERS];
	intptr_t sum = 0;
	unsigned int i;

	for (i = 0; i < READERS; i++)
		start(&reader[i], read_many, right);
	for (i = 1; i <= 2000; i++)
		IS(write(left, &i, sizeof(i)), sizeof(i));
	for (i = 0; i < READERS; i++)
		IS(write(left, &(int){ 0 }, sizeof(int)), sizeof(int));
	for (i = 0; i < READERS; i++)
		sum += joined(reader[i]);
	IS(sum, 2000 * 2001 / 2);
}

static void test_mismatch(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, DUCT_FILE_STREAM);
	char c;

	/* At least the end that hears of it last. */
	OK(polls(left, POLLIN, 10000) || polls(right, POLLIN, 10000));
	ERR(read(info_of(left).error ? left : right, &c, 1), EPROTO);
}

/* Pages that are not there yet, and go while a message is copied. */
static void test_faults(void)
{
	int left = end_channel(LEFT, 7, 0), right = end_channel(RIGHT, 7, 0), i;
	size_t size = 16384;
	unsigned char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
	unsigned char text[16384];

	OK(p != MAP_FAILED);
	for (i = 0; i < 10; i++) {
		fill(text, size, i);
		IS(write(left, text, size), size);
		IS(madvise(p, size, MADV_DONTNEED), 0);
		IS(read(right, p, size), size);
		IS(memcmp(p, text, size), 0);
	}
	/* A bad address takes nothing away. */
	IS(munmap(p, size), 0);
	say(left, "stays");
	ERR(read(right, p, size), EFAULT);
	hears(right, "stays");
	ERR(write(left, p, size), EFAULT);
	say(left, "fine");
	hears(right, "fine");
}

const struct test channel_tests[] = {
	{ "a file is nothing at first", test_nothing },
	{ "read and write make it channel 0", test_default },
	{ "messages keep their borders", test_borders },
	{ "too small a buffer loses nothing", test_small_buffer },
	{ "too long a message is refused", test_too_long },
	{ "O_NONBLOCK", test_nonblock },
	{ "reading and writing wait for the other end", test_waits },
	{ "writing waits for room", test_full_waits },
	{ "poll and epoll", test_poll },
	{ "readv and writev", test_vectors },
	{ "all that was sent, the end once, then EPIPE", test_end },
	{ "a reader that comes late loses nothing", test_late_reader },
	{ "a number is open once", test_exclusive },
	{ "a closed channel does not meet the next one", test_next_connection },
	{ "dup and fork share a file", test_fork },
	{ "close during read", test_close_in_read },
	{ "the other end closes during read", test_closed_in_read },
	{ "a signal ends a read", test_signal },
	{ "many readers", test_readers },
	{ "a stream and messages do not meet", test_mismatch },
	{ "pages that are not there", test_faults },
	{ NULL, NULL }
};
