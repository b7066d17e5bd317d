// SPDX-License-Identifier: GPL-2.0-only
/* Calls: LEFT calls, RIGHT serves. */
#define _GNU_SOURCE
#include "kit.h"

#define NUMBER 11
#define ANSWER 1000

static int server(unsigned int max_calls)
{
	struct duct_file_channel arg = {
		.number = NUMBER, .max_calls = max_calls, .max_answer = ANSWER,
	};
	int fd = end_open(RIGHT, O_RDWR);

	IS(ioctl(fd, DUCT_IOC_CHANNEL, &arg), 0);
	return fd;
}

/* Return: the tag, 0 for a message */
static uint64_t received(int fd, char *buf, size_t size, unsigned int *len)
{
	struct duct_file_recv recv = { .buf = (uintptr_t)buf, .len = size };

	if (ioctl(fd, DUCT_IOC_RECV, &recv) || recv.flags & DUCT_FILE_EOF) {
		*len = -1;
		return 0;
	}
	*len = recv.len;
	return recv.tag;
}

static int replied(int fd, uint64_t tag, const char *text, unsigned int len)
{
	struct duct_file_reply reply = { .buf = (uintptr_t)text, .tag = tag, .len = len };

	return ioctl(fd, DUCT_IOC_REPLY, &reply);
}

static int refused(int fd, uint64_t tag)
{
	struct duct_file_reply reply = { .tag = tag, .flags = DUCT_FILE_REFUSE };

	return ioctl(fd, DUCT_IOC_REPLY, &reply);
}

#define FLOOD 4000	/* messages: more than are held, and than a ring takes */

/* By the first letter: echo, refuse, silence, messages before the answer, a flood of them. */
static void *serve(void *arg)
{
	int fd = (intptr_t)arg, i;
	char buf[4096], msg[100] = "";
	unsigned int len;
	uint64_t tag;

	for (;;) {
		tag = received(fd, buf, sizeof(buf), &len);
		if (len == (unsigned int)-1)
			return NULL;
		if (!tag)
			continue;
		switch (buf[0]) {
		case 'e':
			OK(!replied(fd, tag, buf, len) || errno == EPIPE);
			break;
		case 'r':
			OK(!refused(fd, tag));
			break;
		case 'm':
			for (i = 0; i < 100; i++)
				IS(write(fd, &i, sizeof(i)), sizeof(i));
			OK(!replied(fd, tag, buf, len));
			break;
		case 'f':
			for (i = 0; i < FLOOD; i++) {
				memcpy(msg, &i, sizeof(i));
				IS(write(fd, msg, sizeof(msg)), sizeof(msg));
			}
			OK(!replied(fd, tag, buf, len));
		}
	}
}

static void finish(int left, pthread_t thread)
{
	close(left);
	IS(joined(thread), 0);
}

static void test_call(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(4);
	pthread_t thread;
	char rsp[64];

	start(&thread, serve, right);
	/* The first of them waits for the other end. */
	IS(call(left, "echo this", rsp, sizeof(rsp), 0), 9);
	IS(memcmp(rsp, "echo this", 9), 0);
	IS(call(left, "e", rsp, sizeof(rsp), 1000), 1);
	IS(call(left, "refuse", rsp, sizeof(rsp), 0), -EREMOTEIO);
	IS(call(left, "echo this", rsp, 8, 0), -EMSGSIZE);
	IS(call(left, "silence", rsp, sizeof(rsp), 50), -ETIMEDOUT);
	IS(call(left, "echo", rsp, sizeof(rsp), 0), 4);
	finish(left, thread);
}

static void test_messages_first(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(4), i, n;
	pthread_t thread;
	char rsp[64];

	start(&thread, serve, right);
	IS(call(left, "messages", rsp, sizeof(rsp), 10000), 8);
	IS(call(left, "echo", rsp, sizeof(rsp), 10000), 4);
	for (i = 0; i < 100; i++) {
		IS(polled(left, POLLIN), POLLIN);
		IS(read(left, &n, sizeof(n)), sizeof(n));
		IS(n, i);
	}
	IS(polled(left, POLLIN), 0);
	finish(left, thread);
}

