/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vrings that hang: kicks and calls that were recorded, those that the proxy lost, snapshots. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/cause/internal.h"
#include "lib/session/device.h"

/* Of so many kicks in a row each had a call: the driver has not turned calls off. */
#define ANSWERED_MIN 4

/* Return whether nothing of a vring is open. */
static bool is_quiet(const struct vhu_cause_vring *vring)
{
	return !vring->kick.number && !vring->lost_kick.number && !vring->lost_call.number &&
	       !vring->hang.number;
}

/* Return what is remembered of a vring, in place of one that is quiet if it is new; NULL: there is
 * no room. */
static struct vhu_cause_vring *vring_of(struct vhu_cause *cause, uint32_t index)
{
	struct vhu_cause_vring *free_one = NULL;

	for (unsigned i = 0; i < cause->vrings; i++) {
		if (cause->vring[i].vring == index)
			return &cause->vring[i];
		if (is_quiet(&cause->vring[i]))
			free_one = &cause->vring[i];
	}
	if (cause->vrings < VHU_CAUSE_VRINGS)
		free_one = &cause->vring[cause->vrings++];
	if (free_one)
		*free_one = (struct vhu_cause_vring){.vring = index};
	return free_one;
}

/* Remember a signal. */
static void keep(struct vhu_cause_signal *signal, const struct vhu_record *record, uint64_t number)
{
	signal->number = number;
	signal->time_ns = record->time_ns;
	snprintf(signal->by, sizeof(signal->by), "%s", record->text ? record->text : "");
}

/* Forget a signal. */
static void drop(struct vhu_cause_signal *signal)
{
	signal->number = 0;
}

/* Return whether a record is of a kick or a call that the proxy made, as somebody asked for. */
static bool is_sent(const struct vhu_record *record)
{
	return record->type == VHU_RECORD_VRING && record->vring.has & VHU_VRING_HAS_FATE &&
	       record->vring.fate == VHU_FATE_SENT;
}

/* Learn from a kick or a call. */
static void see_event(struct vhu_cause *cause, const struct vhu_record *record, uint64_t number)
{
	const struct vhu_vring_event *event = &record->vring;
	const bool lost = event->has & VHU_VRING_HAS_FATE && event->fate == VHU_FATE_LOST;
	const uint64_t count = event->has & VHU_VRING_HAS_FATE ? event->signals : 1;
	struct vhu_cause_vring *vring;

	if (event->act != VHU_ACT_KICK && event->act != VHU_ACT_CALL)
		return;
	vring = vring_of(cause, event->vring);
	if (!vring)
		return;
	if (event->act == VHU_ACT_KICK) {
		struct vhu_cause_signal *kept = lost ? &vring->lost_kick : &vring->kick;

		if (!lost)
			drop(&vring->lost_kick);
		/* One that somebody asked for need not have a call. */
		if (is_sent(record))
			return;
		vhu_turns_kick(&vring->turns, count, record->time_ns);
		if (!kept->number)
			keep(kept, record, number);
	} else if (lost) {
		if (!vring->lost_call.number)
			keep(&vring->lost_call, record, number);
	} else {
		vhu_turns_call(&vring->turns, count);
		vring->answered += vring->kick.number != 0;
		drop(&vring->kick);
		drop(&vring->lost_call);
		drop(&vring->hang);
	}
}

/* Return whether a look at a session's end shows what hung for long before: something has waited
 * for long, or the last call is missing, which no look says earlier. */
static bool is_long_ago(const struct vhu_vring_snapshot *snapshot)
{
	if (snapshot->verdict && !strcmp(snapshot->verdict, "D5"))
		return true;
	return snapshot->has & VHU_SNAPSHOT_HAS_AGE && snapshot->age_ns >= VHU_CAUSE_HUNG_NS;
}

/* Learn from a look at a vring. */
static void see_snapshot(struct vhu_cause *cause, const struct vhu_record *record, uint64_t number)
{
	const struct vhu_vring_snapshot *snapshot = &record->snapshot;
	struct vhu_cause_vring *vring = vring_of(cause, snapshot->vring);
	char text[VHU_SNAPSHOT_TEXT_MAX * 2];

	if (!vring)
		return;
	/* That it is stopped its messages say. */
	if (!snapshot->hangs || (snapshot->verdict && !strcmp(snapshot->verdict, "D10"))) {
		drop(&vring->hang);
		return;
	}
	/* What waits at an end may only just have come; or it is what hung before. */
	if (snapshot->reason == VHU_SNAPSHOT_END) {
		if (snapshot->used != vring->hang_used)
			drop(&vring->hang);
		if (vring->hang.number || !is_long_ago(snapshot))
			return;
	}
	keep(&vring->hang, record, number);
	vring->hang_at_end = snapshot->reason == VHU_SNAPSHOT_END;
	vring->hang_used = snapshot->used;
	vhu_snapshot_text(snapshot, text, sizeof(text));
	snprintf(vring->verdict, sizeof(vring->verdict), "%.*s", (int)sizeof(vring->verdict) - 1,
		 text);
}

