// SPDX-License-Identifier: GPL-2.0
/* The character device: files that are events. */
#include "cdev.h"

/* The other end's triggers. */
static void dfile_event_told(struct duct_event *ev, void *arg, u32 n)
{
	struct dfile *f = arg;

	spin_lock(&f->spin);
	f->event.sum += n;
	spin_unlock(&f->spin);
	wake_up_all(&f->wait);
}

int dfile_event_open(struct dfile *f, const struct duct_file_event *arg)
{
	struct duct_event *event;
	int err;

	if (arg->reserved)
		return -EINVAL;
	err = dfile_begin(f);
	if (err)
		return err;
	event = duct_event_open(f->node->dd, arg->id, dfile_event_told, f);
	if (!IS_ERR(event)) {
		f->event.event = event;
		dfile_became(f, DUCT_FILE_EVENT, arg->id);
		return 0;
	}
	dfile_became(f, DUCT_FILE_NOTHING, 0);
	return PTR_ERR(event) == -EEXIST ? -EBUSY : PTR_ERR(event);
}

int dfile_event_watch(struct dfile *f, const struct duct_file_event_watch *arg)
{
	int err = 0;

	if (arg->reserved || dfile_kind(f) != DUCT_FILE_EVENT)
		return -EINVAL;
	mutex_lock(&f->lock);
	if (f->event.event)
		duct_event_watch(f->event.event, arg->after);
	else
		err = -ENODEV;
	mutex_unlock(&f->lock);
	return err;
}

/* Takes the sum. Return: false: there is none */
static bool dfile_event_take(struct dfile *f, void *arg)
{
	u64 *sum = arg;

	spin_lock(&f->spin);
	*sum = f->event.sum;
	f->event.sum = 0;
	spin_unlock(&f->spin);
	return *sum || READ_ONCE(f->gone);
}

ssize_t dfile_event_read(struct dfile *f, struct iov_iter *to, bool nowait)
{
	u64 sum;
	int err;

	if (iov_iter_count(to) < sizeof(sum))
		return -EINVAL;
	err = dfile_wait(f, dfile_event_take, &sum, nowait ? 0 : MAX_SCHEDULE_TIMEOUT);
	if (err)
		return err;
	if (!sum)
		return -ENODEV;
	if (copy_to_iter(&sum, sizeof(sum), to) == sizeof(sum))
		return sizeof(sum);
	/* Not told, not lost. */
	spin_lock(&f->spin);
	f->event.sum += sum;
	spin_unlock(&f->spin);
	return -EFAULT;
}

ssize_t dfile_event_write(struct dfile *f, struct iov_iter *from)
{
	u64 n;
	int err;

	if (iov_iter_count(from) != sizeof(n))
		return -EINVAL;
	if (!copy_from_iter_full(&n, sizeof(n), from))
		return -EFAULT;
	if (!n || n > U32_MAX)
		return -EINVAL;
	mutex_lock(&f->lock);
	err = f->event.event ? duct_event_trigger(f->event.event, n) : -ENODEV;
	mutex_unlock(&f->lock);
	return err ?: (ssize_t)sizeof(n);
}

__poll_t dfile_event_poll(struct dfile *f)
{
	__poll_t mask = EPOLLOUT | EPOLLWRNORM;

	spin_lock(&f->spin);
	if (f->event.sum)
		mask |= EPOLLIN | EPOLLRDNORM;
	spin_unlock(&f->spin);
	return mask;
}

void dfile_event_info(struct dfile *f, struct duct_file_info *info)
{
	struct duct_stats stats;

	lockdep_assert_held(&f->lock);
	if (!f->event.event)
		return;
	duct_event_stats(f->event.event, &stats);
	dfile_info_stats(info, &stats);
}

void dfile_event_end(struct dfile *f)
{
	lockdep_assert_held(&f->lock);
	duct_event_close(f->event.event);
	f->event.event = NULL;
}
