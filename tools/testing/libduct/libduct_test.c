// SPDX-License-Identifier: GPL-2.0-only
/*
 * libduct_test serve DEVICE    until the client has gone
 * libduct_test client DEVICE   KTAP: each group of the library, with a server in the other
 *                              domain
 * libduct_test own DEVICE DEVICE   a region for two other domains, the second to read only
 * libduct_test share DEVICE        one of them
 *
 * The first two share: channel 1, of calls and messages; channel 2, a stream; region 0, which the
 * server owns; event 0. DEVICE is of messages.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libduct.h"

#define MAX_MSG		8192u
#define MANY		200
#define STREAM		(1u << 20)	/* bytes, there and back */
#define REGION		(64u << 10)
#define TRIGGERS	1000u
#define WORD_OFF	128u		/* of the region: where the client writes and triggers */
#define ANSWER_OFF	4096u		/* where the server does */
#define WAIT_MS		20000

static struct libduct_channel *ch, *stream;
static struct libduct_region *rg;
static struct libduct_event *ev;
static char buf[STREAM], back[STREAM];
static const char *device;

/* ---- both ends ---- */

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "libduct_test: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_all(bool serves)
{
	struct libduct_channel_config c = {
		.size = sizeof(c), .number = 1, .max_msg = MAX_MSG,
		.max_calls = serves ? 8 : 0, .max_answer = serves ? MAX_MSG : 0,
	};
	struct libduct_channel_config s = {
		.size = sizeof(s), .number = 2, .flags = LIBDUCT_STREAM,
	};

	ch = libduct_channel_open(device, &c);
	need(ch, "channel 1");
	stream = libduct_channel_open(device, &s);
	need(stream, "channel 2");
	rg = serves ? libduct_region_create(device, 0, REGION, LIBDUCT_WRITABLE) :
		      libduct_region_attach(device, 0, 0);
	need(rg, "region 0");
	ev = libduct_event_open(device, 0, 0);
	need(ev, "event 0");
}

static void close_all(void)
{
	libduct_event_close(ev);
	libduct_region_close(rg);
	libduct_channel_close(stream);
	libduct_channel_close(ch);
}

static bool readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, WAIT_MS) == 1 && pfd.revents & POLLIN;
}

/* ---- the server ---- */

/* By its first letter: refused, not answered, or sent back. */
static void serve_call(const struct libduct_message *msg)
{
	if (*buf == 'r')
		need(!libduct_refuse(ch, msg->tag), "refuse");
	else if (*buf != 'h')
		need(!libduct_reply(ch, msg->tag, buf, msg->len), "reply");
}

/* Return: the client is there */
static bool serve_message(void)
{
	struct libduct_message msg = { .size = sizeof(msg) };

	if (libduct_channel_next(ch, &msg, buf, MAX_MSG, LIBDUCT_NOWAIT)) {
		need(errno == EAGAIN, "next");
		return true;
	}
	if (msg.tag)
		serve_call(&msg);
	else if (!(msg.flags & LIBDUCT_EOF))
		need(libduct_channel_send(ch, buf, msg.len, 0) == (ssize_t)msg.len, "send");
	return !(msg.flags & LIBDUCT_EOF);
}

static void serve_stream(void)
{
	ssize_t n = libduct_channel_recv(stream, buf, sizeof(buf), LIBDUCT_NOWAIT);

	/* Its end comes with the one of channel 1, before or after. */
	if (n > 0)
		libduct_channel_send_all(stream, buf, (size_t)n, NULL);
}

/* The word, upside down, somewhere else. */
static void serve_region(char *map)
{
	struct libduct_news news[8];
	int i, n = libduct_region_news(rg, news, 8, LIBDUCT_NOWAIT);
	uint32_t word;

	need(n > 0 || errno == EAGAIN, "news");
	for (i = 0; i < n; i++) {
		if (news[i].type != LIBDUCT_NEWS_TRIGGERED)
			continue;
		memcpy(&word, map + WORD_OFF, sizeof(word));
		word = ~word;
		memcpy(map + ANSWER_OFF, &word, sizeof(word));
		need(!libduct_region_trigger(rg, ANSWER_OFF), "trigger");
	}
}

