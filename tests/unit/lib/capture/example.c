/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The examples in hex that the documentation gives. */
#include "tests/unit/lib/capture/example.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Read the pairs of digits at the start of @line, one space apart. Returns how many there are. */
static size_t read_line(const char *line, uint8_t *to, size_t room)
{
	size_t size = 0;
	char *end;

	while (size < room && *line != ' ') {
		to[size] = (uint8_t)strtoul(line, &end, 16);
		if (end != line + 2)
			break;
		size++;
		if (*end != ' ')
			break;
		line = end + 1;
	}
	return size;
}

size_t read_example(const char *document, const char *name, uint8_t *to, size_t room)
{
	FILE *file = fopen(document, "r");
	char line[256], fence[64];
	bool inside = false;
	size_t size = 0;

	if (!file) {
		perror(document);
		return 0;
	}
	snprintf(fence, sizeof(fence), "```hex %s\n", name);
	while (fgets(line, sizeof(line), file)) {
		if (inside && !strncmp(line, "```", 3))
			break;
		if (inside)
			size += read_line(line, to + size, room - size);
		inside |= !strcmp(line, fence);
	}
	fclose(file);
	return size;
}
