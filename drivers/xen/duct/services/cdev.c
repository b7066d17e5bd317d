// SPDX-License-Identifier: GPL-2.0
/*
 * The character device: /dev/duct/<peer>.<name> for each device of the service "cdev".
 * Both ends have one. What can be done with it: Documentation/user-space.rst.
 */
#include <linux/ctype.h>
#include <linux/idr.h>
#include <linux/slab.h>

#include "../compat/compat.h"
#include "cdev.h"

#define DNODE_MINORS	(1u << 12)	/* nodes at once */
#define DNODE_NAME	64u

static dev_t dnode_first;
static DEFINE_IDA(dnode_minors);
static DEFINE_MUTEX(dnode_lock);	/* the list below, and which node has a file */
static LIST_HEAD(dnodes);

/* ---- sysfs ---- */

#define DNODE_ATTR(file, format, value)							\
static ssize_t file##_show(struct device *dev, struct device_attribute *attr, char *buf)	\
{											\
	struct dnode *node = container_of(dev, struct dnode, dev);			\
											\
	return sysfs_emit(buf, format "\n", value);					\
}											\
static DEVICE_ATTR_RO(file)

DNODE_ATTR(type, "%s", node->stream ? "stream" : "message");
DNODE_ATTR(resume, "%u", node->resume);
DNODE_ATTR(max_msg, "%u", node->max_msg);
DNODE_ATTR(files, "%u", READ_ONCE(node->files_used));
DNODE_ATTR(files_limit, "%u", node->files_limit);
DNODE_ATTR(ring_limit, "%u", node->ring_limit);
DNODE_ATTR(region_limit, "%u", node->region_limit);

static struct attribute *dnode_attrs[] = {
	&dev_attr_type.attr,
	&dev_attr_resume.attr,
	&dev_attr_max_msg.attr,
	&dev_attr_files.attr,
	&dev_attr_files_limit.attr,
	&dev_attr_ring_limit.attr,
	&dev_attr_region_limit.attr,
	NULL
};
ATTRIBUTE_GROUPS(dnode);

static struct class dnode_class = { .name = "duct_cdev" };

/* Where devtmpfs puts it, and whose it is there. */
static char *dnode_devnode(duct_compat_devnode_device *dev, umode_t *mode, kuid_t *uid,
			   kgid_t *gid)
{
	const struct dnode *node = container_of(dev, const struct dnode, dev);

	/* Whoever only wants the name gives neither. */
	if (mode)
		*mode = node->mode;
	if (gid)
		*gid = node->gid;
	return kasprintf(GFP_KERNEL, "duct/%s", dev_name(dev));
}

static void dnode_release(struct device *dev)
{
	struct dnode *node = container_of(dev, struct dnode, dev);

	ida_free(&dnode_minors, MINOR(dev->devt) - MINOR(dnode_first));
	kfree(node);
}

static const struct device_type dnode_type = {
	.name = "duct_cdev",
	.groups = dnode_groups,
	.devnode = dnode_devnode,
	.release = dnode_release,
};

/* ---- parameters ---- */

/* A number of the toolstack's. Return: 0, -EINVAL */
static int dnode_number(struct duct_device *dd, const char *key, unsigned int base, u32 least,
			u32 most, u32 *value)
{
	const char *text = duct_param(dd, key, NULL);
	u32 n;

	if (!text)
		return 0;
	if (kstrtou32(text, base, &n) || n < least || n > most) {
		duct_err(dd, "parameter %s=%s: no number from %u to %u\n", key, text, least,
			 most);
		return -EINVAL;
	}
	*value = n;
	return 0;
}

static int dnode_params(struct dnode *node, struct duct_device *dd)
{
	const char *type = duct_param(dd, "type", "message");
	u32 mode = 0600, gid = 0;
	int err;

	node->max_msg = 16 << 10;
	node->ring_limit = 1 << 20;
	node->region_limit = 4 << 20;
	node->files_limit = 64;
	err = dnode_number(dd, "mode", 8, 0, 0777, &mode) ?:
	      dnode_number(dd, "group", 10, 0, U32_MAX - 1, &gid) ?:
	      dnode_number(dd, "ring_limit", 0, 4096, 4 << 20, &node->ring_limit) ?:
	      dnode_number(dd, "ring", 0, 1024, node->ring_limit, &node->ring) ?:
	      dnode_number(dd, "max_msg", 0, 1, node->ring_limit / 2 - 64, &node->max_msg) ?:
	      dnode_number(dd, "region_limit", 0, 0, 64 << 20, &node->region_limit) ?:
	      dnode_number(dd, "files", 0, 1, 1024, &node->files_limit) ?:
	      dnode_number(dd, "resume", 10, 0, 1, &node->resume);
	if (err)
		return err;
	node->mode = mode;
	node->gid = make_kgid(&init_user_ns, gid);
	node->stream = !strcmp(type, "stream");
	if (node->stream || !strcmp(type, "message"))
		return 0;
	duct_err(dd, "parameter type=%s: neither message nor stream\n", type);
	return -EINVAL;
}

/* Part of the name of a file. */
static bool dnode_word_valid(const char *word)
{
	size_t i, len = strlen(word);

	for (i = 0; i < len; i++)
		if (!islower(word[i]) && !isdigit(word[i]) && !strchr("_.-", word[i]))
			return false;
	return len && len < DNODE_NAME && word[0] != '.';
}