static void serve_event(uint64_t *sum)
{
	uint64_t n;

	if (libduct_event_take(ev, &n, LIBDUCT_NOWAIT)) {
		need(errno == EAGAIN, "take");
		return;
	}
	*sum += n;
	if (*sum >= TRIGGERS)
		need(!libduct_event_trigger(ev, 1), "event");
}

static int serve(void)
{
	struct pollfd pfd[4] = { 0 };
	bool there = true;
	uint64_t sum = 0;
	char *map;
	int i;

	open_all(true);
	map = libduct_region_map(rg, 0, 0, PROT_READ | PROT_WRITE);
	need(map, "map");
	need(!libduct_region_watch(rg, WORD_OFF, 0), "watch");
	pfd[0].fd = libduct_channel_fd(ch);
	pfd[1].fd = libduct_channel_fd(stream);
	pfd[2].fd = libduct_region_fd(rg);
	pfd[3].fd = libduct_event_fd(ev);
	for (i = 0; i < 4; i++)
		pfd[i].events = POLLIN;
	while (there) {
		need(poll(pfd, 4, -1) > 0, "poll");
		if (pfd[1].revents & (POLLHUP | POLLERR))
			pfd[1].fd = -1;
		if (pfd[1].revents & POLLIN)
			serve_stream();
		if (pfd[2].revents & POLLIN)
			serve_region(map);
		if (pfd[3].revents & POLLIN)
			serve_event(&sum);
		if (pfd[0].revents)
			there = serve_message();
	}
	need(!libduct_region_unmap(map, REGION), "unmap");
	close_all();
	return 0;
}

/* ---- the client ---- */

static unsigned int done, failed;

static void __attribute__((format(printf, 2, 3))) ok(bool good, const char *fmt, ...)
{
	int err = errno;
	va_list args;

	printf("%sok %u ", good ? "" : "not ", ++done);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(good ? "\n" : " # errno %d\n", err);
	failed += !good;
}

#define fails(expr, err) (errno = 0, (expr) < 0 && errno == (err))

static int seen(const char *path, void *arg)
{
	bool *found = arg;

	*found |= !strcmp(path + strlen("/dev/duct/"), device);
	return 0;
}

static void test_device(void)
{
	struct libduct_info info = { .size = sizeof(info) };
	bool found = false;

	ok(!libduct_list(seen, &found) && found, "the device is listed");
	ok(!libduct_device_info(device, &info) && info.kind == LIBDUCT_NOTHING,
	   "a file is nothing at first");
	ok(info.peer == (uint32_t)atoi(device), "its peer");
	ok(fails(libduct_device_info("/dev/null", &info), ENOTTY), "another device is none");
	ok(fails(libduct_device_info("none", &info), ENOENT), "no device");
	errno = 0;
	ok(!libduct_event_open(device, 0, 0) && errno == EBUSY, "an event is opened once");
	ok(!libduct_channel_fdopen(libduct_event_fd(ev)) && errno == EINVAL,
	   "an event is no channel");
}

static void test_messages(void)
{
	struct libduct_message msg = { .size = sizeof(msg) };
	struct libduct_info info = { .size = sizeof(info) };
	struct iovec iov[] = { { "one ", 4 }, { "message", 7 } };
	char got[16];

	ok(libduct_channel_wait(ch, POLLOUT, WAIT_MS) == POLLOUT, "the server is there");
	ok(libduct_channel_is_open(ch) == 1, "and the channel is open");
	ok(!libduct_channel_info(ch, &info) && info.max_msg == MAX_MSG, "its longest message");
	ok(libduct_channel_wait(ch, POLLIN, 0) == 0, "there is nothing to receive");
	ok(fails(libduct_channel_recv(ch, got, sizeof(got), LIBDUCT_NOWAIT), EAGAIN),
	   "not to wait for it");
	ok(libduct_channel_sendv(ch, iov, 2, LIBDUCT_NOWAIT) == 11, "pieces are sent");
	ok(readable(libduct_channel_fd(ch)), "and come back");
	ok(fails(libduct_channel_recv(ch, got, 10, 0), EMSGSIZE), "no room: the message stays");
	ok(fails(libduct_channel_next(ch, &msg, got, 10, 0), EMSGSIZE) && msg.len == 11,
	   "and says how long it is");
	ok(libduct_channel_recv(ch, got, sizeof(got), 0) == 11 && !memcmp(got, "one message", 11),
	   "with room it is received");
	ok(libduct_channel_send(ch, "", 0, 0) == 0, "an empty message");
	ok(!libduct_channel_next(ch, &msg, got, 10, 0) && !msg.len && !msg.flags,
	   "is not the end");
	ok(libduct_channel_send(ch, "cut here", 8, 0) == 8 &&
	   !libduct_channel_next(ch, &msg, got, 3, LIBDUCT_CUT) && msg.len == 8 &&
	   msg.flags == LIBDUCT_WAS_CUT && !memcmp(got, "cut", 3), "a message is cut");
	ok(fails(libduct_channel_send(ch, buf, MAX_MSG + 1, 0), EMSGSIZE), "too long to send");
}

