/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two ends that come and go: they never both sleep for ever, and what is in flight ends
 * exactly once.
 *
 * What stands for what in drivers/xen/duct:
 *
 *   table.h         duct_state_step(), printed from state.c itself by table.c
 *   node[], inc[], answers, ring_ref   the nodes of both directories in xenstore
 *   kick[]          a watch that fires and queues the work: queued once, however often
 *   Front, Back     duct_front_work(), duct_back_work(); probe() and remove()
 *   SEES_*          duct_front_peer(), duct_back_peer(): the state, then the incarnation
 *   PUBLISH         duct_front_publish(), duct_front_write()
 *   CONNECT         duct_back_connect()
 *   START, STOP     duct_link_start(), duct_link_stop()        link.c
 *   Link            duct_link_work(), duct_receive_one(), HELLO and GOODBYE   dispatch.c
 *   QUIESCE         duct_link_quiesce()
 *
 * An end dies in two ways: its module goes, by remove(), between two steps of its work;
 * or its domain does, at any step, and says nothing. Then it is probed again. FRONT_GOES,
 * FRONT_DIES, BACK_GOES, BACK_DIES say how often [0].
 *
 * A page of the frontend's is known by the incarnation that it is published with.
 */
#include "table.h"

#ifndef FRONT_GOES
#define FRONT_GOES 0
#endif
#ifndef FRONT_DIES
#define FRONT_DIES 0
#endif
#ifndef BACK_GOES
#define BACK_GOES 0
#endif
#ifndef BACK_DIES
#define BACK_DIES 0
#endif

#define FRONT	0
#define BACK	1
/*
 * Publishings, and one. There can be any number: where the frontend leaves Initialised and
 * publishes again between the backend's two looks, at its state and at whom it answers, the
 * backend connects to that, finds Initialising, and begins again; and so on, as long as
 * each wins this race. What is the same once more is not looked at.
 */
#define PAGES	(3 + FRONT_GOES + FRONT_DIES + BACK_GOES + BACK_DIES)

/* ---- xenstore ---- */

byte node[2];		/* state */
byte inc[2];		/* incarnation */
byte answers;		/* the frontend's peer-incarnation */
byte ring_ref;		/* and its page */
bit kick[2];

#define WRITES_STATE(e, s)	atomic { node[e] = s; kick[1 - e] = 1 }

/* ---- the ends ---- */

typedef one_end {
	byte state;
	byte mine;		/* incarnations: own, */
	byte theirs;		/* and of whom it connected to */
	byte page;		/* granted, or mapped; 0: none */
	bit gave_up;
	bit running;		/* the rest: struct duct_link */
	bit greeted;
	bit hello_due;
	bit bye_due;
	bit bye_in;
	bit bye_out;
	byte call;		/* the frontend's in flight, or the backend's to answer */
};
one_end at[2];
byte lives[2];			/* incarnations that were used */
bit granted[PAGES];
byte epoch;			/* the frontend's link */
byte epoch_seen;		/* the backend's */
byte counts, counter[PAGES], counter_seen;	/* whose count it is */
byte calls, ended;
bit enough;

/* The control ring of each page, to the peer of each end, and the door behind it. */
mtype = { HELLO, GOODBYE, CALL, ANSWER };
chan ring[2 * PAGES] = [4] of { mtype, byte, byte, byte };
bit again[2 * PAGES];
byte again_b[2 * PAGES], again_c[2 * PAGES];
#define OUT(e)	ring[2 * at[e].page + (e)]
#define IN(e)	ring[2 * at[e].page + 1 - (e)]

inline END_CALL(e)
{
	if
	:: e == FRONT && at[e].call -> ended++
	:: else
	fi;
	at[e].call = 0
}

inline QUIESCE(e)
{
	at[e].greeted = 0;
	at[e].hello_due = 0;
	END_CALL(e)
}

/* Who maps a page once more begins with its first message again. */
inline START(e)
{
	if
	:: again[2 * at[e].page + e] ->
		IN(e)!HELLO, at[e].page, again_b[2 * at[e].page + e], again_c[2 * at[e].page + e];
		again[2 * at[e].page + e] = 0
	:: else
	fi;
	at[e].greeted = 0;
	at[e].bye_in = 0;
	at[e].bye_out = 0;
	at[e].bye_due = 0;
	at[e].running = 1;
	if
	:: e == FRONT -> epoch++; at[e].hello_due = 1
	:: else
	fi
}

