/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a session ended badly, in one line: what an end looks like. */
#include "lib/cause/cause.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/cause/internal.h"
#include "lib/session/rules/table.h"

/* Begin with who closed, and how long after what happened at @time_ns. */
static void add_closed_after(struct vhu_cause_end *end, uint64_t time_ns)
{
	vhu_cause_add_side(end, end->closer);
	vhu_line_add(&end->line, " ");
	vhu_cause_add_close(end);
	vhu_line_add(&end->line, end->unread ? ", " : " ");
	vhu_cause_add_time(end, time_ns, end->now_ns);
	vhu_line_add(&end->line, " after ");
}

/* The proxy could not go on: the record that closes the session says so, and one of an error may
 * say more. Returns whether that was it. */
static bool say_failure(struct vhu_cause_end *end)
{
	const char *error = end->cause->error;
	bool more = *end->reason && !strncmp(error, end->reason, strlen(end->reason));

	if (end->closer != VHU_CAUSE_NOBODY || (!more && strncmp(end->reason, "cannot ", 7)))
		return false;
	vhu_line_foreign(&end->line, more ? error : end->reason, VHU_RECORD_TEXT_MAX, "");
	return true;
}

/* A side closed in the middle of a message. Returns whether that was it. */
static bool say_partial(struct vhu_cause_end *end)
{
	const enum vhu_cause_side side =
	    end->cause->partial.from_back_end ? VHU_CAUSE_BACK : VHU_CAUSE_FRONT;

	if (!end->cause->partial.number || end->main->last[side].by > end->cause->partial.number)
		return false;
	end->about = end->cause->partial.number;
	vhu_cause_add_side(end, side);
	vhu_line_add(&end->line, " ");
	vhu_cause_add_close(end);
	vhu_line_printf(&end->line,
			" in the middle of %s (%" PRIu64 "), after %" PRIu64 " of %" PRIu64
			" bytes",
			vhu_cause_name(end->cause->partial.message), end->about,
			end->cause->partial.bytes, end->cause->partial.size);
	return true;
}

/* The front-end waits for an answer that it is not owed. Returns whether that was it. */
static bool say_not_owed(struct vhu_cause_end *end)
{
	const struct vhu_pending *waits =
	    end->main->pending.count ? vhu_pending_at(&end->main->pending, 0) : NULL;
	uint64_t number = waits ? waits->number : end->main->last[VHU_CAUSE_FRONT].by;
	uint64_t time_ns = waits ? waits->time_ns : end->main->last[VHU_CAUSE_FRONT].value;
	const struct vhu_message *message =
	    waits ? waits->message : end->main->last_message[VHU_CAUSE_FRONT];
	const struct vhu_finding *finding = vhu_cause_finding_at(end, number);

	if (end->closer == VHU_CAUSE_BACK || number < end->main->last[VHU_CAUSE_BACK].by ||
	    !finding || finding->rule != &vhu_rules[VHU_RULE_AT_401])
		return false;
	end->about = number;
	vhu_cause_add_side(end, VHU_CAUSE_FRONT);
	vhu_line_add(&end->line, " waited ");
	vhu_cause_add_time(end, time_ns, end->now_ns);
	vhu_line_add(&end->line, " for an answer to ");
	vhu_cause_add_message(end, number, message, false);
	vhu_line_add(&end->line, " that it is not owed");
	return true;
}

/* Find the refusal that the back-end sent last on the front-end's channel, if nothing followed and
 * the session ended because of it. Returns it or NULL. */
static const struct vhu_finding *last_refusal(const struct vhu_cause_end *end)
{
	const struct vhu_told *last = &end->main->last[VHU_CAUSE_BACK];

	if (end->closer == VHU_CAUSE_NOBODY || vhu_cause_last_side(end) != VHU_CAUSE_BACK ||
	    vhu_cause_age(end, last->value) > VHU_CAUSE_HUNG_NS)
		return NULL;
	for (unsigned i = end->cause->findings; i-- > 0;) {
		const struct vhu_finding *finding = &end->cause->finding[i].finding;

		if (finding->number == last->by && finding->rule == &vhu_rules[VHU_RULE_AT_412] &&
		    finding->other[0])
			return finding;
	}
	return NULL;
}

