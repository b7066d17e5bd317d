// SPDX-License-Identifier: GPL-2.0
/* The handshake's table: see state.h. */
#include "state.h"

#define UNK duct_state_unknown
#define INI duct_state_initialising
#define IWT duct_state_initwait
#define IED duct_state_initialised
#define CON duct_state_connected
#define CLG duct_state_closing
#define CLD duct_state_closed
#define NEW duct_state_renewed

#define DO(what, then) { .action = duct_action_##what, .next = duct_state_##then }

/* [side][our state][peer's state]; a row that is missing is never entered. */
static const struct duct_step duct_steps[DUCT_SIDES][DUCT_STATES][DUCT_STATES] = {
	[duct_side_front] = {
		[INI] = {
			[UNK] = DO(none, initialising),
			[INI] = DO(none, initialising),
			[IWT] = DO(publish, initialised),
			[IED] = DO(bad, closed),
			[CON] = DO(none, initialising),	/* of an earlier life */
			[CLG] = DO(release, closed),
			[CLD] = DO(none, initialising),	/* it will see us */
			[NEW] = DO(none, initialising),
		},
		[IED] = {
			[UNK] = DO(release, initialising),
			[INI] = DO(release, initialising),
			[IWT] = DO(none, initialised),
			[IED] = DO(bad, closed),
			[CON] = DO(finish, connected),
			[CLG] = DO(release, closed),
			[CLD] = DO(release, closed),
			[NEW] = DO(release, initialising),
		},
		[CON] = {
			[UNK] = DO(release, initialising),
			[INI] = DO(release, initialising),
			[IWT] = DO(release, initialising),
			[IED] = DO(bad, closed),
			[CON] = DO(none, connected),
			[CLG] = DO(quiesce, closing),
			[CLD] = DO(release, closed),
			[NEW] = DO(release, initialising),
		},
		[CLG] = {
			[UNK] = DO(release, closed),
			[INI] = DO(release, closed),
			[IWT] = DO(release, closed),
			[IED] = DO(bad, closed),
			[CON] = DO(none, closing),
			[CLG] = DO(none, closing),
			[CLD] = DO(release, closed),
			[NEW] = DO(release, closed),
		},
		[CLD] = {
			[UNK] = DO(none, closed),
			[INI] = DO(none, closed),
			[IWT] = DO(none, initialising),
			[IED] = DO(none, closed),
			[CON] = DO(none, closed),
			[CLG] = DO(none, closed),
			[CLD] = DO(none, closed),
			[NEW] = DO(none, initialising),
		},
	},
	[duct_side_back] = {
		[INI] = {
			[UNK] = DO(offer, initwait),
			[INI] = DO(offer, initwait),
			[IWT] = DO(offer, initwait),
			[IED] = DO(offer, initwait),
			[CON] = DO(offer, initwait),
			[CLG] = DO(offer, initwait),
			[CLD] = DO(offer, initwait),
			[NEW] = DO(offer, initwait),
		},
		[IWT] = {
			[UNK] = DO(vanish, closed),
			[INI] = DO(none, initwait),
			[IWT] = DO(bad, closed),
			[IED] = DO(connect, connected),
			[CON] = DO(none, initwait),	/* of an earlier life: it will see us */
			[CLG] = DO(none, initwait),
			[CLD] = DO(none, initwait),
			[NEW] = DO(none, initwait),
		},
		[CON] = {
			[UNK] = DO(vanish, closed),
			[INI] = DO(release, initialising),
			[IWT] = DO(bad, closed),
			[IED] = DO(none, connected),	/* it has not seen us yet */
			[CON] = DO(none, connected),
			[CLG] = DO(release, closed),
			[CLD] = DO(release, closed),
			[NEW] = DO(reconnect, connected),
		},
		[CLD] = {
			[UNK] = DO(vanish, closed),
			[INI] = DO(none, initialising),
			[IWT] = DO(none, closed),
			[IED] = DO(none, closed),
			[CON] = DO(none, closed),
			[CLG] = DO(none, closed),
			[CLD] = DO(none, closed),
			[NEW] = DO(none, initialising),
		},
	},
};

/**
 * duct_state_step() - what to do in this pair of states
 * @side: which end we are
 * @ours: our state
 * @peer: the peer's, as read; duct_state_renewed if we are past publishing or
 *        connecting and its incarnation is not the one we did that with
 *
 * Any number is fine: what is no state is a bad pair.
 *
 * Return: the action and the state after it
 */
struct duct_step duct_state_step(enum duct_side side, unsigned int ours, unsigned int peer)
{
	static const struct duct_step bad = DO(bad, closed);

	if (side >= DUCT_SIDES || ours >= DUCT_STATES || peer >= DUCT_STATES)
		return bad;
	ours = array_index_nospec(ours, DUCT_STATES);
	peer = array_index_nospec(peer, DUCT_STATES);
	/* No step leads to "unknown": this row is missing. */
	if (duct_steps[side][ours][peer].next == duct_state_unknown)
		return bad;
	return duct_steps[side][ours][peer];
}
EXPORT_SYMBOL_GPL(duct_state_step);

/**
 * duct_state_name() - a state in words
 * @state: any number
 *
 * Return: the name, never NULL
 */
const char *duct_state_name(unsigned int state)
{
	static const char * const names[DUCT_STATES] = {
		[UNK] = "unknown",
		[INI] = "initialising",
		[IWT] = "initwait",
		[IED] = "initialised",
		[CON] = "connected",
		[CLG] = "closing",
		[CLD] = "closed",
		[NEW] = "renewed",
	};

	return state < DUCT_STATES ? names[state] : "invalid";
}
EXPORT_SYMBOL_GPL(duct_state_name);

/**
 * duct_action_name() - an action in words
 * @action: any number
 *
 * Return: the name, never NULL
 */
const char *duct_action_name(unsigned int action)
{
	static const char * const names[DUCT_ACTIONS] = {
		[duct_action_none] = "none",
		[duct_action_offer] = "offer",
		[duct_action_publish] = "publish",
		[duct_action_connect] = "connect",
		[duct_action_finish] = "finish",
		[duct_action_quiesce] = "quiesce",
		[duct_action_release] = "release",
		[duct_action_reconnect] = "reconnect",
		[duct_action_vanish] = "vanish",
		[duct_action_bad] = "bad",
	};

	return action < DUCT_ACTIONS ? names[action] : "invalid";
}
