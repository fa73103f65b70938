/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stalls as they are said, recorded, and handed to the command. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/ring/verdict/process.h"
#include "lib/ring/verdict/show.h"
#include "lib/util/util.h"
#include "tools/latency/stall/internal.h"
#include "tools/rings/process/queues.h"

/* Something that has stalled. */
struct stall {
	uint64_t session;    /* 0: none */
	int64_t vring;       /* -1: a request without its reply */
	const char *verdict; /* "D3" */
	const char *text;
	const char *pair;             /* what its session is called; "" without one */
	uint32_t front_end, back_end; /* processes; 0: not known */
};

/* Return what a session is called. */
static const char *pair_of(const struct vhu_rings_session *session)
{
	return vhu_latency_pair_name(session->path[VHU_RINGS_FRONT], session->path[VHU_RINGS_BACK]);
}

/* Have the command run. */
static void run_command(const struct vhu_latency_stall *stall, const struct stall *one)
{
	const struct vhu_latency_stall_choice *choice = &stall->choice;
	struct vhu_on_stall_message message = {
	    .session = one->session,
	    .vring = (int32_t)one->vring,
	    .front_end = one->front_end,
	    .back_end = one->back_end,
	};
	int error;

	if (choice->on_stall->pipe < 0)
		return;
	snprintf(message.verdict, sizeof(message.verdict), "%s", one->verdict);
	snprintf(message.text, sizeof(message.text), "%s", one->text);
	snprintf(message.capture, sizeof(message.capture), "%s", choice->capture);
	error = vhu_on_stall_run(choice->on_stall, &message);
	if (error)
		vhu_fail(choice->command, "--on-stall: not run for: %s: %s", one->text,
			 error == -EAGAIN ? "it still runs for earlier stalls" : strerror(-error));
}

/* Say it, and have the command run. */
static void tell(const struct vhu_latency_stall *stall, const struct stall *one)
{
	if (one->session)
		vhu_fail(stall->choice.command, "session %" PRIu64 ": stall: %s", one->session,
			 one->text);
	else
		vhu_fail(stall->choice.command, "stall: %s", one->text);
	if (stall->choice.stalled)
		stall->choice.stalled(stall->choice.with, one->pair, one->verdict);
	run_command(stall, one);
}

/* Give a record to whoever takes records. */
static void record(const struct vhu_latency_stall *stall, struct vhu_record *made, uint64_t session)
{
	const struct vhu_latency_events *events = stall->choice.events;

	if (!events->give)
		return;
	made->session = session;
	made->time_ns = vhu_realtime_ns();
	events->give(events->with, made);
}

/* Record how a vring is. */
static void record_vring(struct vhu_latency_stall *stall,
			 const struct vhu_latency_stall_vring *vring,
			 const struct vhu_ring_verdict *verdict)
{
	struct vhu_record made = {.type = VHU_RECORD_SNAPSHOT};

	if (!stall->choice.events->give)
		return;
	made.snapshot = vhu_ringwatch_record(&vring->watched.evidence, verdict,
					     vring->target ? &vring->target->memory->memory : NULL,
					     VHU_SNAPSHOT_STALL, &stall->room);
	record(stall, &made, vring->session);
}

/* Begin a line of JSON. */
static void json_begin(struct vhu_json *json, uint64_t session)
{
	vhu_json_document(json, NULL, "latency/1");
	vhu_json_string(json, "type", "stall");
	vhu_json_unsigned(json, "time_ns", vhu_realtime_ns());
	vhu_json_unsigned(json, "session", session);
}

/* End a line of JSON. */
static void json_end(struct vhu_json *json)
{
	vhu_json_object_end(json);
	fputc('\n', stdout);
	fflush(stdout);
}

