// SPDX-License-Identifier: GPL-2.0
/*
 * The character device: open files, what they become, and where each operation goes.
 * A file may outlive its device: dfile_end() takes from it what is the device's.
 */
#include <linux/compat.h>
#include <linux/module.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/wait.h>

#include "../compat/compat.h"
#include "cdev.h"

/* ---- life ---- */

static void dfile_free(struct kref *ref)
{
	struct dfile *f = container_of(ref, struct dfile, ref);

	if (f->kind == DUCT_FILE_CHANNEL)
		dfile_channel_free(f);
	put_device(&f->node->dev);
	kfree(f);
}

void dfile_put(struct dfile *f)
{
	kref_put(&f->ref, dfile_free);
}

static int dfile_open(struct inode *inode, struct file *file)
{
	struct dnode *node = container_of(inode->i_cdev, struct dnode, cdev);
	struct dfile *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!f)
		return -ENOMEM;
	kref_init(&f->ref);
	mutex_init(&f->lock);
	spin_lock_init(&f->spin);
	init_waitqueue_head(&f->wait);
	f->node = node;
	get_device(&node->dev);
	mutex_lock(&node->lock);
	if (node->gone)
		err = -ENODEV;
	else
		list_add(&f->list, &node->files);
	mutex_unlock(&node->lock);
	if (err) {
		dfile_put(f);
		return err;
	}
	file->private_data = f;
	file->f_mode |= FMODE_NOWAIT;	/* RWF_NOWAIT: dfile_nowait() */
	/* No position, and so no lock of it: reading does not hold up writing. */
	return stream_open(inode, file);
}

/* The file has nothing of the device any more. Twice is fine. [sleep] */
void dfile_end(struct dfile *f)
{
	mutex_lock(&f->lock);
	if (!f->gone) {
		WRITE_ONCE(f->gone, true);
		wake_up_all(&f->wait);
		switch (f->kind) {
		case DUCT_FILE_CHANNEL:
			dfile_channel_end(f);
			break;
		case DUCT_FILE_OWNER:
		case DUCT_FILE_ATTACHED:
			dfile_region_end(f);
			break;
		case DUCT_FILE_EVENT:
			dfile_event_end(f);
		}
		mutex_lock(&f->node->lock);
		f->node->files_used -= f->kind != DUCT_FILE_NOTHING;
		mutex_unlock(&f->node->lock);
		wake_up_all(&f->wait);
	}
	mutex_unlock(&f->lock);
}

static int dfile_release(struct inode *inode, struct file *file)
{
	struct dfile *f = file->private_data;

	/* In this order: who removes the device waits for what is on the list. */
	dfile_end(f);
	mutex_lock(&f->node->lock);
	list_del_init(&f->list);
	mutex_unlock(&f->node->lock);
	dfile_put(f);
	return 0;
}

/* ---- what it is ---- */

/*
 * The file is nothing yet, and is to become something: dfile_became() follows.
 * Return: 0, with f->lock held; -EINVAL, -EDQUOT, -ENODEV, -ERESTARTSYS
 */
int dfile_begin(struct dfile *f)
{
	struct dnode *node = f->node;
	int err = mutex_lock_interruptible(&f->lock) ? -ERESTARTSYS : 0;

	if (err)
		return err;
	if (f->gone)
		err = -ENODEV;
	else if (f->kind != DUCT_FILE_NOTHING)
		err = -EINVAL;
	if (err)
		goto out;
	mutex_lock(&node->lock);
	if (node->files_used < node->files_limit)
		node->files_used++;
	else
		err = -EDQUOT;
	mutex_unlock(&node->lock);
out:
	if (err)
		mutex_unlock(&f->lock);
	return err;
}

/* It is this now, or, with DUCT_FILE_NOTHING, did not become anything. */
void dfile_became(struct dfile *f, u32 kind, u32 number)
{
	lockdep_assert_held(&f->lock);
	if (kind == DUCT_FILE_NOTHING) {
		mutex_lock(&f->node->lock);
		f->node->files_used--;
		mutex_unlock(&f->node->lock);
	}
	f->number = number;
	smp_store_release(&f->kind, kind);	/* in one kernel: dfile_kind() */
	mutex_unlock(&f->lock);
}

