/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a running vhu proxy records, as its command line or its configuration says.
 * Other sockets than its control socket must be left alone: a connection to one of them is a
 * front-end's or a back-end's.
 */
#include "tools/rings/process/proxy.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tools/rings/process/peers.h"

/* Bytes of a command line that are looked at. */
#define WORDS_MAX  16384
/* Bytes that a configuration file may have. */
#define CONFIG_MAX (1 << 20)

/* What a command line or a configuration names, as it stands there. */
struct vhu_rings_proxy_words {
	char control[PATH_MAX], file[PATH_MAX];
	bool flight;
};

/* Let a path of process @pid be one of ours. Returns whether it has room. */
static bool path_of(uint32_t pid, const char *named, char *path, size_t size)
{
	int length = *named == '/' ? snprintf(path, size, "%s", named)
				   : snprintf(path, size, "/proc/%" PRIu32 "/cwd/%s", pid, named);

	return length > 0 && (size_t)length < size;
}

/*
 * Open a configuration file that process @pid names. Only a plain file is opened, since that of
 * anything else, such as a pipe, may wait without end. Returns NULL without.
 */
static FILE *open_config(uint32_t pid, const char *file_name)
{
	char path[PATH_MAX];
	struct stat file;
	FILE *config = NULL;
	int fd = -1;

	if (path_of(pid, file_name, path, sizeof(path)))
		fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &file) && S_ISREG(file.st_mode) && file.st_size <= CONFIG_MAX) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		config = fopen(path, "re");
	}
	if (fd >= 0)
		close(fd);
	return config;
}

/* Take a line of a configuration file. It ends with its NUL. */
static void take_line(struct vhu_rings_proxy_words *named, char *line)
{
	char *word = line + strspn(line, " \t"), *value = word + strcspn(word, " \t\r\n"), *end;

	if (*value)
		*value++ = '\0';
	value += strspn(value, " \t");
	for (end = value + strlen(value); end > value && strchr(" \t\r\n", end[-1]);)
		*--end = '\0';
	if (!strcmp(word, "control") && !*named->control)
		snprintf(named->control, sizeof(named->control), "%s", value);
	else if ((!strcmp(word, "write") || !strcmp(word, "w")) && !*named->file)
		snprintf(named->file, sizeof(named->file), "%s", value);
	else if (!strcmp(word, "flight-recorder"))
		named->flight = true;
}

