// SPDX-License-Identifier: GPL-2.0-only
/*
 * ductctl detach: libxl's way. The backend is told (online 0, state Closing),
 * both ends close, then all directories of the link go in one transaction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "domain.h"
#include "link.h"
#include "output.h"
#include "text.h"

/* Did this pair ever share memory? If not there is nobody to wait for. */
static bool never_connected(struct store *s, const struct link *l)
{
	unsigned long version;

	if (l->back.state != LINK_INITIALISING && l->back.state != LINK_INIT_WAIT)
		return false;
	return l->front.state == LINK_NO_STATE ||
	       (l->front.state == LINK_INITIALISING &&
		!store_number(s, &version, "%s/version", l->front.dir));
}

/* Also when its domain is gone, and all of it in xenstore. */
static bool is_closed(const struct link *l)
{
	return l->back.state == LINK_NO_STATE || l->back.state == LINK_CLOSED;
}

static int remove_body(struct store *s, void *arg)
{
	struct link *l = arg;
	int ret = EXIT_OK;

	link_read(s, l);
	/* The frontend may have a link of this number with another backend. */
	if (l->front.state != LINK_NO_STATE)
		ret = store_remove(s, 1, "%s", l->front.dir);
	if (!ret)
		ret = store_remove(s, 2, "%s", l->back.dir);
	if (!ret && link_has_copy(s, l))
		ret = store_remove(s, 1, "%s", l->libxl);
	if (!ret)
		ret = store_remove(s, 2, "%s", l->front.error);
	if (!ret)
		ret = store_remove(s, 3, "%s", l->back.error);
	return ret;
}

struct detach {
	struct link *link;
	bool force;
	bool removed;		/* nothing to wait for: it is gone already */
};

static int begin_body(struct store *s, void *arg)
{
	struct detach *a = arg;
	struct link *l = a->link;
	struct store_perm perm = { l->back.domid, (int)l->front.domid };
	char closing[4];
	int ret;

	link_read(s, l);
	a->removed = a->force || is_closed(l) || never_connected(s, l);
	if (a->removed)
		return remove_body(s, l);
	snprintf(closing, sizeof(closing), "%d", LINK_CLOSING);
	ret = store_write(s, &perm, "0", "%s/online", l->back.dir);
	if (!ret)
		ret = store_write(s, &perm, closing, "%s/state", l->back.dir);
	return ret;
}

static int wait_closed(struct store *s, struct link *l, unsigned int seconds)
{
	int64_t deadline = store_now() + (int64_t)seconds * 1000;
	enum store_event event;
	char *label;
	int ret;

	if (store_watch(s, "%s/state", l->back.dir))
		return EXIT_FAILED;
	do {
		link_read(s, l);
		if (is_closed(l))
			return EXIT_OK;
		event = store_wait(s, deadline);
		/* A guest that writes without end must not keep us here. */
		if (event == STORE_CHANGED && store_now() >= deadline)
			event = STORE_TIMEOUT;
	} while (event == STORE_CHANGED);
	if (event != STORE_TIMEOUT)
		return EXIT_FAILED;
	label = link_label(s, l);
	ret = fail("%s did not close within %u s (frontend %s, backend %s): it is still attached, --force removes it",
		   label, seconds, link_state(l->front.state), link_state(l->back.state));
	free(label);
	return ret;
}

static int report(struct ductctl *d, struct json_object *tree)
{
	if (d->opt.dry_run) {
		json_object_put(tree);
		output_changes(d);
		return EXIT_OK;
	}
	json_object_object_add(tree, "detached", json_object_new_boolean(true));
	if (d->opt.json) {
		output_json(tree);
		return EXIT_OK;
	}
	printf("link %s: detached, frontend domain %s (%s), backend domain %s (%s), uuid %s\n",
	       output_field(tree, "handle", NULL), output_field(tree, "frontend", "domid"),
	       output_field(tree, "frontend", "name"), output_field(tree, "backend", "domid"),
	       output_field(tree, "backend", "name"), output_field(tree, "uuid", NULL));
	json_object_put(tree);
	return EXIT_OK;
}

int cmd_detach(struct ductctl *d)
{
	struct store *s = &d->store;
	struct json_object *tree;
	struct link l;
	struct detach a = { .link = &l, .force = d->opt.force };
	int ret;

	ret = link_find_present(d, &l);
	if (ret)
		return ret;
	tree = link_tree(s, &l);
	ret = store_transact(s, begin_body, &a);
	if (!ret && !a.removed && !d->opt.dry_run)
		ret = wait_closed(s, &l, d->opt.wait_given ? d->opt.wait : DETACH_WAIT);
	if (!ret && !a.removed)
		ret = store_transact(s, remove_body, &l);
	if (!ret)
		return report(d, tree);
	json_object_put(tree);
	return ret;
}