/* Channel 0, if it is nothing yet. */
static int dfile_default(struct dfile *f)
{
	int err = 0;

	if (dfile_kind(f) == DUCT_FILE_NOTHING)
		err = dfile_channel_open_default(f);
	/* Another thread may have been faster. */
	return dfile_kind(f) == DUCT_FILE_NOTHING ? err : 0;
}

static int dfile_be_channel(struct dfile *f)
{
	int err = dfile_default(f);

	return err ?: dfile_kind(f) == DUCT_FILE_CHANNEL ? 0 : -EINVAL;
}

/* ---- waiting ---- */

/**
 * dfile_wait() - until @done says so. [sleep]
 * @f: whose @f->wait is woken; also when it is gone, and then @done must say so
 * @done: may sleep
 * @arg: for it
 * @timeout: jiffies; 0: look once
 *
 * Return: 0; -EAGAIN: @timeout is 0; -ETIMEDOUT; -ERESTARTSYS
 */
int dfile_wait(struct dfile *f, bool (*done)(struct dfile *f, void *arg), void *arg, long timeout)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	long left = timeout;
	int err = 0;

	if (done(f, arg))
		return 0;
	if (!timeout)
		return -EAGAIN;
	add_wait_queue(&f->wait, &wait);
	while (!done(f, arg)) {
		if (signal_pending(current))
			err = -ERESTARTSYS;
		else if (!left)
			err = -ETIMEDOUT;
		if (err)
			break;
		/* A domain can be saved while its programs wait. */
		left = wait_woken(&wait, TASK_INTERRUPTIBLE | TASK_FREEZABLE, left);
	}
	remove_wait_queue(&f->wait, &wait);
	return err;
}

static uint dfile_spin_us = 50;
module_param_named(spin_us, dfile_spin_us, uint, 0600);
MODULE_PARM_DESC(spin_us, "microseconds that read() and write() look again before they sleep, 0: never");

/**
 * dfile_spin() - looks again and again for a while, before anybody asks to be woken. [sleep]
 * @f: for @there
 * @spin: of this direction of this file
 * @there: whether there is something to do, or never will be; arms nothing
 * @arg: for it
 *
 * Between two ends that are awake there is no event then, and nobody is scheduled. Where it
 * was in vain, as when both have one processor, the next 1, 3, 7, ... 255 waits go without.
 */
void dfile_spin(struct dfile *f, struct dfile_spin *spin, bool (*there)(struct dfile *f, void *arg),
		void *arg)
{
	u32 us = READ_ONCE(dfile_spin_us), skip = READ_ONCE(spin->skip), vain, n = 0;
	u64 until;

	if (!us || there(f, arg))
		return;
	if (skip) {
		WRITE_ONCE(spin->skip, skip - 1);
		return;
	}
	until = local_clock() + (u64)us * NSEC_PER_USEC;
	while (!need_resched() && !signal_pending(current)) {
		cpu_relax();
		if (there(f, arg)) {
			WRITE_ONCE(spin->vain, 0);
			return;
		}
		/* Looking at the clock costs more than looking for data. */
		if (!(++n % 16) && local_clock() >= until)
			break;
	}
	vain = min(2 * READ_ONCE(spin->vain) + 1, 255u);
	WRITE_ONCE(spin->vain, vain);
	WRITE_ONCE(spin->skip, vain);
}

/* ---- operations ---- */

static bool dfile_nowait(const struct kiocb *iocb)
{
	return iocb->ki_filp->f_flags & O_NONBLOCK || iocb->ki_flags & IOCB_NOWAIT;
}

