// SPDX-License-Identifier: GPL-2.0-only
/*
 * No wake-up is lost: every interleaving of a writer and a reader over a small
 * ring, where each may also act before and after any look of the other at shared
 * memory, and see what the other stored as late as its next fence (peer_shim.h).
 */
#include "ring_pair.h"

#define SIZE	64u
#define HOOKS	4	/* places in one call where the other end may act, at most */
#define INNER	3	/* steps of the other end in one place, at most */

enum writer_at { writer_write, writer_publish, writer_arm, writer_sleep, writer_done };
enum reader_at { reader_read, reader_return, reader_arm, reader_sleep, reader_done };

/* How both ends are used: what makes them differ. */
struct plan {
	u32 messages;
	u32 batch;	/* messages before a publish */
	u32 lazy;	/* messages before space is given back */
	u32 lens[6];
};

/* All that the future depends on; compared as bytes. */
struct world {
	struct duct_shared_ring shared;
	u8 data[SIZE];
	struct {
		u32 size, prod, published, cons;
	} tx;
	struct {
		u32 size, cons, returned, prod;
	} rx;
	u32 sent, got;
	u8 writer, reader;
	u8 writer_event, reader_event;
};

static const struct plan *plan;
static struct ring_pair ring;
static struct world now;

/* The choices of one step: how much the other end does in each place. */
static u32 script[HOOKS];
static u32 hook;
static int depth;

/* And whether its stores are seen late: in their order, at the next fence. */
static bool late;
static struct {
	u32 *p;
	u32 v;
} stores[4];
static u32 stores_len;

static void step(bool writer);
static bool runnable(bool writer);
static bool outer_is_writer;

void shim_peer_acts(const void *p, size_t len)
{
	u32 n;

	(void)p;
	/* The bytes of frames are ordered by the indexes. */
	if (len != sizeof(u32) || depth != 1 || hook == HOOKS)
		return;
	depth++;
	for (n = script[hook++]; n && runnable(!outer_is_writer); n--)
		step(!outer_is_writer);
	depth--;
}

void shim_fence(void)
{
	u32 i;

	/* The other end's is not ours. */
	if (depth != 1)
		return;
	for (i = 0; i < stores_len; i++)
		*stores[i].p = stores[i].v;
	stores_len = 0;
}

void shim_store(u32 *p, u32 v)
{
	if (depth != 1 || !late) {
		*p = v;
		return;
	}
	assert_true(stores_len < ARRAY_SIZE(stores));
	stores[stores_len].p = p;
	stores[stores_len++].v = v;
}

static bool runnable(bool writer)
{
	if (writer)
		return now.writer != writer_done &&
		       (now.writer != writer_sleep || now.writer_event);
	return now.reader != reader_done && (now.reader != reader_sleep || now.reader_event);
}

static u32 room_for(u32 len)
{
	u32 need = duct_frame_bytes(len);
	u32 rest = SIZE - (ring.tx.prod & (SIZE - 1));

	return need > rest ? need + rest : need;
}

static void step_writer(void)
{
	switch (now.writer) {
	case writer_sleep:
		now.writer_event = false;
		now.writer = writer_write;
		break;
	case writer_write: {
		int err = ring_pair_write(&ring, plan->lens[now.sent], now.sent);

		if (err) {
			assert_int_equal(err, -EAGAIN);
			/* Everything is published before it waits. */
			now.writer = writer_publish;
		} else if (++now.sent % plan->batch == 0 || now.sent == plan->messages) {
			now.writer = writer_publish;
		}
		break;
	}
	case writer_publish:
		if (duct_tx_publish(&ring.tx))
			now.reader_event = true;
		now.writer = now.sent == plan->messages ? writer_done : writer_arm;
		break;
	case writer_arm: {
		int room = duct_tx_arm(&ring.tx, room_for(plan->lens[now.sent]));

		assert_true(room >= 0);
		now.writer = room ? writer_write : writer_sleep;
		break;
	}
	}
}

static void step_reader(void)
{
	struct duct_frame frame;
	int err;

	switch (now.reader) {
	case reader_sleep:
		now.reader_event = false;
		now.reader = reader_read;
		break;
	case reader_read:
		err = duct_rx_peek(&ring.rx, &frame);
		if (err) {
			assert_int_equal(err, -EAGAIN);
			now.reader = reader_return;
			break;
		}
		assert_int_equal(frame.len, plan->lens[now.got]);
		duct_rx_take(&ring.rx, &frame);
		if (++now.got % plan->lazy == 0 || now.got == plan->messages)
			now.reader = reader_return;
		break;
	case reader_return:
		if (duct_rx_return(&ring.rx))
			now.writer_event = true;
		now.reader = now.got == plan->messages ? reader_done : reader_arm;
		break;
	case reader_arm:
		err = duct_rx_arm(&ring.rx);
		assert_true(err >= 0);
		now.reader = err ? reader_read : reader_sleep;
		break;
	}
}

static void step(bool writer)
{
	if (writer)
		step_writer();
	else
		step_reader();
}

