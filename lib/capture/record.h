/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record: what one packet of a capture holds besides its time.
 *
 * docs/capture-format.md says it byte by byte. Everything in a record but the message itself is
 * big endian; the message is exactly what was sent, in its sender's byte order, which a mark tells.
 *
 * Ownership: a decoded record borrows from the bytes that it was decoded from: its texts, each
 * with its NUL, and its message last as long as those bytes. An encoder borrows from the record
 * only during the call.
 *
 * Texts are never NULL in a decoded record ("" for no text); an encoder takes NULL for "".
 */
#ifndef VHU_CAPTURE_RECORD_H
#define VHU_CAPTURE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/capture/snapshot.h"
#include "lib/protocol/protocol.h"

/* The dissector that the exported-PDU tags name, and the prefix of every display filter. */
#define VHU_RECORD_DISSECTOR    "vhost_user"
#define VHU_RECORD_VERSION      1
/* SCM_MAX_FD of the kernel: no message can carry more. */
#define VHU_RECORD_FDS_MAX      253
/* The longest text kept of a name, a path or a reason; longer ones are cut. */
#define VHU_RECORD_TEXT_MAX     255
/* How many segment sizes are kept of a message that arrived in pieces; the rest is summed up in
 * the last one. */
#define VHU_RECORD_SEGMENTS_MAX 32

/* The text of a message that is altered only because the proxy stands between kicks and calls. */
#define VHU_RECORD_INTERPOSED "another eventfd in its place"

enum vhu_record_type {
	VHU_RECORD_MESSAGE = 0, /* one message, with its descriptors */
	VHU_RECORD_OPENED = 1,  /* a session began, or a channel inside one */
	VHU_RECORD_CLOSED = 2,  /* it ended; `text` says why */
	VHU_RECORD_ERROR = 3,   /* something went wrong in it; `text` says what */
	VHU_RECORD_VRING = 4,   /* something happened on a vring (kick, wake, call) */
	VHU_RECORD_CONTINUED =
	    5, /* the capture goes on in the file that `text` names; "": in none */
	VHU_RECORD_SNAPSHOT = 6, /* how a vring was at this moment, and the verdict on it */
	VHU_RECORD_TYPES
};

enum vhu_mark {
	VHU_MARK_BIG_ENDIAN = 1 << 0, /* the message's byte order; little endian without it */
	VHU_MARK_REDACTED = 1 << 1,   /* key material in the message was replaced by zeros */
	VHU_MARK_TRUNCATED = 1 << 2,  /* descriptors were lost on the way (MSG_CTRUNC) */
	VHU_MARK_ALTERED = 1 << 3,    /* a fault or a mask of the proxy changed the message */
	VHU_MARK_PARTIAL = 1 << 4,    /* the sender closed before the message was whole */
	VHU_MARK_EARLIER = 1 << 5,    /* told again: it passed before what follows, or the file */
	VHU_MARK_LOST = 1 << 6,    /* an error: records before it are missing; of its session alone,
				      or of all where it is of none */
	VHU_MARK_DROPPED = 1 << 7, /* altered: the proxy did not pass it on */
	VHU_MARK_BEGUN = 1 << 8,   /* opened: its beginning passed before the capture began */
	VHU_MARK_RECONSTRUCTED = 1 << 9, /* earlier: made up from what was found elsewhere; nothing
					    of it was captured */
	VHU_MARK_ENDED = 1 << 10, /* earlier: the translation that this IOTLB update added holds no
				     longer */
};

enum vhu_fd_kind {
	VHU_FD_OTHER = 0,
	VHU_FD_MEMFD = 1,
	VHU_FD_EVENTFD = 2,
	VHU_FD_FILE = 3,
	VHU_FD_SOCKET = 4,
	VHU_FD_PIPE = 5,
	VHU_FD_USERFAULTFD = 6,
	VHU_FD_DMABUF = 7,
	VHU_FD_KINDS
};

