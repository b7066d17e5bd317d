// SPDX-License-Identifier: GPL-2.0-only
/* The fake store refuses the names that xenstored refuses. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "harness.h"

static const char * const bad[] = {
	"/a/echo.0", "/a b", "/a:b", "/a+b", "/a\\b", "/\xc3\xa4", "/a\n", "//a", "/a//b", "/a/",
	"", "@a", "@introduceDomain",
};

static const char * const good[] = {
	"/a", "/A/z/0/9", "/a-b_c@d", "/@a", "/-",
};

/* True if every call says @error of this path (0: none of them does). */
static bool all_say(const char *path, int error)
{
	struct xs_permissions perm = { .id = 0, .perms = XS_PERM_NONE };
	struct xs_handle *h = xs_open(0);
	unsigned int len, wrong = 0;
	void *data;

#define SAYS(call) do { \
	errno = 0; \
	if ((call) ? error : errno != error) \
		wrong++; \
} while (0)
	SAYS(xs_mkdir(h, XBT_NULL, path));
	SAYS(xs_write(h, XBT_NULL, path, "", 0));
	SAYS(xs_set_permissions(h, XBT_NULL, path, &perm, 1));
	SAYS(data = xs_directory(h, XBT_NULL, path, &len));
	free(data);
	/* what does not begin with / is a path below the home */
	if (*path == '/') {
		SAYS(data = xs_read(h, XBT_NULL, path, &len));
		free(data);
	}
	/* "@..." are events */
	if (*path != '@')
		SAYS(xs_watch(h, path, path));
	SAYS(xs_rm(h, XBT_NULL, path));
#undef SAYS
	xs_close(h);
	return !wrong;
}

static void test_length(const char *start, size_t len, bool fits)
{
	char path[4096];
	size_t used = strlen(start);

	memset(path, 'x', sizeof(path));
	memcpy(path, start, used);
	path[used + len] = '\0';
	fake_reset();
	ok(all_say(path, fits ? 0 : EINVAL), "store: %zu characters after %s", len, start);
}

void test_fake(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fake_reset();
		ok(all_say(bad[i], EINVAL), "store: bad name %zu is EINVAL", i);
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		fake_reset();
		ok(all_say(good[i], 0), "store: good name %s", good[i]);
	}
	test_length("/", 2047, true);
	test_length("/", 2048, false);
	test_length("/local/domain/5/", 2048, true);
	test_length("/local/domain/5/", 2049, false);
	test_length("/local/domain/123456/", 2048, false);
}