/* Return whether a fault of the proxy altered the subject of a record. */
static bool is_altered(const struct vhu_record *record)
{
	return record->type == VHU_RECORD_VRING
		   ? record->vring.has & VHU_VRING_HAS_FATE &&
			 record->vring.fate != VHU_FATE_PASSED && !is_sent(record)
		   : record->marks & VHU_MARK_ALTERED &&
			 (!record->text || strcmp(record->text, VHU_RECORD_INTERPOSED) != 0);
}

void vhu_cause_see_vring(struct vhu_cause *cause, const struct vhu_record *record, uint64_t number)
{
	if (record->marks & VHU_MARK_EARLIER)
		return;
	if (is_altered(record)) {
		cause->alterations++;
		keep(&cause->ours, record, number);
	}
	if (is_sent(record)) {
		keep(&cause->sent, record, number);
		cause->sent_call = record->vring.act == VHU_ACT_CALL;
		cause->sent_vring = record->vring.vring;
	}
	if (record->type == VHU_RECORD_VRING)
		see_event(cause, record, number);
	else if (record->type == VHU_RECORD_SNAPSHOT)
		see_snapshot(cause, record, number);
}

/* How far a vring had come when its session ended, or when it was stopped before. */
struct vhu_cause_until {
	uint64_t time_ns;
	uint64_t stopped; /* the message that stopped or disabled it; 0: it ran to the end */
};

/* Return until when a signal could have had its effect; its time is 0 if the vring was started
 * again since. */
static struct vhu_cause_until until(const struct vhu_cause_end *end, uint32_t index,
				    const struct vhu_cause_signal *signal)
{
	const struct vhu_vring *vring;

	/* The state has no vring of a session that is only known by looks at it. */
	if (index >= end->state->vrings)
		return (struct vhu_cause_until){end->now_ns, 0};
	vring = &end->state->vring[index];
	if (vring->start_ns > signal->time_ns)
		return (struct vhu_cause_until){0};
	if (!vring->started.value && vring->stopped.by)
		return (struct vhu_cause_until){vring->stopped.value, vring->stopped.by};
	if (!vring->enabled.value && vring->enabled.by > signal->number)
		return (struct vhu_cause_until){vring->enabled_ns, vring->enabled.by};
	return (struct vhu_cause_until){end->now_ns, 0};
}

/* Return how long a signal had had no effect. */
static uint64_t age(const struct vhu_cause_end *end, uint32_t vring,
		    const struct vhu_cause_signal *signal)
{
	const uint64_t time_ns = signal->number ? until(end, vring, signal).time_ns : 0;

	return time_ns > signal->time_ns ? time_ns - signal->time_ns : 0;
}

/* Add which fault it was. */
static void add_by(struct vhu_cause_end *end, const struct vhu_cause_signal *signal)
{
	vhu_line_add(&end->line, " by the proxy");
	if (*signal->by) {
		vhu_line_add(&end->line, " (");
		vhu_line_foreign(&end->line, signal->by, sizeof(signal->by), "");
		vhu_line_add(&end->line, ")");
	}
	end->ours_said = true;
}

/* Add for how long nothing came, and until what. */
static void add_for(struct vhu_cause_end *end, uint32_t vring,
		    const struct vhu_cause_signal *signal)
{
	const struct vhu_cause_until last = until(end, vring, signal);

	vhu_line_add(&end->line, " for ");
	vhu_cause_add_time(end, signal->time_ns, last.time_ns);
	if (last.stopped)
		vhu_line_printf(&end->line, " until the vring was stopped (%" PRIu64 ")",
				last.stopped);
	else
		vhu_line_add(&end->line, end->goes_on ? " so far" : " until the end");
}

/* Say that a kick had no call. */
static void say_open_kick(struct vhu_cause_end *end, const struct vhu_cause_vring *vring)
{
	vhu_line_printf(&end->line, "vring %" PRIu32 ": kick (%" PRIu64 ") had no call",
			vring->vring, vring->kick.number);
	add_for(end, vring->vring, &vring->kick);
}

/* Say that the proxy lost a call, or a kick, and none came behind it. */
static void say_lost(struct vhu_cause_end *end, const struct vhu_cause_vring *vring)
{
	const bool call = vring->lost_call.number != 0;

	if (call && vring->kick.number) {
		say_open_kick(end, vring);
		vhu_line_printf(&end->line, "; its call (%" PRIu64 ") was lost",
				vring->lost_call.number);
		add_by(end, &vring->lost_call);
		return;
	}
	vhu_line_printf(&end->line, "vring %" PRIu32 ": %s (%" PRIu64 ") was lost", vring->vring,
			call ? "call" : "kick",
			call ? vring->lost_call.number : vring->lost_kick.number);
	add_by(end, call ? &vring->lost_call : &vring->lost_kick);
	vhu_line_printf(&end->line, " and none came%s", call ? "" : " after it");
	add_for(end, vring->vring, call ? &vring->lost_call : &vring->lost_kick);
}

