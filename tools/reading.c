/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A capture that is read from its beginning to its end. */
#include "tools/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/util/util.h"

/* GET_VRING_BASE waits for requests in flight; it is given at least as long as the rest. */
#define DRAIN_NS UINT64_C(10000000000)
/* A record that is read so soon after its time was written just before. */
#define NEW_NS   UINT64_C(3000000000)
/* After a signal it is looked so often, in microseconds, whether more comes. */
#define LOOK_US  300000

/* What becomes of a request: so many records later its reply comes, or one of these. */
enum {
	OUTCOME_UNKNOWN = 0,          /* no answer was seen */
	OUTCOME_FAR = UINT32_MAX - 2, /* the reply comes after more records than that */
	OUTCOME_ELSEWHERE,            /* it may be in another capture */
	OUTCOME_WAITS,                /* when the capture ends, which its session does not */
};

/* What a first reading found out about requests. */
struct outcomes {
	bool read;    /* there was a first reading */
	bool failed;  /* no memory: not all is known */
	uint32_t *of; /* by the request's number */
	size_t room;
};

/* Say what is wrong with the capture. Returns VHU_EXIT_FAILED. */
static int __attribute__((format(printf, 2, 3)))
fail(struct vhu_reading *reading, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reading->error, sizeof(reading->error), format, arguments);
	va_end(arguments);
	/* What was found before goes before. */
	fflush(stdout);
	return vhu_fail(reading->command, "%s: %s", reading->paths[reading->files - 1],
			reading->error);
}

/* Return whether the capture can be read twice. */
static bool is_whole_file(const struct vhu_reading *reading)
{
	struct stat stat_buffer;

	if (reading->follow || !strcmp(reading->paths[0], "-"))
		return false;
	for (int i = 0; i < reading->count; i++)
		if (strcmp(reading->paths[i], "-") && !stat(reading->paths[i], &stat_buffer) &&
		    !S_ISREG(stat_buffer.st_mode))
			return false;
	return true;
}

/* Return whether a process has the capture, now in the file @path, open for writing. The kernel
 * grants a read lease only if none has. Without the right to a lease, say no unless the file is
 * followed. */
static bool is_being_written(const struct vhu_reading *reading, const char *path)
{
	struct stat stat_buffer;
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool written = false;

	if (fd < 0)
		return false;
	/* A writer that comes in between signals so. */
	signal(SIGIO, SIG_IGN);
	if (!fstat(fd, &stat_buffer) && S_ISREG(stat_buffer.st_mode) &&
	    fcntl(fd, F_SETLEASE, F_RDLCK))
		written = errno == EAGAIN || reading->follow;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	close(fd);
	return written;
}

/* Note what becomes of record @number. Without memory for it nothing is noted. */
static void note_outcome(struct outcomes *outcomes, uint64_t number, uint32_t outcome)
{
	if (number >= outcomes->room) {
		size_t room = number < SIZE_MAX / 16 ? (size_t)number * 2 + 1024 : 0;
		uint32_t *grown = room ? reallocarray(outcomes->of, room, sizeof(*grown)) : NULL;

		outcomes->failed |= !grown;
		if (!grown)
			return;
		memset(grown + outcomes->room, 0, (room - outcomes->room) * sizeof(*grown));
		outcomes->of = grown;
		outcomes->room = room;
	}
	outcomes->of[number] = outcome;
}

/* Note the requests that wait when the capture ends before their session does. @continued: it goes
 * on elsewhere, where they may be answered. */
static void note_waiting(struct outcomes *outcomes, const struct vhu_state *state, bool continued)
{
	for (unsigned c = 0; c < VHU_CHANNELS; c++) {
		const struct vhu_pending_queue *queue = &state->channel[c].pending;

		for (unsigned i = 0; i < queue->count; i++)
			note_outcome(outcomes, vhu_pending_at(queue, i)->number,
				     continued ? OUTCOME_ELSEWHERE : OUTCOME_WAITS);
	}
}

/* Return whether a message is the request that was sent last on its channel, and has to be
 * answered. */
static bool is_due(const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note)
{
	const struct vhu_pending_queue *queue = &note->state->channel[record->channel].pending;
	const struct vhu_pending *last =
	    queue->count ? vhu_pending_at(queue, queue->count - 1) : NULL;

	return last && last->number == number && last->due && !last->withheld;
}

/* Set in @note which reply a request gets, or that it stays unanswered. */
static void tell_outcome(const struct outcomes *outcomes, const struct vhu_record *record,
			 uint64_t number, struct vhu_annotation *note)
{
	uint32_t outcome = number < outcomes->room ? outcomes->of[number] : OUTCOME_UNKNOWN;

	if (outcomes->failed || !outcomes->read || !note->state || !note->has_header || note->reply)
		return;
	if (outcome != OUTCOME_UNKNOWN && outcome < OUTCOME_FAR)
		note->reply_number = number + outcome;
	else if (!is_due(record, number, note))
		return;
	else if (outcome == OUTCOME_UNKNOWN)
		note->unanswered = VHU_UNANSWERED_NEVER;
	else if (outcome == OUTCOME_WAITS)
		note->unanswered = VHU_UNANSWERED_STILL;
}

