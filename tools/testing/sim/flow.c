// SPDX-License-Identifier: GPL-2.0
/*
 * The truth about what was sent: all of a session arrives once and in order, and what does
 * not arrive is the end of one that has ended.
 */
#include "flow.h"
#include "sim.h"

/**
 * struct flow - one way of one channel
 * @sent: units that the channel took
 * @trying: units that are being sent
 * @of: of each the sender's session; life 0: it changed while it was sent
 * @there: of each, the receiver's life that has read it; 0: none has
 * @busy: a sender is at work: that of the next life waits, or would send the same again
 * @closed: the sender's session that it closed in good order, the receiver being told
 * @now: the sender's session that it was told of; life 0: none
 * @run: of a resumable channel that its sender was told of
 * @region: so many of this end's clients were told that their region is up
 * @events_sent: of counted events, as @events_got
 */
struct flow {
	u32 sent;
	u32 trying;
	struct sim_session of[SIM_UNITS];
	u32 there[SIM_UNITS];
	bool busy;
	struct sim_session closed;
	struct sim_session now;
	u64 run;
	int region;
	u64 events_sent;
	u64 events_got;
};

struct call {
	u32 life;
	u32 side;
	bool made;
	bool done;
	u32 served;
	int err;
};

struct sim_plan sim_plan;
bool sim_hurry;

static struct flow flows[SIM_CHANNELS][2];
static struct call calls[SIM_CALLS];
static u32 calls_n, lives;

void sim_flows_reset(void)
{
	memset(flows, 0, sizeof(flows));
	calls_n = 0;
	lives = 0;
	sim_hurry = false;
}

bool sim_chance(u32 one_in)
{
	return sim_one_in(one_in);
}

/* Of a channel that is opened: with its session that tells one binding from all others. */
u32 sim_life_new(void)
{
	return ++lives;
}

u64 sim_word(u32 channel, u32 side, u32 seq)
{
	return (u64)(0x5eed0000u | channel << 8 | side) << 32 | seq;
}

static struct flow *flow_of(u32 channel, u32 side)
{
	return &flows[channel][side];
}

/* ---- messages and words ---- */

u32 sim_flow_next(u32 channel, u32 side)
{
	return flow_of(channel, side)->sent;
}

/* These are about to be sent, or not: who dies then does not say. */
void sim_flow_try(u32 channel, u32 side, u32 n)
{
	flow_of(channel, side)->trying = n;
}

/* The channel took @n units; its session before that, and after. */
void sim_flow_sent(u32 channel, u32 side, u32 n, u32 life, u32 before, u32 after)
{
	struct flow *f = flow_of(channel, side);

	f->trying = 0;
	for (; n; n--) {
		f->of[f->sent].life = before == after ? life : 0;
		f->of[f->sent].number = before;
		f->sent++;
	}
}

static bool same(const struct sim_session *a, const struct sim_session *b)
{
	return a->life && a->life == b->life && a->number == b->number;
}

/* Return: false if another client of this end is still about to go. */
bool sim_flow_begin(u32 channel, u32 side)
{
	if (flow_of(channel, side)->busy)
		return false;
	flow_of(channel, side)->busy = true;
	return true;
}

void sim_flow_end(u32 channel, u32 side)
{
	flow_of(channel, side)->busy = false;
}

/* A receiver has read unit @seq; @last: behind the one before. */
void sim_flow_got(u32 channel, u32 side, u32 seq, u32 life, u32 *last)
{
	struct flow *f = flow_of(channel, side);
	u32 i;

	sim_trace("channel %u of %u: got %u", channel, side, seq);
	/* It may come before its sender knows that it went. */
	if (seq > f->sent + 64 || seq >= SIM_UNITS)
		sim_fail("channel %u: unit %u came, and only %u were sent", channel, seq, f->sent);
	if (f->there[seq])
		sim_fail("channel %u: unit %u came again", channel, seq);
	if (seq < *last)
		sim_fail("channel %u: unit %u came behind %u", channel, seq, *last - 1);
	f->there[seq] = life;
	*last = seq + 1;
	for (i = seq; i-- && seq < f->sent;) {
		if (!same(&f->of[i], &f->of[seq]))
			continue;
		if (!f->there[i])
			sim_fail("channel %u: unit %u came, and %u of the same session did not",
				 channel, seq, i);
		/* What was before that was looked at then. */
		break;
	}
}

/* The sender closes its channel: the peer reads what was sent, if it is up. */
void sim_flow_closed(u32 channel, u32 side)
{
	struct flow *f = flow_of(channel, side);

	f->closed = f->now;
	f->now = (struct sim_session){ 0, 0 };
	f->run = 0;
}

/* The receiver of this flow is told of the end of its session. */
void sim_flow_ended(u32 channel, u32 side, u32 life, int why)
{
	struct flow *f = flow_of(channel, side);
	bool its = false;
	u32 i;

	if (why != -EPIPE || !sim_plan.orderly)
		return;
	/* The sender may have closed for another receiver, which closed before. */
	for (i = 0; i < f->sent; i++)
		its |= f->there[i] == life && same(&f->of[i], &f->closed);
	for (i = 0; its && i < f->sent; i++)
		if (!f->there[i] && same(&f->of[i], &f->closed))
			sim_fail("channel %u: unit %u was sent before the close, and did not come",
				 channel, i);
}

