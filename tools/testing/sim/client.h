/* SPDX-License-Identifier: GPL-2.0 */
/* The service driver that both domains load; each has its own copy. */
#ifndef _SIM_CLIENT_H
#define _SIM_CLIENT_H

#include <xen/duct.h>

#include "core.h"
#include "flow.h"

#define CLIENT_BYTES	4096

struct client_region;

/* What a call says of itself. */
struct client_request {
	u32 id;
	u32 bytes;
	u32 sum;
};

/**
 * struct client_channel - one channel of a device
 * @client: whose
 * @number: of it
 * @plan: what the seed wants
 * @life: tells it from others of that number
 * @ch: the core's
 * @ev: of a counted event
 * @region: of a region
 * @wait: the tasks', for up, room, something to read, or the end
 * @news: counts what they are told
 * @stop: they end
 * @is_up: it was told so, and not of the end
 * @tasks: that there are
 * @last: reader: behind the last unit
 * @rest: stream: bytes of a word that is not whole
 * @rest_len: of those
 * @rest_of: the binding that they came by
 * @calls: server: requests that wait for their answer, by another task
 * @asked: of each what it says
 * @calls_n: of those
 */
struct client_channel {
	struct client *client;
	u32 number;
	const struct sim_channel *plan;
	u32 life;
	struct duct_channel *ch;
	struct duct_event *ev;
	struct client_region *region;
	wait_queue_head_t wait;
	u32 news;
	bool stop;
	bool is_up;
	u32 tasks;
	u32 last;
	u8 rest[8];
	u32 rest_len;
	u32 rest_of;
	struct duct_request *calls[8];
	struct client_request asked[8];
	u32 calls_n;
};

/**
 * struct client - one device's
 * @dd: it
 * @side: this end
 * @more: one channel more than there may be; refused
 * @channel: by number
 */
struct client {
	struct duct_device *dd;
	u32 side;
	struct duct_event *more;
	struct client_channel channel[SIM_CHANNELS];
};

static inline u32 client_session(struct client_channel *c)
{
	return READ_ONCE(to_duct_channel_core(c->ch)->session);
}

void client_tell(struct client_channel *c);
void client_wait(struct client_channel *c, u32 news);
bool client_ends(struct client_channel *c);
bool client_flow_begin(struct client_channel *c);
void client_flow_end(struct client_channel *c);
u32 client_words(struct client_channel *c, u64 *word, u32 seq);

/* client_recv.c */
int client_recv(struct duct_channel *ch, struct duct_msg *msg);
void client_reader(void *arg);

/* client_call.c */
void client_caller(void *arg);
void client_replier(void *arg);
void client_reply_all(struct client_channel *c);
int client_serve(struct client_channel *c, struct duct_msg *msg);

/* client_region.c */
int client_region_open(struct client_channel *c);
void client_region_close(struct client_channel *c);
void client_region_task(void *arg);

#endif /* _SIM_CLIENT_H */
