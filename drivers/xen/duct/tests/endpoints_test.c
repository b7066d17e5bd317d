// SPDX-License-Identifier: GPL-2.0
/* Endpoints: in either order, from either end, with a link or before there is one. */
#include <linux/pgtable.h>

#include "kit.h"

/**
 * struct ends_one - an endpoint that notes what it is told
 * @node: on ends_all
 * @kit: the test
 * @ep: while it is there
 * @joined: how often
 * @rung: how often
 * @gone: how often
 * @bad: a page that was not there when it should
 */
struct ends_one {
	struct list_head node;
	struct kit *kit;
	struct duct_endpoint *ep;
	atomic_t joined;
	atomic_t rung;
	atomic_t gone;
	atomic_t bad;
};

static LIST_HEAD(ends_all);

static void ends_told(struct duct_endpoint *ep, enum duct_endpoint_news news, void *data)
{
	struct ends_one *one = data;

	if (!duct_endpoint_page(ep))
		atomic_inc(&one->bad);
	if (news == DUCT_ENDPOINT_JOINED)
		atomic_inc(&one->joined);
	else if (news == DUCT_ENDPOINT_RUNG)
		atomic_inc(&one->rung);
	else
		atomic_inc(&one->gone);
	wake_up_all(&one->kit->wait);
}

static struct ends_one *ends_new(struct kunit *test)
{
	struct ends_one *one = kunit_kzalloc(test, sizeof(*one), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, one);
	one->kit = test->priv;
	list_add(&one->node, &ends_all);
	return one;
}

static void ends_reset(struct ends_one *one)
{
	atomic_set(&one->joined, 0);
	atomic_set(&one->gone, 0);
}

static void ends_advertise(struct ends_one *one, const char *name)
{
	ends_reset(one);
	one->ep = duct_endpoint_advertise(DOMID_SELF, name, ends_told, one);
	KUNIT_ASSERT_FALSE(one->kit->test, IS_ERR(one->ep));
}

static void ends_connect(struct ends_one *one, const char *name)
{
	ends_reset(one);
	one->ep = duct_endpoint_connect(DOMID_SELF, name, ends_told, one);
	KUNIT_ASSERT_FALSE(one->kit->test, IS_ERR(one->ep));
}

static void ends_close(struct ends_one *one)
{
	duct_endpoint_close(one->ep);
	one->ep = NULL;
	KUNIT_EXPECT_EQ(one->kit->test, atomic_read(&one->bad), 0);
}

/* What the one writes the other reads, and each rings the other. */
static void ends_works(struct ends_one *w, struct ends_one *r, u32 value)
{
	struct kunit *test = w->kit->test;
	int rung = atomic_read(&r->rung);
	u32 *to, *from;

	kit_wait(w->kit, atomic_read(&w->joined) > atomic_read(&w->gone) &&
		 atomic_read(&r->joined) > atomic_read(&r->gone));
	to = duct_endpoint_page(w->ep);
	from = duct_endpoint_page(r->ep);
	KUNIT_ASSERT_NOT_NULL(test, to);
	KUNIT_ASSERT_NOT_NULL(test, from);
	WRITE_ONCE(*to, value);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*from), value);
	KUNIT_EXPECT_EQ(test, duct_endpoint_notify(w->ep), 0);
	kit_wait(w->kit, atomic_read(&r->rung) > rung);
	rung = atomic_read(&w->rung);
	KUNIT_EXPECT_EQ(test, duct_endpoint_notify(r->ep), 0);
	kit_wait(w->kit, atomic_read(&w->rung) > rung);
}

static bool ends_writable(struct ends_one *one)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)duct_endpoint_page(one->ep), &level);

	return pte && pte_write(*pte);
}

