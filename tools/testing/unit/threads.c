// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two ends in threads: a ring each way, both directions at once, messages of
 * random length and content, every byte of them checked, and sleep whenever
 * there is nothing to do, woken by a door of one bit. Under TSan, and for hours
 * without it.
 *
 * Usage: threads [MESSAGES]
 */
#include "unit.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

#define RING	(16u << 10)
#define LONG	(RING / 2 - 16)	/* the longest that always fits */

/* A door for one channel, and the event channel behind it. */
struct door {
	_Alignas(64) u32 bit;
	u32 raised;	/* how often the event was needed; the raiser's */
};

struct direction {
	struct duct_shared_ring *shared;
	u8 *data;
	struct door to_reader, to_writer;
	u64 messages;
	u64 seed;
	/* Results, each of one thread. */
	u64 written, read;
	u64 write_sum, read_sum;
	u64 write_sleeps, read_sleeps;
	const char *error;
	pthread_t writer, reader;
};

static void door_raise(struct door *door)
{
	if (__atomic_exchange_n(&door->bit, 1, __ATOMIC_SEQ_CST))
		return;
	__atomic_fetch_add(&door->raised, 1, __ATOMIC_RELAXED);
	syscall(SYS_futex, &door->bit, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void door_wait(struct door *door)
{
	while (!__atomic_exchange_n(&door->bit, 0, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &door->bit, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

/* Mostly short, now and then up to the longest. */
static u32 next_len(u64 *seed)
{
	u64 r = unit_random(seed);

	return r % 64 ? (r >> 8) % 200 : (r >> 8) % (LONG + 1);
}

static u64 next_word(u64 *seed)
{
	*seed += 0x9e3779b97f4a7c15;
	return *seed ^ *seed >> 32;
}

static u64 add_word(u64 sum, u64 word)
{
	return (sum << 5 | sum >> 59) ^ word;
}

/* Makes the message where it will be read. */
static u64 fill(u8 *to, u32 len, u64 seed, u64 sum)
{
	u64 word;
	u32 i;

	for (i = 0; i + 8 <= len; i += 8) {
		word = next_word(&seed);
		memcpy(to + i, &word, 8);
		sum = add_word(sum, word);
	}
	for (word = next_word(&seed); i < len; i++, word >>= 8) {
		to[i] = (u8)word;
		sum = add_word(sum, (u8)word);
	}
	return sum;
}

/* The same from the other side; false if a byte differs. */
static bool verify(const u8 *from, u32 len, u64 seed, u64 *sum)
{
	u64 word, found, wrong = 0;
	u32 i;

	for (i = 0; i + 8 <= len; i += 8) {
		memcpy(&found, from + i, 8);
		wrong |= found ^ next_word(&seed);
		*sum = add_word(*sum, found);
	}
	for (word = next_word(&seed); i < len; i++, word >>= 8) {
		wrong |= from[i] ^ (u8)word;
		*sum = add_word(*sum, from[i]);
	}
	return !wrong;
}

static void publish(struct direction *d, struct duct_tx *tx)
{
	if (duct_tx_publish(tx))
		door_raise(&d->to_reader);
}

static int wait_for_room(struct direction *d, struct duct_tx *tx, u32 len)
{
	u32 need = duct_frame_bytes(len), rest = tx->size - (tx->prod & (tx->size - 1));
	int room;

	publish(d, tx);
	room = duct_tx_arm(tx, need > rest ? need + rest : need);
	if (room == 0) {
		d->write_sleeps++;
		door_wait(&d->to_writer);
	}
	return room;
}

static void *writer(void *arg)
{
	struct direction *d = arg;
	u64 seed = d->seed, sum = 0;
	struct duct_tx tx;

	duct_tx_init(&tx, d->shared, d->data, RING, 0u - (RING << 3));
	for (; d->written < d->messages; d->written++) {
		struct duct_frame frame = { .len = next_len(&seed), .type = DUCT_FRAME_MSG };
		u32 at;
		int err;

		while ((err = duct_tx_reserve(&tx, frame.len, 0, &at))) {
			if (err != -EAGAIN || wait_for_room(d, &tx, frame.len) < 0) {
				d->error = "the writer found a bad index";
				return NULL;
			}
		}
		sum = fill(duct_tx_payload(&tx, at), frame.len, seed, sum);
		duct_tx_commit(&tx, at, &frame);
		if (seed >> 32 & 3)
			publish(d, &tx);
	}
	publish(d, &tx);
	d->write_sum = sum;
	return NULL;
}

static void give_back(struct direction *d, struct duct_rx *rx)
{
	if (duct_rx_return(rx))
		door_raise(&d->to_writer);
}

static void *reader(void *arg)
{
	struct direction *d = arg;
	u64 seed = d->seed, sum = 0;
	u8 *copy = malloc(LONG + 1);
	struct duct_frame frame;
	struct duct_rx rx;

	duct_rx_init(&rx, d->shared, d->data, RING, 0u - (RING << 3));
	while (d->read < d->messages) {
		int err = duct_rx_peek(&rx, &frame);

		if (err == -EAGAIN) {
			give_back(d, &rx);
			err = duct_rx_arm(&rx);
			if (err == 0) {
				d->read_sleeps++;
				door_wait(&d->to_reader);
			}
			if (err >= 0)
				continue;
		}
		if (err || frame.len != next_len(&seed)) {
			d->error = err ? "the reader found a bad ring" : "a length is wrong";
			break;
		}
		duct_peer_copy_in(copy, duct_rx_payload(&rx), frame.len);
		duct_rx_take(&rx, &frame);
		if (!verify(copy, frame.len, seed, &sum)) {
			d->error = "a byte is wrong";
			break;
		}
		d->read++;
		/* Lazily: a quarter of the ring at once. */
		if (duct_rx_owed(&rx) >= RING / 4)
			give_back(d, &rx);
	}
	/* A wrong message leaves the writer waiting: nothing can be joined. */
	if (d->error) {
		fprintf(stderr, "message %llu: %s\n", (unsigned long long)d->read, d->error);
		_exit(1);
	}
	give_back(d, &rx);
	d->read_sum = sum;
	free(copy);
	return NULL;
}

static u64 messages = 1000000;

static void start(struct direction *d, u64 seed)
{
	memset(d, 0, sizeof(*d));
	d->shared = calloc(1, sizeof(*d->shared));
	d->data = malloc(RING);
	d->messages = messages;
	d->seed = seed;
	assert_non_null(d->shared);
	assert_non_null(d->data);
	d->shared->prod = 0u - (RING << 3);
	d->shared->cons = d->shared->prod;
	assert_int_equal(pthread_create(&d->writer, NULL, writer, d), 0);
	assert_int_equal(pthread_create(&d->reader, NULL, reader, d), 0);
}

static void finish(struct direction *d, const char *name)
{
	pthread_join(d->writer, NULL);
	pthread_join(d->reader, NULL);
	free(d->shared);
	free(d->data);
	if (d->error)
		fail_msg("%s", d->error);
	assert_true(d->written == messages && d->read == messages);
	assert_true(d->write_sum == d->read_sum);
	print_message("# %s: %llu messages, checksum %016llx, %u + %u events, %llu + %llu sleeps\n",
		      name, (unsigned long long)d->read, (unsigned long long)d->read_sum,
		      d->to_reader.raised, d->to_writer.raised,
		      (unsigned long long)d->read_sleeps, (unsigned long long)d->write_sleeps);
}

static void test_threads(void **state)
{
	static struct direction there, back;
	struct timespec from, to;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &from);
	start(&there, 0x243f6a8885a308d3);
	start(&back, 0x13198a2e03707344);
	finish(&there, "there");
	finish(&back, "back");
	clock_gettime(CLOCK_MONOTONIC, &to);
	print_message("# %.1f seconds\n", (double)(to.tv_sec - from.tv_sec) +
		      (double)(to.tv_nsec - from.tv_nsec) / 1e9);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
	};

	if (argc > 1)
		messages = strtoull(argv[1], NULL, 0);
	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
