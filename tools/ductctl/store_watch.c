// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for xenstore to change. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ductctl.h"
#include "store_path.h"

int64_t store_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Nobody here asks which watch fired, so the path is token enough. */
int store_watch(struct store *s, const char *fmt, ...)
{
	char path[STORE_PATH];
	va_list args;
	bool good;

	va_start(args, fmt);
	good = store_path(path, fmt, args);
	va_end(args);
	if (good && (xs_watch(s->xsh, path, path) || errno == EEXIST))
		return EXIT_OK;
	return fail("cannot watch %s: %s", path, store_words(errno));
}

void store_unwatch(struct store *s, const char *fmt, ...)
{
	char path[STORE_PATH];
	va_list args;
	bool good;

	va_start(args, fmt);
	good = store_path(path, fmt, args);
	va_end(args);
	if (good)
		xs_unwatch(s->xsh, path, path);
}

/* True if any event was there; errno is EAGAIN if the connection is well. */
static bool drain(struct store *s)
{
	bool any = false;
	char **event;

	while ((event = xs_check_watch(s->xsh))) {
		free(event);
		any = true;
	}
	return any;
}

/* Milliseconds for ppoll from now to the deadline. */
static struct timespec *time_left(int64_t deadline, struct timespec *ts)
{
	int64_t left = deadline - store_now();

	if (deadline < 0)
		return NULL;
	if (left < 0)
		left = 0;
	ts->tv_sec = left / 1000;
	ts->tv_nsec = left % 1000 * 1000000;
	return ts;
}

enum store_event store_wait(struct store *s, int64_t deadline)
{
	struct timespec left;
	struct pollfd pfd;

	for (;;) {
		if (drain(s))
			return STORE_CHANGED;
		if (errno != EAGAIN) {
			fail("lost the connection to xenstore: %s", strerror(errno));
			return STORE_BROKEN;
		}
		if (deadline >= 0 && store_now() >= deadline)
			return STORE_TIMEOUT;
		pfd.fd = xs_fileno(s->xsh);
		pfd.events = POLLIN;
		if (ppoll(&pfd, 1, time_left(deadline, &left), s->mask) < 0) {
			if (errno == EINTR)
				return STORE_INTERRUPTED;
			fail("cannot wait for xenstore: %s", strerror(errno));
			return STORE_BROKEN;
		}
	}
}
