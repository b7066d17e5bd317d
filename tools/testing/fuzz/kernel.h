/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel as policy.c, xenbus/nodes.h and the frames of the services use,
 * for user space; xenstore is the fuzzer's. Included before them: the headers that they
 * ask for are empty here.
 */
#ifndef _KERNEL_H
#define _KERNEL_H

#include "port.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- numbers ---- */

#define __init
#define U32_MAX 0xffffffffu
#define S32_MAX 0x7fffffff
#define U64_MAX UINT64_MAX
typedef u16 __sum16;
typedef u16 domid_t;
#define DOMID_SELF 0x7ff0u
#define DOMID_INVALID 0x7ff4u

/* What runs the fuzzers is little endian. */
#define le16_to_cpu(x) ((u16)(x))
#define le32_to_cpu(x) ((u32)(x))
#define le64_to_cpu(x) ((u64)(x))
#define cpu_to_le32(x) ((u32)(x))
#define __virtio16_to_cpu(little, x) ((u16)(x))
#define VLAN_HLEN 4

/* As lib/kstrtox.c: a sign, digits, a line's end. */
static inline int kstrtou64(const char *s, unsigned int base, u64 *result)
{
	u64 value = 0;

	s += *s == '+';
	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(value, (u64)base, &value) ||
		    __builtin_add_overflow(value, (u64)(*s - '0'), &value))
			return -ERANGE;
	s += *s == '\n';
	if (*s)
		return -EINVAL;
	*result = value;
	return 0;
}

static inline int kstrtou16(const char *s, unsigned int base, u16 *result)
{
	u64 value;
	int err = kstrtou64(s, base, &value);

	if (!err && value != (u16)value)
		err = -ERANGE;
	if (!err)
		*result = value;
	return err;
}

/* ---- errors in pointers ---- */

static inline void *ERR_PTR(long err)
{
	return (void *)err;
}

static inline long PTR_ERR(const void *p)
{
	return (long)p;
}

static inline bool IS_ERR(const void *p)
{
	return (unsigned long)p >= (unsigned long)-4095;
}

/* ---- memory: how much there is is up to the fuzzer ---- */

#define GFP_KERNEL 0

extern int kernel_allocs;		/* in use */
extern int kernel_allocs_left;		/* then one fails; below 0: none does */
extern bool kernel_allocs_over;		/* and all after it */
extern int kernel_allocs_failed;

static inline void *kzalloc(size_t size, int gfp)
{
	(void)gfp;
	if (!kernel_allocs_left) {
		kernel_allocs_left -= !kernel_allocs_over;
		kernel_allocs_failed++;
		return NULL;
	}
	kernel_allocs_left -= kernel_allocs_left > 0;
	kernel_allocs++;
	return calloc(1, size);
}

static inline void kfree(const void *p)
{
	if (p)
		kernel_allocs--;
	free((void *)p);
}

static inline char *kernel_text(const char *s, size_t len)
{
	char *text = kzalloc(len + 1, GFP_KERNEL);

	return text ? memcpy(text, s, len) : NULL;
}

static inline char *kstrdup(const char *s, int gfp)
{
	(void)gfp;
	return kernel_text(s, strlen(s));
}

#define __printf(text, first) __attribute__((__format__(__printf__, text, first)))

static inline __printf(2, 0) char *kvasprintf(int gfp, const char *format, va_list args)
{
	char text[512];
	int n = vsnprintf(text, sizeof(text), format, args);

	(void)gfp;
	if (n < 0 || n >= (int)sizeof(text))
		abort();
	return kernel_text(text, n);
}

static inline __printf(2, 3) char *kasprintf(int gfp, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = kvasprintf(gfp, format, args);
	va_end(args);
	return text;
}

/* ---- lists, references ---- */

struct list_head {
	struct list_head *next, *prev;
};

#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add_tail(struct list_head *node, struct list_head *list)
{
	node->next = list;
	node->prev = list->prev;
	list->prev->next = node;
	list->prev = node;
}

#define list_entry(p, like, member) container_of(p, typeof(*(like)), member)
#define list_for_each_entry(at, list, member)					\
	for (at = list_entry((list)->next, at, member); &at->member != (list);	\
	     at = list_entry(at->member.next, at, member))
#define list_for_each_entry_safe(at, n, list, member)				\
	for (at = list_entry((list)->next, at, member),				\
	     n = list_entry(at->member.next, at, member); &at->member != (list); \
	     at = n, n = list_entry(n->member.next, n, member))

struct kref {
	int n;
};

static inline void kref_init(struct kref *kref)
{
	kref->n = 1;
}

static inline void kref_get(struct kref *kref)
{
	kref->n++;
}

static inline void kref_put(struct kref *kref, void (*release)(struct kref *kref))
{
	if (!--kref->n)
		release(kref);
}

/* ---- UUIDs, random numbers ---- */

typedef struct {
	u8 b[16];
} uuid_t;

#define UUID_STRING_LEN 36

/* As lib/uuid.c: what follows the 36 characters does not count. */
static inline int uuid_parse(const char *text, uuid_t *uuid)
{
	unsigned int i, n = 0;

	for (i = 0; i < UUID_STRING_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return -EINVAL;
		if (!dash)
			uuid->b[n++ / 2] = text[i];
	}
	return 0;
}

u64 get_random_u64(void);

/* ---- lines in the log: whether there may be one is up to the fuzzer ---- */

struct ratelimit_state {
	int interval;
	int burst;
};

#define HZ 250
#define RATELIMIT_MSG_ON_RELEASE 1
#define ratelimit_set_flags(state, flags) ((void)(state))

static inline void ratelimit_state_init(struct ratelimit_state *state, int interval, int burst)
{
	*state = (struct ratelimit_state){ interval, burst };
}

int __ratelimit(struct ratelimit_state *state);

struct device {
	int unused;
};

__printf(2, 3) void dev_err(struct device *dev, const char *format, ...);

/* ---- xenbus, event channels ---- */

struct xenbus_device {
	struct device dev;
	const char *nodename;
	const char *otherend;
};

struct xenbus_watch {
	unsigned int nr_pending;
};

struct xenbus_transaction {
	u32 id;
};

#define XBT_NIL ((struct xenbus_transaction){ 0 })

int xenbus_transaction_start(struct xenbus_transaction *t);
int xenbus_transaction_end(struct xenbus_transaction t, int aborted);
void *xenbus_read(struct xenbus_transaction t, const char *dir, const char *node, u32 *len);
int xenbus_exists(struct xenbus_transaction t, const char *dir, const char *node);
char **xenbus_directory(struct xenbus_transaction t, const char *dir, const char *node,
			unsigned int *n);
unsigned int xenbus_read_unsigned(const char *dir, const char *node, unsigned int otherwise);
__printf(4, 5) int xenbus_printf(struct xenbus_transaction t, const char *dir, const char *node,
				 const char *format, ...);
__attribute__((format(scanf, 4, 5)))
int xenbus_scanf(struct xenbus_transaction t, const char *dir, const char *node,
		 const char *format, ...);
bool xen_initial_domain(void);

typedef u32 evtchn_port_t;

enum { EVTCHNOP_close, EVTCHNOP_status };
enum { EVTCHNSTAT_closed, EVTCHNSTAT_unbound, EVTCHNSTAT_interdomain };

struct evtchn_status {
	domid_t dom;
	evtchn_port_t port;
	u32 status;
	union {
		struct {
			domid_t dom;
		} unbound, interdomain;
	} u;
};

struct evtchn_close {
	evtchn_port_t port;
};

int HYPERVISOR_event_channel_op(int op, void *arg);

#endif /* _KERNEL_H */
