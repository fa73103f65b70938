/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sink that writes a capture. What cannot be written is counted and said once; the proxy goes
 * on without it. The reader of a pipe is waited for a moment; one that is stuck does not hold up
 * the sessions: until it reads on, records are lost.
 *
 * Ownership: a capture owns its file and its writer from opening to closing.
 */
#ifndef VHU_PROXY_CAPTURE_H
#define VHU_PROXY_CAPTURE_H

#include "lib/capture/pcapng.h"
#include "proxy/proxy.h"

#define VHU_CAPTURE_PATIENCE_MS 250
/* What is asked for of a pipe: room for some thousand records. */
#define VHU_CAPTURE_PIPE        (1 << 20)

struct vhu_capture {
	const struct vhu_proxy *proxy;
	const char *path; /* "-": standard output */
	int fd;
	struct vhu_pcapng_writer *writer;
	bool pipe;
	bool stuck;  /* the pipe's reader was waited for in vain, and has not read since */
	bool losing; /* that was said */
};

/*
 * Begin a capture in a new file, or in place of what the file held.
 * @path: "-" is standard output; must outlive the capture. @snaplen, @comment: as the writer has
 * it. Returns 0 or -errno.
 */
int vhu_capture_open(struct vhu_capture *capture, const struct vhu_proxy *proxy, const char *path,
		     uint32_t snaplen, const char *comment);

/* Write a record: what the proxy's sinks do, @context being the capture. */
void vhu_capture_take(void *context, const struct vhu_record *record);

/* End the capture. Returns what was written and lost. */
struct vhu_pcapng_counts vhu_capture_close(struct vhu_capture *capture);

#endif
