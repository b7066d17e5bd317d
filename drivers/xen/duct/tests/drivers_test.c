// SPDX-License-Identifier: GPL-2.0
/* Drivers and devices: registering, matching, probe and remove, what sysfs says. */
#include "../core.h"
#include "kit.h"

#define SERVES	"kits"	/* kits.0 is allowed, and three kitm */

static int drivers_no_probe(struct duct_device *dd)
{
	return 0;
}

static void drivers_errors(struct kunit *test)
{
	static const struct duct_device_id ids[] = { { "kit" }, { } };
	static const struct {
		unsigned int roles;
		bool ids, probe;
	} bad[] = {
		{ 0, true, true },
		{ 8, true, true },
		{ DUCT_PEER | DUCT_SERVE, true, true },
		{ DUCT_PEER | DUCT_CONNECT, true, true },
		{ DUCT_PEER, false, true },
		{ DUCT_PEER, true, false },
	};
	struct duct_driver drv, twin;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&drv, 0, sizeof(drv));
		drv.roles = bad[i].roles;
		drv.id_table = bad[i].ids ? ids : NULL;
		drv.probe = bad[i].probe ? drivers_no_probe : NULL;
		KUNIT_EXPECT_EQ(test, duct_driver_register(&drv), -EINVAL);
	}
	memset(&drv, 0, sizeof(drv));
	drv.roles = DUCT_PEER;
	drv.id_table = ids;
	drv.probe = drivers_no_probe;
	twin = drv;
	KUNIT_ASSERT_EQ(test, duct_driver_register(&drv), 0);
	KUNIT_EXPECT_EQ(test, duct_driver_register(&twin), -EBUSY);
	duct_driver_unregister(&drv);
	/* And again: nothing of it is left. */
	KUNIT_ASSERT_EQ(test, duct_driver_register(&drv), 0);
	duct_driver_unregister(&drv);
}

static void drivers_peers(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	unsigned int side;

	for (side = KIT_FRONT; side <= KIT_BACK; side++) {
		struct duct_device *dd = kit_peer(driver, side);

		KUNIT_ASSERT_NOT_NULL(test, dd);
		KUNIT_EXPECT_STREQ(test, dd->service, "kit");
		KUNIT_EXPECT_EQ(test, dd->instance, 0u);
		KUNIT_EXPECT_EQ(test, dd->role, (unsigned int)DUCT_PEER);
		KUNIT_EXPECT_PTR_EQ(test, dd->id, driver->drv.id_table);
		KUNIT_EXPECT_EQ(test, dd->id->driver_data, 1ul);
		KUNIT_EXPECT_STREQ(test, duct_param(dd, "nothing", "default"), "default");
		KUNIT_EXPECT_NULL(test, duct_param(dd, "nothing", NULL));
	}
	KUNIT_EXPECT_EQ(test, kit_peer(driver, 0)->epoch, kit_peer(driver, 1)->epoch);
	KUNIT_EXPECT_EQ(test, atomic_read(&driver->probes), 2);
	kit_unregister(driver);
	KUNIT_EXPECT_EQ(test, atomic_read(&driver->removes), 2);
	kit_register(driver);
	kit_wait(kit, kit_bound(driver) == 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&driver->probes), 4);
}

static void drivers_many_times(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	unsigned int i;

	for (i = 0; i < 30; i++) {
		kit_unregister_only(driver);
		KUNIT_ASSERT_EQ(test, kit_bound(driver), 0u);
		kit_register(driver);
		/* At times before any device is back. */
		if (i % 3)
			kit_wait(kit, kit_bound(driver) == 2);
	}
	kit_wait(kit, kit_bound(driver) == 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&driver->probes) - atomic_read(&driver->removes), 2);
}

static struct kit_driver *drivers_server(struct kit *kit)
{
	return kit_driver(kit, SERVES, DUCT_SERVE);
}

static struct kit_driver *drivers_client(struct kit *kit)
{
	return kit_driver(kit, SERVES, DUCT_CONNECT);
}

/* Both links carry the service both ways. */
static void drivers_wait_both(struct kit_driver *server, struct kit_driver *client)
{
	kit_wait(server->kit, kit_bound(server) == 2 && kit_bound(client) == 2);
}

