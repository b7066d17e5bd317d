/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resuming a stream in a new epoch: byte-exact, or reset; never a byte lost or doubled.
 *
 * This is rule 4 of the design, which no code has yet. Each end keeps, outside shared
 * memory, a cookie, the bytes that it sent or consumed, and a copy of what the peer has
 * not acknowledged, from "oldest" on. In a new epoch each says RESUME{cookie, consumed,
 * sent}. A sender goes on from the peer's "consumed", if the cookies are the same and
 * oldest <= consumed <= sent; else the stream is reset, and both ends hear of it. One
 * direction is modelled; the other is the same.
 *
 * Any end may be saved at any time, and taken back to that with all of its domain, its
 * user's bytes as well; twice to one image; both ends to different ones. A user that is
 * taken back gives other bytes than before: VERSION tells them apart.
 *
 * What the model says about the design beside that it holds:
 * - The cookie must be a new one in each epoch. One of the stream's life is not enough:
 *   MUTANT_STREAM_COOKIE.
 * - A sender must accept nothing between the loss of its epoch and RESUME, or "sent" must
 *   not count it: MUTANT_SENT_WHILE_DOWN.
 * - Here both ends take the new cookie in one step. Code cannot: an end has to keep the
 *   last one as well, until it hears the new one from the peer.
 *
 * N bytes, KEEP of them kept, EPOCHS, SAVES and RESTORES of each end. The mutants,
 * -DMUTANT_<name>, are where the model says MUTANT; each must fail.
 */
#ifndef N
#define N 2
#endif
#ifndef KEEP
#define KEEP 2
#endif
#ifndef EPOCHS
#define EPOCHS 3
#endif
#ifndef SAVES
#define SAVES 2
#endif
#ifndef RESTORES
#define RESTORES 2
#endif

#define SENDER	0
#define READER	1

/* What goes into an image. The bytes before "oldest" are there for the properties alone. */
typedef private {
	byte cookie;
	byte oldest;
	byte count;		/* sent, or consumed */
	byte bytes[N];		/* given by the sender's user, had by the reader's */
};
private at[2];
private image[2 * SAVES];
byte saves[2];

chan wire = [KEEP] of { byte, byte };	/* shared memory: number and byte */
bit up = 1;
byte cookies = 1, version = 1, epochs, resets;
byte taken_back;		/* restores, of both */

inline COPY(to, from)
{
	to.cookie = from.cookie;
	to.oldest = from.oldest;
	to.count = from.count;
	for (i : 0 .. N - 1) {
		to.bytes[i] = from.bytes[i]
	}
}

#ifdef MUTANT_NO_COOKIE
#define SAME_COOKIE	true
#else
#define SAME_COOKIE	(at[SENDER].cookie == at[READER].cookie)
#endif
#ifdef MUTANT_NO_OLDEST
#define STILL_KEPT	true
#else
#define STILL_KEPT	(at[SENDER].oldest <= at[READER].count)
#endif
#ifdef MUTANT_NO_SENT
#define WAS_SENT	true
#else
#define WAS_SENT	(at[READER].count <= at[SENDER].count)
#endif
#ifdef MUTANT_FROM_OLDEST
#define RESUME_AT	at[SENDER].oldest
#else
#ifdef MUTANT_FROM_SENT
#define RESUME_AT	at[SENDER].count
#else
#define RESUME_AT	at[READER].count
#endif
#endif

/* One end after the other is where it was, and nobody knows more than it kept. */
proctype Epochs()
{
	byte i;

end:	do
	:: atomic {
		epochs < EPOCHS ->
		epochs++;
#ifndef MUTANT_BELIEVES_WIRE
		do
		:: nempty(wire) -> wire?_, _
		:: else -> break
		od;
#endif
		if
		:: SAME_COOKIE && STILL_KEPT && WAS_SENT ->
			i = RESUME_AT;
			do
			:: i < at[SENDER].count && nfull(wire) ->
				/* What it does not keep, it does not have. */
				wire!i, (i >= at[SENDER].oldest -> at[SENDER].bytes[i] : 0);
				i++
			:: else -> break
			od;
			at[SENDER].oldest = at[READER].count
		:: else ->
			/* -ECONNRESET, at both. */
			assert(taken_back);
			resets++;
			for (i : 0 .. N - 1) {
				at[SENDER].bytes[i] = 0;
				at[READER].bytes[i] = 0
			};
			at[SENDER].oldest = 0;
			at[SENDER].count = 0;
			at[READER].count = 0;
#ifdef MUTANT_STREAM_COOKIE
			cookies++
#endif
		fi;
#ifndef MUTANT_STREAM_COOKIE
		cookies++;
#endif
		at[SENDER].cookie = cookies;
		at[READER].cookie = cookies;
		up = 1;
		i = 0
	   }
	od
}

proctype Sender()
{
end:	do
	:: atomic {
#ifndef MUTANT_SENT_WHILE_DOWN
		up &&
#endif
		at[SENDER].count < N && at[SENDER].count - at[SENDER].oldest < KEEP &&
		nfull(wire) ->
		at[SENDER].bytes[at[SENDER].count] = version;
		if
		:: up -> wire!at[SENDER].count, version
		:: else
		fi;
		at[SENDER].count++
	   }
	/* It looks at the reader's index: what was consumed is not kept. */
	:: atomic {
		up && at[SENDER].oldest < at[READER].count ->
		at[SENDER].oldest = at[READER].count
	   }
	od
}

proctype Reader()
{
	byte i, v;

end:	do
	:: atomic {
		up && nempty(wire) ->
		wire?i, v;
		assert(i == at[READER].count);
		at[READER].bytes[i] = v;
		at[READER].count++;
		i = 0; v = 0
	   }
	od
}

proctype Domain(byte e)
{
	byte i, which, restores;

end:	do
	:: atomic {
		saves[e] < SAVES ->
		COPY(image[SAVES * e + saves[e]], at[e]);
		saves[e]++;
		i = 0
	   }
	/* Lost, and back: there is no link until the next epoch. */
	:: atomic {
		restores < RESTORES && saves[e] && epochs < EPOCHS ->
		restores++;
		taken_back++;
		select(which : 0 .. saves[e] - 1);
		COPY(at[e], image[SAVES * e + which]);
		i = 0;
		which = 0;
		if
		:: e == SENDER -> version++
		:: else
		fi;
		up = 0
	   }
	od
}

#define DIFFERS(n)	(at[READER].count > n && at[READER].bytes[n] != at[SENDER].bytes[n])

/* Whenever there is a link: what the reader's user has is what the sender's gave. */
proctype Exact()
{
	byte i;

end:	do
	:: atomic {
		up && (at[READER].count > at[SENDER].count || DIFFERS(0) || DIFFERS(1)
#if N > 2
		       || DIFFERS(2)
#endif
		       ) ->
		assert(false)
	   }
	od
}

init
{
	byte i;

	atomic {
		at[SENDER].cookie = cookies;
		at[READER].cookie = cookies;
		run Sender();
		run Reader();
		run Epochs();
		run Domain(SENDER);
		run Domain(READER);
		run Exact()
	};
	/* All was sent, all has come: if the last epoch came after the last restore. */
	atomic {
		timeout ->
		assert(up -> at[SENDER].count == N && at[READER].count == N : true)
	}
}
