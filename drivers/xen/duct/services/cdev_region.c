// SPDX-License-Identifier: GPL-2.0
/*
 * The character device: files that are regions. What a program was not told yet is kept
 * joined: a bit for each peer and each watch, however often the other ends come and go.
 */
#include <linux/file.h>
#include <linux/slab.h>

#include "cdev.h"

/**
 * struct dfile_watch - an offset that the file watches
 * @watch: the core's
 * @f: whose
 * @node: on region->watches; dfile.lock
 * @fired: on region->fired, or empty; dfile.spin
 */
struct dfile_watch {
	struct duct_watch watch;
	struct dfile *f;
	struct list_head node;
	struct list_head fired;
};

/**
 * struct dfile_offer - a region, offered to another node's peer
 * @f: whose region
 * @node: where to
 * @of_file: on region->offers; f->lock
 * @of_node: on node->offers; node->lock. Holds a reference to @f while it is there
 */
struct dfile_offer {
	struct dfile *f;
	struct dnode *node;
	struct list_head of_file;
	struct list_head of_node;
};

/* ---- news ---- */

static void dfile_region_told(struct duct_region *r, unsigned int peer, bool up, int why)
{
	struct dfile *f = r->priv;
	struct dfile_peer *p = &f->region.peer[min(peer, DFILE_PEERS - 1)];

	spin_lock(&f->spin);
	p->up = up;
	if (!up) {
		p->down = true;
		p->why = why;
	}
	spin_unlock(&f->spin);
	wake_up_all(&f->wait);
}

static void dfile_region_up(struct duct_region *r, unsigned int peer)
{
	dfile_region_told(r, peer, true, 0);
}

static void dfile_region_down(struct duct_region *r, unsigned int peer, int why)
{
	dfile_region_told(r, peer, false, why);
}

static const struct duct_region_ops dfile_region_ops = {
	.up = dfile_region_up,
	.down = dfile_region_down,
};

static void dfile_region_fired(struct duct_watch *watch)
{
	struct dfile_watch *w = container_of(watch, struct dfile_watch, watch);
	struct dfile *f = w->f;

	spin_lock(&f->spin);
	if (list_empty(&w->fired))
		list_add_tail(&w->fired, &f->region.fired);
	spin_unlock(&f->spin);
	wake_up_all(&f->wait);
}

static bool dfile_peer_news(struct dfile_peer *p, struct duct_file_news *news)
{
	if (p->down) {
		news->type = DUCT_NEWS_DOWN;
		news->why = p->why;
		p->down = false;
		p->told = false;
		return true;
	}
	if (p->up && !p->told) {
		news->type = DUCT_NEWS_UP;
		p->told = true;
		return true;
	}
	return false;
}

/* Takes one, or only looks. Return: there is one */
static bool dfile_region_news(struct dfile *f, struct duct_file_news *news)
{
	struct dfile_region *region = &f->region;
	struct dfile_watch *w;
	u32 i;

	lockdep_assert_held(&f->spin);
	memset(news, 0, sizeof(*news));
	for (i = 0; i < DFILE_PEERS; i++) {
		news->peer = i;
		if (dfile_peer_news(&region->peer[i], news))
			return true;
	}
	w = list_first_entry_or_null(&region->fired, struct dfile_watch, fired);
	if (!w)
		return false;
	list_del_init(&w->fired);
	news->type = DUCT_NEWS_TRIGGERED;
	news->peer = 0;
	news->off = w->watch.off;
	news->total = READ_ONCE(w->watch.total);
	return true;
}

static bool dfile_region_has_news(struct dfile *f, void *arg)
{
	struct dfile_region *region = &f->region;
	bool has;
	u32 i;

	spin_lock(&f->spin);
	has = !list_empty(&region->fired);
	for (i = 0; i < DFILE_PEERS; i++)
		has |= region->peer[i].down || region->peer[i].up != region->peer[i].told;
	spin_unlock(&f->spin);
	return has || READ_ONCE(f->gone);
}

