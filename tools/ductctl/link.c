// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "link.h"
#include "text.h"

static const char * const state_names[] = {
	"Unknown", "Initialising", "InitWait", "Initialised", "Connected",
	"Closing", "Closed", "Reconfiguring", "Reconfigured",
};

#define STATES ARRAY_SIZE(state_names)

const char *link_state(int state)
{
	if (state == LINK_NO_STATE)
		return "none";
	if (state < 0 || (size_t)state >= STATES)
		return "invalid";
	return state_names[state];
}

void link_init(struct link *l, unsigned int front, unsigned int back, unsigned int handle)
{
	memset(l, 0, sizeof(*l));
	l->handle = handle;
	l->front.domid = front;
	l->back.domid = back;
	l->front.state = LINK_NO_STATE;
	l->back.state = LINK_NO_STATE;
	snprintf(l->front.dir, LINK_DIR, "/local/domain/%u/device/duct/%u", front, handle);
	snprintf(l->front.error, LINK_DIR, "/local/domain/%u/error/device/duct/%u",
		 front, handle);
	snprintf(l->back.dir, LINK_DIR, "/local/domain/%u/backend/duct/%u/%u",
		 back, front, handle);
	snprintf(l->back.error, LINK_DIR, "/local/domain/%u/error/backend/duct/%u/%u",
		 back, front, handle);
	snprintf(l->libxl, LINK_DIR, "/libxl/%u/device/duct/%u", front, handle);
}

static int read_state(struct store *s, const struct link_end *end)
{
	unsigned long state;

	if (store_number(s, &state, "%s/state", end->dir))
		return state < STATES ? (int)state : LINK_BAD_STATE;
	return s->error ? LINK_NO_STATE : LINK_BAD_STATE;
}

void link_read(struct store *s, struct link *l)
{
	size_t len;
	char *other;

	l->back.state = read_state(s, &l->back);
	l->front.state = LINK_NO_STATE;
	other = store_read_raw(s, &len, "%s/backend", l->front.dir);
	if (other && !strcmp(other, l->back.dir))
		l->front.state = read_state(s, &l->front);
	free(other);
}

int link_backend(struct ductctl *d, unsigned int *domid)
{
	if (d->opt.backend)
		return domain_find(&d->store, d->opt.backend, domid);
	return domain_own(&d->store, domid);
}

int link_find(struct ductctl *d, struct link *l)
{
	struct store *s = &d->store;
	unsigned int front, back;
	unsigned long known;
	int ret;

	ret = domain_find(s, d->opt.front, &front);
	if (ret)
		return ret;
	if (!d->opt.backend && store_number(s, &known, "/libxl/%u/device/duct/%u/backend-id",
					    front, d->opt.handle) && known <= DOMID_MAX) {
		back = (unsigned int)known;
	} else {
		ret = link_backend(d, &back);
		if (ret)
			return ret;
	}
	if (front == back)
		return usage_error("the frontend and the backend are both domain %u", front);
	link_init(l, front, back, d->opt.handle);
	return EXIT_OK;
}

bool link_has_copy(struct store *s, const struct link *l)
{
	size_t len;
	char *back = store_read_raw(s, &len, "%s/backend", l->libxl);
	bool same = back && !strcmp(back, l->back.dir);

	free(back);
	return same;
}

int link_find_present(struct ductctl *d, struct link *l)
{
	struct store *s = &d->store;
	bool front, back;
	char *label;
	int ret;

	ret = link_find(d, l);
	if (ret)
		return ret;
	link_read(s, l);
	if (store_present(s, &front, "%s", l->front.dir) ||
	    store_present(s, &back, "%s", l->back.dir))
		return EXIT_FAILED;
	/* A frontend's directory counts only if it names this backend. */
	if (back || l->front.state != LINK_NO_STATE || link_has_copy(s, l))
		return EXIT_OK;
	label = domain_label(s, l->front.domid);
	ret = fail("%s has no link %u with domain %u%s", label, l->handle, l->back.domid,
		   front ? ", but one with another backend" : "");
	free(label);
	return ret;
}

char *link_label(struct store *s, const struct link *l)
{
	char *domain = domain_label(s, l->front.domid);
	char *label = text_format("link %u of %s", l->handle, domain);

	free(domain);
	return label;
}

char *link_error(struct store *s, const struct link_end *end)
{
	return store_read(s, "%s/error", end->error);
}

static struct json_object *end_tree(struct store *s, const struct link_end *end)
{
	struct json_object *tree = json_object_new_object();
	char *name = domain_name(s, end->domid);

	json_object_object_add(tree, "domid", json_object_new_int64(end->domid));
	json_object_object_add(tree, "name", name ? json_object_new_string(name) : NULL);
	json_object_object_add(tree, "state", json_object_new_string(link_state(end->state)));
	free(name);
	return tree;
}

struct json_object *link_tree(struct store *s, const struct link *l)
{
	struct json_object *tree = json_object_new_object();
	char *uuid = store_read(s, "%s/uuid", l->back.dir);

	json_object_object_add(tree, "handle", json_object_new_int64(l->handle));
	json_object_object_add(tree, "frontend", end_tree(s, &l->front));
	json_object_object_add(tree, "backend", end_tree(s, &l->back));
	json_object_object_add(tree, "uuid", uuid ? json_object_new_string(uuid) : NULL);
	free(uuid);
	return tree;
}
