/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two ends, a door between them, channels behind it: no wake-up is lost.
 *
 * What stands for what in drivers/xen/duct:
 *
 *   mem[]           struct duct_shared_ring: the words that both ends see
 *   bits[], event[] struct duct_door_table, and the event channel: edge, one bit
 *   Buffer          a processor's store buffer: what it wrote is seen later, in order
 *   SHOW            duct_tx_show(), duct_tx_publish()    send.c, ring.c
 *   WANT            duct_tx_want(), duct_tx_arm()        send.c, ring.c
 *   Send            duct_send(), duct_tx_start(), duct_wait_writable()   send.c
 *   GIVE            duct_rx_give(), duct_rx_return()     recv.c, ring.c
 *   Work            duct_recv_work(), duct_next(), duct_rx_sleep(), duct_rx_arm()
 *   RING            duct_door_ring()                     door.c
 *   Irq             duct_link_event(), duct_slot_event(), duct_channel_event(), duct_tx_check()
 *   WORTH           duct_slot_worth()                    door.c
 *   Start           duct_door_listen(), duct_slot_install(), duct_channel_bind()
 *
 * Indexes are bytes and begin just below their wrap. A unit is the least frame.
 *
 * The worlds, one for each -D (defaults in brackets):
 *   CH     channels [1]     N      messages of each sender [3]
 *   SZ     units of a ring [2]     BUDGET frames of one run of a worker [2]
 *   BOTH   both ends send
 *   TWO    a second sender, of one message of so many units
 *   READY  a driver with ready() instead of recv()
 *   MORE   any message but the last may be sent with DUCT_MORE
 *   START  end 1 begins to listen, and installs its slots, at any time
 *   SC     no store buffers: one step after the other, for what needs no reordering
 *   LOOPBACK  an end's events may be handled by two processors at once
 *
 * The mutants, -DMUTANT_<name>, are where the model says MUTANT; each must fail.
 */
#ifndef CH
#define CH 1
#endif
#ifndef N
#define N 3
#endif
#ifndef SZ
#define SZ 2
#endif
#ifndef BUDGET
#define BUDGET 2
#endif

#define SLOTS	(2 * CH)
#define FIRST	254
#define DIFF(a, b)	(((a) - (b)) & 255)
/* duct_passes() */
#ifdef MUTANT_PASSES
#define PASSES(old, now, want)	(DIFF(now, want) < DIFF(now, old))
#else
#define PASSES(old, now, want)	(DIFF(now, (want) + 1) < DIFF(now, old))
#endif

/* A slot is 2 * channel + end. Its ring is the one that it writes; the other is PEER. */
#define PEER(s)	((s) ^ 1)
#define END(s)	((s) & 1)
#define BIT(s)	(1 << ((s) >> 1))

/* Processors: of a sender, of the second one, of a worker, of an interrupt, and of another. */
#define SENDER(s)	(s)
#define SECOND(s)	(SLOTS + (s))
#define WORKER(s)	(2 * SLOTS + (s))
#define IRQ(e)		(3 * SLOTS + (e))
#define IRQ_ELSEWHERE(e)	(3 * SLOTS + 2 + (e))
#define CPUS		(3 * SLOTS + 4)

typedef shared { byte prod, cons, want_data, want_space };
shared mem[SLOTS];
byte bits[2];			/* behind the door, by who takes them */
bit event[2];			/* pending */
bit heard[2];			/* the port is bound */
bit listens[2];			/* door->in */

/* Private: of a slot, and of the writer's half, under tx_lock. */
typedef half { byte prod, published, cons, want };
half tx[SLOTS];
bit tx_lock[SLOTS];
bit credit[SLOTS];
byte taken[SLOTS];		/* the reader's own index */
bit installed[SLOTS];
bit armed[SLOTS];		/* DUCT_CH_RX_ARMED */
bit tx_wake[SLOTS];		/* DUCT_CH_TX_WAKE */
bit queued[SLOTS];		/* the work, or the driver's own poll */
bit woken[CPUS];		/* who waits for room */

