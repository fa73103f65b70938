/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that were not answered.
 *
 * The oldest comes first, on any channel: a side that waits for an answer itself often
 * answers nothing meanwhile, so what it then leaves unanswered is a consequence. Requests that wait
 * in both directions are a deadlock.
 */
#include <inttypes.h>

#include "lib/cause/internal.h"

/* Requests that are named; more are counted. */
#define NAMED_MAX 4

/* A request that waits. */
struct waiting {
	const struct vhu_pending *request; /* NULL: none */
	enum vhu_cause_side asker;
	bool waited; /* for longer than an end in between takes */
};

/* Return whether a request's asker was waiting for the answer, and did not only come to its end in
 * between. */
static bool has_waited(const struct vhu_cause_end *end, const struct vhu_pending *request,
		       enum vhu_cause_side asker)
{
	return vhu_cause_age(end, request->time_ns) >=
	       (end->closer == asker ? VHU_CAUSE_REACTION_NS : end->hung_ns);
}

/*
 * Find the oldest request that waits and is younger than message @after.
 * @asker: who asked; NOBODY: either side. @waited: it has to have waited.
 */
static struct waiting next_waiting(const struct vhu_cause_end *end, enum vhu_cause_side asker,
				   bool waited, uint64_t after)
{
	struct waiting oldest = {0};

	for (unsigned c = 0; c < VHU_CHANNELS; c++) {
		const enum vhu_cause_side side =
		    c == VHU_FRONT_END ? VHU_CAUSE_FRONT : VHU_CAUSE_BACK;
		const struct vhu_pending_queue *queue = &end->state->channel[c].pending;

		for (unsigned i = 0; i < queue->count && (asker < 0 || side == asker); i++) {
			const struct vhu_pending *request = vhu_pending_at(queue, i);
			const bool has = has_waited(end, request, side);

			if (!request->due || request->passed_by || request->number <= after ||
			    (waited && !has) ||
			    (oldest.request && request->number > oldest.request->number))
				continue;
			oldest = (struct waiting){request, side, has};
		}
	}
	return oldest;
}

/* Add the request and what the same side asked after it: "A (1), B (2) and C (3)". */
static void add_requests(struct vhu_cause_end *end, const struct waiting *first)
{
	struct waiting at = *first, next;
	unsigned named = 0, more = 0;

	while (at.request) {
		next = next_waiting(end, first->asker, first->waited, at.request->number);
		if (named == NAMED_MAX) {
			more++;
		} else {
			if (named)
				vhu_line_add(&end->line, next.request ? ", " : " and ");
			vhu_cause_add_message(end, at.request->number, at.request->message, false);
			named++;
		}
		at = next;
	}
	if (more)
		vhu_line_printf(&end->line, " and %u more", more);
}

void vhu_cause_add_then(struct vhu_cause_end *end, enum vhu_cause_side asked)
{
	if (end->goes_on) {
		vhu_line_add(&end->line, " so far");
	} else if (!end->closed) {
		vhu_line_add(&end->line, ", and there the capture ends");
	} else if (end->closer == VHU_CAUSE_NOBODY) {
		vhu_line_add(&end->line, ", then the session was closed: ");
		vhu_line_foreign(&end->line, end->reason, VHU_RECORD_TEXT_MAX, "");
	} else {
		vhu_line_add(&end->line, ", then ");
		if (end->closer != asked) {
			vhu_cause_add_side(end, end->closer);
			vhu_line_add(&end->line, " ");
		}
		vhu_cause_add_close(end);
	}
}

/* Add that the proxy had a hand in it, if so. */
static void add_withheld(struct vhu_cause_end *end, const struct vhu_pending *request)
{
	if (!request->withheld)
		return;
	end->ours_said = true;
	vhu_line_add(&end->line, "; the proxy withheld the answer");
}

