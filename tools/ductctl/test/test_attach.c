// SPDX-License-Identifier: GPL-2.0-only
/* What attach writes, and that it is all or nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness.h"

#define LINE "attach guest --no-wait --uuid " UUID " --channels 8 --pages 128" \
	" --service echo.0,size=64,front/mode=a,back/mode=b --service net.1" \
	" --service echo.12"

/* The socket of a program that has ended. */
static void test_dead(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/ductctl.XXXXXX";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!mkdtemp(dir) || snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", dir) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 1))
		abort();
	fake_socket = at.sun_path;
	run("list");
	ok(!code, "xenstored runs");
	close(fd);
	run("list");
	ok(code == 1 && contains(err, "cannot reach xenstore: Connection refused"), "or did");
	fake_socket = "/nowhere";
	unlink(at.sun_path);
	rmdir(dir);
}

/* Lines of @after that @before has not; to be freed. */
static char *added(const char *before, const char *after)
{
	char *copy = strdup(after), *rest = copy, *line, *text = NULL, *whole;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	while ((line = strsep(&rest, "\n"))) {
		if (asprintf(&whole, "%s\n", line) < 0)
			abort();
		if (*line && !strstr(before, whole))
			fputs(whole, f);
		free(whole);
	}
	fclose(f);
	free(copy);
	return text;
}

#define BACK_NODES(dir, perm) \
	dir "/budget =  (" perm ")\n" \
	dir "/budget/channels = 8 (" perm ")\n" \
	dir "/budget/pages = 128 (" perm ")\n" \
	dir "/frontend = " FRONT " (" perm ")\n" \
	dir "/frontend-id = 5 (" perm ")\n" \
	dir "/online = 1 (" perm ")\n" \
	dir "/services =  (" perm ")\n" \
	dir "/services/echo =  (" perm ")\n" \
	dir "/services/echo/0 =  (" perm ")\n" \
	dir "/services/echo/0/back =  (" perm ")\n" \
	dir "/services/echo/0/back/mode = b (" perm ")\n" \
	dir "/services/echo/0/front =  (" perm ")\n" \
	dir "/services/echo/0/front/mode = a (" perm ")\n" \
	dir "/services/echo/0/size = 64 (" perm ")\n" \
	dir "/services/echo/12 =  (" perm ")\n" \
	dir "/services/net =  (" perm ")\n" \
	dir "/services/net/1 =  (" perm ")\n" \
	dir "/state = 1 (" perm ")\n" \
	dir "/uuid = " UUID " (" perm ")\n"

static const char want[] =
	"/libxl/5/device/duct =  (n0)\n"
	LIBXL " =  (n0)\n"
	LIBXL "/backend = " BACK " (n0)\n"
	LIBXL "/backend-id = 0 (n0)\n"
	BACK_NODES(LIBXL, "n0")
	"/local/domain/0/backend/duct =  (n0)\n"
	"/local/domain/0/backend/duct/5 =  (n0)\n"
	BACK " =  (n0 r5)\n"
	BACK_NODES(BACK, "n0 r5")
	"/local/domain/5/device/duct =  (n5 r0)\n"
	FRONT " =  (n5 r0)\n"
	FRONT "/backend = " BACK " (n5 r0)\n"
	FRONT "/backend-id = 0 (n5 r0)\n"
	FRONT "/state = 1 (n5 r0)\n";

static void test_nodes(void)
{
	char *before, *after, *new;

	world();
	before = fake_dump();
	run(LINE);
	after = fake_dump();
	new = added(before, after);
	ok(!code, "attach succeeds");
	same(new, want, "attach writes exactly these nodes and permissions");
	ok(strlen(after) == strlen(before) + strlen(new), "nothing else has changed");
	ok(fake_counts.started == 1 && fake_counts.committed == 1 && !fake_counts.bare,
	   "all in one transaction");
	ok(contains(out, "link 0: frontend domain 5 (guest) Initialising, backend domain 0 (Domain-0) Initialising, uuid " UUID "\n"),
	   "attach says what it made");
	free(new);
	free(after);
	free(before);
}