static ssize_t dfile_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct dfile *f = iocb->ki_filp->private_data;
	bool nowait = dfile_nowait(iocb);
	int err = dfile_default(f);

	if (err)
		return err;
	switch (dfile_kind(f)) {
	case DUCT_FILE_CHANNEL:
		return dfile_channel_read(f, to, NULL, nowait);
	case DUCT_FILE_EVENT:
		return dfile_event_read(f, to, nowait);
	default:
		return dfile_region_read(f, to, nowait);
	}
}

static ssize_t dfile_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct dfile *f = iocb->ki_filp->private_data;
	int err = dfile_default(f);

	if (err)
		return err;
	switch (dfile_kind(f)) {
	case DUCT_FILE_CHANNEL:
		if (!iov_iter_count(from))
			return 0;
		return dfile_channel_write(f, from, dfile_nowait(iocb), 0);
	case DUCT_FILE_EVENT:
		return dfile_event_write(f, from);
	default:
		return -EINVAL;
	}
}

/* Only where bytes have no borders that a pipe would move. */
static ssize_t dfile_splice_write(struct pipe_inode_info *pipe, struct file *file, loff_t *pos,
				  size_t len, unsigned int flags)
{
	struct dfile *f = file->private_data;
	int err = dfile_be_channel(f);

	if (err)
		return err;
	if (!f->channel.stream)
		return -EINVAL;
	return iter_file_splice_write(pipe, file, pos, len, flags);
}

static __poll_t dfile_poll(struct file *file, poll_table *table)
{
	struct dfile *f = file->private_data;
	__poll_t mask;

	poll_wait(file, &f->wait, table);
	if (dfile_default(f))
		return EPOLLERR | EPOLLIN | EPOLLOUT;
	switch (dfile_kind(f)) {
	case DUCT_FILE_CHANNEL:
		mask = dfile_channel_poll(f);
		break;
	case DUCT_FILE_EVENT:
		mask = dfile_event_poll(f);
		break;
	default:
		mask = dfile_region_poll(f);
	}
	if (READ_ONCE(f->gone))
		mask |= EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLERR;
	return mask;
}

static int dfile_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dfile *f = file->private_data;
	u32 kind = dfile_kind(f);

	if (kind != DUCT_FILE_OWNER && kind != DUCT_FILE_ATTACHED)
		return -ENODEV;
	return dfile_region_mmap(f, vma);
}

/* ---- ioctls ---- */

void dfile_info_stats(struct duct_file_info *info, const struct duct_stats *stats)
{
	info->out_messages = stats->out_messages;
	info->out_bytes = stats->out_bytes;
	info->out_events = stats->out_events;
	info->in_messages = stats->in_messages;
	info->in_bytes = stats->in_bytes;
	info->wakeups = stats->wakeups;
}

static int dfile_info(struct dfile *f, struct duct_file_info *info)
{
	memset(info, 0, sizeof(*info));
	if (mutex_lock_interruptible(&f->lock))
		return -ERESTARTSYS;
	info->kind = f->kind;
	info->number = f->number;
	if (f->gone) {
		info->error = -ENODEV;
		goto out;
	}
	info->peer = f->node->dd->peer;
	info->epoch = f->node->dd->epoch;
	info->instance = f->node->dd->instance;
	switch (f->kind) {
	case DUCT_FILE_CHANNEL:
		dfile_channel_info(f, info);
		break;
	case DUCT_FILE_OWNER:
	case DUCT_FILE_ATTACHED:
		dfile_region_info(f, info);
		break;
	case DUCT_FILE_EVENT:
		dfile_event_info(f, info);
	}
out:
	mutex_unlock(&f->lock);
	return 0;
}

static int dfile_send(struct dfile *f, struct duct_file_send *arg, bool nowait)
{
	struct iov_iter from;
	struct iovec iov;
	ssize_t ret;

	if (arg->flags & ~DUCT_FILE_NOWAIT)
		return -EINVAL;
	ret = duct_compat_import(ITER_SOURCE, dfile_user(arg->buf), arg->len, &iov, &from);
	if (!ret)
		ret = dfile_channel_write(f, &from, nowait || arg->flags & DUCT_FILE_NOWAIT, 0);
	if (ret < 0)
		return ret;
	arg->len = ret;
	return 0;
}

