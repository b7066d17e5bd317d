// SPDX-License-Identifier: GPL-2.0-only
/* ductctl attach: a new link. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "attach.h"
#include "domain.h"
#include "output.h"
#include "text.h"

#define TOOLSTACK 0u	/* owner of /libxl */

static int write_number(struct store *s, const struct store_perm *perm, unsigned int number,
			const char *dir, const char *name)
{
	char *text = text_format("%u", number);
	int ret = store_write(s, perm, text, "%s/%s", dir, name);

	free(text);
	return ret;
}

/* The guest owns it: it writes here, the backend reads. */
static int write_front(struct store *s, const struct link *l)
{
	struct store_perm perm = { l->front.domid, (int)l->back.domid };
	struct store_perm own = { l->front.domid, STORE_NOBODY };
	const char *dir = l->front.dir;
	int ret;

	ret = store_remove(s, 0, "%s", dir);
	if (!ret)
		ret = store_mkdir(s, &own, "/local/domain/%u/device", l->front.domid);
	if (!ret)
		ret = store_mkdir(s, &perm, "/local/domain/%u/device/duct", l->front.domid);
	if (!ret)
		ret = store_mkdir(s, &perm, "%s", dir);
	if (!ret)
		ret = store_write(s, &perm, l->back.dir, "%s/backend", dir);
	if (!ret)
		ret = write_number(s, &perm, l->back.domid, dir, "backend-id");
	if (!ret)
		ret = write_number(s, &perm, LINK_INITIALISING, dir, "state");
	return ret;
}

/* Nodes that the backend's directory and the toolstack's copy have in common. */
static int write_common(struct store *s, const struct link *l, const struct policy *p,
			const struct store_perm *perm, const char *dir)
{
	int ret;

	ret = store_mkdir(s, perm, "%s", dir);
	if (!ret)
		ret = store_write(s, perm, l->front.dir, "%s/frontend", dir);
	if (!ret)
		ret = write_number(s, perm, l->front.domid, dir, "frontend-id");
	if (!ret)
		ret = write_number(s, perm, 1, dir, "online");
	if (!ret)
		ret = write_number(s, perm, LINK_INITIALISING, dir, "state");
	if (!ret)
		ret = policy_write(s, p, perm, dir);
	return ret;
}

/* The frontend reads it and must never write: it holds the policy. */
static int write_back(struct store *s, const struct link *l, const struct policy *p)
{
	struct store_perm perm = { l->back.domid, (int)l->front.domid };
	struct store_perm own = { l->back.domid, STORE_NOBODY };
	unsigned int back = l->back.domid;
	int ret;

	ret = store_remove(s, 0, "%s", l->back.dir);
	if (!ret)
		ret = store_mkdir(s, &own, "/local/domain/%u/backend", back);
	if (!ret)
		ret = store_mkdir(s, &own, "/local/domain/%u/backend/duct", back);
	if (!ret)
		ret = store_mkdir(s, &own, "/local/domain/%u/backend/duct/%u", back,
				  l->front.domid);
	if (!ret)
		ret = write_common(s, l, p, &perm, l->back.dir);
	return ret;
}

/* As libxl does for its own kinds, so that nobody need trust the backend. */
static int write_libxl(struct store *s, const struct link *l, const struct policy *p)
{
	struct store_perm perm = { TOOLSTACK, STORE_NOBODY };
	unsigned int front = l->front.domid;
	int ret;

	ret = store_remove(s, 0, "%s", l->libxl);
	if (!ret)
		ret = store_mkdir(s, &perm, "/libxl");
	if (!ret)
		ret = store_mkdir(s, &perm, "/libxl/%u", front);
	if (!ret)
		ret = store_mkdir(s, &perm, "/libxl/%u/device", front);
	if (!ret)
		ret = store_mkdir(s, &perm, "/libxl/%u/device/duct", front);
	if (!ret)
		ret = write_common(s, l, p, &perm, l->libxl);
	if (!ret)
		ret = store_write(s, &perm, l->back.dir, "%s/backend", l->libxl);
	if (!ret)
		ret = write_number(s, &perm, l->back.domid, l->libxl, "backend-id");
	return ret;
}

