/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at vrings: one, or one after the other. */
#include "tools/rings/look.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tools/rings/output.h"
#include "tools/rings/recorder.h"
#include "tools/rings/target/past.h"

/* Between two looks while a vring is waited for to hang. */
#define PAUSE_NS (VHU_NS_PER_S / 10)
/* Times that samples are taken again because the session changed meanwhile. */
#define AGAIN    3

static volatile sig_atomic_t stopped;

/* Let a call that waits be interrupted; and again, for none may wait yet. */
static void on_signal(int number)
{
	(void)number;
	stopped = 1;
	alarm(1);
}

/* Return whether the process at one side has ended. */
static bool has_ended(const struct vhu_rings_memory *memory, unsigned side)
{
	return memory->process[side] && memory->process[side]->error == -ESRCH;
}

/* Say what keeps us from looking at a session. Returns whether there is something. */
static bool say_what_is_missing(const struct vhu_rings_request *request,
				const struct vhu_rings_memory *memory)
{
	const char *who[] = {"front-end", "back-end"};

	if (has_ended(memory, VHU_RINGS_FRONT) && has_ended(memory, VHU_RINGS_BACK)) {
		vhu_fail(request->command,
			 "session %" PRIu64 ": its processes have ended (front-end pid %" PRIu32
			 ", back-end pid %" PRIu32 "): there is nothing to look at",
			 memory->session->kept.session, memory->process[VHU_RINGS_FRONT]->pid,
			 memory->process[VHU_RINGS_BACK]->pid);
		return true;
	}
	for (unsigned side = 0; side < VHU_RINGS_SIDES; side++) {
		const struct vhu_rings_process *process = memory->process[side];

		if (!process || !process->error)
			continue;
		if (process->error == -ESRCH)
			vhu_fail(request->command,
				 "session %" PRIu64 ": the %s (pid %" PRIu32 ") is gone",
				 memory->session->kept.session, who[side], process->pid);
		else
			vhu_fail(request->command,
				 "session %" PRIu64 ": cannot look into the %s (pid %" PRIu32
				 ", %s): %s: run as root, or with CAP_SYS_PTRACE",
				 memory->session->kept.session, who[side], process->pid,
				 process->comm, strerror(-process->error));
		return true;
	}
	if (!memory->missing)
		return false;
	vhu_fail(request->command,
		 "session %" PRIu64 ": %u of %u memory regions cannot be opened: %s%s",
		 memory->session->kept.session, memory->missing, memory->session->regions,
		 strerror(-memory->error),
		 memory->error == -EACCES || memory->error == -EPERM
		     ? ": run as root, or with CAP_SYS_PTRACE"
		     : "");
	return true;
}

/* Return whether the sessions are what they were when they were sampled. */
static bool is_unchanged(const struct vhu_rings_request *request,
			 const struct vhu_rings_targets *targets)
{
	struct vhu_rings_sessions now = {0};
	bool same = true;

	/* QEMU's monitor says nothing that changes while a vring is started. */
	if (request->qmp)
		return true;
	if (vhu_rings_places(request, &now) != VHU_EXIT_DONE)
		same = false;
	for (unsigned i = 0; i < targets->count && same; i++) {
		const struct vhu_rings_target *target = &targets->target[i];
		const struct vhu_rings_session *session =
		    vhu_rings_sessions_find(&now, target->session->kept.session);

		same = session && session->pending.number == target->session->pending.number &&
		       vhu_rings_session_same_vring(target->session, session, target->vring->index);
	}
	vhu_rings_sessions_free(&now);
	return same;
}

/* What looks go on from one to the next. */
struct vhu_rings_looks {
	struct vhu_rings_request request;
	struct vhu_rings_recorder recorder;
	struct vhu_rings_past past;
};

/* What one look gave. */
struct vhu_rings_outcome {
	bool hangs, failed;
	bool unread; /* there is a vring whose memory could not be read */
};

/* Read the sessions, look at their vrings, judge. @targets, @sessions: to be freed. Returns an exit
 * status; VHU_EXIT_FAILED: what is wrong was said. */
static int look_once(struct vhu_rings_looks *looks, struct vhu_rings_sessions *sessions,
		     struct vhu_rings_targets *targets)
{
	const struct vhu_rings_request *request = &looks->request;
	int status;