static void *call_flood(void *arg)
{
	char rsp[16];

	return (void *)(intptr_t)call((intptr_t)arg, "flood", rsp, sizeof(rsp), 0);
}

/* More than is held: the answer waits until they are read. */
static void test_flood(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(4), i;
	pthread_t thread, caller;
	char msg[100];

	start(&thread, serve, right);
	start(&caller, call_flood, left);
	/* Until nothing more comes. */
	for (i = 0; i != (int)info_of(left).in_messages || !i; usleep(100000))
		i = info_of(left).in_messages;
	OK(i < FLOOD);
	for (i = 0; i < FLOOD; i++) {
		IS(read(left, msg, sizeof(msg)), sizeof(msg));
		IS(memcmp(msg, &i, sizeof(i)), 0);
	}
	IS(joined(caller), 5);
	finish(left, thread);
}

static void test_async(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(4), i;
	char buf[ANSWER], text[16];
	uint64_t tag[4], cookie;
	unsigned int len;

	for (i = 0; i < 4; i++) {
		sprintf(text, "call %d", i);
		IS(begin(left, text, 100 + i, 0), 0);
	}
	ERR(begin(left, "x", 101, 0), EEXIST);
	IS(polled(left, POLLPRI), 0);
	for (i = 0; i < 4; i++) {
		tag[i] = received(right, buf, sizeof(buf), &len);
		OK(tag[i]);
	}
	/* In another order. */
	for (i = 3; i >= 0; i--) {
		sprintf(text, "answer %d", i);
		IS(replied(right, tag[i], text, 8), 0);
		OK(polls(left, POLLPRI, 10000));
		IS(ended(left, buf, sizeof(buf), &cookie, 0), 8);
		IS(cookie, 100 + i);
		IS(memcmp(buf, text, 8), 0);
	}
	ERR(replied(right, tag[0], "again", 5), ENOENT);
	ERR(replied(right, 12345, "none", 4), ENOENT);
}

static void test_end(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(4);
	struct duct_file_call_end end = { .flags = DUCT_FILE_NOWAIT };
	char buf[ANSWER];
	uint64_t cookie, tag;
	unsigned int len;

	ERR(ioctl(left, DUCT_IOC_CALL_END, &end), ENOENT);
	IS(begin(left, "x", 1, 0), 0);
	ERR(ioctl(left, DUCT_IOC_CALL_END, &end), EAGAIN);
	tag = received(right, buf, sizeof(buf), &len);
	memset(buf, 5, sizeof(buf));
	ERR(replied(right, tag, buf, ANSWER + 1), EMSGSIZE);
	IS(replied(right, tag, buf, ANSWER), 0);
	OK(polls(left, POLLPRI, 10000));
	/* Too little room: it stays. */
	ERR(ioctl(left, DUCT_IOC_CALL_END, &end), EMSGSIZE);
	IS(end.rsp_len, ANSWER);
	IS(ended(left, buf, sizeof(buf), &cookie, DUCT_FILE_NOWAIT), ANSWER);
}

static void test_cancel(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(4);
	struct duct_file_call_cancel cancel = { .cookie = 7 };
	uint64_t cookie, tag;
	unsigned int len;
	char buf[16];

	ERR(ioctl(left, DUCT_IOC_CALL_CANCEL, &cancel), ENOENT);
	IS(begin(left, "x", 7, 0), 0);
	tag = received(right, buf, sizeof(buf), &len);
	IS(ioctl(left, DUCT_IOC_CALL_CANCEL, &cancel), 0);
	IS(ended(left, buf, sizeof(buf), &cookie, 0), -ECANCELED);
	IS(cookie, 7);
	/* Nobody wants it. */
	IS(replied(right, tag, "late", 4), 0);
	IS(begin(left, "x", 8, 30), 0);
	IS(ended(left, buf, sizeof(buf), &cookie, 0), -ETIMEDOUT);
	IS(cookie, 8);
}