/* What is known of a descriptor. A value that is not known is 0 and its bit is clear. */
enum vhu_fd_has {
	VHU_FD_HAS_INODE = 1 << 0, /* inode, device */
	VHU_FD_HAS_SIZE = 1 << 1,
	VHU_FD_HAS_SEALS = 1 << 2,
	VHU_FD_HAS_PAGE_SIZE = 1 << 3,
	VHU_FD_HAS_EVENTFD = 1 << 4, /* eventfd_id; kernel-wide, Linux 5.2 and later */
	VHU_FD_HAS_COUNT = 1 << 5,   /* eventfd_count */
	VHU_FD_HAS_SEMAPHORE = 1 << 6,
};

/* A file descriptor as it passed, described when it was received. */
struct vhu_fd_info {
	enum vhu_fd_kind kind;
	uint32_t has;        /* enum vhu_fd_has */
	uint64_t inode;      /* st_ino */
	uint64_t device;     /* st_dev */
	uint64_t size;       /* bytes */
	uint32_t seals;      /* F_GET_SEALS */
	uint32_t flags;      /* F_GETFL, as Linux numbers them */
	uint64_t page_size;  /* bytes; of a file in huge pages */
	uint32_t eventfd_id; /* 0 is an id like any other */
	bool semaphore;
	uint64_t eventfd_count;
	const char *name; /* as /proc names it, cut; "" unknown */
};

/* One side of a session, as the kernel told when it was opened. */
struct vhu_peer {
	bool known; /* pid, uid, gid, comm; the path may be known without them */
	uint32_t pid, uid, gid;
	const char *comm;
	const char *path; /* the path of its socket, or "fd:N" */
};

/* What happens on a vring. */
enum vhu_vring_act {
	VHU_ACT_KICK = 0, /* the front-end kicks */
	VHU_ACT_WAKE = 1, /* the back-end takes the kick */
	VHU_ACT_CALL = 2, /* the back-end calls */
	VHU_ACT_ERR = 3,  /* the back-end signals an error */
	VHU_ACTS
};

/* What became of a kick or a call that the proxy was to pass on. */
enum vhu_vring_fate {
	VHU_FATE_PASSED = 0,
	VHU_FATE_LOST = 1,     /* by a fault, like those that follow */
	VHU_FATE_DELAYED = 2,  /* it passes later */
	VHU_FATE_REPEATED = 3, /* it passed, and passes again */
	VHU_FATE_SENT = 4,     /* neither side made it: the proxy did, as somebody asked for */
	VHU_FATES
};

/* What is known of a vring event. */
enum vhu_vring_has {
	VHU_VRING_HAS_KICK_TO_WAKE = 1 << 0,
	VHU_VRING_HAS_WAKE_TO_CALL = 1 << 1,
	VHU_VRING_HAS_KICK_TO_CALL = 1 << 2,
	VHU_VRING_HAS_FATE = 1 << 3, /* signals, fate: the record is the proxy's */
};

/* One thing that happened on a vring, and how long after what led to it. */
struct vhu_vring_event {
	enum vhu_vring_act act; /* VHU_ACTS: not told, or one of a later version */
	uint16_t has;           /* enum vhu_vring_has */
	uint32_t vring;
	uint32_t eventfd_id;    /* of its kick, for a call of its call */
	uint32_t pid, tid, cpu; /* who did it, and where */
	const char *comm;
	uint64_t kick_to_wake, wake_to_call, kick_to_call; /* nanoseconds */
	uint64_t signals;         /* how many came at once: what the eventfd counted */
	enum vhu_vring_fate fate; /* VHU_FATES: one of a later version */
};

struct vhu_record {
	uint64_t time_ns;          /* since the epoch; kept by the packet, not by the record */
	uint8_t version;           /* of a decoded one; an encoder writes VHU_RECORD_VERSION */
	enum vhu_record_type type; /* later versions may add some: pass over unknown ones */
	enum vhu_channel channel;
	bool from_back_end; /* direction of a message: the back-end sent it */
	uint16_t marks;     /* enum vhu_mark */
	uint64_t session;   /* number in this capture, from 1 */

