/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pairs of a run of vhu proxy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/proxy/run/run.h"

/* Understand the endpoints of one pair. Returns VHU_EXIT_DONE, or VHU_EXIT_USAGE with what is wrong
 * said. */
static int parse_pair(struct vhu_proxy_run *run, struct vhu_pair *pair, const char *const text[2])
{
	static const enum vhu_endpoint_kind bare[2] = {VHU_ENDPOINT_LISTEN, VHU_ENDPOINT_CONNECT};
	char error[VHU_ENDPOINT_ERROR];

	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (vhu_endpoint_parse(&pair->end[side], text[side], bare[side], error))
			return vhu_usage(run->command, "%s", error);
	}
	if (!strcmp(pair->end[VHU_FRONT].path, pair->end[VHU_BACK].path))
		return vhu_usage(run->command, "%s: FRONT and BACK are the same",
				 pair->end[VHU_FRONT].path);
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (pair->end[side].fd == STDOUT_FILENO || pair->end[side].fd == STDERR_FILENO)
			return vhu_usage(run->command,
					 "%s: a standard stream: pass another descriptor",
					 pair->end[side].path);
	}
	return VHU_EXIT_DONE;
}

/* Return whether two endpoints cannot both be there: they listen at the same path, or are the same
 * descriptor. */
static bool collide(const struct vhu_endpoint *one, const struct vhu_endpoint *other)
{
	if (one->kind != other->kind || one->kind == VHU_ENDPOINT_CONNECT)
		return false;
	return one->kind == VHU_ENDPOINT_FD ? one->fd == other->fd
					    : !strcmp(one->path, other->path);
}

/* See whether the last of @count pairs goes together with those before it. Returns as parse_pair
 * does. */
static int compare_pairs(const struct vhu_proxy_run *run, size_t count)
{
	const struct vhu_pair *last = &run->pair[count - 1];

	for (const struct vhu_pair *pair = run->pair; pair < last; pair++) {
		for (int i = 0; i < 4; i++) {
			const struct vhu_endpoint *end = &last->end[i % 2];

			if (collide(&pair->end[i / 2], end))
				return vhu_usage(run->command,
						 "%s: FRONT and BACK of different pairs are the "
						 "same",
						 end->path);
		}
	}
	return VHU_EXIT_DONE;
}

int vhu_proxy_run_parse_pairs(struct vhu_proxy_run *run)
{
	int status = VHU_EXIT_DONE;

	run->pair = calloc(run->request->pairs, sizeof(*run->pair));
	if (!run->pair)
		return vhu_fail(run->command, "out of memory");
	for (size_t i = 0; i < run->request->pairs && status == VHU_EXIT_DONE; i++) {
		struct vhu_pair *pair = &run->pair[i];

		pair->patience_ns = run->request->patience_ns;
		pair->rights = run->request->rights;
		pair->one_at_a_time = run->request->one_at_a_time;
		status = parse_pair(run, pair, run->request->pair[i].end);
		if (status == VHU_EXIT_DONE)
			status = compare_pairs(run, i + 1);
	}
	run->proxy.several = run->request->pairs > 1;
	return status;
}

/* Return the pair that listens where @pair connects to, on whichever side; NULL for none. */
static const struct vhu_pair *next_pair(const struct vhu_proxy_run *run,
					const struct vhu_pair *pair)
{
	const struct vhu_endpoint *to = &pair->end[VHU_FRONT];
	struct stat st;

	if (to->kind != VHU_ENDPOINT_CONNECT)
		to = &pair->end[VHU_BACK];
	if (to->kind != VHU_ENDPOINT_CONNECT || stat(to->path, &st))
		return NULL;
	for (size_t i = 0; i < run->request->pairs * 2; i++) {
		const struct vhu_endpoint *end = &run->pair[i / 2].end[i % 2];

		if (end->made && end->device == st.st_dev && end->inode == st.st_ino)
			return &run->pair[i / 2];
	}
	return NULL;
}

/* Return a pair from which one comes to itself by going where each connects to: a session of it
 * would begin one more, and so on. NULL where there is none. */
static const struct vhu_pair *circle(const struct vhu_proxy_run *run)
{
	for (size_t i = 0; i < run->request->pairs; i++) {
		const struct vhu_pair *pair = next_pair(run, &run->pair[i]);

		for (size_t step = 0; pair && step < run->request->pairs; step++) {
			if (pair == &run->pair[i])
				return pair;
			pair = next_pair(run, pair);
		}
	}
	return NULL;
}

/* End the sessions of the first @count pairs for @reason, and close those. */
static void close_pairs(struct vhu_proxy_run *run, size_t count, const char *reason)
{
	for (size_t i = 0; i < count; i++)
		vhu_pair_close(&run->pair[i], reason);
}

int vhu_proxy_run_open_pairs(struct vhu_proxy_run *run)
{
	char error[VHU_ENDPOINT_ERROR];
	const struct vhu_pair *pair;

	for (size_t i = 0; i < run->request->pairs; i++) {
		if (!vhu_pair_open(&run->pair[i], &run->proxy, error))
			continue;
		close_pairs(run, i, "");
		return vhu_fail(run->command, "%s", error);
	}
	pair = run->request->pairs > 1 ? circle(run) : NULL;
	if (!pair)
		return VHU_EXIT_DONE;
	close_pairs(run, run->request->pairs, "");
	return vhu_fail(run->command, "%s: its pair connects to others in a circle",
			pair->end[VHU_FRONT].path);
}

int vhu_proxy_run_start_pairs(struct vhu_proxy_run *run)
{
	char error[VHU_ENDPOINT_ERROR];

	for (size_t i = 0; i < run->request->pairs; i++) {
		if (vhu_pair_start(&run->pair[i], error))
			return vhu_fail(run->command, "%s", error);
	}
	return VHU_EXIT_DONE;
}

void vhu_proxy_run_close_pairs(struct vhu_proxy_run *run, const char *reason)
{
	close_pairs(run, run->request->pairs, reason);
}
