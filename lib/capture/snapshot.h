/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vring as it was at one moment: its indexes, its eventfds, the oldest requests in it, and the
 * verdict on it. Data is never in it, only addresses, lengths and the headers of requests as text.
 *
 * A verdict is kept by its texts: a reader shows verdicts of later versions like those that it
 * knows.
 *
 * Ownership: as of records (record.h): a decoded snapshot borrows from the bytes it was decoded
 * from. Texts are never NULL in a decoded snapshot; an encoder takes NULL for "".
 */
#ifndef VHU_CAPTURE_SNAPSHOT_H
#define VHU_CAPTURE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many requests, and buffers of each, are kept. */
#define VHU_SNAPSHOT_REQUESTS_MAX 64
#define VHU_SNAPSHOT_BUFFERS_MAX  16
/* The longest text that is kept of a verdict; longer ones are cut. */
#define VHU_SNAPSHOT_TEXT_MAX     511

/* Why the vring was looked at. */
enum vhu_snapshot_reason {
	VHU_SNAPSHOT_ASKED = 0, /* somebody asked for it */
	VHU_SNAPSHOT_STALL = 1, /* something has stalled in its session */
	VHU_SNAPSHOT_END = 2,   /* its session ends */
	VHU_SNAPSHOT_REASONS
};

/* What is known. A value that is not known is 0 and its bit is clear. */
enum vhu_snapshot_has {
	VHU_SNAPSHOT_HAS_RING = 1 << 0,      /* indexes and flags; else `error` says why not */
	VHU_SNAPSHOT_HAS_EVENTS = 1 << 1,    /* VIRTIO_RING_F_EVENT_IDX: the events */
	VHU_SNAPSHOT_HAS_IN_FLIGHT = 1 << 2, /* the in-flight area */
	VHU_SNAPSHOT_HAS_KICK = 1 << 3,
	VHU_SNAPSHOT_HAS_CALL = 1 << 4,
	VHU_SNAPSHOT_HAS_FRONT_END = 1 << 5,
	VHU_SNAPSHOT_HAS_BACK_END = 1 << 6,
	VHU_SNAPSHOT_HAS_PENDING = 1 << 7, /* a request on the socket has no reply */
	VHU_SNAPSHOT_HAS_AGE = 1 << 8,
};

/* An eventfd and what it counts. */
struct vhu_snapshot_eventfd {
	uint32_t id;
	uint64_t count;
};

/* A process of the session. */
struct vhu_snapshot_process {
	uint32_t pid;
	char state;      /* of /proc/PID/stat */
	uint64_t unread; /* bytes in the receive queue of its socket */
};

/* A buffer of a request. */
struct vhu_snapshot_buffer {
	uint64_t address;
	uint32_t size;
	uint16_t flags;    /* of its descriptor */
	bool indirect;     /* its descriptor is in an indirect table */
	bool not_mapped;   /* memory regions do not hold all of it */
	bool untranslated; /* because no translation of its IOVA is known */
};

/* A request in a vring. */
struct vhu_snapshot_request {
	uint16_t head;               /* of a packed ring: the row of its first descriptor */
	uint16_t id;                 /* that a used descriptor names */
	bool taken;                  /* in flight, according to the inflight area */
	uint32_t descriptors;        /* that it takes of the ring */
	uint32_t buffers;            /* with those of an indirect table */
	uint64_t readable, writable; /* bytes, by the device */
	const char *header;          /* "virtio-blk request: type OUT (1), ..."; "" not known */
	const char *fault;           /* what is wrong with its chain; "" nothing */
	unsigned listed;             /* of its buffers */
	struct vhu_snapshot_buffer buffer[VHU_SNAPSHOT_BUFFERS_MAX];
};

struct vhu_vring_snapshot {
	enum vhu_snapshot_reason reason; /* VHU_SNAPSHOT_REASONS: one of a later version */
	uint16_t has;                    /* enum vhu_snapshot_has */
	uint32_t vring;
	bool hangs;               /* something waits that will not come by itself */
	const char *verdict;      /* "D3" */
	const char *alternatives; /* others that the evidence fits, "D1 D4"; "" none */
	const char *title;        /* the cause, in a line */
	const char *text;         /* the evidence, in a line */
	bool packed;
	uint32_t error; /* an errno of Linux: why the ring was not read */
	uint32_t size;
	uint16_t available, used; /* indexes; packed: positions, wrap counters in bit 15 */
	uint32_t waiting;
	uint16_t driver_flags, driver_event, device_flags, device_event;
	uint32_t in_flight; /* requests */
	struct vhu_snapshot_eventfd kick, call;
	struct vhu_snapshot_process front_end, back_end;
	uint32_t pending_request; /* its id on the socket */
	bool pending_of_back_end; /* the back-end asked, on its own channel */
	uint64_t pending_ns;      /* its age */
	uint64_t age_ns;          /* of the oldest buffer that waits */

	/* The oldest requests, oldest first. To encode: an array, VHU_SNAPSHOT_REQUESTS_MAX at the
	 * most. Decoded: read them by vhu_snapshot_request_next. */
	unsigned requests;
	const struct vhu_snapshot_request *request;
	const uint8_t *tlvs; /* decoded: where they lie */
	size_t tlvs_size;
};

/* Read the next request of a snapshot. @cursor: 0 to begin. Returns whether there was one. */
bool vhu_snapshot_request_next(const struct vhu_vring_snapshot *snapshot, size_t *cursor,
			       struct vhu_snapshot_request *request);

/* Return the name of the reason for a snapshot ("stall"); NULL for unknown ones. */
const char *vhu_snapshot_reason_name(enum vhu_snapshot_reason reason);

/*
 * Say the verdict in a sentence, "vring 0: 3 buffers wait: the back-end does not listen to the kick
 * (D3 or D4)". What a terminal would act on is escaped. Returns what snprintf would.
 */
int vhu_snapshot_text(const struct vhu_vring_snapshot *snapshot, char *to, size_t size);

#endif
