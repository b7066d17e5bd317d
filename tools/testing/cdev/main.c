// SPDX-License-Identifier: GPL-2.0-only
/*
 * cdev_test both LEFT RIGHT LEFT2 RIGHT2   both ends are here: files of two services
 * cdev_test serve PATH                     for the other end's client, until killed
 * cdev_test client PATH [ID]               with a server at the other end; as that user
 *                                          and group, and nobody else
 * cdev_test life PATH                      the life of one file: says lines, see life.c
 */
#define _GNU_SOURCE
#include "kit.h"

#include <grp.h>

int life(const char *path);

int main(int argc, char **argv)
{
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 2; i < argc && i < 6; i++)
		end_path[i - 2] = argv[i];
	if (argc == 6 && !strcmp(argv[1], "both")) {
		puts("KTAP version 1");
		kit_run(channel_tests);
		kit_run(many_tests);
		kit_run(stream_tests);
		kit_run(call_tests);
		kit_run(region_tests);
		kit_run(event_tests);
		kit_run(input_tests);
		kit_run(life_tests);
		return kit_finish();
	}
	if (argc >= 3 && !strcmp(argv[1], "client")) {
		if (argc == 4 && (setgroups(0, NULL) || setgid(atoi(argv[3])) ||
				  setuid(atoi(argv[3]))))
			return 1;
		puts("KTAP version 1");
		kit_run(client_tests);
		return kit_finish();
	}
	if (argc == 3 && !strcmp(argv[1], "serve"))
		kit_serve(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "life"))
		return life(argv[2]);
	fprintf(stderr, "usage: see main.c\n");
	return 2;
}