/* What was said on the links before this has arrived. */
static void drivers_fence(struct kit *kit)
{
	struct kit_driver *driver = kit_peers(kit, false);

	kit_unregister(driver);
}

static void drivers_server_first(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *server = drivers_server(kit), *client = drivers_client(kit);

	kit_register(server);
	drivers_fence(kit);
	/* A device per peer that binds: nobody has. */
	KUNIT_EXPECT_EQ(test, atomic_read(&server->probes), 0);
	kit_register(client);
	drivers_wait_both(server, client);
	KUNIT_EXPECT_NOT_NULL(test, kit_device(server, KIT_FRONT, DUCT_SERVE, 0));
	KUNIT_EXPECT_NOT_NULL(test, kit_device(server, KIT_BACK, DUCT_SERVE, 0));
	KUNIT_EXPECT_NOT_NULL(test, kit_device(client, KIT_FRONT, DUCT_CONNECT, 0));
	KUNIT_EXPECT_NOT_NULL(test, kit_device(client, KIT_BACK, DUCT_CONNECT, 0));

	kit_unregister(client);
	kit_wait(kit, !kit_bound(server));
	kit_register(client);
	drivers_wait_both(server, client);

	kit_unregister(server);
	kit_wait(kit, !kit_bound(client));
	kit_register(server);
	drivers_wait_both(server, client);
}

static void drivers_client_first(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *server = drivers_server(kit), *client = drivers_client(kit);

	kit_register(client);
	drivers_fence(kit);
	KUNIT_EXPECT_EQ(test, atomic_read(&client->probes), 0);
	kit_register(server);
	drivers_wait_both(server, client);
	kit_unregister(client);
	kit_unregister(server);
	KUNIT_EXPECT_EQ(test, kit_bound(server) + kit_bound(client), 0u);
}

static void drivers_both_roles(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_driver(kit, SERVES, DUCT_SERVE | DUCT_CONNECT);

	kit_register(driver);
	kit_wait(kit, kit_bound(driver) == 4);
	KUNIT_EXPECT_NOT_NULL(test, kit_device(driver, KIT_FRONT, DUCT_SERVE, 0));
	KUNIT_EXPECT_NOT_NULL(test, kit_device(driver, KIT_FRONT, DUCT_CONNECT, 0));
}

static void drivers_features(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *server = drivers_server(kit), *client = drivers_client(kit);
	unsigned int side;
	char text[32];

	server->drv.features = BIT_ULL(63) | 6;
	client->drv.features = BIT_ULL(63) | 3;
	kit_register(server);
	kit_register(client);
	drivers_wait_both(server, client);
	for (side = KIT_FRONT; side <= KIT_BACK; side++) {
		struct duct_device *s = kit_device(server, side, DUCT_SERVE, 0);
		struct duct_device *c = kit_device(client, side, DUCT_CONNECT, 0);

		KUNIT_EXPECT_EQ(test, s->features, BIT_ULL(63) | 2);
		KUNIT_EXPECT_EQ(test, c->features, BIT_ULL(63) | 2);
		KUNIT_EXPECT_EQ(test, kit_read_device(c, "features", text, sizeof(text)), 0);
		KUNIT_EXPECT_STREQ(test, text, "0x8000000000000002\n");
	}
}

/* A device that stays has the features of the driver that is there now. */
static void drivers_features_of_keeper(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *server = drivers_server(kit), *client = drivers_client(kit);
	struct kit_driver *other = drivers_client(kit);
	struct kit_end *s = kit_end(kit), *c = kit_end(kit);

	server->drv.features = 7;
	server->drv.keep = true;
	client->drv.features = 1;
	other->drv.features = 6;
	kit_register(server);
	kit_register(client);
	drivers_wait_both(server, client);
	KUNIT_EXPECT_EQ(test, kit_device(server, 0, DUCT_SERVE, 0)->features, 1ull);
	kit_unregister(client);
	kit_register(other);
	drivers_wait_both(server, other);
	KUNIT_ASSERT_EQ(test, kit_open(s, kit_device(server, 0, DUCT_SERVE, 0), 0, NULL), 0);
	KUNIT_ASSERT_EQ(test, kit_open(c, kit_device(other, 1, DUCT_CONNECT, 0), 0, NULL), 0);
	kit_wait(kit, s->is_up && c->is_up);
	KUNIT_EXPECT_EQ(test, atomic_read(&server->probes), 2);
	KUNIT_EXPECT_EQ(test, kit_device(server, 0, DUCT_SERVE, 0)->features, 6ull);
	KUNIT_EXPECT_EQ(test, kit_device(other, 1, DUCT_CONNECT, 0)->features, 6ull);
}

