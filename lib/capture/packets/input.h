/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file as a stream of bytes. At the end of a file that is followed the input waits for more, so
 * its reader never sees half of what is still being written.
 *
 * Ownership: the input owns its descriptors and its buffer. Bytes that it gives are its own and
 * last until the next call.
 */
#ifndef VHU_CAPTURE_PACKETS_INPUT_H
#define VHU_CAPTURE_PACKETS_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vhu_input {
	int fd;
	int watch;   /* inotify; -1 without */
	bool follow; /* wait for more where the file ends */
	bool shrank; /* while it was followed */
	bool pipe;   /* no regular file: reading it waits */
	bool ends;   /* a single signal ends the wait for a pipe, which else takes several */
	off_t taken; /* bytes read from the file */
	/* Called while a pipe has no more, and at the end of a file that is followed, about once a
	 * second and never more than four times a second; NULL: nothing is. @now_ns: the time at
	 * which there was no more. It may not read. */
	void (*idle)(void *with, uint64_t now_ns);
	void *idle_with;
	uint64_t idle_ns; /* time of the latest call */
	uint8_t *buffer;
	size_t room, from, to; /* the bytes from `from` to `to` are not consumed yet */
};

/*
 * Open the file at @path ("-": standard input).
 * @follow: wait for more at the end of a regular file; a pipe ends when its writer does.
 * Returns 0, and the caller closes the input; -errno.
 */
int vhu_input_open(struct vhu_input *input, const char *path, bool follow);

/*
 * Give the next @size bytes without consuming them.
 * Returns 1 and *@bytes; 0 where the file ends here; -ENODATA where it ends before that many;
 * -EINTR when a signal came while waiting; -EBADMSG and input->shrank; another -errno.
 */
int vhu_input_peek(struct vhu_input *input, size_t size, const uint8_t **bytes);

/* Consume @size bytes. Returns as vhu_input_peek does. */
int vhu_input_skip(struct vhu_input *input, size_t size);

/* Close the input. */
void vhu_input_close(struct vhu_input *input);

#endif
