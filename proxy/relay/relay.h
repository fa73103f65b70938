/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A relay: one direction of one socket of a session. It takes messages from one descriptor and
 * passes them to another, bytes and file descriptors as they came.
 *
 * Theory of operation
 *
 * A message is gathered in the buffer and sent on in one piece: peers read the header with one
 * call and some of them fail where it comes in pieces, and descriptors must come with the first
 * byte that they were sent with. Its header is read on its own, then exactly its payload: a read
 * that has more room returns the descriptors of the next message together with the last bytes of
 * this one.
 *
 *	                 +------------ all sent -------------+
 *	                 v                                   |
 *	(start) --> GATHERING ---- due ----------------> SENDING --> target gone ---+
 *	               |                                   |                        v
 *	               +-- EAGAIN: waits                   +-- EAGAIN: waits      ENDED
 *	               |                                                            ^
 *	               +-- sender closed: sends what there is ----------------------+
 *
 * A message is due when it is whole; and before that
 *  - when it is longer than the buffer: from then on it streams;
 *  - when descriptors came with bytes other than its first ones: what stands before them is
 *    sent, then the bytes that they came with, so that they arrive where they were put;
 *  - when its payload has not come for a moment (VHU_RELAY_STALL_NS): the receiver may have an
 *    opinion on the header alone, and the sender may be waiting for that;
 *  - when the sender has closed.
 * A message is recorded when it is whole, before the last of it is sent: whatever happens to this
 * process, no message has arrived that is not in the capture, and records are in the order of
 * their times.
 *
 * If messages arrive faster than they are passed on, and the owner allows it (`ahead`), the relay
 * looks into the socket (MSG_PEEK). It sends the complete messages before the first descriptor one
 * by one, then takes them out of the socket with one call: two calls for all instead of two for
 * each. No other process may read the socket then.
 *
 * While one message is not sent nothing more is read, so the sender feels what its receiver does,
 * and a relay never holds more than its buffer and the descriptors of two reads.
 *
 * The buffer's first VHU_RELAY_KEEP bytes are the message's first, and stay until it is recorded.
 * What a longer message has beyond them goes through the VHU_RELAY_WINDOW bytes that follow.
 *
 * If its owner says so when the header has come, a message may be altered. Such a message is
 * gathered completely if it fits the buffer, however long its payload takes; when it is due the
 * owner is asked, and may change its bytes and descriptors (vhu_relay_resize, vhu_relay_lose_fd,
 * vhu_relay_add_fd) and make a plan of what else is to be done:
 *
 *	due --> asked --> delayed --> held --> sent, in pieces, several times --> cut off
 *	                                |
 *	                                +--> dropped, set aside (sent after others), cut off
 *
 * A message that was not complete when it was due can only wait and be cut off. The plan's text
 * becomes part of the record.
 *
 * Ownership: a relay owns its buffer and the descriptors that it received until it has passed
 * them on (a descriptor that is passed on stays open here until it is described), plans, and what
 * is set aside; the sockets are the link's.
 */
#ifndef VHU_PROXY_RELAY_RELAY_H
#define VHU_PROXY_RELAY_RELAY_H

#include <stddef.h>

#include "lib/capture/record.h"
#include "lib/protocol/field.h"
#include "proxy/core/fdinfo.h"
#include "proxy/core/loop.h"

#define VHU_RELAY_KEEP          (256u * 1024)
#define VHU_RELAY_WINDOW        (64u * 1024)
#define VHU_RELAY_STALL_NS      20000000u
/* Descriptors that are sent and not received yet, where messages have more than the few that they
 * need. They count for the proxy's user: if there are too many, the kernel refuses those of other
 * processes. */
#define VHU_RELAY_IN_FLIGHT_MAX (4 * VHU_RECORD_FDS_MAX)

/* What a relay waits for before it is to be run again. */
enum vhu_relay_wants {
	VHU_RELAY_READ,  /* `from` to be readable */
	VHU_RELAY_WRITE, /* `to` to be writable */
	VHU_RELAY_PAUSE, /* its timer */
	VHU_RELAY_HELD,  /* for vhu_relay_let_go, or its timer */
	VHU_RELAY_ENDED, /* nothing; it passes nothing more */
};

/* Why a relay ended. */
enum vhu_relay_end {
	VHU_RELAY_NOT_ENDED,
	VHU_RELAY_SENDER_CLOSED, /* and all that it had sent was passed on */
	VHU_RELAY_SENDER_RESET,  /* the same, and it left bytes unread */
	VHU_RELAY_TARGET_CLOSED, /* nothing can be sent to it any more */
	VHU_RELAY_TRUNCATED,     /* descriptors were lost on their way here (MSG_CTRUNC) */
	VHU_RELAY_FAILED,        /* a system call failed in an unexpected way: `error` */
	VHU_RELAY_CUT,           /* its owner had planned so: `cut_by` */
};

struct vhu_relay;
struct vhu_relay_plan;
struct vhu_relay_aside;

/* What a relay's owner has to do with the messages. */
struct vhu_relay_owner {
	/* A message with one descriptor, relay->fd[0], is about to be sent on: return the
	 * descriptor to send in its place, which the relay closes once sent, and own fd[0]; or
	 * return -1. */
	int (*opens)(struct vhu_relay *relay);
	/* A message is whole (or, marked partial or truncated, there is no more of it), and the
	 * last of it is to be sent: relay->record tells all about it but the session. Called only
	 * if relay->describe is set. */
	void (*received)(struct vhu_relay *relay);
	/* All of it was sent. */
	void (*passed)(struct vhu_relay *relay);
	/* The relay's timer fired: run it. */
	void (*run)(struct vhu_relay *relay);
	/* A header has come: return whether the message may be altered. NULL: none ever is. */
	bool (*speaks)(struct vhu_relay *relay);
	/* A message is due for which `speaks` returned true: alter it. */
	void (*alters)(struct vhu_relay *relay);
	/* The message is dropped now, according to the plan. */
	void (*dropped)(struct vhu_relay *relay);
	/* Return whether nothing more may be received for a moment: too many descriptors are held.
	 * NULL: it always may. */
	bool (*full)(struct vhu_relay *relay);
};

