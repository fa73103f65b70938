/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the sessions of vhu attach share. */
#ifndef VHU_ATTACH_SESSION_INTERNAL_H
#define VHU_ATTACH_SESSION_INTERNAL_H

#include "lib/attach/cutter.h"
#include "lib/attach/session.h"
#include "lib/protocol/field.h"

struct vhu_attach_session {
	uint64_t number; /* 0: no record was made yet */
	unsigned connections;
};

/* A connection, or what its socket's id belongs to. */
struct vhu_attach_connection {
	TAILQ_ENTRY(vhu_attach_connection) link;
	struct vhu_attach_sessions *sessions;
	uint64_t id;                        /* without its last bit */
	struct vhu_attach_session *session; /* NULL: not proven to be vhost-user, or no channel */
	enum vhu_channel channel;
	int front;    /* which end the front-end is */
	bool before;  /* it began before it was watched */
	bool guessed; /* it may have: its first message tells */
	bool carried; /* its socket passed with a message, and is no channel so far */
	bool inner;   /* it was found, and has no name: it may be a channel of a session */
	bool refused; /* it is not vhost-user */
	bool asked;   /* who is at its ends was asked for */
	bool missed;  /* something is missing before its first message */
	struct vhu_attach_end end[2];
	struct vhu_stream stream[2]; /* by the end that sends */
	struct vhu_cutter cutter[2];
	uint64_t closing_ns[2]; /* when it was said that an end closes; 0 not said */
	uint64_t shut_ns[2];    /* when an end said that it sends no more; 0 did not */
	uint64_t plain;         /* as in vhu_redact */
	unsigned passed;        /* buffers that do not look right */
	unsigned waiting[2];    /* buffers that each end had sent, told then, and not taken */
	uint64_t since_ns;      /* when it was heard of first */
	uint64_t name;          /* address of the name of an end; 0 not known */
	unsigned gone[2]; /* lists of how sockets stand, one after the other, that lack an end */
};

/* Connections that ended are remembered: events of them may still come. */
#define VHU_ATTACH_ENDED 1024

struct vhu_attach_sessions {
	const struct vhu_attach_sessions_owner *owner;
	void *context;
	bool sees_sending, with_keys;
	TAILQ_HEAD(, vhu_attach_connection) connection;
	unsigned count;
	uint64_t ended[VHU_ATTACH_ENDED]; /* ids, the latest */
	unsigned ended_next;
	uint64_t epoch_ns; /* of the clock of events, in that of records */
	struct vhu_attach_counts counts;
};

/* session.c */

/*
 * A connection is a session's main one: open it.
 * @from: the end that sent @header, its first message; of a request the front-end.
 * Returns 0 or -ENOMEM.
 */
int vhu_attach_open_session(struct vhu_attach_connection *connection, unsigned from,
			    struct vhu_header header, uint64_t time_ns);

/* session_end.c: how connections end. */

/* Return whether a connection with this id has ended. */
bool vhu_attach_has_ended(const struct vhu_attach_sessions *sessions, uint64_t id);
/* An end was said to be closed: if it is, and all that was sent is known, end its connection.
 * Returns whether it has ended, which may take others along. */
bool vhu_attach_end_if_closed(struct vhu_attach_connection *connection, unsigned end);
/* Free a connection, and its session with the last of it. */
void vhu_attach_connection_free(struct vhu_attach_connection *connection);

/* session_record.c: records of a session. */

/* Record that a session, or a channel of it, began; or ended, for a reason. */
void vhu_attach_record_opened(struct vhu_attach_connection *connection, uint64_t time_ns);
void vhu_attach_record_closed(struct vhu_attach_connection *connection, const char *reason,
			      uint64_t time_ns);
/* Record a message that an end sent. */
void vhu_attach_record_message(struct vhu_attach_connection *connection, unsigned from,
			       const struct vhu_cut_message *message);
/* Record a message of the front-end that was not captured. */
void vhu_attach_record_past(struct vhu_attach_connection *connection,
			    const struct vhu_attach_past *past, uint64_t time_ns);
/* Record that something is missing of what an end sent. */
void vhu_attach_record_lost(struct vhu_attach_connection *connection, unsigned from, uint64_t bytes,
			    uint64_t time_ns);

#endif