inline STOP(e)
{
	if
	:: at[e].running -> QUIESCE(e)
	:: else
	fi;
	at[e].running = 0;
	at[e].bye_due = 0
}

inline RELEASE(e)
{
	STOP(e);
	if
	:: e == FRONT -> granted[at[e].page] = 0
	:: else
	fi;
	at[e].page = 0
}

/* link->work of both ends: under link->lock, so in one step. */
proctype Link(byte e)
{
	mtype type;
	byte a, b, c;

end:	do
	:: atomic {
		at[e].running && nempty(IN(e)) ->
		IN(e)?type, a, b, c;
		assert(!at[e].bye_in);		/* "a message after goodbye" */
		if
		:: type == GOODBYE ->
			at[e].bye_in = 1;
			if
			:: !at[e].bye_out && !at[e].bye_due -> QUIESCE(e); at[e].bye_due = 1
			:: else
			fi;
			kick[e] = 1
		:: type != GOODBYE && (at[e].bye_out || at[e].bye_due)	/* stale */
		:: type == HELLO && !at[e].bye_out && !at[e].bye_due ->
			assert(!at[e].greeted);		/* "a second hello" */
			if
#ifndef MUTANT_STALE_HELLO
			:: a != at[e].theirs ->		/* stale: but it is still in the page */
				again[2 * at[e].page + e] = 1;
				again_b[2 * at[e].page + e] = b;
				again_c[2 * at[e].page + e] = c
#endif
			:: else ->
				assert(b == at[e].mine);	/* "hello for another incarnation" */
				if
				:: e == BACK ->
					/* Counted within one life of the frontend's domain. */
					assert(c > epoch_seen || counter[at[e].page] != counter_seen);
					epoch_seen = c;
					counter_seen = counter[at[e].page];
					at[e].hello_due = 1
				:: else -> assert(c == epoch)
				fi;
				at[e].greeted = 1;
			fi
		:: type == CALL && !at[e].bye_out && !at[e].bye_due ->
			assert(at[e].greeted);		/* "a message before hello" */
			at[e].call = a
		:: type == ANSWER && !at[e].bye_out && !at[e].bye_due ->
			assert(at[e].greeted);
			assert(at[e].call == a);	/* never another's answer, nor twice */
			END_CALL(e)
		fi;
		type = 0; a = 0; b = 0; c = 0
	   }
	:: atomic {
		at[e].running && at[e].hello_due ->
		OUT(e)!HELLO, at[e].mine, at[e].theirs, (e == FRONT -> epoch : epoch_seen);
		at[e].hello_due = 0
	   }
	:: atomic {
		at[e].running && at[e].bye_due ->
		OUT(e)!GOODBYE, 0, 0, 0;
		at[e].bye_due = 0;
		at[e].bye_out = 1
	   }
	/* One call in an epoch. */
	:: atomic {
		e == FRONT && at[e].running && at[e].greeted && !at[e].call && calls < epoch ->
		calls = epoch;
		ended = 0;
		at[e].call = epoch;
		OUT(e)!CALL, epoch, 0, 0
	   }
	:: atomic {
		e == BACK && at[e].running && at[e].greeted && at[e].call && !at[e].hello_due ->
		OUT(e)!ANSWER, at[e].call, 0, 0;
		at[e].call = 0
	   }
	od
}

/* ---- the work of an end ---- */

/* The caller's variables: peer, action, next, goes, dies. */
#define MAY_DIE(label)	if :: dies -> dies--; goto label :: true fi

/* duct_link_closing(): the peer has said goodbye. */
#define CLOSING(e)	(at[e].page && at[e].running && at[e].bye_in)

inline GIVE_UP(e)
{
	atomic { at[e].gave_up = 1; RELEASE(e); at[e].state = STATE_CLOSED };
	WRITES_STATE(e, STATE_CLOSED)
}

/* duct_link_goodbye(): for a bounded time. */
inline SAY_GOODBYE(e)
{
	if
	:: at[e].running && at[e].greeted && !at[e].bye_in ->
		atomic { QUIESCE(e); at[e].bye_due = 1 };
		if
		:: at[e].bye_in
		:: true		/* "did not let go within 2 s" */
		fi
	:: else
	fi
}

/* A domain's end. */
inline DIE(e)
{
	atomic {
		RELEASE(e);
		at[e].gave_up = 0;
		at[e].bye_in = 0;
		at[e].bye_out = 0;
		at[e].mine = 0;
		at[e].theirs = 0;
		at[e].state = STATE_UNKNOWN;
		peer = 0; action = 0; next = 0;
		kick[e] = 0
	}
}

