// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels, with handlers that give the end of an interrupt themselves (lateeoi):
 * until then no other comes. An interrupt is a task of its own, on another processor.
 */
#include "sim.h"

#define PORTS		64u
#define FIRST_IRQ	32

enum port_state {
	PORT_CLOSED,
	PORT_UNBOUND,
	PORT_BOUND,
	PORT_LOST,	/* Linux has it, and Xen does not: the domain was restored */
};

struct port {
	enum port_state state;
	domid_t peer;
	u32 remote;		/* port */
	irq_handler_t handler;
	void *arg;
	u32 life;
	bool pending;
	bool masked;		/* until the end of the interrupt */
	bool spurious;
	u32 in_vain;		/* events one after the other, waited for and said to be spurious */
	bool running;
};

/*
 * Two that come close may tell of the same: the first has seen what the second was for. Linux
 * lets one pass without a delay, and a second one, seen once in 20,000 seeds, costs a jiffy.
 */
#define IN_VAIN_MOST	2

static struct port ports[SIM_DOMAINS][PORTS];
static u32 life;

static int port_irq(const struct port *p)
{
	return FIRST_IRQ + (p - &ports[0][0]);
}

static struct port *irq_port(int irq)
{
	struct port *p = &ports[0][0] + irq - FIRST_IRQ;

	if (irq < FIRST_IRQ || irq >= FIRST_IRQ + (int)(SIM_DOMAINS * PORTS) || !p->handler ||
	    (p - &ports[0][0]) / PORTS != sim_domain_now())
		sim_fail("irq %d is used, and not bound", irq);
	return p;
}

static void deliver(struct port *p);

static void irq_task(void *arg)
{
	struct port *p = arg;
	u32 mine = p->life;

	sim_current()->in_irq = true;
	sim_current()->welcome = false;
	p->handler(port_irq(p), p->arg);
	sim_current()->in_irq = false;
	p->running = false;
	sim_wake(p);
	if (p->masked && !p->spurious)
		sim_fail("an interrupt without an end");
	/* Xen's Linux waits before it lets the next one come: 1, 2, 4 ... jiffies. */
	if (p->spurious)
		sim_sleep(1 + sim_rnd(4));
	if (p->life != mine || !p->handler)
		return;
	p->masked = false;
	p->spurious = false;
	deliver(p);
}

static void deliver(struct port *p)
{
	if (!p->pending || p->masked || p->running || !p->handler)
		return;
	p->pending = false;
	p->masked = true;
	p->running = true;
	sim_spawn((p - &ports[0][0]) / PORTS, "irq", irq_task, p);
}

void xen_irq_lateeoi(unsigned int irq, unsigned int flags)
{
	struct port *p = irq_port(irq);

	sim_point();
	p->spurious = flags & XEN_EOI_FLAG_SPURIOUS;
	/* XSA-332, 391: who names what nobody waits for gets no event more for that. */
	if (!p->spurious && !sim_current()->welcome)
		sim_fail("an event that nobody waited for is not said to be spurious");
	p->in_vain = p->spurious && sim_current()->welcome ? p->in_vain + 1 : 0;
	if (p->in_vain > IN_VAIN_MOST)
		sim_fail("%u events that a channel waited for are said to be spurious", p->in_vain);
	if (!p->spurious)
		p->masked = false;
}

static struct port *remote_of(const struct port *p)
{
	int peer = sim_domain_of(p->peer);

	if (p->state != PORT_BOUND || peer < 0)
		return NULL;
	return &ports[peer][p->remote];
}

void notify_remote_via_irq(int irq)
{
	struct port *remote;

	sim_fence();
	/* As Linux: before bind() has returned there is none to tell. */
	if (!irq)
		return;
	remote = remote_of(irq_port(irq));
	if (!remote)
		return;
	remote->pending = true;
	deliver(remote);
}

/* Only credit is exchanged so, for no more of it: whoever gives it waits for an event. */
int sim_atomic_xchg(int *p, int v)
{
	int was;

	sim_fence();
	was = __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
	if (was && !v)
		sim_current()->welcome = true;
	return was;
}

/* ---- binding ---- */

static struct port *port_new(void)
{
	u32 d = sim_domain_now(), i;

	for (i = 1; i < PORTS; i++)
		if (ports[d][i].state == PORT_CLOSED && !ports[d][i].running)
			break;
	if (i == PORTS)
		return NULL;
	ports[d][i] = (struct port){ .life = ++life };
	return &ports[d][i];
}

static u32 port_number(const struct port *p)
{
	return (p - &ports[0][0]) % PORTS;
}

static void port_close(struct port *p)
{
	struct port *remote = remote_of(p);

	if (remote)
		remote->state = PORT_UNBOUND;
	p->state = PORT_CLOSED;
	p->handler = NULL;
	p->pending = false;
	p->life = ++life;
}