/* What only the properties look at. */
typedef ring { byte at[SZ]; byte units[SZ]; bit there[SZ]; byte put; byte got };
ring data[SLOTS];
byte sending;			/* senders that are not done */

/* ---- memory ---- */

/*
 * What is atomic here is at most one step that others see: taking a lock, one load, one
 * locked operation. Into its own buffer a processor writes unseen.
 */
#ifdef SC
#define PROD(s)		mem[s].prod
#define CONS(s)		mem[s].cons
#define WANT_DATA(s)	mem[s].want_data
#define WANT_SPACE(s)	mem[s].want_space
#define CREDIT(s)	credit[s]
#define STORE(cpu, what, s, v)	what(s) = (v) & 255
#define RUN(what, cpu)	run what
#define MB(cpu)		true
#else
mtype = { PROD, CONS, WANT_DATA, WANT_SPACE, CREDIT };
chan buffer[CPUS] = [4] of { mtype, byte, byte };
#define STORE(cpu, what, s, v)	buffer[cpu]!what, s, (v) & 255

proctype Buffer(byte cpu)
{
	mtype what;
	byte s, v;

end:	do
	:: d_step {
		buffer[cpu]?what, s, v;
		if
		:: what == PROD -> mem[s].prod = v
		:: what == CONS -> mem[s].cons = v
		:: what == WANT_DATA -> mem[s].want_data = v
		:: what == WANT_SPACE -> mem[s].want_space = v
		:: what == CREDIT -> credit[s] = v
		fi;
		what = 0; s = 0; v = 0
	   }
	od
}

/* virt_mb(): nothing is read before all is written. A locked operation is one, too. */
#define MB(cpu)		empty(buffer[cpu])
#define RUN(what, cpu)	run what; run Buffer(cpu)
#endif
#ifdef MUTANT_NO_MB_PUBLISH
#define MB_PUBLISH(cpu)	true
#else
#define MB_PUBLISH(cpu)	MB(cpu)
#endif
#ifdef MUTANT_NO_MB_RETURN
#define MB_RETURN(cpu)	true
#else
#define MB_RETURN(cpu)	MB(cpu)
#endif
#ifdef MUTANT_NO_MB_TX_ARM
#define MB_TX_ARM(cpu)	true
#else
#define MB_TX_ARM(cpu)	MB(cpu)
#endif
#ifdef MUTANT_NO_MB_RX_ARM
#define MB_RX_ARM(cpu)	true
#else
#define MB_RX_ARM(cpu)	MB(cpu)
#endif
#ifdef MUTANT_NO_MB_GIVE
#define MB_GIVE(cpu)	true
#else
#define MB_GIVE(cpu)	MB(cpu)
#endif

/* What is written before an unlock is seen by who locks next. */
#define LOCK(cpu, s)	MB(cpu) && !tx_lock[s] -> tx_lock[s] = 1
#define UNLOCK(cpu, s)	atomic { MB(cpu) -> tx_lock[s] = 0 }

/* ---- ringing ---- */

/* Variables of the caller: was. */
inline RING(cpu, s)
{
#ifdef MUTANT_RING_PER_WORD
	was = bits[1 - END(s)];
	atomic { MB(cpu) -> bits[1 - END(s)] = bits[1 - END(s)] | BIT(s) };
#else
	atomic {
		MB(cpu) ->
		was = bits[1 - END(s)] & BIT(s);
		bits[1 - END(s)] = bits[1 - END(s)] | BIT(s)
	};
#endif
	/* An event of a port that nobody has bound is lost. */
	atomic {
		event[1 - END(s)] = event[1 - END(s)] || (!was && heard[1 - END(s)]);
		was = 0
	}
}

/* ---- the writer's half ---- */

#define ROOM(s)	(SZ - DIFF(tx[s].prod, tx[s].cons))

inline PUBLISH(cpu, s)
{
	STORE(cpu, PROD, s, tx[s].prod);
	old = tx[s].published;
	tx[s].published = tx[s].prod
}