static int dnode_name(struct dnode *node, struct duct_device *dd)
{
	char number[8], service[DUCT_NAME_LEN + 12];
	const char *peer, *name;

	snprintf(number, sizeof(number), "%u", dd->peer);
	snprintf(service, sizeof(service), "%s.%u", dd->service, dd->instance);
	peer = duct_param(dd, "peer", number);
	name = duct_param(dd, "name", service);
	if (!dnode_word_valid(peer) || !dnode_word_valid(name)) {
		duct_err(dd, "\"%s.%s\" is no name: a-z, 0-9, _, . and - are\n", peer, name);
		return -EINVAL;
	}
	return dev_set_name(&node->dev, "%s.%s", peer, name);
}

/* What is open stays. */
static void dnode_hide(struct dnode *node)
{
	lockdep_assert_held(&dnode_lock);
	if (list_empty(&node->all))
		return;
	list_del_init(&node->all);
	cdev_device_del(&node->cdev, &node->dev);
}

static struct dnode *dnode_find(const char *name)
{
	struct dnode *node;

	lockdep_assert_held(&dnode_lock);
	list_for_each_entry(node, &dnodes, all)
		if (!strcmp(dev_name(&node->dev), name))
			return node;
	return NULL;
}

/*
 * A name is one node's: the driver core would make a scene of two. Of a link that is only
 * kept for a domain that may come back, the next of that name takes it.
 */
static int dnode_show(struct dnode *node)
{
	const char *name = dev_name(&node->dev);
	struct dnode *other;
	int err = 0;

	mutex_lock(&dnode_lock);
	other = dnode_find(name);
	if (other && duct_present(other->dd)) {
		duct_err(node->dd,
			 "/dev/duct/%s is another's: no file for this; see the parameter name\n",
			 name);
		err = -EEXIST;
	} else if (other) {
		if (duct_may_log(other->dd))
			dev_notice(&other->dd->dev, "/dev/duct/%s is another's from now on\n",
				   name);
		dnode_hide(other);
	}
	if (!err)
		err = cdev_device_add(&node->cdev, &node->dev);
	if (!err)
		list_add(&node->all, &dnodes);
	mutex_unlock(&dnode_lock);
	return err;
}

/* ---- the service ---- */

static struct dnode *dnode_new(struct duct_device *dd)
{
	struct dnode *node = kzalloc(sizeof(*node), GFP_KERNEL);
	int minor;

	if (!node)
		return ERR_PTR(-ENOMEM);
	minor = ida_alloc_max(&dnode_minors, DNODE_MINORS - 1, GFP_KERNEL);
	if (minor < 0) {
		kfree(node);
		return ERR_PTR(minor);
	}
	device_initialize(&node->dev);
	node->dev.devt = MKDEV(MAJOR(dnode_first), MINOR(dnode_first) + minor);
	node->dev.class = &dnode_class;
	node->dev.type = &dnode_type;
	node->dev.parent = &dd->dev;
	cdev_init(&node->cdev, &dfile_fops);
	node->cdev.owner = THIS_MODULE;
	node->dd = dd;
	mutex_init(&node->lock);
	INIT_LIST_HEAD(&node->all);
	INIT_LIST_HEAD(&node->files);
	INIT_LIST_HEAD(&node->offers);
	return node;
}

static int dnode_probe(struct duct_device *dd)
{
	struct dnode *node = dnode_new(dd);
	int err;

	if (IS_ERR(node))
		return PTR_ERR(node);
	err = dnode_params(node, dd) ?: dnode_name(node, dd) ?: dnode_show(node);
	if (err)
		put_device(&node->dev);
	else
		dev_set_drvdata(&dd->dev, node);
	return err;
}

/* Files stay open, and give errors: they hold the node. */
static void dnode_remove(struct duct_device *dd)
{
	struct dnode *node = dev_get_drvdata(&dd->dev);
	struct dfile *f;

	mutex_lock(&dnode_lock);
	dnode_hide(node);
	mutex_unlock(&dnode_lock);
	mutex_lock(&node->lock);
	node->gone = true;
	while (!list_empty(&node->files)) {
		f = list_first_entry(&node->files, struct dfile, list);
		kref_get(&f->ref);
		list_del_init(&f->list);
		mutex_unlock(&node->lock);
		dfile_end(f);
		dfile_put(f);
		mutex_lock(&node->lock);
	}
	mutex_unlock(&node->lock);
	dfile_region_end_offers(node);
	put_device(&node->dev);
}

static const struct duct_device_id dnode_ids[] = {
	{ "cdev" },
	{ }
};

static struct duct_driver dnode_driver = {
	.id_table = dnode_ids,
	.roles = DUCT_PEER,
	.keep = true,
	.probe = dnode_probe,
	.remove = dnode_remove,
};

static int __init dnode_init(void)
{
	int err = class_register(&dnode_class);

	if (err)
		return err;
	err = alloc_chrdev_region(&dnode_first, 0, DNODE_MINORS, "duct");
	if (err)
		goto err_class;
	err = duct_driver_register(&dnode_driver);
	if (err)
		goto err_region;
	return 0;

err_region:
	unregister_chrdev_region(dnode_first, DNODE_MINORS);
err_class:
	class_unregister(&dnode_class);
	return err;
}

static void __exit dnode_exit(void)
{
	duct_driver_unregister(&dnode_driver);
	unregister_chrdev_region(dnode_first, DNODE_MINORS);
	class_unregister(&dnode_class);
	ida_destroy(&dnode_minors);
}

module_init(dnode_init);
module_exit(dnode_exit);
MODULE_ALIAS_DUCT("cdev");
MODULE_DESCRIPTION("xen-duct: character devices");
MODULE_LICENSE("GPL");
