// SPDX-License-Identifier: GPL-2.0
/* What can fail, with what, and what fails in this run. */
#include "flow.h"
#include "sim.h"

/* Whatever the hypervisor can say of one grant operation. */
static const int grant_status[] = {
	GNTST_general_error, GNTST_bad_domain, GNTST_bad_gntref,
	GNTST_bad_handle, GNTST_bad_virt_addr, GNTST_bad_dev_addr, GNTST_no_device_space,
	GNTST_permission_denied, GNTST_bad_page, GNTST_bad_copy_arg, GNTST_address_too_big,
	GNTST_eagain, GNTST_no_space,
};

/* Of a hypercall that did nothing. */
static const int call_status[] = { -EFAULT, -EPERM, -ENOSYS };

/* Of EVTCHNOP_alloc_unbound and EVTCHNOP_bind_interdomain, and of Linux around them. */
static const int port_status[] = { -ENOSPC, -EINVAL, -ESRCH, -EPERM, -ENOMEM, -EBADF };

static const int irq_status[] = { -ENOMEM, -ENOSPC, -EEXIST, -EBUSY };
static const int store_status[] = { -EIO, -ENOMEM, -ENOSPC, -EACCES };
static const int no_memory[] = { -ENOMEM };
static const int no_space[] = { -ENOSPC };
static const int busy[] = { -EBUSY };

/**
 * struct fault - one operation that can fail
 * @name: in traces and tables
 * @kind: what a seed arms: any operation of the kind
 * @status: what it can fail with
 * @n: how many of these
 */
struct fault {
	const char *name;
	enum sim_fault_kind kind;
	const int *status;
	u32 n;
};

#define FAULT(name, kind, status)	{ name, kind, status, ARRAY_SIZE(status) }

static const struct fault faults[SIM_FAULTS] = {
	[SIM_ALLOC] = FAULT("allocation", SIM_FAULT_ALLOC, no_memory),
	[SIM_GRANT] = FAULT("grant", SIM_FAULT_GRANT, no_space),
	[SIM_MAP] = FAULT("map", SIM_FAULT_GRANT, grant_status),
	[SIM_MAP_CALL] = FAULT("map hypercall", SIM_FAULT_SWEEP, call_status),
	[SIM_UNMAP] = FAULT("unmap", SIM_FAULT_SWEEP, grant_status),
	[SIM_UNMAP_CALL] = FAULT("unmap hypercall", SIM_FAULT_SWEEP, call_status),
	[SIM_COPY] = FAULT("copy", SIM_FAULT_GRANT, grant_status),
	[SIM_COPY_CALL] = FAULT("copy hypercall", SIM_FAULT_SWEEP, call_status),
	[SIM_REVOKE] = FAULT("end of access", SIM_FAULT_SWEEP, busy),
	[SIM_PORT] = FAULT("event channel", SIM_FAULT_EVENT, port_status),
	[SIM_BIND] = FAULT("bind", SIM_FAULT_EVENT, irq_status),
	[SIM_BIND_CLOSED] = FAULT("bind that closes", SIM_FAULT_EVENT, irq_status),
	[SIM_CONNECT] = FAULT("bind interdomain", SIM_FAULT_EVENT, port_status),
	[SIM_STORE] = FAULT("xenstore", SIM_FAULT_STORE, store_status),
};

static const char * const kind_names[] = {
	[SIM_FAULT_ALLOC] = "allocation",
	[SIM_FAULT_GRANT] = "grant operation",
	[SIM_FAULT_EVENT] = "event-channel operation",
	[SIM_FAULT_STORE] = "xenstore operation",
};

struct sim_armed sim_armed[SIM_ARMED];
u32 sim_armed_n;
u32 sim_fault_seen[SIM_FAULTS];
u32 sim_fault_hits;
static bool held;

static u32 counted[SIM_FAULT_KINDS];
static bool armed;

const char *sim_fault_name(enum sim_fault fault)
{
	return faults[fault].name;
}

u32 sim_fault_statuses(enum sim_fault fault)
{
	return faults[fault].n;
}

int sim_fault_status(enum sim_fault fault, u32 i)
{
	return faults[fault].status[i];
}

static bool due(const struct sim_armed *a, enum sim_fault fault)
{
	if (!a->status)
		return a->kind == faults[fault].kind && a->nth == counted[a->kind];
	return a->fault == fault && (a->nth == sim_fault_seen[fault] ||
				     (a->on && a->nth < sim_fault_seen[fault]));
}

/**
 * sim_fault() - whether this operation fails
 * @fault: which
 *
 * Return: 0, or with what
 */
int sim_fault(enum sim_fault fault)
{
	const struct fault *f = &faults[fault];
	u32 i;

	if (!armed || sim_domain_now() >= SIM_TOOLS || sim_current()->spared)
		return 0;
	counted[f->kind]++;
	sim_fault_seen[fault]++;
	for (i = 0; i < sim_armed_n; i++) {
		int status = sim_armed[i].status;

		if (!due(&sim_armed[i], fault))
			continue;
		if (!status)
			status = f->status[sim_rnd(f->n)];
		sim_fault_hits++;
		held |= fault == SIM_REVOKE;
		sim_trace("%s: %s %u fails: %d", sim_current()->name, f->name,
			  sim_fault_seen[fault], status);
		return status;
	}
	return 0;
}

bool sim_fault_held(void)
{
	return held;
}

void sim_faults_begin(void)
{
	held = false;
	memset(counted, 0, sizeof(counted));
	memset(sim_fault_seen, 0, sizeof(sim_fault_seen));
	sim_fault_hits = 0;
	armed = true;
}

void sim_faults_end(void)
{
	armed = false;
}

void sim_faults_print(FILE *to)
{
	u32 i;

	for (i = 0; i < sim_armed_n; i++) {
		const struct sim_armed *a = &sim_armed[i];

		if (!a->status)
			fprintf(to, "# fault: %s %u\n", kind_names[a->kind], a->nth);
		else
			fprintf(to, "# fault: %s %u%s: %d\n", faults[a->fault].name, a->nth,
				a->on ? ", and all after it" : "", a->status);
	}
}