/* Variables: old, want, was. PUBLISH came before. */
inline NOTIFY(cpu, s)
{
	atomic { MB_PUBLISH(cpu) -> want = PASSES(old, tx[s].published, mem[s].want_data); old = 0 };
	if
	:: want -> want = 0; RING(cpu, s)
	:: else
	fi
}

inline LOOK_TX(s)
{
	tx[s].cons = mem[s].cons;
	err = (ROOM(s) >= tx[s].want);
	assert(DIFF(tx[s].published, tx[s].cons) <= SZ)
}

/* err: the room is there already. Variables as above. */
inline WANT(cpu, s, need)
{
	atomic {
		if
		:: !tx[s].want || need < tx[s].want -> tx[s].want = need
		:: else
		fi
	};
#ifndef MUTANT_WANT_UNSHOWN
	if
	:: tx[s].prod == tx[s].published
	:: else -> atomic { PUBLISH(cpu, s) }; NOTIFY(cpu, s)
	fi;
#endif
#ifdef MUTANT_TX_LOOK_FIRST
	atomic { MB(cpu) -> LOOK_TX(s) };
#endif
	atomic {
#ifndef MUTANT_TX_CREDIT_LATE
		STORE(cpu, CREDIT, s, 1);
#endif
		STORE(cpu, WANT_SPACE, s, tx[s].prod + tx[s].want - SZ - 1)
	};
	atomic {
		MB_TX_ARM(cpu) ->
#ifndef MUTANT_TX_LOOK_FIRST
		LOOK_TX(s);
#endif
		if
		:: err -> tx[s].want = 0
		:: else
		fi
	};
#ifdef MUTANT_TX_CREDIT_LATE
	STORE(cpu, CREDIT, s, 1);
#endif
}

#define WAKE(s)	d_step { woken[SENDER(s)] = 1; woken[SECOND(s)] = 1 }

proctype Send(byte cpu, s, need, n)
{
	byte old, want, was, others, i;
	bit err;

	installed[s];
	do
	:: i == n -> break
	:: else ->
		atomic { LOCK(cpu, s); woken[cpu] = 0 };
		do
		:: ROOM(s) >= need -> break
		:: else ->
			tx[s].cons = mem[s].cons;
			if
			:: ROOM(s) >= need -> break
			:: else
			fi;
			others = tx[s].want;
			WANT(cpu, s, need);
			if
			:: !err ->
				others = 0;
				UNLOCK(cpu, s);
				atomic { woken[cpu]; LOCK(cpu, s); woken[cpu] = 0 }
			:: else ->
				err = 0;
#ifndef MUTANT_NO_WAKE_OTHERS
				if
				:: others -> atomic { tx_wake[s] = 1; queued[s] = 1 }
				:: else
				fi;
#endif
				others = 0
			fi
		od;
		atomic {
			assert(!data[s].there[tx[s].prod % SZ]);
			data[s].there[tx[s].prod % SZ] = 1;
			data[s].at[tx[s].prod % SZ] = data[s].put;
			data[s].units[tx[s].prod % SZ] = need;
			data[s].put++;
			tx[s].prod = tx[s].prod + need;
			i++
		};
#ifdef MORE
		if
		:: i < n
		:: true -> atomic { PUBLISH(cpu, s) }; NOTIFY(cpu, s)
		fi;
#else
		atomic { PUBLISH(cpu, s) };
		NOTIFY(cpu, s);
#endif
		UNLOCK(cpu, s)
	od;
	atomic { i = 0; sending-- }
}

/* ---- the reader's half ---- */

/* Variables: cons, returned, old, want, was. */
inline GIVE(cpu, s)
{
	if
	:: cons == returned
	:: else ->
		atomic {
			STORE(cpu, CONS, PEER(s), cons);
			old = returned;
			returned = cons
		};
		atomic {
			MB_RETURN(cpu) -> want = PASSES(old, returned, mem[PEER(s)].want_space);
			old = 0
		};
		if
		:: want -> want = 0; RING(cpu, s)
		:: else
		fi
	fi
}

