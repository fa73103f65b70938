/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions without a proxy: vhu attach, as a process of its own, records those of a socket or of a
 * back-end into a pipe, which is read as any capture is. Of a session that began before, what its
 * messages told is not known: its processes are found, so that its vrings can be learnt by traffic.
 */
#ifndef VHU_TOOLS_LATENCY_SESSIONS_H
#define VHU_TOOLS_LATENCY_SESSIONS_H

#include <stdint.h>
#include <sys/types.h>

#include "bpf/attach/attach.h"
#include "lib/cli/options.h"
#include "tools/latency/request.h"

struct vhu_latency_sessions {
	pid_t recorder; /* 0 none */
	char path[32];  /* of the pipe */
	int pipe;
	/* The socket whose sessions are recorded; "": those of a process that listens nowhere. */
	char socket[VHU_ATTACH_PATH_MAX + 2];
};

/* Find the only socket that a process listens at. @path: gets it, "" none. */
void vhu_latency_sessions_socket(uint32_t pid, char path[VHU_ATTACH_PATH_MAX + 2]);
/* Find the name of a process; "": it is gone. */
void vhu_latency_sessions_name(uint32_t pid, char *to, size_t size);

/* Begin to record the sessions that are asked for: of a process, those of the socket that it
 * listens at, if it does, so that one that is started after it is found there. Returns
 * VHU_EXIT_DONE, or VHU_EXIT_FAILED with what is wrong said. */
int vhu_latency_sessions_open(struct vhu_latency_sessions *sessions,
			      const struct vhu_command *command,
			      const struct vhu_latency_request *request);
/* The capture was opened by its path. */
void vhu_latency_sessions_are_read(struct vhu_latency_sessions *sessions);
void vhu_latency_sessions_close(struct vhu_latency_sessions *sessions);

/* Who is at a socket. */
struct vhu_latency_at_socket {
	uint32_t pid[2];   /* back-end and front-end of an open session; 0: none, or of several */
	uint32_t listener; /* the process that listens; 0: none */
	char comm[17];     /* its name */
};

/* Find who is at the socket at @path now. Returns 0 or -errno. */
int vhu_latency_sessions_find(const char *path, struct vhu_latency_at_socket *at);

#endif
