/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a case sees: a back-end to talk to, memory and rings, and ways to say what is wrong.
 *
 * What returns a bool returns whether the case goes on; where it does not, what is wrong was said.
 *
 * Ownership: a trial owns its memory, its rings and its connection from vhu_trial_open to
 * vhu_trial_close.
 */
#ifndef VHU_TOOLS_PROBE_TRIAL_H
#define VHU_TOOLS_PROBE_TRIAL_H

#include "tools/probe_case.h"
#include "tools/probe_ring.h"

struct vhu_trial {
	const struct vhu_probe *facts; /* what the back-end offers */
	struct vhu_probe_wire *wire;
	struct vhu_probe_verdict *verdict;
	uint32_t device;
	uint64_t offered;      /* protocol features */
	uint64_t features;     /* virtio features taken */
	bool no_acks;          /* do not take REPLY_ACK */
	bool has_request;      /* one is known that the device serves */
	unsigned request_ring; /* which takes it */
	struct vhu_probe_memory memory;
	struct vhu_probe_ring ring[VHU_PROBE_RINGS_MAX];
	unsigned rings; /* that a case sets up */
};

/* A case: a row of probe_cases.def. */
struct vhu_probe_case {
	const char *name, *title;
	unsigned rule;           /* whose basis it is, by number; 0: none's */
	const char *section;     /* of the specification */
	uint64_t needs_protocol; /* protocol features, as bits */
	uint64_t needs_features; /* virtio features */
	unsigned needs_rings;
	bool needs_request; /* one that the device serves must be known */
	bool hostile;       /* the back-end may refuse, and close the connection */
	void (*run)(struct vhu_trial *trial);
};

extern const struct vhu_probe_case vhu_probe_cases[];
extern const unsigned vhu_probe_cases_count;

/* Begin and end. Open returns 0 or -errno; close it in either case. */
int vhu_trial_open(struct vhu_trial *trial, struct vhu_probe *probe,
		   struct vhu_probe_verdict *verdict);
void vhu_trial_close(struct vhu_trial *trial);

/* Say that the back-end failed. Returns false. */
bool vhu_trial_fail(struct vhu_trial *trial, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say that a case makes no sense for this back-end. Returns false. */
bool vhu_trial_skip(struct vhu_trial *trial, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say what is worth knowing although it is all right. Returns true. */
bool vhu_trial_note(struct vhu_trial *trial, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say that the connection failed, in its own words. Returns false. */
bool vhu_trial_fail_wire(struct vhu_trial *trial);

/* Connect, and nothing else. */
bool vhu_trial_connect(struct vhu_trial *trial);

/* Connect, negotiate, take the virtio features of @extra besides those all cases take. */
bool vhu_trial_greet(struct vhu_trial *trial, uint64_t extra);

/* Share the memory. */
bool vhu_trial_share(struct vhu_trial *trial);

/* Set up ring @i to go on at @base, without enabling it. Its kick comes last: it starts the ring.
 */
bool vhu_trial_set_up(struct vhu_trial *trial, unsigned i, uint32_t base);

/* Enable a ring, or disable it. */
bool vhu_trial_enable(struct vhu_trial *trial, unsigned i, bool enable);

/* Set the device's status, where there is one. */
bool vhu_trial_set_status(struct vhu_trial *trial, uint64_t status);

/* Set features, set up and enable all rings, say that the driver is ready. */
bool vhu_trial_drive(struct vhu_trial *trial);

/* Greet, share, drive: after it every ring runs. */
bool vhu_trial_start(struct vhu_trial *trial, uint64_t extra);

/* Begin ring @i anew in our memory: empty, with new eventfds. It must not run. */
bool vhu_trial_ring_anew(struct vhu_trial *trial, unsigned i);

/* Take other memory, and begin all rings anew in it: who was told of the old may still use that. */
bool vhu_trial_memory_anew(struct vhu_trial *trial);

/* Have a request served, if one is known. */
bool vhu_trial_serve(struct vhu_trial *trial);

/* Stop ring @i and learn where it stopped. */
bool vhu_trial_stop(struct vhu_trial *trial, unsigned i, uint32_t *base);

/* Set the descriptor of a ring; -1 says that there is none. */
bool vhu_trial_set_fd(struct vhu_trial *trial, enum vhu_message_id id, unsigned i, int fd);

/* Set a ring's addresses. @flags: as the message has them. */
bool vhu_trial_set_addresses(struct vhu_trial *trial, unsigned i, uint64_t user, uint32_t flags);

/* Set virtio features. */
bool vhu_trial_set_features(struct vhu_trial *trial, uint64_t features);

/* Send a message that is acknowledged where that was negotiated. */
bool vhu_trial_set(struct vhu_trial *trial, const struct vhu_probe_message *message);

/* Ask a question without payload whose answer is an integer. */
bool vhu_trial_ask(struct vhu_trial *trial, enum vhu_message_id id, enum vhu_field_id field,
		   uint64_t *value);

/* Ask for a part of the configuration space; the answer is whole. */
bool vhu_trial_config(struct vhu_trial *trial, uint32_t offset, uint32_t size,
		      struct vhu_probe_message *reply);

/*
 * Send what the back-end ought to refuse, and look whether it does.
 * @accepted: it acknowledged it with success; false where it was not asked to acknowledge.
 * Returns whether the connection still stands; notes what came of it.
 */
bool vhu_trial_provoke(struct vhu_trial *trial, const struct vhu_probe_message *message,
		       bool *accepted);

/* Look whether anything comes that nobody asked for. */
bool vhu_trial_quiet(struct vhu_trial *trial);

/*
 * Look at how the back-end stands after something that it should have refused: it answers, it has
 * closed the connection, or (where @may_wait) it waits for more. Notes which.
 */
bool vhu_trial_stands(struct vhu_trial *trial, bool may_wait);

#endif
