// SPDX-License-Identifier: GPL-2.0-only
/* The model of two ends: see handshake.h. */
#include "handshake.h"

#include <stdio.h>

static const char *const hs_names[DUCT_SIDES] = { "front", "back" };

static void hs_live(struct hs *hs, unsigned int side)
{
	struct hs_end *end = &hs->end[side];

	end->alive = true;
	end->ours = duct_state_initialising;
	end->peer = hs_nothing;
	end->phase = hs_idle;
	end->action = 0;
	end->next = 0;
	/* The backend's node keeps the old state until it offers. */
	if (side == duct_side_front)
		end->node = duct_state_initialising;
}

void hs_start(struct hs *hs)
{
	memset(hs, 0, sizeof(*hs));
	hs_live(hs, duct_side_front);
	hs_live(hs, duct_side_back);
	hs->end[duct_side_back].node = duct_state_initialising;
}

static void hs_say(char *what, unsigned int side, const char *does, const char *how)
{
	if (what)
		snprintf(what, HS_WHAT, "%s %s%s", hs_names[side], does, how);
}

/* The peer's state as the caller of duct_state_step() passes it. */
static unsigned int hs_look(const struct hs *hs, const struct hs_rules *rules, unsigned int side)
{
	const struct hs_end *end = &hs->end[side], *peer = &hs->end[!side];
	bool renewed = end->peer != hs_current;

	if (side == duct_side_front) {
		if (end->ours != duct_state_initialised && end->ours != duct_state_connected &&
		    end->ours != duct_state_closing)
			renewed = false;
	} else if (end->ours == duct_state_initwait) {
		renewed = rules->answers && peer->node == duct_state_initialised &&
			  hs->answered != hs_current;
	} else if (end->ours != duct_state_connected) {
		renewed = false;
	}
	return renewed ? duct_state_renewed : peer->node;
}

/* A new incarnation is written: what is known of the one before is old. */
static void hs_renew(u8 *known)
{
	if (*known == hs_current)
		*known = hs_earlier;
}

static const char *hs_do(struct hs *hs, const struct hs_rules *rules, unsigned int side,
			 unsigned int action)
{
	struct hs_end *end = &hs->end[side], *peer = &hs->end[!side];

	switch (action) {
	case duct_action_offer:
		if (side != duct_side_back)
			return "a frontend offers";
		hs_renew(&peer->peer);
		hs_renew(&hs->answered);
		return NULL;
	case duct_action_publish:
		if (side != duct_side_front)
			return "a backend publishes";
		if (hs->granted)
			return "publishes over memory that is still granted";
		hs_renew(&peer->peer);
		hs->granted = true;
		hs->answered = hs_current;
		end->peer = hs_current;
		return NULL;
	case duct_action_reconnect:
	case duct_action_connect:
		if (side != duct_side_back)
			return "a frontend connects";
		if ((action == duct_action_connect) != (end->peer == hs_nothing))
			return "maps what is mapped, or reconnects to nothing";
		if (rules->answers && hs->answered != hs_current)
			return "connects to memory of an earlier life";
		end->peer = hs_current;
		return NULL;
	case duct_action_bad:
		return "a correct peer was called bad";
	case duct_action_vanish:
		return "a directory that is there was called gone";
	case duct_action_release:
		end->peer = hs_nothing;
		if (side == duct_side_front)
			hs->granted = false;
		return NULL;
	case duct_action_finish:
		if (side != duct_side_front)
			return "a backend finishes";
		return hs->granted ? NULL : "uses memory that it has not";
	case duct_action_none:
	case duct_action_quiesce:
		return NULL;
	}
	return "no such action";
}

/* What must hold while an end is where it is. */
static const char *hs_check(const struct hs *hs, unsigned int side)
{
	const struct hs_end *end = &hs->end[side];
	bool uses;

	if (!end->alive || end->phase != hs_idle)
		return NULL;
	if (side == duct_side_front) {
		uses = end->ours >= duct_state_initialised && end->ours <= duct_state_closing;
		if (uses != hs->granted)
			return uses ? "uses memory that it has not" : "leaks its memory";
	} else {
		uses = end->ours == duct_state_connected;
	}
	if (uses != (end->peer != hs_nothing))
		return uses ? "uses an unknown peer" : "keeps what it does not use";
	return NULL;
}

