// SPDX-License-Identifier: MIT
#include "fake.h"

#define BIG ((size_t)UINT32_MAX + 1)

static struct libduct_channel channel = { FD }, *const ch = &channel;
static char req[8], rsp[16];

static void call(void **state)
{
	const struct duct_file_call answered = { .rsp_len = 4 };

	fills(IOCTL, 0, answered);
	assert_int_equal(libduct_call(ch, req, 8, rsp, 16, 1000), 4);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_CALL);
	assert_int_equal(asked[IOCTL].arg.call.req, address(req));
	assert_int_equal(asked[IOCTL].arg.call.rsp, address(rsp));
	assert_int_equal(asked[IOCTL].arg.call.req_len, 8);
	assert_int_equal(asked[IOCTL].arg.call.rsp_len, 16);
	assert_int_equal(asked[IOCTL].arg.call.timeout_ms, 1000);
	assert_int_equal(asked[IOCTL].arg.call.flags, 0);
	fails(IOCTL, EREMOTEIO);
	assert_fails(libduct_call(ch, req, 8, rsp, BIG, 0), EREMOTEIO);
	assert_int_equal(asked[IOCTL].arg.call.rsp_len, UINT32_MAX);
	assert_fails(libduct_call(ch, req, BIG, rsp, 16, 0), EMSGSIZE);
	assert_int_equal(asked[IOCTL].calls, 2);
}

static void start(void **state)
{
	assert_int_equal(libduct_call_start(ch, 77, req, 8, 16, 1000, LIBDUCT_NOWAIT), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_CALL_START);
	assert_int_equal(asked[IOCTL].arg.start.req, address(req));
	assert_int_equal(asked[IOCTL].arg.start.cookie, 77);
	assert_int_equal(asked[IOCTL].arg.start.req_len, 8);
	assert_int_equal(asked[IOCTL].arg.start.rsp_len, 16);
	assert_int_equal(asked[IOCTL].arg.start.timeout_ms, 1000);
	assert_int_equal(asked[IOCTL].arg.start.flags, DUCT_FILE_NOWAIT);
	fails(IOCTL, EEXIST);
	assert_fails(libduct_call_start(ch, 77, req, 8, 16, 0, 0), EEXIST);
	assert_fails(libduct_call_start(ch, 77, req, BIG, 16, 0, 0), EMSGSIZE);
	assert_int_equal(asked[IOCTL].calls, 2);
}

static void end(void **state)
{
	struct duct_file_call_end one = { .cookie = 77, .rsp_len = 5, .error = 0 };
	struct libduct_ended ended = { .size = sizeof(ended) };

	fills(IOCTL, 0, one);
	assert_int_equal(libduct_call_end(ch, &ended, rsp, 16, LIBDUCT_NOWAIT), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_CALL_END);
	assert_int_equal(asked[IOCTL].arg.end.rsp, address(rsp));
	assert_int_equal(asked[IOCTL].arg.end.rsp_len, 16);
	assert_int_equal(asked[IOCTL].arg.end.flags, DUCT_FILE_NOWAIT);
	assert_int_equal(ended.cookie, 77);
	assert_int_equal(ended.len, 5);
	assert_int_equal(ended.error, 0);
	one.error = -ETIMEDOUT;
	fills(IOCTL, 0, one);
	assert_int_equal(libduct_call_end(ch, &ended, rsp, 16, 0), 0);
	assert_int_equal(ended.error, ETIMEDOUT);
}

static void end_fails(void **state)
{
	const struct duct_file_call_end one = { .cookie = 77, .rsp_len = 50 };
	struct libduct_ended ended = { .size = sizeof(ended) };

	answer(IOCTL, -1, EMSGSIZE, &one, sizeof(one));
	assert_fails(libduct_call_end(ch, &ended, rsp, 16, 0), EMSGSIZE);
	assert_int_equal(ended.len, 50);
	assert_int_equal(ended.cookie, 77);
	ended.cookie = 1;
	fails(IOCTL, ENOENT);
	assert_fails(libduct_call_end(ch, &ended, rsp, 16, 0), ENOENT);
	assert_int_equal(ended.cookie, 1);
	ended.size = 0;
	assert_fails(libduct_call_end(ch, &ended, rsp, 16, 0), EINVAL);
	assert_int_equal(asked[IOCTL].calls, 2);
}

static void cancel(void **state)
{
	assert_int_equal(libduct_call_cancel(ch, 77), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_CALL_CANCEL);
	assert_int_equal(asked[IOCTL].arg.cancel.cookie, 77);
	fails(IOCTL, ENOENT);
	assert_fails(libduct_call_cancel(ch, 77), ENOENT);
}

static void reply(void **state)
{
	assert_int_equal(libduct_reply(ch, 9, rsp, 16), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_REPLY);
	assert_int_equal(asked[IOCTL].arg.reply.buf, address(rsp));
	assert_int_equal(asked[IOCTL].arg.reply.tag, 9);
	assert_int_equal(asked[IOCTL].arg.reply.len, 16);
	assert_int_equal(asked[IOCTL].arg.reply.flags, 0);
	assert_fails(libduct_reply(ch, 9, rsp, BIG), EMSGSIZE);
	assert_int_equal(libduct_refuse(ch, 10), 0);
	assert_int_equal(asked[IOCTL].request, DUCT_IOC_REPLY);
	assert_int_equal(asked[IOCTL].arg.reply.tag, 10);
	assert_int_equal(asked[IOCTL].arg.reply.len, 0);
	assert_int_equal(asked[IOCTL].arg.reply.flags, DUCT_FILE_REFUSE);
	fails(IOCTL, ENOENT);
	assert_fails(libduct_refuse(ch, 10), ENOENT);
	fails(IOCTL, EPIPE);
	assert_fails(libduct_reply(ch, 10, rsp, 1), EPIPE);
	assert_int_equal(asked[IOCTL].calls, 4);
}

int test_call(void)
{
	const struct CMUnitTest calls[] = {
		test(call), test(start), test(end), test(end_fails), test(cancel), test(reply),
	};

	return run(calls);
}
