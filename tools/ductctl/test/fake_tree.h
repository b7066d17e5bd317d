/* SPDX-License-Identifier: GPL-2.0-only */
/* What fake_tree.c (the nodes) and fake_store.c (libxenstore) share. */
#ifndef FAKE_TREE_H
#define FAKE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>

#define MAX_PERMS 4
#define PATH_ROOM 4096	/* of any path that libxenstore sends */

struct node {
	char *path;
	char *value;
	unsigned int len;
	struct xs_permissions perms[MAX_PERMS];
	unsigned int num_perms;
};

struct tree {
	struct node *nodes;
	size_t count;
};

struct fake {
	struct tree main;
	struct tree txn;		/* the copy that a transaction works on */
	unsigned int caller;
	unsigned int version;		/* counts changes of main */
	unsigned int again;		/* commits that will fail */
	void (*disturb)(void);
	bool relative_works;
	unsigned int running[64];
	unsigned int running_count;
};
extern struct fake fake;

struct node *tree_find(struct tree *t, const char *path);
/*
 * May a node have this absolute path? As xenstored: only A-Z a-z 0-9 - / _ @, no
 * empty part, not too long.
 */
bool tree_good_path(const char *path);

/* New nodes have the permissions of their parent, as in xenstored. */
struct node *tree_make(struct tree *t, const char *path);
void tree_set(struct node *node, const void *value, unsigned int len);
/* Removes a node and all below; false if there was none. */
bool tree_cut(struct tree *t, const char *path);
void tree_clear(struct tree *t);
void tree_copy(struct tree *to, const struct tree *from);
bool tree_is_below(const char *path, const char *top);
/* Of main: counts and fires. */
void tree_changed(const char *path);

#endif /* FAKE_TREE_H */
