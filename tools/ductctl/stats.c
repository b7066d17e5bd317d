// SPDX-License-Identifier: GPL-2.0-only
/* ductctl stats: every number that this machine's kernel counts for a link. */
#include <stdlib.h>

#include "link.h"
#include "output.h"
#include "sysfs.h"
#include "text.h"

int cmd_stats(struct ductctl *d)
{
	struct json_object *tree, *ends;
	struct link l;
	char *uuid, *label;
	int ret;

	ret = link_find_present(d, &l);
	if (ret)
		return ret;
	uuid = store_read(&d->store, "%s/uuid", l.back.dir);
	ends = sysfs_link(uuid, true);
	if (!json_object_array_length(ends)) {
		label = link_label(&d->store, &l);
		ret = fail("this machine has no end of %s: no device below %s has the uuid %s",
			   label, sysfs_devices(), uuid ? uuid : "of this link, which has none");
		free(label);
		free(uuid);
		json_object_put(ends);
		return ret;
	}
	tree = link_tree(&d->store, &l);
	json_object_object_add(tree, "local", ends);
	free(uuid);
	output_tree(&d->opt, tree);
	return EXIT_OK;
}
