/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of lib/cause share: the end of a session, and the line about it as it grows. */
#ifndef VHU_CAUSE_INTERNAL_H
#define VHU_CAUSE_INTERNAL_H

#include "lib/cause/cause.h"
#include "lib/protocol/line.h"

/* A request that was open for longer was not cut off by the end: it would not have been answered.
 */
#define VHU_CAUSE_HUNG_NS     UINT64_C(1000000000)
/* A side that closes so soon after a message closes because of it; one that asked, and leaves
 * later, has waited. */
#define VHU_CAUSE_REACTION_NS UINT64_C(100000000)

enum vhu_cause_side { VHU_CAUSE_FRONT = 0, VHU_CAUSE_BACK = 1, VHU_CAUSE_NOBODY = -1 };

struct vhu_cause_end {
	const struct vhu_cause *cause;
	const struct vhu_state *state;
	const struct vhu_channel_state *main; /* the front-end's channel */
	uint64_t now_ns;
	bool closed;                /* else the capture ends */
	bool goes_on;               /* the capture is still being written */
	bool goes_elsewhere;        /* it ends, and goes on in another file */
	uint64_t hung_ns;           /* requests that were open for so long were waited for */
	enum vhu_cause_side closer; /* NOBODY: neither side began */
	bool unread;                /* the closer left bytes unread */
	const char *fate;           /* what became of the closer's process, NULL: not known */
	const char *reason;         /* from the record that closed the session */
	uint64_t about;             /* number of the message that the line is about; 0 none */
	uint64_t answer;            /* number of the answer that is a part of that; 0 none */
	/* Who is at fault if message `about` breaks no rule; NOBODY: that does not tell. */
	enum vhu_cause_side at_fault;
	bool refused;  /* the back-end refused `about` */
	bool disabled; /* the line says that vrings were never enabled */
	bool hung;     /* the front-end was ended while vrings ran: the device may have hung */
	bool data_path_said; /* the line is about the data path */
	bool ours_said;      /* the line says what a fault altered */
	bool unsure;
	struct vhu_line line;
};

/* text.c: parts of the line. */

/* Add a side, with the program that it is. */
void vhu_cause_add_side(struct vhu_cause_end *end, enum vhu_cause_side side);

/* Add a length of time. */
void vhu_cause_add_time(struct vhu_cause_end *end, uint64_t from_ns, uint64_t to_ns);

/* Add what the closer did: "closed", "was killed by signal 11 (Segmentation fault)". */
void vhu_cause_add_close(struct vhu_cause_end *end);

/* Add how many vrings were left running, if any: " while 2 vrings ran". */
void vhu_cause_add_running(struct vhu_cause_end *end);

/* Add a message as its line in a dump shows it, and its number. @message: its row, for one that is
 * not remembered. */
void vhu_cause_add_message(struct vhu_cause_end *end, uint64_t number,
			   const struct vhu_message *message, bool reply);

/* Add the message that a side sent last. */
void vhu_cause_add_last(struct vhu_cause_end *end, enum vhu_cause_side side);

/* Return a message's name. */
const char *vhu_cause_name(const struct vhu_message *message);

/* Return what is remembered of message @number; NULL: nothing. */
const struct vhu_cause_message *vhu_cause_message_at(const struct vhu_cause *cause,
						     uint64_t number);

/* Return the side that sent the last message of the front-end's channel; NOBODY without any. */
enum vhu_cause_side vhu_cause_last_side(const struct vhu_cause_end *end);

/* unanswered.c */

/* Say which requests were not answered. Returns whether that was it. */
bool vhu_cause_say_unanswered(struct vhu_cause_end *end);

/* Add how it went on: who closed, or that the capture ends. @asked: the side that the line is
 * about; NOBODY: both, or none. */
void vhu_cause_add_then(struct vhu_cause_end *end, enum vhu_cause_side asked);

/* vrings.c */

/* Say that vrings were started and none was ever enabled, which they had to be. Returns whether
 * that was it. */
bool vhu_cause_say_never_enabled(struct vhu_cause_end *end);

/* Say that vrings were left running, or that none was ever started. Returns whether that was it. */
bool vhu_cause_say_vrings(struct vhu_cause_end *end);

/* data_path.c: what passed on the eventfds of vrings, and looks at vrings. */

/* Learn from a record, if it is of a vring. */
void vhu_cause_see_vring(struct vhu_cause *cause, const struct vhu_record *record, uint64_t number);

/* Say that a vring hangs. Returns whether that was it. */
bool vhu_cause_say_data_path(struct vhu_cause_end *end);

/* Add kicks that had no call, if they may be why the session ended. */
void vhu_cause_add_open_kicks(struct vhu_cause_end *end);

/* Add what a fault altered last, if the line does not say it. */
void vhu_cause_add_ours(struct vhu_cause_end *end);

/* why.c: what comes after the first part of the line. */

/* Find the worst that is remembered of message @number. Returns it or NULL. */
const struct vhu_finding *vhu_cause_finding_at(const struct vhu_cause_end *end, uint64_t number);

/* Find what went wrong last, at most @within_ns before the end: an error, or something that the
 * back-end refused. Returns it or NULL. */
const struct vhu_finding *vhu_cause_trouble(const struct vhu_cause_end *end, uint64_t within_ns);

/* Add why: the rule that was broken, or that none was. */
void vhu_cause_add_why(struct vhu_cause_end *end);

/* Add what each side did last, as far as that was not said. */
void vhu_cause_add_last_words(struct vhu_cause_end *end);

/* Return how long ago it was at the end. */
static inline uint64_t vhu_cause_age(const struct vhu_cause_end *end, uint64_t time_ns)
{
	return end->now_ns > time_ns ? end->now_ns - time_ns : 0;
}

#endif