/* Take what a configuration file names, but for what the command line does. */
static void take_config(struct vhu_rings_proxy_words *named, uint32_t pid, const char *file_name)
{
	FILE *file = open_config(pid, file_name);
	char *line = NULL;
	size_t room = 0;

	if (!file)
		return;
	while (getline(&line, &room, file) > 0)
		take_line(named, line);
	fclose(file);
	free(line);
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

/* Return the argument of -w, which may follow flags: "-w FILE", "-qwFILE"; NULL: another word. */
static const char *file_of(const char *word, const char *end)
{
	const size_t flags = *word == '-' ? strspn(word + 1, "qv") : 0;
	const char *argument = argument_of(word, end, "--write");

	if (argument || word[0] != '-' || word[1 + flags] != 'w')
		return argument;
	word += flags + 2;
	if (!*word)
		word++;
	return word < end ? word : NULL;
}

/* Return whether a word is the path of vhu. */
static bool is_vhu(const char *word)
{
	const char *slash = strrchr(word, '/');

	return !strncmp(slash ? slash + 1 : word, "vhu", strlen("vhu"));
}

/* Take what a command line names. Returns whether it is that of a vhu proxy. */
static bool take_words(struct vhu_rings_proxy_words *named, uint32_t pid, const char *words,
		       const char *end)
{
	static const char flight[] = "--flight-recorder";
	const char *config = NULL, *before = "";
	bool is_proxy = false;

	/* What follows -- is another program's. */
	for (const char *word = words; word < end && strcmp(word, "--"); word += strlen(word) + 1) {
		const char *control = argument_of(word, end, "--control");
		const char *file = file_of(word, end);

		is_proxy |= !strcmp(word, "proxy") && is_vhu(before);
		before = word;
		if (control)
			snprintf(named->control, sizeof(named->control), "%s", control);
		else if (file)
			snprintf(named->file, sizeof(named->file), "%s", file);
		else if (!strncmp(word, flight, strlen(flight)))
			named->flight = true;
		else if (argument_of(word, end, "--config"))
			config = argument_of(word, end, "--config");
	}
	if (is_proxy && config)
		take_config(named, pid, config);
	return is_proxy;
}

/* Read a file of a process in /proc. Returns its size, without the NUL behind it. */
static size_t read_of(uint32_t pid, const char *name, char *to, size_t room)
{
	char from[64];
	size_t size = 0;
	FILE *file;

	snprintf(from, sizeof(from), "/proc/%" PRIu32 "/%s", pid, name);
	file = fopen(from, "re");
	if (file) {
		size = fread(to, 1, room - 1, file);
		fclose(file);
	}
	to[size] = '\0';
	return size;
}

/*
 * Read the command line of a vhu: words that each end with a NUL. Returns its size; 0: another
 * process, whose name is read first. To read the command line of a process that hangs in the
 * kernel may take as long as that does.
 */
static size_t read_words(uint32_t pid, char *words, size_t room)
{
	char name[32];

	read_of(pid, "comm", name, sizeof(name));
	return is_vhu(name) ? read_of(pid, "cmdline", words, room) : 0;
}

/* Make out what a command line says. Returns whether it is that of a vhu proxy. */
static bool take_proxy(uint32_t pid, const char *words, size_t size, struct vhu_rings_proxy *proxy)
{
	struct vhu_rings_proxy_words named = {0};

	*proxy = (struct vhu_rings_proxy){.pid = pid};
	if (!take_words(&named, pid, words, words + size))
		return false;
	proxy->flight = named.flight;
	if (*named.control && strcmp(named.control, "-") != 0 &&
	    !path_of(pid, named.control, proxy->control, sizeof(proxy->control)))
		*proxy->control = '\0';
	if (*named.file && strcmp(named.file, "-") != 0 &&
	    !path_of(pid, named.file, proxy->file, sizeof(proxy->file)))
		*proxy->file = '\0';
	return true;
}

bool vhu_rings_proxy_read(uint32_t pid, struct vhu_rings_proxy *proxy)
{
	char words[WORDS_MAX];
	const size_t size = read_words(pid, words, sizeof(words));

	return take_proxy(pid, words, size, proxy);
}

/* Return whether a word is the path of a socket, perhaps behind "listen:" or "connect:". */
static bool is_socket(uint32_t pid, const char *word, const struct stat *socket)
{
	const char *colon = strchr(word, ':');
	char path[PATH_MAX];
	struct stat file;

	if (colon && (!strncmp(word, "listen:", 7) || !strncmp(word, "connect:", 8)))
		word = colon + 1;
	return *word && *word != '-' && path_of(pid, word, path, sizeof(path)) &&
	       !stat(path, &file) && file.st_dev == socket->st_dev && file.st_ino == socket->st_ino;
}

/* Return whether a configuration file names a socket. */
static bool config_has(uint32_t pid, const char *file_name, const struct stat *socket)
{
	FILE *file = open_config(pid, file_name);
	char *line = NULL, *word, *rest;
	bool has = false;
	size_t room = 0;

	while (file && !has && getline(&line, &room, file) > 0)
		for (rest = line; !has && (word = strsep(&rest, " \t\r\n"));)
			has = is_socket(pid, word, socket);
	if (file)
		fclose(file);
	free(line);
	return has;
}

/* Return whether a vhu proxy has a socket for its sessions. */
static bool proxy_has(uint32_t pid, const struct stat *socket, struct vhu_rings_proxy *proxy)
{
	char words[WORDS_MAX];
	const size_t size = read_words(pid, words, sizeof(words));
	const char *end = words + size, *config;
	struct stat control;
	bool has = false;

	if (!take_proxy(pid, words, size, proxy) ||
	    (*proxy->control && !stat(proxy->control, &control) &&
	     control.st_dev == socket->st_dev && control.st_ino == socket->st_ino))
		return false;
	for (const char *word = words; word < end && strcmp(word, "--") && !has;
	     word += strlen(word) + 1) {
		config = argument_of(word, end, "--config");
		has = is_socket(pid, word, socket) || (config && config_has(pid, config, socket));
	}
	return has;
}

bool vhu_rings_proxy_with(const char *path, struct vhu_rings_proxy *proxy)
{
	char real[PATH_MAX];
	struct dirent *entry;
	struct stat socket;
	bool found = false;
	DIR *proc;

	if (stat(path, &socket) || !S_ISSOCK(socket.st_mode))
		return false;
	proc = opendir("/proc");
	while (proc && !found && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			found = proxy_has((uint32_t)atoi(entry->d_name), &socket, proxy);
	if (proc)
		closedir(proc);
	if (found && realpath(proxy->control, real))
		snprintf(proxy->control, sizeof(proxy->control), "%s", real);
	return found;
}

/* Look whether a peer is a proxy. */
static bool is_proxy(uint32_t peer, void *with)
{
	return vhu_rings_proxy_read(peer, with);
}

/* The same, one with a control socket. */
static bool has_control(uint32_t peer, void *with)
{
	struct vhu_rings_proxy *proxy = with;

	return vhu_rings_proxy_read(peer, proxy) && *proxy->control;
}

bool vhu_rings_proxy_of(uint32_t pid, bool control, struct vhu_rings_proxy *proxy)
{
	if (vhu_rings_proxy_read(pid, proxy))
		return *proxy->control || !control;
	return vhu_rings_peers_find(pid, control ? has_control : is_proxy, proxy);
}

/* Return whether a file is one of the series NAME_00001_20240131235959.EXT of NAME.EXT. */
static bool is_of_series(const char *file, const char *name)
{
	const char *dot = strrchr(name, '.');
	const size_t length = dot && dot != name ? (size_t)(dot - name) : strlen(name);
	size_t number, date;

	if (strncmp(file, name, length) != 0 || file[length] != '_')
		return false;
	file += length + 1;
	number = strspn(file, "0123456789");
	if (number != 5 || file[number] != '_')
		return false;
	file += number + 1;
	date = strspn(file, "0123456789");
	return date == 14 && !strcmp(file + date, name + length);
}

bool vhu_rings_proxy_flight(const struct vhu_rings_proxy *proxy, char *path, size_t size,
			    uint64_t *age_ns)
{
	const char *slash = strrchr(proxy->file, '/');
	char folder[PATH_MAX], one[2 * PATH_MAX];
	const struct dirent *entry;
	uint64_t latest = 0, now = vhu_realtime_ns();
	struct stat file;
	DIR *dir;

	if (!proxy->flight || !slash)
		return false;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - proxy->file + 1), proxy->file);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (!is_of_series(entry->d_name, slash + 1) ||
		    snprintf(one, sizeof(one), "%s%s", folder, entry->d_name) >= (int)size ||
		    stat(one, &file) || !S_ISREG(file.st_mode))
			continue;
		if ((uint64_t)file.st_mtim.tv_sec * VHU_NS_PER_S + (uint64_t)file.st_mtim.tv_nsec <
		    latest)
			continue;
		latest =
		    (uint64_t)file.st_mtim.tv_sec * VHU_NS_PER_S + (uint64_t)file.st_mtim.tv_nsec;
		snprintf(path, size, "%s", one);
	}
	if (dir)
		closedir(dir);
	*age_ns = vhu_elapsed_ns(latest, now);
	return latest;
}
