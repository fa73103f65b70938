/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the pairs of a run change; reload.h has its theory of operation. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/session/pair_ends.h"
#include "proxy/session/pair_life.h"
#include "tools/proxy/run/reload.h"

/* Put a line into @error, made as printf makes it. Returns -EINVAL. */
__attribute__((format(printf, 2, 3))) static int plan_wrong(char error[VHU_ENDPOINT_ERROR],
							    const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, VHU_ENDPOINT_ERROR, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Say a line that the plan's pairs have about a socket. */
static void plan_say(void *context, const char *line)
{
	const struct vhu_reload_plan *plan = context;

	vhu_proxy_say(&plan->run->proxy, "%s", line);
}

/* Return the pair of the run that has @front, an endpoint, as its FRONT, written as @text. */
static struct vhu_proxy_run_pair *find_front(const struct vhu_proxy_run *run,
					     const struct vhu_endpoint *front, const char *text)
{
	struct vhu_proxy_run_pair *pair = run->pairs;

	for (; pair; pair = pair->next) {
		const struct vhu_endpoint *end = &pair->pair.end[VHU_FRONT];

		if (vhu_endpoint_is_inherited(text)) {
			if (!strcmp(pair->text[VHU_FRONT], text))
				break;
		} else if (end->kind == front->kind && !strcmp(end->path, front->path)) {
			break;
		}
	}
	return pair;
}

/* Return whether @pair is written as @text. */
static bool is_written(const struct vhu_proxy_run_pair *pair, char *const text[2])
{
	return !strcmp(pair->text[VHU_FRONT], text[VHU_FRONT]) &&
	       !strcmp(pair->text[VHU_BACK], text[VHU_BACK]);
}

/*
 * Take an inherited endpoint of @planned, which stays where it is.
 * Returns 0 or -EINVAL with a line in @error.
 */
static int plan_inherited(struct vhu_reload_pair *planned, enum vhu_side side, char *error)
{
	struct vhu_proxy_run_pair *pair = planned->pair;

	if (!pair || pair->pair.retired || strcmp(pair->text[side], planned->text[side]) != 0)
		return plan_wrong(error,
				  "%s: a socket that is inherited belongs to the pair that began "
				  "with it: restart the proxy",
				  planned->text[side]);
	planned->end[side] = pair->pair.end[side];
	planned->from[side] = pair;
	planned->from_side[side] = side;
	return 0;
}

/* Plan a pair whose texts are known. Returns 0; -errno with a line in @error. */
static int plan_pair(const struct vhu_reload_plan *plan, struct vhu_reload_pair *planned,
		     char *error)
{
	const char *const *text = (const char *const *)planned->text;
	struct vhu_proxy_run_pair *pair;
	int code = vhu_proxy_pair_parse(planned->end, text, true, error);

	if (code)
		return code;
	pair = planned->pair = find_front(plan->run, &planned->end[VHU_FRONT], text[VHU_FRONT]);
	planned->stays = pair && !pair->pair.retired && is_written(pair, planned->text);
	if (planned->stays) {
		memcpy(planned->end, pair->pair.end, sizeof(planned->end));
		return 0;
	}
	if (pair && !pair->pair.retired &&
	    (pair->pair.end[VHU_FRONT].kind == VHU_ENDPOINT_FD ||
	     pair->pair.end[VHU_BACK].kind == VHU_ENDPOINT_FD))
		return plan_wrong(error,
				  "%s: a pair with a connection that is inherited cannot change",
				  text[VHU_FRONT]);
	for (enum vhu_side side = VHU_FRONT; side <= VHU_BACK && !code; side++) {
		if (vhu_endpoint_is_inherited(text[side]))
			code = plan_inherited(planned, side, error);
	}
	if (code || pair)
		return code;
	planned->pair = vhu_proxy_pair_new(text);
	planned->is_new = true;
	return planned->pair ? 0 : plan_wrong(error, "out of memory");
}

/* Return whether @pair serves as it does after the plan, as far as it is made. */
static bool plan_keeps(const struct vhu_reload_plan *plan, const struct vhu_proxy_run_pair *pair)
{
	for (size_t i = 0; i < plan->pairs; i++) {
		if (plan->pair[i].pair == pair)
			return plan->pair[i].stays;
	}
	return false;
}

/* Take over the socket that listens at the path of an endpoint of @planned already, for a pair that
 * will not need it any more. */
static void plan_take_over(const struct vhu_reload_plan *plan, struct vhu_reload_pair *planned,
			   enum vhu_side side)
{
	struct vhu_endpoint *end = &planned->end[side];

	if (end->kind != VHU_ENDPOINT_LISTEN || end->fd >= 0)
		return;
	for (struct vhu_proxy_run_pair *pair = plan->run->pairs; pair; pair = pair->next) {
		for (enum vhu_side at = VHU_FRONT; at <= VHU_BACK; at++) {
			const struct vhu_endpoint *has = &pair->pair.end[at];

			if (has->kind != VHU_ENDPOINT_LISTEN || has->fd < 0 ||
			    strcmp(has->path, end->path) != 0 || plan_keeps(plan, pair))
				continue;
			end->fd = has->fd;
			end->folder = has->folder;
			end->made = has->made;
			end->device = has->device;
			end->inode = has->inode;
			planned->from[side] = pair;
			planned->from_side[side] = at;
			return;
		}
	}
}

/* Open the endpoints of @planned that are not there yet. Returns 0; -errno with a line in @error.
 */
static int plan_open(struct vhu_reload_plan *plan, struct vhu_reload_pair *planned, char *error)
{
	const struct vhu_socket_maker *maker = &plan->run->maker;
	struct vhu_socket_perms perms = plan->next->rights;
	size_t length;
	int code;

	if (planned->stays)
		return 0;
	plan_take_over(plan, planned, VHU_FRONT);
	plan_take_over(plan, planned, VHU_BACK);
	code = vhu_pair_ends_open(planned->end, &perms, maker->socket >= 0 ? maker : NULL, plan_say,
				  plan, error);
	length = strlen(error);
	if (code == -EACCES && maker->socket >= 0)
		snprintf(error + length, VHU_ENDPOINT_ERROR - length,
			 ": --reload-folder gives it to the sandbox");
	/* Nothing of it is open. */
	for (int side = VHU_FRONT; code && side <= VHU_BACK; side++)
		planned->from[side] = NULL, planned->end[side].fd = -1;
	return code;
}

/* Call @see with the endpoints of all pairs as they are to be. Returns as that does. */
static int plan_look(const struct vhu_reload_plan *plan,
		     int (*see)(const struct vhu_endpoint *const *ends, size_t pairs,
				size_t wrong[2], char error[VHU_ENDPOINT_ERROR]),
		     char *error)
{
	const struct vhu_endpoint **ends = reallocarray(NULL, plan->pairs, sizeof(*ends));
	size_t wrong[2];
	int code;

	if (!ends)
		return plan_wrong(error, "out of memory");
	for (size_t i = 0; i < plan->pairs; i++)
		ends[i] = plan->pair[i].end;
	code = see(ends, plan->pairs, wrong, error);
	if (code)
		vhu_proxy_request_place(plan->next, wrong[0], wrong[1], error);
	free(ends);
	return code;
}

int vhu_reload_plan_make(struct vhu_reload_plan *plan, char error[VHU_ENDPOINT_ERROR])
{
	const struct vhu_proxy_request *next = plan->next;
	int code = 0;

	plan->pair = calloc(next->pairs, sizeof(*plan->pair));
	if (!plan->pair)
		return plan_wrong(error, "out of memory");
	for (; plan->pairs < next->pairs && !code; plan->pairs++) {
		struct vhu_reload_pair *planned = &plan->pair[plan->pairs];

		for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
			planned->end[side].fd = planned->end[side].folder = -1;
			planned->text[side] = strdup(next->pair[plan->pairs].end[side]);
			if (!planned->text[side])
				code = plan_wrong(error, "out of memory");
		}
		if (!code)
			code = plan_pair(plan, planned, error);
		if (code)
			vhu_proxy_request_place(next, plan->pairs, plan->pairs, error);
	}
	if (!code)
		code = plan_look(plan, vhu_proxy_pairs_compare, error);
	for (size_t i = 0; i < plan->pairs && !code; i++) {
		code = plan_open(plan, &plan->pair[i], error);
		if (code)
			vhu_proxy_request_place(next, i, i, error);
	}
	if (!code)
		code = plan_look(plan, vhu_proxy_pairs_circle, error);
	return code;
}

