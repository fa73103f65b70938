/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a report is made of: the sessions of all captures, their records as rows, what is wrong.
 *
 * Ownership: a struct vhu_report starts as all zero; vhu_report_free frees what it holds. It
 * borrows the paths and the command alone.
 */
#ifndef VHU_TOOLS_REPORT_REPORT_H
#define VHU_TOOLS_REPORT_REPORT_H

#include "lib/cause/cause.h"
#include "tools/reading.h"
#include "tools/report/gather/details.h"
#include "tools/report/gather/texts.h"
#include "tools/report/gather/vrings.h"
#include "tools/stats/stats.h"

/* No row, no session. */
#define VHU_REPORT_NONE     UINT32_MAX
/* Sessions that have a section of their own: those that ended badly before the others. */
#define VHU_REPORT_SECTIONS 12
/* Findings that are kept. */
#define VHU_REPORT_FINDINGS 5000

enum vhu_report_flag {
	VHU_ROW_FROM_BACK_END = 1 << 0,
	VHU_ROW_REPLY = 1 << 1,
	VHU_ROW_NEVER_ANSWERED = 1 << 2,
	VHU_ROW_NOT_YET_ANSWERED = 1 << 3,
	VHU_ROW_EARLIER = 1 << 4, /* told again: it passed before the capture began */
};

/* One record. */
struct vhu_report_row {
	uint64_t number, time_ns;
	uint64_t delay_ns; /* of a reply; from kick to call of a call */
	uint32_t session;  /* its place in report->session */
	uint32_t text;     /* its place in report->texts */
	uint32_t pair;     /* the row of the request or of the reply; VHU_REPORT_NONE: none */
	int16_t vring;     /* -1: about none */
	uint8_t type, channel, act, flags;
	uint8_t severity; /* of the worst finding at it, plus 1; 0: none */
};

struct vhu_report_finding {
	struct vhu_finding finding;
	uint32_t session;
};

struct vhu_report_session {
	uint64_t id; /* from its capture */
	unsigned capture;
	uint32_t first_row;
	bool section;  /* it has one of its own */
	uint32_t like; /* an earlier one that ended in the same way; VHU_REPORT_NONE: none */
	enum vhu_cause_verdict verdict;
	char *cause; /* "" without */
	uint32_t device;
	enum vhu_dialect dialect;
	struct vhu_stats stats;
	struct vhu_report_vrings vrings;
	struct vhu_feature_set features, protocol_features; /* as they were at the end */
	uint64_t running_ns; /* when the first vring could be served; 0: none ever */
	char *state;         /* HTML: what was negotiated and set up; NULL: not kept */
};

struct vhu_report_capture {
	const char *path;
	uint32_t first_row, first_session;
	char *error; /* what is wrong with it; NULL: nothing */
};

struct vhu_report {
	/* What is asked for. */
	const struct vhu_command *command;
	uint64_t only_session; /* 0: all */
	struct vhu_reading_choice choice;
	uint64_t most_rows;

	/* What was read. */
	struct vhu_report_capture *capture;
	unsigned captures;
	struct vhu_report_session *session;
	uint32_t sessions, session_room;
	struct vhu_report_row *row;
	uint32_t rows, row_room;
	uint64_t left_out; /* rows, for there were too many */
	struct vhu_report_finding *finding;
	uint32_t findings, finding_room;
	uint64_t found[VHU_SEVERITIES];
	uint64_t messages;
	struct vhu_texts texts;
	struct vhu_details details;
	unsigned states[2]; /* kept: of sessions that ended badly, of others */
	int error;          /* -errno of what could not be kept; 0: all was */
};

/* Read the captures at @paths into @report. Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with what
 * is wrong said; what could be read is in @report all the same. */
int vhu_report_gather(struct vhu_report *report, char **paths, int count);

/* Return the row of record @number of a capture; VHU_REPORT_NONE: it is not there. */
uint32_t vhu_report_row_of(const struct vhu_report *report, unsigned capture, uint64_t number);

/* Free what @report holds. */
void vhu_report_free(struct vhu_report *report);

#endif
