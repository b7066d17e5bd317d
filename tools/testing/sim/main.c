// SPDX-License-Identifier: GPL-2.0
/*
 * Runs seeds, each in a process that may die of it; makes a failure smaller, and shows it.
 *
 *   sim check RUNS [JOBS]   seeds 1 to RUNS, or from SIM_FIRST on
 *   sim run SEED            one, with its trace
 *   sim sweep [JOBS]        every fault, each in a run of its own
 *   sim fault NUMBER        one of these
 */
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "flow.h"
#include "sim.h"

#define JOBS_MOST	64
#define RUNS_FOR_ALL_CELLS	10000
#define MOVES_MOST	60
#define MOVES_OF_OP	30
#define SHOWN		3
#define FAILED_MOST	64
#define LINES		400
#define LINE		160

/* What the processes share: how far each is, and what was found. */
static struct shared {
	u64 next;
	u64 passed;
	u64 at[JOBS_MOST];
	u64 steps;
	char text[512];
	u64 cells[2][SIM_STATES][SIM_STATES];
	u32 faults[SIM_PLANS][SIM_FAULTS];
} *shared;

bool sim_tracing;
static char lines[LINES][LINE];
static u64 lines_n;
static u32 moves;
static bool verbose;
static bool sweeping;	/* the numbers are those of faults */

/* ---- words ---- */

void sim_trace(const char *fmt, ...)
{
	va_list args;
	char *line;
	int n;

	if (!sim_tracing)
		return;
	line = lines[lines_n++ % LINES];
	n = snprintf(line, LINE, "%6lu.%02lu %-9s ", sim_jiffies / HZ,
		     sim_jiffies % HZ * 100 / HZ, sim_current() ? sim_current()->name : "-");
	va_start(args, fmt);
	vsnprintf(line + n, LINE - n, fmt, args);
	va_end(args);
	line[strcspn(line, "\n")] = '\0';
	if (verbose)
		fprintf(stderr, "%s\n", line);
}

static void print_trace(void)
{
	u64 i = lines_n > LINES ? lines_n - LINES : 0;

	for (; i < lines_n; i++)
		printf("# %s\n", lines[i % LINES]);
	fflush(stdout);
}

void sim_fail(const char *fmt, ...)
{
	va_list args;
	int n;

	n = snprintf(shared->text, sizeof(shared->text), "%s: ",
		     sim_current() ? sim_current()->name : "at the end");
	va_start(args, fmt);
	vsnprintf(shared->text + n, sizeof(shared->text) - n, fmt, args);
	va_end(args);
	if (sim_tracing) {
		print_trace();
		__sanitizer_print_stack_trace();
	}
	_exit(3);
}

void sim_warn(const char *file, int line, const char *what)
{
	sim_fail("%s:%d: WARN_ON(%s)", file, line, what);
}

void sim_bad_ref(const void *ref)
{
	sim_fail("a reference is taken of, or given back to, what has none");
}

/* Rows of the table that are no end's own state; and who has said nothing yet finds nobody new. */
static const char *unreachable(u32 side, u32 ours, u32 peer)
{
	if (ours == XenbusStateUnknown || ours == SIM_RENEWED)
		return "no end's own state";
	if (side == SIM_BACK && (ours == XenbusStateInitialised || ours == XenbusStateClosing))
		return "a backend is never so";
	if (side == SIM_FRONT && ours == XenbusStateInitWait)
		return "a frontend is never so";
	if (ours == XenbusStateInitialising && peer == SIM_RENEWED)
		return "nobody is another before there was one";
	return NULL;
}

/* A step of the table: each operation is worth some, but not any number. */
void sim_visit(u32 side, u32 ours, u32 peer, u32 next)
{
	if (ours != next && ++moves > MOVES_MOST + MOVES_OF_OP * sim_ops_n)
		sim_fail("%u steps of the handshake: it goes round and round", moves);
	if (unreachable(side, ours, peer))
		sim_fail("%s, %s, the peer %s: %s", side ? "back" : "front",
			 sim_front_image.state_name(ours), sim_front_image.state_name(peer),
			 unreachable(side, ours, peer));
	if (side < 2 && ours < SIM_STATES && peer < SIM_STATES)
		__atomic_fetch_add(&shared->cells[side][ours][peer], 1, __ATOMIC_RELAXED);
}

/* What ASan says goes with the trace of the one who shows it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0:exitcode=4:allocator_may_return_null=1:detect_stack_use_after_return=0";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1:exitcode=4";
}

/* ---- one seed ---- */

