/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a session ended as it did: the rule that was broken, or that none was. */
#include <inttypes.h>

#include "lib/cause/internal.h"
#include "lib/session/rules/table.h"

/* Return whether a rule says what the line says anyway, or nothing about the end. */
static bool is_silent(const struct vhu_rule *rule)
{
	switch (rule - vhu_rules) {
	case VHU_RULE_AT_209:
	case VHU_RULE_AT_402:
	case VHU_RULE_AT_411:
	case VHU_RULE_AT_414:
		return true;
	}
	return false;
}

/* Return whether the back-end refused what a rule is about. */
static bool is_refusal(const struct vhu_rule *rule)
{
	return rule == &vhu_rules[VHU_RULE_AT_412] || rule == &vhu_rules[VHU_RULE_AT_602];
}

const struct vhu_finding *vhu_cause_finding_at(const struct vhu_cause_end *end, uint64_t number)
{
	const struct vhu_finding *worst = NULL;

	for (unsigned i = 0; i < end->cause->findings; i++) {
		const struct vhu_finding *finding = &end->cause->finding[i].finding;

		if (finding->number == number && !is_silent(finding->rule) &&
		    (!worst || finding->rule->severity > worst->rule->severity))
			worst = finding;
	}
	return worst;
}

const struct vhu_finding *vhu_cause_trouble(const struct vhu_cause_end *end, uint64_t within_ns)
{
	for (unsigned i = end->cause->findings; i-- > 0;) {
		const struct vhu_cause_finding *found = &end->cause->finding[i];
		const struct vhu_rule *rule = found->finding.rule;
		const struct vhu_finding *first;

		if (is_silent(rule) || vhu_cause_age(end, found->time_ns) > within_ns ||
		    (rule->severity != VHU_ERROR && !is_refusal(rule)))
			continue;
		/* What was refused was wrong itself. */
		first =
		    is_refusal(rule) ? vhu_cause_finding_at(end, found->finding.other[0]) : NULL;
		return first ? first : &found->finding;
	}
	return NULL;
}

/* Add the infos about the message that the line is about. Returns whether there are any. */
static bool add_infos(struct vhu_cause_end *end)
{
	bool any = false;

	for (unsigned i = 0; i < VHU_CAUSE_INFOS; i++) {
		const struct vhu_finding *info = &end->cause->info[i];

		if (!info->rule || !end->about || info->number != end->about ||
		    is_silent(info->rule))
			continue;
		vhu_line_printf(&end->line, "; message %" PRIu64 " (V%u %s): %s", info->number,
				info->rule->id, info->rule->name, info->text);
		any = true;
	}
	return any;
}

/* Return whether a broken rule lets a device hang, whenever it was broken. */
static bool lets_hang(const struct vhu_rule *rule)
{
	switch (rule->id) {
	case 302: /* a first kick that may be lost */
	case 323: /* started and never enabled */
	case 324: /* one of a pair enabled before the other is set up */
	case 325: /* size or base changed while running */
	case 326: /* started without size or addresses */
	case 329: /* stopped while in use */
	case 332: /* a first kick without an answer */
		return true;
	}
	return false;
}

/* Add a rule that lets the device hang. */
static void add_suspect(struct vhu_cause_end *end, const struct vhu_finding *finding)
{
	vhu_line_printf(&end->line, "; V%u %s: %s", finding->rule->id, finding->rule->name,
			finding->text);
}

/* Add the rules that were broken before and let a device hang. Returns whether there are any. */
static bool add_suspects(struct vhu_cause_end *end)
{
	bool any = false;

	for (unsigned i = 0; i < end->cause->findings; i++) {
		const struct vhu_finding *finding = &end->cause->finding[i].finding;

		if (!lets_hang(finding->rule) || (end->disabled && finding->rule->id == 323))
			continue;
		add_suspect(end, finding);
		any = true;
	}
	/* Healthy sessions have infos: they count where the device may have hung. */
	for (unsigned i = 0; i < VHU_CAUSE_INFOS && end->hung && !any; i++) {
		const struct vhu_finding *info = &end->cause->info[i];

		if (!info->rule || !lets_hang(info->rule))
			continue;
		add_suspect(end, info);
		any = true;
	}
	return any;
}

/* Return whether bit 30 was not acked though protocol features are in use. */
static bool lacks_bit_30(const struct vhu_state *state)
{
	return state->context.has_features && state->context.has_protocol_features &&
	       !(state->context.features >> VHU_F_PROTOCOL_FEATURES & 1);
}

