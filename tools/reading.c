/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A capture that is read from its beginning to its end. */
#include "tools/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/util.h"

/* GET_VRING_BASE waits for requests in flight; it is given at least as long as the rest. */
#define DRAIN_NS UINT64_C(10000000000)

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
	return vhu_fail(reading->command, "%s: %s", reading->path, reading->error);
}

/* Return whether the capture can be read twice. */
static bool is_whole_file(const struct vhu_reading *reading)
{
	struct stat stat_buffer;

	return !reading->follow && strcmp(reading->path, "-") &&
	       !stat(reading->path, &stat_buffer) && S_ISREG(stat_buffer.st_mode);
}

/* Return whether somebody has the capture open to write to it. A read lease is given only if nobody
 * has. Without the right to a lease nobody is taken to, unless the file is followed. */
static bool is_being_written(const struct vhu_reading *reading)
{
	struct stat stat_buffer;
	int fd = strcmp(reading->path, "-") ? open(reading->path, O_RDONLY | O_CLOEXEC) : -1;
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

/* Read the capture to learn of its sessions; what is wrong with it is said when it is read again.
 */
static void look_ahead(struct vhu_reading *reading, struct vhu_sessions *sessions)
{
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	char error[VHU_PCAPNG_ERROR_SIZE];
	struct vhu_annotation note;

	if (vhu_pcapng_reader_open(&reader, reading->path, false, error))
		return;
	while (vhu_pcapng_read(reader, &record) > 0 &&
	       !vhu_session_feed(sessions, record, vhu_pcapng_reader_number(reader), &note))
		continue;
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
			 "%s: %llu packets are not vhost-user records: passed over", reading->path,
			 foreign);
	if (damaged)
		vhu_fail(reading->command, "%s: %llu records are damaged: passed over",
			 reading->path, damaged);
}

/* Show each record and the sessions that the capture does not close. Returns an exit status. */
static int read_through(struct vhu_reading *reading, struct vhu_sessions *sessions,
			struct vhu_pcapng_reader *reader)
{
	const struct vhu_record *record;
	struct vhu_annotation note;
	int got, error = 0;

	while (!error && (got = vhu_pcapng_read(reader, &record)) > 0) {
		uint64_t number = vhu_pcapng_reader_number(reader);

		error = vhu_session_feed(sessions, record, number, &note);
		if (!error)
			error = reading->see(reading->with, record, number, &note);
	}
	if (!error && is_being_written(reading)) {
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
	char error[VHU_PCAPNG_ERROR_SIZE];
	int status;

	reading->error[0] = '\0';
	reading->now_ns = 0;
	if (!sessions)
		return fail(reading, "%s", strerror(ENOMEM));
	vhu_sessions_force_dialect(sessions, reading->choice.dialect);
	vhu_sessions_force_device(sessions, reading->choice.device);
	if (late_ns)
		vhu_sessions_late_after(sessions, late_ns, late_ns > DRAIN_NS ? late_ns : DRAIN_NS);
	if (is_whole_file(reading))
		look_ahead(reading, sessions);
	if (vhu_pcapng_reader_open(&reader, reading->path, reading->follow, error)) {
		status = fail(reading, "%s", error);
	} else {
		status = read_through(reading, sessions, reader);
		vhu_pcapng_reader_close(reader);
	}
	vhu_sessions_free(sessions);
	return status;
}

/* Let a call that waits be interrupted. */
static void interrupt(int signal)
{
	(void)signal;
}

void vhu_reading_signals(bool follow)
{
	/* Without SA_RESTART the reader ends; with it, it reads on. */
	const struct sigaction on_signal = {
	    .sa_handler = interrupt,
	    .sa_flags = follow ? 0 : SA_RESTART | (int)SA_RESETHAND,
	};

	sigaction(SIGINT, &on_signal, NULL);
	sigaction(SIGTERM, &on_signal, NULL);
}
