// SPDX-License-Identifier: MIT
#include "fake.h"

static void path(void **state)
{
	const char *const none[] = { "", ".x", "a/b", "A", "a b", "..", NULL };
	char buf[64];
	size_t i;

	assert_int_equal(libduct_path(buf, sizeof(buf), "3", "cdev.0"), 18);
	assert_string_equal(buf, "/dev/duct/3.cdev.0");
	assert_int_equal(libduct_path(buf, 19, "3", "cdev.0"), 18);
	assert_fails(libduct_path(buf, 18, "3", "cdev.0"), ENAMETOOLONG);
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_fails(libduct_path(buf, sizeof(buf), none[i], "x"), EINVAL);
		assert_fails(libduct_path(buf, sizeof(buf), "x", none[i]), EINVAL);
	}
	assert_int_equal(all_calls(), 0);
}

static int seen(const char *path, void *arg)
{
	char *all = arg;

	strcat(all, path);
	strcat(all, " ");
	return strstr(path, "stop") ? 5 : 0;
}

static void list(void **state)
{
	static const char *const some[] = { ".", "..", "1.a", "-note", "2.b", NULL };
	static const char *const stop[] = { "1.a", "1.stop", "2.b", NULL };
	static const char *const broken[] = { "1.a", "!" };
	char all[256] = "";

	directory = some;
	assert_int_equal(libduct_list(seen, all), 0);
	assert_string_equal(all, "/dev/duct/1.a /dev/duct/2.b ");
	directory = stop;
	all[0] = 0;
	assert_int_equal(libduct_list(seen, all), 5);
	assert_string_equal(all, "/dev/duct/1.a /dev/duct/1.stop ");
	directory = broken;
	assert_fails(libduct_list(seen, all), EBADF);
	/* closedir() each time */
	assert_int_equal(asked[CLOSE].calls, 3);
}

static void no_list(void **state)
{
	char all[8] = "";

	fails(DIRECTORY, ENOENT);
	assert_int_equal(libduct_list(seen, all), 0);
	fails(DIRECTORY, EACCES);
	assert_fails(libduct_list(seen, all), EACCES);
	assert_string_equal(all, "");
	assert_int_equal(asked[CLOSE].calls, 0);
}

static void info(void **state)
{
	const struct duct_file_info said = {
		.kind = 1, .error = -ENOTCONN, .peer = 2, .epoch = 3, .instance = 4,
		.number = 5, .flags = DUCT_FILE_STREAM, .max_msg = 6, .tx_bytes = 7,
		.rx_bytes = 8, .self = 9, .size = 10, .out_messages = 11, .out_bytes = 12,
		.out_events = 13, .in_messages = 14, .in_bytes = 15, .wakeups = 16,
	};
	const struct libduct_info told = {
		.size = sizeof(told), .kind = 1, .error = ENOTCONN, .peer = 2, .epoch = 3,
		.instance = 4, .number = 5, .flags = LIBDUCT_STREAM, .max_msg = 6,
		.tx_bytes = 7, .rx_bytes = 8, .self = 9, .bytes = 10, .out_messages = 11,
		.out_bytes = 12, .out_events = 13, .in_messages = 14, .in_bytes = 15,
		.wakeups = 16,
	};
	struct libduct_info i = { .size = sizeof(i) };

	fills(IOCTL, 0, said);
	assert_int_equal(libduct_device_info(DEVICE, &i), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_INFO);
	assert_memory_equal(&i, &told, sizeof(i));
	assert_int_equal(asked[CLOSE].calls, 1);
	fails(IOCTL, ENOTTY);
	assert_fails(libduct_device_info(DEVICE, &i), ENOTTY);
	assert_int_equal(asked[CLOSE].calls, 2);
	fails(OPEN, ENOENT);
	assert_fails(libduct_device_info(DEVICE, &i), ENOENT);
	i.size = 1;
	assert_fails(libduct_device_info(DEVICE, &i), EINVAL);
	assert_int_equal(asked[IOCTL].calls, 2);
	assert_int_equal(asked[CLOSE].calls, 3);
}

int test_device(void)
{
	const struct CMUnitTest device[] = { test(path), test(list), test(no_list), test(info) };

	return run(device);
}