void vhu_latency_stall_tell_vring(struct vhu_latency_stall *stall,
				  struct vhu_latency_stall_vring *vring,
				  const struct vhu_ring_verdict *verdict)
{
	const struct vhu_ring_sample *sample = &vring->watched.evidence.sample[1];
	char text[VHU_RING_SHOW_TEXT];
	const struct stall one = {
	    .session = vring->session,
	    .vring = vring->index,
	    .verdict = vhu_ring_verdicts[verdict->id].id,
	    .text = text,
	    .pair = vring->target ? pair_of(vring->target->session) : "",
	    .front_end = sample->front_end.pid,
	    .back_end = sample->back_end.pid,
	};
	struct vhu_json json = {.to = stdout};

	vhu_ring_verdict_text(vring->index, verdict, text, sizeof(text));
	record_vring(stall, vring, verdict);
	if (stall->choice.json) {
		json_begin(&json, vring->session);
		vhu_ring_evidence_json(&json, &vring->watched.evidence, verdict);
		json_end(&json);
	}
	tell(stall, &one);
}

/* Write a request that stalls as a line of JSON. */
static void json_request(const struct vhu_ring_pending *pending, const struct stall *one)
{
	struct vhu_json json = {.to = stdout};

	json_begin(&json, one->session);
	vhu_json_object(&json, "verdict");
	vhu_json_string(&json, "id", one->verdict);
	vhu_json_string(&json, "title", vhu_ring_verdicts[VHU_RING_D14].title);
	vhu_json_string(&json, "text", one->text);
	vhu_json_bool(&json, "hangs", true);
	vhu_json_array(&json, "alternatives");
	vhu_json_array_end(&json);
	vhu_json_object_end(&json);
	vhu_json_object(&json, "pending");
	vhu_json_unsigned(&json, "request_number", pending->number);
	if (pending->message < VHU_MESSAGES)
		vhu_json_string(&json, "message", vhu_messages[pending->message].name);
	vhu_json_unsigned(&json, "age_ns", pending->age_ns);
	vhu_json_string(&json, "from", pending->from_back_end ? "back-end" : "front-end");
	vhu_json_object_end(&json);
	json_end(&json);
}

void vhu_latency_stall_tell_request(struct vhu_latency_stall *stall,
				    const struct vhu_rings_memory *memory,
				    const struct vhu_ring_pending *pending)
{
	const unsigned side = pending->from_back_end ? VHU_RINGS_FRONT : VHU_RINGS_BACK;
	const uint64_t session = memory->session->kept.session;
	struct vhu_record made = {.type = VHU_RECORD_ERROR};
	char text[VHU_RING_SHOW_TEXT], error[VHU_RECORD_TEXT_MAX + 1];
	struct vhu_line line = vhu_line_in(text, sizeof(text));
	struct vhu_line mistake = vhu_line_in(error, sizeof(error));
	const struct stall one = {
	    .session = session,
	    .vring = -1,
	    .verdict = vhu_ring_verdicts[VHU_RING_D14].id,
	    .text = text,
	    .pair = pair_of(memory->session),
	    .front_end = memory->session->pid[VHU_RINGS_FRONT],
	    .back_end = memory->session->pid[VHU_RINGS_BACK],
	};
	struct vhu_rings_queues queues;
	struct vhu_ring_process process = {0};

	vhu_rings_queues_read(&queues, &stall->targets);
	process.unread = vhu_rings_queues_unread(&queues, memory, side);
	vhu_rings_queues_free(&queues);
	vhu_ring_process_read(&process, memory->session->pid[side]);
	vhu_stall_pending_text(&line, pending, process.unread ? ", and has not read it" : "",
			       &process);
	vhu_line_printf(&mistake, "stall: %s", text);
	made.text = error;
	record(stall, &made, session);
	for (unsigned i = 0; i < stall->vrings; i++) {
		struct vhu_latency_stall_vring *vring = stall->vring[i];
		struct vhu_ring_verdict verdict;

		if (vring->session != session)
			continue;
		verdict = vhu_ring_judge(&vring->watched.evidence);
		record_vring(stall, vring, &verdict);
	}
	if (stall->choice.json)
		json_request(pending, &one);
	tell(stall, &one);
}
