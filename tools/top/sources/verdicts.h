/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdicts of vhu rings on back-ends that are watched by probes. One vhu rings runs at a time,
 * as a process of its own, for one back-end after the other.
 *
 * Ownership: a list owns its process.
 */
#ifndef VHU_TOOLS_TOP_SOURCES_VERDICTS_H
#define VHU_TOOLS_TOP_SOURCES_VERDICTS_H

#include "tools/top/sources/child.h"
#include "tools/top/table/model.h"

/* What vhu rings said of a vring, or of a session that has none. */
struct vhu_top_verdict {
	uint32_t front, back; /* processes */
	bool has_vring, has_kick;
	unsigned vring;
	uint32_t kick; /* the id of its eventfd */
	bool hangs;
	char id[VHU_TOP_VERDICT]; /* "" none */
};

/* A back-end whose verdicts are wanted. */
struct vhu_top_asked {
	uint32_t pid;
	bool wanted;            /* since the last look */
	uint64_t asked_ns;      /* when vhu rings began last; 0: never */
	bool answered;          /* once at least */
	char why[VHU_TOP_NAME]; /* why there is no verdict; "" there is one */
	struct vhu_top_verdict *verdict;
	unsigned verdicts;
};

struct vhu_top_verdicts {
	struct vhu_top_asked *asked;
	unsigned count;
	struct vhu_top_child rings;
	uint32_t pid;                /* that it is about */
	struct vhu_top_asked answer; /* so far */
};

/* Say that the verdicts on back-end @pid are wanted now. */
void vhu_top_verdicts_want(struct vhu_top_verdicts *verdicts, uint32_t pid);

/* Return what is known of back-end @pid; NULL: nothing. */
const struct vhu_top_asked *vhu_top_verdicts_of(const struct vhu_top_verdicts *verdicts,
						uint32_t pid);

/* Start vhu rings for the back-end whose turn it is, unless it runs. */
void vhu_top_verdicts_tick(struct vhu_top_verdicts *verdicts, uint64_t now_ns);

/* Take what vhu rings has said. */
void vhu_top_verdicts_read(struct vhu_top_verdicts *verdicts);

/* Return whether every back-end that was wanted was answered once. */
bool vhu_top_verdicts_are_known(const struct vhu_top_verdicts *verdicts);

void vhu_top_verdicts_free(struct vhu_top_verdicts *verdicts);

#endif
