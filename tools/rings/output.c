/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vrings and verdicts as people and programs read them. */
#include "tools/rings/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/protocol/line.h"
#include "lib/protocol/text.h"
#include "lib/ring/verdict/show.h"

/* As many requests of a vring are listed. */
#define REQUESTS_MAX 256

/* Add who is at one side. */
static void add_side(struct vhu_line *line, const struct vhu_rings_memory *memory, unsigned side)
{
	const struct vhu_rings_process *process = memory->process[side];
	const char *path = memory->session->path[side];

	vhu_line_add(line, side == VHU_RINGS_FRONT ? "front-end " : "back-end ");
	if (process && *process->comm) {
		vhu_line_foreign(line, process->comm, strlen(process->comm), "");
		vhu_line_printf(line, " (pid %" PRIu32 ")", process->pid);
	} else if (process)
		vhu_line_printf(line, "pid %" PRIu32 ", which is gone", process->pid);
	else
		vhu_line_add(line, "not known");
	if (*path) {
		vhu_line_add(line, " at ");
		vhu_line_foreign(line, path, strlen(path), "");
	}
}

/* Write whose vrings follow. */
static void show_session(const struct vhu_rings_memory *memory)
{
	const struct vhu_rings_session *session = memory->session;
	const char *device = vhu_device_name(session->context.device);
	char text[1024];
	struct vhu_line line = vhu_line_in(text, sizeof(text));

	if (session->kept.session)
		vhu_line_printf(&line, "session %" PRIu64 ": ", session->kept.session);
	if (device && session->context.device)
		vhu_line_printf(&line, "%s, ", device);
	add_side(&line, memory, VHU_RINGS_FRONT);
	vhu_line_add(&line, ", ");
	add_side(&line, memory, VHU_RINGS_BACK);
	puts(text);
	if (session->vrings == 0)
		puts(session->begun_before ? "  its vrings were set up before it was watched, so "
					     "where they are is not "
					     "known: QEMU's monitor says it (--qmp)"
					   : "  no vring is set up");
}

/* Go to the next request of a vring that was read. */
static bool next_request(const struct vhu_rings_target *target, uint32_t *cursor,
			 struct vhu_ring_chain *chain, bool *taken)
{
	const struct vhu_ring_sample *sample = &target->evidence.sample[1];

	if (sample->ring_error ||
	    !vhu_ring_chain_next(&target->memory->memory, &sample->ring, cursor, chain, taken))
		return false;
	/* Where not all memory is known an address outside of it means nothing. */
	if ((target->session->regions_partly || target->memory->missing) &&
	    chain->fault == VHU_RING_FAULT_UNMAPPED)
		chain->fault = VHU_RING_FAULT_NONE;
	return true;
}

/* Read the header of a request. Returns whether it has one that is known. */
static bool read_header(const struct vhu_rings_target *target, const struct vhu_ring_chain *chain,
			struct vhu_ring_request *header)
{
	return !vhu_ring_request_read(&target->memory->memory, &target->evidence.sample[1].ring,
				      chain, target->evidence.context, target->vring->index,
				      header);
}

/* Write the requests of a vring as text. */
static void show_requests(const struct vhu_rings_target *target)
{
	const struct vhu_ring_snapshot *ring = &target->evidence.sample[1].ring;
	char text[4 * VHU_RING_SHOW_TEXT];
	struct vhu_ring_request header;
	struct vhu_ring_chain chain;
	uint32_t cursor = 0;
	unsigned shown = 0;
	bool taken;

	while (next_request(target, &cursor, &chain, &taken)) {
		if (shown++ == REQUESTS_MAX) {
			puts("    and more");
			break;
		}
		vhu_ring_chain_text(&chain, ring->packed, taken, text, sizeof(text));
		printf("    %s\n", text);
		if (read_header(target, &chain, &header)) {
			vhu_ring_request_text(&header, target->evidence.context, text,
					      sizeof(text));
			printf("      %s\n", text);
		}
	}
}

/* Write what to do about a cause. @several: it is one of several. */
static void show_one(const struct vhu_rings_target *target, enum vhu_ring_verdict_id id,
		     bool several)
{
	char text[VHU_RING_SHOW_TEXT];

	vhu_ring_advice_text(&target->evidence, &target->verdict, id, text, sizeof(text));
	if (several)
		printf("  to do, if %s: %s\n", vhu_ring_verdicts[id].id, text);
	else
		printf("  to do: %s\n", text);
}

