/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sink that writes a capture. */
#include "proxy/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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
	error = vhu_pcapng_writer_open(&capture->writer, capture->fd, snaplen, comment);
	if (error)
		close(capture->fd);
	return error;
}

void vhu_capture_take(void *context, const struct vhu_record *record)
{
	struct vhu_capture *capture = context;
	int error = vhu_pcapng_write(capture->writer, record);

	if (!error || capture->losing)
		return;
	capture->losing = true;
	vhu_proxy_say(capture->proxy, "%s: %s: records are being lost; forwarding goes on",
		      capture->path, strerror(-error));
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
