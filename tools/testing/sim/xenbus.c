// SPDX-License-Identifier: GPL-2.0
/*
 * Linux's xenbus, after drivers/xen/xenbus of 6.1: it finds devices in xenstore, probes and
 * removes them, and tells drivers of the other end's state. All watches of a domain are
 * told by one thread.
 */
#include <stdlib.h>

#include "flow.h"
#include "sim.h"

#define WATCHES		48u
#define WATCHES_OF_LINK	4	/* of both ends, Linux's own among them */
#define EVENTS		256u

struct bus {
	struct bus_type bus;
	struct xenbus_watch watch;
	struct task_struct *thread;
	struct xenbus_watch *telling;	/* its callback runs */
};

static struct bus buses[SIM_DOMAINS];
static struct {
	struct xenbus_watch *watch;
	u32 domain;
	char path[SIM_PATH];
} watches[WATCHES];
static struct event {
	struct xenbus_watch *watch;
	char path[SIM_PATH];
} events[SIM_DOMAINS][EVENTS];
static u32 events_n[SIM_DOMAINS];

/* ---- watches ---- */

static bool concerns(const char *watched, const char *path, bool removed)
{
	size_t n = strlen(watched), k = strlen(path);

	if (!strncmp(path, watched, n) && (!path[n] || path[n] == '/'))
		return true;
	return removed && !strncmp(watched, path, k) && watched[k] == '/';
}

static void otherend_changed(struct xenbus_watch *watch, const char *path, const char *token);
static void bus_changed(struct xenbus_watch *watch, const char *path, const char *token);

/* XSA-349: one event of each watch waits at most; but for those that are Linux's own. */
static void check_pending(const struct xenbus_watch *watch, const char *path)
{
	if (watch->nr_pending > 1 && watch->callback != bus_changed &&
	    watch->callback != otherend_changed)
		sim_fail("%u events wait of the watch on %s", watch->nr_pending, path);
}

static void event_add(u32 i, const char *path)
{
	struct xenbus_watch *watch = watches[i].watch;
	u32 d = watches[i].domain;

	if (watch->will_handle && !watch->will_handle(watch, path, ""))
		return;
	if (events_n[d] == EVENTS)
		sim_fail("too many watch events");
	watch->nr_pending++;
	check_pending(watch, path);
	events[d][events_n[d]].watch = watch;
	strscpy(events[d][events_n[d]++].path, path, SIM_PATH);
	sim_wake(&events[d]);
}

void sim_watch_fire(const char *path, bool removed)
{
	u32 i;

	for (i = 0; i < WATCHES; i++)
		if (watches[i].watch && concerns(watches[i].path, path, removed))
			event_add(i, strlen(path) < strlen(watches[i].path) ? watches[i].path : path);
}

/* The guest's number of the link that a path is of; -1: none */
static int link_of(const char *path)
{
	unsigned int domain, guest;

	if (sscanf(path, "/local/domain/%u/backend/duct/%u/", &domain, &guest) == 2)
		return guest;
	return strstr(path, "/device/duct/") && sscanf(path, "/local/domain/%u/", &domain) == 1 ?
	       (int)domain : -1;
}

/* xenstored keeps them for each domain: those of a link are few. */
static void check_watches(const char *path)
{
	int link = link_of(path);
	u32 i, n = 0;

	for (i = 0; i < WATCHES; i++)
		n += watches[i].watch && link >= 0 && link_of(watches[i].path) == link;
	if (n > WATCHES_OF_LINK)
		sim_fail("%u watches for one link", n);
}

int register_xenbus_watch(struct xenbus_watch *watch)
{
	int err;
	u32 i;

	sim_request();
	err = sim_fault(SIM_STORE);
	if (err)
		return err;
	for (i = 0; i < WATCHES && watches[i].watch; i++)
		;
	if (i == WATCHES)
		sim_fail("too many watches");
	watches[i].watch = watch;
	watches[i].domain = sim_domain_now();
	sim_absolute(watches[i].path, watch->node, "");
	check_watches(watches[i].path);
	watch->nr_pending = 0;
	/* Each begins with one. */
	event_add(i, watches[i].path);
	return 0;
}

