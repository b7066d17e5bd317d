// SPDX-License-Identifier: GPL-2.0-only
/* The functions of libxenstore that ductctl calls, but for the watches. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "fake_tree.h"

struct xs_handle {
	int unused;
};

static struct xs_handle handle;
const char *fake_socket = "/nowhere";
static unsigned int txn_version;
static unsigned int fail_at;
static int fail_error;

void fake_fail_at(unsigned int k, int error)
{
	fail_at = k;
	fail_error = error;
}

bool fake_failing(void)
{
	if (!fail_at || --fail_at)
		return false;
	errno = fail_error;
	return true;
}

static struct tree *tree_of(xs_transaction_t t)
{
	return t == XBT_NULL ? &fake.main : &fake.txn;
}

static bool good_path(const char *path)
{
	if (tree_good_path(path))
		return true;
	errno = EINVAL;
	return false;
}

static bool allowed(const struct node *node, unsigned int want)
{
	unsigned int i;

	if (!fake.caller || node->perms[0].id == fake.caller)
		return true;
	for (i = 1; i < node->num_perms; i++)
		if (node->perms[i].id == fake.caller)
			return node->perms[i].perms & want;
	return node->perms[0].perms & want;
}

const char *xs_daemon_socket(void)
{
	return fake_socket;
}

struct xs_handle *xs_open(unsigned long flags)
{
	(void)flags;
	if (fake_failing())
		return NULL;
	fake_counts.open++;
	return &handle;
}

void xs_close(struct xs_handle *h)
{
	(void)h;
	fake_counts.open--;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	(void)h;
	if (fake_failing())
		return XBT_NULL;
	fake_counts.started++;
	fake_counts.open++;
	tree_copy(&fake.txn, &fake.main);
	txn_version = fake.version;
	return 1;
}

/* Every node that differs fires its watches: removed, new, or new value. */
static void fire_differences(struct tree *before)
{
	struct node *other;
	size_t i;

	for (i = 0; i < fake.main.count; i++) {
		other = tree_find(before, fake.main.nodes[i].path);
		if (!other || other->len != fake.main.nodes[i].len ||
		    memcmp(other->value, fake.main.nodes[i].value, other->len))
			tree_changed(fake.main.nodes[i].path);
	}
	for (i = 0; i < before->count; i++)
		if (!tree_find(&fake.main, before->nodes[i].path))
			tree_changed(before->nodes[i].path);
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort_it)
{
	struct tree before = fake.main;

	(void)h;
	(void)t;
	fake_counts.open--;
	if (abort_it)
		return true;
	if (fake_failing())
		return false;
	if (fake.again) {
		fake.again--;
		if (fake.disturb)
			fake.disturb();
		errno = EAGAIN;
		return false;
	}
	if (txn_version != fake.version) {
		errno = EAGAIN;
		return false;
	}
	fake.main = fake.txn;
	memset(&fake.txn, 0, sizeof(fake.txn));
	fake_counts.committed++;
	fire_differences(&before);
	tree_clear(&before);
	return true;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
	char absolute[PATH_ROOM];
	struct node *node;
	char *value;

	(void)h;
	if (fake_failing())
		return NULL;
	if (path[0] != '/') {
		snprintf(absolute, sizeof(absolute), "/local/domain/%u/%s", fake.caller, path);
		path = fake.relative_works ? absolute : "/nowhere";
	}
	if (!good_path(path))
		return NULL;
	node = tree_find(tree_of(t), path);
	if (!node || !allowed(node, XS_PERM_READ)) {
		errno = node ? EACCES : ENOENT;
		return NULL;
	}
	value = malloc(node->len + 1);
	memcpy(value, node->value, node->len + 1);
	*len = node->len;
	return value;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
		    unsigned int *num)
{
	struct tree *tree = tree_of(t);
	struct node *node = tree_find(tree, path);
	size_t i, size = 0, len = strlen(path);
	char **names, *text;

	(void)h;
	if (fake_failing() || !good_path(path))
		return NULL;
	if (!node || !allowed(node, XS_PERM_READ)) {
		errno = node ? EACCES : ENOENT;
		return NULL;
	}
	for (i = 0; i < tree->count; i++)
		size += sizeof(char *) + strlen(tree->nodes[i].path) + 1;
	names = malloc(size);
	text = (char *)(names + tree->count);
	*num = 0;
	for (i = 0; i < tree->count; i++) {
		const char *name = tree->nodes[i].path + len + 1;

		if (!tree_is_below(tree->nodes[i].path, path) || !tree->nodes[i].path[len] ||
		    strchr(name, '/'))
			continue;
		names[(*num)++] = strcpy(text, name);
		text += strlen(name) + 1;
	}
	return names;
}

/* The node that a change is allowed on, counted; NULL with errno otherwise. */
static bool may_change(xs_transaction_t t, const char *path)
{
	struct node *node = tree_find(tree_of(t), path);
	char parent[PATH_ROOM];

	if (fake_failing() || !good_path(path))
		return false;
	if (t == XBT_NULL)
		fake_counts.bare++;
	strcpy(parent, path);
	while (!node && strrchr(parent, '/') != parent) {
		*strrchr(parent, '/') = '\0';
		node = tree_find(tree_of(t), parent);
	}
	if (node ? allowed(node, XS_PERM_WRITE) : !fake.caller)
		return true;
	errno = EACCES;
	return false;
}

/* A new node inherits; it belongs to the maker, unless that is privileged. */
static struct node *make_own(xs_transaction_t t, const char *path)
{
	bool new = !tree_find(tree_of(t), path);
	struct node *node = tree_make(tree_of(t), path);

	if (new && fake.caller)
		node->perms[0].id = fake.caller;
	return node;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
	      const void *data, unsigned int len)
{
	(void)h;
	if (!may_change(t, path))
		return false;
	tree_set(make_own(t, path), data, len);
	if (t == XBT_NULL)
		tree_changed(path);
	return true;
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	(void)h;
	if (!may_change(t, path))
		return false;
	make_own(t, path);
	if (t == XBT_NULL)
		tree_changed(path);
	return true;
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	(void)h;
	if (!may_change(t, path))
		return false;
	if (!tree_cut(tree_of(t), path)) {
		errno = ENOENT;
		return false;
	}
	if (t == XBT_NULL)
		tree_changed(path);
	return true;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
			struct xs_permissions *perms, unsigned int num)
{
	struct node *node = tree_find(tree_of(t), path);

	(void)h;
	if (!may_change(t, path))
		return false;
	if (!node || num > MAX_PERMS) {
		errno = node ? EINVAL : ENOENT;
		return false;
	}
	memcpy(node->perms, perms, num * sizeof(*perms));
	node->num_perms = num;
	return true;
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid)
{
	unsigned int i;

	(void)h;
	if (fake_failing())
		return false;
	for (i = 0; i < fake.running_count; i++)
		if (fake.running[i] == domid)
			return true;
	return false;
}
