/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sink that writes a capture; file.h has its theory of operation. */
#include "lib/recording/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/util.h"

/* Until it is said again that records are lost, and until the next file is tried for again. */
#define CAPTURE_QUIET_NS (60 * VHU_NS_PER_S)
#define CAPTURE_AGAIN_NS VHU_NS_PER_S
/* Between two looks for the reader of a named pipe. */
#define CAPTURE_LOOK_MS  50

/* Tell the person a line, made as printf makes it. */
static void __attribute__((format(printf, 2, 3)))
capture_say(const struct vhu_capture_file *capture, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	if (!capture->options.say)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	capture->options.say(line);
}

/*
 * See to it that a pipe's reader does not hold up the recorder. Others may write to the same pipe
 * through what we have inherited: only our own way to it is made non-blocking.
 */
static void capture_pipe(struct vhu_capture_file *capture)
{
	struct stat st;
	char path[64];
	int own;

	if (fstat(capture->fd, &st) || !S_ISFIFO(st.st_mode))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", capture->fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (own < 0)
		return;
	close(capture->fd);
	capture->fd = own;
	capture->pipe = true;
	fcntl(own, F_SETPIPE_SZ, VHU_CAPTURE_FILE_PIPE);
}

/* Wait until there is room in the pipe, unless its reader is stuck. */
static void capture_wait(struct vhu_capture_file *capture)
{
	struct pollfd ask = {.fd = capture->fd, .events = POLLOUT};

	if (poll(&ask, 1, 0) == 1)
		capture->stuck = false;
	else if (!capture->stuck)
		capture->stuck = poll(&ask, 1, VHU_CAPTURE_FILE_PATIENCE_MS) != 1;
}

/* Write a record of the past, for vhu_prologue_tell. */
static int capture_tell(void *context, const struct vhu_record *record, uint64_t number)
{
	(void)number;
	return vhu_pcapng_write(context, record);
}

