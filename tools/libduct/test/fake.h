/* SPDX-License-Identifier: MIT */
/*
 * The kernel's side, faked: the linker puts these in the place of the system calls. Each
 * remembers what it was last asked, and answers what the test has queued, else success.
 */
#ifndef LIBDUCT_TEST_FAKE_H
#define LIBDUCT_TEST_FAKE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "private.h"

#define FD	7	/* what opening gives */
#define DEVICE	"3.cdev.0"

/* The system calls. */
enum { OPEN, CLOSE, IOCTL, READ, WRITE, POLL, MMAP, MUNMAP, DIRECTORY, CALLS };

struct asked {
	unsigned int calls;
	int fd;
	const char *path;
	int flags;		/* of open, RWF_*, events, prot */
	unsigned long request;
	union {
		struct duct_file_channel channel;
		struct duct_file_send send;
		struct duct_file_recv recv;
		struct duct_file_many many;
		struct duct_file_call call;
		struct duct_file_call_start start;
		struct duct_file_call_end end;
		struct duct_file_call_cancel cancel;
		struct duct_file_reply reply;
		struct duct_file_region region;
		struct duct_file_offer offer;
		struct duct_file_watch watch;
		struct duct_file_event event;
		struct duct_file_event_watch event_watch;
	} arg;
	struct duct_file_piece piece[64];
	const void *base;	/* of the first piece, or of the mapping */
	size_t len;
	int count;
	int64_t off;		/* or the time-out */
	uint64_t data;		/* first 8 bytes that were written */
};

extern struct asked asked[CALLS];

/* Forgets all, before each test. */
int fake_reset(void **state);

/* The next answer of @call: @ret, or -1 with @err; @out goes to where the call fills. */
void answer(int call, long ret, int err, const void *out, size_t len);
#define fails(call, err) answer(call, -1, err, NULL, 0)
#define gives(call, ret) answer(call, ret, 0, NULL, 0)
#define fills(call, ret, thing) answer(call, ret, 0, &(thing), sizeof(thing))

/* The next malloc() fails. */
extern bool no_memory;

/* What /dev/duct holds; "-" before a name: no device. */
extern const char *const *directory;

/* Number @n of calls of anything in all. */
unsigned int all_calls(void);

/* It failed, with @err. */
#define assert_fails(expr, err) do {		\
	errno = 0;				\
	assert_int_equal((expr), -1);		\
	assert_int_equal(errno, err);		\
} while (0)
#define assert_null_with(expr, err) do {	\
	errno = 0;				\
	assert_null(expr);			\
	assert_int_equal(errno, err);		\
} while (0)

/* Runs the tests of a file. Return: how many failed */
#define run(tests) run_group(#tests, tests, sizeof(tests) / sizeof((tests)[0]))
int run_group(const char *name, const struct CMUnitTest *tests, size_t count);
#define test(f) cmocka_unit_test_setup(f, fake_reset)

int test_file(void);
int test_device(void);
int test_channel(void);
int test_call(void);
int test_region(void);
int test_event(void);

#endif /* LIBDUCT_TEST_FAKE_H */
