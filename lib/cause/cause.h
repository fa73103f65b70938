/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a session ended badly, in one line.
 *
 * Who closes is the one who reacts: the cause is what the other side did, or did not do, just
 * before. So the line begins with what the end looks like (a request that was not answered, a close
 * right after a message, rings left running), goes on with the rule that the message there broke,
 * or the last one that was broken before, and ends with what the other side did last.
 */
#ifndef VHU_CAUSE_CAUSE_H
#define VHU_CAUSE_CAUSE_H

#include "lib/session/session.h"

#define VHU_CAUSE_TEXT_MAX 1024
#define VHU_CAUSE_FINDINGS 8

/* What is remembered of a session for the case that it ends badly. All zero is nothing. */
struct vhu_cause {
	struct vhu_finding finding[VHU_CAUSE_FINDINGS]; /* warnings and errors, oldest first */
	unsigned findings;
	char error[VHU_RECORD_TEXT_MAX + 1]; /* what the proxy said went wrong */
	/* A message that was cut off by its sender's closing; number 0: none. */
	struct {
		uint64_t number, bytes, size;
		const struct vhu_message *message; /* NULL: unknown id */
		bool from_back_end;
	} partial;
};

/* Learn from a record and its note. @record is NULL at the end of a capture. @chosen: the rules
 * that may be named, by their places in the table. */
void vhu_cause_see(struct vhu_cause *cause, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note, const bool chosen[VHU_RULES]);

/*
 * Say why a session ended badly.
 * @record: what closed it; NULL: the capture ends.
 * @now_ns: time of the end.
 * Returns whether it ended badly; then @to has the line, cut where it is longer.
 */
bool vhu_cause_text(const struct vhu_cause *cause, const struct vhu_state *state,
		    const struct vhu_record *record, uint64_t now_ns, char to[VHU_CAUSE_TEXT_MAX]);

#endif
