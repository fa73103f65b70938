/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a session ended badly, in one line. */
#include "lib/cause/cause.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/duration.h"

/* A request that was open for longer was not cut off by the end: nobody was going to answer it. */
#define HUNG_NS     UINT64_C(1000000000)
/* Who closes so soon after a message closes because of it; who asked, and leaves later, has waited.
 */
#define REACTION_NS UINT64_C(100000000)

enum { FRONT = 0, BACK = 1, NOBODY = -1 };

/* The end of a session, and the line about it as it grows. */
struct vhu_cause_end {
	const struct vhu_cause *cause;
	const struct vhu_state *state;
	const struct vhu_channel_state *main; /* the front-end's channel */
	uint64_t now_ns;
	bool closed;        /* else the capture ends */
	int closer;         /* NOBODY: neither side began */
	bool unread;        /* it left bytes unread */
	const char *reason; /* as the record that closed the session has it */
	uint64_t about;     /* number of the message that the line is about; 0 none */
	char *to;
	size_t length;
};

/* Add to the line. */
static void __attribute__((format(printf, 2, 3)))
add(struct vhu_cause_end *end, const char *format, ...)
{
	size_t room = VHU_CAUSE_TEXT_MAX - end->length;
	va_list arguments;
	int more;

	va_start(arguments, format);
	more = vsnprintf(end->to + end->length, room, format, arguments);
	va_end(arguments);
	if (more > 0)
		end->length += (size_t)more < room ? (size_t)more : room - 1;
}