/* A guest as backend: nothing of "backend" is there yet. */
static void test_driver_domain(void)
{
	char *before, *after, *new;

	world();
	before = fake_dump();
	run("attach 5 --backend driver --no-wait --uuid " UUID);
	after = fake_dump();
	new = added(before, after);
	ok(!code && contains(new, "/local/domain/7/backend =  (n7)\n") &&
	   contains(new, "/local/domain/7/backend/duct =  (n7)\n") &&
	   contains(new, "/local/domain/7/backend/duct/5 =  (n7)\n") &&
	   contains(new, "/local/domain/7/backend/duct/5/0 =  (n7 r5)\n") &&
	   contains(new, "/local/domain/7/backend/duct/5/0/services =  (n7 r5)\n") &&
	   contains(new, "/local/domain/7/backend/duct/5/0/budget/channels = 256 (n7 r5)\n") &&
	   contains(new, "/local/domain/7/backend/duct/5/0/budget/pages = 2048 (n7 r5)\n") &&
	   contains(new, FRONT "/backend = /local/domain/7/backend/duct/5/0 (n5 r7)\n") &&
	   contains(new, "/local/domain/5/device/duct =  (n5 r7)\n"),
	   "a driver domain owns its side, all of it");
	free(new);
	free(after);
	free(before);
}

static void test_existing_dirs(void)
{
	world();
	fake_put("/local/domain/0/backend/duct", "", "n0 r9");
	fake_put("/local/domain/5/device/duct", "", "n5 r7");
	run(LINE);
	char *after = fake_dump();

	ok(!code && contains(after, "/local/domain/0/backend/duct =  (n0 r9)\n") &&
	   contains(after, "/local/domain/5/device/duct =  (n5 r7)\n"),
	   "directories that are there keep their permissions");
	free(after);
}

static void test_uuid(void)
{
	char first[37];
	const char *uuid;

	world();
	run("attach 5 --no-wait");
	uuid = fake_get(BACK "/uuid");
	ok(!code && uuid && strlen(uuid) == 36, "a uuid is made when none is given");
	snprintf(first, sizeof(first), "%s", uuid ? uuid : "");
	run("attach 7 --no-wait");
	uuid = fake_get("/local/domain/0/backend/duct/7/0/uuid");
	ok(!code && uuid && strcmp(uuid, first), "the next one is another");
	world();
	run("attach 5 --no-wait --uuid 01234567-89AB-CDEF-0123-456789ABCDEF");
	same(fake_get(BACK "/uuid"), UUID, "a uuid is stored in lower case");
}

/* Every call in turn fails: exit 1, one line, and nothing has changed. */
static void test_failures(int error, const char *words)
{
	char *before, *after;
	unsigned int k, failures = 0, partial = 0, wordless = 0;

	for (k = 1; k < 1000; k++) {
		world();
		before = fake_dump();
		fake_fail_at(k, error);
		run(LINE);
		fake_fail_at(0, 0);
		after = fake_dump();
		if (code == 1) {
			failures++;
			if (strcmp(before, after))
				partial++;
			/* not all calls have an errno of xenstore to tell */
			if (!strstr(err, words))
				wordless++;
		}
		free(before);
		free(after);
		if (!code && k > 100)
			break;
	}
	ok(failures > 80, "errno %d at each of %u calls", error, k);
	ok(!partial, "no failure leaves a partial link (%u)", partial);
	ok(wordless < 10, "the reason is told in words (%u of %u not)", wordless, failures);
}

static void other_toolstack(void)
{
	fake_put(FRONT "/backend", BACK, "n5 r0");
	fake_put(FRONT "/state", "4", "n5 r0");
	fake_put(BACK "/state", "4", "n0 r5");
}

static void guest_dies(void)
{
	fake_del("/local/domain/5");
}

static void test_conflicts(void)
{
	char *after;

	world();
	fake_again(3, NULL);
	run(LINE);
	ok(!code && fake_counts.started == 4 && fake_get(BACK "/uuid"),
	   "a transaction that others disturb is tried again");
	world();
	fake_again(1000000, NULL);
	run(LINE);
	ok(code == 1 && contains(err, "disturbed by others 100 times") && !fake_get(BACK),
	   "but not for ever");
	world();
	fake_again(1, other_toolstack);
	run(LINE);
	ok(code == 1 && contains(err, "exists already") && !fake_get(BACK "/uuid"),
	   "a link that came in between is not overwritten");
	world();
	fake_put(FRONT "/version", "1", "n5 r0");
	run(LINE);
	ok(!code && !fake_get(FRONT "/version"), "what names no backend is no link");
	world();
	fake_again(1, guest_dies);
	run(LINE);
	after = fake_dump();
	ok(code == 1 && contains(err, "domain 5 has just been destroyed") &&
	   !strstr(after, "/local/domain/5"), "nor a domain that died made anew");
	free(after);
}

