// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoints, the shortest way: one domain advertises a page and writes lines into it,
 * another connects, and says in its log what it reads.
 *
 *	domU# modprobe duct_endpoint_demo buddy=0			connects to dom0's
 *	dom0# modprobe duct_endpoint_demo buddy=5 advertise=1
 *	dom0# echo hello >/sys/module/duct_endpoint_demo/parameters/line
 *
 * In any order, before or after "ductctl attach 5 --service endpoint.0".
 */
#include <linux/pgtable.h>
#include <linux/string.h>
#include <xen/duct.h>

#define DEMO_LINE 128

static ushort buddy = DOMID_SELF;
module_param(buddy, ushort, 0444);
MODULE_PARM_DESC(buddy, "the other domain");

static bool advertise;
module_param(advertise, bool, 0444);
MODULE_PARM_DESC(advertise, "have the page; else read the other domain's");

/* The page: @seq is odd while @text changes; the barriers are between the two. */
struct demo_page {
	u32 seq;
	char text[DEMO_LINE];
};

static struct duct_endpoint *demo;
static DEFINE_MUTEX(demo_lock);	/* who writes the page */

/* One look at the page, which its owner may change meanwhile. */
static bool demo_look(const struct demo_page *page, char *text)
{
	u32 seq = READ_ONCE(page->seq);

	virt_rmb();	/* with the owner's wmb */
	memcpy(text, page->text, DEMO_LINE);
	virt_rmb();	/* the same */
	text[DEMO_LINE - 1] = '\0';
	return !(seq & 1) && READ_ONCE(page->seq) == seq;
}

static void demo_handler(struct duct_endpoint *ep, enum duct_endpoint_news news, void *data)
{
	const struct demo_page *page = duct_endpoint_page(ep);
	char text[DEMO_LINE];

	if (news == DUCT_ENDPOINT_JOINED)
		pr_info("duct_endpoint_demo: joined by domain %u\n", buddy);
	if (news == DUCT_ENDPOINT_GONE) {
		pr_info("duct_endpoint_demo: domain %u has gone\n", buddy);
		return;
	}
	if (news == DUCT_ENDPOINT_RUNG && advertise)
		pr_info("duct_endpoint_demo: it was read\n");
	/* A look that the owner spoiled is followed by another notification. */
	if (advertise || !page || !demo_look(page, text) || !text[0])
		return;
	pr_info("duct_endpoint_demo: domain %u wrote \"%s\"\n", buddy, strim(text));
	duct_endpoint_notify(ep);
}

static int demo_set_line(const char *line, const struct kernel_param *param)
{
	struct demo_page *page;

	if (!demo || !advertise)
		return -EPERM;
	if (strlen(line) > DEMO_LINE)
		return -EMSGSIZE;
	mutex_lock(&demo_lock);
	page = duct_endpoint_page(demo);
	WRITE_ONCE(page->seq, page->seq + 1);
	virt_wmb();	/* with the reader's rmb */
	strscpy(page->text, line, DEMO_LINE);
	virt_wmb();	/* the same */
	WRITE_ONCE(page->seq, page->seq + 1);
	mutex_unlock(&demo_lock);
	return duct_endpoint_notify(demo);
}

static int demo_get_line(char *buf, const struct kernel_param *param)
{
	const struct demo_page *page = demo ? duct_endpoint_page(demo) : NULL;
	char text[DEMO_LINE];

	if (!page)
		return -ENOTCONN;
	if (!demo_look(page, text))
		return -EAGAIN;
	return sysfs_emit(buf, "%s\n", strim(text));
}

static const struct kernel_param_ops demo_line_ops = {
	.set = demo_set_line,
	.get = demo_get_line,
};
module_param_cb(line, &demo_line_ops, NULL, 0644);
MODULE_PARM_DESC(line, "what the page says");

#ifdef CONFIG_X86
/* What the page table says: 0 for who only reads. */
static int demo_get_writable(char *buf, const struct kernel_param *param)
{
	const void *page = demo ? duct_endpoint_page(demo) : NULL;
	unsigned int level;
	pte_t *pte = page ? lookup_address((unsigned long)page, &level) : NULL;

	return pte ? sysfs_emit(buf, "%d\n", !!pte_write(*pte)) : -ENOTCONN;
}

static const struct kernel_param_ops demo_writable_ops = { .get = demo_get_writable };
module_param_cb(writable, &demo_writable_ops, NULL, 0444);
#endif

static int __init demo_init(void)
{
	struct duct_endpoint *ep;

	if (advertise)
		ep = duct_endpoint_advertise(buddy, "demo", demo_handler, NULL);
	else
		ep = duct_endpoint_connect(buddy, "demo", demo_handler, NULL);
	if (IS_ERR(ep))
		return PTR_ERR(ep);
	demo = ep;
	return 0;
}

static void __exit demo_exit(void)
{
	duct_endpoint_close(demo);
}

module_init(demo_init);
module_exit(demo_exit);
MODULE_DESCRIPTION("xen-duct: a page by name");
MODULE_LICENSE("GPL");
