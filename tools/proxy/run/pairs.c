/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pairs of a run of vhu proxy. */
#include "tools/proxy/run/pairs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "proxy/session/pair_life.h"
#include "tools/proxy/run/run.h"

struct vhu_proxy_run_pair *vhu_proxy_pair_new(const char *const text[2])
{
	struct vhu_proxy_run_pair *pair = calloc(1, sizeof(*pair));

	if (!pair)
		return NULL;
	pair->text[VHU_FRONT] = strdup(text[VHU_FRONT]);
	pair->text[VHU_BACK] = strdup(text[VHU_BACK]);
	pair->pair.gone = vhu_proxy_pair_gone;
	if (pair->text[VHU_FRONT] && pair->text[VHU_BACK])
		return pair;
	vhu_proxy_pair_free(pair);
	return NULL;
}

void vhu_proxy_pair_free(struct vhu_proxy_run_pair *pair)
{
	if (!pair)
		return;
	free(pair->text[VHU_FRONT]);
	free(pair->text[VHU_BACK]);
	free(pair);
}

void vhu_proxy_pair_append(struct vhu_proxy_run *run, struct vhu_proxy_run_pair *pair)
{
	struct vhu_proxy_run_pair **last = &run->pairs;

	while (*last)
		last = &(*last)->next;
	*last = pair;
}

void vhu_proxy_pair_gone(struct vhu_pair *pair)
{
	struct vhu_proxy_run *run = vhu_container_of(pair->proxy, struct vhu_proxy_run, proxy);
	struct vhu_proxy_run_pair *gone = vhu_container_of(pair, struct vhu_proxy_run_pair, pair);
	struct vhu_proxy_run_pair **at = &run->pairs;

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	vhu_proxy_pair_free(gone);
}

int vhu_proxy_pair_parse(struct vhu_endpoint end[2], const char *const text[2], bool check,
			 char error[VHU_ENDPOINT_ERROR])
{
	static const enum vhu_endpoint_kind bare[2] = {VHU_ENDPOINT_LISTEN, VHU_ENDPOINT_CONNECT};
	int code;

	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (check && vhu_endpoint_is_inherited(text[side])) {
			end[side] = (struct vhu_endpoint){
			    .kind = VHU_ENDPOINT_FD, .path = text[side], .fd = -1, .folder = -1};
			continue;
		}
		code = vhu_endpoint_parse(&end[side], text[side], bare[side], error);
		if (code)
			return code;
	}
	if (!strcmp(end[VHU_FRONT].path, end[VHU_BACK].path)) {
		snprintf(error, VHU_ENDPOINT_ERROR, "%s: FRONT and BACK are the same",
			 end[VHU_FRONT].path);
		return -EINVAL;
	}
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (end[side].fd != STDOUT_FILENO && end[side].fd != STDERR_FILENO)
			continue;
		snprintf(error, VHU_ENDPOINT_ERROR,
			 "%s: a standard stream: pass another descriptor", end[side].path);
		return -EINVAL;
	}
	return 0;
}

/* Call @see with the endpoints of all pairs. Returns as that does, -ENOMEM with a line in @error.
 */
static int look_at_all(struct vhu_proxy_run *run,
		       int (*see)(const struct vhu_endpoint *const *ends, size_t pairs,
				  size_t wrong[2], char error[VHU_ENDPOINT_ERROR]),
		       char error[VHU_ENDPOINT_ERROR])
{
	const struct vhu_endpoint **ends = reallocarray(NULL, run->request->pairs, sizeof(*ends));
	size_t pairs = 0, wrong[2];
	int code;

	if (!ends) {
		snprintf(error, VHU_ENDPOINT_ERROR, "out of memory");
		return -ENOMEM;
	}
	for (struct vhu_proxy_run_pair *pair = run->pairs; pair; pair = pair->next)
		ends[pairs++] = pair->pair.end;
	code = see(ends, pairs, wrong, error);
	if (code)
		vhu_proxy_request_place(run->request, wrong[0], wrong[1], error);
	free(ends);
	return code;
}

int vhu_proxy_run_parse_pairs(struct vhu_proxy_run *run)
{
	const struct vhu_proxy_request *request = run->request;
	char error[VHU_ENDPOINT_ERROR];

	for (size_t i = 0; i < request->pairs; i++) {
		struct vhu_proxy_run_pair *pair = vhu_proxy_pair_new(request->pair[i].end);

		if (!pair)
			return vhu_fail(run->command, "out of memory");
		vhu_proxy_pair_append(run, pair);
		pair->pair.patience_ns = request->patience_ns;
		pair->pair.rights = request->rights;
		pair->pair.one_at_a_time = request->one_at_a_time;
		if (vhu_proxy_pair_parse(pair->pair.end, (const char *const *)pair->text,
					 request->check, error)) {
			vhu_proxy_request_place(request, i, i, error);
			return vhu_usage(run->command, "%s", error);
		}
	}
	run->proxy.several = request->pairs > 1;
	if (look_at_all(run, vhu_proxy_pairs_compare, error))
		return vhu_usage(run->command, "%s", error);
	return VHU_EXIT_DONE;
}

int vhu_proxy_run_open_pairs(struct vhu_proxy_run *run)
{
	char error[VHU_ENDPOINT_ERROR];

	for (struct vhu_proxy_run_pair *pair = run->pairs; pair; pair = pair->next) {
		if (vhu_pair_open(&pair->pair, &run->proxy, error)) {
			vhu_proxy_run_close_pairs(run, "");
			return vhu_fail(run->command, "%s", error);
		}
	}
	if (!look_at_all(run, vhu_proxy_pairs_circle, error))
		return VHU_EXIT_DONE;
	vhu_proxy_run_close_pairs(run, "");
	return vhu_fail(run->command, "%s", error);
}

int vhu_proxy_run_start_pairs(struct vhu_proxy_run *run)
{
	char error[VHU_ENDPOINT_ERROR];

	for (struct vhu_proxy_run_pair *pair = run->pairs; pair; pair = pair->next) {
		if (vhu_pair_start(&pair->pair, error))
			return vhu_fail(run->command, "%s", error);
	}
	return VHU_EXIT_DONE;
}

void vhu_proxy_run_close_pairs(struct vhu_proxy_run *run, const char *reason)
{
	for (struct vhu_proxy_run_pair *pair = run->pairs; pair; pair = pair->next) {
		if (pair->pair.link)
			vhu_pair_close(&pair->pair, reason);
	}
}

void vhu_proxy_run_free_pairs(struct vhu_proxy_run *run)
{
	struct vhu_proxy_run_pair *pair;

	while ((pair = run->pairs)) {
		run->pairs = pair->next;
		vhu_proxy_pair_free(pair);
	}
}
