// SPDX-License-Identifier: MIT
#include "fake.h"

static struct libduct_event event = { FD }, *const ev = &event;

static void open_it(void **state)
{
	struct libduct_event *got = libduct_event_open(DEVICE, 5, LIBDUCT_NONBLOCK);

	assert_non_null(got);
	assert_int_equal(libduct_event_fd(got), FD);
	assert_true(asked[OPEN].flags & O_NONBLOCK);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_EVENT);
	assert_int_equal(asked[IOCTL].arg.event.id, 5);
	libduct_event_close(got);
	assert_null_with(libduct_event_open(DEVICE, 5, LIBDUCT_STREAM), EINVAL);
	assert_int_equal(asked[OPEN].calls, 1);
}

static void trigger(void **state)
{
	assert_int_equal(libduct_event_trigger(ev, UINT32_MAX), 0);
	assert_int_equal(asked[WRITE].fd, FD);
	assert_int_equal(asked[WRITE].len, 8);
	assert_int_equal(asked[WRITE].data, UINT32_MAX);
	fails(WRITE, EINVAL);
	assert_fails(libduct_event_trigger(ev, 0), EINVAL);
	assert_int_equal(asked[WRITE].data, 0);
}

static void take(void **state)
{
	const __u64 seven = 7;
	uint64_t sum = 99;

	fills(READ, 8, seven);
	assert_int_equal(libduct_event_take(ev, &sum, 0), 0);
	assert_int_equal(sum, 7);
	assert_int_equal(asked[READ].len, 8);
	assert_int_equal(asked[READ].flags, 0);
	fails(READ, EAGAIN);
	assert_fails(libduct_event_take(ev, &sum, LIBDUCT_NOWAIT), EAGAIN);
	assert_int_equal(asked[READ].flags, RWF_NOWAIT);
	assert_int_equal(sum, 7);
	assert_fails(libduct_event_take(ev, &sum, 1), EINVAL);
	assert_int_equal(asked[READ].calls, 2);
}

static void watch(void **state)
{
	assert_int_equal(libduct_event_watch(ev, 9), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_EVENT_WATCH);
	assert_int_equal(asked[IOCTL].arg.event_watch.after, 9);
	fails(IOCTL, ENODEV);
	assert_fails(libduct_event_watch(ev, 9), ENODEV);
}

/* The three that tell how a handle is. */
static void info(void **state)
{
	const struct duct_file_info said = { .kind = DUCT_FILE_EVENT, .number = 5 };
	struct libduct_channel channel = { FD };
	struct libduct_region region = { FD };
	struct libduct_info i = { .size = sizeof(i) };

	fills(IOCTL, 0, said);
	assert_int_equal(libduct_event_info(ev, &i), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_INFO);
	assert_int_equal(i.number, 5);
	fails(IOCTL, EINTR);
	assert_fails(libduct_region_info(&region, &i), EINTR);
	i.size = 1;
	assert_fails(libduct_channel_info(&channel, &i), EINVAL);
	assert_int_equal(asked[IOCTL].calls, 2);
}

int test_event(void)
{
	const struct CMUnitTest events[] = {
		test(open_it), test(trigger), test(take), test(watch), test(info),
	};

	return run(events);
}
