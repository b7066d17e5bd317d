// SPDX-License-Identifier: GPL-2.0-only
/* Finding all links. */
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "link.h"
#include "text.h"

static void add_link(struct link **links, size_t *count, const struct link *l)
{
	*links = text_grow(*links, *count + 1, sizeof(**links));
	(*links)[(*count)++] = *l;
}

static bool is_known(const struct link *links, size_t count, const struct link *l)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(links[i].back.dir, l->back.dir))
			return true;
	return false;
}

static void scan_backend(struct store *s, unsigned int back, struct link **links,
			 size_t *count)
{
	unsigned int i, j, fronts, handles;
	unsigned int *front, *handle;
	struct link l;

	store_numbers(s, DOMID_MAX, &front, &fronts, "/local/domain/%u/backend/duct", back);
	for (i = 0; i < fronts; i++) {
		store_numbers(s, HANDLE_MAX, &handle, &handles,
			      "/local/domain/%u/backend/duct/%u", back, front[i]);
		for (j = 0; j < handles; j++) {
			link_init(&l, front[i], back, handle[j]);
			add_link(links, count, &l);
		}
		free(handle);
	}
	free(front);
}

/* What a frontend has and no backend knows (or we may not see it there). */
static void scan_frontend(struct store *s, unsigned int front, const unsigned int *back,
			  struct link **links, size_t *count)
{
	unsigned int i, handles;
	unsigned int *handle;
	unsigned long domid;
	struct link l;

	store_numbers(s, HANDLE_MAX, &handle, &handles, "/local/domain/%u/device/duct", front);
	for (i = 0; i < handles; i++) {
		if (!store_number(s, &domid, "/local/domain/%u/device/duct/%u/backend-id",
				  front, handle[i]) || domid > DOMID_MAX)
			continue;
		if (back && domid != *back)
			continue;
		link_init(&l, front, (unsigned int)domid, handle[i]);
		if (!is_known(*links, *count, &l))
			add_link(links, count, &l);
	}
	free(handle);
}

static int by_front(const void *a, const void *b)
{
	const struct link *left = a, *right = b;

	if (left->front.domid != right->front.domid)
		return left->front.domid < right->front.domid ? -1 : 1;
	if (left->handle != right->handle)
		return left->handle < right->handle ? -1 : 1;
	return (left->back.domid > right->back.domid) - (left->back.domid < right->back.domid);
}

int link_scan(struct store *s, const unsigned int *back, struct link **links, size_t *count)
{
	unsigned int *domids;
	unsigned int i, n;
	size_t k;

	*links = NULL;
	*count = 0;
	if (domain_all(s, &domids, &n))
		return EXIT_FAILED;
	for (i = 0; i < n; i++)
		if (!back || domids[i] == *back)
			scan_backend(s, domids[i], links, count);
	for (i = 0; i < n; i++)
		scan_frontend(s, domids[i], back, links, count);
	free(domids);
	for (k = 0; k < *count; k++)
		link_read(s, &(*links)[k]);
	if (*count)
		qsort(*links, *count, sizeof(**links), by_front);
	return EXIT_OK;
}
