/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vhu top shows: a row for each vring, for each session without any, and for each source that
 * has no session to show; those that the filter lets pass, sorted. No I/O.
 *
 * Rows are copies: they stay as they are while the model goes on, for somebody who has paused.
 *
 * Ownership: a view owns its rows.
 */
#ifndef VHU_TOOLS_TOP_TABLE_VIEW_H
#define VHU_TOOLS_TOP_TABLE_VIEW_H

#include "tools/top/table/model.h"

/* A name with what the terminal may be sent alone. */
#define VHU_TOP_PLAIN 128

struct vhu_top_row {
	char path[VHU_TOP_NAME]; /* of the source, as it is */
	char source[VHU_TOP_PLAIN];
	bool probed; /* the source is no proxy */
	bool note;   /* of a source alone: what is wrong with it is in `name` */
	uint64_t session;
	bool numbered;            /* `session` is a number for people */
	int64_t vring;            /* -1: the session has none */
	char name[VHU_TOP_PLAIN]; /* the front-end's socket, or who it is */
	char device[VHU_TOP_WORD];
	bool has_path;                /* `name` is a path */
	uint32_t front_pid;           /* 0: not known */
	char front_end[VHU_TOP_WORD]; /* the program; "" not known */
	char back_end[VHU_TOP_PLAIN]; /* the program, or its socket */
	uint32_t back_pid;            /* 0: not known */
	bool cpu_known, messages_known, rated, timed, counted;
	double cpu, messages_per_s, kicks_per_s, calls_per_s;
	uint64_t p50_ns, p99_ns, max_ns, waiting, waiting_ns;
	char request[VHU_TOP_WORD]; /* that waits for its reply longest; "" none */
	uint64_t request_ns;
	char verdict[VHU_TOP_VERDICT];
	enum vhu_top_state state; /* of the session without a vring */
	struct vhu_top_silence silence;
	char hint[VHU_TOP_NAME]; /* what would give a verdict */
};

/* What is shown in a column, and what rows are sorted by. */
struct vhu_top_column {
	const char *name;    /* as --sort takes it */
	const char *heading; /* on the screen */
	int width;           /* the least; the one that is 0 takes what is left */
	int from;            /* the screen must have so many columns */
	bool left;           /* texts are, numbers are not */
	bool rising;         /* sorted from the least on; else from the greatest */
	/* Write the value of a row. */
	void (*text)(const struct vhu_top_row *row, char *to, size_t size);
	/* Compare two rows as qsort does, by rising values. */
	int (*compare)(const struct vhu_top_row *one, const struct vhu_top_row *other);
};

extern const struct vhu_top_column vhu_top_column[];
extern const unsigned vhu_top_columns;

/* Return the number of the column called @name, -1 for none. */
int vhu_top_column_find(const char *name);

struct vhu_top_view {
	unsigned sort; /* the column */
	bool reverse;
	char filter[VHU_TOP_WORD];
	struct vhu_top_row *all; /* as of the last look */
	unsigned count;
	struct vhu_top_row **row; /* those that pass the filter, sorted */
	unsigned rows;
	unsigned in_state[VHU_TOP_STATES]; /* vrings, of all */
	unsigned sources, gone, sessions, vrings;
	double kicks_per_s, calls_per_s;
};

/* Take rows from what is known now. Returns 0; -ENOMEM: some are missing. */
int vhu_top_view_take(struct vhu_top_view *view, const struct vhu_top *top, uint64_t now_ns);

/* Filter and sort the rows that were taken. Returns as vhu_top_view_take does. */
int vhu_top_view_arrange(struct vhu_top_view *view);

void vhu_top_view_free(struct vhu_top_view *view);

#endif
