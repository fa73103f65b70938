/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of vrings as a capture. */
#include "tools/rings/recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cli/options.h"
#include "lib/ringwatch/record.h"
#include "lib/util/array.h"
#include "lib/util/util.h"

/* Tell a line of the capture. */
static void say_line(const char *line)
{
	fprintf(stderr, "vhu rings: %s\n", line);
}

void vhu_rings_recorder_open(struct vhu_rings_recorder *recorder, const struct vhu_command *command,
			     const char *path, int argc, char **argv)
{
	size_t length = 0;

	*recorder = (struct vhu_rings_recorder){.command = command, .path = path};
	if (!path)
		return;
	length = (size_t)snprintf(recorder->comment, sizeof(recorder->comment), "vhu");
	for (int i = 0; i < argc && length < sizeof(recorder->comment); i++)
		length += (size_t)snprintf(recorder->comment + length,
					   sizeof(recorder->comment) - length, " %s", argv[i]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

struct vhu_prologue *vhu_rings_recorder_prologue(struct vhu_rings_recorder *recorder)
{
	if (!recorder->path || recorder->open)
		return NULL;
	vhu_prologue_free(recorder->prologue);
	recorder->prologue = vhu_prologue_new();
	return recorder->prologue;
}

/* Note that the capture has a session. Returns whether it is new to it. */
static bool add_session(struct vhu_rings_recorder *recorder, uint64_t number)
{
	uint64_t *more;

	for (unsigned i = 0; i < recorder->sessions; i++)
		if (recorder->session[i] == number)
			return false;
	more = vhu_array_more(recorder->session, &recorder->sessions, sizeof(*more));
	if (!more)
		return true;
	recorder->session = more;
	recorder->session[recorder->sessions - 1] = number;
	return true;
}

/* What the capture begins with. */
struct beginning {
	struct vhu_rings_recorder *recorder;
	const struct vhu_rings_targets *targets;
};

/* Write a record of what was before, for vhu_prologue_tell. */
static int write_earlier(void *context, const struct vhu_record *record, uint64_t number)
{
	const struct beginning *beginning = context;
	const struct vhu_rings_targets *targets = beginning->targets;
	bool wanted = false;

	(void)number;
	for (unsigned i = 0; i < targets->memories && !wanted; i++)
		wanted = targets->memory[i].session->kept.session == record->session;
	if (!wanted)
		return 0;
	add_session(beginning->recorder, record->session);
	vhu_capture_file_take(&beginning->recorder->file, record);
	return 0;
}

/* Begin the capture with what the sessions are. Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with what
 * is wrong said. */
static int begin(struct vhu_rings_recorder *recorder, const struct vhu_rings_targets *targets)
{
	const struct vhu_capture_file_options options = {
	    .path = recorder->path,
	    .comment = recorder->comment,
	    .reader_may_leave = true,
	    .say = say_line,
	    .goes_on = "looking",
	};
	struct beginning beginning = {recorder, targets};
	int error = vhu_capture_file_open(&recorder->file, &options);

	if (error)
		return vhu_fail(recorder->command, "%s: cannot write a capture: %s", recorder->path,
				strerror(-error));
	recorder->open = true;
	if (recorder->prologue)
		error = vhu_prologue_tell(recorder->prologue, write_earlier, &beginning);
	vhu_prologue_free(recorder->prologue);
	recorder->prologue = NULL;
	return error ? vhu_fail(recorder->command, "out of memory") : VHU_EXIT_DONE;
}

/* Write that a session is open, whose beginning the source does not have. */
static void write_opened(struct vhu_rings_recorder *recorder, const struct vhu_rings_memory *memory,
			 uint64_t number, uint64_t now_ns)
{
	struct vhu_record record = {
	    .type = VHU_RECORD_OPENED,
	    .time_ns = now_ns,
	    .session = number,
	    .marks = VHU_MARK_EARLIER | VHU_MARK_BEGUN,
	};
	struct vhu_peer *peer[VHU_RINGS_SIDES] = {&record.front_end, &record.back_end};

	for (unsigned side = 0; side < VHU_RINGS_SIDES; side++) {
		const struct vhu_rings_process *process = memory->process[side];

		peer[side]->path = memory->session->path[side];
		if (!process)
			continue;
		peer[side]->known = true;
		peer[side]->pid = process->pid;
		peer[side]->comm = process->comm;
	}
	vhu_capture_file_take(&recorder->file, &record);
}

/* Write a snapshot of a target. */
static void write_snapshot(struct vhu_rings_recorder *recorder,
			   const struct vhu_rings_targets *targets,
			   const struct vhu_rings_target *target, struct vhu_ringwatch_room *room)
{
	struct vhu_record record = {
	    .type = VHU_RECORD_SNAPSHOT,
	    .time_ns = vhu_realtime_ns(),
	    .session = target->session->kept.session,
	};

	/* QEMU's monitor has no numbers for its devices. */
	if (record.session == 0)
		record.session = (uint64_t)(target->memory - targets->memory) + 1;
	if (add_session(recorder, record.session))
		write_opened(recorder, target->memory, record.session, record.time_ns);
	record.snapshot = vhu_ringwatch_record(&target->evidence, &target->verdict,
					       &target->memory->memory, VHU_SNAPSHOT_ASKED, room);
	vhu_capture_file_take(&recorder->file, &record);
}

int vhu_rings_recorder_write(struct vhu_rings_recorder *recorder,
			     const struct vhu_rings_targets *targets)
{
	struct vhu_ringwatch_room *room;
	int status;

	if (!recorder->path)
		return VHU_EXIT_DONE;
	status = recorder->open ? VHU_EXIT_DONE : begin(recorder, targets);
	if (status != VHU_EXIT_DONE)
		return status;
	room = malloc(sizeof(*room));
	if (!room)
		return vhu_fail(recorder->command, "out of memory");
	for (unsigned i = 0; i < targets->count; i++)
		if (targets->target[i].vring->index != VHU_RING_NO_VRING)
			write_snapshot(recorder, targets, &targets->target[i], room);
	free(room);
	return VHU_EXIT_DONE;
}

int vhu_rings_recorder_close(struct vhu_rings_recorder *recorder)
{
	struct vhu_pcapng_counts counts = {0};

	if (recorder->open)
		counts = vhu_capture_file_close(&recorder->file);
	vhu_prologue_free(recorder->prologue);
	free(recorder->session);
	if (counts.lost)
		return vhu_fail(recorder->command, "%s: %" PRIu64 " records were lost",
				recorder->path, counts.lost);
	return VHU_EXIT_DONE;
}