/* Write what to do: about each cause, if there are several and nothing else is known. */
static void show_advice(const struct vhu_rings_target *target)
{
	const struct vhu_ring_verdict *verdict = &target->verdict;

	if (verdict->id == VHU_RING_D13 && !verdict->advice && verdict->alternatives) {
		printf("  to do, if the guest hangs: %s\n", vhu_ring_verdict_apart(verdict));
		return;
	}
	if (!verdict->hangs && !verdict->advice &&
	    (verdict->id == VHU_RING_D13 || verdict->id == VHU_RING_MOVING))
		return;
	if (verdict->advice || !verdict->alternatives || !verdict->hangs) {
		show_one(target, verdict->id, false);
		return;
	}
	show_one(target, verdict->id, true);
	for (unsigned i = 0; i < verdict->alternatives; i++)
		show_one(target, verdict->alternative[i], true);
}

/* Write a vring as text. */
static void show_vring(const struct vhu_rings_target *target, bool verbose)
{
	const struct vhu_ring_verdict *verdict = &target->verdict;
	char text[VHU_RING_SHOW_TEXT];

	if (target->vring->index != VHU_RING_NO_VRING) {
		vhu_ring_numbers_text(&target->evidence, text, sizeof(text));
		puts(text);
	}
	vhu_ring_verdict_text(target->vring->index, verdict, text, sizeof(text));
	printf("  %s\n", text);
	show_advice(target);
	if (verbose)
		show_requests(target);
}

/* Write the requests of a vring as JSON. */
static void put_requests(struct vhu_json *json, const struct vhu_rings_target *target)
{
	const struct vhu_ring_snapshot *ring = &target->evidence.sample[1].ring;
	struct vhu_ring_request header;
	struct vhu_ring_chain chain;
	uint32_t cursor = 0;
	bool taken;

	vhu_json_array(json, "requests");
	for (unsigned i = 0; i < REQUESTS_MAX && next_request(target, &cursor, &chain, &taken);
	     i++) {
		const bool known = read_header(target, &chain, &header);

		vhu_ring_chain_json(json, &chain, ring->packed, taken, known ? &header : NULL,
				    target->evidence.context);
	}
	vhu_json_array_end(json);
}

/* Write a vring as a line of JSON. */
static void put_vring(const struct vhu_rings_target *target, bool verbose)
{
	struct vhu_json json = {.to = stdout};

	vhu_json_document(&json, NULL, "rings/1");
	vhu_json_unsigned(&json, "session", target->session->kept.session);
	vhu_ring_evidence_json(&json, &target->evidence, &target->verdict);
	if (verbose)
		put_requests(&json, target);
	vhu_json_object_end(&json);
	putchar('\n');
}

/* Return whether a session without vrings has a verdict. */
static bool is_stuck(const struct vhu_rings_targets *targets, unsigned memory)
{
	for (unsigned i = 0; i < targets->count; i++)
		if (targets->target[i].memory == &targets->memory[memory] &&
		    targets->target[i].verdict.hangs)
			return true;
	return false;
}

/* Write when it is, before the next of several looks. */
static void show_time(void)
{
	time_t now = time(NULL);
	char text[32] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	printf("--- %s\n", text);
}

void vhu_rings_show(const struct vhu_rings_request *request,
		    const struct vhu_rings_targets *targets)
{
	const struct vhu_rings_memory *last = NULL;
	unsigned at = 0;

	if (request->watch && !request->json)
		show_time();
	if (targets->memories == 0 && !request->json)
		puts(*targets->none ? targets->none : "no session is open");
	for (unsigned i = 0; i < targets->memories && !request->json; i++)
		if (targets->memory[i].session->vrings == 0 && !is_stuck(targets, i))
			show_session(&targets->memory[i]);
	for (; at < targets->count; at++) {
		const struct vhu_rings_target *target = &targets->target[at];

		if (target->vring->index == VHU_RING_NO_VRING && !target->verdict.hangs)
			continue;
		if (request->json) {
			put_vring(target, request->verbose);
			continue;
		}
		if (target->memory != last)
			show_session(target->memory);
		last = target->memory;
		show_vring(target, request->verbose);
	}
	fflush(stdout);
}
