// SPDX-License-Identifier: GPL-2.0
/* The character device: several messages with one system call. */
#include <linux/uaccess.h>

#include "../compat/compat.h"
#include "cdev.h"

#define DFILE_MANY	1024u	/* the most at once */
#define DFILE_PIECES	32u	/* whose description is read at once */

/**
 * struct dfile_many - several messages on their way
 * @user: where they are described
 * @count: how many
 * @done: sent or received
 * @nowait: not for the first one, either
 * @piece: the description of those at hand
 */
struct dfile_many {
	struct duct_file_piece __user *user;
	u32 count;
	u32 done;
	bool nowait;
	struct duct_file_piece piece[DFILE_PIECES];
};

static int dfile_many_begin(struct dfile *f, struct dfile_many *many,
			    const struct duct_file_many *arg, bool nowait)
{
	if (f->channel.stream || arg->flags & ~DUCT_FILE_NOWAIT || !arg->count ||
	    arg->count > DFILE_MANY)
		return -EINVAL;
	many->user = dfile_user(arg->pieces);
	many->count = arg->count;
	many->done = 0;
	many->nowait = nowait || arg->flags & DUCT_FILE_NOWAIT;
	return 0;
}

/* The next one's memory. Return: 0; -ENODATA: that were all; -EINVAL, -EFAULT */
static int dfile_many_next(struct dfile_many *many, unsigned int rw, struct iovec *iov,
			   struct iov_iter *it)
{
	u32 at = many->done % DFILE_PIECES;
	u32 n = min(many->count - many->done, DFILE_PIECES);

	if (!n)
		return -ENODATA;
	if (!at && copy_from_user(many->piece, many->user + many->done, n * sizeof(many->piece[0])))
		return -EFAULT;
	if (many->piece[at].reserved)
		return -EINVAL;
	return duct_compat_import(rw, dfile_user(many->piece[at].buf), many->piece[at].len, iov, it);
}

/* Return: 0, with @arg->count, or -errno if it is 0 */
int dfile_send_many(struct dfile *f, struct duct_file_many *arg, bool nowait)
{
	struct dfile_many many;
	struct iov_iter from;
	struct iovec iov;
	ssize_t ret = dfile_many_begin(f, &many, arg, nowait);

	if (ret)
		return ret;
	for (;;) {
		ret = dfile_many_next(&many, ITER_SOURCE, &iov, &from);
		if (!ret)
			ret = dfile_channel_write(f, &from, many.nowait, DUCT_MORE);
		if (ret < 0)
			break;
		many.done++;
		many.nowait = true;
	}
	dfile_channel_publish(f);
	arg->count = many.done;
	return many.done ? 0 : ret;
}

static int dfile_recv_one(struct dfile *f, struct dfile_many *many)
{
	struct duct_file_recv recv = { .flags = many->done ? DFILE_NO_END : 0 };
	struct iov_iter to;
	struct iovec iov;
	ssize_t ret;

	ret = dfile_many_next(many, ITER_DEST, &iov, &to);
	if (ret)
		return ret;
	ret = dfile_channel_read(f, &to, &recv, many->nowait);
	if ((ret >= 0 || ret == -EMSGSIZE) && put_user(recv.len, &many->user[many->done].len))
		return -EFAULT;
	if (ret < 0)
		return ret;
	return recv.flags & DUCT_FILE_EOF ? -ENODATA : 0;
}

/* The same; 0 with 0 messages is the end. */
int dfile_recv_many(struct dfile *f, struct duct_file_many *arg, bool nowait)
{
	struct dfile_many many;
	int err = dfile_many_begin(f, &many, arg, nowait);

	if (err)
		return err;
	if (f->channel.serves)
		return -EOPNOTSUPP;
	while (!(err = dfile_recv_one(f, &many))) {
		many.done++;
		many.nowait = true;
	}
	arg->count = many.done;
	return many.done || err == -ENODATA ? 0 : err;
}
