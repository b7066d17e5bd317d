// SPDX-License-Identifier: MIT
/* Calls on a channel, made and answered. */
#include <errno.h>
#include <sys/ioctl.h>

#include "private.h"

/* ---- made ---- */

EXPORT ssize_t libduct_call(struct libduct_channel *ch, const void *req, size_t req_len,
			    void *rsp, size_t rsp_size, unsigned int timeout_ms)
{
	struct duct_file_call arg = {
		.req = address(req), .rsp = address(rsp), .req_len = (__u32)req_len,
		.rsp_len = room32(rsp_size), .timeout_ms = timeout_ms,
	};

	if (!fits32(req_len))
		return file_fail(EMSGSIZE);
	return ioctl(ch->fd, DUCT_IOC_CALL, &arg) ? -1 : (ssize_t)arg.rsp_len;
}

EXPORT int libduct_call_start(struct libduct_channel *ch, uint64_t cookie, const void *req,
			      size_t req_len, size_t rsp_size, unsigned int timeout_ms,
			      unsigned int flags)
{
	struct duct_file_call_start arg = {
		.req = address(req), .cookie = cookie, .req_len = (__u32)req_len,
		.rsp_len = room32(rsp_size), .timeout_ms = timeout_ms, .flags = flags,
	};

	if (!fits32(req_len))
		return file_fail(EMSGSIZE);
	return ioctl(ch->fd, DUCT_IOC_CALL_START, &arg);
}

EXPORT int libduct_call_end(struct libduct_channel *ch, struct libduct_ended *ended, void *rsp,
			    size_t rsp_size, unsigned int flags)
{
	struct duct_file_call_end arg = {
		.rsp = address(rsp), .rsp_len = room32(rsp_size), .flags = flags,
	};
	struct libduct_ended told;
	int err = 0;

	if (sized_check(ended))
		return -1;
	if (ioctl(ch->fd, DUCT_IOC_CALL_END, &arg))
		err = errno;
	if (err && err != EMSGSIZE)
		return -1;
	told = (struct libduct_ended){
		.error = (uint32_t)-arg.error, .cookie = arg.cookie, .len = arg.rsp_len,
	};
	sized_put(ended, &told, sizeof(told));
	return err ? file_fail(err) : 0;
}

EXPORT int libduct_call_cancel(struct libduct_channel *ch, uint64_t cookie)
{
	struct duct_file_call_cancel arg = { .cookie = cookie };

	return ioctl(ch->fd, DUCT_IOC_CALL_CANCEL, &arg);
}

/* ---- answered ---- */

EXPORT int libduct_reply(struct libduct_channel *ch, uint64_t tag, const void *buf, size_t len)
{
	struct duct_file_reply arg = { .buf = address(buf), .tag = tag, .len = (__u32)len };

	if (!fits32(len))
		return file_fail(EMSGSIZE);
	return ioctl(ch->fd, DUCT_IOC_REPLY, &arg);
}

EXPORT int libduct_refuse(struct libduct_channel *ch, uint64_t tag)
{
	struct duct_file_reply arg = { .tag = tag, .flags = DUCT_FILE_REFUSE };

	return ioctl(ch->fd, DUCT_IOC_REPLY, &arg);
}
