// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the table of the handshake for graphviz: a graph for each side, its
 * own states as nodes; an edge says which states of the peer lead along it,
 * and what is done.
 */
#include <stdio.h>

#include "state.h"

static bool same(struct duct_step a, struct duct_step b)
{
	return a.action == b.action && a.next == b.next;
}

/* The peer's states with one outcome share an edge. */
static void print_edge(unsigned int side, const char *name, unsigned int ours, unsigned int first)
{
	struct duct_step step = duct_state_step(side, ours, first);
	const char *color = step.action == duct_action_bad ? "red" :
			    step.action == duct_action_none && step.next == ours ? "gray" : "black";
	unsigned int peer;

	printf("\t\t%s_%s -> %s_%s [color=%s, fontcolor=%s, label=\"", name, duct_state_name(ours),
	       name, duct_state_name(step.next), color, color);
	for (peer = first; peer < DUCT_STATES; peer++)
		if (same(step, duct_state_step(side, ours, peer)))
			printf("%s%s", peer == first ? "" : ",\\n", duct_state_name(peer));
	printf(" /\\n%s\"];\n", duct_action_name(step.action));
}

static void print_side(unsigned int side, const char *name, const char *label)
{
	bool entered[DUCT_STATES] = { [duct_state_initialising] = true };
	unsigned int ours, peer, earlier, round;

	for (round = 0; round < DUCT_STATES; round++)
		for (ours = 0; ours < DUCT_STATES; ours++)
			for (peer = 0; entered[ours] && peer < DUCT_STATES; peer++)
				entered[duct_state_step(side, ours, peer).next] = true;

	printf("\tsubgraph cluster_%s {\n\t\tlabel=\"%s\";\n", name, label);
	for (ours = 0; ours < DUCT_STATES; ours++)
		if (entered[ours])
			printf("\t\t%s_%s [label=\"%s\"];\n", name, duct_state_name(ours),
			       duct_state_name(ours));
	for (ours = 0; ours < DUCT_STATES; ours++)
		for (peer = 0; entered[ours] && peer < DUCT_STATES; peer++) {
			struct duct_step step = duct_state_step(side, ours, peer);

			for (earlier = 0; earlier < peer; earlier++)
				if (same(step, duct_state_step(side, ours, earlier)))
					break;
			if (earlier == peer)
				print_edge(side, name, ours, peer);
		}
	printf("\t}\n");
}

int main(void)
{
	printf("/* Generated from drivers/xen/duct/state.c: make handshake.dot */\n");
	printf("digraph handshake {\n");
	printf("\tnode [shape=box, style=rounded, fontname=sans];\n");
	printf("\tedge [fontname=sans, fontsize=9];\n");
	print_side(duct_side_front, "front", "frontend");
	print_side(duct_side_back, "back", "backend");
	printf("}\n");
	return 0;
}