/* The sender is told of a session, or, with 0 and 0, of its end. */
void sim_flow_session(u32 channel, u32 side, u32 life, u32 session)
{
	flow_of(channel, side)->now = (struct sim_session){ life, session };
}

/* A resumable channel is up, in a run that both ends know by the same number. */
void sim_flow_up(u32 channel, u32 side, u64 run)
{
	flow_of(channel, side)->run = run;
}

/* It was told that it was not resumed: that may be where only one end was told of the run. */
void sim_flow_lost(u32 channel, u32 side)
{
	u64 run = flow_of(channel, side)->run;

	if (sim_plan.resumes && run && run == flow_of(channel, !side)->run)
		sim_fail("channel %u was not resumed", channel);
}

/* ---- calls ---- */

u32 sim_call_new(u32 life, u32 side)
{
	if (calls_n == SIM_CALLS)
		return SIM_CALLS;
	calls[calls_n] = (struct call){ .life = life, .side = side, .made = true };
	return calls_n++;
}

/* It was not taken: done() may not run. */
void sim_call_unmade(u32 id)
{
	if (calls[id].done)
		sim_fail("call %u ended, and was not taken", id);
	calls[id].made = false;
}

void sim_call_done(u32 id, int err)
{
	struct call *call = &calls[id];

	sim_trace("call %u ends: %d", id, err);
	if (!call->made || call->done)
		sim_fail("call %u ended twice, or was not made", id);
	if (!err && call->served != 1)
		sim_fail("call %u was answered, and not served", id);
	call->done = true;
	call->err = err;
}

void sim_call_served(u32 id)
{
	if (id >= calls_n)
		sim_fail("call %u is served, and was never made", id);
	if (calls[id].served++)
		sim_fail("call %u is served twice", id);
}

u32 sim_call_answer(u32 id)
{
	return id * 2654435761u ^ 0x5eed;
}

/* The channel is closed at the caller's. */
void sim_calls_ended(u32 life)
{
	u32 i;

	for (i = 0; i < calls_n; i++)
		if (calls[i].life == life && calls[i].made && !calls[i].done)
			sim_fail("call %u did not end with its channel", i);
}

/* The domain is dead, and its calls with it. */
void sim_flows_died(u32 side)
{
	u32 i;

	for (i = 0; i < SIM_CHANNELS; i++) {
		sim_flow_sent(i, side, flow_of(i, side)->trying, 0, 0, 0);
		sim_flow_session(i, side, 0, 0);
		sim_flow_end(i, side);
		flow_of(i, side)->region = 0;
	}
	for (i = 0; i < calls_n; i++)
		if (calls[i].side == side)
			calls[i].made = false;
}

/* ---- events ---- */

void sim_event_sent(u32 channel, u32 side, u32 n)
{
	flow_of(channel, side)->events_sent += n;
}

void sim_event_got(u32 channel, u32 side, u32 n)
{
	struct flow *f = flow_of(channel, side);

	f->events_got += n;
	if (f->events_got > f->events_sent)
		sim_fail("event %u: told of %llu, and %llu were triggered", channel, f->events_got,
			 f->events_sent);
}

void sim_region_told(u32 channel, u32 side, bool up)
{
	flow_of(channel, side)->region += up ? 1 : -1;
}

/* ---- when all is quiet, and both ends are there ---- */

static void flow_check(u32 channel, u32 side)
{
	const struct sim_channel *c = &sim_plan.channel[channel];
	struct flow *f = flow_of(channel, side);
	u32 i;

	if (c->kind == SIM_EVENTS) {
		if (f->events_sent < c->goal[side])
			sim_fail("event %u: %llu of %u triggers only", channel, f->events_sent,
				 c->goal[side]);
		if (sim_plan.calm && f->events_got != f->events_sent)
			sim_fail("event %u: %llu triggered, told of %llu", channel,
				 f->events_sent, f->events_got);
		return;
	}
	if (c->kind == SIM_CALLING)
		return;
	if (c->kind == SIM_REGIONS) {
		if (f->region != 1)
			sim_fail("region %u is not up at %u, and nobody moves", channel, side);
		return;
	}
	if (f->sent < c->goal[side])
		sim_fail("channel %u from %u: %u of %u units sent, and nobody moves", channel, side,
			 f->sent, c->goal[side]);
	for (i = 0; i < f->sent; i++)
		if (!f->there[i] && same(&f->of[i], &f->now))
			sim_fail("channel %u from %u: unit %u of %u is not there, and nobody moves",
				 channel, side, i, f->sent);
}

void sim_flows_check(void)
{
	u32 i, open = 0;

	for (i = 0; i < sim_plan.channels; i++) {
		flow_check(i, SIM_FRONT);
		flow_check(i, SIM_BACK);
	}
	for (i = 0; i < calls_n; i++)
		open += calls[i].made && !calls[i].done;
	if (open)
		sim_fail("%u calls have no end, and nobody moves", open);
}
