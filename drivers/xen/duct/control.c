// SPDX-License-Identifier: GPL-2.0
/* Control messages: see control.h. */
#include "control.h"

#define FRONT	1	/* who may send it */
#define BACK	2
#define BOTH	(FRONT | BACK)

static const struct {
	const char *name;
	u8 len;
	u8 from;
} duct_ctls[] = {
	[DUCT_CTL_HELLO] = { "hello", sizeof(struct duct_ctl_hello), BOTH },
	[DUCT_CTL_ANNOUNCE] = { "announce", sizeof(struct duct_ctl_offer), BOTH },
	[DUCT_CTL_WITHDRAW] = { "withdraw", sizeof(struct duct_ctl_withdraw), BOTH },
	[DUCT_CTL_BIND] = { "bind", sizeof(struct duct_ctl_offer), BOTH },
	[DUCT_CTL_UNBIND] = { "unbind", sizeof(struct duct_ctl_withdraw), BOTH },
	[DUCT_CTL_OPEN] = { "open", sizeof(struct duct_ctl_open), BACK },
	[DUCT_CTL_CANCEL] = { "cancel", sizeof(struct duct_ctl_open), BACK },
	[DUCT_CTL_BOUND] = { "bound", sizeof(struct duct_ctl_bound), FRONT },
	[DUCT_CTL_REFUSED] = { "refused", sizeof(struct duct_ctl_refused), FRONT },
	[DUCT_CTL_CLOSE] = { "close", sizeof(struct duct_ctl_close), BOTH },
	[DUCT_CTL_CLOSED] = { "closed", sizeof(struct duct_ctl_close), BOTH },
	[DUCT_CTL_CHUNK] = { "chunk", sizeof(struct duct_ctl_chunk), FRONT },
	[DUCT_CTL_CHUNK_DONE] = { "chunk done", sizeof(struct duct_ctl_done), BACK },
	[DUCT_CTL_DOOR] = { "door", sizeof(struct duct_ctl_door), FRONT },
	[DUCT_CTL_DOOR_DONE] = { "door done", sizeof(struct duct_ctl_done), BACK },
	[DUCT_CTL_GOODBYE] = { "goodbye", sizeof(struct duct_ctl_goodbye), BOTH },
	[DUCT_CTL_STAGE] = { "stage", sizeof(struct duct_ctl_stage), FRONT },
};

static u32 duct_ctl_index(u32 type)
{
	return type < ARRAY_SIZE(duct_ctls) ? array_index_nospec(type, ARRAY_SIZE(duct_ctls)) : 0;
}

/**
 * duct_ctl_len() - the only legal length of a message
 * @type: any number
 *
 * Return: bytes, 0 if there is no such message
 */
u32 duct_ctl_len(u32 type)
{
	return duct_ctls[duct_ctl_index(type)].len;
}

/**
 * duct_ctl_name() - a message type in words
 * @type: any number
 *
 * Return: the name, never NULL
 */
const char *duct_ctl_name(u32 type)
{
	const char *name = duct_ctls[duct_ctl_index(type)].name;

	return name ? name : "unknown";
}

/**
 * duct_name_valid() - whether this is a service's name
 * @name: DUCT_SERVICE_NAME bytes
 *
 * Return: true for [a-z0-9_-]{1,15} with zeros behind it
 */
bool duct_name_valid(const u8 *name)
{
	u32 i, len = 0;

	while (len < DUCT_SERVICE_NAME && name[len]) {
		u8 c = name[len++];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return false;
	}
	for (i = len; i < DUCT_SERVICE_NAME; i++)
		if (name[i])
			return false;
	return len > 0 && len < DUCT_SERVICE_NAME;
}

/**
 * duct_trigger_valid() - whether the message of a counted event is well formed
 * @trigger: a private copy, all of the message
 *
 * Return: true if so
 */
bool duct_trigger_valid(const struct duct_trigger *trigger)
{
	return trigger->count && !trigger->reserved;
}

/**
 * duct_role_opposite() - the role at the other end
 * @role: DUCT_ROLE_*
 *
 * Return: DUCT_ROLE_*
 */
u32 duct_role_opposite(u32 role)
{
	switch (role) {
	case DUCT_ROLE_SERVE:
		return DUCT_ROLE_CONNECT;
	case DUCT_ROLE_CONNECT:
		return DUCT_ROLE_SERVE;
	default:
		return DUCT_ROLE_PEER;
	}
}

