// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoints: a page by name, written by one domain and read by another, and a
 * notification each way; see duct_endpoint_advertise(). Each is a region of one page,
 * which the other end may only read, with a trigger at its first byte. Names go over
 * channel 0 of the service "endpoint", which both ends load.
 *
 * What is wanted, known and said may change in any order: one work for each device
 * brings them in line.
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <xen/duct.h>

#define ENDPOINT_NAMES	256u	/* that a peer may advertise at once */
#define ENDPOINT_IDS	(1u << 29)

/* On channel 0: an endpoint is advertised, or, without a name, not any more. */
struct endpoint_msg {
	u32 id;		/* of the region */
	char name[DUCT_ENDPOINT_NAME];
};

struct endpoint_name {
	struct list_head node;
	struct endpoint_msg msg;
};

/**
 * struct endpoint_link - a device of the service
 * @node: on endpoint_links
 * @dd: the device
 * @ch: channel 0
 * @names: struct endpoint_name: what the peer advertises; endpoint_names
 * @names_len: of those
 * @said: what the peer was told of, by id; @work's
 * @work: brings all in line
 */
struct endpoint_link {
	struct list_head node;
	struct duct_device *dd;
	struct duct_channel *ch;
	struct list_head names;
	u32 names_len;
	struct xarray said;
	struct work_struct work;
};

/**
 * struct duct_endpoint - one end of an endpoint
 * @node: on endpoints
 * @buddy: the other domain
 * @name: the endpoint's
 * @advertised: we write
 * @handler: the driver's
 * @data: for it
 * @id: of the region
 * @lock: @region and @page against duct_endpoint_notify() and duct_endpoint_page()
 * @region: advertised: the page's; connected: the same, while it is attached
 * @page: its address, connected: while it is there
 * @telling: the handler runs; outside @lock; the next two
 * @ending: connected: it is being detached
 * @joined: the handler was told so
 * @watched: @watch is registered; the region's callbacks'
 * @link: connected: by which device it is attached
 * @watch: of the other's notifications
 */
struct duct_endpoint {
	struct list_head node;
	domid_t buddy;
	char name[DUCT_ENDPOINT_NAME];
	bool advertised;
	duct_handler handler;
	void *data;
	u32 id;
	spinlock_t lock;
	struct duct_region *region;
	void *page;
	struct mutex telling;
	bool ending;
	bool joined;
	bool watched;
	struct endpoint_link *link;
	struct duct_watch watch;
};

static DEFINE_MUTEX(endpoint_lock);	/* the three below, and all that is made of them */
static LIST_HEAD(endpoints);
static LIST_HEAD(endpoint_links);
static u32 endpoint_last_id;

static DEFINE_MUTEX(endpoint_names);	/* the peers' names; inside endpoint_lock */

/* ---- the region's callbacks ---- */

static void endpoint_set(struct duct_endpoint *ep, struct duct_region *r, void *page)
{
	spin_lock_irq(&ep->lock);
	ep->region = r;
	ep->page = page;
	spin_unlock_irq(&ep->lock);
}

/* The page goes when this returns, so that whoever reads it can be stopped. */
static void endpoint_gone(struct duct_endpoint *ep, bool ending)
{
	mutex_lock(&ep->telling);
	ep->ending |= ending;
	if (ep->joined)
		ep->handler(ep, DUCT_ENDPOINT_GONE, ep->data);
	ep->joined = false;
	if (!ep->advertised)
		endpoint_set(ep, ending ? NULL : ep->region, NULL);
	mutex_unlock(&ep->telling);
}

static void endpoint_rung(struct duct_watch *w)
{
	struct duct_endpoint *ep = container_of(w, struct duct_endpoint, watch);

	mutex_lock(&ep->telling);
	if (ep->joined)
		ep->handler(ep, DUCT_ENDPOINT_RUNG, ep->data);
	mutex_unlock(&ep->telling);
}

static void endpoint_up(struct duct_region *r, unsigned int peer)
{
	struct duct_endpoint *ep = r->priv;
	int err = 0;

	/* No notification is missed that comes after "joined". */
	if (!ep->watched)
		err = duct_region_watch(r, &ep->watch);
	ep->watched = !err;
	mutex_lock(&ep->telling);
	if (!ep->ending && !err) {
		endpoint_set(ep, r, r->addr);
		ep->joined = true;
		ep->handler(ep, DUCT_ENDPOINT_JOINED, ep->data);
	}
	mutex_unlock(&ep->telling);
	if (err)
		pr_err_ratelimited("duct_endpoint: %s of domain %u cannot be watched: %d\n",
				   ep->name, ep->buddy, err);
}

