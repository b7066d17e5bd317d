// SPDX-License-Identifier: GPL-2.0-only
/*
 * ductctl reattach: the link that was there, with its identity, after the
 * guest was restored or migrated (new domain id, all nodes gone) or after its
 * driver domain was replaced. Doing it twice does nothing the second time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "domain.h"

struct reattach {
	struct link *link;
	const struct policy *given;	/* the options */
	struct policy recorded;
};

static bool is_open(int state)
{
	return state != LINK_NO_STATE && state != LINK_CLOSING && state != LINK_CLOSED;
}

/* The toolstack's own record is what counts; without one, the options. */
static int choose_policy(struct store *s, struct reattach *r, bool recorded,
			 const struct policy **chosen)
{
	const char *uuid = r->given->uuid;
	int ret;

	*chosen = recorded ? &r->recorded : r->given;
	if (!recorded && !*uuid)
		return fail("nothing is recorded of link %u of domain %u: give --uuid and the other options that 'ductctl show' printed as its reattach line",
			    r->link->handle, r->link->front.domid);
	if (!recorded)
		return EXIT_OK;
	/* what an attempt before this one read */
	policy_free(&r->recorded);
	policy_init(&r->recorded);
	ret = policy_read(s, &r->recorded, r->link->libxl);
	if (!ret && *uuid && strcmp(uuid, r->recorded.uuid))
		ret = fail("link %u of domain %u has the uuid %s: detach it first",
			   r->link->handle, r->link->front.domid, r->recorded.uuid);
	return ret;
}

/* The backend that the record names, if that is another one, loses the link. */
static int remove_old_backend(struct store *s, const struct link *l)
{
	unsigned long domid;
	struct link old;

	if (!store_number(s, &domid, "%s/backend-id", l->libxl) || domid > DOMID_MAX ||
	    domid == l->back.domid)
		return EXIT_OK;
	link_init(&old, l->front.domid, (unsigned int)domid, l->handle);
	return store_remove(s, 2, "%s", old.back.dir);
}

/* Is it the directory of this link, made for a domain that is no more? */
static bool is_of_the_dead(struct store *s, const struct link *old, const char *uuid)
{
	char *text = store_read(s, "%s/uuid", old->back.dir);
	bool same = text && !strcmp(text, uuid), alive = true;

	free(text);
	return same && !store_present(s, &alive, "/local/domain/%u", old->front.domid) && !alive;
}

/*
 * What the backend has of the guest's last life: its driver removes that, but if its module
 * was not loaded when the guest was saved, nobody has, and it cannot be taken for a link.
 */
static int remove_last_life(struct store *s, const struct link *l, const char *uuid)
{
	unsigned int *front, n, i;
	int ret = EXIT_OK;
	struct link old;

	store_numbers(s, DOMID_MAX, &front, &n, "/local/domain/%u/backend/duct", l->back.domid);
	if (s->error && s->error != ENOENT)
		ret = fail("cannot list the links of domain %u: %s", l->back.domid,
			   store_words(s->error));
	for (i = 0; i < n && !ret; i++) {
		link_init(&old, front[i], l->back.domid, l->handle);
		if (front[i] != l->front.domid && is_of_the_dead(s, &old, uuid))
			ret = store_remove(s, 2, "%s", old.back.dir);
	}
	free(front);
	return ret;
}

static int reattach_body(struct store *s, void *arg)
{
	struct reattach *r = arg;
	const struct policy *policy;
	struct link *l = r->link;
	bool recorded;
	int ret;

	ret = attach_check_domains(s, l);
	if (ret)
		return ret;
	if (store_present(s, &recorded, "%s/uuid", l->libxl))
		return EXIT_FAILED;
	ret = choose_policy(s, r, recorded, &policy);
	if (ret)
		return ret;
	link_read(s, l);
	if (recorded && is_open(l->front.state) && is_open(l->back.state))
		return EXIT_OK;
	ret = remove_old_backend(s, l);
	if (!ret)
		ret = remove_last_life(s, l, policy->uuid);
	if (!ret)
		ret = attach_write(s, l, policy);
	return ret;
}

int cmd_reattach(struct ductctl *d)
{
	struct link l;
	struct reattach r = { .link = &l, .given = &d->opt.policy };
	int ret;

	ret = link_find(d, &l);
	if (!ret)
		ret = domain_running(&d->store, l.front.domid);
	if (!ret)
		ret = domain_running(&d->store, l.back.domid);
	if (!ret)
		ret = store_transact(&d->store, reattach_body, &r);
	policy_free(&r.recorded);
	if (!ret)
		ret = attach_finish(d, &l);
	return ret;
}
