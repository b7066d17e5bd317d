// SPDX-License-Identifier: GPL-2.0
/* See resume.h; the rule is in Documentation/protocol.rst, "Resuming". */
#include "resume.h"

/**
 * duct_keep_begin() - a new run of the channel
 * @keep: ours; @keep->tx is there
 * @cookie: not 0
 * @tx_start: where the indexes of the ring that is written here begin
 * @rx_start: of the other
 */
void duct_keep_begin(struct duct_keep *keep, u64 cookie, u32 tx_start, u32 rx_start)
{
	keep->cookie = cookie;
	keep->sent = tx_start;
	keep->kept = tx_start;
	keep->taken = rx_start;
	keep->skip = 0;
}

/**
 * duct_keep_point() - what to tell the peer of a run that is parked
 * @keep: ours
 * @point: filled in; all zero if there is none
 */
void duct_keep_point(const struct duct_keep *keep, struct duct_ctl_point *point)
{
	*point = (struct duct_ctl_point){};
	if (!keep->cookie)
		return;
	point->cookie = keep->cookie;
	point->sent = keep->sent;
	point->kept = keep->kept;
	point->taken = keep->taken;
}

/* What @to has not taken, @from can write again; and no more was taken than was sent. */
static bool duct_resume_covers(const struct duct_ctl_point *from, const struct duct_ctl_point *to)
{
	return from->kept <= to->taken && to->taken <= from->sent;
}

/**
 * duct_resume_fits() - whether two ends can go on where they are
 * @a: one end's, well formed
 * @b: the other's
 *
 * Not if one of them is older than the other knows: a checkpoint that is stale, or an
 * image that was restored twice.
 *
 * Return: true if so; both ends find the same
 */
bool duct_resume_fits(const struct duct_ctl_point *a, const struct duct_ctl_point *b)
{
	return a->cookie && a->cookie == b->cookie && duct_resume_covers(a, b) &&
	       duct_resume_covers(b, a);
}

/**
 * duct_keep_agree() - frontend: go on where both ends are
 * @keep: ours, of a run that is parked
 * @peer: the backend's point, well formed
 * @bound: its rings' sizes are filled in; the rest of it here
 *
 * Return: false if they cannot; @bound has our point then, and no more
 */
bool duct_keep_agree(const struct duct_keep *keep, const struct duct_ctl_point *peer,
		     struct duct_ctl_bound *bound)
{
	duct_keep_point(keep, &bound->point);
	if (!duct_resume_fits(&bound->point, peer) || keep->tx_bytes != bound->to_back.bytes ||
	    keep->rx_bytes != bound->to_front.bytes)
		return false;
	bound->flags |= DUCT_WISH_RESUMED;
	bound->to_back.start = peer->taken;
	bound->to_front.start = keep->taken;
	return true;
}

/**
 * duct_keep_follows() - backend: whether the frontend goes on where both ends are
 * @keep: ours, of a run that is parked
 * @bound: well formed, RESUMED
 *
 * Return: true if so
 */
bool duct_keep_follows(const struct duct_keep *keep, const struct duct_ctl_bound *bound)
{
	struct duct_ctl_point own;

	duct_keep_point(keep, &own);
	return duct_resume_fits(&own, &bound->point) && keep->tx_bytes == bound->to_front.bytes &&
	       keep->rx_bytes == bound->to_back.bytes &&
	       bound->to_front.start == (u32)bound->point.taken &&
	       bound->to_back.start == (u32)keep->taken;
}
