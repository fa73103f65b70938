/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run of vhu attach: it finds what to watch, watches until the end, and sums up. */
#ifndef VHU_TOOLS_ATTACH_RUN_H
#define VHU_TOOLS_ATTACH_RUN_H

#include "bpf/attach/attach.h"
#include "lib/attach/session.h"
#include "tools/attach/find.h"
#include "tools/attach/kicks.h"
#include "tools/attach/processes.h"
#include "tools/attach/queue.h"
#include "tools/attach/sinks.h"
#include "tools/latency/stall/stall.h"

/* Names of listening sockets that are watched. */
#define VHU_ATTACH_NAMES_MAX VHU_ATTACH_LISTENERS

struct vhu_attach_run {
	const struct vhu_command *command;
	const struct vhu_attach_request *request;
	struct vhu_attach *attach;
	struct vhu_attach_sessions *sessions;
	struct vhu_attach_queue queue;
	struct vhu_attach_sinks sinks;
	struct vhu_attach_kicks kicks;
	struct vhu_attach_processes processes;
	struct vhu_on_stall on_stall;
	struct vhu_latency_stall *stall;         /* NULL: stalls are not looked for */
	struct vhu_latency_events stall_records; /* take its records */
	/* Names of listening sockets that are watched. */
	struct vhu_attach_name {
		struct vhu_attach_listed socket; /* that listens */
		bool listens;                    /* it still does */
	} name[VHU_ATTACH_NAMES_MAX];
	unsigned names;
	bool names_new; /* some of them were not watched when the sockets were listed */
	/* The paths that are asked for. */
	struct vhu_attach_place {
		uint64_t name; /* address of the listening socket's name; 0: none listens */
		uint64_t
		    listener; /* inode of the listening socket: a name\'s address is used again */
		uint64_t inode, made_ns; /* of the file there, 0 none */
		uint64_t changed_ns;     /* when that was found, by vhu_now_ns */
	} place[VHU_ATTACH_SOCKETS_GIVEN];
	bool started; /* what is watched was said */
	int signals;
	/* States that wait until all events before them were taken. */
	struct vhu_attach_state *state;
	unsigned states;
	uint64_t states_from_ns, states_ns; /* when their list was begun, and complete */
	unsigned found;                     /* sessions that were there already */
	uint64_t gone_ns;                   /* since when no process is left; 0 some are */
	uint64_t kicked;                    /* records of kicks, wakes and calls */
};

/* Do what @request asks for. Returns the exit status. */
int vhu_attach_run(const struct vhu_command *command, const struct vhu_attach_request *request,
		   int argc, char **argv);

/* list.c: list what there is. Returns the exit status. */
int vhu_attach_list_run(const struct vhu_command *command,
			const struct vhu_attach_request *request);

/* targets.c: find what is asked for, and watch it. Returns how many connections were found that
 * were not known; -errno. */
int vhu_attach_targets_find(struct vhu_attach_run *run);
/* Leave the processes that have ended: another one may have the id of each. Returns whether none is
 * left of those that were asked for, and nothing else was asked for. */
bool vhu_attach_targets_ended(struct vhu_attach_run *run);
/* Return whether a path has another socket than when it was looked at. */
bool vhu_attach_targets_changed(struct vhu_attach_run *run);

#endif
