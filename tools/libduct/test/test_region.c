// SPDX-License-Identifier: MIT
#include <sys/mman.h>

#include "fake.h"

static struct libduct_region region = { FD }, *const rg = &region;

static void create(void **state)
{
	const unsigned int flags = LIBDUCT_WRITABLE | LIBDUCT_NONBLOCK;
	struct libduct_region *got = libduct_region_create(DEVICE, 5, 1ull << 33, flags);

	assert_non_null(got);
	assert_int_equal(libduct_region_fd(got), FD);
	assert_true(asked[OPEN].flags & O_NONBLOCK);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_REGION_CREATE);
	assert_int_equal(asked[IOCTL].arg.region.id, 5);
	assert_int_equal(asked[IOCTL].arg.region.size, 1ull << 33);
	assert_int_equal(asked[IOCTL].arg.region.flags, DUCT_FILE_WRITABLE);
	libduct_region_close(got);
	assert_null_with(libduct_region_create(DEVICE, 5, 1, LIBDUCT_STREAM), EINVAL);
	assert_int_equal(asked[OPEN].calls, 1);
}

static void attach(void **state)
{
	struct libduct_region *got = libduct_region_attach(DEVICE, 5, LIBDUCT_NONBLOCK);

	assert_non_null(got);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_REGION_ATTACH);
	assert_int_equal(asked[IOCTL].arg.region.id, 5);
	assert_int_equal(asked[IOCTL].arg.region.size, 0);
	assert_int_equal(asked[IOCTL].arg.region.flags, 0);
	libduct_region_close(got);
	assert_null_with(libduct_region_attach(DEVICE, 5, LIBDUCT_WRITABLE), EINVAL);
	assert_int_equal(asked[OPEN].calls, 1);
}

static void map(void **state)
{
	void *addr = libduct_region_map(rg, 8192, 4096, PROT_READ);

	assert_ptr_equal(addr, 0x10000);
	assert_int_equal(asked[MMAP].fd, FD);
	assert_int_equal(asked[MMAP].len, 4096);
	assert_int_equal(asked[MMAP].off, 8192);
	assert_int_equal(asked[MMAP].flags, PROT_READ);
	assert_int_equal(asked[MMAP].count, MAP_SHARED);
	assert_int_equal(asked[IOCTL].calls, 0);
	fails(MMAP, ENOTCONN);
	assert_null_with(libduct_region_map(rg, 0, 4096, PROT_READ), ENOTCONN);
	assert_int_equal(libduct_region_unmap(addr, 4096), 0);
	assert_ptr_equal(asked[MUNMAP].base, addr);
	assert_int_equal(asked[MUNMAP].len, 4096);
	fails(MUNMAP, EINVAL);
	assert_fails(libduct_region_unmap(addr, 0), EINVAL);
}

static void map_the_rest(void **state)
{
	struct duct_file_info info = { .kind = DUCT_FILE_OWNER, .size = 16384 };

	fills(IOCTL, 0, info);
	assert_non_null(libduct_region_map(rg, 4096, 0, PROT_READ | PROT_WRITE));
	assert_int_equal(asked[MMAP].len, 12288);
	assert_int_equal(asked[MMAP].off, 4096);
	fills(IOCTL, 0, info);
	assert_null_with(libduct_region_map(rg, 16384, 0, PROT_READ), EINVAL);
	fails(IOCTL, EINTR);
	assert_null_with(libduct_region_map(rg, 0, 0, PROT_READ), EINTR);
	info.size = 0;
	info.error = -ENOTCONN;
	fills(IOCTL, 0, info);
	assert_null_with(libduct_region_map(rg, 0, 0, PROT_READ), ENOTCONN);
	assert_int_equal(asked[MMAP].calls, 1);
}