inline LOOK_RX(s)
{
	prod = mem[PEER(s)].prod;
	assert(DIFF(prod, returned) <= SZ)
}

inline TAKE(r)
{
	do
	:: cons != prod && budget < BUDGET ->
		assert(data[r].there[cons % SZ]);
		assert(data[r].at[cons % SZ] == data[r].got);
		data[r].there[cons % SZ] = 0;
		data[r].got++;
		cons = cons + data[r].units[cons % SZ];
		budget++
	:: else -> break
	od;
	taken[PEER(r)] = cons
}

proctype Work(byte cpu, s)
{
	byte cons = FIRST, returned = FIRST, prod = FIRST;
	byte old, want, was, budget;

end:	do
	:: atomic { queued[s] -> queued[s] = 0 };
		if
		:: tx_wake[s] -> tx_wake[s] = 0; WAKE(s)
		:: else
		fi;
#ifdef MUTANT_TAKES_CREDIT
		/* "A message that polling took keeps its credit." */
		atomic { MB(cpu) -> credit[s] = 0 };
#endif
		do
		:: budget == BUDGET ->
			budget = 0;
#ifndef MUTANT_NO_REQUEUE
			queued[s] = 1;
#endif
			break
		:: else ->
			atomic { LOOK_RX(s); was = (cons == prod); TAKE(PEER(s)) };
			if
			:: !was ->
				/* A quarter of a ring is more than one frame, or less. */
				if
				:: DIFF(cons, returned) == SZ -> GIVE(cpu, s)
				:: else
				fi
			:: else ->
				was = 0;
#ifndef MUTANT_SLEEP_OWING
				GIVE(cpu, s);
#endif
#ifdef MUTANT_RX_LOOK_FIRST
				LOOK_RX(s);
#endif
#ifndef MUTANT_ARMED_LATE
				atomic { MB(cpu) -> armed[s] = 1 };
#endif
				atomic {
#ifndef MUTANT_RX_CREDIT_LATE
					STORE(cpu, CREDIT, s, 1);
#endif
					STORE(cpu, WANT_DATA, PEER(s), cons)
				};
				atomic {
					MB_RX_ARM(cpu) ->
#ifndef MUTANT_RX_LOOK_FIRST
					LOOK_RX(s)
#endif
				};
#ifdef MUTANT_RX_CREDIT_LATE
				STORE(cpu, CREDIT, s, 1);
#endif
#ifdef MUTANT_ARMED_LATE
				atomic { MB(cpu) -> armed[s] = 1 };
#endif
				if
				:: cons == prod -> budget = 0; break
				:: else -> armed[s] = 0; atomic { TAKE(PEER(s)) }
				fi
			fi
		od
	od
}

/* ---- being rung ---- */

inline WAKE_READER(s)
{
	atomic {
#ifdef READY
		if
		:: armed[s] -> armed[s] = 0; queued[s] = 1
		:: else
		fi
#else
		queued[s] = 1
#endif
	}
}

inline WORTH(s)
{
	worth = (mem[PEER(s)].prod != taken[s]);
	if
	:: worth
	:: else -> worth = (tx[s].want != 0)
	fi
}

