/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The handshake over xenbus: one const table for both ends. Pure C.
 *
 * The states are xenbus's own. Documentation/handshake.dot is generated from
 * this table by tools/testing/unit.
 */
#ifndef _DUCT_STATE_H
#define _DUCT_STATE_H

#include "port.h"

/* The numbers are XenbusState*; duct_state_renewed is ours. */
enum duct_state {
	duct_state_unknown = 0,
	duct_state_initialising = 1,
	duct_state_initwait = 2,
	duct_state_initialised = 3,
	duct_state_connected = 4,
	duct_state_closing = 5,
	duct_state_closed = 6,
	/* The peer's column when its incarnation is not the one in use. */
	duct_state_renewed = 7,
	DUCT_STATES
};

/**
 * enum duct_action - what to do before entering the next state
 * @duct_action_none: nothing: wait for the peer
 * @duct_action_offer: backend: write versions and a new incarnation
 * @duct_action_publish: frontend: make the control page and write it
 * @duct_action_connect: backend: read what was published and map it
 * @duct_action_finish: frontend: the peer is there; use the link
 * @duct_action_quiesce: stop using the link, keep the memory
 * @duct_action_release: stop, then unmap (backend) or end access (frontend)
 * @duct_action_reconnect: backend: release, then connect
 * @duct_action_vanish: backend: release, then remove the own directory
 * @duct_action_bad: a pair that no correct peer makes: log, release
 */
enum duct_action {
	duct_action_none,
	duct_action_offer,
	duct_action_publish,
	duct_action_connect,
	duct_action_finish,
	duct_action_quiesce,
	duct_action_release,
	duct_action_reconnect,
	duct_action_vanish,
	duct_action_bad,
	DUCT_ACTIONS
};

struct duct_step {
	u8 action;	/* enum duct_action */
	u8 next;	/* enum duct_state: ours, once the action succeeded */
};

enum duct_side {
	duct_side_front,
	duct_side_back,
	DUCT_SIDES
};

struct duct_step duct_state_step(enum duct_side side, unsigned int ours, unsigned int peer);
const char *duct_state_name(unsigned int state);
const char *duct_action_name(unsigned int action);

#endif /* _DUCT_STATE_H */
