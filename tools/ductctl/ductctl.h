/* SPDX-License-Identifier: GPL-2.0-only */
/* What every file of ductctl knows: exit codes, errors, options, commands. */
#ifndef DUCTCTL_H
#define DUCTCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"
#include "policy.h"
#include "store.h"

#define DUCTCTL_VERSION "0.1"

/* Functions that return int return one of these, with the error line printed. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* Each prints one line "ductctl: ..." on stderr and returns its exit code. */
int fail(const char *fmt, ...) __printf(1, 2);
int usage_error(const char *fmt, ...) __printf(1, 2);

#define DOMID_MAX	32751u		/* DOMID_FIRST_RESERVED - 1 */
#define HANDLE_MAX	65535u
#define WAIT_MAX	86400u		/* seconds */
#define ATTACH_WAIT	30u		/* seconds, when not given */
#define DETACH_WAIT	10u

/* The command line; pointers are into argv. */
struct options {
	const char *front;		/* FRONT, or NULL */
	const char *backend;		/* --backend, or NULL: this domain */
	unsigned int handle;
	unsigned int wait;		/* seconds; 0 looks once */
	bool wait_given;
	bool no_wait;
	bool force;
	unsigned int count;		/* monitor: lines to print, 0 no limit */
	bool json;
	bool dry_run;
	struct policy policy;
};

struct ductctl {
	struct options opt;
	struct store store;
};

int cmd_attach(struct ductctl *d);
int cmd_reattach(struct ductctl *d);
int cmd_detach(struct ductctl *d);
int cmd_list(struct ductctl *d);
int cmd_show(struct ductctl *d);
int cmd_stats(struct ductctl *d);
int cmd_monitor(struct ductctl *d);

#endif /* DUCTCTL_H */