/* With few system calls; they come back one by one. */
static void test_many(void)
{
	static char text[MANY][4], came[MANY][4];
	struct iovec iov[MANY];
	ssize_t n, got = 0;
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(text[i], sizeof(text[i]), "%u", i);
		iov[i] = (struct iovec){ text[i], strlen(text[i]) };
	}
	ok(libduct_channel_send_many(ch, iov, MANY, 0) == MANY, "%u messages are sent", MANY);
	for (i = 0; i < MANY; i++)
		iov[i] = (struct iovec){ came[i], sizeof(came[i]) };
	do {
		n = libduct_channel_recv_many(ch, iov + got, (size_t)(MANY - got), 0);
		got += n;
	} while (n > 0 && got < MANY);
	for (i = 0; i < got; i++)
		if (iov[i].iov_len != strlen(text[i]) || memcmp(text[i], came[i], iov[i].iov_len))
			break;
	ok(i == MANY, "and come back");
	ok(fails(libduct_channel_recv_many(ch, iov, MANY, LIBDUCT_NOWAIT), EAGAIN), "no more");
}

/* There and back at once: more than both rings hold. */
static void test_stream(void)
{
	size_t i, sent = 0;
	int status;
	pid_t child;

	for (i = 0; i < STREAM; i++)
		buf[i] = (char)(i * 7 + i / 251);
	/* The child has the channel, too. */
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(libduct_channel_send_all(stream, buf, STREAM, &sent) || sent != STREAM);
	ok(child > 0 && !libduct_channel_recv_all(stream, back, STREAM, NULL),
	   "a child sends %u bytes, which come back", STREAM);
	ok(waitpid(child, &status, 0) == child && !status, "the child is content");
	ok(!memcmp(buf, back, STREAM), "they are the same");
	ok(fails(libduct_channel_recv(stream, back, 1, LIBDUCT_NOWAIT), EAGAIN), "no more");
}

static void test_calls(void)
{
	struct libduct_ended ended = { .size = sizeof(ended) };
	char rsp[16], *big = buf;
	bool all = true;
	uint64_t i;

	ok(libduct_call(ch, "echo", 4, rsp, sizeof(rsp), WAIT_MS) == 4 && !memcmp(rsp, "echo", 4),
	   "a call is answered");
	ok(fails(libduct_call(ch, "refuse", 6, rsp, sizeof(rsp), WAIT_MS), EREMOTEIO),
	   "a call is refused");
	ok(fails(libduct_call(ch, "hold", 4, rsp, sizeof(rsp), 100), ETIMEDOUT),
	   "a call is not answered in time");
	ok(fails(libduct_call(ch, "echo", 4, rsp, 3, WAIT_MS), EMSGSIZE),
	   "an answer that is too long");
	memset(big, 'x', MAX_MSG);
	ok(libduct_call(ch, big, MAX_MSG, back, MAX_MSG, WAIT_MS) == MAX_MSG &&
	   !memcmp(big, back, MAX_MSG), "the longest call, and answer");
	ok(fails(libduct_call_end(ch, &ended, rsp, sizeof(rsp), 0), ENOENT), "none in flight");
	for (i = 0; i < 4; i++)
		all &= !libduct_call_start(ch, 100 + i, i ? "echo" : "hold", 4, sizeof(rsp), 0, 0);
	ok(all, "four are started");
	ok(fails(libduct_call_start(ch, 100, "x", 1, 1, 0, 0), EEXIST), "a cookie is used once");
	for (i = 1; i < 4; i++)
		all &= libduct_channel_wait(ch, POLLPRI, WAIT_MS) == POLLPRI &&
		       !libduct_call_end(ch, &ended, rsp, sizeof(rsp), LIBDUCT_NOWAIT) &&
		       ended.cookie == 100 + i && !ended.error && ended.len == 4;
	ok(all, "three end, in order");
	ok(fails(libduct_call_end(ch, &ended, rsp, sizeof(rsp), LIBDUCT_NOWAIT), EAGAIN),
	   "one does not");
	ok(!libduct_call_cancel(ch, 100) && !libduct_call_end(ch, &ended, rsp, sizeof(rsp), 0) &&
	   ended.cookie == 100 && ended.error == ECANCELED, "it is cancelled");
	ok(fails(libduct_call_cancel(ch, 100), ENOENT), "once");
	ok(fails(libduct_reply(ch, 1, "", 0), ENOENT) || errno == EMSGSIZE,
	   "nothing to be answered here");
}

