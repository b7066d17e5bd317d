// SPDX-License-Identifier: GPL-2.0-only
/* detach leaves nothing behind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static void connected_link(void)
{
	run("attach 5 --no-wait --uuid " UUID " --service echo.0,size=64");
	step_backend_waits();
	step_frontend_ready();
	step_backend_connects();
	step_frontend_connects();
	memset(&fake_counts, 0, sizeof(fake_counts));
}

static bool was_told;

static void frontend_closes(void)
{
	was_told = !strcmp(fake_get(BACK "/online"), "0") && !strcmp(fake_get(BACK "/state"), "5");
	fake_put(FRONT_ERROR, "0 bye", "n5");
	fake_put("/local/domain/5/error/device", "", "n5");
	fake_set(FRONT "/state", "6");
}

static void backend_closes(void)
{
	fake_set(BACK "/state", "6");
}

static void backend_goes(void)
{
	fake_del(BACK);
}

static void test_orderly(void)
{
	char *before, *after;
	struct json_object *tree;

	world();
	before = fake_dump();
	connected_link();
	fake_later(frontend_closes);
	fake_later(backend_closes);
	run("detach guest");
	after = fake_dump();
	ok(!code && contains(out, "link 0: detached, frontend domain 5 (guest), backend domain 0 (Domain-0), uuid " UUID "\n"),
	   "detach says what it removed");
	ok(was_told, "the backend was told online 0 and Closing before anything went");
	ok(fake_counts.committed == 2 && !fake_counts.bare, "in two transactions");
	same(after, before, "the store is as before attach");
	free(after);

	world();
	connected_link();
	fake_later(backend_goes);
	run("-j detach 5 --wait 5");
	after = fake_dump();
	tree = out_json();
	same(json_at(tree, "detached"), "true", "detach -j");
	same(after, before, "a backend that removes its directory itself is fine");
	json_object_put(tree);
	free(after);
	free(before);
}

static void test_timeout(void)
{
	char *before, *after;

	world();
	before = fake_dump();
	connected_link();
	run("detach 5 --wait 0");
	ok(code == 1 && contains(err, "did not close within 0 s (frontend Connected, backend Closing): it is still attached, --force removes it"),
	   "a backend that does not close");
	ok(fake_get(FRONT "/state") && fake_get(BACK "/uuid") && fake_get(LIBXL "/uuid"),
	   "keeps its link");
	fake_flood(true);
	run("detach 5 --wait 1");
	fake_flood(false);
	ok(code == 1 && contains(err, "within 1 s"), "also one that writes all the time");
	fake_counts.slept = 0;
	run("detach 5 --force");
	after = fake_dump();
	ok(!code && !fake_counts.slept, "--force does not wait");
	same(after, before, "and removes all");
	free(after);
	free(before);
}

/* Nobody to wait for. */
static void test_at_once(void)
{
	char *before, *after;

	world();
	before = fake_dump();
	run("attach 5 --no-wait");
	run("detach 5");
	after = fake_dump();
	ok(!code && !fake_counts.slept, "no module ever came: nothing to wait for");
	same(after, before, "all is gone");
	free(after);

	run("attach 5 --no-wait");
	step_backend_waits();
	run("detach 5");
	ok(!code && !fake_counts.slept, "the same if only the backend came");

	run("attach 5 --no-wait");
	step_backend_waits();
	fake_set(FRONT "/version", "1");
	run("detach 5 --wait 0");
	ok(code == 1, "but not once the frontend has shared something");

	world();
	connected_link();
	fake_set(FRONT "/state", "1");
	fake_del(FRONT "/version");
	run("detach 5 --wait 0");
	ok(code == 1, "nor because a frontend takes that back");

	world();
	connected_link();
	fake_set(BACK "/state", "6");
	run("detach 5 --wait 0");
	ok(!code, "a closed link goes at once");
	free(before);
}