static void endpoint_down(struct duct_region *r, unsigned int peer, int why)
{
	struct duct_endpoint *ep = r->priv;

	if (!ep->joined)
		pr_err_ratelimited("duct_endpoint: %s of domain %u cannot be had: %d\n", ep->name,
				   ep->buddy, why);
	endpoint_gone(ep, false);
}

static const struct duct_region_ops endpoint_ops = {
	.up = endpoint_up,
	.down = endpoint_down,
};

/* ---- what the peer advertises ---- */

static int endpoint_recv(struct duct_channel *ch, struct duct_msg *msg)
{
	struct endpoint_link *link = ch->priv;
	struct endpoint_name *name, *next;
	struct endpoint_msg in;
	int err = 0;

	if (msg->len != sizeof(in))
		return -EINVAL;
	err = duct_read(msg, &in, sizeof(in));
	if (err)
		return err;
	in.name[sizeof(in.name) - 1] = '\0';
	mutex_lock(&endpoint_names);
	list_for_each_entry_safe(name, next, &link->names, node) {
		if (name->msg.id != in.id)
			continue;
		list_del(&name->node);
		link->names_len--;
		kfree(name);
	}
	if (in.name[0]) {
		name = link->names_len < ENDPOINT_NAMES ? kmalloc(sizeof(*name), GFP_KERNEL) : NULL;
		err = name ? 0 : -ENOMEM;
	}
	if (in.name[0] && !err) {
		name->msg = in;
		list_add_tail(&name->node, &link->names);
		link->names_len++;
	}
	mutex_unlock(&endpoint_names);
	schedule_work(&link->work);
	return err;
}

/* Return: the id that a name has, U32_MAX: none */
static u32 endpoint_find_name(struct endpoint_link *link, const char *wanted)
{
	struct endpoint_name *name;
	u32 id = U32_MAX;

	mutex_lock(&endpoint_names);
	list_for_each_entry(name, &link->names, node)
		if (!strcmp(name->msg.name, wanted))
			id = name->msg.id;
	mutex_unlock(&endpoint_names);
	return id;
}

/* ---- bringing in line ---- */

/* Connected: lets go of the page. Callbacks are over when this returns. */
static void endpoint_detach(struct duct_endpoint *ep)
{
	struct duct_region *r = ep->region;

	lockdep_assert_held(&endpoint_lock);
	endpoint_gone(ep, true);
	duct_region_put(r);
	ep->link = NULL;
}

static void endpoint_attach(struct duct_endpoint *ep, struct endpoint_link *link, u32 id)
{
	struct duct_region *r;

	lockdep_assert_held(&endpoint_lock);
	ep->ending = false;
	ep->watched = false;
	r = duct_region_attach(link->dd, id, &endpoint_ops, ep);
	if (IS_ERR(r)) {
		duct_err(link->dd, "endpoint %s: %ld\n", ep->name, PTR_ERR(r));
		return;
	}
	spin_lock_irq(&ep->lock);
	ep->region = r;
	spin_unlock_irq(&ep->lock);
	ep->link = link;
	ep->id = id;
}

static void endpoint_settle_connected(struct endpoint_link *link)
{
	struct duct_endpoint *ep;

	list_for_each_entry(ep, &endpoints, node) {
		u32 id;

		if (ep->advertised || ep->buddy != link->dd->peer)
			continue;
		id = endpoint_find_name(link, ep->name);
		if (ep->link == link && ep->id != id)
			endpoint_detach(ep);
		if (!ep->link && id != U32_MAX)
			endpoint_attach(ep, link, id);
	}
}

static struct duct_endpoint *endpoint_of_id(unsigned long id)
{
	struct duct_endpoint *ep;

	list_for_each_entry(ep, &endpoints, node)
		if (ep->advertised && ep->id == id)
			return ep;
	return NULL;
}

static int endpoint_say(struct endpoint_link *link, u32 id, const char *name)
{
	struct endpoint_msg msg = { .id = id };

	strscpy(msg.name, name, sizeof(msg.name));
	return duct_send(link->ch, &msg, sizeof(msg), 0);
}

/* Return: 0; -EAGAIN: writable() runs it again; or the channel is not up */
static int endpoint_settle_advertised(struct endpoint_link *link)
{
	struct duct_endpoint *ep;
	unsigned long id;
	void *entry;
	int err = 0;

	xa_for_each(&link->said, id, entry) {
		if (endpoint_of_id(id))
			continue;
		err = endpoint_say(link, id, "");
		if (err)
			return err;
		xa_erase(&link->said, id);
	}
	list_for_each_entry(ep, &endpoints, node) {
		if (!ep->advertised || ep->buddy != link->dd->peer || xa_load(&link->said, ep->id))
			continue;
		err = duct_region_offer(ep->region, link->dd, ep->id, false);
		if (err && err != -EEXIST) {
			duct_err(link->dd, "endpoint %s: %d\n", ep->name, err);
			continue;
		}
		err = endpoint_say(link, ep->id, ep->name);
		if (!err)
			err = xa_err(xa_store(&link->said, ep->id, xa_mk_value(1), GFP_KERNEL));
		if (err)
			return err;
	}
	return 0;
}

