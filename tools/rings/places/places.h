/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where to look: what was asked for, and the sessions that a source has. */
#ifndef VHU_TOOLS_RINGS_PLACES_H
#define VHU_TOOLS_RINGS_PLACES_H

#include "lib/cli/options.h"
#include "tools/rings/session/session.h"

struct vhu_rings_request {
	const struct vhu_command *command;
	const char *capture, *control, *qmp; /* NULL: not given */
	const char *file;                    /* to write snapshots to; NULL: none */
	uint32_t pid;                        /* 0: any */
	uint64_t session;                    /* 0: all */
	int64_t vring;                       /* -1: all */
	bool json, verbose, watch, wait;
	bool again; /* after the first look, sessions that have ended are no failure */
	uint64_t watch_ns, wait_ns;
};

/*
 * Read the sessions that are open, from the source that was asked for, into an empty list. Those
 * that were not asked for are left out.
 * Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with what is wrong said.
 */
int vhu_rings_places(const struct vhu_rings_request *request, struct vhu_rings_sessions *sessions);

/* From a capture, up to its present end. @path: of it. */
int vhu_rings_places_capture(const struct vhu_rings_request *request, const char *path,
			     struct vhu_rings_sessions *sessions);

/* From the control socket of a proxy. */
int vhu_rings_places_control(const struct vhu_rings_request *request,
			     struct vhu_rings_sessions *sessions);

/* From QEMU's monitor. */
int vhu_rings_places_qmp(const struct vhu_rings_request *request,
			 struct vhu_rings_sessions *sessions);

/*
 * Read the sessions of a process from what records them: the proxy that it is, or that it is
 * connected to, or a vhu attach that has watched it from the beginning.
 * Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with what is wrong said.
 */
int vhu_rings_places_pid(const struct vhu_rings_request *request,
			 struct vhu_rings_sessions *sessions);

/* Say what is seen of a process and of those that it shares eventfds with, a line each: which of
 * them cannot run, which eventfds were signalled and not read. */
void vhu_rings_say_facts(const struct vhu_command *command, uint32_t pid);

/*
 * Find the capture that a process writes.
 * @path: gets the capture's path below /proc.
 * Returns whether there is one.
 */
bool vhu_rings_capture_by(uint32_t pid, char *path, size_t size);

/*
 * Find the capture of the proxy that a process is connected to.
 * @path: gets the capture's path below /proc.
 * Returns whether there is one.
 */
bool vhu_rings_capture_of(uint32_t pid, char *path, size_t size);

/*
 * Find a capture that a vhu attach writes, which may have sessions of any process.
 * @nth: which of them, from 0. @path: gets it, a path below /proc.
 * Returns whether there are so many.
 */
bool vhu_rings_capture_attached(unsigned nth, char *path, size_t size);

#endif