/* The back-end refused a request, and one of both closed. Returns whether that was it. */
static bool say_refused(struct vhu_cause_end *end)
{
	const struct vhu_finding *refusal = last_refusal(end);
	const struct vhu_cause_message *reply;

	if (!refusal)
		return false;
	end->about = refusal->other[0];
	end->answer = refusal->number;
	end->at_fault = VHU_CAUSE_BACK;
	end->refused = true;
	vhu_cause_add_side(end, VHU_CAUSE_BACK);
	vhu_line_add(&end->line, " refused ");
	vhu_cause_add_message(end, end->about, end->main->last_message[VHU_CAUSE_BACK], false);
	reply = vhu_cause_message_at(end->cause, end->answer);
	if (reply && reply->layout == &vhu_layouts[VHU_LAYOUT_ack] &&
	    reply->captured >= sizeof(uint64_t))
		vhu_line_printf(
		    &end->line, " with %" PRIu64,
		    vhu_integer_read(reply->bytes, sizeof(uint64_t), reply->big_endian));
	vhu_line_add(&end->line, ", then ");
	if (end->closer == VHU_CAUSE_FRONT) {
		vhu_cause_add_side(end, end->closer);
		vhu_line_add(&end->line, " ");
	}
	vhu_cause_add_close(end);
	vhu_line_add(&end->line, " ");
	vhu_cause_add_time(end, end->main->last[VHU_CAUSE_BACK].value, end->now_ns);
	vhu_line_add(&end->line, " later");
	vhu_cause_add_running(end);
	return true;
}

/* A side closed in answer to what the other had just sent. Returns whether that was it. */
static bool say_reaction(struct vhu_cause_end *end)
{
	const enum vhu_cause_side last = vhu_cause_last_side(end);
	uint64_t time_ns;
	bool wrong;

	if (end->closer == VHU_CAUSE_NOBODY || last == VHU_CAUSE_NOBODY || last == end->closer)
		return false;
	time_ns = end->main->last[last].value;
	wrong = vhu_cause_finding_at(end, end->main->last[last].by) != NULL;
	/* A front-end may leave after any answer; a back-end has to stay. */
	if (vhu_cause_age(end, time_ns) > (wrong ? VHU_CAUSE_HUNG_NS : VHU_CAUSE_REACTION_NS) ||
	    (end->closer == VHU_CAUSE_FRONT && !wrong))
		return false;
	end->about = end->main->last[last].by;
	add_closed_after(end, time_ns);
	vhu_cause_add_last(end, last);
	if (end->closer != VHU_CAUSE_BACK)
		return true;
	vhu_cause_add_running(end);
	end->at_fault = VHU_CAUSE_BACK;
	return true;
}

/* A front-end left because of the offer, which is a guess; an error before is a fact. Returns
 * whether that was it. */
static bool say_offer(struct vhu_cause_end *end)
{
	const struct vhu_finding *trouble = vhu_cause_trouble(end, UINT64_MAX);

	if (trouble && trouble->rule->severity == VHU_ERROR)
		return false;
	for (unsigned i = 0; i < end->cause->findings; i++) {
		const struct vhu_finding *finding = &end->cause->finding[i].finding;

		if (finding->rule != &vhu_rules[VHU_RULE_AT_209])
			continue;
		vhu_line_add(&end->line, finding->text);
		return true;
	}
	return false;
}

