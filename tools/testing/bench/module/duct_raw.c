// SPDX-License-Identifier: GPL-2.0
/*
 * An event channel and nothing else: what any round trip between two domains that sleep costs
 * at least. Handlers at both ends answer in the interrupt.
 *
 *   insmod duct_raw.ko peer=ID              makes a channel for that domain; "port" says which
 *   insmod duct_raw.ko peer=ID remote=PORT  connects to it
 *   echo COUNT >.../parameters/ping         so many round trips from there; "ns": they took
 */
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <xen/events.h>
#include <xen/interface/event_channel.h>
#include <xen/xen.h>

#include <asm/xen/hypercall.h>

static ushort peer;
module_param(peer, ushort, 0400);

static uint remote;
module_param(remote, uint, 0400);

static uint port;
module_param(port, uint, 0400);

static ulong ns;
module_param(ns, ulong, 0400);

static DECLARE_COMPLETION(done);
static uint left;	/* the asking end's: written while nothing is on its way */
static int irq;

static void raw_notify(void)
{
	struct evtchn_send send = { .port = port };

	HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
}

static irqreturn_t raw_came(int number, void *arg)
{
	if (!remote || (left && --left))
		raw_notify();
	else
		complete(&done);
	return IRQ_HANDLED;
}

static int raw_ping(const char *text, const struct kernel_param *kp)
{
	ktime_t start;
	uint count;
	int err = kstrtouint(text, 0, &count);

	if (err || !remote || !irq || !count)
		return err ?: -EINVAL;
	reinit_completion(&done);
	left = count;
	start = ktime_get();
	raw_notify();
	if (!wait_for_completion_timeout(&done, 60 * HZ))
		return -ETIMEDOUT;
	ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	return 0;
}

static const struct kernel_param_ops raw_ping_ops = { .set = raw_ping };
module_param_cb(ping, &raw_ping_ops, NULL, 0200);

static int raw_make(void)
{
	struct evtchn_bind_interdomain bind = { .remote_dom = peer, .remote_port = remote };
	struct evtchn_alloc_unbound make = { .dom = DOMID_SELF, .remote_dom = peer };
	int err;

	if (remote)
		err = HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind);
	else
		err = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &make);
	port = remote ? bind.local_port : make.port;
	return err;
}

static int __init raw_init(void)
{
	struct evtchn_close end;
	int n = xen_domain() ? raw_make() : -ENODEV;

	if (n)
		return n;
	n = bind_evtchn_to_irqhandler(port, raw_came, 0, "duct_raw", &done);
	if (n < 0) {
		end.port = port;
		HYPERVISOR_event_channel_op(EVTCHNOP_close, &end);
		return n;
	}
	irq = n;
	return 0;
}

static void __exit raw_exit(void)
{
	unbind_from_irqhandler(irq, &done);
}

module_init(raw_init);
module_exit(raw_exit);

MODULE_DESCRIPTION("round trips of a bare event channel");
MODULE_LICENSE("GPL");