/* Whether a child, which has to map for itself, finds the word there. */
static bool in_child(uint64_t off, uint32_t word)
{
	const char *map;
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child) {
		map = libduct_region_map(rg, 0, 0, PROT_READ);
		_exit(!map || memcmp(map + off, &word, sizeof(word)));
	}
	return child > 0 && waitpid(child, &status, 0) == child && !status;
}

static void test_region(void)
{
	struct libduct_info info = { .size = sizeof(info) };
	struct libduct_news news = { 0 };
	uint32_t word = 0x12345678, answer = 0;
	char *map;

	ok(readable(libduct_region_fd(rg)) && libduct_region_news(rg, &news, 1, 0) == 1 &&
	   news.type == LIBDUCT_NEWS_UP, "the region comes up");
	ok(!libduct_region_info(rg, &info) && info.bytes == REGION && info.self,
	   "its size, and our peer id");
	ok(fails(libduct_region_news(rg, &news, 1, LIBDUCT_NOWAIT), EAGAIN), "no more news");
	map = libduct_region_map(rg, 0, 0, PROT_READ | PROT_WRITE);
	ok(map, "it is mapped");
	if (!map)
		return;
	ok(!libduct_region_watch(rg, ANSWER_OFF, 0), "an offset is watched");
	ok(fails(libduct_region_watch(rg, ANSWER_OFF, 0), EEXIST), "once");
	memcpy(map + WORD_OFF, &word, sizeof(word));
	ok(!libduct_region_trigger(rg, WORD_OFF), "a word is written, and triggered");
	ok(readable(libduct_region_fd(rg)) && libduct_region_news(rg, &news, 1, 0) == 1 &&
	   news.type == LIBDUCT_NEWS_TRIGGERED && news.off == ANSWER_OFF && news.total == 1,
	   "the owner triggers");
	memcpy(&answer, map + ANSWER_OFF, sizeof(answer));
	ok(answer == ~word, "what it has written is there");
	ok(in_child(ANSWER_OFF, ~word), "a child maps it, too");
	ok(!libduct_region_unwatch(rg, ANSWER_OFF), "not watched any more");
	ok(fails(libduct_region_offer(rg, NULL, 1, 0), EINVAL), "only the owner offers");
	ok(!libduct_region_unmap(map, REGION), "unmapped");
}

static void test_event(void)
{
	struct libduct_info info = { .size = sizeof(info) };
	struct libduct_event *twin = libduct_event_fdopen(dup(libduct_event_fd(ev)));
	uint64_t sum = 0;
	unsigned int i;

	ok(fails(libduct_event_take(ev, &sum, LIBDUCT_NOWAIT), EAGAIN), "no triggers yet");
	ok(twin, "a second handle, of a descriptor");
	for (i = 0; twin && i < TRIGGERS / 4; i++)
		libduct_event_trigger(i & 1 ? ev : twin, 4);
	libduct_event_close(twin);
	ok(fails(libduct_event_trigger(ev, 0), EINVAL), "no times is wrong");
	ok(readable(libduct_event_fd(ev)) && !libduct_event_take(ev, &sum, 0) && sum == 1,
	   "%u triggers are counted at the other end, which says so", TRIGGERS);
	ok(!libduct_event_info(ev, &info) && info.kind == LIBDUCT_EVENT, "it is an event");
	ok(!libduct_event_watch(ev, 2), "tell of two");
}