static int drivers_probe_opens(struct kit_driver *driver, struct duct_device *dd)
{
	struct duct_channel_config cfg = { .max_calls = 3 };
	struct duct_channel *ch;

	/* Left open: a probe that fails leaves that to the core. */
	return duct_open(dd, 0, &cfg, &ch);
}

static void drivers_probe_error(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *server = drivers_server(kit), *client = drivers_client(kit);

	client->err = -ENODEV;
	client->on_probe = drivers_probe_opens;
	kit_register(server);
	kit_register(client);
	/* More often if a device comes just as the driver does: it is offered twice. */
	kit_wait(kit, atomic_read(&client->probes) >= 2);
	drivers_fence(kit);
	KUNIT_EXPECT_EQ(test, atomic_read(&server->probes), 0);
	KUNIT_EXPECT_EQ(test, kit_bound(client), 0u);
	kit_unregister(client);
	KUNIT_EXPECT_EQ(test, atomic_read(&client->removes), 0);

	client->err = 0;
	kit_register(client);
	drivers_wait_both(server, client);
	kit_unregister(server);

	server->err = -EINVAL;
	server->on_probe = drivers_probe_opens;
	kit_register(server);
	kit_wait(kit, kit_bound(client) == 2 && atomic_read(&server->probes) >= 4);
	KUNIT_EXPECT_EQ(test, kit_bound(server), 0u);
}

static void drivers_instances(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *many = kit_driver(kit, "kitm", DUCT_PEER);
	struct kit_driver *peers = kit_peers(kit, false);
	static const unsigned int instances[] = { 0, 1, 65535 };
	unsigned int i, side;

	kit_register(many);
	kit_wait(kit, kit_bound(many) == 6);
	for (i = 0; i < ARRAY_SIZE(instances); i++)
		for (side = KIT_FRONT; side <= KIT_BACK; side++)
			KUNIT_EXPECT_NOT_NULL(test, kit_device(many, side, DUCT_PEER,
							       instances[i]));
	kit_unregister(peers);
	KUNIT_EXPECT_EQ(test, kit_bound(many), 6u);
	kit_unregister(many);
	KUNIT_EXPECT_EQ(test, atomic_read(&many->removes), 6);
}

/* What the toolstack does not allow has no devices. */
static void drivers_not_allowed(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_driver(kit, "kitno", DUCT_PEER);

	kit_register(driver);
	drivers_fence(kit);
	KUNIT_EXPECT_EQ(test, atomic_read(&driver->probes), 0);
}

/* Two drivers know a service: the second one's end is not the first one's. */
static void drivers_two_for_one(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *first = kit_peers(kit, false);
	struct kit_driver *second = kit_driver(kit, "kit", DUCT_PEER);

	kit_register(second);
	kit_unregister_only(second);
	/* A round trip of another service: what was said has arrived. */
	second = kit_driver(kit, "kitm", DUCT_PEER);
	kit_register(second);
	kit_wait(kit, kit_bound(second) == 6);
	KUNIT_EXPECT_EQ(test, kit_bound(first), 2u);
	KUNIT_EXPECT_EQ(test, atomic_read(&first->removes), 0);
}

