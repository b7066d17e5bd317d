// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing xenstore: everything happens in a transaction, and --dry-run notes instead of
 * doing. A directory gets its permissions where it is made; what is made below inherits
 * them, as xenstored promises and libxl relies on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ductctl.h"
#include "store_path.h"

int store_transact(struct store *s, int (*body)(struct store *s, void *arg), void *arg)
{
	unsigned int tries;
	int ret;

	for (tries = 0; tries < STORE_RETRIES; tries++) {
		s->t = xs_transaction_start(s->xsh);
		if (s->t == XBT_NULL) {
			ret = fail("cannot start a transaction: %s", store_words(errno));
			goto out;
		}
		ret = body(s, arg);
		if (ret != EXIT_OK || s->dry_run) {
			xs_transaction_end(s->xsh, s->t, true);
			goto out;
		}
		if (xs_transaction_end(s->xsh, s->t, false))
			goto out;
		if (errno != EAGAIN) {
			ret = fail("cannot commit the transaction: %s", store_words(errno));
			goto out;
		}
	}
	ret = fail("cannot commit the transaction: disturbed by others %u times", tries);
out:
	s->t = XBT_NULL;
	return ret;
}

/* "n5 r0", as xenstore-ls -p shows it */
static void perm_text(char *text, size_t size, const struct store_perm *perm)
{
	if (perm->reader == STORE_NOBODY)
		snprintf(text, size, "n%u", perm->owner);
	else
		snprintf(text, size, "n%u r%d", perm->owner, perm->reader);
}

static void note(struct store *s, const char *change, const char *path,
		 const char *value, const struct store_perm *perm)
{
	struct json_object *entry = json_object_new_object();
	char text[32];

	json_object_object_add(entry, "change", json_object_new_string(change));
	json_object_object_add(entry, "path", json_object_new_string(path));
	if (value)
		json_object_object_add(entry, "value", json_object_new_string(value));
	if (perm) {
		perm_text(text, sizeof(text), perm);
		json_object_object_add(entry, "permissions", json_object_new_string(text));
	}
	if (!s->changes)
		s->changes = json_object_new_array();
	json_object_array_add(s->changes, entry);
}

static bool set_perm(struct store *s, const char *path, const struct store_perm *perm)
{
	struct xs_permissions list[2] = {
		{ .id = perm->owner, .perms = XS_PERM_NONE },
		{ .id = (unsigned int)perm->reader, .perms = XS_PERM_READ },
	};
	unsigned int count = perm->reader == STORE_NOBODY ? 1 : 2;

	return xs_set_permissions(s->xsh, s->t, path, list, count);
}

int store_write(struct store *s, const struct store_perm *perm, const char *value,
		const char *fmt, ...)
{
	char path[STORE_PATH];
	va_list args;
	bool good;

	va_start(args, fmt);
	good = store_path(path, fmt, args);
	va_end(args);
	if (!good)
		return fail("xenstore path too long");
	if (s->dry_run) {
		note(s, "write", path, value, perm);
		return EXIT_OK;
	}
	if (xs_write(s->xsh, s->t, path, value, (unsigned int)strlen(value)))
		return EXIT_OK;
	return fail("cannot write %s: %s", path, store_words(errno));
}

int store_mkdir(struct store *s, const struct store_perm *perm, const char *fmt, ...)
{
	char path[STORE_PATH];
	bool good, present;
	va_list args;

	va_start(args, fmt);
	good = store_path(path, fmt, args);
	va_end(args);
	if (!good)
		return fail("xenstore path too long");
	if (store_present(s, &present, "%s", path))
		return EXIT_FAILED;
	if (present)
		return EXIT_OK;
	if (s->dry_run) {
		note(s, "mkdir", path, NULL, perm);
		return EXIT_OK;
	}
	if (xs_mkdir(s->xsh, s->t, path) && set_perm(s, path, perm))
		return EXIT_OK;
	return fail("cannot make %s: %s", path, store_words(errno));
}

int store_mkdir_below(struct store *s, const struct store_perm *perm, const char *fmt, ...)
{
	char path[STORE_PATH];
	va_list args;
	bool good;

	va_start(args, fmt);
	good = store_path(path, fmt, args);
	va_end(args);
	if (!good)
		return fail("xenstore path too long");
	if (s->dry_run)
		note(s, "mkdir", path, NULL, perm);
	else if (!xs_mkdir(s->xsh, s->t, path))
		return fail("cannot make %s: %s", path, store_words(errno));
	return EXIT_OK;
}

static int remove_node(struct store *s, const char *path)
{
	if (s->dry_run)
		note(s, "remove", path, NULL, NULL);
	else if (!xs_rm(s->xsh, s->t, path) && errno != ENOENT)
		return fail("cannot remove %s: %s", path, store_words(errno));
	return EXIT_OK;
}

/* Removes a directory if nothing, or only the @ghost that a dry run left, is in it. */
static int remove_if_empty(struct store *s, const char *path, unsigned int *ghost)
{
	unsigned int count;
	char **names;

	names = store_list(s, &count, "%s", path);
	free(names);
	if (!names && s->error == ENOENT)
		return EXIT_OK;
	if (!names)
		return fail("cannot list %s: %s", path, store_words(s->error));
	if (count > *ghost)
		return EXIT_OK;
	*ghost = s->dry_run ? 1 : 0;
	return remove_node(s, path);
}

int store_remove(struct store *s, unsigned int parents, const char *fmt, ...)
{
	unsigned int ghost = 0;
	char path[STORE_PATH];
	bool good, present;
	va_list args;
	int ret = EXIT_OK;

	va_start(args, fmt);
	good = store_path(path, fmt, args);
	va_end(args);
	if (!good)
		return fail("xenstore path too long");
	if (store_present(s, &present, "%s", path))
		return EXIT_FAILED;
	if (present) {
		ghost = s->dry_run ? 1 : 0;
		ret = remove_node(s, path);
	}
	/* Also above what its owner has removed already. */
	for (; !ret && parents; parents--) {
		*strrchr(path, '/') = '\0';
		ret = remove_if_empty(s, path, &ghost);
	}
	return ret;
}