int attach_write(struct store *s, const struct link *l, const struct policy *p)
{
	int ret;

	/* What an earlier link of the same number left would be taken for ours. */
	ret = store_remove(s, 2, "%s", l->front.error);
	if (!ret)
		ret = store_remove(s, 3, "%s", l->back.error);
	if (!ret)
		ret = write_front(s, l);
	if (!ret)
		ret = write_back(s, l, p);
	if (!ret)
		ret = write_libxl(s, l, p);
	return ret;
}

static int check_domain(struct store *s, unsigned int domid)
{
	bool present;

	if (store_present(s, &present, "/local/domain/%u", domid))
		return EXIT_FAILED;
	return present ? EXIT_OK : fail("domain %u has just been destroyed", domid);
}

int attach_check_domains(struct store *s, const struct link *l)
{
	int ret = check_domain(s, l->front.domid);

	return ret ? ret : check_domain(s, l->back.domid);
}

/* Says what is in the way; @front and @back tell which directories are there. */
static int refuse(struct store *s, struct link *l, bool front, bool back)
{
	char *label = link_label(s, l);
	char *other = store_read(s, "%s/backend", l->front.dir);
	int ret;

	link_read(s, l);
	if (front && back && l->front.state != LINK_NO_STATE)
		ret = fail("%s with domain %u exists already: frontend %s, backend %s",
			   label, l->back.domid, link_state(l->front.state),
			   link_state(l->back.state));
	else if (back)
		ret = fail("a stale leftover of %s is in the way (its frontend is gone, backend %s): remove it with 'ductctl detach %u --backend %u --handle %u --force'",
			   label, link_state(l->back.state), l->front.domid, l->back.domid,
			   l->handle);
	else if (l->front.state != LINK_NO_STATE)
		ret = fail("a stale leftover of %s is in the way (its backend is gone, frontend %s): remove it with 'ductctl detach %u --backend %u --handle %u --force', or use reattach",
			   label, link_state(l->front.state), l->front.domid, l->back.domid,
			   l->handle);
	else
		ret = fail("%s exists already, with the backend %s: use another --handle",
			   label, other ? other : "unknown");
	free(other);
	free(label);
	return ret;
}

struct attach {
	struct link *link;
	const struct policy *policy;
};

static int attach_body(struct store *s, void *arg)
{
	struct attach *a = arg;
	bool front, back;
	int ret;

	ret = attach_check_domains(s, a->link);
	if (ret)
		return ret;
	/* A directory that names no backend is not a link: it goes. */
	if (store_present(s, &front, "%s/backend", a->link->front.dir) ||
	    store_present(s, &back, "%s", a->link->back.dir))
		return EXIT_FAILED;
	if (front || back)
		return refuse(s, a->link, front, back);
	return attach_write(s, a->link, a->policy);
}

int attach_finish(struct ductctl *d, struct link *l)
{
	struct json_object *tree;
	int ret = EXIT_OK;

	if (d->opt.dry_run) {
		output_changes(d);
		return EXIT_OK;
	}
	if (d->opt.no_wait)
		link_read(&d->store, l);
	else
		ret = attach_wait(&d->store, l,
				  d->opt.wait_given ? d->opt.wait : ATTACH_WAIT);
	if (ret)
		return ret;
	tree = link_tree(&d->store, l);
	if (d->opt.json) {
		output_json(tree);
		return EXIT_OK;
	}
	printf("link %u: frontend domain %u (%s) %s, backend domain %u (%s) %s, uuid %s\n",
	       l->handle, l->front.domid, output_field(tree, "frontend", "name"),
	       link_state(l->front.state), l->back.domid,
	       output_field(tree, "backend", "name"), link_state(l->back.state),
	       output_field(tree, "uuid", NULL));
	json_object_put(tree);
	return EXIT_OK;
}

int cmd_attach(struct ductctl *d)
{
	struct link l;
	struct attach a = { &l, &d->opt.policy };
	unsigned int front, back;
	int ret;

	ret = domain_find(&d->store, d->opt.front, &front);
	if (!ret)
		ret = link_backend(d, &back);
	if (ret)
		return ret;
	if (front == back)
		return usage_error("the frontend and the backend are both domain %u", front);
	link_init(&l, front, back, d->opt.handle);
	ret = domain_running(&d->store, front);
	if (!ret)
		ret = domain_running(&d->store, back);
	if (!ret)
		ret = policy_need_uuid(&d->opt.policy);
	if (!ret)
		ret = store_transact(&d->store, attach_body, &a);
	if (!ret)
		ret = attach_finish(d, &l);
	return ret;
}
