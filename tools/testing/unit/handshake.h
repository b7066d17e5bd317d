/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two ends that run the table of state.c against each other through xenstore,
 * small enough to look at every order of events. Shared by the explorer here
 * and the random walks of ../fuzz.
 *
 * Incarnations are only ever compared, so it is enough to know for each that
 * was written down whether it is still the one in the peer's directory.
 */
#ifndef _HANDSHAKE_H
#define _HANDSHAKE_H

#include "state.h"

enum hs_known {
	hs_nothing,	/* none is written down */
	hs_current,	/* the peer's as it is in xenstore now */
	hs_earlier,	/* one that the peer had before */
};

enum hs_phase {
	hs_idle,	/* will look at the peer */
	hs_act,		/* has looked, will do the action */
	hs_write,	/* has done it, will write the state */
};

struct hs_end {
	u8 alive;	/* the module is loaded and has probed */
	u8 ours;	/* enum duct_state: private */
	u8 node;	/* enum duct_state: in xenstore */
	u8 peer;	/* enum hs_known: the peer's incarnation that is in use */
	u8 phase;	/* enum hs_phase */
	u8 action;	/* enum duct_action, from hs_act on */
	u8 next;	/* enum duct_state, from hs_act on */
};

struct hs {
	struct hs_end end[DUCT_SIDES];
	u8 granted;	/* the frontend's memory of its incarnation is there */
	u8 answered;	/* enum hs_known: the backend's, in the frontend's directory */
};

/**
 * struct hs_rules - what the ends do beyond the table
 * @split: look, act and write are three steps; else all is one
 * @answers: the frontend publishes the incarnation of the backend that it
 *	     answers; to a backend in InitWait another one is "renewed"
 * @offer_at_once: the backend's incarnation and InitWait are one transaction
 */
struct hs_rules {
	bool split;
	bool answers;
	bool offer_at_once;
};

/* How a module goes away; a new life begins at the next step. */
enum hs_exit {
	hs_exit_silent,
	hs_exit_closing,
	hs_exit_closed,
	HS_EXITS
};

void hs_start(struct hs *hs);
bool hs_step(struct hs *hs, const struct hs_rules *rules, unsigned int side, char *what,
	     const char **broken);
void hs_exit(struct hs *hs, unsigned int side, unsigned int how);
bool hs_connected(const struct hs *hs);
u64 hs_key(const struct hs *hs);

#define HS_WHAT 96	/* bytes at @what */

#endif /* _HANDSHAKE_H */
