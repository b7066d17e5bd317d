/* SPDX-License-Identifier: GPL-2.0-only */
/* What this machine's kernel says about a link. */
#ifndef DUCTCTL_SYSFS_H
#define DUCTCTL_SYSFS_H

#include <json-c/json.h>
#include <stdbool.h>

/*
 * The ends of the link that are here: none, one, or two on loopback. Array of
 * { device, attributes {}, devices [ { device, driver, attributes {},
 *   channels [ { channel, attributes {} } ] } ] }
 * with every regular file that holds one value; @numbers: only those that hold
 * a number. "channel" is a number, or text for what has a name: "event3".
 * Empty when the link is not here, or @uuid is NULL.
 */
struct json_object *sysfs_link(const char *uuid, bool numbers);

/* Where it looks. */
const char *sysfs_devices(void);

#endif /* DUCTCTL_SYSFS_H */
