/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu top knows, and what that makes a second. */
#include "tools/top/table/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session/device.h"
#include "lib/util/array.h"
#include "lib/util/turns.h"
#include "lib/util/util.h"

struct vhu_top_source *vhu_top_source(struct vhu_top *top, const char *name)
{
	struct vhu_top_source *source, **grown;

	for (unsigned i = 0; i < top->sources; i++)
		if (!strncmp(top->source[i]->name, name, VHU_TOP_NAME - 1))
			return top->source[i];
	source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	snprintf(source->name, sizeof(source->name), "%s", name);
	grown = vhu_array_more(top->source, &top->sources, sizeof(struct vhu_top_source *));
	if (!grown) {
		free(source);
		return NULL;
	}
	top->source = grown;
	grown[top->sources - 1] = source;
	return source;
}

const struct vhu_top_source *vhu_top_missing(const struct vhu_top *top)
{
	for (unsigned i = 0; i < top->sources; i++) {
		const struct vhu_top_source *source = top->source[i];

		if (source->named && !source->met && !source->listens && !source->here &&
		    source->since_ns)
			return source;
	}
	return NULL;
}

static void free_vring(struct vhu_top_vring *vring)
{
	vhu_histogram_free(&vring->now.delay);
	vhu_histogram_free(&vring->before.delay);
	free(vring);
}

static void free_session(struct vhu_top_session *session)
{
	for (unsigned i = 0; i < session->vrings; i++)
		free_vring(session->vring[i]);
	free(session->vring);
	free(session);
}

/* Drop the sessions that were not seen. */
static void drop_sessions(struct vhu_top_source *source)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < source->sessions; i++) {
		struct vhu_top_session *session = source->session[i];

		if (session->seen)
			source->session[kept++] = session;
		else
			free_session(session);
	}
	source->sessions = kept;
	for (unsigned i = 0; i < kept; i++)
		source->session[i]->seen = false;
}

void vhu_top_source_gone(struct vhu_top_source *source, const char *error, uint64_t now_ns)
{
	for (unsigned i = 0; i < source->sessions; i++)
		source->session[i]->seen = false;
	drop_sessions(source);
	if (source->here || !source->since_ns)
		source->since_ns = now_ns;
	source->here = false;
	snprintf(source->error, sizeof(source->error), "%s", error);
}

void vhu_top_source_end(struct vhu_top_source *source, uint64_t now_ns)
{
	drop_sessions(source);
	if (!source->here)
		source->since_ns = now_ns;
	source->here = source->met = true;
	*source->error = '\0';
}

struct vhu_top_session *vhu_top_session_begin(struct vhu_top_source *source, uint64_t number,
					      uint64_t clock_ns)
{
	struct vhu_top_session *session = NULL, **grown;

	for (unsigned i = 0; i < source->sessions && !session; i++)
		if (source->session[i]->number == number)
			session = source->session[i];
	if (!session) {
		session = calloc(1, sizeof(*session));
		if (!session)
			return NULL;
		grown = vhu_array_more(source->session, &source->sessions,
				       sizeof(struct vhu_top_session *));
		if (!grown) {
			free(session);
			return NULL;
		}
		source->session = grown;
		grown[source->sessions - 1] = session;
	} else if (clock_ns < session->clock_ns) {
		/* Another proxy has counted up to the same number. */
		for (unsigned i = 0; i < session->vrings; i++)
			free_vring(session->vring[i]);
		free(session->vring);
		*session = (struct vhu_top_session){0};
	}
	session->number = number;
	session->seen = true;
	session->clock_before_ns = session->clock_ns;
	session->clock_ns = clock_ns;
	session->messages_before = session->messages;
	*session->waiting_for = '\0';
	session->waiting_ns = 0;
	return session;
}

int vhu_top_session_vring(struct vhu_top_session *session, struct vhu_top_told *told)
{
	struct vhu_top_vring *vring = NULL, **grown;

	for (unsigned i = 0; i < session->vrings && !vring; i++)
		if (session->vring[i]->now.index == told->index)
			vring = session->vring[i];
	if (!vring) {
		vring = calloc(1, sizeof(*vring));
		grown = vring ? vhu_array_more(session->vring, &session->vrings,
					       sizeof(struct vhu_top_vring *))
			      : NULL;
		if (!grown) {
			free(vring);
			vhu_histogram_free(&told->delay);
			return -ENOMEM;
		}
		session->vring = grown;
		grown[session->vrings - 1] = vring;
	}
	vhu_histogram_free(&vring->before.delay);
	vring->before = vring->now;
	vring->now = *told;
	vring->seen = true;
	return 0;
}

/* Return how often something is done a second, by two counts of it. */
static double rate(uint64_t now, uint64_t before, uint64_t ns)
{
	return ns && now > before ? (double)(now - before) * VHU_NS_PER_S / (double)ns : 0;
}

