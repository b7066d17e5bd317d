/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways to break the protocol, by number: what one end writes to the memory that both
 * share. KUnit tries them over the loopback, duct_hostile.ko on real Xen.
 */
#ifndef _DUCT_TESTS_ATTACKS_H
#define _DUCT_TESTS_ATTACKS_H

#include "../core.h"

#define ATTACK_FRONT	1u
#define ATTACK_BACK	2u
#define ATTACK_BOTH	(ATTACK_FRONT | ATTACK_BACK)

/**
 * struct attack - one way
 * @name: of it
 * @from: ATTACK_*: who may try it
 * @why: what sysfs says of the link at the other end; "": nothing; NULL: a channel is
 *       broken, not the link
 * @prod: the index of who writes moves by this, and nothing is written; 0: no
 * @beyond: and by the size of the ring
 * @cons: the same for the index of who reads
 * @frame: of a channel: written as it is, before @bytes of anything
 * @bytes: so many
 * @msg: of a link: said on the control ring; a service without a name is the channel's
 * @len: bytes of @msg; 0: as long as it should be
 * @twice: it is said again
 */
struct attack {
	const char *name;
	u32 from;
	const char *why;
	u32 prod;
	bool beyond;
	u32 cons;
	struct duct_frame frame;
	u32 bytes;
	union duct_ctl msg;
	u32 len;
	bool twice;
};

/* A @why: the other end's answer is none that this one's core expects, and so ends the link. */
#define ATTACK_TURNED "the peer says that this end broke the protocol"

extern const struct attack attacks[];
extern const u32 attacks_n;

/*
 * Makes the attack from this end of @ch, which is up. @data: of attack->bytes at least. The
 * channel's own messages must not be sent meanwhile. [sleep]
 */
void attack_run(const struct attack *attack, struct duct_channel *ch, const void *data);

/* The channel's slot while it is up, else NULL; under RCU, or while nothing can end it. */
struct duct_slot *hostile_slot_of(struct duct_channel *ch);
/* Writes a frame as it is, shows it, and raises the event. */
void hostile_frame(struct duct_slot *slot, const struct duct_frame *frame, const void *payload,
		   u32 bytes);
/* The event for a slot, without anything else. */
void hostile_ring(struct duct_slot *slot);
/* The only legal length of a control message; 0: there is none. */
u32 hostile_control_len(u32 type);
/* A control message from one end's link, @bytes long. */
void hostile_control(struct duct_link *link, const void *msg, u32 bytes);

#endif /* _DUCT_TESTS_ATTACKS_H */