static void ends_either_order(struct kunit *test)
{
	struct ends_one *w = ends_new(test), *r = ends_new(test);

	ends_advertise(w, "first");
	ends_connect(r, "first");
	ends_works(w, r, 1);
	KUNIT_EXPECT_TRUE(test, ends_writable(w));
	KUNIT_EXPECT_FALSE(test, ends_writable(r));
	ends_close(r);
	kit_wait(w->kit, atomic_read(&w->gone) == 1);
	/* The other one is back, and another name before its owner. */
	ends_connect(r, "first");
	ends_works(w, r, 2);
	ends_close(w);
	kit_wait(w->kit, atomic_read(&r->gone) == 1);
	KUNIT_EXPECT_PTR_EQ(test, duct_endpoint_page(r->ep), NULL);
	KUNIT_EXPECT_EQ(test, duct_endpoint_notify(r->ep), -ENOTCONN);
	ends_advertise(w, "first");
	ends_works(w, r, 3);
	ends_close(r);
	ends_close(w);
}

/* Without a link, and over its end. */
static void ends_no_link(struct kunit *test)
{
	struct ends_one *w = ends_new(test), *r = ends_new(test);
	int i;

	kit_loop_run(w->kit, false);
	ends_connect(r, "later");
	KUNIT_EXPECT_EQ(test, duct_endpoint_notify(r->ep), -ENOTCONN);
	ends_advertise(w, "later");
	KUNIT_EXPECT_EQ(test, duct_endpoint_notify(w->ep), 0);
	for (i = 1; i <= 3; i++) {
		kit_loop_run(w->kit, true);
		ends_works(w, r, i);
		kit_loop_run(w->kit, false);
		kit_wait(w->kit, atomic_read(&w->gone) == i && atomic_read(&r->gone) == i);
	}
	kit_loop_run(w->kit, true);
	ends_works(w, r, 4);
	ends_close(w);
	ends_close(r);
}

/* Many, of both kinds, each is its own. */
static void ends_many(struct kunit *test)
{
	struct ends_one *w[8], *r[8];
	char name[8];
	u32 i;

	for (i = 0; i < 8; i++) {
		w[i] = ends_new(test);
		r[i] = ends_new(test);
		snprintf(name, sizeof(name), "n%u", i);
		if (i % 2)
			ends_advertise(w[i], name);
		ends_connect(r[i], name);
		if (!(i % 2))
			ends_advertise(w[i], name);
	}
	for (i = 0; i < 8; i++)
		ends_works(w[i], r[i], 100 + i);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, *(u32 *)duct_endpoint_page(r[i]->ep), 100 + i);
	for (i = 0; i < 8; i++) {
		ends_close(i % 3 ? w[i] : r[i]);
		ends_close(i % 3 ? r[i] : w[i]);
	}
}

static void ends_bad_input(struct kunit *test)
{
	struct ends_one *one = ends_new(test);
	char name[DUCT_ENDPOINT_NAME + 1];

	memset(name, 'x', DUCT_ENDPOINT_NAME);
	name[DUCT_ENDPOINT_NAME] = '\0';
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_endpoint_advertise(DOMID_SELF, name, ends_told, one)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_endpoint_connect(DOMID_SELF, "", ends_told, one)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_endpoint_connect(DOMID_SELF, "x", NULL, one)), -EINVAL);
	name[DUCT_ENDPOINT_NAME - 1] = '\0';
	ends_advertise(one, name);
	KUNIT_EXPECT_EQ(test, PTR_ERR(duct_endpoint_advertise(DOMID_SELF, name, ends_told, one)),
			-EEXIST);
	ends_close(one);
	/* To a domain that there is no link with: nothing happens. */
	one->ep = duct_endpoint_connect(77, "x", ends_told, one);
	KUNIT_ASSERT_FALSE(test, IS_ERR(one->ep));
	ends_close(one);
	duct_endpoint_close(NULL);
	duct_endpoint_close(ERR_PTR(-EEXIST));
}

/* Also what a test that failed has left. */
static void ends_exit(struct kunit *test)
{
	struct ends_one *one;

	list_for_each_entry(one, &ends_all, node)
		duct_endpoint_close(one->ep);
	INIT_LIST_HEAD(&ends_all);
	kit_exit(test);
}

static struct kunit_case ends_cases[] = {
	KUNIT_CASE(ends_either_order),
	KUNIT_CASE(ends_no_link),
	KUNIT_CASE(ends_many),
	KUNIT_CASE(ends_bad_input),
	{}
};

struct kunit_suite duct_endpoints_suite = {
	.name = "duct_endpoints",
	.init = kit_init,
	.exit = ends_exit,
	.test_cases = ends_cases,
};
