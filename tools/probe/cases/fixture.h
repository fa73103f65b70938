/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a case sees: a back-end to talk to, memory and rings, and ways to say what is wrong.
 *
 * What returns a bool returns whether the case goes on; where it does not, what is wrong was said.
 *
 * Ownership: a fixture owns its memory, its rings and its connection from vhu_fixture_open to
 * vhu_fixture_close.
 */
#ifndef VHU_TOOLS_PROBE_CASES_FIXTURE_H
#define VHU_TOOLS_PROBE_CASES_FIXTURE_H

#include "tools/probe/cases/case.h"
#include "tools/probe/ring.h"

struct vhu_fixture {
	const struct vhu_probe *facts; /* what the back-end offers */
	struct vhu_probe_connection *connection;
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

/* Begin and end. Open returns 0 or -errno; close it in either case. */
int vhu_fixture_open(struct vhu_fixture *fixture, struct vhu_probe *probe,
		     struct vhu_probe_verdict *verdict);
void vhu_fixture_close(struct vhu_fixture *fixture);

/* Say that the back-end failed in a way of its own. Returns false. */
bool vhu_fixture_fail_as(struct vhu_fixture *fixture, enum vhu_probe_kind kind, const char *format,
			 ...) __attribute__((format(printf, 3, 4)));

/* Say that the back-end failed. Returns false. */
bool vhu_fixture_fail(struct vhu_fixture *fixture, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say that a case makes no sense for this back-end. Returns false. */
bool vhu_fixture_skip(struct vhu_fixture *fixture, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say what is worth knowing although it is all right. Returns true. */
bool vhu_fixture_note(struct vhu_fixture *fixture, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say that the connection failed, in its own words. Returns false. */
bool vhu_fixture_fail_connection(struct vhu_fixture *fixture);

/* Connect, and nothing else. */
bool vhu_fixture_connect(struct vhu_fixture *fixture);

/* Connect, negotiate, take the virtio features of @extra besides those all cases take. */
bool vhu_fixture_greet(struct vhu_fixture *fixture, uint64_t extra);

/* Share the memory. */
bool vhu_fixture_share(struct vhu_fixture *fixture);

/* Set up ring @i to go on at @base, without enabling it. Its kick comes last: it starts the ring.
 */
bool vhu_fixture_set_up(struct vhu_fixture *fixture, unsigned i, uint32_t base);

/* Enable a ring, or disable it. */
bool vhu_fixture_enable(struct vhu_fixture *fixture, unsigned i, bool enable);

/* Set the device's status, where there is one. */
bool vhu_fixture_set_status(struct vhu_fixture *fixture, uint64_t status);

/* Set features, set up and enable all rings, say that the driver is ready. */
bool vhu_fixture_drive(struct vhu_fixture *fixture);

/* Greet, share, drive: after it every ring runs. */
bool vhu_fixture_start(struct vhu_fixture *fixture, uint64_t extra);

/* Begin ring @i again in our memory: empty, with new eventfds. It must not run. */
bool vhu_fixture_ring_anew(struct vhu_fixture *fixture, unsigned i);

/* Take new memory, and restart all vrings in it: the back-end may still use the old memory.
 */
bool vhu_fixture_memory_anew(struct vhu_fixture *fixture);

/* Have a request served, if one is known. */
bool vhu_fixture_serve(struct vhu_fixture *fixture);

/* Wait for a request that was made available. */
bool vhu_fixture_wait(struct vhu_fixture *fixture);

/* Stop ring @i and learn where it stopped. */
bool vhu_fixture_stop(struct vhu_fixture *fixture, unsigned i, uint32_t *base);

/* Set the descriptor of a vring; -1: send none. */
bool vhu_fixture_set_fd(struct vhu_fixture *fixture, enum vhu_message_id id, unsigned i, int fd);

/* Set a ring's addresses. @flags: as the message has them. */
bool vhu_fixture_set_addresses(struct vhu_fixture *fixture, unsigned i, uint64_t user,
			       uint32_t flags);

/* Set virtio features. */
bool vhu_fixture_set_features(struct vhu_fixture *fixture, uint64_t features);

/* Send a message that is acknowledged where that was negotiated. */
bool vhu_fixture_set(struct vhu_fixture *fixture, const struct vhu_message_buf *message);

/* Ask a question without payload whose answer is an integer. */
bool vhu_fixture_ask(struct vhu_fixture *fixture, enum vhu_message_id id, enum vhu_field_id field,
		     uint64_t *value);

/* Ask for a part of the configuration space; the answer is whole. */
bool vhu_fixture_config(struct vhu_fixture *fixture, uint32_t offset, uint32_t size,
			struct vhu_message_buf *reply);

/*
 * Send what the back-end ought to refuse, and look whether it does.
 * @accepted: it acknowledged it with success; false where it was not asked to acknowledge.
 * Returns whether the connection still stands; notes what came of it.
 */
bool vhu_fixture_provoke(struct vhu_fixture *fixture, struct vhu_message_buf *message,
			 bool *accepted);

/* Check that the back-end sends nothing without a request. */
bool vhu_fixture_quiet(struct vhu_fixture *fixture);

/*
 * Look at how the back-end stands after something that it should have refused: it answers, it has
 * closed the connection, or (where @may_wait) it waits for more. Notes which.
 */
bool vhu_fixture_stands(struct vhu_fixture *fixture, bool may_wait);

#endif