/* Say that a vring hung when it was looked at last. */
static void say_hang(struct vhu_cause_end *end, const struct vhu_cause_vring *vring)
{
	const size_t size = strnlen(vring->verdict, sizeof(vring->verdict));

	vhu_line_add(&end->line, vring->verdict);
	if (size + 1 == sizeof(vring->verdict))
		vhu_line_add(&end->line, "...");
	vhu_line_printf(&end->line, ", as seen (%" PRIu64 ")", vring->hang.number);
	if (end->goes_elsewhere || end->now_ns <= vring->hang.time_ns)
		return;
	vhu_line_add(&end->line, " ");
	vhu_cause_add_time(end, vring->hang.time_ns, end->now_ns);
	vhu_line_add(&end->line, end->goes_on ? " ago" : " before the end");
}

/* Return whether the last kick had no call, which it should have had. */
static bool lacks_call(const struct vhu_cause_end *end, const struct vhu_cause_vring *vring)
{
	return vring->answered >= ANSWERED_MIN &&
	       vhu_device_answers_all(end->state->context.device, vring->vring) &&
	       age(end, vring->vring, &vring->kick) >= VHU_CAUSE_HUNG_NS;
}

/* Return whether the last kick had no call, and each one before it had, since the vring was
 * started. */
static bool is_out_of_turn(const struct vhu_cause_end *end, const struct vhu_cause_vring *vring)
{
	return vhu_turns_in_turn(&vring->turns) >= VHU_TURNS_HABIT && lacks_call(end, vring) &&
	       vring->vring < end->state->vrings &&
	       end->state->vring[vring->vring].start_ns <= vring->turns.begun_ns;
}

/* Return whether the front-end left its vrings running: it may have been ended because it hung. */
static bool is_left(const struct vhu_cause_end *end)
{
	return end->closer == VHU_CAUSE_FRONT && !end->fate && vhu_state_running(end->state) > 0;
}

/* Return whether a vring was left hanging. */
static bool hangs(const struct vhu_cause_end *end, const struct vhu_cause_vring *vring)
{
	const uint64_t least = VHU_CAUSE_HUNG_NS;

	/* What has no call yet may have it in the next file. */
	if (end->goes_elsewhere)
		return vring->hang.number && !vring->hang_at_end;
	if (age(end, vring->vring, &vring->lost_call) >= least ||
	    age(end, vring->vring, &vring->lost_kick) >= least)
		return true;
	if (is_left(end) && is_out_of_turn(end, vring))
		return true;
	return vring->hang.number && (!vring->hang_at_end || is_left(end)) &&
	       until(end, vring->vring, &vring->hang).time_ns &&
	       !until(end, vring->vring, &vring->hang).stopped;
}

bool vhu_cause_say_data_path(struct vhu_cause_end *end)
{
	const struct vhu_cause_vring *first = NULL;
	unsigned more = 0;

	for (unsigned i = 0; i < end->cause->vrings; i++) {
		if (!hangs(end, &end->cause->vring[i]))
			continue;
		more += first != NULL;
		if (!first)
			first = &end->cause->vring[i];
	}
	if (!first)
		return false;
	if (!end->goes_elsewhere && (first->lost_call.number || first->lost_kick.number))
		say_lost(end, first);
	else if (first->hang.number)
		say_hang(end, first);
	else
		say_open_kick(end, first);
	if (more)
		vhu_line_printf(&end->line, "; so do %u more vring%s", more, more > 1 ? "s" : "");
	if (end->goes_elsewhere)
		vhu_line_add(&end->line, "; the recording ends there, the session did not");
	else if (!end->goes_on)
		vhu_cause_add_then(end, VHU_CAUSE_NOBODY);
	end->data_path_said = true;
	end->hung = is_left(end);
	return true;
}

void vhu_cause_add_open_kicks(struct vhu_cause_end *end)
{
	if (end->data_path_said || !vhu_state_running(end->state))
		return;
	for (unsigned i = 0; i < end->cause->vrings; i++) {
		const struct vhu_cause_vring *vring = &end->cause->vring[i];

		if (!lacks_call(end, vring))
			continue;
		vhu_line_add(&end->line, "; ");
		say_open_kick(end, vring);
	}
}

void vhu_cause_add_ours(struct vhu_cause_end *end)
{
	const struct vhu_cause *cause = end->cause;

	if (cause->sent.number)
		vhu_line_printf(
		    &end->line, "; the proxy itself %s vring %" PRIu32 " on request (%" PRIu64 ")",
		    cause->sent_call ? "called" : "kicked", cause->sent_vring, cause->sent.number);
	if (!cause->ours.number || end->ours_said)
		return;
	vhu_line_printf(&end->line, "; the proxy altered what passed, as configured (%s%" PRIu64,
			cause->alterations > 1 ? "last " : "", cause->ours.number);
	if (*cause->ours.by) {
		vhu_line_add(&end->line, ": ");
		vhu_line_foreign(&end->line, cause->ours.by, sizeof(cause->ours.by), "");
	}
	vhu_line_add(&end->line, ")");
}
