/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processes at the ends of a connection say about it. */
#include "tools/attach/party.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/util.h"
#include "tools/attach/find.h"

/* Bytes of a command line that are looked at. */
#define LINE_MAX_BYTES 65536

/* A process's command line. */
struct line {
	uint32_t pid;
	size_t size;
	char word[LINE_MAX_BYTES + 1]; /* each ends with a NUL */
};

/* Read a file of a process. Returns its size, with a NUL behind; 0 if it cannot be read. */
static size_t read_file(uint32_t pid, const char *name, char *to, size_t room)
{
	char path[64];
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	size = fread(to, 1, room - 1, file);
	fclose(file);
	to[size] = '\0';
	return size;
}

/* Read a command line. Returns NULL if it cannot be read; the caller frees it. */
static struct line *line_read(uint32_t pid)
{
	struct line *line = malloc(sizeof(*line));

	if (!line)
		return NULL;
	line->pid = pid;
	line->size = read_file(pid, "cmdline", line->word, sizeof(line->word));
	if (line->size)
		return line;
	free(line);
	return NULL;
}

/* Return the word after @word; NULL at the end. */
static const char *next_word(const struct line *line, const char *word)
{
	word += strlen(word) + 1;
	return word < line->word + line->size ? word : NULL;
}

/* Copy the value of @key from "x,key=value,y". Returns whether there is one that fits. */
static bool value_of(const char *word, const char *key, char *to, size_t room)
{
	const size_t length = strlen(key);

	for (const char *at = word; (at = strstr(at, key)); at++) {
		size_t size;

		if ((at != word && at[-1] != ',') || at[length] != '=')
			continue;
		size = strcspn(at + length + 1, ",");
		if (size >= room)
			return false;
		memcpy(to, at + length + 1, size);
		to[size] = '\0';
		return true;
	}
	return false;
}

/* Return whether a path of a process is a socket's. */
static bool is_path(uint32_t pid, const char *path, const struct vhu_attach_listed *socket)
{
	char seen[VHU_ATTACH_PATH_MAX + 64];

	snprintf(seen, sizeof(seen), "/proc/%" PRIu32 "/%s/%s", pid, *path == '/' ? "root" : "cwd",
		 path);
	return *path && vhu_attach_is_at(socket, seen);
}

/* Return whether a word has a path that is a socket's, as a value of its own or behind a key. */
static bool has_path(const struct line *line, const char *word,
		     const struct vhu_attach_listed *socket)
{
	static const char *const key[] = {"path", "socket", "vhost_socket"};
	char path[VHU_ATTACH_PATH_MAX + 2];

	for (unsigned i = 0; i < sizeof(key) / sizeof(*key); i++)
		if (value_of(word, key[i], path, sizeof(path)) && is_path(line->pid, path, socket))
			return true;
	return false;
}

/* Copy the name of a device from "vhost-user-NAME-pci,..." or "NAME,...". Returns true. */
static bool name_device(const char *word, char device[VHU_PARTY_DEVICE_MAX])
{
	static const char prefix[] = "vhost-user-";
	size_t size;

	if (!strncmp(word, prefix, sizeof(prefix) - 1))
		word += sizeof(prefix) - 1;
	size = strcspn(word, ",-= ");
	if (size >= VHU_PARTY_DEVICE_MAX)
		size = VHU_PARTY_DEVICE_MAX - 1;
	memcpy(device, word, size);
	device[size] = '\0';
	return true;
}

/* Find the device of QEMU that uses a chardev. Returns whether there is one. */
static bool by_chardev(const struct line *line, const char *id, char device[VHU_PARTY_DEVICE_MAX])
{
	char used[64];

	for (const char *word = line->word; word; word = next_word(line, word)) {
		if (!value_of(word, "chardev", used, sizeof(used)) || strcmp(used, id))
			continue;
		/* Of a network card the back-end has the chardev. */
		if (!strncmp(word, "vhost-user,", 11) || strstr(word, "type=vhost-user,"))
			return name_device("net", device);
		if (!strncmp(word, "vhost-user-", 11))
			return name_device(word, device);
	}
	return false;
}