	sessions->prologue = vhu_rings_recorder_prologue(&looks->recorder);
	status = vhu_rings_places(request, sessions);
	if (status != VHU_EXIT_DONE)
		return status;
	if (vhu_rings_targets_open(targets, sessions, request->vring))
		return vhu_fail(request->command, "out of memory");
	targets->past = &looks->past;
	vhu_rings_targets_judge(targets);
	return VHU_EXIT_DONE;
}

/* Return whether a vring hangs by what was judged. */
static bool one_hangs(const struct vhu_rings_targets *targets)
{
	for (unsigned i = 0; i < targets->count; i++)
		if (targets->target[i].verdict.hangs)
			return true;
	return false;
}

/* Return whether the memory of a vring could not be read. */
static bool one_is_unread(const struct vhu_rings_targets *targets)
{
	for (unsigned i = 0; i < targets->count; i++)
		if (targets->target[i].verdict.id == VHU_RING_UNREAD)
			return true;
	return false;
}

/* Show what a look gave, and write it. Returns whether something could not be. */
static bool show_look(const struct vhu_rings_request *request, struct vhu_rings_recorder *recorder,
		      const struct vhu_rings_targets *targets)
{
	bool failed = false;

	for (unsigned i = 0; i < targets->memories; i++)
		failed |= say_what_is_missing(request, &targets->memory[i]);
	if (targets->memories > 0 && targets->count == 0 && request->vring >= 0)
		failed |=
		    vhu_fail(request->command, "no vring %" PRId64 " is set up", request->vring);
	/* A capture on standard output is all that is there. */
	if (!request->file || strcmp(request->file, "-") != 0)
		vhu_rings_show(request, targets);
	return vhu_rings_recorder_write(recorder, targets) != VHU_EXIT_DONE || failed;
}

/* Look once and show it. @show: else only if a vring hangs. Returns what it gave. */
static struct vhu_rings_outcome look(struct vhu_rings_looks *looks, bool show)
{
	const struct vhu_rings_request *request = &looks->request;
	struct vhu_rings_sessions sessions = {0};
	struct vhu_rings_targets targets = {0};
	struct vhu_rings_outcome outcome = {0};

	for (unsigned turn = 0; turn < AGAIN; turn++) {
		vhu_rings_targets_free(&targets);
		vhu_rings_sessions_free(&sessions);
		outcome.failed = look_once(looks, &sessions, &targets) != VHU_EXIT_DONE;
		outcome.hangs = !outcome.failed && one_hangs(&targets);
		outcome.unread = !outcome.failed && one_is_unread(&targets);
		/* A verdict counts if the session is still the one that was judged. */
		if (outcome.failed || !outcome.hangs || is_unchanged(request, &targets))
			break;
	}
	if (!outcome.failed && (show || outcome.hangs))
		outcome.failed = show_look(request, &looks->recorder, &targets);
	vhu_rings_past_keep(&looks->past, &targets);
	vhu_rings_targets_free(&targets);
	vhu_rings_sessions_free(&sessions);
	return outcome;
}

/* Wait for the next look. */
static void pause_for(uint64_t ns)
{
	const struct timespec pause = {.tv_sec = (time_t)(ns / VHU_NS_PER_S),
				       .tv_nsec = (long)(ns % VHU_NS_PER_S)};

	nanosleep(&pause, NULL);
}

int vhu_rings_look(const struct vhu_rings_request *request, int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_signal};
	uint64_t end = vhu_now_ns() + request->wait_ns;
	struct vhu_rings_looks looks = {.request = *request};
	struct vhu_rings_outcome outcome;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	vhu_rings_recorder_open(&looks.recorder, request->command, request->file, argc, argv);
	do {
		outcome = look(&looks, !request->wait || request->watch);
		if (outcome.failed || (request->wait && outcome.hangs))
			break;
		looks.request.again = true;
		if (request->watch || request->wait)
			pause_for(request->watch ? request->watch_ns : PAUSE_NS);
	} while (!stopped && (request->wait ? vhu_now_ns() < end : request->watch));
	if (vhu_rings_recorder_close(&looks.recorder) != VHU_EXIT_DONE)
		outcome.failed = true;
	vhu_rings_past_free(&looks.past);
	if (ferror(stdout))
		return vhu_fail(request->command, "standard output: %s", strerror(errno));
	return outcome.failed || outcome.hangs || outcome.unread ? VHU_EXIT_FAILED : VHU_EXIT_DONE;
}