ssize_t dfile_region_read(struct dfile *f, struct iov_iter *to, bool nowait)
{
	struct duct_file_news news;
	ssize_t got = 0;
	bool is;
	int err;

	if (iov_iter_count(to) < sizeof(news))
		return -EINVAL;
	do {
		err = dfile_wait(f, dfile_region_has_news, NULL,
				 nowait ? 0 : MAX_SCHEDULE_TIMEOUT);
		if (err)
			return err;
		while (iov_iter_count(to) >= sizeof(news)) {
			/* Before it is taken. */
			if (fault_in_iov_iter_writeable(to, sizeof(news)))
				return got ?: -EFAULT;
			spin_lock(&f->spin);
			is = dfile_region_news(f, &news);
			spin_unlock(&f->spin);
			if (!is)
				break;
			if (copy_to_iter(&news, sizeof(news), to) != sizeof(news))
				return got ?: -EFAULT;
			got += sizeof(news);
		}
		/* Another reader may have been faster. */
	} while (!got && !READ_ONCE(f->gone));
	return got ?: -ENODEV;
}

__poll_t dfile_region_poll(struct dfile *f)
{
	return dfile_region_has_news(f, NULL) ? EPOLLIN | EPOLLRDNORM : 0;
}

/* ---- what it is ---- */

static void dfile_region_init(struct dfile *f)
{
	memset(&f->region, 0, sizeof(f->region));
	INIT_LIST_HEAD(&f->region.offers);
	INIT_LIST_HEAD(&f->region.watches);
	INIT_LIST_HEAD(&f->region.fired);
}

static int dfile_region_charge(struct dfile *f, u64 size)
{
	struct dnode *node = f->node;
	u64 bytes = PAGE_ALIGN(size);
	int err = 0;

	mutex_lock(&node->lock);
	if (bytes > node->region_limit - node->region_bytes)
		err = -EDQUOT;
	else
		node->region_bytes += bytes;
	mutex_unlock(&node->lock);
	if (!err)
		f->region.charged = bytes;
	return err;
}

static void dfile_region_uncharge(struct dfile *f)
{
	mutex_lock(&f->node->lock);
	f->node->region_bytes -= f->region.charged;
	mutex_unlock(&f->node->lock);
	f->region.charged = 0;
}

int dfile_region_create(struct dfile *f, const struct duct_file_region *arg)
{
	struct duct_region *r;
	int err;

	if (arg->flags & ~DUCT_FILE_WRITABLE || !arg->size || arg->size > 64ull << 20)
		return -EINVAL;
	err = dfile_begin(f);
	if (err)
		return err;
	dfile_region_init(f);
	err = dfile_region_charge(f, arg->size);
	if (err)
		goto out;
	r = duct_region_create(arg->size, &dfile_region_ops, f);
	err = PTR_ERR_OR_ZERO(r) ?:
	      duct_region_offer(r, f->node->dd, arg->id, arg->flags & DUCT_FILE_WRITABLE);
	if (err) {
		duct_region_put(r);
		dfile_region_uncharge(f);
		goto out;
	}
	f->region.region = r;
out:
	dfile_became(f, err ? DUCT_FILE_NOTHING : DUCT_FILE_OWNER, arg->id);
	return err == -EEXIST ? -EBUSY : err;
}

int dfile_region_attach(struct dfile *f, const struct duct_file_region *arg)
{
	struct duct_region *r;
	int err;

	if (arg->flags || arg->size)
		return -EINVAL;
	err = dfile_begin(f);
	if (err)
		return err;
	dfile_region_init(f);
	r = duct_region_attach(f->node->dd, arg->id, &dfile_region_ops, f);
	err = PTR_ERR_OR_ZERO(r);
	if (!err)
		f->region.region = r;
	dfile_became(f, err ? DUCT_FILE_NOTHING : DUCT_FILE_ATTACHED, arg->id);
	return err == -EEXIST ? -EBUSY : err;
}

/* Return: 0, with f->lock held, and the region there */
static int dfile_region_lock(struct dfile *f, bool owner)
{
	u32 kind = dfile_kind(f);

	if (kind != DUCT_FILE_OWNER && (owner || kind != DUCT_FILE_ATTACHED))
		return -EINVAL;
	if (mutex_lock_interruptible(&f->lock))
		return -ERESTARTSYS;
	if (f->region.region)
		return 0;
	mutex_unlock(&f->lock);
	return -ENODEV;
}