/* Descriptors, and the byte of the message that they came with. */
struct vhu_relay_group {
	uint64_t at;
	unsigned fds;
};

/* How messages came so far. */
struct vhu_relay_pace {
	bool burst;         /* the last look ahead showed several messages */
	uint8_t one_by_one; /* how many more messages to receive without looking ahead */
	uint8_t skip; /* how many more messages to wait for without first trying to read them */
};

struct vhu_relay {
	/* First what each message needs, which is to lie in few cache lines. */
	const struct vhu_relay_owner *owner;
	void *context; /* the owner's */
	struct vhu_loop *loop;
	int from, to;
	uint8_t *buffer;
	size_t room;
	uint64_t size;   /* of the message with its header; not known (0) until that has come */
	uint64_t got;    /* bytes of it received */
	uint64_t sent;   /* bytes of it sent */
	uint64_t window; /* which byte of it is the first of the buffer's window */
	struct vhu_header header; /* of the message, once it has come */
	enum vhu_relay_wants wants;
	enum vhu_relay_end end;
	struct vhu_relay_pace pace;
	bool describe; /* someone wants records */
	bool ahead;    /* only the relay reads `from`: it may look ahead */
	bool draining; /* it passes on what has arrived and waits for nothing more */
	bool flush;    /* it is due though not whole */
	bool recorded; /* the owner's `received` was called */
	bool asked;    /* the owner was asked whether it opens a channel */
	bool broken;   /* it was waited for since its last piece: the next is a piece of its own */
	bool spoken;   /* it may be altered */
	bool decided;  /* the owner was asked, and has */
	bool kept;     /* its descriptors went with it, and are kept for a copy */
	unsigned fds;
	unsigned all_fds; /* that came with this message so far */
	unsigned added;   /* of `fds`, which did not come with it */
	unsigned groups;
	unsigned described;            /* in record.fd and `name` */
	int instead;                   /* goes in the place of fd[0]; -1 */
	struct vhu_relay_plan *plan;   /* NULL: it is only passed on */
	struct vhu_relay_aside *aside; /* set aside, in the order of arrival */
	struct vhu_timer timer;

	struct vhu_record record;
	/* Then what messages with descriptors need, and what is needed once. */
	struct vhu_relay_group group[2];
	char (*name)[VHU_FDINFO_NAME]; /* of each in record.fd */
	unsigned room_described;       /* for descriptions and names */
	unsigned in_flight; /* descriptors sent by the dozen, since the target had none to read */
	unsigned cut_by;    /* the fault that cut it off */
	int error;
	int fd[2 * VHU_RECORD_FDS_MAX]; /* received and not passed on yet, in order */
};

/*
 * Make @relay ready to pass what comes from @from on to @to.
 * Returns 0 or -ENOMEM; after 0 it is ended by vhu_relay_close.
 */
int vhu_relay_start(struct vhu_relay *relay, struct vhu_loop *loop, int from, int to);

/* Pass on what there is. Returns what it waits for now, as relay->wants. */
enum vhu_relay_wants vhu_relay_run(struct vhu_relay *relay);

/* For `alters`, on whole messages: give the message a payload of @size bytes, new ones being 0. The
 * header stays as it is. Returns 0 or -ENOMEM. */
int vhu_relay_resize(struct vhu_relay *relay, uint32_t size);

/* For `alters`, on whole messages: send only the first @size bytes, at least one. */
void vhu_relay_truncate(struct vhu_relay *relay, uint64_t size);

/* For `alters`, on whole messages: close and leave out the descriptor at @at, below relay->fds. */
void vhu_relay_lose_fd(struct vhu_relay *relay, unsigned at);

/* For `alters`, on whole messages: let @fd, which the relay owns then, go with the message, last.
 * Returns 0, or -ENOSPC and @fd stays the caller's. */
int vhu_relay_add_fd(struct vhu_relay *relay, int fd);

/*
 * Send a message of the owner's own as soon as the one that is there has passed; the relay is to be
 * run for it (vhu_relay_ready).
 * @bytes: header and payload, @size of them, copied. @text: for its record.
 * Returns 0, -ENOMEM, or -ENOSPC where too many messages wait already.
 */
int vhu_relay_insert(struct vhu_relay *relay, const uint8_t *bytes, uint32_t size,
		     const char *text);

/* Return whether @relay waits for its sender while it has a message of its own to send. */
bool vhu_relay_ready(const struct vhu_relay *relay);

/* End the holding of @relay's message, if it is held, and run it by its owner. */
void vhu_relay_let_go(struct vhu_relay *relay);

/* Plan no more waiting: what is delayed, held or set aside is to be sent now. Run it then. */
void vhu_relay_hurry(struct vhu_relay *relay);

/* Record what was not sent because of its plan, and forget it. */
void vhu_relay_give_up(struct vhu_relay *relay);

/* Return how many bytes were received and not passed on. */
size_t vhu_relay_held(const struct vhu_relay *relay);

/* Free what @relay holds, descriptors that it has not passed on included. */
void vhu_relay_close(struct vhu_relay *relay);

#endif