static void drivers_sysfs(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	struct kit_end *end = kit_end(kit), *other = kit_end(kit);
	struct duct_device *dd = kit_peer(driver, KIT_FRONT);
	char *text = kunit_kzalloc(test, 512, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
#define DRIVERS_FILE(file, value)							\
	do {										\
		KUNIT_EXPECT_EQ(test, kit_read_shown(dd, file, text, 512), 0);		\
		KUNIT_EXPECT_STREQ(test, text, value "\n");				\
	} while (0)
	DRIVERS_FILE("service", "kit");
	DRIVERS_FILE("instance", "0");
	DRIVERS_FILE("role", "peer");
	DRIVERS_FILE("modalias", "duct:kit");
	DRIVERS_FILE("features", "0x0");
	DRIVERS_FILE("peer", "32752");	/* DOMID_SELF */
	DRIVERS_FILE("../side", "front");
	DRIVERS_FILE("../state", "up");
	DRIVERS_FILE("../fault", "");
	DRIVERS_FILE("../channels", "0");
	KUNIT_EXPECT_EQ(test, kit_read_device(dd, "uevent", text, 512), 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "MODALIAS=duct:kit\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "DUCT_SERVICE=kit\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "DUCT_INSTANCE=0\n"));

	KUNIT_ASSERT_EQ(test, kit_open(end, dd, 5, NULL), 0);
	DRIVERS_FILE("channels/5/state", "waiting");
	KUNIT_ASSERT_EQ(test, kit_open(other, kit_peer(driver, KIT_BACK), 5, NULL), 0);
	kit_wait(kit, end->is_up && other->is_up);
	DRIVERS_FILE("channels/5/state", "up");
	DRIVERS_FILE("channels/5/bindings", "1");
	DRIVERS_FILE("../channels", "1");
	kit_exchange(end, other);
	DRIVERS_FILE("channels/5/out_messages", "1");
	DRIVERS_FILE("channels/5/in_messages", "1");
	DRIVERS_FILE("channels/5/faults", "0");
	kit_close(other);
	kit_wait_error(end, -EPIPE);
	DRIVERS_FILE("channels/5/state", "closed by peer");
	duct_stop(end->ch);
	DRIVERS_FILE("channels/5/state", "stopped");
	kit_close(end);
	KUNIT_EXPECT_EQ(test, kit_read_device(dd, "channels/5/state", text, 512), -ENOENT);
#undef DRIVERS_FILE
}

static void drivers_opened(struct kit_end *end, unsigned long when)
{
	struct duct_channel_core *ch = to_duct_channel_core(end->ch);

	mutex_lock(&ch->link->lock);
	ch->opened = when;
	mutex_unlock(&ch->link->lock);
}

/* Each channel gets its directory in its own time: who closes it sooner does without. */
static void drivers_sysfs_later(struct kunit *test)
{
	struct kit *kit = test->priv;
	struct kit_driver *driver = kit_peers(kit, false);
	struct duct_device *dd = kit_peer(driver, KIT_FRONT);
	struct kit_end *old = kit_end(kit), *young = kit_end(kit);
	struct duct_device_core *dev = to_duct_device_core(dd);
	char text[16];
	int err;

	KUNIT_ASSERT_EQ(test, kit_open(old, dd, 5, NULL), 0);
	/* It gets none before we have said how young it is. */
	mutex_lock(&dev->show_lock);
	err = kit_open(young, dd, 6, NULL);
	if (!err)
		drivers_opened(young, jiffies + 3600 * HZ);
	mutex_unlock(&dev->show_lock);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, kit_read_channel(old, "state", text, sizeof(text)), 0);
	KUNIT_EXPECT_EQ(test, kit_read_device(dd, "channels/6/state", text, sizeof(text)), -ENOENT);
	drivers_opened(young, jiffies - HZ);
	KUNIT_EXPECT_EQ(test, kit_read_channel(young, "state", text, sizeof(text)), 0);
}

static struct kunit_case drivers_cases[] = {
	KUNIT_CASE(drivers_errors),
	KUNIT_CASE(drivers_peers),
	KUNIT_CASE(drivers_many_times),
	KUNIT_CASE(drivers_server_first),
	KUNIT_CASE(drivers_client_first),
	KUNIT_CASE(drivers_both_roles),
	KUNIT_CASE(drivers_features),
	KUNIT_CASE(drivers_features_of_keeper),
	KUNIT_CASE(drivers_probe_error),
	KUNIT_CASE(drivers_instances),
	KUNIT_CASE(drivers_not_allowed),
	KUNIT_CASE(drivers_two_for_one),
	KUNIT_CASE(drivers_sysfs),
	KUNIT_CASE(drivers_sysfs_later),
	{}
};

struct kunit_suite duct_drivers_suite = {
	.name = "duct_drivers",
	.init = kit_init,
	.exit = kit_exit,
	.test_cases = drivers_cases,
};