/* Add that the back-end may want bit 30 before it acknowledges, if that can be it. Returns whether
 * it can. */
static bool add_bit_30(struct vhu_cause_end *end)
{
	const struct vhu_cause_message *about = vhu_cause_message_at(end->cause, end->about);

	if (end->at_fault != VHU_CAUSE_BACK || !about || !about->message ||
	    about->message->reply_rule != VHU_REPLY_ACK || !lacks_bit_30(end->state))
		return false;
	vhu_line_printf(&end->line,
			"; REPLY_ACK was acked, bit 30 was not (message %" PRIu64
			"): a back-end that wants bit 30 too acknowledges nothing",
			end->state->features.acked.by);
	return true;
}

/* Add which back-ends do so with the message that the line is about, if that is known. */
static void add_known(struct vhu_cause_end *end)
{
	const struct vhu_cause_message *about = vhu_cause_message_at(end->cause, end->about);
	const struct vhu_payload payload = {about ? about->bytes : NULL,
					    about ? about->captured : 0, about ? about->size : 0,
					    about && about->big_endian};
	uint64_t offset;

	if (about && about->message == &vhu_messages[VHU_MSG_GET_CONFIG] &&
	    vhu_field_read(&payload, VHU_FIELD_config_offset, 0, &offset) && !offset)
		vhu_line_add(&end->line,
			     ", for example one that counts configuration offsets from 0x100");
}

/* Add that the message that the line is about breaks no rule, and whose fault it is then. */
static void add_innocent(struct vhu_cause_end *end)
{
	/* Without the beginning some rules could not be looked at. */
	if (end->at_fault == VHU_CAUSE_NOBODY || !end->about || !end->state->opened_ns)
		return;
	if (vhu_state_is_altered(end->state, end->about)) {
		end->ours_said = true;
		vhu_line_printf(&end->line, "; the proxy altered message %" PRIu64, end->about);
		return;
	}
	if (add_bit_30(end))
		return;
	if (end->answer && !end->refused)
		vhu_line_printf(&end->line, "; message %" PRIu64, end->about);
	else
		vhu_line_add(&end->line, "; this message");
	vhu_line_printf(&end->line, " breaks no rule: %sthe %s is at fault",
			end->refused ? "the front-end asks for more than this back-end has, or "
				     : "",
			end->at_fault == VHU_CAUSE_BACK ? "back-end" : "front-end");
	if (end->at_fault == VHU_CAUSE_BACK)
		add_known(end);
}

void vhu_cause_add_why(struct vhu_cause_end *end)
{
	const struct vhu_finding *finding =
	    end->about ? vhu_cause_finding_at(end, end->about) : NULL;
	bool there = finding != NULL;

	/* Whatever is wrong with half a message is so because it is half. */
	if (end->about && end->about == end->cause->partial.number)
		return;
	if (!there)
		finding = vhu_cause_trouble(end, UINT64_MAX);
	/* That it was refused has been said. */
	if (finding && end->refused && finding->number == end->answer)
		finding = NULL;
	if (finding && there)
		vhu_line_printf(&end->line, "; message %" PRIu64 " (V%u %s): %s", finding->number,
				finding->rule->id, finding->rule->name, finding->text);
	if (add_infos(end) || there)
		return;
	if (finding)
		vhu_line_printf(&end->line, "; %smessage %" PRIu64 " (V%u %s): %s",
				finding->number == end->answer ? "" : "earlier, ", finding->number,
				finding->rule->id, finding->rule->name, finding->text);
	else if (!add_suspects(end))
		add_innocent(end);
}

void vhu_cause_add_last_words(struct vhu_cause_end *end)
{
	for (enum vhu_cause_side side = VHU_CAUSE_FRONT; side <= VHU_CAUSE_BACK; side++) {
		const struct vhu_told *last = &end->main->last[side];

		if (!last->by || last->by == end->about || last->by == end->answer)
			continue;
		vhu_line_printf(&end->line, "; last from the %s: ",
				side == VHU_CAUSE_BACK ? "back-end" : "front-end");
		vhu_cause_add_last(end, side);
		vhu_line_add(&end->line, ", ");
		vhu_cause_add_time(end, last->value, end->now_ns);
		vhu_line_add(&end->line, end->goes_on ? " ago" : " before the end");
	}
}