/* Retire all pairs that the plan does not have. */
static void retire_others(struct vhu_reload_plan *plan)
{
	struct vhu_proxy_run_pair *pair = plan->run->pairs;

	for (; pair; pair = pair->next) {
		bool planned = false;

		for (size_t i = 0; i < plan->pairs && !planned; i++)
			planned = plan->pair[i].pair == pair;
		if (planned || pair->pair.retired)
			continue;
		vhu_pair_retire(&pair->pair);
		plan->removed++;
	}
}

/* Let a pair be as it is planned. */
static void follow_pair(struct vhu_reload_plan *plan, struct vhu_reload_pair *planned)
{
	struct vhu_pair *pair = &planned->pair->pair;
	char error[VHU_ENDPOINT_ERROR], *old[2];

	pair->patience_ns = plan->next->patience_ns;
	pair->rights = plan->next->rights;
	pair->one_at_a_time = plan->next->one_at_a_time;
	if (planned->stays) {
		vhu_pair_renew(pair);
		return;
	}
	plan->added += planned->is_new || pair->retired;
	plan->changed += !planned->is_new && !pair->retired;
	if (planned->is_new)
		vhu_proxy_pair_append(plan->run, planned->pair);
	if (vhu_pair_serve(pair, &plan->run->proxy, planned->end, error))
		vhu_proxy_say(&plan->run->proxy, "%s", error);
	/* The endpoints are by the new texts from now on, also one that is inherited. */
	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		if (pair->end[side].path == planned->pair->text[side])
			pair->end[side].path = planned->text[side];
	}
	memcpy(old, planned->pair->text, sizeof(old));
	memcpy(planned->pair->text, planned->text, sizeof(old));
	memcpy(planned->text, old, sizeof(old));
	planned->pair = NULL;
}

void vhu_reload_plan_follow(struct vhu_reload_plan *plan)
{
	/* Sockets that change hands must not be closed by who had them. */
	for (size_t i = 0; i < 2 * plan->pairs; i++) {
		struct vhu_reload_pair *planned = &plan->pair[i / 2];

		if (planned->from[i % 2])
			vhu_pair_yield(&planned->from[i % 2]->pair, planned->from_side[i % 2]);
	}
	retire_others(plan);
	plan->run->proxy.several = plan->pairs > 1;
	for (size_t i = 0; i < plan->pairs; i++)
		follow_pair(plan, &plan->pair[i]);
}

void vhu_reload_plan_free(struct vhu_reload_plan *plan)
{
	for (size_t i = 0; i < plan->pairs; i++) {
		struct vhu_reload_pair *planned = &plan->pair[i];

		for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
			if (planned->pair && !planned->stays && !planned->from[side] &&
			    planned->end[side].fd >= 0)
				vhu_endpoint_close(&planned->end[side]);
			free(planned->text[side]);
		}
		if (planned->is_new)
			vhu_proxy_pair_free(planned->pair);
	}
	free(plan->pair);
}
