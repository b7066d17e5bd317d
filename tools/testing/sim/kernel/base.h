/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the driver's sources take from Linux, in user space: types, one-time accesses,
 * atomics, bits, lists, numbers. Every access to a word that others may change is a
 * point where the simulator may let somebody else run.
 */
#ifndef _SIM_KERNEL_BASE_H
#define _SIM_KERNEL_BASE_H

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
/* As in Linux: the interface is written with it. */
#define uint64_t unsigned long long
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;
typedef unsigned int gfp_t;
typedef unsigned long kernel_ulong_t;
typedef u64 phys_addr_t;
typedef unsigned long pgprot_t;
typedef unsigned short umode_t;

#define ERESTARTSYS	512

/* ---- the compiler ---- */

#define __init
#define __exit
#define __force
#define __iomem
#define __rcu
#define __user
#define __percpu
#define __must_check		__attribute__((warn_unused_result))
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __noreturn		__attribute__((__noreturn__))
#define __weak			__attribute__((__weak__))
#define __maybe_unused		__attribute__((unused))
#define fallthrough		__attribute__((__fallthrough__))
#define __acquire(x)		((void)0)
#define __release(x)		((void)0)
#define __must_hold(x)
#define __acquires(x)
#define __releases(x)
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define barrier()		__asm__ __volatile__("" : : : "memory")
#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), #cond)
#define static_assert(cond, ...)	_Static_assert(cond, #cond)
#define EXPORT_SYMBOL_GPL(s)	extern int sim_no_export
#define __sim_cat(a, b)		a##b
#define _sim_cat(a, b)		__sim_cat(a, b)
#define __sim_text(a)		#a
#define _sim_text(a)		__sim_text(a)
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define swap(a, b)		do { typeof(a) sim_t = (a); (a) = (b); (b) = sim_t; } while (0)

/* ---- where somebody else may run: see sched.c ---- */

extern int sim_until_switch;
void sim_switch(void);
void sim_linger(void);

static inline void sim_point(void)
{
	if (--sim_until_switch < 0)
		sim_switch();
}

u64 sim_load(const void *p, size_t size);
void sim_store(void *p, u64 value, size_t size);
void sim_fence(void);
void sim_copy_in(void *to, const void *from, size_t len);

#define READ_ONCE(x) ({							\
	union { typeof(x) v; u64 w; } sim_u = { .w = 0 };		\
	sim_u.w = sim_load((const void *)&(x), sizeof(x));				\
	sim_u.v; })
#define WRITE_ONCE(x, val) do {						\
	union { typeof(x) v; u64 w; } sim_u = { .w = 0 };		\
	sim_u.v = (val);						\
	sim_store((void *)&(x), sim_u.w, sizeof(x));				\
} while (0)
#define virt_load_acquire(p)	READ_ONCE(*(p))
#define virt_store_release(p, v) WRITE_ONCE(*(p), v)
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)
#define virt_mb()		sim_fence()
#define smp_rmb()		sim_point()
#define cond_resched()		sim_point()
bool need_resched(void);

/* Variables here: few seeds would come to an end of the driver's own. */
u32 sim_budget(bool alone);
bool sim_narrow(void);
#define DUCT_BUDGET		sim_budget(false)
#define DUCT_BUDGET_ALONE	sim_budget(true)
#define DUCT_CONTROL_ROOM	(sim_narrow() ? 512u : DUCT_CONTROL_BYTES)

/* What the peer may change: the driver's peer.h lets others define these. */
#define duct_peer_load(p)		READ_ONCE(*(p))
#define duct_peer_load_bytes(to, from, n) sim_copy_in(to, from, n)

/* ---- errors ---- */

#define MAX_ERRNO		4095
#define IS_ERR_VALUE(x)		((unsigned long)(void *)(x) >= (unsigned long)-MAX_ERRNO)
#define ERR_PTR(e)		((void *)(long)(e))
#define PTR_ERR(p)		((long)(p))
#define IS_ERR(p)		IS_ERR_VALUE(p)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
#define PTR_ERR_OR_ZERO(p)	(IS_ERR(p) ? (int)PTR_ERR(p) : 0)

void sim_warn(const char *file, int line, const char *what);
#define WARN_ON(cond) ({						\
	bool sim_w = (cond);						\
	if (sim_w)							\
		sim_warn(__FILE__, __LINE__, #cond);			\
	sim_w; })
