/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xenstore. Reading never prints: what is missing is often no error. Writing
 * and transactions print what went wrong and return an exit code.
 *
 * Every path is given as a format, so that callers never need a buffer.
 */
#ifndef DUCTCTL_STORE_H
#define DUCTCTL_STORE_H

#include <json-c/json.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "compiler.h"

#define STORE_PATH	512u	/* longest path here, with its zero byte */
#define STORE_RETRIES	100u	/* of a transaction that others disturb */

struct store {
	struct xs_handle *xsh;
	xs_transaction_t t;		/* XBT_NULL outside of a transaction */
	bool dry_run;			/* changes are noted, not made */
	struct json_object *changes;	/* what dry_run noted */
	const sigset_t *mask;		/* while store_wait sleeps, or NULL */
	int error;			/* errno of the last store_read... */
};

/* Who may use a node: its owner all, the reader (or nobody) reads. */
struct store_perm {
	unsigned int owner;
	int reader;			/* domid or STORE_NOBODY */
};

#define STORE_NOBODY	(-1)

int store_open(struct store *s, bool dry_run);
void store_close(struct store *s);

/* What an errno of xenstore means to the one who typed the command. */
const char *store_words(int error);

/* The bytes of a node, followed by a zero; NULL and s->error if it has none. */
char *store_read_raw(struct store *s, size_t *len, const char *fmt, ...)
	__printf(3, 4);

/* The same as text_clean() makes it. */
char *store_read(struct store *s, const char *fmt, ...)
	__printf(2, 3);

/* A decimal number, or false: missing, or none. */
bool store_number(struct store *s, unsigned long *value, const char *fmt, ...)
	__printf(3, 4);

/* Is the node there? Any other answer of xenstore is printed as an error. */
int store_present(struct store *s, bool *present, const char *fmt, ...)
	__printf(3, 4);

/* Names below a node, to be given to free() as one; NULL when there are none. */
char **store_list(struct store *s, unsigned int *count, const char *fmt, ...)
	__printf(3, 4);

/* A node and all below it: objects, with strings for nodes without children. */
struct json_object *store_tree(struct store *s, const char *fmt, ...)
	__printf(2, 3);

/* ---- changes (store_change.c): only inside of store_transact ---- */

/*
 * Runs @body in one transaction, again if others disturbed it. @body returns
 * an exit code; any but EXIT_OK abandons all that it did.
 */
int store_transact(struct store *s, int (*body)(struct store *s, void *arg),
		   void *arg);

/* @perm: what the node has, that is, its directory's: a new node inherits them. */
int store_write(struct store *s, const struct store_perm *perm,
		const char *value, const char *fmt, ...)
	__printf(4, 5);

/* Makes a directory that is not there; one that is stays as it is. */
int store_mkdir(struct store *s, const struct store_perm *perm,
		const char *fmt, ...)
	__printf(3, 4);

/* In a directory that store_mkdir() has just made, with its permissions. */
int store_mkdir_below(struct store *s, const struct store_perm *perm,
		      const char *fmt, ...)
	__printf(3, 4);

/*
 * Removes a node and all below it, if it is there, then of the @parents
 * directories above it those that are empty now.
 */
int store_remove(struct store *s, unsigned int parents, const char *fmt, ...)
	__printf(3, 4);

/* ---- watches (store_watch.c) ---- */

/* Now, on the clock of store_wait's deadline, in milliseconds. */
int64_t store_now(void);

int store_watch(struct store *s, const char *fmt, ...)
	__printf(2, 3);
void store_unwatch(struct store *s, const char *fmt, ...)
	__printf(2, 3);

enum store_event {
	STORE_CHANGED,		/* one or more watches fired */
	STORE_TIMEOUT,
	STORE_INTERRUPTED,	/* a signal came while sleeping */
	STORE_BROKEN,		/* no xenstore any more; the error was printed */
};

/* Sleeps until a watch fires or @deadline (negative: none) has passed. */
enum store_event store_wait(struct store *s, int64_t deadline);

#endif /* DUCTCTL_STORE_H */