/* Say that the requests of the side that asked first were not answered. */
static void say_no_answer(struct vhu_cause_end *end, const struct waiting *first)
{
	const enum vhu_cause_side asked = !first->asker;

	vhu_cause_add_side(end, asked);
	vhu_line_add(&end->line, " did not answer ");
	add_requests(end, first);
	if (first->waited) {
		vhu_line_add(&end->line, " for ");
		vhu_cause_add_time(end, first->request->time_ns, end->now_ns);
	}
	vhu_cause_add_running(end);
	vhu_cause_add_then(end, asked);
	add_withheld(end, first->request);
	if (!first->request->withheld &&
	    vhu_cause_age(end, first->request->time_ns) >= end->hung_ns)
		end->at_fault = asked;
}

/* Say that each side waits for the other. */
static void say_deadlock(struct vhu_cause_end *end, const struct waiting *first,
			 const struct waiting *second)
{
	const bool front_first = first->asker == VHU_CAUSE_FRONT;
	const struct vhu_pending *front = (front_first ? first : second)->request;
	const struct vhu_pending *back = (front_first ? second : first)->request;

	vhu_line_printf(&end->line,
			"each waits for the other: front-end for %s (%" PRIu64
			"), back-end for the answer to %s (%" PRIu64 "), for ",
			vhu_cause_name(front->message), front->number,
			vhu_cause_name(back->message), back->number);
	vhu_cause_add_time(end, second->request->time_ns, end->now_ns);
	vhu_cause_add_running(end);
	vhu_cause_add_then(end, VHU_CAUSE_NOBODY);
}

/* Add what the side that waits left unanswered because of that. */
static void add_consequence(struct vhu_cause_end *end, const struct waiting *first,
			    const struct waiting *second)
{
	vhu_line_printf(&end->line, "; the %s waits for that answer and does not answer ",
			first->asker == VHU_CAUSE_BACK ? "back-end" : "front-end");
	vhu_cause_add_message(end, second->request->number, second->request->message, false);
	vhu_line_add(&end->line, ": each waits for the other");
}

/* Say what was left waiting by an end that came at once. */
static void say_cut_off(struct vhu_cause_end *end, const struct waiting *first)
{
	const struct vhu_pending *request = first->request;

	vhu_cause_add_side(end, end->closer);
	vhu_line_add(&end->line, " ");
	vhu_cause_add_close(end);
	vhu_line_add(&end->line, end->unread ? ", " : " ");
	vhu_cause_add_time(end, request->time_ns, end->now_ns);
	vhu_line_add(&end->line, " after ");
	vhu_cause_add_message(end, request->number, request->message, false);
	vhu_line_add(&end->line, end->closer == first->asker ? ", without waiting for the answer"
							     : ", which it never answered");
	if (end->closer == first->asker)
		return;
	vhu_cause_add_running(end);
	end->at_fault = end->closer;
}

bool vhu_cause_say_unanswered(struct vhu_cause_end *end)
{
	struct waiting first = next_waiting(end, VHU_CAUSE_NOBODY, true, 0), second;

	if (!first.request)
		first = next_waiting(end, VHU_CAUSE_NOBODY, false, 0);
	/* Who stops a proxy most often stops it between a request and its answer. */
	if (!first.request ||
	    (!first.waited && end->closer == VHU_CAUSE_NOBODY && (end->closed || end->goes_on)))
		return false;
	end->about = first.request->number;
	if (!first.waited && end->closer != VHU_CAUSE_NOBODY) {
		say_cut_off(end, &first);
		return true;
	}
	second = next_waiting(end, !first.asker, first.waited, first.request->number);
	/* A front-end that had the time to answer before it asked did not answer. */
	if (second.request &&
	    (first.asker == VHU_CAUSE_FRONT ||
	     second.request->time_ns - first.request->time_ns < VHU_CAUSE_REACTION_NS)) {
		say_deadlock(end, &first, &second);
		end->answer = second.request->number;
		return true;
	}
	say_no_answer(end, &first);
	if (second.request) {
		add_consequence(end, &first, &second);
		end->answer = second.request->number;
	}
	return true;
}
