/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vrings as a capture tells them.
 *
 * A capture that is followed is read by a thread, since reading waits. What vrings get by it is
 * watched by that thread at once, if it can be, under their lock: what happens before is lost.
 */
#include "tools/latency/sources/capture.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "tools/latency/sources/told.h"

struct vhu_latency_capture {
	const struct vhu_command *command;
	struct vhu_latency_vrings *vrings;
	const char *path;
	bool follow;
	struct vhu_pcapng_reader *reader;
	struct vhu_latency_told told;
	int changed;      /* eventfd */
	int64_t epoch_ns; /* what CLOCK_MONOTONIC lacks to the time of day */
	pthread_t thread;
	bool has_thread;
	atomic_bool stop, ended;
};

/*
 * Have the vrings watched that have changed: at once by the ids of their eventfds, and then by the
 * main thread, which finds those of several records together. Only the main thread takes old
 * records: an id from before we began may belong to another eventfd by now. Returns 0 or -errno.
 */
static int watch(struct vhu_latency_capture *capture, uint64_t time_ns)
{
	struct vhu_latency_vrings *vrings = capture->vrings;
	uint64_t one = 1;

	if (!capture->follow || !vrings->changed)
		return 0;
	if (time_ns >= vrings->begun_ns)
		vhu_latency_vrings_rewire(vrings);
	return write(capture->changed, &one, sizeof(one)) < 0 && errno != EAGAIN ? -errno : 0;
}

/* Take one record. Returns 0 or -ENOMEM. */
static int take(struct vhu_latency_capture *capture, const struct vhu_record *record,
		uint64_t number)
{
	struct vhu_latency_vrings *vrings = capture->vrings;
	uint64_t time_ns = (uint64_t)((int64_t)record->time_ns - capture->epoch_ns);
	int ret;

	pthread_mutex_lock(&vrings->lock);
	ret = vhu_latency_told_take(&capture->told, record, number, time_ns);
	if (!ret)
		ret = watch(capture, time_ns);
	pthread_mutex_unlock(&vrings->lock);
	return ret;
}

/* Read the capture to its end. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with what is wrong said. */
static int read_all(struct vhu_latency_capture *capture)
{
	const struct vhu_record *record;
	int got = 0, ret = 0;

	while (!ret && !capture->stop && (got = vhu_pcapng_read(capture->reader, &record)) > 0)
		ret = take(capture, record, vhu_pcapng_reader_number(capture->reader));
	if (ret)
		return vhu_fail(capture->command, "%s: %s", capture->path,
				ret == -ENOMEM ? "more vrings than can be watched at once"
					       : strerror(-ret));
	if (!capture->stop && got < 0)
		return vhu_fail(capture->command, "%s: %s", capture->path,
				vhu_pcapng_reader_error(capture->reader));
	return VHU_EXIT_DONE;
}

/* Follow the capture, as a thread. */
static void *follow(void *with)
{
	struct vhu_latency_capture *capture = with;
	uint64_t one = 1;

	read_all(capture);
	capture->ended = true;
	if (write(capture->changed, &one, sizeof(one)) < 0)
		return NULL;
	return NULL;
}

/* Interrupt the thread's waiting. */
static void wake_up(int number)
{
	(void)number;
}

/* Return whether a path is a pipe's, which ends by itself. */
static bool is_pipe(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISFIFO(st.st_mode);
}

/* Begin to follow. Signals are for the main thread, but for the one that interrupts. Returns 0 or
 * -errno. */
static int start_thread(struct vhu_latency_capture *capture)
{
	const struct sigaction action = {.sa_handler = wake_up};
	sigset_t all, before;
	int ret;

	sigaction(SIGUSR1, &action, NULL);
	sigfillset(&all);
	sigdelset(&all, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&capture->thread, NULL, follow, capture);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	capture->has_thread = !ret;
	return -ret;
}

int vhu_latency_capture_open(struct vhu_latency_capture **to, const struct vhu_command *command,
			     struct vhu_latency_vrings *vrings, const char *path,
			     const struct vhu_latency_capture_choice *choice)
{
	struct vhu_latency_capture *capture = calloc(1, sizeof(*capture));
	char error[VHU_PCAPNG_ERROR_SIZE];
	int status = VHU_EXIT_DONE;

	*to = capture;
	if (!capture)
		return vhu_fail(command, "out of memory");
	capture->command = command;
	capture->vrings = vrings;
	capture->path = path;
	capture->follow = choice->follow;
	capture->epoch_ns = choice->epoch_ns;
	capture->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vhu_latency_told_open(&capture->told, vrings, choice->keep) || capture->changed < 0)
		status = vhu_fail(command, "out of memory or descriptors");
	else if (vhu_pcapng_reader_open(&capture->reader, path, choice->follow && !is_pipe(path),
					error))
		status = vhu_fail(command, "%s: %s", path, error);
	else if (!choice->follow)
		status = read_all(capture);
	else if (start_thread(capture))
		status = vhu_fail(command, "no thread can be started");
	if (status != VHU_EXIT_DONE) {
		vhu_latency_capture_close(capture);
		*to = NULL;
	}
	return status;
}

struct vhu_latency_told *vhu_latency_capture_told(struct vhu_latency_capture *capture)
{
	return &capture->told;
}

int vhu_latency_capture_fd(const struct vhu_latency_capture *capture)
{
	return capture->follow ? capture->changed : -1;
}

bool vhu_latency_capture_ended(const struct vhu_latency_capture *capture)
{
	return !capture->follow || capture->ended;
}

void vhu_latency_capture_close(struct vhu_latency_capture *capture)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	if (!capture)
		return;
	capture->stop = true;
	/* The signal may come just before the thread waits: send it until it was heard. */
	while (capture->has_thread && !capture->ended) {
		pthread_kill(capture->thread, SIGUSR1);
		nanosleep(&pause, NULL);
	}
	if (capture->has_thread)
		pthread_join(capture->thread, NULL);
	vhu_pcapng_reader_close(capture->reader);
	vhu_latency_told_close(&capture->told);
	if (capture->changed >= 0)
		close(capture->changed);
	free(capture);
}