static int dfile_recv(struct dfile *f, struct duct_file_recv *arg, bool nowait)
{
	struct iov_iter to;
	struct iovec iov;
	ssize_t ret;

	if (arg->flags & ~(DUCT_FILE_NOWAIT | DUCT_FILE_CUT) || arg->tag || arg->reserved)
		return -EINVAL;
	nowait |= arg->flags & DUCT_FILE_NOWAIT;
	ret = duct_compat_import(ITER_DEST, dfile_user(arg->buf), arg->len, &iov, &to);
	if (!ret)
		ret = dfile_channel_read(f, &to, arg, nowait);
	return min_t(ssize_t, ret, 0);
}

union dfile_arg {
	struct duct_file_info info;
	struct duct_file_channel channel;
	struct duct_file_send send;
	struct duct_file_recv recv;
	struct duct_file_many many;
	struct duct_file_call call;
	struct duct_file_call_start call_start;
	struct duct_file_call_end call_end;
	struct duct_file_call_cancel call_cancel;
	struct duct_file_reply reply;
	struct duct_file_region region;
	struct duct_file_offer offer;
	struct duct_file_watch watch;
	struct duct_file_event event;
	struct duct_file_event_watch event_watch;
};

/* The ABI: the same for 32-bit programs. */
static_assert(sizeof(struct duct_file_info) == 104);
static_assert(sizeof(struct duct_file_channel) == 32);
static_assert(sizeof(struct duct_file_send) == 16);
static_assert(sizeof(struct duct_file_recv) == 32);
static_assert(sizeof(struct duct_file_piece) == 16);
static_assert(sizeof(struct duct_file_many) == 16);
static_assert(sizeof(struct duct_file_call) == 32);
static_assert(sizeof(struct duct_file_call_start) == 32);
static_assert(sizeof(struct duct_file_call_end) == 32);
static_assert(sizeof(struct duct_file_call_cancel) == 8);
static_assert(sizeof(struct duct_file_reply) == 24);
static_assert(sizeof(struct duct_file_region) == 16);
static_assert(sizeof(struct duct_file_offer) == 16);
static_assert(sizeof(struct duct_file_watch) == 16);
static_assert(sizeof(struct duct_file_news) == 32);
static_assert(sizeof(struct duct_file_event) == 8);
static_assert(sizeof(struct duct_file_event_watch) == 8);

/* Those of a channel; a file that is nothing becomes channel 0. */
static int dfile_channel_ioctl(struct dfile *f, unsigned int cmd, union dfile_arg *arg,
			       bool nowait)
{
	int err = dfile_be_channel(f);

	if (err)
		return err;
	switch (cmd) {
	case DUCT_IOC_SEND:
		return dfile_send(f, &arg->send, nowait);
	case DUCT_IOC_RECV:
		return dfile_recv(f, &arg->recv, nowait);
	case DUCT_IOC_SEND_MANY:
		return dfile_send_many(f, &arg->many, nowait);
	case DUCT_IOC_RECV_MANY:
		return dfile_recv_many(f, &arg->many, nowait);
	case DUCT_IOC_CALL:
		return dfile_call(f, &arg->call);
	case DUCT_IOC_CALL_START:
		return dfile_call_start(f, &arg->call_start, nowait);
	case DUCT_IOC_CALL_END:
		return dfile_call_end(f, &arg->call_end, nowait);
	case DUCT_IOC_CALL_CANCEL:
		return dfile_call_cancel(f, &arg->call_cancel);
	case DUCT_IOC_REPLY:
		return dfile_request_reply(f, &arg->reply);
	}
	return -ENOTTY;
}