/* Guess a device by the words of a VMM. */
static bool by_vmm(const struct line *line, const struct vhu_attach_listed *socket,
		   char device[VHU_PARTY_DEVICE_MAX])
{
	const char *before = line->word;
	char id[64];

	for (const char *word = line->word; word; before = word, word = next_word(line, word)) {
		if (!has_path(line, word, socket))
			continue;
		if (!strcmp(before, "-chardev") || !strcmp(before, "--chardev"))
			return value_of(word, "id", id, sizeof(id)) && by_chardev(line, id, device);
		/* crosvm: --vhost-user type=NAME,socket=PATH; cloud-hypervisor: --NAME socket=PATH
		 */
		if (value_of(word, "type", id, sizeof(id)))
			return name_device(id, device);
		if (!strncmp(before, "--", 2))
			return name_device(before + 2, device);
	}
	return false;
}

/* Guess a device by the option --device. */
static bool by_option(const struct line *line, char device[VHU_PARTY_DEVICE_MAX])
{
	static const char option[] = "--device";

	for (const char *word = line->word; word; word = next_word(line, word)) {
		const char *name;

		if (strncmp(word, option, sizeof(option) - 1))
			continue;
		name =
		    word[sizeof(option) - 1] == '=' ? word + sizeof(option) : next_word(line, word);
		return name && name_device(name, device);
	}
	return false;
}

/* Return whether an option of QEMU names what a socket is for, and that is not vhost-user. */
static bool is_other_option(const char *word)
{
	static const char *const option[] = {"-qmp", "-qmp-pretty", "-qtest", "-monitor",
					     "-mon", "-serial",     "-gdb",   "-parallel"};

	if (!strncmp(word, "--", 2))
		word++;
	for (unsigned i = 0; i < sizeof(option) / sizeof(*option); i++)
		if (!strcmp(word, option[i]))
			return true;
	return false;
}

/* Return whether a word is "unix:PATH,..." of a socket. */
static bool is_unix(const struct line *line, const char *word,
		    const struct vhu_attach_listed *socket)
{
	char path[VHU_ATTACH_PATH_MAX + 2];

	if (strncmp(word, "unix:", strlen("unix:")) != 0)
		return false;
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(word + 5, ","), word + 5);
	return is_path(line->pid, path, socket);
}

/* Return whether a word is or names the chardev @id: "ID,...", "chardev:ID", "x,chardev=ID". */
static bool is_chardev(const char *word, const char *id)
{
	char used[64];

	if (value_of(word, "chardev", used, sizeof(used)))
		return !strcmp(used, id);
	if (!strncmp(word, "chardev:", strlen("chardev:")))
		word += strlen("chardev:");
	return strcspn(word, ",") == strlen(id) && !strncmp(word, id, strlen(id));
}

/* Find the option that uses a socket, or its chardev @id ("": none), for something else. Returns
 * it; NULL: there is none. */
static const char *other_option(const struct line *line, const char *id,
				const struct vhu_attach_listed *socket)
{
	for (const char *word = line->word, *before = word; word;
	     before = word, word = next_word(line, word))
		if (word != before && is_other_option(before) &&
		    (is_unix(line, word, socket) || (*id && is_chardev(word, id))))
			return before;
	return NULL;
}

bool vhu_party_other_use(uint32_t front, uint32_t back, const struct vhu_attach_listed *socket,
			 char use[VHU_PARTY_DEVICE_MAX])
{
	const uint32_t pid[2] = {front, back};
	bool found = false;

	for (unsigned i = 0; i < 2 && !found; i++) {
		struct line *line = line_read(pid[i]);
		const char *option;
		char id[64] = "";

		for (const char *word = line ? line->word : NULL; word && !*id;
		     word = next_word(line, word))
			if (has_path(line, word, socket) && !value_of(word, "id", id, sizeof(id)))
				*id = '\0';
		option = line ? other_option(line, id, socket) : NULL;
		found = option;
		if (found)
			snprintf(use, VHU_PARTY_DEVICE_MAX, "%.*s", VHU_PARTY_DEVICE_MAX - 1,
				 option);
		free(line);
	}
	return found;
}

bool vhu_party_device(uint32_t front, uint32_t back, const struct vhu_attach_listed *socket,
		      char device[VHU_PARTY_DEVICE_MAX])
{
	struct line *line[2] = {line_read(front), line_read(back)};
	bool found = (line[0] && by_vmm(line[0], socket, device)) ||
		     (line[0] && by_option(line[0], device)) ||
		     (line[1] && by_option(line[1], device));

	free(line[0]);
	free(line[1]);
	return found && *device;
}