static const char *duct_check_service(const struct duct_ctl_service *service, u32 roles)
{
	if (!duct_name_valid(service->name))
		return "not a service name";
	if (service->instance > 65535)
		return "instance above 65535";
	if ((service->role != DUCT_ROLE_CONNECT && service->role != DUCT_ROLE_SERVE &&
	     service->role != DUCT_ROLE_PEER) || !(service->role & roles))
		return "a role that cannot send this";
	return NULL;
}

static bool duct_ring_bytes_valid(u32 bytes)
{
	return bytes >= DUCT_RING_MIN && bytes <= DUCT_RING_MAX && is_power_of_2(bytes);
}

/* @tx_bytes: the ring that the end of this point writes */
static const char *duct_check_point(const struct duct_ctl_point *point, u32 flags, u32 tx_bytes)
{
	if (!point->cookie || !(flags & DUCT_WISH_RESUMABLE))
		return point->cookie || point->sent || point->kept || point->taken ?
		       "reserved bytes are not zero" : NULL;
	if (!IS_ALIGNED(point->sent | point->kept | point->taken, DUCT_ALIGN))
		return "position is not aligned";
	if (point->kept > point->sent || point->sent - point->kept > tx_bytes)
		return "more kept than a ring";
	return NULL;
}

static const char *duct_check_wish(const struct duct_ctl_wish *wish)
{
	if (wish->flags & ~(DUCT_WISH_STREAM | DUCT_WISH_RESUMABLE))
		return "unknown channel flags";
	if (wish->flags & DUCT_WISH_RESUMABLE && wish->max_calls)
		return "calls on a resumable channel";
	if (!duct_ring_bytes_valid(wish->tx_bytes) || !duct_ring_bytes_valid(wish->rx_bytes))
		return "ring size is no power of two within the limits";
	if (!wish->max_msg || wish->max_msg > DUCT_MSG_MAX)
		return "longest message out of range";
	if (wish->max_calls > DUCT_SLOTS || wish->max_answer > DUCT_MSG_MAX)
		return "calls out of range";
	return duct_check_point(&wish->point, wish->flags, wish->tx_bytes);
}

static const char *duct_check_open(const struct duct_ctl_open *m)
{
	static const struct duct_ctl_wish none;
	const char *why = duct_check_service(&m->service, DUCT_ROLE_CONNECT | DUCT_ROLE_SERVE |
							   DUCT_ROLE_PEER);

	if (why)
		return why;
	if (m->type == DUCT_CTL_OPEN)
		return duct_check_wish(&m->wish);
	return memcmp(&m->wish, &none, sizeof(none)) ? "reserved bytes are not zero" : NULL;
}

static const char *duct_check_bound(const struct duct_ctl_bound *m)
{
	const struct duct_ctl_wish as_wish = {
		.flags = m->flags & ~DUCT_WISH_RESUMED,
		.tx_bytes = m->to_back.bytes,
		.rx_bytes = m->to_front.bytes,
		.max_msg = m->max_msg,
		.max_calls = m->max_calls,
		.max_answer = m->max_answer,
		.point = m->point,
	};
	const char *why = duct_check_service(&m->service, DUCT_ROLE_CONNECT | DUCT_ROLE_SERVE |
							   DUCT_ROLE_PEER);

	if (why)
		return why;
	if (m->slot == DUCT_SLOT_CONTROL || m->slot >= DUCT_SLOTS)
		return "no such slot";
	if (m->door >= DUCT_DOORS)
		return "no such door";
	if (!IS_ALIGNED(m->to_back.start | m->to_front.start, DUCT_ALIGN))
		return "start index is not aligned";
	if (m->flags & DUCT_WISH_RESUMABLE ? !m->point.cookie : m->flags & DUCT_WISH_RESUMED)
		return "resumable without a cookie, or the reverse";
	if (m->reserved)
		return "reserved bytes are not zero";
	if (m->to_back.chunk >= DUCT_CHUNKS || m->to_front.chunk >= DUCT_CHUNKS)
		return "no such chunk";
	if (!IS_ALIGNED(m->to_back.offset, 64) || !IS_ALIGNED(m->to_front.offset, 64))
		return "ring is not aligned";
	return duct_check_wish(&as_wish);
}

static const char *duct_check_chunk(const struct duct_ctl_chunk *m)
{
	u32 i;

	if (m->chunk >= DUCT_CHUNKS)
		return "no such chunk";
	if (!m->pages || m->pages > DUCT_CHUNK_PAGES_MAX)
		return "pages of the chunk out of range";
	if (m->first % DUCT_REFS_PER_MSG || m->first >= m->pages)
		return "first page of the chunk out of range";
	for (i = 0; i < DUCT_REFS_PER_MSG; i++)
		if (m->first + i >= m->pages && m->refs[i])
			return "reserved bytes are not zero";
	return NULL;
}