/* Work out what a vring does a second, and how long that takes. */
static void work_out(struct vhu_top_vring *vring, uint64_t ns)
{
	const struct vhu_top_told *now = &vring->now, *before = &vring->before;
	struct vhu_histogram part = {0};

	if (now->worked_out) {
		vring->rated = true;
		vring->timed = now->timed;
		vring->kicks_per_s = now->kicks_per_s;
		vring->calls_per_s = now->calls_per_s;
		vring->p50_ns = now->p50_ns;
		vring->p99_ns = now->p99_ns;
		vring->max_ns = now->max_ns;
		return;
	}
	/* Counts that went back are those of a new beginning. */
	vring->rated = ns && now->counted && before->counted && now->kicks >= before->kicks &&
		       now->calls >= before->calls && now->delay.count >= before->delay.count;
	vring->timed = false;
	vring->kicks_per_s = vring->calls_per_s = 0;
	if (!vring->rated)
		return;
	vring->kicks_per_s = rate(now->kicks, before->kicks, ns);
	vring->calls_per_s = rate(now->calls, before->calls, ns);
	vhu_histogram_since(&part, &now->delay, &before->delay);
	vring->timed = part.count > 0;
	vring->p50_ns = vhu_histogram_quantile(&part, 500);
	vring->p99_ns = vhu_histogram_quantile(&part, 990);
	vring->max_ns = part.greatest;
	vhu_histogram_free(&part);
}

void vhu_top_session_end(struct vhu_top_session *session)
{
	const uint64_t ns =
	    session->clock_before_ns ? session->clock_ns - session->clock_before_ns : 0;
	unsigned kept = 0;

	for (unsigned i = 0; i < session->vrings; i++) {
		struct vhu_top_vring *vring = session->vring[i];

		if (!vring->seen) {
			free_vring(vring);
			continue;
		}
		session->vring[kept++] = vring;
		vring->seen = false;
		work_out(vring, ns);
	}
	session->vrings = kept;
	session->rated = ns && session->messages_known;
	session->messages_per_s = rate(session->messages, session->messages_before, ns);
}

/* Return how a vring is. */
static enum vhu_top_state state_of(const struct vhu_top *top, const struct vhu_top_session *session,
				   const struct vhu_top_vring *vring)
{
	const struct vhu_top_told *now = &vring->now;

	if (now->stalled)
		return VHU_TOP_STALLED;
	if (!now->started)
		return VHU_TOP_OFF;
	/* Buffers for input wait until there is some: only elsewhere waiting is a stall. */
	if (now->waiting && now->waiting_ns >= top->stall_ns &&
	    (session->stopped || now->untaken || now->in_turn >= VHU_TURNS_HABIT ||
	     vhu_device_answers_all(session->device_id, now->index)))
		return VHU_TOP_STALLED;
	if (*session->waiting_for && session->waiting_ns >= top->stall_ns)
		return VHU_TOP_NOREPLY;
	if (now->polling)
		return VHU_TOP_POLLS;
	if (!now->counted)
		return VHU_TOP_ON;
	if (now->waiting && now->waiting_ns >= top->stall_ns)
		return VHU_TOP_WAITS;
	return vring->kicks_per_s > 0 || vring->calls_per_s > 0 ? VHU_TOP_RUNS : VHU_TOP_IDLE;
}

/* Return how a session without vrings is. */
static enum vhu_top_state state_of_session(const struct vhu_top *top,
					   const struct vhu_top_session *session)
{
	const struct vhu_top_silence *silence = &session->silence;

	if (!silence->known)
		return VHU_TOP_OFF;
	if (silence->hangs)
		return VHU_TOP_STALLED;
	if (silence->signalled && silence->signalled_ns >= top->stall_ns)
		return session->stopped ? VHU_TOP_STALLED : VHU_TOP_WAITS;
	return silence->listens ? VHU_TOP_LISTENS : VHU_TOP_QUIET;
}

void vhu_top_session_judge(const struct vhu_top *top, struct vhu_top_session *session)
{
	session->state = state_of_session(top, session);
	for (unsigned i = 0; i < session->vrings; i++)
		session->vring[i]->state = state_of(top, session, session->vring[i]);
}

const char *vhu_top_state_name(enum vhu_top_state state)
{
	static const char *const name[VHU_TOP_STATES] = {
	    [VHU_TOP_OFF] = "off",         [VHU_TOP_ON] = "on",       [VHU_TOP_IDLE] = "idle",
	    [VHU_TOP_LISTENS] = "listens", [VHU_TOP_QUIET] = "quiet", [VHU_TOP_RUNS] = "runs",
	    [VHU_TOP_POLLS] = "polls",     [VHU_TOP_WAITS] = "waits", [VHU_TOP_NOREPLY] = "noreply",
	    [VHU_TOP_STALLED] = "stalled",
	};

	return name[state];
}

void vhu_top_free(struct vhu_top *top)
{
	for (unsigned i = 0; i < top->sources; i++) {
		struct vhu_top_source *source = top->source[i];

		for (unsigned at = 0; at < source->sessions; at++)
			free_session(source->session[at]);
		free(source->session);
		free(source);
	}
	free(top->source);
	*top = (struct vhu_top){0};
}
