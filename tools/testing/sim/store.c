// SPDX-License-Identifier: GPL-2.0
/*
 * xenstore: nodes, transactions that fail when what they read has changed, and watches,
 * whose events each domain's xenwatch thread gives out one by one.
 */
#include "sim.h"

#define NODES		224
#define PATH		SIM_PATH
#define VALUE		80
#define NODES_OF_END	32	/* of a link: what each end may have in xenstored */
#define TRANSACTIONS	10	/* xenstored's own limit for a domain */
#define TOUCHED		48
#define CHANGES		96
#define MISSED		96

struct node {
	char path[PATH];
	char value[VALUE];
};

struct tree {
	struct node node[NODES];
	int n;
};

/**
 * struct tx - a transaction: a copy of all, and what was done to it
 * @touched: paths that it read, wrote or listed
 * @change: paths that it wrote, or removed: '-' before them
 * @missed: paths that others have changed since it began
 * @stale: one of these is one of @touched, or concerns it
 */
struct tx {
	bool used;
	u32 domain;
	struct tree tree;
	char touched[TOUCHED][PATH];
	int touched_n;
	char change[CHANGES][PATH + 1];
	int change_n;
	char missed[MISSED][PATH];
	int missed_n;
	bool stale;
};

static struct tree tree;
static struct tx txs[TRANSACTIONS];

void sim_store_reset(void)
{
	int i;

	tree.n = 0;
	for (i = 0; i < TRANSACTIONS; i++)
		txs[i].used = false;
}

/* Whether @path is @dir or below it. */
static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/');
}

static struct node *find(struct tree *t, const char *path)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (!strcmp(t->node[i].path, path))
			return &t->node[i];
	return NULL;
}

/* A link's directory in one domain, and what is said there of errors. */
static void check_end(const char *path)
{
	unsigned int domain, guest, i, nodes = 0;
	char dir[PATH], error[PATH];
	int n = 0;

	if ((sscanf(path, "/local/domain/%u/device/duct/0%n", &domain, &n) != 1 || !n) &&
	    (sscanf(path, "/local/domain/%u/backend/duct/%u/0%n", &domain, &guest, &n) != 2 || !n))
		return;
	snprintf(dir, sizeof(dir), "%.*s", n, path);
	snprintf(error, sizeof(error), "/local/domain/%u/error%s", domain,
		 strchr(dir + strlen("/local/domain/"), '/'));
	for (i = 0; i < (unsigned int)tree.n; i++)
		nodes += is_below(tree.node[i].path, dir) || is_below(tree.node[i].path, error);
	if (nodes > NODES_OF_END)
		sim_fail("%u nodes in %s", nodes, dir);
}

static void set_in(struct tree *t, const char *path, const char *value)
{
	struct node *node = find(t, path);
	char above[PATH];
	char *end;

	if (!node) {
		if (t->n == NODES)
			sim_fail("more nodes than there are");
		strscpy(above, path, sizeof(above));
		end = strrchr(above, '/');
		if (end && end != above) {
			*end = '\0';
			if (!find(t, above))
				set_in(t, above, "");
		}
		node = &t->node[t->n++];
		strscpy(node->path, path, sizeof(node->path));
		if (t == &tree)
			check_end(path);
	}
	strscpy(node->value, value, sizeof(node->value));
}

static bool rm_in(struct tree *t, const char *path)
{
	int i, kept = 0;
	bool removed;

	for (i = 0; i < t->n; i++)
		if (!is_below(t->node[i].path, path)) {
			if (i != kept)
				t->node[kept] = t->node[i];
			kept++;
		}
	removed = kept != t->n;
	t->n = kept;
	return removed;
}

static struct tx *tx_of(u32 id)
{
	if (!id)
		return NULL;
	if (id > TRANSACTIONS || !txs[id - 1].used || txs[id - 1].domain != sim_domain_now())
		sim_fail("transaction %u is used, and is none", id);
	return &txs[id - 1];
}

/* A directory changes with what comes and goes in it. */
static bool concerns(const char *looked_at, const char *changed)
{
	return is_below(looked_at, changed) || is_below(changed, looked_at);
}

static void touch(struct tx *tx, const char *path)
{
	int i;

	for (i = 0; i < tx->touched_n; i++)
		if (!strcmp(tx->touched[i], path))
			return;
	for (i = 0; i < tx->missed_n; i++)
		if (concerns(path, tx->missed[i]))
			tx->stale = true;
	if (tx->touched_n == TOUCHED)
		tx->stale = true;
	else
		strscpy(tx->touched[tx->touched_n++], path, PATH);
}

