// SPDX-License-Identifier: GPL-2.0
/* See region_msg.h. */
#include "region_msg.h"

#define OWNER	1	/* who may send it */
#define PEER	2
#define BOTH	(OWNER | PEER)

static const struct {
	u16 len;
	u8 from;
} duct_region_msgs[] = {
	[DUCT_REGION_OFFER] = { sizeof(struct duct_region_offer), OWNER },
	[DUCT_REGION_REFS] = { sizeof(struct duct_region_refs), OWNER },
	[DUCT_REGION_ATTACHED] = { sizeof(struct duct_region_state), PEER },
	[DUCT_REGION_REVOKE] = { sizeof(struct duct_region_state), OWNER },
	[DUCT_REGION_RELEASED] = { sizeof(struct duct_region_state), PEER },
	[DUCT_REGION_WATCH] = { sizeof(struct duct_region_point), PEER },
	[DUCT_REGION_WATCHED] = { sizeof(struct duct_region_point), OWNER },
	[DUCT_REGION_UNWATCH] = { sizeof(struct duct_region_point), PEER },
	[DUCT_REGION_TRIGGER] = { sizeof(struct duct_region_point), BOTH },
};

static u32 duct_region_msg_index(u32 type)
{
	if (type >= ARRAY_SIZE(duct_region_msgs))
		return 0;
	return array_index_nospec(type, ARRAY_SIZE(duct_region_msgs));
}

/**
 * duct_region_msg_len() - the only legal length of a message
 * @type: any number
 *
 * Return: bytes, 0 if there is no such message
 */
u32 duct_region_msg_len(u32 type)
{
	return duct_region_msgs[duct_region_msg_index(type)].len;
}

static const char *duct_region_check_offer(const struct duct_region_offer *msg)
{
	if (!msg->peer || msg->peer >= DUCT_REGION_PEERS || msg->flags & ~DUCT_REGION_WRITABLE)
		return "an offer to a peer that cannot be, or with unknown flags";
	if (!msg->size || msg->size > (u64)DUCT_REGION_PAGES_MAX * DUCT_PAGE_SIZE)
		return "an offer of a size that cannot be";
	return NULL;
}

static const char *duct_region_check_refs(const struct duct_region_refs *msg)
{
	u32 i;

	if (!msg->n || msg->n > DUCT_REGION_REFS_PER_MSG || msg->first >= DUCT_REGION_PAGES_MAX)
		return "pages of a region that cannot be";
	for (i = msg->n; i < DUCT_REGION_REFS_PER_MSG; i++)
		if (msg->refs[i])
			return "pages behind the last";
	return NULL;
}

static const char *duct_region_check_state(const struct duct_region_state *msg)
{
	u32 most = msg->type == DUCT_REGION_ATTACHED ? DUCT_REGION_MEMORY : DUCT_REGION_OK;

	return msg->status > most || msg->reserved ? "a region's state with an unknown word" : NULL;
}

static const char *duct_region_check_point(const struct duct_region_point *msg)
{
	if (msg->type == DUCT_REGION_TRIGGER)
		return msg->value ? NULL : "no triggers";
	if (msg->type == DUCT_REGION_WATCHED)
		return msg->value > DUCT_REGION_BUDGET ? "an unknown answer to a watch" : NULL;
	return msg->value ? "a watch with an unknown word" : NULL;
}

/**
 * duct_region_msg_check() - whether a message is well formed
 * @msg: a private copy, @len bytes of it
 * @len: bytes that came
 * @from_owner: who sent it
 *
 * Return: NULL, or how it breaks the protocol
 */
const char *duct_region_msg_check(const union duct_region_msg *msg, u32 len, bool from_owner)
{
	u32 index;

	if (len < sizeof(msg->type))
		return "a region's message without a type";
	index = duct_region_msg_index(msg->type);
	if (!duct_region_msgs[index].len ||
	    !(duct_region_msgs[index].from & (from_owner ? OWNER : PEER)))
		return "a region's message that is not for this end";
	if (len != duct_region_msgs[index].len)
		return "a region's message of a wrong length";
	switch (msg->type) {
	case DUCT_REGION_OFFER:
		return duct_region_check_offer(&msg->offer);
	case DUCT_REGION_REFS:
		return duct_region_check_refs(&msg->refs);
	case DUCT_REGION_ATTACHED:
	case DUCT_REGION_REVOKE:
	case DUCT_REGION_RELEASED:
		return duct_region_check_state(&msg->state);
	default:
		return duct_region_check_point(&msg->point);
	}
}

/**
 * duct_region_msg_check_xfer() - whether a request for a transfer is well formed
 * @ask: a private copy; any bytes if @len is another's
 * @len: bytes that came behind the list of what is lent
 * @lent: bytes that are lent with it
 *
 * Return: NULL, or how it breaks the protocol
 */
const char *duct_region_msg_check_xfer(const struct duct_region_xfer *ask, u32 len, u32 lent)
{
	if (len != sizeof(*ask) || !lent)
		return "a transfer of a wrong form";
	if (ask->reserved || ask->peer >= DUCT_REGION_PEERS)
		return "a transfer to a peer that cannot be";
	return NULL;
}

/**
 * duct_region_msg_moved() - what the answer to a transfer says
 * @moved: a private copy; any bytes if @len is another's
 * @len: bytes that came
 * @lent: bytes that were lent
 *
 * Return: bytes moved, no more than @lent; -ENOENT, -ENOBUFS, -ENOMEM, -EIO: why not;
 * -EPROTO: it cannot be
 */
int duct_region_msg_moved(const struct duct_region_moved *moved, u32 len, u32 lent)
{
	if (len != sizeof(*moved))
		return -EPROTO;
	switch (moved->status) {
	case DUCT_REGION_OK:
		return moved->bytes <= lent ? (int)moved->bytes : -EPROTO;
	case DUCT_REGION_NOBODY:
		return -ENOENT;
	case DUCT_REGION_NONE:
		return -ENOBUFS;
	case DUCT_REGION_MEMORY:
		return -ENOMEM;
	default:
		return -EIO;
	}
}