static void run_seed(u64 seed, u32 dropped)
{
	moves = 0;
	sim_world_reset();
	sim_flows_reset();
	if (sweeping)
		sim_sweep_make(seed);
	else
		sim_plan_make(seed, dropped);
	sim_plan_run();
	if (sweeping)
		sim_sweep_met();
	__atomic_fetch_add(&shared->steps, sim_steps, __ATOMIC_RELAXED);
}

/* In a process of its own. Return: true if it failed */
static bool try_seed(u64 seed, u32 dropped, bool trace)
{
	int status;
	pid_t pid;

	fflush(stdout);
	shared->text[0] = '\0';
	pid = fork();
	if (!pid) {
		alarm(60);
		sim_tracing = trace;
		if (trace)
			__sanitizer_set_death_callback(print_trace);
		if (!trace && !freopen("/dev/null", "w", stderr))
			_exit(5);
		run_seed(seed, dropped);
		if (trace && getenv("SIM_TRACE"))
			print_trace();
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		exit(5);
	if (!shared->text[0] && status)
		snprintf(shared->text, sizeof(shared->text),
			 "%s %d: see what the sanitizers say", WIFSIGNALED(status) ?
			 "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) :
			 WEXITSTATUS(status));
	return status;
}

/* What it is, and how to see it once more. */
static void show_plan(u64 seed, u32 dropped)
{
	if (sweeping)
		sim_sweep_make(seed);
	else
		sim_plan_make(seed, dropped);
	sim_plan_print(stdout, dropped);
}

static const char *what(void)
{
	return sweeping ? "fault" : "seed";
}

/* Leaves out what it fails without. There is nothing to leave out of one fault. */
static u32 shrink(u64 seed)
{
	u32 dropped = 0, i;
	bool again;

	if (sweeping)
		return 0;
	do {
		again = false;
		for (i = 0; i < SIM_DROPS; i++) {
			u32 less = dropped | 1u << i;

			if (less == dropped || !try_seed(seed, less, false))
				continue;
			dropped = less;
			again = true;
		}
	} while (again);
	return dropped;
}

/* @said: what it failed with among others. */
static void show_failure(u64 seed, const char *said)
{
	u32 dropped;

	/* The order of locks is remembered from one seed to the next. */
	if (!try_seed(seed, 0, false)) {
		printf("not ok - %s %llu, not alone, but after others: %s\n", what(), seed, said);
		return;
	}
	dropped = shrink(seed);
	printf("# ---- %s %llu, as little of it as fails:\n", what(), seed);
	show_plan(seed, dropped);
	try_seed(seed, dropped, true);
	printf("not ok - %s %llu: %s\n# again: make sim %s=%llu\n", what(), seed, shared->text,
	       sweeping ? "FAULT" : "SEED", seed);
}

static int run_one(u64 seed)
{
	if (!try_seed(seed, 0, false)) {
		show_plan(seed, 0);
		try_seed(seed, 0, true);
		printf("ok - %s %llu\nsim: 1 passed, 0 failed\n", what(), seed);
		return 0;
	}
	show_failure(seed, "");
	printf("sim: 0 passed, 1 failed\n");
	return 1;
}

/* ---- many ---- */

static void worker(u32 job, u64 last)
{
	u64 seed;

	if (!freopen("/dev/null", "w", stderr))
		_exit(5);
	while ((seed = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED)) <= last) {
		shared->at[job] = seed;
		alarm(60);
		run_seed(seed, 0);
		__atomic_fetch_add(&shared->passed, 1, __ATOMIC_RELAXED);
	}
	_exit(0);
}

static pid_t start_worker(u32 job, u64 last)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		worker(job, last);
	if (pid < 0)
		exit(5);
	return pid;
}

static void print_unreachable(void)
{
	static const char * const sides[] = { "front", "back" };
	u32 side, ours;

	for (side = 0; side < 2; side++)
		for (ours = 0; ours < SIM_STATES; ours++)
			if (unreachable(side, ours, XenbusStateUnknown))
				printf("# left out: %s, %s: %s\n", sides[side],
				       sim_front_image.state_name(ours),
				       unreachable(side, ours, XenbusStateUnknown));
	printf("# left out: initialising, the peer renewed: %s\n",
	       unreachable(SIM_FRONT, XenbusStateInitialising, SIM_RENEWED));
}

static u32 print_cells(void)
{
	static const char * const sides[] = { "front", "back" };
	u32 side, ours, peer, missing = 0, reached = 0;

	for (side = 0; side < 2; side++) {
		printf("# %-14s", sides[side]);
		for (peer = 0; peer < SIM_STATES; peer++)
			printf(" %12s", sim_front_image.state_name(peer));
		printf("\n");
		for (ours = 0; ours < SIM_STATES; ours++) {
			if (unreachable(side, ours, XenbusStateUnknown))
				continue;
			printf("# %-14s", sim_front_image.state_name(ours));
			for (peer = 0; peer < SIM_STATES; peer++) {
				printf(" %12llu", shared->cells[side][ours][peer]);
				reached += !!shared->cells[side][ours][peer];
				missing += !shared->cells[side][ours][peer] &&
					   !unreachable(side, ours, peer);
			}
			printf("\n");
		}
	}
	print_unreachable();
	printf("# cells of the handshake: %u visited, %u not\n", reached, missing);
	return missing;
}