inline SEES_FRONT()
{
	peer = node[BACK];
	if
#ifndef MUTANT_FRONT_TRUSTS_STATES
	:: (at[FRONT].state == STATE_INITIALISED || at[FRONT].state == STATE_CONNECTED ||
	    at[FRONT].gave_up) && peer >= STATE_INITWAIT && peer <= STATE_CONNECTED ->
		if
		:: inc[BACK] != at[FRONT].theirs -> at[FRONT].gave_up = 0; peer = STATE_RENEWED
		:: else
		fi
#endif
	:: else
	fi
}

proctype Front()
{
	byte peer, action, next;
	byte goes = FRONT_GOES, dies = FRONT_DIES;

probe:	at[FRONT].state = STATE_INITIALISING;
	WRITES_STATE(FRONT, STATE_INITIALISING);
	kick[FRONT] = 1;
end:	do
	:: atomic { goes && at[FRONT].state -> goes-- };
		SAY_GOODBYE(FRONT);
		atomic { RELEASE(FRONT); at[FRONT].gave_up = 0; at[FRONT].bye_in = 0;
			 at[FRONT].mine = 0; at[FRONT].theirs = 0; at[FRONT].state = STATE_CLOSED };
		WRITES_STATE(FRONT, STATE_CLOSED);
		goto probe
	:: atomic { dies -> dies-- };
		goto died
	:: atomic { kick[FRONT] -> kick[FRONT] = 0 };
step:		if
		:: CLOSING(FRONT) ->
			atomic { STOP(FRONT); at[FRONT].state = STATE_CLOSING };
			WRITES_STATE(FRONT, STATE_CLOSING);
			goto step
		:: else
		fi;
		SEES_FRONT();
		atomic {
			if
			:: at[FRONT].gave_up && at[FRONT].state == STATE_CLOSED ->
				peer = 0;
				goto end
			:: else
			fi;
			STEP_FRONT(at[FRONT].state, peer);
			peer = 0;
			assert(action != DO_BAD)
		};
		if
		:: action == DO_PUBLISH ->
			at[FRONT].theirs = inc[BACK];
			MAY_DIE(died);
			/* It goes round again, with nobody's help: not looked at further. */
			if
			:: lives[FRONT] == PAGES - 1 ->
				enough = 1;
end_enough:			false
			:: else
			fi;
			atomic {
				assert(!at[FRONT].page);
				lives[FRONT]++;
				at[FRONT].mine = lives[FRONT];
#ifdef MUTANT_SAME_PAGE
				at[FRONT].page = 1;
#else
				at[FRONT].page = lives[FRONT];
#endif
				granted[at[FRONT].page] = 1;
				counter[at[FRONT].page] = counts;
				START(FRONT)
			};
			atomic {
				inc[FRONT] = at[FRONT].mine;
				answers = at[FRONT].theirs;
				ring_ref = at[FRONT].page
			};
			MAY_DIE(died)
		:: action == DO_QUIESCE -> atomic { STOP(FRONT) }
		:: action == DO_RELEASE -> atomic { RELEASE(FRONT) }
		:: else
		fi;
		action = 0;
		if
		:: next == at[FRONT].state -> next = 0
		:: else ->
			at[FRONT].state = next;
			WRITES_STATE(FRONT, next);
			next = 0;
			goto step
		fi
	od;
died:	DIE(FRONT);
	/* The link went with it, and so did its count. */
	atomic { counts++; epoch = 0; calls = 0 };
	goto probe
}

inline SEES_BACK()
{
	peer = node[FRONT];
	if
#ifndef MUTANT_BACK_TRUSTS_STATES
	:: at[BACK].state == STATE_CONNECTED &&
	   (peer == STATE_INITIALISED || peer == STATE_CONNECTED) ->
		if
		:: inc[FRONT] != at[BACK].theirs -> peer = STATE_RENEWED
		:: else
		fi
#endif
#ifndef MUTANT_ANSWER_IGNORED
	:: at[BACK].state == STATE_INITWAIT && peer == STATE_INITIALISED ->
		if
		:: answers != at[BACK].mine -> peer = STATE_RENEWED
		:: else
		fi
#endif
#ifndef MUTANT_CLOSED_IS_CLOSED
	:: at[BACK].state == STATE_CLOSED &&
	   (peer == STATE_INITIALISED || peer == STATE_CLOSED) ->
		if
		:: inc[FRONT] != at[BACK].theirs -> at[BACK].gave_up = 0; peer = STATE_RENEWED
		:: else
		fi
#endif
	:: else ->
		if
		:: peer == STATE_INITIALISING -> at[BACK].gave_up = 0
		:: else
		fi
	fi
}