static void events_drop(u32 domain, const struct xenbus_watch *watch)
{
	u32 i, n = 0;

	for (i = 0; i < events_n[domain]; i++) {
		if (events[domain][i].watch == watch)
			continue;
		if (i != n)
			events[domain][n] = events[domain][i];
		n++;
	}
	events_n[domain] = n;
}

void unregister_xenbus_watch(struct xenbus_watch *watch)
{
	struct bus *bus = &buses[sim_domain_now()];
	u32 i;

	sim_request();
	for (i = 0; i < WATCHES && watches[i].watch != watch; i++)
		;
	if (i == WATCHES)
		sim_fail("a watch goes that is not there");
	watches[i].watch = NULL;
	events_drop(sim_domain_now(), watch);
	if (sim_current() == bus->thread)
		return;
	/*
	 * While it is being told of. Linux waits for whatever its thread does, and so hangs
	 * where a device is removed there and a driver here: not ours to try.
	 */
	while (bus->telling == watch)
		sim_block(&bus->telling, SIM_FOREVER);
}

int xenbus_watch_pathfmt(struct xenbus_device *dev, struct xenbus_watch *watch,
			 xenbus_will_handle_t will_handle, xenbus_callback_t callback,
			 const char *fmt, ...)
{
	char path[SIM_PATH];
	va_list args;
	int err;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	watch->node = kstrdup(path, GFP_KERNEL);
	if (!watch->node)
		return -ENOMEM;
	watch->will_handle = will_handle;
	watch->callback = callback;
	err = register_xenbus_watch(watch);
	if (err) {
		kfree(watch->node);
		watch->node = NULL;
	}
	return err;
}

static void xenwatch(void *arg)
{
	struct bus *bus = arg;
	u32 d = bus - buses;

	for (;;) {
		struct event event;

		if (sim_seed.busy && sim_one_in(3))
			sim_sleep(1 + sim_rnd(4));
		/* Who saves the domain is this thread. */
		while (!events_n[d] || sim_domains[d].frozen)
			sim_block(sim_domains[d].frozen ? (void *)&sim_domains[d].frozen :
				  &events[d], SIM_FOREVER);
		event = events[d][0];
		events_n[d]--;
		memmove(&events[d][0], &events[d][1], events_n[d] * sizeof(event));
		event.watch->nr_pending--;
		bus->telling = event.watch;
		event.watch->callback(event.watch, event.path, "");
		bus->telling = NULL;
		sim_wake(&bus->telling);
		sim_point();
	}
}

/* ---- devices ---- */

static bool is_back(void)
{
	return sim_domain_now() == SIM_BACK;
}

static void otherend_changed(struct xenbus_watch *watch, const char *path, const char *token)
{
	struct xenbus_device *dev = container_of(watch, struct xenbus_device, otherend_watch);
	struct xenbus_driver *drv;
	enum xenbus_state state;

	if (!dev->otherend || strncmp(dev->otherend, path, strlen(dev->otherend)))
		return;
	state = xenbus_read_driver_state(dev->otherend);
	drv = to_xenbus_driver(dev->dev.driver);
	if (drv->otherend_changed)
		drv->otherend_changed(dev, state);
}

static bool one_pending(struct xenbus_watch *watch, const char *path, const char *token)
{
	return watch->nr_pending == 0;
}

static void otherend_free(struct xenbus_device *dev)
{
	kfree(dev->otherend);
	dev->otherend = NULL;
}

/*
 * In one transaction. Linux reads the two one after the other, and has the number of one
 * backend and the path of another when the toolstack comes in between: not ours to try.
 */
static int otherend_read(struct xenbus_device *dev)
{
	const char *id = is_back() ? "frontend-id" : "backend-id";
	struct xenbus_transaction t;
	char *path;
	int n;

	otherend_free(dev);
	if (xenbus_transaction_start(&t))
		return -ENOMEM;
	n = xenbus_scanf(t, dev->nodename, id, "%d", &dev->otherend_id);
	path = xenbus_read(t, dev->nodename, is_back() ? "frontend" : "backend", NULL);
	xenbus_transaction_end(t, 1);
	if (n != 1) {
		if (!IS_ERR(path))
			kfree(path);
		return -ENOENT;
	}
	if (IS_ERR(path))
		return PTR_ERR(path);
	dev->otherend = path;
	if (xenbus_exists(XBT_NIL, path, ""))
		return 0;
	otherend_free(dev);
	return -ENOENT;
}

