// SPDX-License-Identifier: MIT
/* What all handles have in common: opening, closing, growing structures. */
#include <limits.h>

#include "fake.h"

#define MODE (O_RDWR | O_CLOEXEC)

static void names(void **state)
{
	assert_int_equal(file_open("3.console", 0), FD);
	assert_string_equal(asked[OPEN].path, "/dev/duct/3.console");
	assert_int_equal(asked[OPEN].flags, MODE);
	assert_int_equal(file_open("./node", LIBDUCT_NONBLOCK), FD);
	assert_string_equal(asked[OPEN].path, "./node");
	assert_int_equal(asked[OPEN].flags, MODE | O_NONBLOCK);
}

static void no_names(void **state)
{
	char name[PATH_MAX];

	assert_fails(file_open(NULL, 0), EINVAL);
	assert_fails(file_open("", 0), EINVAL);
	memset(name, 'x', sizeof(name));
	name[PATH_MAX - sizeof(DEVICES)] = 0;
	assert_fails(file_open(name, 0), ENAMETOOLONG);
	assert_int_equal(all_calls(), 0);
	name[PATH_MAX - sizeof(DEVICES) - 1] = 0;
	assert_int_equal(file_open(name, 0), FD);
}

/* Each way to open, when open(), the ioctl and malloc() fail. */
static void *open_channel(void)
{
	struct libduct_channel_config config = { .size = sizeof(config) };

	return libduct_channel_open(DEVICE, &config);
}

static void *create(void)
{
	return libduct_region_create(DEVICE, 1, 4096, 0);
}

static void *attach(void)
{
	return libduct_region_attach(DEVICE, 1, 0);
}

static void *open_event(void)
{
	return libduct_event_open(DEVICE, 1, 0);
}

static void *(*const openers[])(void) = { open_channel, create, attach, open_event };

static void opening_fails(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
		fake_reset(state);
		fails(OPEN, EACCES);
		assert_null_with(openers[i](), EACCES);
		assert_int_equal(asked[CLOSE].calls, 0);
		fails(IOCTL, EBUSY);
		assert_null_with(openers[i](), EBUSY);
		assert_int_equal(asked[CLOSE].calls, 1);
		assert_int_equal(asked[CLOSE].fd, FD);
		no_memory = true;
		assert_null_with(openers[i](), ENOMEM);
		assert_int_equal(asked[CLOSE].calls, 2);
	}
}

/* The right kind, the wrong ones, none of ours. */
static void adopting(void **state)
{
	static const struct { void *(*adopt)(int fd); unsigned int kinds; } all[] = {
		{ (void *(*)(int))libduct_channel_fdopen, 1u << LIBDUCT_CHANNEL },
		{ (void *(*)(int))libduct_region_fdopen,
		  1u << LIBDUCT_OWNER | 1u << LIBDUCT_ATTACHED },
		{ (void *(*)(int))libduct_event_fdopen, 1u << LIBDUCT_EVENT },
	};
	struct duct_file_info info = { .kind = 0 };
	void *handle;
	size_t i;

	for (i = 0; i < 3; i++) {
		for (info.kind = 0; info.kind <= LIBDUCT_EVENT; info.kind++) {
			fills(IOCTL, 0, info);
			errno = 0;
			handle = all[i].adopt(FD);
			assert_int_equal(asked[IOCTL].request, DUCT_IOC_INFO);
			assert_int_equal(!!handle, all[i].kinds >> info.kind & 1);
			assert_int_equal(errno, handle ? 0 : EINVAL);
			if (handle)
				file_close(handle);
		}
		fails(IOCTL, ENOTTY);
		assert_null_with(all[i].adopt(FD), ENOTTY);
		info.kind = i ? i == 1 ? LIBDUCT_OWNER : LIBDUCT_EVENT : LIBDUCT_CHANNEL;
		fills(IOCTL, 0, info);
		no_memory = true;
		assert_null_with(all[i].adopt(FD), ENOMEM);
	}
	/* What fails leaves the descriptor alone: one handle of each kind was closed. */
	assert_int_equal(asked[CLOSE].calls, 4);
}

static void closing(void **state)
{
	struct libduct_event *ev = libduct_event_open(DEVICE, 1, 0);

	errno = EXDEV;
	libduct_channel_close(NULL);
	libduct_region_close(NULL);
	libduct_event_close(NULL);
	assert_int_equal(asked[CLOSE].calls, 0);
	libduct_event_close(ev);
	assert_int_equal(asked[CLOSE].calls, 1);
	assert_int_equal(errno, EXDEV);
}

/* ---- structures that grow ---- */

struct grown {
	uint32_t size, a, b, later;
};

#define KNOWN offsetof(struct grown, later)

static void growing_in(void **state)
{
	struct grown mine = { .size = sizeof(mine), .a = 1, .b = 2, .later = 3 }, got;

	memset(&got, 0xff, sizeof(got));
	assert_fails(sized_get(&got, &mine, KNOWN), E2BIG);
	mine.later = 0;
	assert_int_equal(sized_get(&got, &mine, KNOWN), 0);
	assert_int_equal(got.a, 1);
	assert_int_equal(got.b, 2);
	assert_int_equal(got.later, UINT32_MAX);
	/* An older program has no b. */
	mine.size = offsetof(struct grown, b);
	assert_int_equal(sized_get(&got, &mine, KNOWN), 0);
	assert_int_equal(got.a, 1);
	assert_int_equal(got.b, 0);
	mine.size = 3;
	assert_fails(sized_get(&got, &mine, KNOWN), EINVAL);
	mine.size = 4097;
	assert_fails(sized_get(&got, &mine, KNOWN), E2BIG);
}

static void growing_out(void **state)
{
	struct grown mine, told = { .size = 99, .a = 1, .b = 2, .later = 3 };

	memset(&mine, 0xff, sizeof(mine));
	mine.size = sizeof(mine);
	sized_put(&mine, &told, KNOWN);
	assert_int_equal(mine.size, sizeof(mine));
	assert_int_equal(mine.a, 1);
	assert_int_equal(mine.b, 2);
	assert_int_equal(mine.later, 0);
	memset(&mine, 0xff, sizeof(mine));
	mine.size = offsetof(struct grown, b);
	sized_put(&mine, &told, KNOWN);
	assert_int_equal(mine.size, offsetof(struct grown, b));
	assert_int_equal(mine.a, 1);
	assert_int_equal(mine.b, UINT32_MAX);
	mine.size = 0;
	assert_fails(sized_check(&mine), EINVAL);
	mine.size = UINT32_MAX;
	assert_fails(sized_check(&mine), E2BIG);
}

int test_file(void)
{
	const struct CMUnitTest file[] = {
		test(names), test(no_names), test(opening_fails), test(adopting), test(closing),
		test(growing_in), test(growing_out),
	};

	return run(file);
}