static int client(void)
{
	puts("KTAP version 1");
	open_all(false);
	test_device();
	test_messages();
	test_many();
	test_stream();
	test_calls();
	test_region();
	test_event();
	close_all();
	printf("1..%u\n", done);
	return failed != 0;
}

/* ---- three domains ---- */

#define LINE		"of three domains"

/* Waits for news of that kind. */
static struct libduct_news await_news(uint32_t type)
{
	struct libduct_news news = { 0 };

	do {
		need(readable(libduct_region_fd(rg)), "no news");
		need(libduct_region_news(rg, &news, 1, 0) == 1, "news");
	} while (news.type != type);
	return news;
}

/* @second may only read, and is the first to lose it. */
static int own(const char *second)
{
	struct libduct_news news;
	char *map;

	rg = libduct_region_create(device, 1, REGION, LIBDUCT_WRITABLE);
	need(rg, "create");
	map = libduct_region_map(rg, 0, 0, PROT_READ | PROT_WRITE);
	need(map, "map");
	strcpy(map, LINE);
	need(!libduct_region_watch(rg, WORD_OFF, 2), "watch");
	need(fails(libduct_region_offer(rg, NULL, 1, 0), EEXIST), "offered twice");
	need(!libduct_region_offer(rg, second, 1, 0), "offer");
	need(fails(libduct_region_offer(rg, second, 2, 0), EEXIST), "offered there twice");
	puts("ready");
	fflush(stdout);
	news = await_news(LIBDUCT_NEWS_TRIGGERED);
	need(news.off == WORD_OFF && news.total == 2, "both have triggered");
	need(!libduct_region_revoke(rg, second), "revoke");
	need(fails(libduct_region_revoke(rg, second), ENOENT), "revoked twice");
	need(!await_news(LIBDUCT_NEWS_DOWN).error, "the second lets go");
	need(!libduct_region_trigger(rg, ANSWER_OFF), "trigger");
	need(!await_news(LIBDUCT_NEWS_DOWN).error, "the first lets go");
	need(!strcmp(map + ANSWER_OFF, LINE), "what the first has written");
	need(!libduct_region_unmap(map, REGION), "unmap");
	libduct_region_close(rg);
	return 0;
}

static int share(void)
{
	bool writes;
	char *map;

	rg = libduct_region_attach(device, 1, 0);
	need(rg, "attach");
	await_news(LIBDUCT_NEWS_UP);
	need(!libduct_region_watch(rg, ANSWER_OFF, 0), "watch");
	map = libduct_region_map(rg, 0, 0, PROT_READ | PROT_WRITE);
	writes = map;
	if (!writes) {
		need(errno == EACCES, "map to write");
		map = libduct_region_map(rg, 0, 0, PROT_READ);
	}
	need(map && !strcmp(map, LINE), "what the owner has written");
	if (writes)
		strcpy(map + ANSWER_OFF, LINE);
	need(!libduct_region_trigger(rg, WORD_OFF), "trigger");
	if (writes)
		await_news(LIBDUCT_NEWS_TRIGGERED);
	else
		need(!await_news(LIBDUCT_NEWS_DOWN).error, "taken back");
	need(!libduct_region_unmap(map, REGION), "unmap");
	libduct_region_close(rg);
	puts(writes ? "wrote" : "read");
	return 0;
}

int main(int argc, char **argv)
{
	device = argc > 2 ? argv[2] : NULL;
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve();
	if (argc == 3 && !strcmp(argv[1], "client"))
		return client();
	if (argc == 4 && !strcmp(argv[1], "own"))
		return own(argv[3]);
	if (argc == 3 && !strcmp(argv[1], "share"))
		return share();
	fprintf(stderr, "usage: libduct_test serve|client|share DEVICE | own DEVICE DEVICE\n");
	return 2;
}
