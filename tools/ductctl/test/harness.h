/* SPDX-License-Identifier: GPL-2.0-only */
/* Running ductctl inside of the test program, and TAP. */
#ifndef HARNESS_H
#define HARNESS_H

#include <json-c/json.h>
#include <stdbool.h>

#include "compiler.h"
#include "fake.h"

/* "ok N - text", or "not ok N - text"; returns @good. */
bool ok(bool good, const char *fmt, ...) __printf(2, 3);
/* The same for two texts; a difference is shown. */
bool same(const char *got, const char *want, const char *fmt, ...)
	__printf(3, 4);
bool contains(const char *text, const char *part);

/* What the last run did. */
extern int code;
extern char *out, *err;

/*
 * Runs "ductctl ARGS", split at spaces. That a failure prints exactly one line
 * "ductctl: ..." on stderr, and success none, is checked each time.
 */
void run(const char *fmt, ...) __printf(1, 2);

/* The last run's stdout as JSON, NULL if it is none; to be put. */
struct json_object *out_json(void);
/* tree.a.b.0.c as text, "" if it is not there. */
const char *json_at(struct json_object *tree, const char *path);

/* Domain 0, 5 "guest" and 7 "driver", as xl makes them, all running. */
void world(void);

/* What the two kernels do with a new link 0 of domain 5 with domain 0. */
void step_backend_waits(void);
void step_frontend_ready(void);
void step_backend_connects(void);
void step_frontend_connects(void);
void link_connects(void);	/* these four, later */

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define FRONT "/local/domain/5/device/duct/0"
#define BACK "/local/domain/0/backend/duct/5/0"
#define LIBXL "/libxl/5/device/duct/0"
#define FRONT_ERROR "/local/domain/5/error/device/duct/0/error"
#define BACK_ERROR "/local/domain/0/error/backend/duct/5/0/error"

void test_fake(void);
void test_args(void);
void test_attach(void);
void test_wait(void);
void test_reattach(void);
void test_detach(void);
void test_show(void);
void test_monitor(void);

int ductctl_main(int argc, char **argv);

#endif /* HARNESS_H */
