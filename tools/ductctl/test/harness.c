// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define MAX_ARGS 400

int code;
char *out, *err;

static unsigned int done, failed;
static FILE *tap;

bool ok(bool good, const char *fmt, ...)
{
	va_list args;

	fprintf(tap, "%sok %u - ", good ? "" : "not ", ++done);
	va_start(args, fmt);
	vfprintf(tap, fmt, args);
	va_end(args);
	fputc('\n', tap);
	failed += !good;
	return good;
}

static void show(const char *what, const char *text)
{
	fprintf(tap, "# %s: ", what);
	for (; *text; text++) {
		fputc(*text, tap);
		if (*text == '\n' && text[1])
			fputs("#   ", tap);
	}
	fputc('\n', tap);
}

bool same(const char *got, const char *want, const char *fmt, ...)
{
	bool good = !strcmp(got, want);
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ok(good, "%s", text);
	if (!good) {
		show("got", got);
		show("want", want);
	}
	return good;
}

bool contains(const char *text, const char *part)
{
	bool found = strstr(text, part);

	if (!found) {
		show("text", text);
		show("lacks", part);
	}
	return found;
}

/* Silent when right: else every test would be followed by this one. */
static void check_error_line(const char *line)
{
	const char *end = strchr(err, '\n');
	bool good;

	if (code)
		good = !strncmp(err, "ductctl: ", 9) && end && !end[1];
	else
		good = !*err;
	if (!good) {
		ok(false, "one error line exactly when '%s' fails", line);
		show("stderr", err);
	}
	if (code < 0 || code > 2)
		ok(false, "exit code %d of '%s'", code, line);
}

void run(const char *fmt, ...)
{
	FILE *real_out = stdout, *real_err = stderr;
	char *argv[MAX_ARGS], *line, *copy, *rest, *word;
	char name[] = "ductctl";
	size_t out_size, err_size;
	int argc = 0;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&line, fmt, args) < 0)
		abort();
	va_end(args);
	free(out);
	free(err);
	copy = strdup(line);
	rest = *copy ? copy : NULL;
	argv[argc++] = name;
	while (argc < MAX_ARGS - 1 && (word = strsep(&rest, " ")))
		argv[argc++] = word;
	argv[argc] = NULL;
	stdout = open_memstream(&out, &out_size);
	stderr = open_memstream(&err, &err_size);
	code = ductctl_main(argc, argv);
	fclose(stdout);
	fclose(stderr);
	stdout = real_out;
	stderr = real_err;
	check_error_line(line);
	if (fake_counts.open)
		ok(false, "'%s' leaves %u handles or transactions open", line,
		   fake_counts.open);
	free(copy);
	free(line);
}

struct json_object *out_json(void)
{
	struct json_tokener *tokener = json_tokener_new();
	size_t len = strlen(out);
	struct json_object *tree;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	tree = json_tokener_parse_ex(tokener, out, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		show("no JSON", out);
	json_tokener_free(tokener);
	return tree;
}

const char *json_at(struct json_object *tree, const char *path)
{
	char *copy = strdup(path), *rest = copy, *word;
	const char *text;

	while (tree && (word = strsep(&rest, "."))) {
		if (json_object_is_type(tree, json_type_array))
			tree = json_object_array_get_idx(tree, strtoul(word, NULL, 10));
		else if (!json_object_object_get_ex(tree, word, &tree))
			tree = NULL;
	}
	text = tree ? json_object_get_string(tree) : "";
	free(copy);
	return text;
}

void world(void)
{
	fake_reset();
	fake_put("/local/domain/0/name", "Domain-0", "n0");
	fake_put("/local/domain/0/domid", "0", "n0");
	fake_put("/local/domain/0/backend", "", "n0");
	fake_put("/local/domain/5/name", "guest", "n0 r5");
	fake_put("/local/domain/5/domid", "5", "n0 r5");
	fake_put("/local/domain/5/device", "", "n0 r5");
	fake_put("/local/domain/5/error", "", "n5");
	fake_put("/local/domain/7/name", "driver", "n0 r7");
	fake_put("/local/domain/7/domid", "7", "n0 r7");
	fake_put("/local/domain/7/device", "", "n0 r7");
	fake_put("/libxl/5/device", "", "n0");
	fake_introduced(0, true);
	fake_introduced(5, true);
	fake_introduced(7, true);
}

void step_backend_waits(void)
{
	fake_set(BACK "/min-version", "1");
	fake_set(BACK "/max-version", "1");
	fake_set(BACK "/features", "0");
	fake_set(BACK "/incarnation", "1111");
	fake_set(BACK "/state", "2");
}

void step_frontend_ready(void)
{
	fake_set(FRONT "/version", "1");
	fake_set(FRONT "/features", "0");
	fake_set(FRONT "/incarnation", "2222");
	fake_set(FRONT "/ring-ref", "8");
	fake_set(FRONT "/event-channel", "9");
	fake_set(FRONT "/state", "3");
}

void step_backend_connects(void)
{
	fake_set(BACK "/state", "4");
}

void step_frontend_connects(void)
{
	fake_set(FRONT "/state", "4");
}

void link_connects(void)
{
	fake_later(step_backend_waits);
	fake_later(step_frontend_ready);
	fake_later(step_backend_connects);
	fake_later(step_frontend_connects);
}

int main(void)
{
	static void (*const suites[])(void) = {
		test_fake, test_args, test_attach, test_wait, test_reattach, test_detach,
		test_show, test_monitor,
	};
	size_t i;

	/* A loop without end is a failure like others. */
	alarm(120);
	/* run() takes stdout away. */
	tap = stdout;
	setvbuf(tap, NULL, _IOLBF, 0);
	fprintf(tap, "TAP version 13\n");
	for (i = 0; i < ARRAY_SIZE(suites); i++)
		suites[i]();
	fprintf(tap, "1..%u\n", done);
	fprintf(tap, "# %u passed, %u failed\n", done - failed, failed);
	fake_reset();
	free(out);
	free(err);
	return failed ? 1 : 0;
}
