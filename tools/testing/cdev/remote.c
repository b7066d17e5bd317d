// SPDX-License-Identifier: GPL-2.0-only
/* Two domains: a server that is always there, and a client that tests with it. */
#define _GNU_SOURCE
#include "kit.h"

#define MESSAGES 100
#define STREAM 101
#define CALLS 102
#define MEMORY 103
#define READ_ONLY 104
#define EVENT 105

#define SIZE 65536u

/* ---- the server ---- */

static int channel(const char *path, unsigned int number, unsigned int flags, unsigned int calls)
{
	struct duct_file_channel arg = {
		.number = number, .flags = flags, .max_calls = calls, .max_answer = 4096,
	};
	int fd = open(path, O_RDWR);

	if (fd < 0 || ioctl(fd, DUCT_IOC_CHANNEL, &arg)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

/* What comes goes back, connection after connection. */
static void echo(const char *path, unsigned int number, unsigned int flags)
{
	static char buf[65536];
	ssize_t n;
	int fd;

	for (;;) {
		fd = channel(path, number, flags, 0);
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			if (write(fd, buf, n) != n)
				break;
		close(fd);
	}
}

static void answer(const char *path)
{
	char buf[4096];
	int fd;

	for (;;) {
		struct duct_file_recv recv = { .buf = (uintptr_t)buf };
		struct duct_file_reply reply = { .buf = (uintptr_t)buf };

		fd = channel(path, CALLS, 0, 8);
		for (;;) {
			recv.len = sizeof(buf);
			recv.flags = recv.tag = 0;
			if (ioctl(fd, DUCT_IOC_RECV, &recv) || recv.flags & DUCT_FILE_EOF)
				break;
			reply.tag = recv.tag;
			reply.flags = buf[0] == 'r' ? DUCT_FILE_REFUSE : 0;
			reply.len = reply.flags ? 0 : recv.len;
			if (recv.tag && buf[0] != 's')
				ioctl(fd, DUCT_IOC_REPLY, &reply);
		}
		close(fd);
	}
}

/* Adds one to each byte at each trigger of byte 0, and triggers byte 8. */
static void share(const char *path)
{
	struct duct_file_region arg = { .id = MEMORY, .size = SIZE, .flags = DUCT_FILE_WRITABLE };
	struct duct_file_watch watch = {}, done = { .off = 8 };
	struct duct_file_news n;
	unsigned char *p;
	unsigned int i;
	int fd = open(path, O_RDWR), ro = open(path, O_RDWR);

	if (fd < 0 || ioctl(fd, DUCT_IOC_REGION_CREATE, &arg) ||
	    ioctl(fd, DUCT_IOC_REGION_WATCH, &watch))
		exit(1);
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	arg.id = READ_ONLY;
	arg.flags = 0;
	if (p == MAP_FAILED || ioctl(ro, DUCT_IOC_REGION_CREATE, &arg))
		exit(1);
	fill(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0), SIZE, 6);
	while (read(fd, &n, sizeof(n)) == sizeof(n)) {
		if (n.type != DUCT_NEWS_TRIGGERED)
			continue;
		for (i = 0; i < SIZE; i++)
			p[i]++;
		ioctl(fd, DUCT_IOC_REGION_TRIGGER, &done);
	}
	exit(1);
}

static void count(const char *path)
{
	struct duct_file_event arg = { .id = EVENT };
	int fd = open(path, O_RDWR);
	uint64_t n;

	if (fd < 0 || ioctl(fd, DUCT_IOC_EVENT, &arg))
		exit(1);
	while (read(fd, &n, sizeof(n)) == sizeof(n))
		if (write(fd, &n, sizeof(n)) != sizeof(n))
			break;
	exit(1);
}

void kit_serve(const char *path)
{
	if (!fork())
		echo(path, MESSAGES, 0);
	if (!fork())
		echo(path, STREAM, DUCT_FILE_STREAM);
	if (!fork())
		answer(path);
	if (!fork())
		share(path);
	if (!fork())
		count(path);
	/* One that goes takes all with it. */
	wait(NULL);
	kill(0, SIGTERM);
	exit(1);
}

/* ---- the client ---- */

static void test_messages(void)
{
	int fd = end_channel(0, MESSAGES, 0), i;
	unsigned char out[16384], in[16384];

	for (i = 0; i < 300; i++) {
		unsigned int len = 1 + pattern(1, i) * 63u;

		fill(out, len, i);
		IS(write(fd, out, len), len);
		IS(read(fd, in, sizeof(in)), len);
		IS(memcmp(out, in, len), 0);
	}
}

#define STREAM_BYTES (1u << 20)

static void *send_stream(void *arg)
{
	unsigned char *p = malloc(STREAM_BYTES);
	ssize_t n;

	fill(p, STREAM_BYTES, 9);
	n = write((intptr_t)arg, p, STREAM_BYTES);
	free(p);
	return (void *)(intptr_t)n;
}

static void test_stream(void)
{
	int fd = end_channel(0, STREAM, DUCT_FILE_STREAM);
	static unsigned char buf[65536];
	unsigned int at = 0, i;
	pthread_t thread;
	ssize_t n;

	start(&thread, send_stream, fd);
	while (at < STREAM_BYTES) {
		n = read(fd, buf, sizeof(buf));
		OK(n > 0);
		for (i = 0; i < (unsigned int)n; i++)
			if (buf[i] != pattern(9, at + i))
				IS(at + i, -1);
		at += n;
	}
	IS(joined(thread), STREAM_BYTES);
}

static void test_calls(void)
{
	int fd = end_channel(0, CALLS, 0), i;
	char rsp[1000], text[16];
	uint64_t cookie;

	for (i = 0; i < 100; i++) {
		sprintf(text, "echo %d", i);
		IS(call(fd, text, rsp, sizeof(rsp), 0), strlen(text));
		IS(memcmp(rsp, text, strlen(text)), 0);
	}
	IS(call(fd, "refuse", rsp, sizeof(rsp), 0), -EREMOTEIO);
	IS(call(fd, "silence", rsp, sizeof(rsp), 100), -ETIMEDOUT);
	for (i = 0; i < 20; i++)
		IS(begin(fd, "echo", i, 0), 0);
	for (i = 0; i < 20; i++) {
		OK(polls(fd, POLLPRI, 20000));
		IS(ended(fd, rsp, sizeof(rsp), &cookie, 0), 4);
		IS(cookie, i);
	}
}

static void test_memory(void)
{
	int fd = region(0, DUCT_IOC_REGION_ATTACH, MEMORY, 0, 0), round;
	struct duct_file_watch at = { .off = 0 }, done = { .off = 8 };
	volatile unsigned char *p;
	struct duct_file_news n = news(fd);
	unsigned int i;

	IS(n.type, DUCT_NEWS_UP);
	p = map(fd, SIZE, PROT_READ | PROT_WRITE);
	IS(ioctl(fd, DUCT_IOC_REGION_WATCH, &done), 0);
	for (round = 1; round < 4; round++) {
		for (i = 0; i < SIZE; i++)
			p[i] = pattern(round, i);
		IS(ioctl(fd, DUCT_IOC_REGION_TRIGGER, &at), 0);
		n = news(fd);
		IS(n.type, DUCT_NEWS_TRIGGERED);
		IS(n.off, 8);
		IS(n.total, round);
		for (i = 0; i < SIZE; i++)
			IS(p[i], (unsigned char)(pattern(round, i) + 1));
	}
}

static void test_read_only(void)
{
	int fd = region(0, DUCT_IOC_REGION_ATTACH, READ_ONLY, 0, 0);
	volatile unsigned char *p;
	unsigned int i;

	IS(news(fd).type, DUCT_NEWS_UP);
	ERR((long)map_try(fd, SIZE, PROT_READ | PROT_WRITE, 0), EACCES);
	p = map(fd, SIZE, PROT_READ);
	for (i = 0; i < SIZE; i++)
		IS(p[i], pattern(6, i));
	IS(touched(p, true), SIGSEGV);
	ERR(mprotect((void *)p, SIZE, PROT_READ | PROT_WRITE), EACCES);
	IS(touched(p + SIZE - 1, true), SIGSEGV);
	IS(p[0], pattern(6, 0));
}

static void test_event(void)
{
	int fd = event(0, EVENT), i;
	uint64_t n, sum = 0;

	for (i = 1; i <= 1000; i++) {
		n = i;
		IS(write(fd, &n, sizeof(n)), sizeof(n));
	}
	while (sum < 500500) {
		IS(read(fd, &n, sizeof(n)), sizeof(n));
		sum += n;
	}
	IS(sum, 500500);
}

const struct test client_tests[] = {
	{ "messages there and back", test_messages },
	{ "a stream there and back", test_stream },
	{ "calls", test_calls },
	{ "a region, mapped", test_memory },
	{ "a region that is only to be read: SIGSEGV", test_read_only },
	{ "an event, the sum", test_event },
	{ NULL, NULL }
};
