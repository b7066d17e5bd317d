/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: numbers only; link and slot are those of sysfs. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM duct

#if !defined(_DUCT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _DUCT_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(duct_state,
	TP_PROTO(int link, unsigned int state),
	TP_ARGS(link, state),
	TP_STRUCT__entry(
		__field(int, link)
		__field(unsigned int, state)
	),
	TP_fast_assign(
		__entry->link = link;
		__entry->state = state;
	),
	TP_printk("link=%d state=%u", __entry->link, __entry->state)
);

TRACE_EVENT(duct_epoch,
	TP_PROTO(int link, u32 epoch, bool up),
	TP_ARGS(link, epoch, up),
	TP_STRUCT__entry(
		__field(int, link)
		__field(u32, epoch)
		__field(bool, up)
	),
	TP_fast_assign(
		__entry->link = link;
		__entry->epoch = epoch;
		__entry->up = up;
	),
	TP_printk("link=%d epoch=%u up=%d", __entry->link, __entry->epoch, __entry->up)
);

DECLARE_EVENT_CLASS(duct_slot,
	TP_PROTO(int link, u32 slot),
	TP_ARGS(link, slot),
	TP_STRUCT__entry(
		__field(int, link)
		__field(u32, slot)
	),
	TP_fast_assign(
		__entry->link = link;
		__entry->slot = slot;
	),
	TP_printk("link=%d slot=%u", __entry->link, __entry->slot)
);

DEFINE_EVENT(duct_slot, duct_ring, TP_PROTO(int link, u32 slot), TP_ARGS(link, slot));
DEFINE_EVENT(duct_slot, duct_full, TP_PROTO(int link, u32 slot), TP_ARGS(link, slot));
DEFINE_EVENT(duct_slot, duct_empty, TP_PROTO(int link, u32 slot), TP_ARGS(link, slot));
DEFINE_EVENT(duct_slot, duct_fault, TP_PROTO(int link, u32 slot), TP_ARGS(link, slot));

TRACE_EVENT(duct_event,
	TP_PROTO(int link, bool real),
	TP_ARGS(link, real),
	TP_STRUCT__entry(
		__field(int, link)
		__field(bool, real)
	),
	TP_fast_assign(
		__entry->link = link;
		__entry->real = real;
	),
	TP_printk("link=%d real=%d", __entry->link, __entry->real)
);

#endif /* _DUCT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