/* Others that looked at it, or will, have to begin again. */
static void changed(const char *path, const struct tx *by)
{
	int i, k;

	for (i = 0; i < TRANSACTIONS; i++) {
		struct tx *tx = &txs[i];

		if (!tx->used || tx == by)
			continue;
		for (k = 0; k < tx->touched_n && !tx->stale; k++)
			tx->stale = concerns(tx->touched[k], path);
		if (tx->missed_n == MISSED)
			tx->stale = true;
		else
			strscpy(tx->missed[tx->missed_n++], path, PATH);
	}
}

/* ---- one node ---- */

const char *sim_node_read(u32 id, const char *path)
{
	struct tx *tx = tx_of(id);
	struct node *node = find(tx ? &tx->tree : &tree, path);

	if (tx)
		touch(tx, path);
	return node ? node->value : NULL;
}

static void note(struct tx *tx, char kind, const char *path)
{
	touch(tx, path);
	if (tx->change_n == CHANGES)
		sim_fail("too many changes in a transaction");
	tx->change[tx->change_n][0] = kind;
	strscpy(tx->change[tx->change_n++] + 1, path, PATH);
}

int sim_node_write(u32 id, const char *path, const char *value)
{
	struct tx *tx = tx_of(id);

	set_in(tx ? &tx->tree : &tree, path, value);
	if (tx) {
		note(tx, '+', path);
		return 0;
	}
	changed(path, NULL);
	sim_trace("store: %s = \"%s\"", path, value);
	sim_watch_fire(path, false);
	return 0;
}

int sim_node_rm(u32 id, const char *path)
{
	struct tx *tx = tx_of(id);

	if (!rm_in(tx ? &tx->tree : &tree, path))
		return -ENOENT;
	if (tx) {
		note(tx, '-', path);
		return 0;
	}
	changed(path, NULL);
	sim_trace("store: %s is removed", path);
	sim_watch_fire(path, true);
	return 0;
}

int sim_node_list(u32 id, const char *path, char names[][64], int most)
{
	struct tx *tx = tx_of(id);
	struct tree *t = tx ? &tx->tree : &tree;
	size_t len = strlen(path);
	int i, n = 0;

	if (tx)
		touch(tx, path);
	if (!find(t, path))
		return -ENOENT;
	for (i = 0; i < t->n && n < most; i++) {
		const char *below = t->node[i].path;

		if (!strncmp(below, path, len) && below[len] == '/' && !strchr(below + len + 1, '/'))
			strscpy(names[n++], below + len + 1, 64);
	}
	return n;
}

/* ---- transactions ---- */

u32 sim_tx_start(void)
{
	int i;

	for (i = 0; i < TRANSACTIONS; i++)
		if (!txs[i].used)
			break;
	if (i == TRANSACTIONS)
		return 0;
	txs[i].used = true;
	txs[i].domain = sim_domain_now();
	txs[i].tree.n = tree.n;
	memcpy(txs[i].tree.node, tree.node, tree.n * sizeof(tree.node[0]));
	txs[i].touched_n = 0;
	txs[i].change_n = 0;
	txs[i].missed_n = 0;
	txs[i].stale = false;
	return i + 1;
}

static void commit_one(struct tx *tx, const char *change)
{
	const char *path = change + 1;
	struct node *node = find(&tx->tree, path);

	if (*change == '-') {
		/* Written again later: the last one counts, and its own entry follows. */
		if (!rm_in(&tree, path))
			return;
	} else if (node) {
		set_in(&tree, path, node->value);
	} else {
		return;
	}
	changed(path, tx);
	sim_trace("store: %s %s%s%s", path, *change == '-' ? "is removed" : "= \"",
		  *change == '-' ? "" : node->value, *change == '-' ? "" : "\"");
}

int sim_tx_end(u32 id, bool abort)
{
	struct tx *tx = tx_of(id);
	int i;

	if (!abort && (tx->stale || (tx->domain != SIM_TOOLS && sim_one_in(16)))) {
		tx->used = false;
		return -EAGAIN;
	}
	for (i = 0; !abort && i < tx->change_n; i++)
		commit_one(tx, tx->change[i]);
	for (i = 0; !abort && i < tx->change_n; i++)
		sim_watch_fire(tx->change[i] + 1, tx->change[i][0] == '-');
	tx->used = false;
	return 0;
}

void sim_store_kill(u32 domain)
{
	int i;

	for (i = 0; i < TRANSACTIONS; i++)
		if (txs[i].used && txs[i].domain == domain)
			txs[i].used = false;
}

void sim_store_ledger(u32 domain)
{
	int i;

	for (i = 0; i < TRANSACTIONS; i++)
		if (txs[i].used && txs[i].domain == domain)
			sim_fail("a transaction is left open");
}

void sim_nodes_ledger(void)
{
	const char *link;
	int i;

	for (i = 0; i < tree.n; i++) {
		link = strstr(tree.node[i].path, "/duct/");
		if (link && strstr(link, "/0"))
			sim_fail("%s is left", tree.node[i].path);
	}
}
