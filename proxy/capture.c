/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sink that writes a capture. */
#include "proxy/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * See to it that a pipe's reader does not hold up the proxy. Others may write to the same pipe
 * through what we have inherited: only our own way to it is made non-blocking.
 */
static void capture_pipe(struct vhu_capture *capture)
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
	fcntl(own, F_SETPIPE_SZ, VHU_CAPTURE_PIPE);
}

/* Wait until there is room in the pipe, unless its reader is stuck. */
static void capture_wait(struct vhu_capture *capture)
{
	struct pollfd ask = {.fd = capture->fd, .events = POLLOUT};

	if (poll(&ask, 1, 0) == 1)
		capture->stuck = false;
	else if (!capture->stuck)
		capture->stuck = poll(&ask, 1, VHU_CAPTURE_PATIENCE_MS) != 1;
}

int vhu_capture_open(struct vhu_capture *capture, const struct vhu_proxy *proxy, const char *path,
		     uint32_t snaplen, const char *comment)
{
	bool is_stdout = !strcmp(path, "-");
	int error;

	memset(capture, 0, sizeof(*capture));
	capture->proxy = proxy;
	capture->path = is_stdout ? "standard output" : path;
	capture->fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
				: open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (capture->fd < 0)
		return -errno;
	capture_pipe(capture);
	error = vhu_pcapng_writer_open(&capture->writer, capture->fd, snaplen, comment);
	if (error)
		close(capture->fd);
	return error;
}

void vhu_capture_take(void *context, const struct vhu_record *record)
{
	struct vhu_capture *capture = context;
	int error;

	if (capture->pipe)
		capture_wait(capture);
	error = vhu_pcapng_write(capture->writer, record);
	if (!error || capture->losing)
		return;
	capture->losing = true;
	vhu_proxy_say(capture->proxy, "%s: %s: records are being lost; forwarding goes on",
		      capture->path, error == -EAGAIN ? "nobody reads it" : strerror(-error));
}

struct vhu_pcapng_counts vhu_capture_close(struct vhu_capture *capture)
{
	struct vhu_pcapng_counts counts = vhu_pcapng_writer_counts(capture->writer);
	int error = vhu_pcapng_writer_close(capture->writer);

	/* Some file systems tell only now that there was no room. */
	if (close(capture->fd) && !error)
		error = -errno;
	if (error && !capture->losing)
		vhu_proxy_say(capture->proxy, "%s: %s: the capture's end is missing", capture->path,
			      strerror(-error));
	return counts;
}