/**
 * hs_step() - let one end do its next step
 * @hs: both ends
 * @rules: how they behave
 * @side: which end
 * @what: HS_WHAT bytes, says what was done; or NULL
 * @broken: set if something was done that never may be
 *
 * Return: false if this end waits for the other
 */
bool hs_step(struct hs *hs, const struct hs_rules *rules, unsigned int side, char *what,
	     const char **broken)
{
	struct hs_end *end = &hs->end[side], *peer = &hs->end[!side];
	struct duct_step step;
	unsigned int seen;

	if (!end->alive) {
		hs_live(hs, side);
		hs_say(what, side, "probes", "");
		return true;
	}
	switch (end->phase) {
	case hs_idle:
		seen = hs_look(hs, rules, side);
		step = duct_state_step(side, end->ours, seen);
		if (step.action == duct_action_none && step.next == end->ours)
			return false;
		if (what)
			snprintf(what, HS_WHAT, "%s %s sees %s: %s, %s", hs_names[side],
				 duct_state_name(end->ours), duct_state_name(seen),
				 duct_action_name(step.action), duct_state_name(step.next));
		/*
		 * The backend that the frontend finds connected is so to its memory;
		 * where steps are split it may still be on the way there, by
		 * "reconnect", and HELLO says when it has arrived.
		 */
		if (step.action == duct_action_finish && peer->alive &&
		    peer->ours == duct_state_connected && peer->phase == hs_idle &&
		    peer->peer != hs_current && !rules->split)
			*broken = "the peer is connected to memory of an earlier life";
		end->action = step.action;
		end->next = step.next;
		end->phase = hs_act;
		if (rules->split)
			return true;
		*broken = hs_do(hs, rules, side, end->action);
		break;
	case hs_act:
		hs_say(what, side, "does ", duct_action_name(end->action));
		*broken = hs_do(hs, rules, side, end->action);
		end->phase = hs_write;
		if (end->action != duct_action_offer || !rules->offer_at_once)
			return true;
		break;
	default:
		hs_say(what, side, "writes ", duct_state_name(end->next));
		break;
	}
	end->ours = end->next;
	/* A backend that starts anew shows the old state until it offers. */
	if (side == duct_side_front || end->next != duct_state_initialising)
		end->node = end->next;
	end->phase = hs_idle;
	end->action = 0;
	end->next = 0;
	if (!*broken)
		*broken = hs_check(hs, side);
	return true;
}

/**
 * hs_exit() - an end's module goes, at any step
 * @hs: both ends
 * @side: which end
 * @how: enum hs_exit: what it writes
 */
void hs_exit(struct hs *hs, unsigned int side, unsigned int how)
{
	struct hs_end *end = &hs->end[side];

	end->alive = false;
	end->ours = duct_state_unknown;
	end->peer = hs_nothing;
	end->phase = hs_idle;
	end->action = 0;
	end->next = 0;
	if (how == hs_exit_closing)
		end->node = duct_state_closing;
	else if (how == hs_exit_closed)
		end->node = duct_state_closed;
	if (side == duct_side_front)
		hs->granted = false;
}

/* Both use the link, and the same one. */
bool hs_connected(const struct hs *hs)
{
	unsigned int side;

	for (side = 0; side < DUCT_SIDES; side++) {
		const struct hs_end *end = &hs->end[side];

		if (!end->alive || end->ours != duct_state_connected || end->phase != hs_idle ||
		    end->peer != hs_current)
			return false;
	}
	return hs->granted;
}

/* Equal for equal worlds only. */
u64 hs_key(const struct hs *hs)
{
	u64 key = hs->granted | (u64)hs->answered << 1;
	unsigned int side;

	for (side = 0; side < DUCT_SIDES; side++) {
		const struct hs_end *end = &hs->end[side];

		key = key << 1 | end->alive;
		key = key << 3 | end->ours;
		key = key << 3 | end->node;
		key = key << 2 | end->peer;
		key = key << 2 | end->phase;
		key = key << 4 | end->action;
		key = key << 3 | end->next;
	}
	return key;
}
