/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a session ended badly, in one line.
 *
 * The side that closes is the one that reacts: the cause is what the other side did, or did not do,
 * just before. So the line begins with what the end looks like (a request that was not answered, a
 * close right after a message, vrings left running), goes on with the rule that the message there
 * broke, or the last one that was broken before, or says that the message breaks none, and ends
 * with what each side did last. Numbers in brackets are those of messages.
 *
 * A vring hangs if the proxy lost its kick or its call, because of a fault, and none followed,
 * or if the last look at it (a snapshot) says so. A kick without a call is no sign of that alone:
 * drivers turn calls off, and buffers for input wait. It is only named where a session of a device
 * whose requests are all answered ended badly.
 */
#ifndef VHU_CAUSE_CAUSE_H
#define VHU_CAUSE_CAUSE_H

#include "lib/session/session.h"
#include "lib/util/turns.h"

#define VHU_CAUSE_TEXT_MAX 1024
#define VHU_CAUSE_FINDINGS 8
#define VHU_CAUSE_INFOS    4
/* Messages of each side of a channel that are kept, and how much of each payload: what their line
 * shows. */
#define VHU_CAUSE_MESSAGES 4
#define VHU_CAUSE_BYTES    80
/* Vrings whose kicks and calls are followed: those with one that is open come first. */
#define VHU_CAUSE_VRINGS   16
/* Of the texts of records, the most that is kept. */
#define VHU_CAUSE_WORDS    64
#define VHU_CAUSE_SENTENCE 384

/* How a session ended. */
enum vhu_cause_verdict {
	VHU_CAUSE_WELL,
	VHU_CAUSE_UNSURE, /* in order for a front-end that only looks, badly for another */
	VHU_CAUSE_BADLY,
};

/* A finding, and when it was found. */
struct vhu_cause_finding {
	struct vhu_finding finding;
	uint64_t time_ns;
};

/* A message, as far as its line shows it. */
struct vhu_cause_message {
	uint64_t number; /* 0: none */
	const struct vhu_message *message, *or_message;
	const struct vhu_layout *layout;
	struct vhu_context context;
	uint32_t request, size, captured;
	bool reply, big_endian;
	uint8_t bytes[VHU_CAUSE_BYTES];
};

/* A kick or a call. */
struct vhu_cause_signal {
	uint64_t number; /* of its record; 0: none */
	uint64_t time_ns;
	char by[VHU_CAUSE_WORDS]; /* which fault the proxy followed, as its record says it */
};

/* What passed on the eventfds of a vring, and how it was when it was looked at. */
struct vhu_cause_vring {
	uint32_t vring;
	struct vhu_turns turns;
	unsigned answered;                 /* kicks that had a call */
	struct vhu_cause_signal kick;      /* the first that passed and has no call since */
	struct vhu_cause_signal lost_kick; /* the first that the proxy lost since one passed */
	struct vhu_cause_signal lost_call; /* the same of calls */
	struct vhu_cause_signal hang;      /* when the last look at it said that it hangs */
	uint16_t hang_used;                /* its used index then */
	bool hang_at_end;                  /* that look was the one at the session's end */
	char verdict[VHU_CAUSE_SENTENCE];  /* what that said */
};

/* What is remembered of a session for the case that it ends badly. All zero is nothing. */
struct vhu_cause {
	struct vhu_cause_finding finding[VHU_CAUSE_FINDINGS]; /* warnings, errors, oldest first */
	unsigned findings;
	struct vhu_finding info[VHU_CAUSE_INFOS]; /* the latest; without a rule: none */
	unsigned infos;                           /* so far; the next one's place follows */
	struct vhu_finding worst;                 /* the latest error; without a rule: none */
	char error[VHU_RECORD_TEXT_MAX + 1];      /* what the proxy said went wrong */
	/* The latest messages of each channel, by side. */
	struct vhu_cause_message message[VHU_CHANNELS][2][VHU_CAUSE_MESSAGES];
	unsigned messages[VHU_CHANNELS][2]; /* so far */
	struct vhu_cause_vring vring[VHU_CAUSE_VRINGS];
	unsigned vrings;
	/* What a fault altered last; number 0: nothing. */
	struct vhu_cause_signal ours;
	unsigned alterations;
	/* The kick or the call that the proxy made last, as somebody asked for; number 0: none. */
	struct vhu_cause_signal sent;
	uint32_t sent_vring;
	bool sent_call;
	/* A message that was cut off by its sender's closing; number 0: none. */
	struct {
		uint64_t number, bytes, size;
		const struct vhu_message *message; /* NULL: unknown id */
		bool from_back_end;
	} partial;
};

/* Learn from a record and its note. @record is NULL at the end of a capture. @chosen: the rules
 * that may be named, by their places in the table; NULL: all. */
void vhu_cause_see(struct vhu_cause *cause, const struct vhu_record *record, uint64_t number,
		   const struct vhu_annotation *note, const bool *chosen);

/* How a session comes to its end. */
struct vhu_cause_ending {
	const struct vhu_record *record; /* what closed the session; NULL: the capture ends */
	uint64_t now_ns;                 /* time of the end */
	bool goes_on;                    /* the capture is still being written */
	bool goes_elsewhere;             /* it ends, and goes on in another file */
	/* Requests that were open for so long were waited for; 0: 1 s. */
	uint64_t hung_ns;
};

/*
 * Judge how a session ended, and say why.
 * Returns the verdict. Unless the session ended well @to has the line, cut if it is longer.
 */
enum vhu_cause_verdict vhu_cause_judge(const struct vhu_cause *cause, const struct vhu_state *state,
				       const struct vhu_cause_ending *ending,
				       char to[VHU_CAUSE_TEXT_MAX]);

#endif