static int otherend_watch_begin(struct xenbus_device *dev)
{
	int err;

	/* Where this fails Linux forgets the driver's part: not ours to try. */
	sim_current()->spared = true;
	err = xenbus_watch_pathfmt(dev, &dev->otherend_watch, is_back() ? one_pending : NULL,
				   otherend_changed, "%s/state", dev->otherend);
	sim_current()->spared = false;
	return err;
}

static void otherend_watch_end(struct xenbus_device *dev)
{
	if (!dev->otherend_watch.node)
		return;
	unregister_xenbus_watch(&dev->otherend_watch);
	kfree(dev->otherend_watch.node);
	dev->otherend_watch.node = NULL;
}

static int xenbus_match(struct device *dev, struct device_driver *drv)
{
	return 1;
}

static int xenbus_probe(struct device *device)
{
	struct xenbus_device *dev = to_xenbus_device(device);
	struct xenbus_driver *drv = to_xenbus_driver(device->driver);
	int err = otherend_read(dev);

	if (!err)
		err = drv->probe(dev, drv->ids);
	if (err) {
		/* Linux does not try again: who attached has to, or we do when there are nodes. */
		sim_plan.heal |= err != -ENOENT || is_back();
		otherend_free(dev);
		return err;
	}
	return otherend_watch_begin(dev);
}

static void xenbus_remove(struct device *device)
{
	struct xenbus_device *dev = to_xenbus_device(device);
	struct xenbus_driver *drv = to_xenbus_driver(device->driver);

	otherend_watch_end(dev);
	drv->remove(dev);
	otherend_free(dev);
	if (!drv->allow_rebind || xenbus_read_driver_state(dev->nodename) == XenbusStateClosing)
		xenbus_switch_state(dev, XenbusStateClosed);
}

static void xenbus_release(struct device *device)
{
	struct xenbus_device *dev = to_xenbus_device(device);

	kfree(dev->nodename);
	kfree(dev);
}

static const struct device_type xenbus_type = { .name = "xenbus", .release = xenbus_release };

static struct xenbus_device *device_find(const char *node, size_t n)
{
	struct xenbus_device *found = NULL;
	struct device *dev;

	sim_alone = true;
	list_for_each_entry(dev, &buses[sim_domain_now()].bus.devices, node)
		if (!found && !strncmp(to_xenbus_device(dev)->nodename, node, n))
			found = to_xenbus_device(get_device(dev));
	sim_alone = false;
	return found;
}

static void device_new(const char *node)
{
	struct xenbus_device *dev;

	if (xenbus_read_driver_state(node) != XenbusStateInitialising)
		return;
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return;
	dev->nodename = kstrdup(node, GFP_KERNEL);
	if (!dev->nodename) {
		kfree(dev);
		return;
	}
	dev->devicetype = "duct";
	dev->state = XenbusStateInitialising;
	device_initialize(&dev->dev);
	dev->dev.bus = &buses[sim_domain_now()].bus;
	dev->dev.type = &xenbus_type;
	if (dev_set_name(&dev->dev, "duct-%s", node) || device_add(&dev->dev))
		put_device(&dev->dev);
}

/* What comes after /local/domain/N/ */
static const char *of_domain(const char *path)
{
	path = strchr(path + strlen("/local/domain/"), '/');
	return path ? path + 1 : "";
}

/* "device/duct/0" or "backend/duct/5/0", from the path of a node in it. */
static bool device_node(char *node, const char *path)
{
	int slashes = is_back() ? 3 : 2;
	char *end;

	strscpy(node, path, SIM_PATH);
	for (end = node; *end; end++)
		if (*end == '/' && !slashes--)
			break;
	if (!*end && slashes)
		return false;
	*end = '\0';
	return true;
}

static void bus_changed(struct xenbus_watch *watch, const char *path, const char *token)
{
	bool exists = xenbus_exists(XBT_NIL, path, "");
	struct xenbus_device *dev;
	char node[SIM_PATH];

	path = of_domain(path);
	if (!device_node(node, path))
		return;
	dev = device_find(exists ? node : path, strlen(exists ? node : path));
	if (exists && !dev)
		device_new(node);
	if (!exists && dev)
		device_unregister(&dev->dev);
	if (dev)
		put_device(&dev->dev);
}