int xenbus_alloc_evtchn(struct xenbus_device *dev, evtchn_port_t *port)
{
	struct port *p;
	int err;

	sim_point();
	err = sim_fault(SIM_PORT);
	if (err)
		return err;
	p = port_new();
	if (!p)
		return -ENOSPC;
	p->state = PORT_UNBOUND;
	p->peer = dev->otherend_id;
	*port = port_number(p);
	return 0;
}

int bind_evtchn_to_irqhandler_lateeoi(evtchn_port_t port, irq_handler_t handler,
				      unsigned long flags, const char *name, void *arg)
{
	struct port *p = &ports[sim_domain_now()][port % PORTS];
	int err;

	sim_might_sleep("bind_evtchn_to_irqhandler");
	sim_point();
	/* Whether the port is closed then depends on how far it came. */
	err = sim_fault(SIM_BIND);
	if (err)
		return err;
	err = sim_fault(SIM_BIND_CLOSED);
	if (err) {
		port_close(p);
		return err;
	}
	p->handler = handler;
	p->arg = arg;
	deliver(p);
	sim_point();
	return port_irq(p);
}

int bind_interdomain_evtchn_to_irqhandler_lateeoi(struct xenbus_device *dev, evtchn_port_t port,
						  irq_handler_t handler, unsigned long flags,
						  const char *name, void *arg)
{
	int peer = sim_domain_of(dev->otherend_id);
	domid_t self = sim_domains[sim_domain_now()].domid;
	struct port *remote, *p;
	int err;

	sim_might_sleep("bind_interdomain_evtchn_to_irqhandler");
	sim_point();
	err = sim_fault(SIM_CONNECT);
	if (err)
		return err;
	if (peer < 0 || port >= PORTS)
		return -EINVAL;
	remote = &ports[peer][port];
	if (remote->state != PORT_UNBOUND || remote->peer != self)
		return -EINVAL;
	p = port_new();
	if (!p)
		return -ENOSPC;
	p->state = PORT_BOUND;
	p->peer = dev->otherend_id;
	p->remote = port;
	remote->state = PORT_BOUND;
	remote->remote = port_number(p);
	p->handler = handler;
	p->arg = arg;
	/* Xen raises one at once. */
	p->pending = true;
	deliver(p);
	sim_point();
	return port_irq(p);
}

void unbind_from_irqhandler(unsigned int irq, void *arg)
{
	struct port *p = irq_port(irq);

	sim_might_sleep("unbind_from_irqhandler");
	if (p->arg != arg)
		sim_fail("irq %u is unbound with another's argument", irq);
	p->masked = true;
	while (p->running)
		sim_block(p, SIM_FOREVER);
	port_close(p);
	sim_point();
}

int HYPERVISOR_event_channel_op(int cmd, void *arg)
{
	struct evtchn_status *status = arg;
	struct evtchn_close *close = arg;
	struct port *p;

	sim_fence();
	p = &ports[sim_domain_now()][(cmd == EVTCHNOP_close ? close->port : status->port) % PORTS];
	if (p->state == PORT_CLOSED || p->state == PORT_LOST)
		return -EINVAL;
	if (cmd == EVTCHNOP_close) {
		port_close(p);
		return 0;
	}
	status->status = p->state == PORT_BOUND ? EVTCHNSTAT_interdomain : EVTCHNSTAT_unbound;
	status->u.interdomain.dom = p->peer;
	return 0;
}

/* In this domain, one is there to @peer. */
bool sim_events_with(domid_t peer)
{
	const struct port *p = ports[sim_domain_now()];
	u32 i;

	for (i = 0; i < PORTS; i++)
		if (p[i].state != PORT_CLOSED && p[i].peer == peer)
			return true;
	return false;
}

/* ---- begin and end ---- */

/* The domain is a new one, and has none of these. */
void sim_events_restore(u32 domain)
{
	u32 i;

	for (i = 0; i < PORTS; i++) {
		struct port *p = &ports[domain][i], *remote = remote_of(p);

		if (p->state == PORT_CLOSED)
			continue;
		if (remote)
			remote->state = PORT_UNBOUND;
		p->state = PORT_LOST;
		p->pending = false;
	}
}

void sim_events_kill(u32 domain)
{
	u32 i;

	for (i = 0; i < PORTS; i++) {
		ports[domain][i].running = false;
		if (ports[domain][i].state != PORT_CLOSED)
			port_close(&ports[domain][i]);
	}
}

void sim_events_reset(void)
{
	memset(ports, 0, sizeof(ports));
	life = 0;
}

void sim_events_ledger(u32 domain)
{
	u32 i;

	for (i = 0; i < PORTS; i++)
		if (ports[domain][i].state != PORT_CLOSED)
			sim_fail("event channel %u is left", i);
}
