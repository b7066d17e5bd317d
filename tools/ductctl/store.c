// SPDX-License-Identifier: GPL-2.0-only
/* Opening and reading xenstore. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xenstore_lib.h>

#include "ductctl.h"
#include "store_path.h"
#include "text.h"

/* How deep and wide store_tree goes: <n>/<end>/<key> of a service and spare. */
#define TREE_DEPTH	5u
#define TREE_WIDTH	256u

/*
 * A xenstored that was killed leaves a socket that refuses. libxenstore turns from that to the
 * kernel's device, where what it asks would be waited for for ever. A guest has no socket.
 */
static bool store_is_dead(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = xs_daemon_socket();
	bool dead;
	int fd;

	if (strlen(path) >= sizeof(to.sun_path))
		return false;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	dead = connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno == ECONNREFUSED;
	close(fd);
	return dead;
}

int store_open(struct store *s, bool dry_run)
{
	memset(s, 0, sizeof(*s));
	s->dry_run = dry_run;
	s->t = XBT_NULL;
	if (store_is_dead())
		errno = ECONNREFUSED;
	else
		s->xsh = xs_open(0);
	if (!s->xsh)
		return fail("cannot reach xenstore: %s (needs root, in a Xen domain)",
			    strerror(errno));
	return EXIT_OK;
}

void store_close(struct store *s)
{
	if (s->xsh)
		xs_close(s->xsh);
	s->xsh = NULL;
	json_object_put(s->changes);
	s->changes = NULL;
}

const char *store_words(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return "xenstore denies permission (only the toolstack's domain, dom0, may do this)";
	case ENOSPC:
		return "a xenstore quota is used up (nodes of the domain that would own it, or transactions)";
	case E2BIG:
		return "larger than a xenstore quota allows";
	case EBUSY:
		return "too many xenstore transactions are open";
	case ENOENT:
		return "no such xenstore node";
	default:
		return strerror(error);
	}
}

bool store_path(char *path, const char *fmt, va_list args)
{
	int len = vsnprintf(path, STORE_PATH, fmt, args);

	if (len >= 0 && (unsigned int)len < STORE_PATH)
		return true;
	errno = ENAMETOOLONG;
	return false;
}

static __printf(3, 0)
char *read_node(struct store *s, size_t *len, const char *fmt, va_list args)
{
	char path[STORE_PATH];
	unsigned int got = 0;
	char *value = NULL;

	if (store_path(path, fmt, args))
		value = xs_read(s->xsh, s->t, path, &got);
	s->error = value ? 0 : errno;
	*len = got;
	return value;
}

char *store_read_raw(struct store *s, size_t *len, const char *fmt, ...)
{
	va_list args;
	char *value;

	va_start(args, fmt);
	value = read_node(s, len, fmt, args);
	va_end(args);
	return value;
}

char *store_read(struct store *s, const char *fmt, ...)
{
	char *value, *clean = NULL;
	va_list args;
	size_t len;

	va_start(args, fmt);
	value = read_node(s, &len, fmt, args);
	va_end(args);
	if (value)
		clean = text_clean(value, len);
	free(value);
	return clean;
}

bool store_number(struct store *s, unsigned long *value, const char *fmt, ...)
{
	bool good = false;
	va_list args;
	size_t len;
	char *text;

	va_start(args, fmt);
	text = read_node(s, &len, fmt, args);
	va_end(args);
	if (text)
		good = strlen(text) == len && text_number(text, ~0ul, value);
	free(text);
	return good;
}

int store_present(struct store *s, bool *present, const char *fmt, ...)
{
	char path[STORE_PATH];
	bool good;
	va_list args;
	size_t len;

	va_start(args, fmt);
	good = store_path(path, fmt, args);
	va_end(args);
	if (!good)
		return fail("xenstore path too long");
	free(store_read_raw(s, &len, "%s", path));
	*present = !s->error;
	if (*present || s->error == ENOENT)
		return EXIT_OK;
	return fail("cannot read %s: %s", path, store_words(s->error));
}

char **store_list(struct store *s, unsigned int *count, const char *fmt, ...)
{
	char path[STORE_PATH];
	char **names = NULL;
	va_list args;

	*count = 0;
	va_start(args, fmt);
	if (store_path(path, fmt, args))
		names = xs_directory(s->xsh, s->t, path, count);
	va_end(args);
	s->error = names ? 0 : errno;
	if (!names)
		*count = 0;
	return names;
}

static struct json_object *read_tree(struct store *s, const char *path, unsigned int depth)
{
	struct json_object *tree = NULL;
	unsigned int i, count;
	char **names;
	char *value;

	names = depth ? store_list(s, &count, "%s", path) : NULL;
	if (!names || !count) {
		free(names);
		value = store_read(s, "%s", path);
		if (value)
			tree = json_object_new_string(value);
		free(value);
		return tree;
	}
	tree = json_object_new_object();
	for (i = 0; i < count && i < TREE_WIDTH; i++) {
		char *child = text_format("%s/%s", path, names[i]);
		char *name = text_clean(names[i], strlen(names[i]));

		json_object_object_add(tree, name, read_tree(s, child, depth - 1));
		free(name);
		free(child);
	}
	free(names);
	return tree;
}

struct json_object *store_tree(struct store *s, const char *fmt, ...)
{
	char path[STORE_PATH];
	va_list args;
	bool good;

	va_start(args, fmt);
	good = store_path(path, fmt, args);
	va_end(args);
	return good ? read_tree(s, path, TREE_DEPTH) : NULL;
}
