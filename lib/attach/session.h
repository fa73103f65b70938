/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions of watched connections, as records.
 *
 * Theory of operation
 *
 * Events come in the order of their times. A connection is a session's main socket, or a channel
 * whose socket passed with a message of that. Nothing of a connection becomes a record before a
 * message of it proves that vhost-user is spoken there: which side sends a request tells who is the
 * front-end, too. What proves to be something else is not looked at any more, and forgotten.
 *
 * A connection ends when one of its sockets is closed; events of closing say which was closed
 * first, or else the one that is found closed.
 *
 * Ownership: sessions own all that they keep; a record lasts as long as the call that gets it.
 */
#ifndef VHU_ATTACH_SESSION_H
#define VHU_ATTACH_SESSION_H

#include "bpf/attach/events.h"
#include "lib/capture/record.h"

/* One end of a connection. */
struct vhu_attach_end {
	bool known;
	struct vhu_attach_who who;
	uint64_t address;                   /* of the socket in the kernel, 0 not known */
	char path[VHU_RECORD_TEXT_MAX + 1]; /* of its socket; "" none, or not known */
};

/* What is known of a connection that is watched from its middle. */
struct vhu_attach_found {
	uint64_t id;        /* of the first end, and with its last bit set of the other */
	bool inner;         /* it has no name: it may be a channel of a session that was found */
	bool fresh;         /* nothing was said on it so far */
	unsigned queued[2]; /* buffers that wait to be taken, that each end had sent */
	struct vhu_attach_end end[2];
};

struct vhu_attach_sessions;

struct vhu_attach_sessions_owner {
	/* Take a record. */
	void (*record)(void *context, const struct vhu_record *record);
	/*
	 * Find out who is at the ends of a connection: fill in what is not known.
	 * @id: of the first end. @name: address of the name of the other end; 0 none, or not known.
	 */
	void (*identify)(void *context, uint64_t id, uint64_t name, struct vhu_attach_end end[2]);
	/* List how the watched sockets stand now. Returns how many are in *@state, which the caller
	 * frees; -errno. */
	int (*look)(void *context, struct vhu_attach_state **state);
	/* A socket is to be watched no more: it is not vhost-user, or it is closed.
	 * @id, @address: its; another socket may be at that address by now.
	 * @ignore: it is open, and nothing of it is to be copied. */
	void (*forget)(void *context, uint64_t id, uint64_t address, bool ignore);
};

struct vhu_attach_counts {
	uint64_t sessions, messages, fds;
	uint64_t losses; /* places where something is missing */
};

/* Return no sessions, to be freed by vhu_attach_sessions_free; NULL out of memory.
 * @sees_sending: events of sending come. @with_keys: key material is not masked. */
struct vhu_attach_sessions *vhu_attach_sessions_new(const struct vhu_attach_sessions_owner *owner,
						    void *context, bool sees_sending,
						    bool with_keys);
void vhu_attach_sessions_free(struct vhu_attach_sessions *sessions);

/* Expect the events of a connection that began before. Returns 0 or -ENOMEM. */
int vhu_attach_sessions_found(struct vhu_attach_sessions *sessions,
			      const struct vhu_attach_found *found);

/* A message that would have said what is known of a session that began before; nothing of it was
 * captured. */
struct vhu_attach_past {
	const uint8_t *bytes;
	uint32_t size;
	struct vhu_fd_info *fd; /* NULL: none */
};

/*
 * Open a session that began before, and record what is known of it.
 * @front: address of the front-end's socket.
 * @message: @count of them, of the front-end, in order.
 * Returns 0; -ENOENT: no such session is watched that began before; -EALREADY: messages of it were
 * recorded; -ENOMEM.
 */
int vhu_attach_sessions_reconstruct(struct vhu_attach_sessions *sessions, uint64_t front,
				    const struct vhu_attach_past *message, unsigned count,
				    uint64_t time_ns);

/* Take an event and what follows it. Events come in the order of their times. */
void vhu_attach_sessions_take(struct vhu_attach_sessions *sessions,
			      const struct vhu_attach_event *event, const uint8_t *bytes);

/* Return whether there is something to learn from how the watched sockets stand. */
bool vhu_attach_sessions_differ(const struct vhu_attach_sessions *sessions,
				const struct vhu_attach_state *state, unsigned count);

/* Learn the states of the watched sockets; all earlier events must have been taken. @from_ns,
 * @time_ns: when the list was begun, and when it was complete. */
void vhu_attach_sessions_settle(struct vhu_attach_sessions *sessions,
				const struct vhu_attach_state *state, unsigned count,
				uint64_t from_ns, uint64_t time_ns);

/* No more events come: pass on what is known of the sessions that are open, and say what is not. */
void vhu_attach_sessions_end(struct vhu_attach_sessions *sessions, uint64_t time_ns);

/* Return what to add to CLOCK_MONOTONIC, the clock of events, for the times of records. */
uint64_t vhu_attach_sessions_epoch(const struct vhu_attach_sessions *sessions);

/* Return how many connections are watched, proven or not. */
unsigned vhu_attach_sessions_open(const struct vhu_attach_sessions *sessions);
/* Return how many sessions there are that have not ended. */
unsigned vhu_attach_sessions_running(const struct vhu_attach_sessions *sessions);
struct vhu_attach_counts vhu_attach_sessions_counts(const struct vhu_attach_sessions *sessions);

/* Return whether a socket with this address is an end of a connection that is watched. */
bool vhu_attach_sessions_know(const struct vhu_attach_sessions *sessions, uint64_t address);

#endif
