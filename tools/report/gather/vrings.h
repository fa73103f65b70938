/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept of a session's vrings for a report: how each stood over time, what was kicked and
 * called and how long that took, where they lay in memory, and their snapshots.
 *
 * Ownership: a struct vhu_report_vrings starts as all zero; vhu_report_vrings_free frees what it
 * holds.
 */
#ifndef VHU_TOOLS_REPORT_GATHER_VRINGS_H
#define VHU_TOOLS_REPORT_GATHER_VRINGS_H

#include "lib/session/session.h"
#include "lib/util/histogram.h"

/* How a vring stands. */
enum vhu_life {
	VHU_LIFE_NONE,
	VHU_LIFE_SET_UP,  /* something was set, and it was not started */
	VHU_LIFE_STARTED, /* started and not enabled: it is not served */
	VHU_LIFE_RUNNING,
	VHU_LIFE_STOPPED,
	VHU_LIVES
};

/* From when on a vring stood in a way. */
struct vhu_report_change {
	uint64_t time_ns, number;
	uint8_t vring;
	uint8_t life; /* enum vhu_life */
};

/* What is measured of a vring, and one such time. */
enum vhu_measure { VHU_KICK_TO_WAKE, VHU_WAKE_TO_CALL, VHU_KICK_TO_CALL, VHU_MEASURES };
struct vhu_report_sample {
	uint64_t time_ns, ns;
	uint8_t vring, measure;
};

struct vhu_report_vring {
	uint8_t life;                     /* as it stands */
	uint64_t acts[VHU_ACTS];          /* signals */
	uint64_t lost, delayed, repeated; /* by the proxy */
	struct vhu_histogram took[VHU_MEASURES];
};

/* Where a vring's area lies; region -1: in none. */
struct vhu_report_area {
	const char *name;
	unsigned vring;
	int region;
	uint64_t offset, size;
};

/* A part of the memory that is shared. */
struct vhu_report_region {
	uint64_t guest_address, size;
};

/* A snapshot of a vring. */
struct vhu_report_snapshot {
	uint64_t time_ns, number;
	unsigned vring;
	bool hangs;
	char *title, *text; /* the verdict in short; all that was seen */
};

struct vhu_report_vrings {
	struct vhu_report_vring *vring; /* by index */
	unsigned vrings;
	struct vhu_report_change *change;
	uint32_t changes, change_room;
	struct vhu_report_sample *sample;
	uint32_t samples, sample_room;
	struct vhu_report_snapshot *snapshot;
	uint32_t snapshots, snapshot_room;
	uint32_t hangs; /* of these */

	/* The memory when a vring was started last. */
	struct vhu_report_region *region;
	unsigned regions;
	struct vhu_report_area *area;
	unsigned areas;
	uint64_t map_by; /* the record that started it; 0: none did */
};

/* Learn from a record of the session. Returns 0 or -ENOMEM. */
int vhu_report_vrings_see(struct vhu_report_vrings *vrings, const struct vhu_record *record,
			  uint64_t number, const struct vhu_annotation *note);

/* Free what @vrings holds. */
void vhu_report_vrings_free(struct vhu_report_vrings *vrings);

#endif