static void endpoint_work(struct work_struct *work)
{
	struct endpoint_link *link = container_of(work, struct endpoint_link, work);

	mutex_lock(&endpoint_lock);
	endpoint_settle_connected(link);
	endpoint_settle_advertised(link);
	mutex_unlock(&endpoint_lock);
}

/* [any] */
static void endpoint_again(struct duct_channel *ch)
{
	struct endpoint_link *link = ch->priv;

	schedule_work(&link->work);
}

static const struct duct_channel_ops endpoint_channel_ops = {
	.up = endpoint_again,
	.recv = endpoint_recv,
	.writable = endpoint_again,
};

/* ---- the service ---- */

static int endpoint_probe(struct duct_device *dd)
{
	struct duct_channel_config cfg = {
		.ops = &endpoint_channel_ops,
		.max_msg = sizeof(struct endpoint_msg),
	};
	struct endpoint_link *link = kzalloc(sizeof(*link), GFP_KERNEL);
	int err;

	if (!link)
		return -ENOMEM;
	link->dd = dd;
	INIT_LIST_HEAD(&link->names);
	xa_init(&link->said);
	INIT_WORK(&link->work, endpoint_work);
	dev_set_drvdata(&dd->dev, link);
	cfg.priv = link;
	/* Before its work can run. */
	mutex_lock(&endpoint_lock);
	err = duct_open(dd, 0, &cfg, &link->ch);
	if (!err)
		list_add_tail(&link->node, &endpoint_links);
	mutex_unlock(&endpoint_lock);
	if (err)
		kfree(link);
	return err;
}

static void endpoint_remove(struct duct_device *dd)
{
	struct endpoint_link *link = dev_get_drvdata(&dd->dev);
	struct endpoint_name *name, *next;
	struct duct_endpoint *ep;

	mutex_lock(&endpoint_lock);
	list_del(&link->node);
	mutex_unlock(&endpoint_lock);
	/* Nobody queues the work after this. */
	duct_close(link->ch);
	cancel_work_sync(&link->work);
	mutex_lock(&endpoint_lock);
	list_for_each_entry(ep, &endpoints, node) {
		if (ep->link == link)
			endpoint_detach(ep);
		if (ep->advertised)
			duct_region_revoke(ep->region, dd);
	}
	mutex_unlock(&endpoint_lock);
	list_for_each_entry_safe(name, next, &link->names, node)
		kfree(name);
	xa_destroy(&link->said);
	kfree(link);
}

static const struct duct_device_id endpoint_ids[] = {
	{ "endpoint" },
	{ }
};

static struct duct_driver endpoint_driver = {
	.id_table = endpoint_ids,
	.roles = DUCT_PEER,
	.probe = endpoint_probe,
	.remove = endpoint_remove,
};
module_duct_driver(endpoint_driver);

/* ---- for drivers ---- */

static struct duct_endpoint *endpoint_new(domid_t buddy, const char *name, bool advertised,
					  duct_handler handler, void *data)
{
	struct duct_endpoint *ep;

	if (!handler || !name[0] || strlen(name) >= DUCT_ENDPOINT_NAME)
		return ERR_PTR(-EINVAL);
	ep = kzalloc(sizeof(*ep), GFP_KERNEL);
	if (!ep)
		return ERR_PTR(-ENOMEM);
	ep->buddy = buddy;
	strscpy(ep->name, name, sizeof(ep->name));
	ep->advertised = advertised;
	ep->handler = handler;
	ep->data = data;
	ep->watch.fn = endpoint_rung;
	spin_lock_init(&ep->lock);
	mutex_init(&ep->telling);
	return ep;
}

/* Advertised: the page, before anybody can see it. Return: 0 or -errno */
static int endpoint_make_page(struct duct_endpoint *ep)
{
	struct duct_region *r = duct_region_create(PAGE_SIZE, &endpoint_ops, ep);

	if (IS_ERR(r))
		return PTR_ERR(r);
	endpoint_set(ep, r, r->addr);
	ep->watched = true;
	return duct_region_watch(r, &ep->watch);
}

/* Every device looks again. */
static void endpoint_settle_all(void)
{
	struct endpoint_link *link;

	lockdep_assert_held(&endpoint_lock);
	list_for_each_entry(link, &endpoint_links, node)
		schedule_work(&link->work);
}