int dfile_region_mmap(struct dfile *f, struct vm_area_struct *vma)
{
	int err = dfile_region_lock(f, false);

	if (err)
		return err;
	err = duct_region_mmap(f->region.region, vma);
	mutex_unlock(&f->lock);
	return err;
}

void dfile_region_info(struct dfile *f, struct duct_file_info *info)
{
	struct duct_region *r = f->region.region;

	lockdep_assert_held(&f->lock);
	info->self = r->self;
	info->size = r->size;
	if (f->kind == DUCT_FILE_ATTACHED && !READ_ONCE(r->addr))
		info->error = -ENOTCONN;
}

/* ---- watches ---- */

static struct dfile_watch *dfile_watch_find(struct dfile *f, u64 off)
{
	struct dfile_watch *w;

	lockdep_assert_held(&f->lock);
	list_for_each_entry(w, &f->region.watches, node)
		if (w->watch.off == off)
			return w;
	return NULL;
}

static int dfile_watch_add(struct dfile *f, const struct duct_file_watch *arg)
{
	struct dfile_watch *w;
	int err;

	if (dfile_watch_find(f, arg->off))
		return -EEXIST;
	w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	if (!w)
		return -ENOMEM;
	w->f = f;
	w->watch.fn = dfile_region_fired;
	w->watch.off = arg->off;
	w->watch.count = arg->count;
	INIT_LIST_HEAD(&w->fired);
	err = duct_region_watch(f->region.region, &w->watch);
	if (err)
		kfree(w);
	else
		list_add(&w->node, &f->region.watches);
	return err;
}

int dfile_region_watch(struct dfile *f, const struct duct_file_watch *arg)
{
	int err = arg->reserved ? -EINVAL : dfile_region_lock(f, false);

	if (err)
		return err;
	err = dfile_watch_add(f, arg);
	mutex_unlock(&f->lock);
	return err;
}

static void dfile_watch_free(struct dfile *f, struct dfile_watch *w)
{
	lockdep_assert_held(&f->lock);
	list_del(&w->node);
	spin_lock(&f->spin);
	list_del(&w->fired);
	spin_unlock(&f->spin);
	kfree(w);
}

int dfile_region_unwatch(struct dfile *f, const struct duct_file_watch *arg)
{
	struct dfile_watch *w;
	int err = arg->reserved || arg->count ? -EINVAL : dfile_region_lock(f, false);

	if (err)
		return err;
	w = dfile_watch_find(f, arg->off);
	if (w) {
		duct_region_unwatch(f->region.region, &w->watch);
		dfile_watch_free(f, w);
	}
	mutex_unlock(&f->lock);
	return w ? 0 : -ENOENT;
}

int dfile_region_trigger(struct dfile *f, const struct duct_file_watch *arg)
{
	int err = arg->reserved || arg->count ? -EINVAL : dfile_region_lock(f, false);

	if (err)
		return err;
	err = duct_region_trigger(f->region.region, arg->off);
	mutex_unlock(&f->lock);
	return err;
}

/* ---- offers to others ---- */

/* The node that a file is of. Return: the file, to be put; ERR_PTR(-EBADF) */
static struct file *dfile_of_fd(int fd, struct dnode **node)
{
	struct file *file = fget(fd);

	if (!file || file->f_op != &dfile_fops) {
		if (file)
			fput(file);
		return ERR_PTR(-EBADF);
	}
	*node = ((struct dfile *)file->private_data)->node;
	return file;
}

static struct dfile_offer *dfile_offer_find(struct dfile *f, const struct dnode *node)
{
	struct dfile_offer *offer;

	lockdep_assert_held(&f->lock);
	list_for_each_entry(offer, &f->region.offers, of_file)
		if (offer->node == node)
			return offer;
	return NULL;
}

static void dfile_offer_del(struct dfile_offer *offer)
{
	struct dnode *node = offer->node;

	lockdep_assert_held(&offer->f->lock);
	list_del(&offer->of_file);
	mutex_lock(&node->lock);
	list_del(&offer->of_node);
	mutex_unlock(&node->lock);
	put_device(&node->dev);
	kfree(offer);
}