#define WARN_ON_ONCE(cond)	WARN_ON(cond)

/* ---- numbers ---- */

#define U32_MAX			UINT32_MAX
#define S32_MAX			INT32_MAX
#define U64_MAX			(~0ULL)
#define BITS_PER_LONG		64
#define BIT_ULL(n)		(1ULL << (n))
#define BIT(n)			(1UL << (n))
#define GENMASK(h, l)		((~0UL << (l)) & (~0UL >> (BITS_PER_LONG - 1 - (h))))
#define GENMASK_ULL(h, l)	GENMASK(h, l)
#define min(a, b) ({ typeof(a) sim_a = (a); typeof(b) sim_b = (b); sim_a < sim_b ? sim_a : sim_b; })
#define max(a, b) ({ typeof(a) sim_a = (a); typeof(b) sim_b = (b); sim_a > sim_b ? sim_a : sim_b; })
#define min_t(t, a, b)		({ t sim_x = (a); t sim_y = (b); sim_x < sim_y ? sim_x : sim_y; })
#define max_t(t, a, b)		({ t sim_x = (a); t sim_y = (b); sim_x > sim_y ? sim_x : sim_y; })
#define min3(a, b, c)		min_t(u32, min_t(u32, a, b), c)
#define max3(a, b, c)		max_t(u32, max_t(u32, a, b), c)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define ALIGN(x, a)		(((x) + ((typeof(x))(a) - 1)) & ~((typeof(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define is_power_of_2(n)	((n) && !((n) & ((n) - 1)))
#define array_index_nospec(i, n) (i)
#define struct_size(p, member, n) (sizeof(*(p)) + sizeof((p)->member[0]) * (n))
#define div_u64(a, b)		((u64)(a) / (b))

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	unsigned long p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

static inline unsigned long __ffs64(u64 w)
{
	return __builtin_ctzll(w);
}

int kstrtou16(const char *s, unsigned int base, u16 *res);
int kstrtou64(const char *s, unsigned int base, u64 *res);
u64 get_random_u64(void);
int strscpy(char *to, const char *from, size_t size);
void sort(void *base, size_t num, size_t size, int (*cmp)(const void *, const void *),
	  void *swap_fn);

