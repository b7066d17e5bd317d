// SPDX-License-Identifier: GPL-2.0-only
/* attach waits for Connected and says why not. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define LINE "attach 5 --uuid " UUID

static void backend_error(void)
{
	fake_put(BACK_ERROR, "22 ring-ref is no number", "n0");
	fake_set(BACK "/state", "5");
}

static void frontend_error(void)
{
	fake_put(FRONT_ERROR, "93 no version in common\n\x1b[31m", "n5");
	fake_set(FRONT "/state", "6");
}

static void both_close(void)
{
	fake_set(FRONT "/state", "6");
	fake_set(BACK "/state", "6");
}

static void wrong_version(void)
{
	fake_set(FRONT "/version", "7");
	fake_set(FRONT "/state", "3");
}

static void quiet_error(void)
{
	fake_put(FRONT_ERROR, "12 probe", "n5");
}

static void guest_dies(void)
{
	fake_del("/local/domain/5");
}

static void backend_removes(void)
{
	fake_del(BACK);
}

static void frontend_lies(void)
{
	fake_set(FRONT "/backend", "/local/domain/7/backend/duct/5/0");
	fake_set(FRONT "/state", "4");
}

static void nonsense(void)
{
	fake_set_bytes(FRONT "/state", "4\0", 2);
}

struct story {
	const char *text;
	void (*steps[4])(void);
	const char *says;
};

static const struct story stories[] = {
	{ "no backend module", { NULL },
	  "link 0 of domain 5 (guest) is attached but not connected after 0 s: the backend module (xen_duct_back) is not loaded in domain 0 (Domain-0)\n" },
	{ "no frontend module", { step_backend_waits },
	  "the frontend module (xen_duct_front) is not loaded in domain 5 (guest), or that domain is paused\n" },
	{ "backend does not answer", { step_backend_waits, step_frontend_ready },
	  "the handshake stopped (frontend Initialised, backend InitWait)\n" },
	{ "backend refuses", { step_backend_waits, backend_error },
	  "is attached but not connected: refused or closed by the backend (frontend Initialising, backend Closing); the backend says: 22 ring-ref is no number\n" },
	{ "frontend refuses", { step_backend_waits, frontend_error },
	  "refused or closed by the frontend (frontend Closed, backend InitWait); the frontend says: 93 no version in common\\x0a\\x1b[31m\n" },
	{ "both close", { both_close }, "refused or closed by both ends" },
	{ "an error without a state", { step_backend_waits, quiet_error },
	  "the handshake stopped (frontend Initialising, backend InitWait); the frontend says: 12 probe\n" },
	{ "version, open", { step_backend_waits, wrong_version },
	  "version mismatch: the frontend chose 7, the backend speaks 1 to 1\n" },
	{ "version, closed", { step_backend_waits, wrong_version, backend_error },
	  "version mismatch: the frontend chose 7, the backend speaks 1 to 1; the backend says: 22" },
	{ "guest dies", { step_backend_waits, guest_dies },
	  "link 0 of domain 5 is attached but not connected: the frontend's directory is gone: domain 5 was destroyed" },
	{ "backend removes", { backend_removes }, "the backend's directory is gone" },
	{ "frontend names another backend", { frontend_lies }, "the frontend's directory is gone" },
	{ "a state that is none", { step_backend_waits, nonsense },
	  "the handshake stopped (frontend invalid, backend InitWait)" },
};

static struct story current;

/* Steps one by one; what comes after is silence. */
static void next_step(void)
{
	size_t i;

	for (i = 0; i < 4 && current.steps[i]; i++)
		current.steps[i]();
}

static void test_stories(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(stories); i++) {
		world();
		current = stories[i];
		fake_later(next_step);
		run("%s --wait %d", LINE, stories[i].steps[0] ? 1 : 0);
		ok(code == 1 && contains(err, stories[i].says) &&
		   contains(err, "is attached but not connected") &&
		   fake_get(LIBXL "/uuid"), "%s: said, and the link stays", stories[i].text);
	}
}

static void old_error(void)
{
	fake_put(FRONT_ERROR, "1 from an earlier link", "n5");
}

void test_wait(void)
{
	struct json_object *tree;

	world();
	link_connects();
	run(LINE);
	ok(!code && contains(out, "(guest) Connected, backend domain 0 (Domain-0) Connected"),
	   "attach waits until both ends are Connected");
	ok(fake_counts.slept == 4, "and sleeps in between (%u)", fake_counts.slept);

	world();
	link_connects();
	run("-j %s", LINE);
	tree = out_json();
	same(json_at(tree, "frontend.state"), "Connected", "attach -j prints JSON");
	same(json_at(tree, "backend.name"), "Domain-0", "with names");
	json_object_put(tree);

	test_stories();

	world();
	fake_flood(true);
	run("%s --wait 1", LINE);
	ok(code == 1 && contains(err, "after 1 s"), "a guest that writes all the time does not hold it");

	world();
	old_error();
	run("%s --wait 0", LINE);
	ok(code == 1 && !strstr(err, "earlier link"), "an old error text is not taken for a new one");

	world();
	run("%s --no-wait", LINE);
	ok(!code && !fake_counts.slept, "--no-wait does not wait");
}