static int dfile_offer_add(struct dfile *f, struct dnode *node, const struct duct_file_offer *arg)
{
	struct dfile_offer *offer;
	int err;

	lockdep_assert_held(&f->lock);
	if (dfile_offer_find(f, node))
		return -EEXIST;
	offer = kzalloc(sizeof(*offer), GFP_KERNEL_ACCOUNT);
	if (!offer)
		return -ENOMEM;
	offer->f = f;
	offer->node = node;
	mutex_lock(&node->lock);
	err = node->gone ? -ENODEV : 0;
	if (!err)
		list_add(&offer->of_node, &node->offers);
	mutex_unlock(&node->lock);
	if (err) {
		kfree(offer);
		return err;
	}
	get_device(&node->dev);
	list_add(&offer->of_file, &f->region.offers);
	/* It is on the list: who removes the node waits for f->lock. */
	err = duct_region_offer(f->region.region, node->dd, arg->id,
				arg->flags & DUCT_FILE_WRITABLE);
	if (err)
		dfile_offer_del(offer);
	return err;
}

static int dfile_offer_revoke(struct dfile *f, struct dnode *node)
{
	struct dfile_offer *offer = dfile_offer_find(f, node);
	int err;

	if (!offer)
		return -ENOENT;
	err = duct_region_revoke(f->region.region, node->dd);
	dfile_offer_del(offer);
	return err;
}

static int dfile_region_do_offer(struct dfile *f, struct dnode *node,
				 const struct duct_file_offer *arg)
{
	int err = dfile_region_lock(f, true);

	if (err)
		return err;
	if (node == f->node)
		err = duct_region_offer(f->region.region, node->dd, arg->id,
					arg->flags & DUCT_FILE_WRITABLE);
	else
		err = dfile_offer_add(f, node, arg);
	mutex_unlock(&f->lock);
	return err;
}

static int dfile_region_do_revoke(struct dfile *f, struct dnode *node,
				  const struct duct_file_offer *arg)
{
	int err = arg->id || arg->flags ? -EINVAL : dfile_region_lock(f, true);

	if (err)
		return err;
	if (node == f->node)
		err = duct_region_revoke(f->region.region, node->dd);
	else
		err = dfile_offer_revoke(f, node);
	mutex_unlock(&f->lock);
	return err;
}

/* Offers or revokes, for the device of another file if @arg names one. */
static int dfile_region_other(struct dfile *f, const struct duct_file_offer *arg,
			      int (*fn)(struct dfile *f, struct dnode *node,
					const struct duct_file_offer *arg))
{
	struct dnode *node = f->node;
	struct file *file = NULL;
	int err;

	if (arg->flags & ~DUCT_FILE_WRITABLE || arg->reserved || arg->fd < -1)
		return -EINVAL;
	if (arg->fd >= 0) {
		file = dfile_of_fd(arg->fd, &node);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	err = fn(f, node, arg);
	if (file)
		fput(file);
	return err;
}

int dfile_region_offer(struct dfile *f, const struct duct_file_offer *arg)
{
	return dfile_region_other(f, arg, dfile_region_do_offer);
}

int dfile_region_revoke(struct dfile *f, const struct duct_file_offer *arg)
{
	return dfile_region_other(f, arg, dfile_region_do_revoke);
}

/* The node goes: regions of other nodes' files that were offered to its peer. */
void dfile_region_end_offers(struct dnode *node)
{
	struct dfile *f;

	mutex_lock(&node->lock);
	while (!list_empty(&node->offers)) {
		f = list_first_entry(&node->offers, struct dfile_offer, of_node)->f;
		/* A file takes its offers off the list before it is freed. */
		kref_get(&f->ref);
		mutex_unlock(&node->lock);
		mutex_lock(&f->lock);
		dfile_offer_revoke(f, node);
		mutex_unlock(&f->lock);
		dfile_put(f);
		mutex_lock(&node->lock);
	}
	mutex_unlock(&node->lock);
}

/* ---- life ---- */

void dfile_region_end(struct dfile *f)
{
	struct dfile_region *region = &f->region;
	struct dfile_offer *offer, *next_offer;
	struct dfile_watch *w, *next;

	lockdep_assert_held(&f->lock);
	duct_region_put(region->region);
	region->region = NULL;
	list_for_each_entry_safe(offer, next_offer, &region->offers, of_file)
		dfile_offer_del(offer);
	list_for_each_entry_safe(w, next, &region->watches, node)
		dfile_watch_free(f, w);
	dfile_region_uncharge(f);
}
