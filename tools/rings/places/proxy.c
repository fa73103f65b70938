/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket of a running vhu proxy, as its command line or its configuration names it.
 * Other sockets at which a proxy listens must be left alone: a connection to one of them is a
 * front-end's or a back-end's.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rings/places/proxy.h"

/* Let a path of process @pid be one of ours. Returns whether it has room. */
static bool path_of(uint32_t pid, const char *named, char *path, size_t size)
{
	int length = *named == '/' ? snprintf(path, size, "%s", named)
				   : snprintf(path, size, "/proc/%" PRIu32 "/cwd/%s", pid, named);

	return length > 0 && (size_t)length < size;
}

/* Look for the option in a configuration file. @named: gets its argument. Returns whether it is
 * there. */
static bool named_in_file(uint32_t pid, const char *file_name, char *named, size_t size)
{
	char path[PATH_MAX], *line = NULL, *end;
	bool found = false;
	size_t room = 0;
	FILE *file;

	file = path_of(pid, file_name, path, sizeof(path)) ? fopen(path, "re") : NULL;
	if (!file)
		return false;
	while (!found && getline(&line, &room, file) > 0) {
		const char *at = line + strspn(line, " \t");
		const char *value = at + strcspn(at, " \t\r\n");

		found = value - at == (ptrdiff_t)strlen("control") &&
			!strncmp(at, "control", strlen("control"));
		if (found)
			snprintf(named, size, "%s", value + strspn(value, " \t"));
	}
	fclose(file);
	free(line);
	for (end = named + strlen(named); found && end > named && strchr(" \t\r\n", end[-1]);)
		*--end = '\0';
	return found && *named;
}

/* Return the argument of an option in @words, which end at @end, if that option stands there; it
 * may be in the next word. NULL: it is another word, or lacks its argument. */
static const char *argument_of(const char *word, const char *end, const char *option)
{
	const size_t length = strlen(option);

	if (strncmp(word, option, length))
		return NULL;
	if (word[length] == '=')
		return word + length + 1;
	if (word[length])
		return NULL;
	word += length + 1;
	return word < end ? word : NULL;
}

bool vhu_rings_control_by(uint32_t pid, char *path, size_t size)
{
	char from[64], words[16384], named[PATH_MAX] = "";
	const char *end, *word;
	bool is_proxy = false;
	FILE *file;

	snprintf(from, sizeof(from), "/proc/%" PRIu32 "/cmdline", pid);
	file = fopen(from, "re");
	if (!file)
		return false;
	end = words + fread(words, 1, sizeof(words) - 1, file);
	fclose(file);
	words[end - words] = '\0';
	/* What follows -- is another program's. */
	for (word = words; word < end && strcmp(word, "--"); word += strlen(word) + 1) {
		const char *control = argument_of(word, end, "--control");
		const char *config = argument_of(word, end, "--config");

		is_proxy |= !strcmp(word, "proxy");
		if (control)
			snprintf(named, sizeof(named), "%s", control);
		else if (config && !*named)
			named_in_file(pid, config, named, sizeof(named));
	}
	return is_proxy && *named && strcmp(named, "-") && path_of(pid, named, path, size);
}
