/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhu attach --latency: the kicks, wakes and calls of the vrings of watched sessions, among their
 * messages. The probes are those of vhu latency; messages tell them which eventfds vrings have.
 *
 * Ownership: all belongs to the kicks, from opening to closing.
 */
#ifndef VHU_TOOLS_ATTACH_KICKS_H
#define VHU_TOOLS_ATTACH_KICKS_H

#include "tools/attach/queue.h"
#include "tools/latency/show/events.h"
#include "tools/latency/sources/told.h"

/* Of an event in the queue: not one of a socket, a struct vhu_bpf_event follows. */
#define VHU_ATTACH_KICK UINT32_MAX

struct vhu_attach_kicks {
	const struct vhu_command *command;
	struct vhu_probes *probes; /* NULL: not asked for */
	struct vhu_latency_vrings vrings;
	struct vhu_latency_events events;
	struct vhu_latency_told told;
	struct vhu_attach_queue *queue;
	uint64_t records, wired_ns;
};

/*
 * Load the probes.
 * @queue: gets events. @give: takes records of them. @epoch_ns: what CLOCK_MONOTONIC lacks to the
 * time of records. @keep: what verdicts on vrings need, in kicks->told.
 * Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with what is wrong said.
 */
int vhu_attach_kicks_open(struct vhu_attach_kicks *kicks, const struct vhu_command *command,
			  struct vhu_attach_queue *queue,
			  void (*give)(void *with, const struct vhu_record *record), void *with,
			  uint64_t epoch_ns, bool keep);
/* Write which hooks see the kicks, and what these hooks miss. */
void vhu_attach_kicks_hooks(const struct vhu_attach_kicks *kicks, char *to, size_t size);
void vhu_attach_kicks_close(struct vhu_attach_kicks *kicks);

/* Learn from a record which eventfds the vrings have, and watch them. */
void vhu_attach_kicks_learn(struct vhu_attach_kicks *kicks, const struct vhu_record *record);
/* Queue the events that there are. */
void vhu_attach_kicks_queue(struct vhu_attach_kicks *kicks);
/* Take an event from the queue. */
void vhu_attach_kicks_take(struct vhu_attach_kicks *kicks, const uint8_t *bytes);
/* Look which eventfds are there, if it is time. */
void vhu_attach_kicks_tick(struct vhu_attach_kicks *kicks, uint64_t now_ns);

#endif