static const char *duct_check_close(const struct duct_ctl_close *m)
{
	if (m->slot == DUCT_SLOT_CONTROL || m->slot >= DUCT_SLOTS)
		return "no such slot";
	if (m->type == DUCT_CTL_CLOSED ? m->reason : m->reason > DUCT_CLOSE_LOST)
		return "unknown reason";
	return NULL;
}

static const char *duct_check_refused(const struct duct_ctl_refused *m)
{
	if (m->reserved)
		return "reserved bytes are not zero";
	if (!m->reason || m->reason > DUCT_REFUSED_MEMORY)
		return "unknown reason";
	return duct_check_service(&m->service, DUCT_ROLE_CONNECT | DUCT_ROLE_SERVE |
					       DUCT_ROLE_PEER);
}

static const char *duct_check_door(const struct duct_ctl_door *m)
{
	if (!m->door || m->door >= DUCT_DOORS)
		return "no such door";
	if (m->chunk >= DUCT_CHUNKS || !IS_ALIGNED(m->offset, 64))
		return "door table out of range";
	return m->reserved ? "reserved bytes are not zero" : NULL;
}

static const char *duct_check_stage(const struct duct_ctl_stage *m)
{
	if (m->chunk >= DUCT_CHUNKS || !IS_ALIGNED(m->offset, 64) || !m->bytes ||
	    m->bytes > DUCT_STAGE_MAX || !IS_ALIGNED(m->bytes, 128))
		return "staging out of range";
	return NULL;
}

static const char *duct_check_done(const struct duct_ctl_done *m)
{
	u32 most = m->type == DUCT_CTL_CHUNK_DONE ? DUCT_CHUNKS : DUCT_DOORS;

	if (m->id >= most)
		return "no such chunk or door";
	return m->reserved ? "reserved bytes are not zero" : NULL;
}

/**
 * duct_ctl_check() - whether a message is well formed
 * @msg: a private copy
 * @len: bytes that came, at most sizeof(*msg) of them are in @msg
 * @from_front: the frontend has sent it
 *
 * Return: NULL, or what is wrong in words
 */
const char *duct_ctl_check(const union duct_ctl *msg, u32 len, bool from_front)
{
	if (len < sizeof(msg->type))
		return "shorter than its type";
	if (!duct_ctl_len(msg->type))
		return "unknown type";
	if (len != duct_ctl_len(msg->type))
		return "wrong length";
	if (!(duct_ctls[duct_ctl_index(msg->type)].from & (from_front ? FRONT : BACK)))
		return "the wrong end sent it";

	switch (msg->type) {
	case DUCT_CTL_HELLO:
		return NULL;
	case DUCT_CTL_ANNOUNCE:
		return msg->offer.reserved ? "reserved bytes are not zero" :
		       duct_check_service(&msg->offer.service, DUCT_ROLE_SERVE | DUCT_ROLE_PEER);
	case DUCT_CTL_BIND:
		return msg->offer.reserved ? "reserved bytes are not zero" :
		       duct_check_service(&msg->offer.service, DUCT_ROLE_CONNECT);
	case DUCT_CTL_WITHDRAW:
		return msg->withdraw.reserved ? "reserved bytes are not zero" :
		       duct_check_service(&msg->withdraw.service,
					  DUCT_ROLE_SERVE | DUCT_ROLE_PEER);
	case DUCT_CTL_UNBIND:
		return msg->withdraw.reserved ? "reserved bytes are not zero" :
		       duct_check_service(&msg->withdraw.service, DUCT_ROLE_CONNECT);
	case DUCT_CTL_OPEN:
	case DUCT_CTL_CANCEL:
		return duct_check_open(&msg->open);
	case DUCT_CTL_BOUND:
		return duct_check_bound(&msg->bound);
	case DUCT_CTL_REFUSED:
		return duct_check_refused(&msg->refused);
	case DUCT_CTL_CLOSE:
	case DUCT_CTL_CLOSED:
		return duct_check_close(&msg->close);
	case DUCT_CTL_CHUNK:
		return duct_check_chunk(&msg->chunk);
	case DUCT_CTL_CHUNK_DONE:
	case DUCT_CTL_DOOR_DONE:
		return duct_check_done(&msg->done);
	case DUCT_CTL_DOOR:
		return duct_check_door(&msg->door);
	case DUCT_CTL_STAGE:
		return duct_check_stage(&msg->stage);
	case DUCT_CTL_GOODBYE:
		return msg->goodbye.reason > DUCT_GOODBYE_BROKEN ? "unknown reason" : NULL;
	}
	return "unknown type";
}