typedef struct { u8 b[16]; } uuid_t;
int uuid_parse(const char *s, uuid_t *u);
static inline bool uuid_equal(const uuid_t *a, const uuid_t *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* ---- atomics: each is a full fence ---- */

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef struct { long counter; } atomic_long_t;

#define sim_atomic(op, v, arg) ({ sim_fence(); __atomic_##op(&(v)->counter, arg, __ATOMIC_SEQ_CST); })
#define atomic_set(v, i)		WRITE_ONCE((v)->counter, i)
#define atomic_set_release(v, i)	WRITE_ONCE((v)->counter, i)
#define atomic_read(v)			READ_ONCE((v)->counter)
#define atomic64_read(v)		READ_ONCE((v)->counter)
int sim_atomic_xchg(int *p, int v);
#define atomic_xchg(v, i)		sim_atomic_xchg(&(v)->counter, i)
#define atomic_add(i, v)		((void)sim_atomic(fetch_add, v, i))
#define atomic_sub(i, v)		((void)sim_atomic(fetch_sub, v, i))
#define atomic_inc(v)			atomic_add(1, v)
#define atomic_dec(v)			atomic_sub(1, v)
#define atomic_add_return(i, v)		sim_atomic(add_fetch, v, i)
#define atomic64_inc(v)			((void)sim_atomic(fetch_add, v, 1))
#define atomic_long_inc_return(v)	sim_atomic(add_fetch, v, 1)
#define xchg(p, v) ({ sim_fence(); __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); })

static inline bool test_bit(unsigned long n, const unsigned long *p)
{
	return READ_ONCE(p[n / 64]) >> (n % 64) & 1;
}

static inline bool test_and_set_bit(unsigned long n, unsigned long *p)
{
	sim_fence();
	return __atomic_fetch_or(&p[n / 64], 1UL << (n % 64), __ATOMIC_SEQ_CST) >> (n % 64) & 1;
}

static inline bool test_and_clear_bit(unsigned long n, unsigned long *p)
{
	sim_fence();
	return __atomic_fetch_and(&p[n / 64], ~(1UL << (n % 64)), __ATOMIC_SEQ_CST) >> (n % 64) & 1;
}

#define set_bit(n, p)		((void)test_and_set_bit(n, p))
#define clear_bit(n, p)		((void)test_and_clear_bit(n, p))
#define sync_test_and_set_bit	test_and_set_bit

/* ---- lists ---- */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(l)	{ &(l), &(l) }
#define LIST_HEAD(l)		struct list_head l = LIST_HEAD_INIT(l)

static inline void INIT_LIST_HEAD(struct list_head *l)
{
	l->next = l;
	l->prev = l;
}

static inline void sim_list_insert(struct list_head *e, struct list_head *prev,
				   struct list_head *next)
{
	next->prev = e;
	e->next = next;
	e->prev = prev;
	prev->next = e;
}

static inline void list_add(struct list_head *e, struct list_head *l)
{
	/* Others may look whether a list is empty without a lock. */
	if (sim_narrow())
		sim_linger();
	sim_list_insert(e, l, l->next);
}

static inline void list_add_tail(struct list_head *e, struct list_head *l)
{
	sim_list_insert(e, l->prev, l);
}

static inline void sim_list_unlink(struct list_head *e)
{
	e->next->prev = e->prev;
	e->prev->next = e->next;
}

static inline void list_del(struct list_head *e)
{
	sim_list_unlink(e);
	e->next = (void *)0x100;
	e->prev = (void *)0x122;
}

static inline void list_del_init(struct list_head *e)
{
	sim_list_unlink(e);
	INIT_LIST_HEAD(e);
}

static inline void list_move_tail(struct list_head *e, struct list_head *l)
{
	sim_list_unlink(e);
	list_add_tail(e, l);
}

static inline bool list_empty(const struct list_head *l)
{
	return READ_ONCE(l->next) == l;
}

static inline void list_splice(struct list_head *l, struct list_head *at)
{
	if (l->next == l)
		return;
	l->next->prev = at;
	l->prev->next = at->next;
	at->next->prev = l->prev;
	at->next = l->next;
}

static inline void list_splice_init(struct list_head *l, struct list_head *at)
{
	list_splice(l, at);
	INIT_LIST_HEAD(l);
}

#define list_entry(p, type, member)	container_of(p, type, member)
#define list_last_entry(l, type, member) list_entry((l)->prev, type, member)
#define list_first_entry(l, type, member) list_entry((l)->next, type, member)
#define list_first_entry_or_null(l, type, member) \
	(list_empty(l) ? NULL : list_first_entry(l, type, member))
#define list_next_entry(e, member)	list_entry((e)->member.next, typeof(*(e)), member)
#define list_for_each_entry(e, l, member)					\
	for (e = list_first_entry(l, typeof(*e), member); &e->member != (l);	\
	     e = list_next_entry(e, member))
#define list_for_each_entry_safe(e, n, l, member)				\
	for (e = list_first_entry(l, typeof(*e), member), n = list_next_entry(e, member); \
	     &e->member != (l); e = n, n = list_next_entry(n, member))

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

static inline void init_llist_head(struct llist_head *l)
{
	l->first = NULL;
}

static inline bool llist_add(struct llist_node *e, struct llist_head *l)
{
	sim_fence();
	e->next = l->first;
	l->first = e;
	return !e->next;
}

static inline struct llist_node *llist_del_all(struct llist_head *l)
{
	return xchg(&l->first, NULL);
}

#define sim_llist_entry(p, type, member) ({					\
	struct llist_node *sim_n = (p);						\
	sim_n ? container_of(sim_n, type, member) : NULL; })
#define llist_for_each_entry_safe(e, n, first, member)				\
	for (e = sim_llist_entry(first, typeof(*e), member);			\
	     e && (n = sim_llist_entry(e->member.next, typeof(*e), member), 1); e = n)

/* ---- references ---- */

struct kref {
	atomic_t refcount;
};

void sim_bad_ref(const void *ref);

static inline void kref_init(struct kref *ref)
{
	ref->refcount.counter = 1;
}

static inline void kref_get(struct kref *ref)
{
	sim_fence();
	if (ref->refcount.counter++ <= 0)
		sim_bad_ref(ref);
}

static inline int kref_put(struct kref *ref, void (*release)(struct kref *ref))
{
	sim_fence();
	if (ref->refcount.counter <= 0)
		sim_bad_ref(ref);
	if (--ref->refcount.counter)
		return 0;
	release(ref);
	return 1;
}

#endif /* _SIM_KERNEL_BASE_H */