/* Note that a record is the reply to a request. */
static void note_reply(struct outcomes *outcomes, uint64_t number, uint64_t request)
{
	uint64_t later = number > request ? number - request : OUTCOME_FAR;

	note_outcome(outcomes, request, later < OUTCOME_FAR ? (uint32_t)later : OUTCOME_FAR);
}

/* Open the capture. @error: as in vhu_pcapng_reader_open. Returns 0 or -errno. */
static int open_capture(const struct vhu_reading *reading, struct vhu_pcapng_reader **reader,
			char *error)
{
	int ret = vhu_pcapng_reader_open(reader, reading->paths[0],
					 reading->follow && reading->count == 1, error);

	if (!ret)
		vhu_pcapng_reader_go_on(*reader, reading->paths + 1, reading->count - 1,
					reading->follow);
	return ret;
}

/* Read the capture to learn of its sessions and of what becomes of requests; what is wrong with it
 * is said when it is read again. */
static void look_ahead(struct vhu_reading *reading, struct vhu_sessions *sessions,
		       struct outcomes *outcomes)
{
	bool continued = false;
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	char error[VHU_PCAPNG_ERROR_SIZE];
	struct vhu_annotation note;

	if (open_capture(reading, &reader, error))
		return;
	while (vhu_pcapng_read(reader, &record) > 0 &&
	       !vhu_session_feed(sessions, record, vhu_pcapng_reader_number(reader), &note)) {
		if (note.reply && note.request_number)
			note_reply(outcomes, vhu_pcapng_reader_number(reader), note.request_number);
		continued = record->type == VHU_RECORD_CONTINUED;
	}
	while (vhu_session_finish(sessions, &note))
		note_waiting(outcomes, note.state, continued);
	outcomes->read = true;
	reading->head = *vhu_pcapng_reader_head(reader);
	reading->files += vhu_pcapng_reader_gone_on(reader);
	vhu_pcapng_reader_close(reader);
	vhu_sessions_rewind(sessions);
}

/* Say what was passed over. */
static void tell_passed_over(struct vhu_reading *reading, const struct vhu_pcapng_reader *reader)
{
	unsigned long long foreign = vhu_pcapng_reader_foreign(reader);
	unsigned long long damaged = vhu_pcapng_reader_damaged(reader);

	if (foreign || damaged)
		fflush(stdout);
	if (foreign)
		vhu_fail(reading->command,
			 "%s: %llu packets are not vhost-user records: passed over",
			 reading->paths[0], foreign);
	if (damaged)
		vhu_fail(reading->command, "%s: %llu records are damaged: passed over",
			 reading->paths[0], damaged);
}

/* What is needed to look for requests that wait. */
struct idle {
	struct vhu_reading *reading;
	struct vhu_sessions *sessions;
	const struct vhu_pcapng_reader *reader;
	uint64_t number, time_ns; /* of the latest record */
	uint64_t looked_at;       /* the number that it had when `live` was found out */
	bool live;                /* from a pipe: records come when they are new */
};

/* Return whether the answers to requests that wait may still come. */
static bool is_live(struct idle *idle, uint64_t now_ns)
{
	const char *path = vhu_pcapng_reader_path(idle->reader);

	if (strcmp(path, "-"))
		return is_being_written(idle->reading, path);
	/* That a pipe brings no more says nothing of a capture that was written before. */
	if (idle->looked_at != idle->number)
		idle->live = now_ns < idle->time_ns || now_ns - idle->time_ns < NEW_NS;
	idle->looked_at = idle->number;
	return idle->live;
}

/* Show the requests that have waited for too long, if their answers may still be written. */
static void show_hung(void *with, uint64_t now_ns)
{
	struct idle *idle = with;
	struct vhu_reading *reading = idle->reading;
	struct vhu_annotation note;

	if (!is_live(idle, now_ns))
		return;
	while (vhu_sessions_hung(idle->sessions, now_ns, &note))
		reading->hung(reading->with, now_ns, &note);
}

/* Records that were read, for who looks whether more come. */
static volatile sig_atomic_t records_read;