static void test_refusals(void)
{
	world();
	run("attach 9");
	ok(code == 1 && contains(err, "domain 9 does not exist"), "no such domain id");
	run("attach nobody");
	ok(code == 1 && contains(err, "there is no domain 'nobody'"), "no such name");
	run("attach 5x");
	ok(code == 1 && contains(err, "there is no domain '5x'"), "a number with more is a name");
	run("attach 5 --backend 9");
	ok(code == 1 && contains(err, "domain 9 does not exist"), "no such backend");
	fake_introduced(5, false);
	run("attach 5");
	ok(code == 1 && contains(err, "domain 5 (guest) is not running"), "a dying domain");
	ok(!fake_counts.started, "all that before anything is written");
	fake_put("/local/domain/7/name", "guest", "n0");
	run("attach guest");
	ok(code == 1 && contains(err, "2 domains are named 'guest'"), "an ambiguous name");

	world();
	run(LINE);
	fake_set(FRONT "/state", "4");
	fake_set(BACK "/state", "3");
	run(LINE);
	ok(code == 1 && contains(err, "link 0 of domain 5 (guest) with domain 0 exists already: frontend Connected, backend Initialised"),
	   "a link that exists is named with its states");
	run("attach 5 --backend 7 --no-wait");
	ok(code == 1 && contains(err, "exists already, with the backend " BACK),
	   "also one with another backend");
	run(LINE " --handle 1");
	ok(!code && fake_get("/local/domain/0/backend/duct/5/1/uuid"), "another handle is free");
	fake_del(FRONT);
	run(LINE);
	ok(code == 1 && contains(err, "stale leftover") && contains(err, "frontend is gone") &&
	   contains(err, "'ductctl detach 5 --backend 0 --handle 0 --force'"),
	   "a leftover without frontend, and what removes it");
	run("detach 5 --backend 0 --handle 0 --force");
	ok(!code, "that command works");
	run(LINE);
	ok(!code, "and the way is free");
	fake_del(BACK);
	run(LINE);
	ok(code == 1 && contains(err, "stale leftover") && contains(err, "backend is gone"),
	   "a leftover without backend");
}

/* From a guest: permission. And from dom0 through xenstored's socket. */
static void test_caller(void)
{
	char *before, *after;

	world();
	fake_put("/local/domain", "", "n0 r5 r7");
	fake_put("/local/domain/5/name", "guest", "n0 r5 r7");
	fake_put("/local/domain/5", "", "n0 r5 r7");
	before = fake_dump();
	fake_caller(7);
	run(LINE);
	after = fake_dump();
	ok(code == 1 && contains(err, "xenstore denies permission"), "attach in a guest");
	same(after, before, "changes nothing");
	free(after);
	free(before);
	world();
	fake_relative(false);
	run(LINE);
	ok(!code && fake_get(BACK "/uuid"), "the own domain id without a relative path");
	fake_del("/local/domain/0/domid");
	run("attach 7");
	ok(code == 1 && contains(err, "cannot tell which domain this is"), "or not at all");
	fake_fail_at(1, ECONNREFUSED);
	run("list");
	ok(code == 1 && contains(err, "cannot reach xenstore: Connection refused"),
	   "no xenstore");
	test_dead();
}

static void test_dry_run(void)
{
	char *before, *after;
	struct json_object *tree;
	size_t i, lines = 0;
	bool all = true;

	world();
	before = fake_dump();
	run(LINE " --dry-run");
	ok(!code && contains(out, "mkdir " BACK " (n0 r5)\n") &&
	   contains(out, "write " FRONT "/state = \"1\" (n5 r0)\n") &&
	   contains(out, "write " LIBXL "/uuid = \"" UUID "\" (n0)\n"),
	   "--dry-run prints each change with its permissions");
	run("-j " LINE " --dry-run");
	after = fake_dump();
	same(after, before, "and makes none");
	ok(!fake_counts.committed && !fake_counts.bare, "not even for a moment");
	free(after);
	tree = out_json();
	same(json_at(tree, "0.change"), "mkdir", "--dry-run prints JSON");
	run(LINE);
	for (i = 0; i < json_object_array_length(tree); i++) {
		struct json_object *entry = json_object_array_get_idx(tree, i);
		const char *value = fake_get(json_at(entry, "path"));

		all = all && value && !strcmp(value, json_at(entry, "value"));
	}
	for (const char *p = want; (p = strchr(p, '\n')); p++)
		lines++;
	ok(all && i == lines, "%zu changes, as made", i);
	json_object_put(tree);
	free(before);
}

void test_attach(void)
{
	test_nodes();
	test_driver_domain();
	test_existing_dirs();
	test_uuid();
	test_failures(EIO, "Input/output error");
	test_failures(ENOSPC, "a xenstore quota is used up");
	test_conflicts();
	test_refusals();
	test_caller();
	test_dry_run();
}