/* Write a time as text. Returns @to. */
static const char *capture_time(uint64_t time_ns, char to[32])
{
	time_t seconds = (time_t)(time_ns / VHU_NS_PER_S);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(to, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		to[0] = '\0';
	return to;
}

/* Write why records are lost, in words. */
static const char *capture_why(int error)
{
	return error == -EAGAIN ? "it has no reader" : strerror(-error);
}

/* Write a record about the gap. Returns as vhu_pcapng_write does. */
static int capture_tell_gap(struct vhu_capture_file *capture, struct vhu_pcapng_writer *writer,
			    uint64_t time_ns)
{
	char text[VHU_RECORD_TEXT_MAX + 1], from[32], to[32];
	struct vhu_record record = {
	    .type = VHU_RECORD_ERROR,
	    .marks = VHU_MARK_LOST,
	    .time_ns = time_ns,
	    .text = text,
	};

	snprintf(text, sizeof(text), "%" PRIu64 " record%s lost from %s to %s: %s",
		 capture->gap.records, capture->gap.records == 1 ? " was" : "s were",
		 capture_time(capture->gap.from_ns, from), capture_time(capture->gap.to_ns, to),
		 capture_why(capture->gap.error));
	return vhu_pcapng_write(writer, &record);
}

/*
 * Begin again, in a new file or after a gap: write a record about the gap, if any, and the
 * prologue.
 * @time_ns: of the record that is to follow.
 * Returns 0 or -errno.
 */
static int capture_begin(struct vhu_capture_file *capture, struct vhu_pcapng_writer *writer,
			 uint64_t time_ns)
{
	int error = 0, held;

	/* Alone: where there is still no room it costs one call. */
	if (capture->gap.records)
		error = capture_tell_gap(capture, writer, time_ns);
	if (error)
		return error;
	vhu_pcapng_hold(writer);
	error = vhu_prologue_tell(capture->prologue, capture_tell, writer);
	held = vhu_pcapng_release(writer);
	if (!error)
		error = held;
	if (!error && capture->gap.said)
		capture_say(capture, "%s: records are written again; %" PRIu64 " were lost",
			    capture->name, capture->gap.records);
	if (!error)
		memset(&capture->gap, 0, sizeof(capture->gap));
	return error;
}

/* Return whether @error is that the reader has left, which it may. */
static bool capture_was_left(const struct vhu_capture_file *capture, int error)
{
	return error == -EPIPE && capture->options.reader_may_leave;
}

/* Note that a record was lost; say it, unless that was said lately. */
static void capture_lost(struct vhu_capture_file *capture, const struct vhu_record *record,
			 int error)
{
	uint64_t now;

	if (!capture->gap.records++)
		capture->gap.from_ns = record->time_ns;
	capture->gap.to_ns = record->time_ns;
	capture->gap.error = error;
	if (capture->gap.said || capture_was_left(capture, error))
		return;
	now = vhu_now_ns();
	if (capture->said_ns && now - capture->said_ns < CAPTURE_QUIET_NS)
		return;
	capture->gap.said = true;
	capture->said_ns = now;
	capture_say(capture, "%s: %s: records are being lost; %s goes on", capture->name,
		    capture_why(error), capture->options.goes_on);
}

/* End the file at hand. Returns 0; -errno where its end is missing. */
static int capture_end_file(struct vhu_capture_file *capture)
{
	struct vhu_pcapng_counts counts = vhu_pcapng_writer_counts(capture->writer);
	int error;

	capture->bytes += vhu_pcapng_writer_size(capture->writer);
	capture->ended++;
	error = vhu_pcapng_writer_close(capture->writer);
	/* Some file systems tell only now that there was no room. */
	if (close(capture->fd) && !error)
		error = -errno;
	capture->counts.records += counts.records;
	capture->counts.lost += counts.lost;
	capture->writer = NULL;
	capture->fd = -1;
	return error;
}

/* Return when a file that is begun at @time_ns ends by the interval that is asked for. */
static uint64_t capture_until(const struct vhu_capture_file *capture, uint64_t time_ns)
{
	const uint64_t interval = capture->limits.interval_ns;

	return interval ? (time_ns / interval + 1) * interval : UINT64_MAX;
}

/* Let the file at hand be @fd, which was begun by @writer. @time_ns: of the first record in it. */
static void capture_take_file(struct vhu_capture_file *capture, int fd,
			      struct vhu_pcapng_writer *writer, uint64_t time_ns)
{
	capture->fd = fd;
	capture->writer = writer;
	capture->head = vhu_pcapng_writer_size(writer);
	capture->begun_ns = vhu_now_ns();
	capture->until_ns = capture_until(capture, time_ns);
	if (capture->series)
		capture->name = vhu_series_name(&capture->files);
}

/* Write, as the last record of the file at hand, that the capture goes on in the latest file. */
static void capture_continue(struct vhu_capture_file *capture, uint64_t time_ns)
{
	const char *name = vhu_series_name(&capture->files), *slash = strrchr(name, '/');
	const struct vhu_record record = {
	    .type = VHU_RECORD_CONTINUED,
	    .time_ns = time_ns,
	    .text = slash ? slash + 1 : name,
	};

	/* Where there is no room for it, it is only more to guess. */
	vhu_pcapng_write(capture->writer, &record);
}

/* Make the next file of the series, with all that it begins with. Returns 0; -errno, and there is
 * none. */
static int capture_make_file(struct vhu_capture_file *capture, uint64_t time_ns)
{
	const struct vhu_capture_file_options *options = &capture->options;
	struct vhu_pcapng_writer *writer = NULL;
	int fd = vhu_series_next(&capture->files), error;

	if (fd < 0)
		return fd;
	error = vhu_pcapng_writer_open(&writer, fd, options->snaplen, options->comment);
	if (!error)
		error = capture_begin(capture, writer, time_ns);
	if (error) {
		vhu_pcapng_writer_close(writer);
		close(fd);
		vhu_series_drop(&capture->files);
		return error;
	}
	if (capture->writer)
		capture_continue(capture, time_ns);
	if (capture->writer && capture_end_file(capture))
		capture_say(capture, "%s: its end is missing", capture->name);
	capture_take_file(capture, fd, writer, time_ns);
	capture->files.reserve = capture->limits.bytes + VHU_CAPTURE_FILE_OVER;
	vhu_series_trim(&capture->files);
	return 0;
}

/* Go on with the next file of the series. A full disk may have room for it when the oldest is gone.
 * Returns 0; -errno, and the file at hand is the same. */
static int capture_switch(struct vhu_capture_file *capture, uint64_t time_ns)
{
	int error = capture_make_file(capture, time_ns);

	while ((error == -ENOSPC || error == -EDQUOT) && vhu_series_make_room(&capture->files))
		error = capture_make_file(capture, time_ns);
	if (!error) {
		capture->stays = false;
		return 0;
	}
	capture->again_ns = vhu_now_ns() + CAPTURE_AGAIN_NS;
	if (!capture->stays)
		capture_say(capture, "%s: the next file cannot be begun: %s: this one goes on",
			    capture->name, strerror(-error));
	capture->stays = true;
	return error;
}

/* Return whether the file at hand has what it is to have before a record of @time_ns. */
static bool capture_is_done(const struct vhu_capture_file *capture, uint64_t time_ns)
{
	const struct vhu_capture_file_limits *limits = &capture->limits;

	if (limits->bytes &&
	    vhu_pcapng_writer_size(capture->writer) - capture->head >= limits->bytes)
		return true;
	if (limits->records && vhu_pcapng_writer_counts(capture->writer).records >= limits->records)
		return true;
	if (limits->duration_ns && vhu_now_ns() - capture->begun_ns >= limits->duration_ns)
		return true;
	return time_ns >= capture->until_ns;
}

int vhu_capture_file_await_reader(const char *path, void (*say)(const char *line), int ends,
				  int *held)
{
	struct pollfd end = {.fd = ends ? ends : -1, .events = POLLIN};
	char line[PATH_MAX + 64];
	bool said = false;
	struct stat st;

	*held = -1;
	if (stat(path, &st) || !S_ISFIFO(st.st_mode))
		return 0;
	snprintf(line, sizeof(line), "%s: waits for somebody to read it", path);
	/* Not by a call that blocks: a signal just before it would be lost. */
	while ((*held = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0 && errno == ENXIO) {
		if (!said && say)
			say(line);
		said = true;
		if (poll(&end, 1, CAPTURE_LOOK_MS))
			return -EINTR;
	}
	return *held < 0 ? -errno : 0;
}

/* Open the file or the pipe that is the whole capture. Returns 0 or -errno. */
static int capture_open_one(struct vhu_capture_file *capture)
{
	const struct vhu_capture_file_options *options = &capture->options;
	bool is_stdout = !strcmp(options->path, "-");
	struct vhu_pcapng_writer *writer;
	int held = -1;
	int error = is_stdout ? 0
			      : vhu_capture_file_await_reader(options->path, options->say,
							      options->ends, &held);

	if (error)
		return error;

	capture->name = is_stdout ? "standard output" : options->path;
	capture->fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
				: open(options->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
				       VHU_SERIES_MODE);
	error = capture->fd < 0 ? -errno : 0;
	if (held >= 0)
		close(held);
	if (error)
		return error;
	capture_pipe(capture);
	error = vhu_pcapng_writer_open(&writer, capture->fd, options->snaplen, options->comment);
	if (error)
		close(capture->fd);
	else
		capture_take_file(capture, capture->fd, writer, 0);
	return error;
}

/* Let go of the past. */
static void capture_forget_prologue(struct vhu_capture_file *capture)
{
	if (capture->keeps_prologue)
		vhu_prologue_free(capture->prologue);
	capture->prologue = NULL;
}

int vhu_capture_file_open(struct vhu_capture_file *capture,
			  const struct vhu_capture_file_options *options)
{
	int error;

	memset(capture, 0, sizeof(*capture));
	capture->options = *options;
	capture->fd = -1;
	capture->keeps_prologue = !options->prologue;
	capture->prologue = options->prologue ? options->prologue : vhu_prologue_new();
	if (!capture->prologue)
		return -ENOMEM;
	capture->series = options->limits != NULL;
	if (capture->series) {
		capture->limits = *options->limits;
		vhu_series_start(&capture->files, options->path, capture->limits.files);
		capture->files.most = capture->limits.disk;
		error = capture_make_file(capture, vhu_realtime_ns());
	} else {
		error = capture_open_one(capture);
	}
	if (!error)
		return 0;
	if (capture->series)
		vhu_series_free(&capture->files);
	capture_forget_prologue(capture);
	return error;
}

void vhu_capture_file_take(void *context, const struct vhu_record *record)
{
	struct vhu_capture_file *capture = context;
	uint64_t time_ns = record->time_ns;
	int error = 0;

	if (capture->series && capture_is_done(capture, time_ns) &&
	    vhu_now_ns() >= capture->again_ns)
		capture_switch(capture, time_ns);
	if (capture->pipe)
		capture_wait(capture);
	if (capture->gap.records)
		error = capture_begin(capture, capture->writer, time_ns);
	if (!error)
		error = vhu_pcapng_write(capture->writer, record);
	else
		vhu_pcapng_lose(capture->writer, record, error);
	if (error)
		capture_lost(capture, record, error);
	if (capture->keeps_prologue)
		vhu_prologue_take(capture->prologue, record);
}

void vhu_capture_file_limit(struct vhu_capture_file *capture,
			    const struct vhu_capture_file_limits *limits)
{
	const bool other = limits->interval_ns != capture->limits.interval_ns;

	capture->limits = *limits;
	if (other)
		capture->until_ns = capture_until(capture, vhu_realtime_ns());
	vhu_series_limit(&capture->files, limits->files, limits->disk,
			 limits->bytes + VHU_CAPTURE_FILE_OVER);
}

int vhu_capture_file_next(struct vhu_capture_file *capture)
{
	if (!capture->series)
		return -EINVAL;
	return capture_switch(capture, vhu_realtime_ns());
}

int vhu_capture_file_where(const struct vhu_capture_file *capture, char *to, size_t size)
{
	return capture->series ? vhu_series_text(&capture->files, to, size)
			       : snprintf(to, size, "%s", capture->name);
}

struct vhu_pcapng_counts vhu_capture_file_close(struct vhu_capture_file *capture)
{
	bool lost = capture->gap.said;
	int error;

	if (capture->gap.records)
		capture_tell_gap(capture, capture->writer, capture->gap.to_ns);
	error = capture_end_file(capture);
	if (error && !lost && !capture_was_left(capture, error))
		capture_say(capture, "%s: %s: the capture's end is missing", capture->name,
			    strerror(-error));
	if (capture->series)
		vhu_series_free(&capture->files);
	capture_forget_prologue(capture);
	return capture->counts;
}