static int register_driver(struct xenbus_driver *drv)
{
	drv->driver.bus = &buses[sim_domain_now()].bus;
	drv->driver.name = drv->ids[0].devicetype;
	return driver_register(&drv->driver);
}

int __xenbus_register_frontend(struct xenbus_driver *drv, struct module *owner, const char *name)
{
	return register_driver(drv);
}

int __xenbus_register_backend(struct xenbus_driver *drv, struct module *owner, const char *name)
{
	return register_driver(drv);
}

void xenbus_unregister_driver(struct xenbus_driver *drv)
{
	driver_unregister(&drv->driver);
}

/* ---- the domain is another one ---- */

/* Of its own nodes what waits to be told is still told: Linux has no domain in their names. */
static void events_again(u32 domain)
{
	char path[SIM_PATH];
	u32 i;

	for (i = 0; i < events_n[domain]; i++) {
		const char *node = of_domain(events[domain][i].path);

		if (strncmp(node, "device/", strlen("device/")))
			continue;
		sim_absolute(path, node, "");
		strscpy(events[domain][i].path, path, SIM_PATH);
	}
}

/* Each watch is set anew, and begins with an event. */
static void watches_again(u32 domain)
{
	char path[SIM_PATH];
	u32 i;

	events_again(domain);
	for (i = 0; i < WATCHES; i++) {
		if (!watches[i].watch || watches[i].domain != domain)
			continue;
		if (watches[i].watch == &buses[domain].watch)
			sim_absolute(path, "device", "");
		else
			sim_absolute(path, watches[i].watch->node, "");
		strscpy(watches[i].path, path, SIM_PATH);
		event_add(i, path);
	}
}

/* The toolstack may have made the link by now, or does so later. */
static void device_resume(struct xenbus_device *dev)
{
	otherend_watch_end(dev);
	if (otherend_read(dev))
		return;
	dev->state = XenbusStateInitialising;
	otherend_watch_begin(dev);
}

/* In a task of a frontend's domain that was restored: it has another number now. */
void sim_xenbus_resume(void)
{
	struct bus *bus = &buses[sim_domain_now()];
	struct list_head *at;

	watches_again(sim_domain_now());
	for (at = bus->bus.devices.next; at != &bus->bus.devices; at = at->next) {
		struct device *dev = list_entry(at, struct device, node);

		if (dev->driver)
			device_resume(to_xenbus_device(dev));
	}
}

/* ---- begin and end ---- */

void sim_xenbus_start(u32 domain)
{
	struct bus *bus = &buses[domain];
	u32 i;

	*bus = (struct bus){ .bus = { .name = "xen", .match = xenbus_match,
				      .probe = xenbus_probe, .remove = xenbus_remove } };
	INIT_LIST_HEAD(&bus->bus.devices);
	INIT_LIST_HEAD(&bus->bus.drivers);
	bus->thread = sim_spawn(domain, "xenwatch", xenwatch, bus);
	bus->watch.callback = bus_changed;
	for (i = 0; watches[i].watch; i++)
		;
	watches[i].watch = &bus->watch;
	watches[i].domain = domain;
	snprintf(watches[i].path, SIM_PATH, "/local/domain/%u/%s", sim_domains[domain].domid,
		 domain == SIM_BACK ? "backend" : "device");
}

void sim_xenbus_kill(u32 domain)
{
	u32 i;

	for (i = 0; i < WATCHES; i++)
		if (watches[i].domain == domain)
			watches[i].watch = NULL;
	events_n[domain] = 0;
}

void sim_xenbus_reset(void)
{
	u32 i;

	for (i = 0; i < SIM_DOMAINS; i++)
		sim_xenbus_kill(i);
}

/* All but the bus's own. */
void sim_xenbus_ledger(u32 domain)
{
	u32 i;

	for (i = 0; i < WATCHES; i++)
		if (watches[i].watch && watches[i].domain == domain &&
		    watches[i].watch != &buses[domain].watch)
			sim_fail("a watch on %s is left", watches[i].path);
}