proctype Irq(byte cpu, e)
{
	byte old, want, was, took, s;
	bit err, worth;

end:	do
#ifdef MUTANT_LATE_CLEAR
	:: event[e] ->
#else
	:: atomic { event[e] -> event[e] = 0 };
#endif
#ifdef MUTANT_NO_XCHG
		took = bits[e];
		bits[e] = 0;
#else
		atomic {
			if
			:: listens[e] -> MB(cpu); took = bits[e]; bits[e] = 0
			:: else
			fi
		};
#endif
		s = e;
		do
		:: s >= SLOTS -> break
		:: s < SLOTS && (!(took & BIT(s)) || !installed[s]) -> s = s + 2
		:: s < SLOTS && took & BIT(s) && installed[s] ->
			atomic { MB(cpu) -> was = credit[s]; credit[s] = 0 };
			if
			:: !was
			:: else ->
				was = 0;
				WORTH(s);
				do
				:: worth -> break
				:: else ->
#ifdef MUTANT_KEEPS_CREDIT
					break
#else
					STORE(cpu, CREDIT, s, 1);
					MB_GIVE(cpu);
#ifdef MUTANT_GIVES_BLINDLY
					break
#else
					WORTH(s);
					if
					:: worth -> atomic { worth = credit[s]; credit[s] = 0 }
					:: else
					fi;
					if
					:: worth -> WORTH(s)
					:: else -> break
					fi
#endif
#endif
				od;
				if
				:: !worth -> goto next
				:: else -> worth = 0
				fi;
#ifndef MUTANT_DATA_ALONE
				if
				:: !tx[s].want
				:: else ->
					atomic { LOCK(cpu, s) };
					if
					:: tx[s].want -> WANT(cpu, s, tx[s].want)
					:: else
					fi;
					UNLOCK(cpu, s);
					if
					:: err -> err = 0; WAKE(s)
					:: else
					fi
				fi;
#endif
				WAKE_READER(s)
			fi;
next:			s = s + 2
		od;
		atomic {
#ifdef MUTANT_LATE_CLEAR
			event[e] = 0;
#endif
			took = 0; s = 0; worth = 0
		}
	od
}

/* ---- beginning, and the end ---- */

/* End 1 hears, then listens, then has its slots, one after the other. */
proctype Start()
{
	byte s = 1;

	heard[1] = 1;
	listens[1] = 1;
#ifndef MUTANT_KEEPS_BITS
	bits[1] = 0;
#endif
	do
	:: s >= SLOTS -> break
	:: else ->
		installed[s] = 1;
#ifndef MUTANT_NO_FIRST_LOOK
		queued[s] = 1;
#endif
		s = s + 2
	od;
	s = 0
}

inline BEGIN(s)
{
	mem[s].prod = FIRST;
	mem[s].cons = FIRST;
	mem[s].want_data = FIRST;
	mem[s].want_space = FIRST - 1;
	tx[s].prod = FIRST;
	tx[s].published = FIRST;
	tx[s].cons = FIRST;
	credit[s] = 1;
	taken[s] = FIRST;
	RUN(Work(WORKER(s), s), WORKER(s));
#ifdef START
	installed[s] = !END(s);
#else
	installed[s] = 1;
#endif
#ifdef BOTH
	if
	:: true ->
#else
	if
	:: END(s)
	:: else ->
#endif
		sending++;
		RUN(Send(SENDER(s), s, 1, N), SENDER(s));
#ifdef TWO
		sending++;
		RUN(Send(SECOND(s), s, TWO, 1), SECOND(s))
#endif
	fi;
	/* Who is installed looks once. Who gets nothing has looked. */
#ifdef BOTH
	queued[s] = installed[s]
#else
	queued[s] = installed[s] && END(s);
	armed[s] = !END(s)
#endif
}

init
{
	byte s;

	atomic {
		for (s : 0 .. SLOTS - 1) {
			BEGIN(s)
		};
		s = 0;
		heard[0] = 1;
		listens[0] = 1;
		RUN(Irq(IRQ(0), 0), IRQ(0));
		RUN(Irq(IRQ(1), 1), IRQ(1));
#ifdef LOOPBACK
		RUN(Irq(IRQ_ELSEWHERE(0), 0), IRQ_ELSEWHERE(0));
		RUN(Irq(IRQ_ELSEWHERE(1), 1), IRQ_ELSEWHERE(1));
#endif
#ifdef START
		run Start()
#else
		heard[1] = 1;
		listens[1] = 1
#endif
	};
	/* All sleep. */
	atomic {
		timeout ->
		assert(!sending);
		assert(!bits[0] && !bits[1]);
		for (s : 0 .. SLOTS - 1) {
			assert(data[s].put == data[s].got);
			assert(credit[s]);
			assert(tx[s].prod == mem[s].prod && tx[s].prod == mem[s].cons)
		}
	}
}
