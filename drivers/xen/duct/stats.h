/* SPDX-License-Identifier: GPL-2.0 */
/* What sysfs shows of links and channels: counters, which nothing decides upon. */
#ifndef _DUCT_STATS_H
#define _DUCT_STATS_H

#include <linux/atomic.h>
#include <linux/types.h>

/**
 * struct duct_link_stats - counters of a link; link->lock but where said
 * @rung: events that we raised at the peer
 * @control_in: control messages read
 * @control_out: control messages sent
 * @stale: messages for what is gone already
 * @faults: times that the peer broke the protocol, channels and link
 */
struct duct_link_stats {
	atomic64_t rung;
	u64 control_in;
	u64 control_out;
	u64 stale;
	atomic64_t faults;
};

/**
 * struct duct_channel_stats - counters; tx_lock for what is sent, the one
 * reader's for what is received, single words read at any time
 * @out_messages: frames committed
 * @out_bytes: payload of them
 * @out_full: -EAGAIN for want of room
 * @out_rings: doors rung, for data or space
 * @out_events: of those, with an event at the peer: one hypercall each
 * @in_messages: messages and answers opened
 * @in_bytes: payload of them
 * @in_empty: went to sleep on an empty ring
 * @in_copies: batches copied of what calls lent: one hypercall each; any context
 * @in_maps: batches mapped and unmapped of the same: one hypercall each; any context
 * @wakeups: runs of the worker, or ready()
 * @calls_out: made here
 * @calls_in: served here
 * @calls_failed: ended without an answer
 * @refused: recv() failed, or the core refused a call
 * @faults: times that the peer broke the protocol of the channel
 * @resumed: epochs that it went on in where it was; link->lock
 */
struct duct_channel_stats {
	u64 out_messages;
	u64 out_bytes;
	u64 out_full;
	u64 out_rings;
	u64 out_events;
	u64 in_messages;
	u64 in_bytes;
	u64 in_empty;
	atomic64_t in_copies;
	atomic64_t in_maps;
	u64 wakeups;
	u64 calls_out;
	u64 calls_in;
	u64 calls_failed;
	u64 refused;
	u64 faults;
	u64 resumed;
};

#endif /* _DUCT_STATS_H */
