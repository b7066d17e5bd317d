/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests share: drivers and channel ends that note what they are told,
 * and ways to wait for it. All of it uses <xen/duct.h> alone; what looks behind
 * it is in hostile.h.
 *
 * Both ends of the loopback's link are in this kernel, so a driver gets the
 * devices of both. Ends are told apart by side: links of even number are the
 * frontend's, since the loopback makes that first.
 */
#ifndef _DUCT_TESTS_KIT_H
#define _DUCT_TESTS_KIT_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <xen/duct.h>

extern bool kit_hurry;		/* module parameters */
extern unsigned int kit_step;

/* Emulated machines that others use, too: only a test that fails waits so long. */
#define KIT_WAIT	((kit_hurry ? 15 : 60) * HZ)
#define KIT_DEVICES	16
#define KIT_PATTERN	(512u << 10)

#define KIT_FRONT	0u
#define KIT_BACK	1u

/**
 * struct kit - one test
 * @test: KUnit's
 * @wait: woken by every callback
 * @lock: the drivers' device tables
 * @drivers: struct kit_driver
 * @ends: struct kit_end
 * @threads: struct kit_thread
 * @pattern: KIT_PATTERN random bytes
 * @rnd: seeded with the same number in each test
 * @over: the test has ended: whoever waits for it goes on
 */
struct kit {
	struct kunit *test;
	wait_queue_head_t wait;
	spinlock_t lock;
	struct list_head drivers;
	struct list_head ends;
	struct list_head threads;
	u8 *pattern;
	struct rnd_state rnd;
	bool over;
};

/**
 * struct kit_driver - a service driver
 * @drv: what is registered
 * @kit: the test
 * @node: on kit->drivers
 * @registered: to be undone
 * @dd: bound devices
 * @probes: calls of probe()
 * @removes: calls of remove()
 * @err: what probe() returns
 * @on_probe: optional: the rest of probe()
 * @on_remove: optional: the rest of remove()
 * @leave: remove() leaves its channels to the core; the test says kit_gone()
 * @priv: the test's
 */
struct kit_driver {
	struct duct_driver drv;
	struct kit *kit;
	struct list_head node;
	bool registered;
	struct duct_device *dd[KIT_DEVICES];
	atomic_t probes;
	atomic_t removes;
	int err;
	int (*on_probe)(struct kit_driver *driver, struct duct_device *dd);
	void (*on_remove)(struct kit_driver *driver, struct duct_device *dd);
	bool leave;
	void *priv;
};

/**
 * struct kit_end - one end of a channel
 * @kit: the test
 * @node: on kit->ends
 * @ch: while it is open
 * @dd: whose it is
 * @ups: calls of up()
 * @downs: calls of down()
 * @recvs: calls of recv()
 * @readies: calls of ready()
 * @writables: calls of writable()
 * @bad: callbacks that must not be: up() twice, down() without up(), after close
 * @is_up: between up() and down()
 * @gone: no callback may come any more
 * @why: of the last down()
 * @on_up: optional: the rest of up()
 * @on_down: optional: the rest of down()
 * @on_recv: optional: the rest of recv()
 * @on_writable: optional: the rest of writable()
 * @on_exit: optional: the test is over, the channel is stopped
 * @priv: the test's
 */
struct kit_end {
	struct kit *kit;
	struct list_head node;
	struct duct_channel *ch;
	struct duct_device *dd;
	atomic_t ups;
	atomic_t downs;
	atomic_t recvs;
	atomic_t readies;
	atomic_t writables;
	atomic_t bad;
	bool is_up;
	bool gone;
	int why;
	void (*on_up)(struct kit_end *end);
	void (*on_down)(struct kit_end *end);
	int (*on_recv)(struct kit_end *end, struct duct_msg *msg);
	void (*on_writable)(struct kit_end *end);
	void (*on_exit)(struct kit_end *end);
	void *priv;
};