static void test_leftovers(void)
{
	char *before, *after;

	world();
	run("attach 5 --backend 7 --no-wait");
	run("attach 7 --no-wait");
	before = fake_dump();
	connected_link();
	fake_del("/local/domain/5");
	fake_del("/libxl/5");
	fake_set(BACK "/state", "6");
	run("detach 5");
	after = fake_dump();
	ok(!code && !strstr(after, "/local/domain/0/backend/duct/5"), "the frontend's domain is gone");
	ok(contains(after, "/local/domain/0/backend/duct/7/0/uuid"), "other links stay");
	free(after);
	free(before);

	world();
	run("attach 5 --backend 7 --no-wait");
	fake_set("/local/domain/7/backend/duct/5/0/state", "4");
	fake_set(FRONT "/state", "4");
	fake_set(FRONT "/version", "1");
	fake_del("/local/domain/7");
	run("detach 5");
	ok(!code && !fake_get(FRONT) && !fake_get("/local/domain/7"), "the backend's domain is gone");

	world();
	before = fake_dump();
	run("attach 5 --no-wait");
	fake_del("/local/domain/0/backend/duct");
	fake_del("/local/domain/5/device/duct");
	run("detach 5");
	after = fake_dump();
	ok(!code, "only the toolstack's copy is left");
	same(after, before, "it goes, too");
	free(after);
	free(before);
}

static void test_none(void)
{
	char *before, *after;

	world();
	run("detach guest");
	ok(code == 1 && contains(err, "domain 5 (guest) has no link 0 with domain 0"), "no link");
	run("detach 5 --handle 3 --force");
	ok(code == 1 && contains(err, "no link 3"), "no such handle, even with --force");
	run("detach nobody");
	ok(code == 1 && contains(err, "no domain 'nobody'"), "no such domain");
	run("attach 5 --backend 7 --no-wait");
	before = fake_dump();
	run("detach 5 --backend 0 --force");
	after = fake_dump();
	ok(code == 1 && contains(err, "no link 0 with domain 0, but one with another backend"),
	   "a link with another backend is not this one");
	same(after, before, "and stays");
	free(after);
	fake_put(BACK "/state", "6", "n0 r5");
	run("detach 5 --backend 0");
	ok(!code && !fake_get("/local/domain/0/backend/duct") && fake_get(FRONT "/state") &&
	   fake_get(LIBXL "/uuid"), "a leftover beside it goes alone");
	run("detach 5");
	ok(!code && !fake_get(FRONT), "without --backend the link's own is meant");
	free(before);
}

static void test_failures(void)
{
	unsigned int k, partial = 0, failures = 0;
	char *before, *after;

	for (k = 1; k < 1000; k++) {
		world();
		run("attach 5 --no-wait --uuid " UUID);
		before = fake_dump();
		fake_fail_at(k, EIO);
		run("detach 5");
		fake_fail_at(0, 0);
		after = fake_dump();
		if (code) {
			failures++;
			partial += strcmp(before, after) != 0;
		}
		free(before);
		free(after);
		if (!code && k > 60)
			break;
	}
	ok(failures > 20 && !partial, "a failure at any of %u calls removes nothing (%u did)", k,
	   partial);
}

static void test_dry_run(void)
{
	char *before, *after;

	world();
	connected_link();
	before = fake_dump();
	run("detach 5 --dry-run");
	after = fake_dump();
	ok(!code && contains(out, "write " BACK "/online = \"0\" (n0 r5)\n"
			     "write " BACK "/state = \"5\" (n0 r5)\n"
			     "remove " FRONT "\n"
			     "remove /local/domain/5/device/duct\n"
			     "remove " BACK "\n"
			     "remove /local/domain/0/backend/duct/5\n"
			     "remove /local/domain/0/backend/duct\n"
			     "remove " LIBXL "\n"
			     "remove /libxl/5/device/duct\n"), "--dry-run prints each step");
	same(after, before, "and does none");
	free(after);
	free(before);
}

void test_detach(void)
{
	test_orderly();
	test_timeout();
	test_at_once();
	test_leftovers();
	test_none();
	test_failures();
	test_dry_run();
}
