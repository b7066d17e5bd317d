// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>

#include "fake.h"
#include "fake_tree.h"

#define MAX_WATCHES	64u
#define MAX_EVENTS	4096u
#define MAX_LATER	16u

static char *watches[MAX_WATCHES];
static char *events[MAX_EVENTS];
static unsigned int first_event, last_event;
static void (*later[MAX_LATER])(void);
static unsigned int first_later, last_later;
static int pipe_fd[2] = { -1, -1 };
static bool flood, flooded;
static bool ready;	/* a byte is in the pipe */

void fake_watch_reset(void)
{
	unsigned int i;

	for (i = 0; i < MAX_WATCHES; i++) {
		free(watches[i]);
		watches[i] = NULL;
	}
	while (first_event < last_event)
		free(events[first_event++]);
	first_event = 0;
	last_event = 0;
	first_later = 0;
	last_later = 0;
	if (pipe_fd[0] >= 0) {
		close(pipe_fd[0]);
		close(pipe_fd[1]);
	}
	ready = false;
	flood = false;
	if (pipe(pipe_fd))
		abort();
}

void fake_later(void (*step)(void))
{
	later[last_later++ % MAX_LATER] = step;
}

void fake_flood(bool on)
{
	flood = on;
	flooded = false;
}

void fake_fire(const char *path)
{
	unsigned int i;

	for (i = 0; i < MAX_WATCHES; i++)
		if (watches[i] && (xs_path_is_subpath(watches[i], path)) &&
		    last_event < MAX_EVENTS)
			events[last_event++] = strdup(path);
}

bool xs_path_is_subpath(const char *parent, const char *child)
{
	size_t len = strlen(parent);

	return !strncmp(parent, child, len) && (!child[len] || child[len] == '/');
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	unsigned int i, spare = MAX_WATCHES;

	(void)h;
	(void)token;
	if (fake_failing())
		return false;
	/* "@introduceDomain" and the like are no nodes. */
	if (path[0] != '@' && !tree_good_path(path)) {
		errno = EINVAL;
		return false;
	}
	for (i = 0; i < MAX_WATCHES; i++) {
		if (!watches[i] && spare == MAX_WATCHES)
			spare = i;
		if (watches[i] && !strcmp(watches[i], path)) {
			errno = EEXIST;
			return false;
		}
	}
	watches[spare] = strdup(path);
	/* A new watch fires once. */
	events[last_event++] = strdup(path);
	return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	unsigned int i;

	(void)h;
	(void)token;
	for (i = 0; i < MAX_WATCHES; i++) {
		if (watches[i] && !strcmp(watches[i], path)) {
			free(watches[i]);
			watches[i] = NULL;
			return true;
		}
	}
	errno = ENOENT;
	return false;
}

char **xs_check_watch(struct xs_handle *h)
{
	char **event, byte;

	(void)h;
	if (fake_failing())
		return NULL;
	/* one event, then a gap, for ever */
	if (flood && first_event == last_event) {
		flooded = !flooded;
		if (flooded)
			events[last_event++] = strdup("/flood");
	}
	if (first_event == last_event) {
		if (ready && read(pipe_fd[0], &byte, 1) != 1)
			abort();
		ready = false;
		errno = EAGAIN;
		return NULL;
	}
	event = malloc(2 * sizeof(char *) + strlen(events[first_event]) + 1);
	event[0] = strcpy((char *)(event + 2), events[first_event]);
	event[1] = event[0];
	free(events[first_event++]);
	if (first_event == last_event) {
		first_event = 0;
		last_event = 0;
	}
	return event;
}

/* The program is about to sleep: let the others go on until it wakes up. */
int xs_fileno(struct xs_handle *h)
{
	char byte = 0;
	unsigned int before = last_event;

	(void)h;
	fake_counts.slept++;
	while (first_later < last_later && last_event == before)
		later[first_later++ % MAX_LATER]();
	if (last_event > before && !ready) {
		ready = write(pipe_fd[1], &byte, 1) == 1;
		if (!ready)
			abort();
	}
	return pipe_fd[0];
}