static void offer(void **state)
{
	assert_int_equal(libduct_region_offer(rg, NULL, 5, LIBDUCT_WRITABLE), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_REGION_OFFER);
	assert_int_equal(asked[IOCTL].arg.offer.fd, -1);
	assert_int_equal(asked[IOCTL].arg.offer.id, 5);
	assert_int_equal(asked[IOCTL].arg.offer.flags, DUCT_FILE_WRITABLE);
	assert_int_equal(asked[OPEN].calls, 0);
	gives(OPEN, FD + 1);
	assert_int_equal(libduct_region_offer(rg, "4.cdev.0", 6, 0), 0);
	assert_int_equal(asked[IOCTL].fd, FD);
	assert_int_equal(asked[IOCTL].arg.offer.fd, FD + 1);
	assert_int_equal(asked[CLOSE].fd, FD + 1);
	fails(IOCTL, EEXIST);
	assert_fails(libduct_region_offer(rg, "4.cdev.0", 6, 0), EEXIST);
	assert_int_equal(asked[CLOSE].calls, 2);
	fails(OPEN, ENOENT);
	assert_fails(libduct_region_offer(rg, "4.cdev.0", 6, 0), ENOENT);
	assert_int_equal(asked[CLOSE].calls, 2);
	assert_int_equal(asked[IOCTL].calls, 3);
}

static void revoke(void **state)
{
	assert_int_equal(libduct_region_revoke(rg, "4.cdev.0"), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_REGION_REVOKE);
	assert_int_equal(asked[IOCTL].arg.offer.id, 0);
	assert_int_equal(asked[IOCTL].arg.offer.flags, 0);
	fails(IOCTL, ETIMEDOUT);
	assert_fails(libduct_region_revoke(rg, NULL), ETIMEDOUT);
	assert_int_equal(asked[IOCTL].arg.offer.fd, -1);
}

static void watch(void **state)
{
	assert_int_equal(libduct_region_watch(rg, 1ull << 32, 3), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_REGION_WATCH);
	assert_int_equal(asked[IOCTL].arg.watch.off, 1ull << 32);
	assert_int_equal(asked[IOCTL].arg.watch.count, 3);
	assert_int_equal(libduct_region_unwatch(rg, 8), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_REGION_UNWATCH);
	assert_int_equal(asked[IOCTL].arg.watch.off, 8);
	assert_int_equal(asked[IOCTL].arg.watch.count, 0);
	assert_int_equal(libduct_region_trigger(rg, 9), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_REGION_TRIGGER);
	assert_int_equal(asked[IOCTL].arg.watch.off, 9);
	fails(IOCTL, EAGAIN);
	assert_fails(libduct_region_trigger(rg, 9), EAGAIN);
	fails(IOCTL, ENOSPC);
	assert_fails(libduct_region_watch(rg, 9, 0), ENOSPC);
	fails(IOCTL, ENOENT);
	assert_fails(libduct_region_unwatch(rg, 9), ENOENT);
}

static void news(void **state)
{
	const struct duct_file_news told[2] = {
		{ .type = DUCT_NEWS_DOWN, .peer = 3, .why = -ECONNRESET },
		{ .type = DUCT_NEWS_TRIGGERED, .off = 64, .total = 1000 },
	};
	struct libduct_news got[4];

	memset(got, 0xff, sizeof(got));
	fills(READ, sizeof(told), told);
	assert_int_equal(libduct_region_news(rg, got, 4, LIBDUCT_NOWAIT), 2);
	assert_int_equal(asked[READ].flags, RWF_NOWAIT);
	assert_int_equal(asked[READ].len, sizeof(got));
	assert_int_equal(got[0].type, LIBDUCT_NEWS_DOWN);
	assert_int_equal(got[0].peer, 3);
	assert_int_equal(got[0].error, ECONNRESET);
	assert_int_equal(got[1].type, LIBDUCT_NEWS_TRIGGERED);
	assert_int_equal(got[1].error, 0);
	assert_int_equal(got[1].off, 64);
	assert_int_equal(got[1].total, 1000);
	assert_int_equal(got[2].error, -1);
	fails(READ, EAGAIN);
	assert_fails(libduct_region_news(rg, got, 4, 0), EAGAIN);
	fails(READ, EINVAL);
	assert_fails(libduct_region_news(rg, got, 0, 0), EINVAL);
	assert_int_equal(asked[READ].len, 0);
	gives(READ, 0);
	libduct_region_news(rg, got, UINT32_MAX, 0);
	assert_int_equal(asked[READ].len, 1024 * sizeof(got[0]));
}

int test_region(void)
{
	const struct CMUnitTest regions[] = {
		test(create), test(attach), test(map), test(map_the_rest), test(offer),
		test(revoke), test(watch), test(news),
	};

	return run(regions);
}