static int dfile_ioctl_arg(struct dfile *f, unsigned int cmd, union dfile_arg *arg, bool nowait)
{
	switch (cmd) {
	case DUCT_IOC_INFO:
		return dfile_info(f, &arg->info);
	case DUCT_IOC_CHANNEL:
		return dfile_channel_open(f, &arg->channel);
	case DUCT_IOC_REGION_CREATE:
		return dfile_region_create(f, &arg->region);
	case DUCT_IOC_REGION_ATTACH:
		return dfile_region_attach(f, &arg->region);
	case DUCT_IOC_REGION_OFFER:
		return dfile_region_offer(f, &arg->offer);
	case DUCT_IOC_REGION_REVOKE:
		return dfile_region_revoke(f, &arg->offer);
	case DUCT_IOC_REGION_WATCH:
		return dfile_region_watch(f, &arg->watch);
	case DUCT_IOC_REGION_UNWATCH:
		return dfile_region_unwatch(f, &arg->watch);
	case DUCT_IOC_REGION_TRIGGER:
		return dfile_region_trigger(f, &arg->watch);
	case DUCT_IOC_EVENT:
		return dfile_event_open(f, &arg->event);
	case DUCT_IOC_EVENT_WATCH:
		return dfile_event_watch(f, &arg->event_watch);
	case DUCT_IOC_SEND:
	case DUCT_IOC_RECV:
	case DUCT_IOC_SEND_MANY:
	case DUCT_IOC_RECV_MANY:
	case DUCT_IOC_CALL:
	case DUCT_IOC_CALL_START:
	case DUCT_IOC_CALL_END:
	case DUCT_IOC_CALL_CANCEL:
	case DUCT_IOC_REPLY:
		return dfile_channel_ioctl(f, cmd, arg, nowait);
	}
	return -ENOTTY;
}

/* Whoever may only read the file sends nothing, and the reverse. */
static fmode_t dfile_ioctl_mode(unsigned int cmd)
{
	switch (cmd) {
	case DUCT_IOC_RECV:
	case DUCT_IOC_RECV_MANY:
		return FMODE_READ;
	case DUCT_IOC_CALL:
	case DUCT_IOC_CALL_START:
	case DUCT_IOC_CALL_END:
		return FMODE_READ | FMODE_WRITE;
	case DUCT_IOC_SEND:
	case DUCT_IOC_SEND_MANY:
	case DUCT_IOC_REPLY:
	case DUCT_IOC_REGION_CREATE:
	case DUCT_IOC_REGION_OFFER:
	case DUCT_IOC_REGION_REVOKE:
	case DUCT_IOC_REGION_TRIGGER:
		return FMODE_WRITE;
	}
	return 0;
}

static long dfile_ioctl(struct file *file, unsigned int cmd, unsigned long address)
{
	void __user *user = (void __user *)address;
	fmode_t mode = dfile_ioctl_mode(cmd);
	unsigned int size = _IOC_SIZE(cmd);
	union dfile_arg arg;
	int err;

	if (_IOC_TYPE(cmd) != _IOC_TYPE(DUCT_IOC_INFO) || size > sizeof(arg))
		return -ENOTTY;
	if ((file->f_mode & mode) != mode)
		return -EBADF;
	memset(&arg, 0, sizeof(arg));
	if (_IOC_DIR(cmd) & _IOC_WRITE && copy_from_user(&arg, user, size))
		return -EFAULT;
	err = dfile_ioctl_arg(file->private_data, cmd, &arg, file->f_flags & O_NONBLOCK);
	/* How much room it takes is told with -EMSGSIZE. */
	if (_IOC_DIR(cmd) & _IOC_READ && (!err || err == -EMSGSIZE) &&
	    copy_to_user(user, &arg, size))
		return -EFAULT;
	return err;
}

const struct file_operations dfile_fops = {
	.owner = THIS_MODULE,
	.open = dfile_open,
	.release = dfile_release,
	.read_iter = dfile_read_iter,
	.write_iter = dfile_write_iter,
	.splice_read = duct_compat_splice_read,
	.splice_write = dfile_splice_write,
	.poll = dfile_poll,
	.mmap = dfile_mmap,
	.unlocked_ioctl = dfile_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = duct_compat_no_llseek,
};