/* Add a text that a capture brings, without what a terminal would act on. */
static void add_foreign(struct vhu_cause_end *end, const char *text)
{
	for (; *text; text++)
		add(end, "%c", (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

/* Add a side, with the program that it is. */
static void add_side(struct vhu_cause_end *end, int side)
{
	const char *comm = end->state->peer[side].comm;

	add(end, side == BACK ? "the back-end" : "the front-end");
	if (!*comm)
		return;
	add(end, " (");
	add_foreign(end, comm);
	add(end, ")");
}

/* Add a length of time. */
static void add_time(struct vhu_cause_end *end, uint64_t from_ns, uint64_t to_ns)
{
	char text[VHU_DURATION_TEXT_SIZE];

	add(end, "%s", vhu_duration_text(to_ns > from_ns ? to_ns - from_ns : 0, text));
}

/* Return a message's name. */
static const char *name_of(const struct vhu_message *message)
{
	return message ? message->name : "a message of unknown id";
}

/* Return how long ago it was at the end. */
static uint64_t age(const struct vhu_cause_end *end, uint64_t time_ns)
{
	return end->now_ns > time_ns ? end->now_ns - time_ns : 0;
}

/* Return whether a rule says what the line says anyway, or nothing about the end. */
static bool is_silent(const struct vhu_rule *rule)
{
	switch (rule - vhu_rules) {
	case VHU_RULE_AT_209:
	case VHU_RULE_AT_402:
	case VHU_RULE_AT_411:
		return true;
	}
	return false;
}

/* Find the worst that is remembered of message @number. Returns it or NULL. */
static const struct vhu_finding *finding_at(const struct vhu_cause_end *end, uint64_t number)
{
	const struct vhu_finding *worst = NULL;

	for (unsigned i = 0; i < end->cause->findings; i++) {
		const struct vhu_finding *finding = &end->cause->finding[i];

		if (finding->number == number && !is_silent(finding->rule) &&
		    (!worst || finding->rule->severity > worst->rule->severity))
			worst = finding;
	}
	return worst;
}

/* Find what went wrong last: an error, or something that the back-end refused. */
static const struct vhu_finding *last_trouble(const struct vhu_cause_end *end)
{
	for (unsigned i = end->cause->findings; i-- > 0;) {
		const struct vhu_finding *finding = &end->cause->finding[i];

		if (is_silent(finding->rule))
			continue;
		if (finding->rule->severity == VHU_ERROR ||
		    finding->rule == &vhu_rules[VHU_RULE_AT_412] ||
		    finding->rule == &vhu_rules[VHU_RULE_AT_602])
			return finding;
	}
	return NULL;
}

/* Return the side that sent the last message of the front-end's channel; NOBODY without any. */
static int last_side(const struct vhu_cause_end *end)
{
	const struct vhu_told *last = end->main->last;

	if (!last[FRONT].by && !last[BACK].by)
		return NOBODY;
	return last[BACK].by > last[FRONT].by ? BACK : FRONT;
}

/* Add the message that a side sent last. */
static void add_last(struct vhu_cause_end *end, int side)
{
	add(end, "%s%s (message %" PRIu64 ")", name_of(end->main->last_message[side]),
	    end->main->last_is_reply[side] ? " reply" : "", end->main->last[side].by);
}

/* Begin with who closed, and how long after what happened at @time_ns. */
static void add_closed_after(struct vhu_cause_end *end, uint64_t time_ns)
{
	add_side(end, end->closer);
	add(end, " closed%s ", end->unread ? ", leaving bytes unread," : "");
	add_time(end, time_ns, end->now_ns);
	add(end, " after ");
}

/* The proxy could not go on: the record that closes the session says so, and one of an error may
 * say more. Returns whether that was it. */
static bool say_failure(struct vhu_cause_end *end)
{
	const char *error = end->cause->error;
	bool more = *end->reason && !strncmp(error, end->reason, strlen(end->reason));

	if (end->closer != NOBODY || (!more && strncmp(end->reason, "cannot ", 7)))
		return false;
	add_foreign(end, more ? error : end->reason);
	return true;
}

/* A side closed in the middle of a message. Returns whether that was it. */
static bool say_partial(struct vhu_cause_end *end)
{
	int side = end->cause->partial.from_back_end ? BACK : FRONT;

	if (!end->cause->partial.number || end->main->last[side].by > end->cause->partial.number)
		return false;
	end->about = end->cause->partial.number;
	add_side(end, side);
	add(end, " closed in the middle of %s (message %" PRIu64 ")",
	    name_of(end->cause->partial.message), end->about);
	add(end, ", after %" PRIu64 " of %" PRIu64 " bytes", end->cause->partial.bytes,
	    end->cause->partial.size);
	return true;
}

/* Find the channel whose requests wait for answers, the front-end's first; NULL: none does. */
static const struct vhu_channel_state *waiting(const struct vhu_cause_end *end)
{
	for (unsigned c = 0; c < VHU_CHANNELS; c++)
		if (end->state->channel[c].pending.count)
			return &end->state->channel[c];
	return NULL;
}

/* The front-end waits for an answer that it is not owed. Returns whether that was it. */
static bool say_not_owed(struct vhu_cause_end *end)
{
	const struct vhu_pending *waits =
	    end->main->pending.count ? vhu_pending_at(&end->main->pending, 0) : NULL;
	uint64_t number = waits ? waits->number : end->main->last[FRONT].by;
	uint64_t time_ns = waits ? waits->time_ns : end->main->last[FRONT].value;
	const struct vhu_message *message = waits ? waits->message : end->main->last_message[FRONT];
	const struct vhu_finding *finding = finding_at(end, number);

	if (end->closer == BACK || number < end->main->last[BACK].by || !finding ||
	    finding->rule != &vhu_rules[VHU_RULE_AT_401])
		return false;
	end->about = number;
	add_side(end, FRONT);
	add(end, " waited ");
	add_time(end, time_ns, end->now_ns);
	add(end, " for an answer to %s (message %" PRIu64 ") that it is not owed", name_of(message),
	    number);
	return true;
}

/* Say that side @asked left a request unanswered; and, where its asker waited, for how long. */
static void add_no_answer(struct vhu_cause_end *end, int asked, const struct vhu_pending *pending,
			  bool waited)
{
	add_side(end, asked);
	add(end, " did not answer %s (message %" PRIu64 ")", name_of(pending->message),
	    pending->number);
	if (waited) {
		add(end, " for ");
		add_time(end, pending->time_ns, end->now_ns);
	}
	if (!end->closed) {
		add(end, ", and there the capture ends");
	} else if (end->closer == NOBODY) {
		add(end, ", then the session was closed: ");
		add_foreign(end, end->reason);
	} else {
		add(end, ", then ");
		if (end->closer != asked) {
			add_side(end, end->closer);
			add(end, " ");
		}
		add(end, "closed%s", end->unread ? ", leaving bytes unread" : "");
	}
}

/* A request was not answered. Returns whether that was it. */
static bool say_unanswered(struct vhu_cause_end *end)
{
	const struct vhu_channel_state *channel = waiting(end);
	int asker = channel == end->main ? FRONT : BACK;
	const struct vhu_pending *pending;
	bool waited;

	if (!channel)
		return false;
	pending = vhu_pending_at(&channel->pending, 0);
	waited = age(end, pending->time_ns) >= (end->closer == asker ? REACTION_NS : HUNG_NS);
	/* Who stops a capture or a proxy most often stops it between a request and its answer. */
	if (end->closer == NOBODY && !waited &&
	    (end->closed || channel->last[asker].by != pending->number))
		return false;
	end->about = pending->number;
	if (waited || end->closer == NOBODY) {
		add_no_answer(end, !asker, pending, waited);
		return true;
	}
	add_closed_after(end, pending->time_ns);
	add(end, "%s (message %" PRIu64 "), %s", name_of(pending->message), pending->number,
	    end->closer == asker ? "without waiting for the answer" : "which it never answered");
	return true;
}

/* Add how many vrings were left running, if any. */
static void add_running(struct vhu_cause_end *end)
{
	unsigned running = vhu_state_running(end->state);

	if (running)
		add(end, " while %u vring%s ran", running, running > 1 ? "s" : "");
}

/* A side closed in answer to what the other had just sent. Returns whether that was it. */
static bool say_reaction(struct vhu_cause_end *end)
{
	int last = last_side(end);
	uint64_t time_ns;
	bool wrong;

	if (end->closer == NOBODY || last == NOBODY || last == end->closer)
		return false;
	time_ns = end->main->last[last].value;
	wrong = finding_at(end, end->main->last[last].by) != NULL;
	/* A front-end may leave after any answer; a back-end has to stay. */
	if (age(end, time_ns) > (wrong ? HUNG_NS : REACTION_NS) || (end->closer == FRONT && !wrong))
		return false;
	end->about = end->main->last[last].by;
	add_closed_after(end, time_ns);
	add_last(end, last);
	if (end->closer == BACK)
		add_running(end);
	return true;
}

/* A front-end left over what it was offered. Returns whether that was it. */
static bool say_offer(struct vhu_cause_end *end)
{
	for (unsigned i = 0; i < end->cause->findings; i++) {
		const struct vhu_finding *finding = &end->cause->finding[i];

		if (finding->rule != &vhu_rules[VHU_RULE_AT_209])
			continue;
		add(end, "%s", finding->text);
		return true;
	}
	return false;
}

/* Vrings were left running, or none was ever started. Returns whether that was it. */
static bool say_vrings(struct vhu_cause_end *end)
{
	unsigned running = vhu_state_running(end->state);
	bool begun = end->state->first_kick_ns != 0;

	if (end->closer == NOBODY || (!running && begun) || last_side(end) == NOBODY)
		return false;
	/* Front-ends that only look at what there is are no failure. */
	if (!running && end->closer == FRONT && !last_trouble(end))
		return false;
	add_side(end, end->closer);
	add(end, " closed%s", end->unread ? ", leaving bytes unread," : "");
	add_running(end);
	if (running)
		add(end, "%s: it was killed or crashed",
		    end->closer == FRONT ? ", which it did not stop" : "");
	else
		add(end, " before any vring was started");
	return true;
}

/* Add the rule that was broken there, or the one that was broken last before. */
static void add_rule(struct vhu_cause_end *end)
{
	const struct vhu_finding *finding = end->about ? finding_at(end, end->about) : NULL;
	bool there = finding != NULL;

	/* Whatever is wrong with half a message is so because it is half. */
	if (end->about && end->about == end->cause->partial.number)
		return;

	if (!there)
		finding = last_trouble(end);
	if (!finding)
		return;
	add(end, "; %smessage %" PRIu64 " (V%u %s): %s", there ? "" : "earlier, ", finding->number,
	    finding->rule->id, finding->rule->name, finding->text);
}

/* Add what each side did last, as far as that was not said. */
static void add_last_words(struct vhu_cause_end *end)
{
	for (int side = FRONT; side <= BACK; side++) {
		if (!end->main->last[side].by || end->main->last[side].by == end->about)
			continue;
		add(end, "; last from the %s: ", side == BACK ? "back-end" : "front-end");
		add_last(end, side);
		add(end, ", ");
		add_time(end, end->main->last[side].value, end->now_ns);
		add(end, " before the end");
	}
}

void vhu_cause_see(struct vhu_cause *cause, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note, const bool chosen[VHU_RULES])
{
	for (unsigned i = 0; i < note->findings; i++) {
		const struct vhu_rule *rule = note->finding[i].rule;

		if (rule->severity < VHU_WARNING || !chosen[rule - vhu_rules])
			continue;
		if (cause->findings == VHU_CAUSE_FINDINGS)
			memmove(cause->finding, cause->finding + 1,
				--cause->findings * sizeof(*cause->finding));
		cause->finding[cause->findings++] = note->finding[i];
	}
	if (!record)
		return;
	/* That records are missing says nothing about the session. */
	if (record->type == VHU_RECORD_ERROR && record->text && !(record->marks & VHU_MARK_LOST))
		snprintf(cause->error, sizeof(cause->error), "%s", record->text);
	if (record->type != VHU_RECORD_MESSAGE || record->channel != VHU_FRONT_END ||
	    !(record->marks & VHU_MARK_PARTIAL))
		return;
	cause->partial.number = number;
	cause->partial.message = note->message;
	cause->partial.bytes = record->message_sent;
	cause->partial.size = VHU_HEADER_SIZE + (note->has_header ? note->header.size : 0);
	cause->partial.from_back_end = record->from_back_end;
}

bool vhu_cause_text(const struct vhu_cause *cause, const struct vhu_state *state,
		    const struct vhu_record *record, uint64_t now_ns, char to[VHU_CAUSE_TEXT_MAX])
{
	const char *text = record && record->text ? record->text : "";
	struct vhu_cause_end end = {
	    .cause = cause,
	    .state = state,
	    .main = &state->channel[VHU_FRONT_END],
	    .now_ns = now_ns,
	    .closed = record != NULL,
	    .closer = !strncmp(text, "front-end ", 10) ? FRONT
		      : !strncmp(text, "back-end ", 9) ? BACK
						       : NOBODY,
	    .unread = strstr(text, "leaving bytes unread") != NULL,
	    .reason = text,
	    .to = to,
	};

	to[0] = '\0';
	if (!say_failure(&end) && !say_partial(&end) && !say_not_owed(&end) &&
	    !(end.closer == FRONT && say_reaction(&end)) && !say_unanswered(&end) &&
	    !say_offer(&end) && !say_reaction(&end) && !say_vrings(&end))
		return false;
	add_rule(&end);
	add_last_words(&end);
	return true;
}
