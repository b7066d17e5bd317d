/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xenstore in memory, linked instead of libxenstore: permissions, isolated
 * transactions, watches, and whatever may go wrong.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>

/* Empties everything; the caller is domain 0. */
void fake_reset(void);
void fake_caller(unsigned int domid);
/* The path of xenstored's socket; no connection to it is of any use. */
extern const char *fake_socket;
/* Where the relative path "domid" leads, as on xenstored's socket: nowhere. */
void fake_relative(bool works);

/* What other domains do: @perms like "n5 r0"; parents are made with "n0". */
void fake_put(const char *path, const char *value, const char *perms);
/* A new value; the node keeps its permissions or inherits its parent's. */
void fake_set(const char *path, const char *value);
void fake_set_bytes(const char *path, const void *value, unsigned int len);
void fake_del(const char *path);
void fake_introduced(unsigned int domid, bool yes);

/* The value of a node, or NULL. */
const char *fake_get(const char *path);
/* All nodes, sorted: "/path = value (n5 r0)\n"; to be freed. */
char *fake_dump(void);

/* The k-th call from now fails with this errno; 0: none. */
void fake_fail_at(unsigned int k, int error);
/* The next @count commits fail with EAGAIN, each after @disturb. */
void fake_again(unsigned int count, void (*disturb)(void));
/* Whenever the program looks, a watch has fired again. */
void fake_flood(bool on);
/* Runs when the program next sleeps for a watch; a queue. */
void fake_later(void (*step)(void));

struct fake_counts {
	unsigned int started;	/* transactions */
	unsigned int committed;
	unsigned int bare;	/* changes by the program outside of a transaction */
	unsigned int slept;
	unsigned int open;	/* handles and transactions not ended */
};
extern struct fake_counts fake_counts;

/* ---- between fake_store.c and fake_watch.c ---- */

bool fake_failing(void);
void fake_fire(const char *path);
void fake_watch_reset(void);

#endif /* FAKE_H */