	const uint8_t *message; /* header and payload; NULL without */
	uint32_t message_size;  /* bytes kept */
	uint64_t message_sent;  /* bytes that passed; more than kept where a snap length cut */

	uint16_t fds;           /* how many passed with it */
	struct vhu_fd_info *fd; /* an array of that many */

	uint8_t segments;                          /* how many pieces it arrived in, 0 unknown */
	uint32_t segment[VHU_RECORD_SEGMENTS_MAX]; /* bytes; only the first `segments` are set */

	struct vhu_peer front_end, back_end; /* VHU_RECORD_OPENED */
	const char *text;                    /* reason, error; "" without */
	struct vhu_vring_event vring;        /* VHU_RECORD_VRING */
	struct vhu_vring_snapshot snapshot;  /* VHU_RECORD_SNAPSHOT */
};

/* Room that any record's head (all but the message) fits in, exported-PDU tags included. */
#define VHU_RECORD_HEAD_MAX                                                                        \
	((size_t)(1024 + VHU_RECORD_FDS_MAX * (64 + VHU_RECORD_TEXT_MAX + 1) +                     \
		  3 * (VHU_RECORD_TEXT_MAX + 1)))

/*
 * Encode everything of @record that stands before its message: the exported-PDU tags, the record's
 * fixed part, its TLVs. The message's bytes follow it unchanged.
 * @to: VHU_RECORD_HEAD_MAX bytes.
 * Returns how many bytes were written.
 */
size_t vhu_record_encode(const struct vhu_record *record, uint8_t *to);

/*
 * Decode a record from @from, @size bytes as captured; the packet had @sent before any
 * snap length cut it. The exported-PDU tags may stand before it or have been taken off already.
 * @fd: room for VHU_RECORD_FDS_MAX descriptions, which record->fd will point to.
 * Leaves record->time_ns alone. TLVs of unknown types are skipped.
 * Returns 0; -ENOMSG where the tags name another dissector; -EPROTONOSUPPORT where they name ours
 * and record->version, which is set then, is a later one; -EBADMSG where @from is no record
 * (unknown version, TLVs that overrun); -ENODATA where it was cut before its message began.
 */
int vhu_record_decode(struct vhu_record *record, struct vhu_fd_info *fd, const uint8_t *from,
		      size_t size, size_t sent);

/* Return the name of a kind of descriptor, as people call it ("eventfd"); "other" for unknown. */
const char *vhu_fd_kind_name(enum vhu_fd_kind kind);

/* Return the name of what happens on a vring ("kick"); NULL for unknown ones. */
const char *vhu_vring_act_name(enum vhu_vring_act act);

/* Return the name of what became of a kick or a call ("lost"); NULL for unknown ones. */
const char *vhu_vring_fate_name(enum vhu_vring_fate fate);

/* Return the name of a type of record ("message", "opened"); NULL for unknown ones. */
const char *vhu_record_type_name(enum vhu_record_type type);

/*
 * Say in a few words what passed as descriptor @fd: "eventfd 9", "memfd pc.ram 64M". Control
 * characters in its name are shown as "?".
 * @to, @size: the text's room. Returns what snprintf would.
 */
int vhu_fd_text(const struct vhu_fd_info *fd, char *to, size_t size);

/* Room for the names of all flags and all seals. */
#define VHU_FLAGS_TEXT 160

/* Write the open flags of a descriptor by their names: "O_RDWR|O_NONBLOCK". */
void vhu_open_flags_text(uint32_t flags, char *to, size_t size);

/* Write the seals of a memfd by their names, "none" for 0. */
void vhu_seals_text(uint32_t seals, char *to, size_t size);

#endif
