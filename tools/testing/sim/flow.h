/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is sent in a run, and what is true of it: the one thing that both domains' clients
 * share, by way of no wire. See flow.c.
 */
#ifndef _SIM_FLOW_H
#define _SIM_FLOW_H

#include "kernel/kernel.h"

#define SIM_CHANNELS	4
#define SIM_UNITS	400	/* messages, or words of a stream, one way */
#define SIM_CALLS	160

enum sim_kind {
	SIM_MESSAGES,
	SIM_STREAM,
	SIM_CALLING,
	SIM_EVENTS,
	SIM_REGIONS,
	SIM_KINDS
};

/**
 * struct sim_channel - one of a device's, as the seed wants it
 * @kind: what goes over it
 * @resumable: DUCT_RESUMABLE
 * @pull: ready() and duct_next() in a task of its own, not recv()
 * @max_msg: longest message
 * @ring: bytes, each way
 * @goal: of each end: messages, words, calls or triggers to send
 * @lend: calls lend memory
 * @map: the server maps it
 * @readonly: of a region, its peer may not write
 */
struct sim_channel {
	enum sim_kind kind;
	bool resumable;
	bool pull;
	u32 max_msg;
	u32 ring;
	u32 goal[2];
	bool lend;
	bool map;
	bool readonly;
};

/**
 * struct sim_plan - what a seed does, but for the order in which tasks run
 * @channels: how many of @channel
 * @channel: by number
 * @keep: of the drivers
 * @iterates: messages are read by iterators
 * @start_index: of rings
 * @doors: most of a link
 * @map_pages: from so many pages on memory lent is mapped
 * @stage_kib: of the staging, a chunk of its own if it is not the usual
 * @first_state: what the toolstack writes as the frontend's before the backend is there, or 0
 * @resume_timeout: seconds
 * @front_serves: whose client offers the service
 * @peers: both do
 * @orderly: who closes is heard: nothing fails, nobody is slow or dies
 * @resumes: nothing happens that a resumable channel does not outlive
 * @calm: no epoch ends
 * @budget: messages that one run of a worker takes
 * @budget_alone: and while nobody else wants its processor
 * @tight: the toolstack allows as many channels as there are, and the fewest pages
 * @hostile: it is asked to break the protocol
 * @heal: the link may have been given up: it is attached anew before all must be there
 */
struct sim_plan {
	u32 channels;
	struct sim_channel channel[SIM_CHANNELS];
	bool keep;
	bool iterates;
	u32 start_index;
	u32 doors;
	u32 map_pages;
	u32 stage_kib;
	u32 first_state;
	u32 resume_timeout;
	bool front_serves;
	bool peers;
	bool orderly;
	bool resumes;
	bool calm;
	u32 budget;
	u32 budget_alone;
	bool tight;
	bool hostile;
	bool heal;
};

#define SIM_BUDGET		64	/* as the driver has it */
#define SIM_BUDGET_ALONE	1024

extern struct sim_plan sim_plan;
extern bool sim_hurry;		/* the run ends: senders stop */

/* A sender's binding, in which all arrives or the end of it does not: 0 is unknown. */
struct sim_session {
	u32 life;
	u32 number;
};

void sim_flows_reset(void);
u32 sim_life_new(void);
u32 sim_flow_next(u32 channel, u32 side);
void sim_flow_try(u32 channel, u32 side, u32 n);
void sim_flow_sent(u32 channel, u32 side, u32 n, u32 life, u32 before, u32 after);
void sim_flow_got(u32 channel, u32 side, u32 seq, u32 life, u32 *last);
bool sim_flow_begin(u32 channel, u32 side);
void sim_flow_end(u32 channel, u32 side);
void sim_flow_closed(u32 channel, u32 side);
void sim_flow_ended(u32 channel, u32 side, u32 life, int why);
void sim_flow_up(u32 channel, u32 side, u64 run);
void sim_flow_lost(u32 channel, u32 side);
void sim_flow_session(u32 channel, u32 side, u32 life, u32 session);
void sim_flows_check(void);
u64 sim_word(u32 channel, u32 side, u32 seq);

/* Calls: each ends once, and is served at most once. */
u32 sim_call_new(u32 life, u32 side);
void sim_call_unmade(u32 id);
void sim_call_done(u32 id, int err);
void sim_call_served(u32 id);
u32 sim_call_answer(u32 id);
void sim_calls_ended(u32 life);
void sim_flows_died(u32 side);

/* Counted events. */
void sim_event_sent(u32 channel, u32 side, u32 n);
void sim_event_got(u32 channel, u32 side, u32 n);

void sim_region_told(u32 channel, u32 side, bool up);

/* The end of access to a page has failed. */
bool sim_fault_held(void);

/* From the scheduler. */
struct task_struct *sim_spawn(u32 domain, const char *name, void (*fn)(void *arg), void *arg);
u32 sim_domain_now(void);
u32 sim_rnd(u32 n);
bool sim_chance(u32 one_in);
void sim_sleep(unsigned long ticks);
void sim_freeze_point(void);
__printf(1, 2) void __noreturn sim_fail(const char *fmt, ...);
__printf(1, 2) void sim_trace(const char *fmt, ...);

#endif /* _SIM_FLOW_H */