static struct duct_endpoint *endpoint_add(struct duct_endpoint *ep)
{
	struct duct_endpoint *other;
	int err = 0;

	if (IS_ERR(ep))
		return ep;
	mutex_lock(&endpoint_lock);
	list_for_each_entry(other, &endpoints, node)
		if (other->buddy == ep->buddy && other->advertised == ep->advertised &&
		    !strcmp(other->name, ep->name))
			err = -EEXIST;
	if (!err && ep->advertised) {
		/* One that was used is used again after half a thousand million others. */
		ep->id = endpoint_last_id++ % ENDPOINT_IDS;
		err = endpoint_make_page(ep);
	}
	if (!err) {
		list_add_tail(&ep->node, &endpoints);
		endpoint_settle_all();
	}
	mutex_unlock(&endpoint_lock);
	if (!err)
		return ep;
	duct_region_put(ep->region);
	kfree(ep);
	return ERR_PTR(err);
}

/**
 * duct_endpoint_advertise() - a page for another domain to read. [sleep]
 * @buddy: the domain; DOMID_SELF on a loopback
 * @name: 1 to 31 characters, of which the domain connects to
 * @handler: told of the other end, also before this returns
 * @data: for it
 *
 * Needs no link yet: it is offered over each link to the domain that there is or will be,
 * if the toolstack allows "endpoint.0" there.
 *
 * Return: the endpoint, until duct_endpoint_close(); ERR_PTR(): -EINVAL: no handler, or a
 * name that cannot be; -EEXIST: it is advertised to the domain already; -ENOMEM
 */
struct duct_endpoint *duct_endpoint_advertise(domid_t buddy, const char *name,
					      duct_handler handler, void *data)
{
	return endpoint_add(endpoint_new(buddy, name, true, handler, data));
}
EXPORT_SYMBOL_GPL(duct_endpoint_advertise);

/**
 * duct_endpoint_connect() - another domain's page. [sleep]
 * @buddy: the domain; DOMID_SELF on a loopback
 * @name: as it advertises it, or will
 * @handler: told of the other end, also before this returns
 * @data: for it
 *
 * Return: the endpoint, until duct_endpoint_close(); ERR_PTR(): -EINVAL: no handler, or a
 * name that cannot be; -EEXIST: it is connected already; -ENOMEM
 */
struct duct_endpoint *duct_endpoint_connect(domid_t buddy, const char *name,
					    duct_handler handler, void *data)
{
	return endpoint_add(endpoint_new(buddy, name, false, handler, data));
}
EXPORT_SYMBOL_GPL(duct_endpoint_connect);

/**
 * duct_endpoint_page() - the page. [any]
 * @ep: the endpoint
 *
 * Return: advertised: the page, to write; connected: the other domain's, to read: each
 * value once, since it changes at any time; NULL while it is not there, which is before
 * the handler is told DUCT_ENDPOINT_JOINED, and after it was told DUCT_ENDPOINT_GONE
 */
void *duct_endpoint_page(struct duct_endpoint *ep)
{
	return READ_ONCE(ep->page);
}
EXPORT_SYMBOL_GPL(duct_endpoint_page);

/**
 * duct_endpoint_notify() - the other end's handler is told DUCT_ENDPOINT_RUNG. [any]
 * @ep: the endpoint
 *
 * Many notifications may be one for the handler, and the last one is never lost while the
 * other end is there.
 *
 * Return: 0, also if nobody is connected; -ENOTCONN: connected, and the other end is not
 * there
 */
int duct_endpoint_notify(struct duct_endpoint *ep)
{
	unsigned long irq;
	int err;

	spin_lock_irqsave(&ep->lock, irq);
	err = ep->region ? duct_region_trigger(ep->region, 0) : -ENOTCONN;
	spin_unlock_irqrestore(&ep->lock, irq);
	return err;
}
EXPORT_SYMBOL_GPL(duct_endpoint_notify);

/**
 * duct_endpoint_close() - the end of an endpoint here. [sleep], not in its handler
 * @ep: not used again; NULL and ERR_PTR() are fine
 *
 * The handler does not run after this. Who advertised waits up to two seconds for the
 * other domain to let go of the page, which it keeps for it if that does not.
 */
void duct_endpoint_close(struct duct_endpoint *ep)
{
	if (IS_ERR_OR_NULL(ep))
		return;
	mutex_lock(&endpoint_lock);
	list_del(&ep->node);
	duct_region_put(ep->region);
	endpoint_settle_all();
	mutex_unlock(&endpoint_lock);
	kfree(ep);
}
EXPORT_SYMBOL_GPL(duct_endpoint_close);

MODULE_ALIAS_DUCT("endpoint");
MODULE_DESCRIPTION("xen-duct: pages by name");
MODULE_LICENSE("GPL");
