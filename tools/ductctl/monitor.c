// SPDX-License-Identifier: GPL-2.0-only
/*
 * ductctl monitor: a line for each change. After any event everything is read
 * again and compared, so that no order of events can confuse it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "link.h"
#include "output.h"

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

/* ^C ends the wait cleanly; it is blocked but while store_wait sleeps. */
static void catch_signals(sigset_t *before)
{
	struct sigaction action = { .sa_handler = stop };
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, before);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void print_event(struct ductctl *d, const char *event, struct json_object *tree)
{
	json_object_object_add(tree, "event", json_object_new_string(event));
	if (d->opt.json)
		puts(json_object_to_json_string_ext(tree, JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		printf("%s: link %s frontend %s (%s) %s backend %s (%s) %s uuid %s\n", event,
		       output_field(tree, "handle", NULL),
		       output_field(tree, "frontend", "domid"),
		       output_field(tree, "frontend", "name"),
		       output_field(tree, "frontend", "state"),
		       output_field(tree, "backend", "domid"),
		       output_field(tree, "backend", "name"),
		       output_field(tree, "backend", "state"),
		       output_field(tree, "uuid", NULL));
	fflush(stdout);
}

/* What was last seen of a link; the tree outlives its nodes. */
struct seen {
	struct link link;
	struct json_object *tree;
};

struct monitor {
	struct ductctl *d;
	unsigned int back;
	struct seen *seen;
	size_t count;
	unsigned int printed;
};

static bool is_done(const struct monitor *m)
{
	return stopped || (m->d->opt.count && m->printed >= m->d->opt.count);
}

static void tell(struct monitor *m, const char *event, struct json_object *tree)
{
	if (is_done(m))
		return;
	print_event(m->d, event, tree);
	m->printed++;
}

static struct seen *find_seen(struct monitor *m, const struct link *l)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		if (!strcmp(m->seen[i].link.back.dir, l->back.dir))
			return &m->seen[i];
	return NULL;
}

/* The backend's watch is one for all; each frontend's state has its own. */
static int watch_front(struct monitor *m, const struct link *l)
{
	return store_watch(&m->d->store, "%s/state", l->front.dir);
}

static void tell_gone(struct monitor *m, const struct link *links, size_t count)
{
	size_t i, j;

	for (i = 0; i < m->count; i++) {
		for (j = 0; j < count; j++)
			if (!strcmp(links[j].back.dir, m->seen[i].link.back.dir))
				break;
		if (j < count)
			continue;
		tell(m, "disappeared", m->seen[i].tree);
		store_unwatch(&m->d->store, "%s/state", m->seen[i].link.front.dir);
	}
}

/* Looks at everything and tells the difference, or is silent the first time. */
static int look(struct monitor *m, bool silent)
{
	struct store *s = &m->d->store;
	struct seen *now, *old;
	struct link *links;
	size_t i, count;

	if (link_scan(s, &m->back, &links, &count))
		return EXIT_FAILED;
	tell_gone(m, links, count);
	now = calloc(count + 1, sizeof(*now));
	if (!now)
		exit(fail("out of memory"));
	for (i = 0; i < count; i++) {
		old = find_seen(m, &links[i]);
		if (!old && watch_front(m, &links[i])) {
			free(now);
			free(links);
			return EXIT_FAILED;
		}
		now[i].link = links[i];
		now[i].tree = link_tree(s, &links[i]);
		if (silent)
			continue;
		if (!old)
			tell(m, "appeared", now[i].tree);
		else if (old->link.front.state != links[i].front.state ||
			 old->link.back.state != links[i].back.state)
			tell(m, "state", now[i].tree);
	}
	for (i = 0; i < m->count; i++)
		json_object_put(m->seen[i].tree);
	free(m->seen);
	free(links);
	m->seen = now;
	m->count = count;
	return EXIT_OK;
}

int cmd_monitor(struct ductctl *d)
{
	struct monitor m = { .d = d };
	enum store_event event;
	sigset_t before;
	size_t i;
	int ret;

	ret = link_backend(d, &m.back);
	if (ret)
		return ret;
	/* Before the first watch: it starts libxenstore's thread, which inherits. */
	stopped = 0;
	catch_signals(&before);
	d->store.mask = &before;
	ret = store_watch(&d->store, "/local/domain/%u/backend/duct", m.back);
	if (!ret)
		ret = look(&m, true);
	while (!ret && !is_done(&m)) {
		event = store_wait(&d->store, -1);
		if (event == STORE_BROKEN)
			ret = EXIT_FAILED;
		else if (event == STORE_CHANGED)
			ret = look(&m, false);
	}
	for (i = 0; i < m.count; i++)
		json_object_put(m.seen[i].tree);
	free(m.seen);
	d->store.mask = NULL;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}
