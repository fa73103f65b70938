/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions without a proxy. */
#include "tools/top/sources/pairs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/util/array.h"
#include "tools/top/sources/answer.h"

/* Take one side of a connection. */
static void take_peer(struct vhu_top_peer *peer, const json_t *side)
{
	const char *comm = json_string_value(json_object_get(side, "comm"));

	*peer = (struct vhu_top_peer){.pid = (uint32_t)vhu_top_answer_number(side, "pid")};
	snprintf(peer->comm, sizeof(peer->comm), "%s", comm ? comm : "");
}

/* Return the pair whose connection this is; NULL if it is new. */
static struct vhu_top_pair *find(struct vhu_top_pairs *pairs, const struct vhu_top_pair *taken)
{
	for (unsigned i = 0; i < pairs->count; i++) {
		struct vhu_top_pair *pair = &pairs->pair[i];

		if (pair->inode == taken->inode &&
		    pair->peer[VHU_TOP_FRONT].pid == taken->peer[VHU_TOP_FRONT].pid &&
		    pair->peer[VHU_TOP_BACK].pid == taken->peer[VHU_TOP_BACK].pid)
			return pair;
	}
	return NULL;
}

void vhu_top_pairs_take(struct vhu_top_pairs *pairs, const json_t *line, uint64_t now_ns)
{
	const json_t *front = json_object_get(line, "front_end");
	const char *socket = json_string_value(json_object_get(line, "socket"));
	const char *device = json_string_value(json_object_get(line, "device"));
	struct vhu_top_pair taken = {.inode = vhu_top_answer_number(front, "inode")}, *pair;

	/* QEMU's monitor and the like are no sessions. */
	if (!socket || json_object_get(line, "other_use"))
		return;
	take_peer(&taken.peer[VHU_TOP_FRONT], front);
	take_peer(&taken.peer[VHU_TOP_BACK], json_object_get(line, "back_end"));
	pair = find(pairs, &taken);
	if (!pair) {
		struct vhu_top_pair *grown =
		    vhu_array_more(pairs->pair, &pairs->count, sizeof(*grown));

		if (!grown)
			return;
		pairs->pair = grown;
		pair = &grown[pairs->count - 1];
		*pair = taken;
		pair->since_ns = now_ns;
	}
	pair->listed = true;
	snprintf(pair->socket, sizeof(pair->socket), "%s", socket);
	snprintf(pair->device, sizeof(pair->device), "%s", device ? device : "");
}

void vhu_top_pairs_end(struct vhu_top_pairs *pairs)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < pairs->count; i++) {
		if (!pairs->pair[i].listed) {
			free(pairs->pair[i].eventfd);
			continue;
		}
		pairs->pair[kept] = pairs->pair[i];
		pairs->pair[kept++].listed = false;
	}
	pairs->count = kept;
	pairs->known = true;
}

/* Return whether the path that a process has bound a socket to names the same file as ours. */
static bool is_bound_at(const struct vhu_top_pair *pair, uint32_t pid, const struct stat *ours)
{
	char path[VHU_TOP_NAME + 32];
	struct stat theirs;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s%s", pid,
		 *pair->socket == '/' ? "root" : "cwd/", pair->socket);
	return !stat(path, &theirs) && theirs.st_dev == ours->st_dev &&
	       theirs.st_ino == ours->st_ino;
}

bool vhu_top_pair_fits(const struct vhu_top_pair *pair, uint32_t pid, const char *socket,
		       unsigned *back)
{
	struct stat ours;

	*back = VHU_TOP_BACK;
	if (pid) {
		if (pair->peer[VHU_TOP_BACK].pid != pid)
			*back = VHU_TOP_FRONT;
		return pair->peer[*back].pid == pid;
	}
	if (!strcmp(pair->socket, socket))
		return true;
	return *socket != '@' && *pair->socket != '@' && !stat(socket, &ours) &&
	       (is_bound_at(pair, pair->peer[VHU_TOP_BACK].pid, &ours) ||
		is_bound_at(pair, pair->peer[VHU_TOP_FRONT].pid, &ours));
}

bool vhu_top_pair_has(const struct vhu_top_pair *pair, uint32_t id)
{
	for (unsigned i = 0; i < pair->eventfds; i++)
		if (pair->eventfd[i].id == id)
			return true;
	return false;
}

unsigned vhu_top_pair_signalled(const struct vhu_top_pair *pair, uint64_t *since_ns)
{
	unsigned count = 0;

	for (unsigned i = 0; i < pair->eventfds; i++) {
		const uint64_t since = pair->eventfd[i].since_ns;

		if (!since)
			continue;
		if (!count++ || since < *since_ns)
			*since_ns = since;
	}
	return count;
}

void vhu_top_pairs_free(struct vhu_top_pairs *pairs)
{
	for (unsigned i = 0; i < pairs->count; i++)
		free(pairs->pair[i].eventfd);
	free(pairs->pair);
	*pairs = (struct vhu_top_pairs){0};
}