/* Fails the test unless the condition comes true; callbacks make it look. */
#define kit_wait(kit, condition)							\
	do {										\
		bool in_time = wait_event_timeout((kit)->wait, condition, KIT_WAIT) > 0;	\
											\
		KUNIT_ASSERT_TRUE_MSG((kit)->test, in_time, "waited in vain for %s",	\
				      #condition);					\
	} while (0)

int kit_init(struct kunit *test);
void kit_exit(struct kunit *test);

/* ---- drivers ---- */

struct kit_driver *kit_driver(struct kit *kit, const char *service, unsigned int roles);
void kit_register(struct kit_driver *driver);
/* And waits until its own devices are gone; the other does not. */
void kit_unregister(struct kit_driver *driver);
void kit_unregister_only(struct kit_driver *driver);
unsigned int kit_side(const struct duct_device *dd);
struct duct_device *kit_device(struct kit_driver *driver, unsigned int side, unsigned int role,
			       unsigned int instance);
unsigned int kit_bound(struct kit_driver *driver);
struct kit_driver *kit_peers(struct kit *kit, bool keep);
/* Of a kit_peers() driver. */
struct duct_device *kit_peer(struct kit_driver *driver, unsigned int side);

/* ---- channels ---- */

extern const struct duct_channel_ops kit_recv_ops;
extern const struct duct_channel_ops kit_ready_ops;

struct kit_end *kit_end(struct kit *kit);
int kit_open(struct kit_end *end, struct duct_device *dd, u32 number,
	     const struct duct_channel_config *cfg);
void kit_close(struct kit_end *end);
/* The core has closed it. */
void kit_gone(struct kit_end *end);
/* Both ends of a channel, up; their functions are set before. */
void kit_connect(struct kit_driver *driver, struct kit_end *a, unsigned int side,
		 const struct duct_channel_config *cfg_a, struct kit_end *b,
		 const struct duct_channel_config *cfg_b, u32 number);
/* The next message; waits for it. @end has kit_ready_ops. */
int kit_next(struct kit_end *end, struct duct_msg *msg);
/* Sends, and waits for room. */
int kit_send(struct kit_end *end, const void *data, u32 len, u32 flags);
/* Takes one message and compares it. */
void kit_expect(struct kit_end *end, const void *data, u32 len);
/* Both directions work. Both ends have kit_ready_ops, and nothing in flight. */
void kit_exchange(struct kit_end *a, struct kit_end *b);
/* Fails with @err, now or soon. */
void kit_wait_error(struct kit_end *end, int err);

/* Parameters of KUNIT_CASE_PARAM(): which side one end of a pair is. */
const void *kit_sides(const void *prev, char *desc);
static inline unsigned int kit_param_side(struct kunit *test)
{
	return *(const unsigned int *)test->param_value;
}

/* ---- sequences: message @n of any length, known by its number alone ---- */

static inline const u8 *kit_bytes(struct kit *kit, u32 n, u32 len)
{
	return kit->pattern + n * 977u % (KIT_PATTERN - len);
}

/* ---- threads and files ---- */

struct kit_thread {
	struct list_head node;
	struct kit *kit;
	struct task_struct *task;
	int (*fn)(void *arg);
	void *arg;
	int ret;
	struct completion ended;
	bool joined;
};

struct kit_thread *kit_thread(struct kit *kit, int (*fn)(void *arg), void *arg);
int kit_join(struct kit_thread *thread);

/* The first line of a file, without its end; or -errno. */
int kit_read(const char *path, char *text, size_t size);
int kit_read_device(struct duct_device *dd, const char *file, char *text, size_t size);
/* Waits for the file: a channel gets its directory a little later. */
int kit_read_shown(struct duct_device *dd, const char *file, char *text, size_t size);
int kit_read_channel(struct kit_end *end, const char *file, char *text, size_t size);
void kit_write(struct kit *kit, const char *path, const char *text);
/* The loopback's epoch ends; @run: and the next begins. */
void kit_loop_run(struct kit *kit, bool run);

extern struct kunit_suite duct_drivers_suite;
extern struct kunit_suite duct_channels_suite;
extern struct kunit_suite duct_messages_suite;
extern struct kunit_suite duct_receive_suite;
extern struct kunit_suite duct_flow_suite;
extern struct kunit_suite duct_streams_suite;
extern struct kunit_suite duct_calls_suite;
extern struct kunit_suite duct_call_ends_suite;
extern struct kunit_suite duct_epochs_suite;
extern struct kunit_suite duct_budgets_suite;
extern struct kunit_suite duct_doors_suite;
extern struct kunit_suite duct_bulk_suite;
extern struct kunit_suite duct_bulk_map_suite;
extern struct kunit_suite duct_events_suite;
extern struct kunit_suite duct_regions_suite;
extern struct kunit_suite duct_watches_suite;
extern struct kunit_suite duct_sg_suite;
extern struct kunit_suite duct_endpoints_suite;
extern struct kunit_suite duct_resume_suite;
extern struct kunit_suite duct_vsock_suite;
extern struct kunit_suite duct_hostile_channel_suite;
extern struct kunit_suite duct_hostile_link_suite;
extern struct kunit_suite duct_net_suite;
extern struct kunit_suite duct_faults_suite;

#endif /* _DUCT_TESTS_KIT_H */