static void test_many(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(64), i;
	struct duct_file_call_start arg = { .flags = DUCT_FILE_NOWAIT, .cookie = 1000 };
	char buf[16];
	uint64_t cookie, tag;
	unsigned int len;

	for (i = 0; i < 64; i++)
		IS(begin(left, "x", i, 0), 0);
	ERR(ioctl(left, DUCT_IOC_CALL_START, &arg), EAGAIN);
	for (i = 0; i < 64; i++) {
		tag = received(right, buf, sizeof(buf), &len);
		OK(tag);
		IS(replied(right, tag, buf, len), 0);
	}
	for (i = 0; i < 64; i++) {
		IS(ended(left, buf, sizeof(buf), &cookie, 0), 1);
		IS(cookie, i);
	}
}

/* More at once than are served: the rest waits, and goes on behind the answers. */
static void test_limit(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(2), i;
	pthread_t thread;
	uint64_t cookie;
	char buf[16];

	start(&thread, serve, right);
	for (i = 0; i < 50; i++)
		IS(begin(left, "echo", i, 0), 0);
	for (i = 0; i < 50; i++)
		IS(ended(left, buf, sizeof(buf), &cookie, 0), 4);
	finish(left, thread);
}

static void *call_silence(void *arg)
{
	char rsp[16];

	return (void *)(intptr_t)call((intptr_t)arg, "silence", rsp, sizeof(rsp), 0);
}

static void test_signal(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(4);
	pthread_t thread, caller;

	start(&thread, serve, right);
	until_up(left);
	start(&caller, call_silence, left);
	/* Not restarted: it may have been served. */
	IS(interrupted(caller, SA_RESTART), -EINTR);
	finish(left, thread);
}

static void test_server_goes(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(4), err;
	pthread_t caller;
	unsigned int len;
	uint64_t cookie;
	char buf[16];

	start(&caller, call_silence, left);
	OK(received(right, buf, sizeof(buf), &len));
	IS(begin(left, "x", 1, 0), 0);
	close(right);
	err = joined(caller);
	OK(err == -EREMOTEIO || err == -EPIPE);
	err = ended(left, buf, sizeof(buf), &cookie, 0);
	OK(err == -EREMOTEIO || err == -EPIPE);
	IS(call(left, "x", buf, sizeof(buf), 0), -EPIPE);
}

static void test_caller_goes(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(4);
	unsigned int len;
	uint64_t tag;
	char buf[16];

	IS(begin(left, "one", 1, 0), 0);
	IS(begin(left, "two", 2, 0), 0);
	tag = received(right, buf, sizeof(buf), &len);
	OK(tag);
	close(left);
	OK(polls(right, POLLHUP, 10000));
	ERR(replied(right, tag, "late", 4), EPIPE);
}

static void test_none(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = end_channel(RIGHT, NUMBER, 0);
	int stream = end_channel(LEFT, 12, DUCT_FILE_STREAM);
	char buf[16];

	end_channel(RIGHT, 12, DUCT_FILE_STREAM);
	IS(call(left, "x", buf, sizeof(buf), 0), -EREMOTEIO);
	say(right, "fine");
	hears(left, "fine");
	IS(call(stream, "x", buf, sizeof(buf), 0), -EINVAL);
}

static void test_read(void)
{
	int left = end_channel(LEFT, NUMBER, 0), right = server(1);
	char c;

	say(left, "x");
	ERR(read(right, &c, 1), EOPNOTSUPP);
}

const struct test call_tests[] = {
	{ "calls: answer, refusal, too long, time-out", test_call },
	{ "calls: messages that come first are kept", test_messages_first },
	{ "calls: more messages first than are kept", test_flood },
	{ "calls: several at once, answered in another order", test_async },
	{ "calls: their end", test_end },
	{ "calls: cancel and time-out", test_cancel },
	{ "calls: 64, and not one more", test_many },
	{ "calls: more than are served", test_limit },
	{ "calls: a signal", test_signal },
	{ "calls: the server goes", test_server_goes },
	{ "calls: the caller goes", test_caller_goes },
	{ "calls: where none are served, or on a stream", test_none },
	{ "calls: not by read()", test_read },
	{ NULL, NULL }
};