proctype Back()
{
	byte peer, action, next, ref;
	byte goes = BACK_GOES, dies = BACK_DIES;

probe:	at[BACK].state = STATE_INITIALISING;
	kick[BACK] = 1;
end:	do
	:: atomic { goes && at[BACK].state -> goes-- };
		SAY_GOODBYE(BACK);
		atomic { RELEASE(BACK); at[BACK].gave_up = 0; at[BACK].bye_in = 0;
			 at[BACK].mine = 0; at[BACK].theirs = 0; at[BACK].state = STATE_CLOSED };
		WRITES_STATE(BACK, STATE_CLOSED);
		goto probe
	:: atomic { dies -> dies-- };
		goto died
	:: atomic { kick[BACK] -> kick[BACK] = 0 };
step:		if
		:: CLOSING(BACK) ->
			atomic { RELEASE(BACK); at[BACK].state = STATE_CLOSED };
			WRITES_STATE(BACK, STATE_CLOSED);
			goto step
		:: else
		fi;
		SEES_BACK();
		atomic {
			if
			:: at[BACK].gave_up -> peer = 0; goto end
			:: else
			fi;
			STEP_BACK(at[BACK].state, peer);
			peer = 0;
			assert(action != DO_BAD)
		};
		if
		:: action == DO_OFFER ->
			lives[BACK]++;
			at[BACK].mine = lives[BACK];
#ifdef MUTANT_OFFER_SPLIT
			WRITES_STATE(BACK, STATE_INITWAIT);
			MAY_DIE(died);
			inc[BACK] = at[BACK].mine
#else
			atomic {
				inc[BACK] = at[BACK].mine;
				node[BACK] = STATE_INITWAIT;
#ifndef MUTANT_NO_WATCH
				kick[FRONT] = 1
#endif
			}
#endif
		:: action == DO_CONNECT || action == DO_RECONNECT ->
			atomic {
				if
				:: action == DO_RECONNECT -> RELEASE(BACK)
				:: else
				fi;
				assert(!at[BACK].page)
			};
#ifdef MUTANT_PAGE_FIRST
			ref = ring_ref;
			MAY_DIE(died);
			at[BACK].theirs = inc[FRONT];
#else
			at[BACK].theirs = inc[FRONT];
			MAY_DIE(died);
			ref = ring_ref;
#endif
			if
			:: granted[ref] -> atomic { at[BACK].page = ref; START(BACK); ref = 0 }
			:: else ->
				/* "mapping ring-ref" failed */
				ref = 0; action = 0; next = 0;
				GIVE_UP(BACK);
				goto end
			fi;
			MAY_DIE(died)
		:: action == DO_RELEASE -> atomic { RELEASE(BACK) }
		:: else
		fi;
		action = 0;
		if
		:: next == at[BACK].state -> next = 0
		:: else ->
			at[BACK].state = next;
			/* It keeps what it shows until it offers, and has shown that then. */
			if
			:: next != STATE_INITIALISING && next != STATE_INITWAIT ->
				WRITES_STATE(BACK, next)
			:: else
			fi;
			next = 0;
			goto step
		fi
	od;
died:	ref = 0;
	DIE(BACK);
	goto probe
}

init
{
	atomic {
		node[FRONT] = STATE_INITIALISING;
		node[BACK] = STATE_INITIALISING;
		run Front();
		run Back();
		run Link(FRONT);
		run Link(BACK)
	};
	/* Both sleep: they are connected, and to each other. */
	atomic {
		timeout ->
		if
		:: enough -> goto done
		:: else
		fi;
		assert(at[FRONT].state == STATE_CONNECTED && at[BACK].state == STATE_CONNECTED);
		assert(at[FRONT].page && at[FRONT].page == at[BACK].page);
		assert(at[FRONT].theirs == at[BACK].mine && at[BACK].theirs == at[FRONT].mine);
		assert(at[FRONT].greeted && at[BACK].greeted);
		assert(epoch == epoch_seen && calls == epoch);
		assert(!at[FRONT].call && ended == 1);
done:		skip
	}
}