/* A front-end left over an answer, before anything was started. Returns whether that was it. */
static bool say_answer(struct vhu_cause_end *end)
{
	const uint64_t answer = end->main->last[VHU_CAUSE_BACK].by;

	for (unsigned i = 0; i < VHU_CAUSE_INFOS; i++) {
		const struct vhu_finding *info = &end->cause->info[i];

		if (!info->rule || info->rule != &vhu_rules[VHU_RULE_AT_414])
			continue;
		end->about = answer;
		end->unsure = !vhu_state_is_used(end->state);
		add_closed_after(end, end->main->last[VHU_CAUSE_BACK].value);
		vhu_cause_add_last(end, VHU_CAUSE_BACK);
		vhu_line_printf(&end->line, ", before any vring was started%s",
				strrchr(info->text, ':'));
		return true;
	}
	return false;
}

/* Nothing tells why it ended, and something was wrong before. */
static void say_worst(struct vhu_cause_end *end)
{
	const struct vhu_finding *worst = &end->cause->worst;

	if (end->closer == VHU_CAUSE_NOBODY) {
		vhu_line_add(&end->line, "the session ended");
	} else {
		vhu_cause_add_side(end, end->closer);
		vhu_line_add(&end->line, " ");
		vhu_cause_add_close(end);
	}
	vhu_line_printf(&end->line, "; earlier, message %" PRIu64 " (V%u %s): %s", worst->number,
			worst->rule->id, worst->rule->name, worst->text);
}

/* Return what became of the closer's process as a reason says it, NULL if it does not. */
static const char *fate_of(const char *reason)
{
	const char *fate = strstr(reason, ": killed by ");

	if (!fate)
		fate = strstr(reason, ": exited ");
	return fate ? fate + 2 : NULL;
}

enum vhu_cause_verdict vhu_cause_judge(const struct vhu_cause *cause, const struct vhu_state *state,
				       const struct vhu_cause_ending *ending,
				       char to[VHU_CAUSE_TEXT_MAX])
{
	const char *text = ending->record && ending->record->text ? ending->record->text : "";
	struct vhu_cause_end end = {
	    .cause = cause,
	    .state = state,
	    .main = &state->channel[VHU_FRONT_END],
	    .now_ns = ending->now_ns,
	    .closed = ending->record != NULL,
	    .goes_on = ending->goes_on,
	    .goes_elsewhere = ending->goes_elsewhere,
	    .hung_ns = ending->hung_ns ? ending->hung_ns : VHU_CAUSE_HUNG_NS,
	    .closer = !strncmp(text, "front-end ", 10) ? VHU_CAUSE_FRONT
		      : !strncmp(text, "back-end ", 9) ? VHU_CAUSE_BACK
						       : VHU_CAUSE_NOBODY,
	    .unread = strstr(text, "leaving bytes unread") != NULL,
	    .reason = text,
	    .at_fault = VHU_CAUSE_NOBODY,
	    .line = vhu_line_in(to, VHU_CAUSE_TEXT_MAX),
	};

	if (end.closer != VHU_CAUSE_NOBODY)
		end.fate = fate_of(text);
	/* The session has not ended: but a vring that hung was seen to. */
	if (ending->goes_elsewhere)
		return vhu_cause_say_data_path(&end) ? VHU_CAUSE_BADLY : VHU_CAUSE_WELL;
	if (!say_failure(&end) && !say_partial(&end) && !say_not_owed(&end) && !say_refused(&end) &&
	    !(end.closer == VHU_CAUSE_FRONT && say_reaction(&end)) &&
	    !vhu_cause_say_unanswered(&end) && !say_offer(&end) && !say_reaction(&end) &&
	    !say_answer(&end) && !vhu_cause_say_data_path(&end) &&
	    !vhu_cause_say_never_enabled(&end) && !vhu_cause_say_vrings(&end)) {
		if (!cause->worst.rule)
			return VHU_CAUSE_WELL;
		say_worst(&end);
		return VHU_CAUSE_BADLY;
	}
	vhu_cause_add_why(&end);
	vhu_cause_add_open_kicks(&end);
	vhu_cause_add_ours(&end);
	vhu_cause_add_last_words(&end);
	return end.unsure && !cause->worst.rule ? VHU_CAUSE_UNSURE : VHU_CAUSE_BADLY;
}
