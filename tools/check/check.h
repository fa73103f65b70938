/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A check of captures: what is asked for, what was found so far, and the forms it is shown in. */
#ifndef VHU_TOOLS_CHECK_CHECK_H
#define VHU_TOOLS_CHECK_CHECK_H

#include <stdio.h>

#include "lib/cause/cause.h"
#include "lib/session/rules/table.h"
#include "lib/util/json.h"
#include "tools/reading.h"

struct vhu_check;
struct vhu_check_suite;

/* Why a session ended badly, and others like it. */
struct vhu_check_cause {
	uint64_t first, last; /* sessions */
	uint64_t times;       /* so many sessions, with `first` and `last`; 0: shown already */
	char text[VHU_CAUSE_TEXT_MAX];
};

/* Causes that are held for others like them. */
#define VHU_CHECK_CAUSES_MAX 8

/* A finding that sessions have alike. */
#define VHU_CHECK_REPEATED_MAX   64
#define VHU_CHECK_REPEATED_SHOWN 3
struct vhu_check_repeated {
	const struct vhu_rule *rule;
	uint64_t number;                            /* of the record that showed it first */
	uint64_t session[VHU_CHECK_REPEATED_SHOWN]; /* one for each that is shown */
	unsigned sessions;
	uint64_t first, last, times; /* first and last session, and how many times in all */
	char text[VHU_FINDING_TEXT_MAX];
};

/* How findings are shown; NULL for what a form has no place for. All of a run: begin, for each file
 * begin_file, what is found, end_file, and end, after the summary. */
struct vhu_check_form {
	void (*begin)(struct vhu_check *check);
	void (*begin_file)(struct vhu_check *check);
	void (*finding)(struct vhu_check *check, const struct vhu_finding *finding);
	/* Findings that were counted instead of shown; NULL: each is shown. */
	void (*repeated)(struct vhu_check *check, const struct vhu_check_repeated *repeated);
	/* One or more sessions ended badly. */
	void (*cause)(struct vhu_check *check, const struct vhu_check_cause *cause);
	/* The capture cannot be read, or not on. */
	void (*broken)(struct vhu_check *check, const char *text);
	void (*end_file)(struct vhu_check *check);
	void (*end)(struct vhu_check *check);
};

extern const struct vhu_check_form vhu_check_text, vhu_check_json, vhu_check_sarif, vhu_check_junit;

/* A watcher sees each record as it is checked, and the end of each session. NULL: no watcher. */
struct vhu_check_watcher {
	/* See one record, or the end of a session, as vhu_reading_run gives it; its findings come
	 * afterwards. Returns 0; -errno ends the reading. */
	int (*see)(void *with, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note);
	/* A session ended, in the way that vhu_cause_judge tells, or the capture did. */
	void (*judged)(void *with, const struct vhu_state *state, enum vhu_cause_verdict verdict,
		       const char *text);
	void *with;
};

struct vhu_check {
	/* What is asked for. */
	const struct vhu_command *command;
	const struct vhu_check_form *form;
	FILE *to;
	enum vhu_severity least; /* to be shown, and above */
	bool chosen[VHU_RULES];
	bool at_once; /* somebody watches: show each finding when it is found */
	bool follow;
	bool only;        /* some rules alone are asked for: how sessions ended is no failure */
	bool exit_zero;   /* whatever is found */
	uint64_t session; /* only this one; 0: all */
	struct vhu_reading_choice choice;
	const struct vhu_check_watcher *watcher;

	/* What was found. */
	const char *path; /* of the capture that is read */
	uint64_t found[VHU_SEVERITIES], sessions, messages;
	uint64_t badly;   /* sessions that ended so */
	uint64_t hanging; /* sessions that have not ended, and something in them hangs */
	unsigned files, broken;
	struct vhu_check_cause cause[VHU_CHECK_CAUSES_MAX];
	unsigned causes;
	struct vhu_check_repeated repeated[VHU_CHECK_REPEATED_MAX];
	unsigned repeats;

	/* The forms' own. */
	struct vhu_json json;
	/* What is shown at the end: text by open_memstream, no more than VHU_CHECK_LATER_MAX. */
	FILE *later;
	char *later_text;
	size_t later_size;
	uint64_t left_out;             /* of it, for there was more */
	struct vhu_check_suite *suite; /* JUnit: of the capture */
};

#define VHU_CHECK_LATER_MAX (1 << 20)
#define VHU_CHECK_LINE_MAX  (VHU_FINDING_TEXT_MAX + 256)

/* Return whether a finding of a rule is to be shown. */
static inline bool vhu_check_wants(const struct vhu_check *check, const struct vhu_rule *rule)
{
	return rule->severity >= check->least && check->chosen[rule - vhu_rules];
}

/* Show a finding, if it is one of those asked for, and count it. */
void vhu_check_found(struct vhu_check *check, const struct vhu_finding *finding);

/* Return whether a finding is one that the sessions before had, and count it then. What was counted
 * is shown by vhu_check_repeated_end. */
bool vhu_check_is_repeated(struct vhu_check *check, const struct vhu_finding *finding);
void vhu_check_repeated_end(struct vhu_check *check);

/* Show why @session ended badly, or count it to one like it. What is held is shown by
 * vhu_check_causes_end. Returns how many sessions it stands for: the proxy records sessions that
 * could not begin, one like the other, as one. */
uint64_t vhu_check_cause(struct vhu_check *check, uint64_t session, const char *text);
void vhu_check_causes_end(struct vhu_check *check);

/* Return whether two causes say the same, but for the times and the numbers of messages. */
bool vhu_check_causes_alike(const char *one, const char *other);

/* Write the sessions of a cause: "session 3: ", "sessions 3 to 70, 68 times: ". */
void vhu_check_cause_sessions(const struct vhu_check_cause *cause, char to[VHU_CHECK_LINE_MAX]);

/* Write a finding as it is shown on a line, without where it is: "warning V303 swap-unacknowledged:
 * what (session 1, see 17)". */
void vhu_check_line(const struct vhu_finding *finding, char to[VHU_CHECK_LINE_MAX]);

/* Check the captures at @paths, @count of them. @compare: they are two, and the sessions of the
 * second go on where those of the first ended. What was found is in @check; the form has still to
 * end. */
void vhu_check_run(struct vhu_check *check, char **paths, int count, bool compare);

/* Print all rules, a line each, or as docs/rules.md has them. */
void vhu_check_list(FILE *to);
void vhu_check_list_markdown(FILE *to);

/* Print what there is to say about a rule. */
void vhu_check_explain(FILE *to, const struct vhu_rule *rule);

#endif
