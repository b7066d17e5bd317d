/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A link in xenstore: its three directories, and what the two ends wrote.
 *
 * All paths are computed from the three numbers. What a guest wrote is shown,
 * never followed.
 */
#ifndef DUCTCTL_LINK_H
#define DUCTCTL_LINK_H

#include <json-c/json.h>

#include "ductctl.h"

enum {
	LINK_NO_STATE = -1,	/* no state node, or it belongs to another link */
	LINK_BAD_STATE = -2,	/* it holds no state */
	LINK_UNKNOWN = 0,	/* these are xenbus states */
	LINK_INITIALISING = 1,
	LINK_INIT_WAIT = 2,
	LINK_INITIALISED = 3,
	LINK_CONNECTED = 4,
	LINK_CLOSING = 5,
	LINK_CLOSED = 6,
};

#define LINK_DIR	96u

struct link_end {
	unsigned int domid;
	char dir[LINK_DIR];	/* its xenbus directory */
	char error[LINK_DIR];	/* where its kernel writes the node "error" */
	int state;		/* set by link_read */
};

struct link {
	unsigned int handle;
	struct link_end front;
	struct link_end back;
	char libxl[LINK_DIR];	/* the toolstack's copy */
};

void link_init(struct link *l, unsigned int front, unsigned int back, unsigned int handle);

/* Reads both states. */
void link_read(struct store *s, struct link *l);

/*
 * The link that the command line means: FRONT, --handle, and as backend
 * --backend, else the one that the toolstack's copy names, else this domain.
 * Says nothing about whether there is such a link.
 */
int link_find(struct ductctl *d, struct link *l);

/* Is the toolstack's copy one of this link, not of one with another backend? */
bool link_has_copy(struct store *s, const struct link *l);

/* --backend, or this domain. */
int link_backend(struct ductctl *d, unsigned int *domid);

/* Like link_find, and it is an error if there is no trace of the link. */
int link_find_present(struct ductctl *d, struct link *l);

/* All links with this backend (NULL: any), in order; @links is freed. */
int link_scan(struct store *s, const unsigned int *back, struct link **links, size_t *count);

/* "Connected", or "none" */
const char *link_state(int state);

/* "link 0 of domain 5 (guest)"; to be freed. */
char *link_label(struct store *s, const struct link *l);

/* The error text that an end left, cleaned, or NULL; to be freed. */
char *link_error(struct store *s, const struct link_end *end);

/* handle, frontend {domid name state}, backend {domid name state}, uuid */
struct json_object *link_tree(struct store *s, const struct link *l);

#endif /* DUCTCTL_LINK_H */
