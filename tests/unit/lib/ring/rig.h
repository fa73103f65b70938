/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real vring between the sample front-end's driver and the sample back-end's device, in one
 * process: memory in a memfd, kick and call eventfds, an in-flight area.
 */
#ifndef VHU_TESTS_RING_RIG_H
#define VHU_TESTS_RING_RIG_H

#include "lib/ring/verdict/verdict.h"
#include "samples/backend/inflight/inflight.h"
#include "samples/frontend/vring/vring.h"

#define RIG_SIZE  64
#define RIG_SLOTS 16

struct rig {
	uint64_t features;
	struct vhu_arena arena;
	struct vhu_driver_vring driver;
	struct vhu_part part[VHU_VRING_PARTS];
	int kick, call;
	/* The device. */
	struct vhu_memory device_memory;
	struct vhu_log log;
	struct vhu_device_vring device;
	struct vhu_inflight inflight;
	int inflight_fd;
	/* Chains that were taken and not given back. */
	struct vhu_done taken[RIG_SLOTS];
	unsigned takens;
	struct vhu_chain chain;
	/* What the reader is given. */
	struct vhu_ring_region region[VHU_ARENA_REGIONS];
	struct vhu_ring_memory memory;
	struct vhu_ring_region inflight_region;
	struct vhu_ring_memory inflight_memory;
	struct vhu_ring_place place;
	struct vhu_context context;
	struct vhu_ring_evidence evidence;
};

/* Make a rig; its vring is started and enabled. @with_inflight: there is an in-flight area. */
void rig_open(struct rig *rig, uint64_t features, bool with_inflight);
void rig_close(struct rig *rig);

/* The driver: make a request available in a free slot. Returns false if none is free. */
bool rig_offer(struct rig *rig, unsigned parts);
/* The driver: kick, if the device wants it. */
void rig_kick(struct rig *rig);
/* The driver: collect what is used, ask for a call for the next. Returns how many were collected.
 */
unsigned rig_collect(struct rig *rig);

/* The device: take a request. Returns false without one. */
bool rig_take(struct rig *rig);
/* The device: give the @nth of those taken back, and call if the driver wants it. */
void rig_give(struct rig *rig, unsigned nth);
/* The device: ask for a kick for the next request. Returns whether there is one already. */
bool rig_arm(struct rig *rig);

/* Read the vring and its counters into a sample, @ms after the first one. */
void rig_sample(struct rig *rig, unsigned sample, uint64_t ms);

/* Return an eventfd's counter as /proc shows it. */
uint64_t rig_counter(int fd);

#endif