/* Show each record and the sessions that the capture does not close. Returns an exit status. */
static int read_through(struct vhu_reading *reading, struct vhu_sessions *sessions,
			const struct outcomes *outcomes, struct vhu_pcapng_reader *reader)
{
	struct idle idle = {.reading = reading, .sessions = sessions, .reader = reader};
	const struct vhu_record *record;
	struct vhu_annotation note;
	int got, error = 0;

	if (reading->hung)
		vhu_pcapng_reader_on_idle(reader, show_hung, &idle);

	while (!error && (got = vhu_pcapng_read(reader, &record)) > 0) {
		uint64_t number = vhu_pcapng_reader_number(reader);

		reading->files = 1 + vhu_pcapng_reader_gone_on(reader);
		records_read = records_read + 1;
		if (!idle.number && !outcomes->read)
			reading->head = *vhu_pcapng_reader_head(reader);
		idle.number = number;
		idle.time_ns = record->time_ns;
		error = vhu_session_feed(sessions, record, number, &note);
		if (!error)
			tell_outcome(outcomes, record, number, &note);
		if (!error)
			error = reading->see(reading->with, record, number, &note);
	}
	reading->files = 1 + vhu_pcapng_reader_gone_on(reader);
	if (!error && is_being_written(reading, vhu_pcapng_reader_path(reader))) {
		reading->now_ns = vhu_realtime_ns();
		vhu_sessions_go_on(sessions, reading->now_ns);
	}
	while (!error && vhu_session_finish(sessions, &note))
		error = reading->see(reading->with, NULL, 0, &note);
	if (error)
		return fail(reading, "%s", strerror(-error));
	tell_passed_over(reading, reader);
	return got < 0 && got != -EINTR ? fail(reading, "%s", vhu_pcapng_reader_error(reader))
					: VHU_EXIT_DONE;
}

int vhu_reading_run(struct vhu_reading *reading)
{
	struct vhu_sessions *sessions = vhu_sessions_new(true);
	uint64_t late_ns = reading->choice.late_ns;
	struct vhu_pcapng_reader *reader;
	struct outcomes outcomes = {0};
	char error[VHU_PCAPNG_ERROR_SIZE];
	int status;

	reading->files = 1;
	reading->error[0] = '\0';
	reading->head = (struct vhu_packets_head){0};
	reading->now_ns = 0;
	if (!sessions)
		return fail(reading, "%s", strerror(ENOMEM));
	vhu_sessions_force_dialect(sessions, reading->choice.dialect);
	vhu_sessions_force_device(sessions, reading->choice.device);
	if (late_ns)
		vhu_sessions_late_after(sessions, late_ns, late_ns > DRAIN_NS ? late_ns : DRAIN_NS);
	if (is_whole_file(reading))
		look_ahead(reading, sessions, &outcomes);
	if (open_capture(reading, &reader, error)) {
		status = fail(reading, "%s", error);
	} else {
		status = read_through(reading, sessions, &outcomes, reader);
		vhu_pcapng_reader_close(reader);
	}
	free(outcomes.of);
	vhu_sessions_free(sessions);
	return status;
}

bool vhu_reading_at_once(char *const *paths, int count, bool follow)
{
	for (int i = 0; i < count; i++)
		follow |= !strcmp(paths[i], "-");
	return follow;
}

int vhu_reading_look_over(const struct vhu_command *command, char *const *paths, int count)
{
	unsigned from_pipe = 0;

	for (int i = 0; i < count; i++)
		from_pipe += !strcmp(paths[i], "-");
	if (count == 0)
		return vhu_usage(command, "which capture?");
	if (from_pipe > 1)
		return vhu_usage(command, "-: standard input can be read only once");
	return VHU_EXIT_DONE;
}

int vhu_no_session(const struct vhu_command *command, char *const *paths, int count,
		   uint64_t session)
{
	if (count > 1)
		return vhu_fail(command, "no such session: %" PRIu64 " is in none of the %d files",
				session, count);
	return vhu_fail(command, "%s: no such session: %" PRIu64, paths[0], session);
}

/* Let a call that waits be interrupted; and again, for none may wait yet. */
static void interrupt(int signal)
{
	(void)signal;
	alarm(1);
}

/* After the first signal: let a call be interrupted that has waited since the last look. */
static void look(int signal)
{
	static const struct sigaction on_alarm = {.sa_handler = interrupt};
	static volatile sig_atomic_t records_seen = -1;

	(void)signal;
	if (records_read == records_seen)
		sigaction(SIGALRM, &on_alarm, NULL);
	records_seen = records_read;
}

/* Let what comes be read to its end, as long as it comes; the next signal ends the command. */
static void leave(int signal)
{
	static const struct sigaction on_alarm = {.sa_handler = look, .sa_flags = SA_RESTART};
	static const struct itimerval often = {{.tv_usec = LOOK_US}, {.tv_usec = LOOK_US}};

	(void)signal;
	sigaction(SIGALRM, &on_alarm, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

void vhu_reading_signals(bool follow)
{
	/* Without SA_RESTART the reader ends; with it, it reads on. */
	const struct sigaction on_signal = {
	    .sa_handler = follow ? interrupt : leave,
	    .sa_flags = follow ? 0 : SA_RESTART | (int)SA_RESETHAND,
	};

	if (follow)
		sigaction(SIGALRM, &on_signal, NULL);
	sigaction(SIGINT, &on_signal, NULL);
	sigaction(SIGTERM, &on_signal, NULL);
}