static void save(struct world *to)
{
	now.shared = *ring.shared;
	memcpy(now.data, ring.data, SIZE);
	memcpy(&now.tx, &ring.tx.size, sizeof(now.tx));
	memcpy(&now.rx, &ring.rx.size, sizeof(now.rx));
	*to = now;
}

static void load(const struct world *from)
{
	now = *from;
	*ring.shared = now.shared;
	memcpy(ring.data, now.data, SIZE);
	memcpy(&ring.tx.size, &now.tx, sizeof(now.tx));
	memcpy(&ring.rx.size, &now.rx, sizeof(now.rx));
}

_Static_assert(sizeof(struct duct_tx) == offsetof(struct duct_tx, size) + 16, "all of it is saved");
_Static_assert(sizeof(struct duct_rx) == offsetof(struct duct_rx, size) + 16, "all of it is saved");

#define WORLDS	(1u << 16)

static struct world *seen;
static u32 seen_count;
static u32 table[4 * WORLDS];

static void remember(void)
{
	struct world world;
	u64 h = 0xcbf29ce484222325;
	u32 at, i;

	save(&world);
	for (i = 0; i < sizeof(world) / 4; i++)
		h = (h ^ ((const u32 *)&world)[i]) * 0x100000001b3;
	h ^= h >> 29;
	for (at = h % ARRAY_SIZE(table); table[at]; at = (at + 1) % ARRAY_SIZE(table))
		if (!memcmp(&seen[table[at] - 1], &world, sizeof(world)))
			return;
	assert_true(seen_count < WORLDS);
	seen[seen_count] = world;
	table[at] = ++seen_count;
}

_Static_assert(sizeof(struct world) % 4 == 0, "hashed as words");

/* One step of one end, with each thing that the other may do meanwhile. */
static void step_all_ways(u32 from, bool writer)
{
	u32 ways = 1, way, i, used = 0;

	for (i = 0; i < HOOKS; i++)
		ways *= INNER + 1;
	for (way = 0; way < 2 * ways; way++) {
		u32 rest = way % ways;

		late = way >= ways;

		for (i = 0; i < HOOKS; i++, rest /= INNER + 1)
			script[i] = rest % (INNER + 1);
		/* A place that was not reached makes no difference. */
		for (i = used; way && i < HOOKS; i++)
			if (script[i])
				break;
		if (way && i < HOOKS)
			continue;
		load(&seen[from]);
		if (!runnable(writer))
			return;
		hook = 0;
		depth = 1;
		outer_is_writer = writer;
		step(writer);
		shim_fence();
		depth = 0;
		used = max(used, hook);
		remember();
	}
}

static u32 explore(u32 start)
{
	u32 i, ends = 0;

	memset(table, 0, sizeof(table));
	seen_count = 0;
	memset(&now, 0, sizeof(now));
	ring_pair_start(&ring, SIZE, start);
	/* Nobody has asked for anything yet. */
	ring.shared->want_data = start - 1;
	ring.shared->want_space = start - 1;
	remember();
	for (i = 0; i < seen_count; i++) {
		bool writer, reader;

		load(&seen[i]);
		writer = runnable(true);
		reader = runnable(false);
		if (!writer && !reader) {
			if (now.writer != writer_done || now.reader != reader_done)
				fail_msg("asleep for ever: sent %u, got %u, prod %x, cons %x",
					 now.sent, now.got, ring.tx.prod, ring.rx.cons);
			ends++;
			continue;
		}
		step_all_ways(i, true);
		step_all_ways(i, false);
	}
	return ends;
}

static void run(const struct plan *what)
{
	static const u32 starts[] = { 0, 48, 0u - 64u, 0u - 16u };
	u32 i, worlds = 0;

	plan = what;
	ring_pair_make(&ring, SIZE, 0);
	seen = malloc(WORLDS * sizeof(*seen));
	assert_non_null(seen);
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		assert_true(explore(starts[i]) > 0);
		worlds += seen_count;
	}
	print_message("# %u worlds\n", worlds);
	free(seen);
	ring_pair_free(&ring);
}

static void test_one_by_one(void **state)
{
	static const struct plan p = {
		.messages = 5, .batch = 1, .lazy = 1, .lens = { 0, 0, 0, 0, 0 },
	};

	(void)state;
	run(&p);
}

/* Each needs half of the ring: the writer sleeps most of the time. */
static void test_wait_for_space(void **state)
{
	static const struct plan p = {
		.messages = 5, .batch = 1, .lazy = 1, .lens = { 16, 16, 16, 16, 16 },
	};

	(void)state;
	run(&p);
}

/* Batches, space given back late, pads. */
static void test_batches(void **state)
{
	static const struct plan p = {
		.messages = 6, .batch = 2, .lazy = 2, .lens = { 0, 16, 0, 16, 16, 0 },
	};
	static const struct plan q = {
		.messages = 6, .batch = 3, .lazy = 6, .lens = { 1, 0, 16, 5, 0, 16 },
	};

	(void)state;
	run(&p);
	run(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_wait_for_space),
		cmocka_unit_test(test_batches),
	};

	return cmocka_run_group_tests_name("wakeup", tests, NULL, NULL);
}
