/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line from a socket whose other end may be anything: it may never end the line, or send a byte
 * now and then. */
#ifndef VHU_TOOLS_CTL_LINE_H
#define VHU_TOOLS_CTL_LINE_H

#include <sys/types.h>

/*
 * Read a line, its end included, from the socket @fd, which blocks. Nothing else may read there.
 * @line: *line has room for *room bytes; grows, and belongs to the caller, as for getline(3).
 * Returns the line's size; -1 without a line, with errno: 0 if the other end closed the connection;
 * EAGAIN if it sent nothing for the time of SO_RCVTIMEO, or no whole line in six times that;
 * EMSGSIZE if the line is longer than any answer, 64 MiB.
 */
ssize_t vhu_answer_line(int fd, char **line, size_t *room);

#endif
