// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for a link to connect, and saying why it did not. */
#include <stdio.h>
#include <stdlib.h>

#include "attach.h"
#include "domain.h"
#include "text.h"

/* "; the backend says: 22 wrong version", or nothing */
static char *said(struct store *s, const struct link_end *end, const char *who)
{
	char *error = link_error(s, end);
	char *text = error ? text_format("; the %s says: %s", who, error) : text_copy("");

	free(error);
	return text;
}

static char *version_mismatch(struct store *s, const struct link *l)
{
	unsigned long version, min, max;

	if (!store_number(s, &version, "%s/version", l->front.dir) ||
	    !store_number(s, &min, "%s/min-version", l->back.dir) ||
	    !store_number(s, &max, "%s/max-version", l->back.dir) ||
	    (version >= min && version <= max))
		return NULL;
	return text_format("version mismatch: the frontend chose %lu, the backend speaks %lu to %lu",
			   version, min, max);
}

static bool is_closed(int state)
{
	return state == LINK_CLOSING || state == LINK_CLOSED;
}

/* What cannot get better by waiting; NULL if it still may. To be freed. */
static char *final_reason(struct store *s, const struct link *l)
{
	bool front = is_closed(l->front.state), back = is_closed(l->back.state);
	char *reason;

	if (l->front.state == LINK_NO_STATE)
		return text_format("the frontend's directory is gone: domain %u was destroyed or has removed it",
				   l->front.domid);
	if (l->back.state == LINK_NO_STATE)
		return text_format("the backend's directory is gone: domain %u was destroyed or has removed it",
				   l->back.domid);
	if (!front && !back)
		return NULL;
	reason = version_mismatch(s, l);
	if (reason)
		return reason;
	return text_format("refused or closed by %s (frontend %s, backend %s)",
			   front && back ? "both ends" : front ? "the frontend" : "the backend",
			   link_state(l->front.state), link_state(l->back.state));
}

/* Why nothing more happens, after the time is over. To be freed. */
static char *silent_reason(struct store *s, const struct link *l)
{
	char *back_error = link_error(s, &l->back), *front_error = link_error(s, &l->front);
	char *front = domain_label(s, l->front.domid);
	char *back = domain_label(s, l->back.domid);
	unsigned long number;
	char *reason = NULL;

	/* The frontend cannot start before the backend has: ask for that first. */
	if (l->back.state == LINK_INITIALISING && !back_error &&
	    !store_number(s, &number, "%s/max-version", l->back.dir))
		reason = text_format("the backend module (xen_duct_back) is not loaded in %s",
				     back);
	else if (l->front.state == LINK_INITIALISING && !front_error &&
		 !store_number(s, &number, "%s/version", l->front.dir))
		reason = text_format("the frontend module (xen_duct_front) is not loaded in %s, or that domain is paused",
				     front);
	if (!reason)
		reason = version_mismatch(s, l);
	if (!reason)
		reason = text_format("the handshake stopped (frontend %s, backend %s)",
				     link_state(l->front.state), link_state(l->back.state));
	free(back);
	free(front);
	free(front_error);
	free(back_error);
	return reason;
}

static int not_connected(struct store *s, const struct link *l, const char *when, char *reason)
{
	char *front = said(s, &l->front, "frontend");
	char *back = said(s, &l->back, "backend");
	char *label = link_label(s, l);
	int ret;

	ret = fail("%s is attached but not connected%s: %s%s%s", label, when, reason, front,
		   back);
	free(label);
	free(back);
	free(front);
	free(reason);
	return ret;
}

int attach_wait(struct store *s, struct link *l, unsigned int seconds)
{
	int64_t deadline = store_now() + (int64_t)seconds * 1000;
	enum store_event event;
	char when[32], *reason;

	if (store_watch(s, "%s/state", l->front.dir) ||
	    store_watch(s, "%s/state", l->back.dir))
		return EXIT_FAILED;
	do {
		link_read(s, l);
		if (l->front.state == LINK_CONNECTED && l->back.state == LINK_CONNECTED)
			return EXIT_OK;
		reason = final_reason(s, l);
		if (reason)
			return not_connected(s, l, "", reason);
		event = store_wait(s, deadline);
		/* A guest that writes without end must not keep us here. */
		if (event == STORE_CHANGED && store_now() >= deadline)
			event = STORE_TIMEOUT;
	} while (event == STORE_CHANGED);
	if (event != STORE_TIMEOUT)
		return EXIT_FAILED;
	link_read(s, l);
	snprintf(when, sizeof(when), " after %u s", seconds);
	return not_connected(s, l, when, silent_reason(s, l));
}