/* Return: how many failed; each of the last few is shown */
static u32 run_all(u64 first, u64 runs, u32 jobs)
{
	/* Those that run as the last one that counts fails may do so, too. */
	static char said[FAILED_MOST + JOBS_MOST][sizeof(shared->text)];
	u64 failed[FAILED_MOST + JOBS_MOST], last;
	u32 failed_n = 0, left = 0, i;
	pid_t pids[JOBS_MOST];
	int status;

	jobs = min_t(u32, max(jobs, 1u), JOBS_MOST);
	last = first + runs - 1;
	shared->next = first;
	for (i = 0; i < jobs; i++, left++)
		pids[i] = start_worker(i, last);
	while (left) {
		pid_t pid = wait(&status);

		for (i = 0; i < jobs && pids[i] != pid; i++)
			;
		left--;
		if (!status || i == jobs)
			continue;
		memcpy(said[failed_n], shared->text, sizeof(shared->text));
		shared->text[0] = '\0';
		failed[failed_n++] = shared->at[i];
		/* More than these show nothing new; one, to who only asks whether there is one. */
		if (failed_n >= FAILED_MOST || getenv("SIM_QUICK"))
			shared->next = last + 1;
		if (shared->next > last)
			continue;
		pids[i] = start_worker(i, last);
		left++;
	}
	if (!failed_n)
		printf("ok - %ss %llu to %llu\n", what(), first, last);
	for (i = 0; i < failed_n && i < SHOWN && !getenv("SIM_QUICK"); i++)
		show_failure(failed[i], said[i]);
	for (; i < failed_n; i++) {
		try_seed(failed[i], 0, false);
		printf("not ok - %s %llu: %s\n", what(), failed[i], shared->text);
	}
	return failed_n;
}

static int run_many(u64 runs, u32 jobs)
{
	const char *first = getenv("SIM_FIRST");
	u32 failed_n = run_all(first ? strtoull(first, NULL, 0) : 1, runs, jobs);

	/* Fewer seeds need not come everywhere. */
	if (print_cells() && runs >= RUNS_FOR_ALL_CELLS) {
		printf("not ok - all cells of the handshake\n");
		failed_n++;
	}
	printf("# %llu switches\nsim: %llu passed, %u failed\n", shared->steps, shared->passed,
	       failed_n);
	return failed_n > 0;
}

/* What the plans do without a fault, each in a process of its own. Return: true if all pass */
static bool count_faults(void)
{
	u32 plan;

	sim_sweep_share(shared->faults);
	for (plan = 0; plan < SIM_PLANS; plan++) {
		int status;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (!pid) {
			alarm(60);
			sim_world_reset();
			sim_flows_reset();
			sim_sweep_count(plan);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
			printf("not ok - plan %u, without a fault: %s\n", plan, shared->text);
			return false;
		}
	}
	return true;
}

static int run_sweep(u32 jobs)
{
	u32 failed_n;

	if (!count_faults())
		return 1;
	sweeping = true;
	sim_sweep_print(stdout);
	failed_n = run_all(1, sim_sweep_runs(), jobs);
	printf("sim: %llu passed, %u failed\n", shared->passed, failed_n);
	return failed_n > 0;
}

static int run_fault(u64 number)
{
	if (!count_faults())
		return 1;
	sweeping = true;
	return run_one(number);
}

int main(int argc, char **argv)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		return 5;
	verbose = getenv("SIM_VERBOSE");
	if (argc >= 3 && !strcmp(argv[1], "run"))
		return run_one(strtoull(argv[2], NULL, 0));
	if (argc >= 3 && !strcmp(argv[1], "check"))
		return run_many(strtoull(argv[2], NULL, 0), argc > 3 ? atoi(argv[3]) : 1);
	if (argc >= 2 && !strcmp(argv[1], "sweep"))
		return run_sweep(argc > 2 ? atoi(argv[2]) : 1);
	if (argc >= 3 && !strcmp(argv[1], "fault"))
		return run_fault(strtoull(argv[2], NULL, 0));
	fprintf(stderr, "usage: sim check RUNS [JOBS] | sim run SEED | sim sweep [JOBS] | sim fault NUMBER\n");
	return 2;
}
