// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "ductctl.h"
#include "store_path.h"
#include "text.h"

int domain_own(struct store *s, unsigned int *domid)
{
	unsigned long value;

	/*
	 * A relative path is our own home, except on xenstored's socket: there
	 * it is "/". That socket is in dom0, whose home we then name.
	 */
	if (!store_number(s, &value, "domid") &&
	    !store_number(s, &value, "/local/domain/0/domid"))
		return fail("cannot tell which domain this is: xenstore has no domid node (did xen-init-dom0 run?)");
	if (value > DOMID_MAX)
		return fail("xenstore says that this is domain %lu, which cannot be", value);
	*domid = (unsigned int)value;
	return EXIT_OK;
}

static int find_name(struct store *s, const char *name, unsigned int *domid)
{
	unsigned int i, count, found = 0;
	unsigned int *domids;
	size_t len;

	if (domain_all(s, &domids, &count))
		return EXIT_FAILED;
	for (i = 0; i < count; i++) {
		char *value = store_read_raw(s, &len, "/local/domain/%u/name", domids[i]);

		if (value && strlen(value) == len && !strcmp(value, name)) {
			*domid = domids[i];
			found++;
		}
		free(value);
	}
	free(domids);
	if (!found)
		return fail("there is no domain '%s'", name);
	if (found > 1)
		return fail("%u domains are named '%s': use a number", found, name);
	return EXIT_OK;
}

int domain_find(struct store *s, const char *text, unsigned int *domid)
{
	unsigned long value;

	if (!text_number(text, ~0ul, &value)) {
		/* A number too large for unsigned long is no name either. */
		if (*text && !text[strspn(text, "0123456789")])
			value = ~0ul;
		else
			return find_name(s, text, domid);
	}
	if (value > DOMID_MAX)
		return usage_error("'%s' is no domain id: the largest is %u", text, DOMID_MAX);
	*domid = (unsigned int)value;
	return EXIT_OK;
}

int domain_running(struct store *s, unsigned int domid)
{
	int ret = EXIT_OK;
	bool present;
	char *label;

	if (store_present(s, &present, "/local/domain/%u", domid))
		return EXIT_FAILED;
	if (!present)
		return fail("domain %u does not exist", domid);
	label = domain_label(s, domid);
	/* dom0 is where the store lives, or gave it away: it need not ask for it. */
	if (domid && !xs_is_domain_introduced(s->xsh, domid))
		ret = fail("%s is not running: it is being built or dying", label);
	free(label);
	return ret;
}

char *domain_name(struct store *s, unsigned int domid)
{
	return store_read(s, "/local/domain/%u/name", domid);
}

char *domain_label(struct store *s, unsigned int domid)
{
	char *name = domain_name(s, domid);
	char *label;

	label = name ? text_format("domain %u (%s)", domid, name) :
		       text_format("domain %u", domid);
	free(name);
	return label;
}

static int by_value(const void *a, const void *b)
{
	unsigned int left = *(const unsigned int *)a;
	unsigned int right = *(const unsigned int *)b;

	return (left > right) - (left < right);
}

void store_numbers(struct store *s, unsigned int max, unsigned int **numbers,
		   unsigned int *count, const char *fmt, ...)
{
	char path[STORE_PATH];
	char **names = NULL;
	unsigned int i, n = 0;
	unsigned long value;
	va_list args;

	va_start(args, fmt);
	if (store_path(path, fmt, args))
		names = store_list(s, &n, "%s", path);
	va_end(args);
	*numbers = text_grow(NULL, n, sizeof(**numbers));
	*count = 0;
	for (i = 0; i < n; i++) {
		/* "05" would be shown as 5, and is not. */
		if (names[i][0] == '0' && names[i][1])
			continue;
		if (text_number(names[i], max, &value))
			(*numbers)[(*count)++] = (unsigned int)value;
	}
	free(names);
	qsort(*numbers, *count, sizeof(**numbers), by_value);
}

int domain_all(struct store *s, unsigned int **domids, unsigned int *count)
{
	store_numbers(s, DOMID_MAX, domids, count, "/local/domain");
	if (!s->error)
		return EXIT_OK;
	if (s->error == EACCES) {
		*count = 1;
		if (!domain_own(s, *domids))
			return EXIT_OK;
	} else {
		fail("cannot list /local/domain: %s", store_words(s->error));
	}
	free(*domids);
	return EXIT_FAILED;
}
