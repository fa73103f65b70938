/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The front-end: a driver of a virtio device and what a VMM does for it, in one process.
 *
 * main.c reads what is wanted; control.c asks and is asked; session.c brings a back-end from the
 * first message to rings that run, and to their end; load/load.c drives requests; report.c
 * prints the report.
 *
 * Functions that can fail say why on stderr, in a line, and return -1; 0 is success.
 */
#ifndef VHU_SAMPLES_FRONTEND_FRONTEND_H
#define VHU_SAMPLES_FRONTEND_FRONTEND_H

#include "lib/cli/options.h"
#include "lib/protocol/message_io.h"
#include "samples/common/names.h"
#include "samples/frontend/load/latency.h"
#include "samples/frontend/vring/arena.h"
#include "samples/frontend/vring/vring.h"

#define VHU_QUEUES_MAX 64
#define VHU_DEPTH_MAX  1024

/* What to do with a disk. */
enum vhu_operation { VHU_VERIFY, VHU_READ, VHU_WRITE };

/* What the command line asks for. */
struct vhu_frontend_options {
	const char *path;
	uint32_t device; /* virtio device id; 0: the back-end is to say */
	enum vhu_dialect dialect;
	struct vhu_feature_sets without;
	bool packed, event_idx, indirect, iommu, poll, in_band, log, reconnect, json;
	unsigned queues, depth;
	uint32_t ring_size, size; /* of a request, in bytes */
	enum vhu_operation operation;
	uint64_t requests; /* 0: as many as there is time for */
	uint64_t rate;     /* requests a second; 0: as fast as it goes */
	uint64_t burst;    /* requests that are due at the same time, with a rate */
	uint64_t duration; /* nanoseconds; VHU_CLOCK_NEVER: until the requests are done */
	uint64_t timeout;  /* nanoseconds */
};

/* A request, from the time it is prepared until it is checked. */
struct vhu_slot {
	struct vhu_part part[VHU_VRING_PARTS];
	unsigned parts;
	uint64_t since; /* when it was made available */
	/* Buffers in the arena. */
	uint8_t *head, *data, *status;
	/* A disk's: */
	bool read;       /* else it writes */
	uint64_t sector; /* where */
	uint64_t seed;   /* of what is written there, 0: nothing yet */
};

struct vhu_queue {
	unsigned index;
	struct vhu_driver_vring vring;
	int kick, call; /* -1: none */
	struct vhu_slot *slot;
	unsigned *idle; /* slots that are not out, a stack */
	unsigned idles;
	uint64_t progress; /* when it last got on */
	uint64_t kicks, calls;
	bool called; /* since it was last looked at */
};

struct vhu_frontend {
	const struct vhu_command *command; /* says things in its name */
	struct vhu_frontend_options options;

	/* The connection. */
	int socket;
	int back_channel;                       /* our end of it, -1: none */
	struct vhu_message_buf answer, request; /* what comes on the one and on the other */
	struct vhu_context negotiated;
	bool config_changed;
	bool patient; /* say nothing when the back-end goes: it may come back */
	bool gone;    /* it went while it was asked something */

	/* What outlives a connection: the guest, so to speak. */
	struct vhu_arena arena;
	uint64_t features; /* negotiated the first time */
	struct vhu_queue queue[VHU_QUEUES_MAX];
	const struct vhu_load_kind *kind;
	uint64_t sectors; /* of the disk */
	uint64_t run;     /* a number of this run's own, for what is written */
	int inflight;     /* the in-flight area, -1: none */
	uint64_t inflight_size, inflight_offset;
	int log_fd;
	uint8_t *log; /* the bitmap, NULL: none */
	uint64_t log_size;

	/* What came of it. */
	struct vhu_latency latency;
	uint64_t begun, done, bytes; /* requests begun and done; bytes moved */
	uint64_t start, end;         /* when */
	uint64_t reconnects, config_changes;
};

/* control.c */

/* Connect to the back-end, waiting for it to listen until @deadline. */
int vhu_connect(struct vhu_frontend *frontend, uint64_t deadline);
void vhu_disconnect(struct vhu_frontend *frontend);

/* Begin a request, with the payload that is likeliest for it. */
void vhu_begin(struct vhu_message_buf *message, enum vhu_message_id id);

/*
 * Send a request, and wait for its reply, or for its acknowledgement if one can be had.
 * The reply is in @frontend->answer until the next one.
 */
int vhu_ask(struct vhu_frontend *frontend, enum vhu_message_id id, struct vhu_message_buf *request);

/* Ask a question that has no payload, and take an integer of the reply. */
int vhu_ask_for(struct vhu_frontend *frontend, enum vhu_message_id id, enum vhu_field_id field,
		uint64_t *value);

/* Receive and answer what the back-end asks on its channel. */
int vhu_hear(struct vhu_frontend *frontend);

/* Return whether a protocol feature is negotiated. */
bool vhu_has(const struct vhu_frontend *frontend, unsigned protocol_feature);

/* session.c */

/* Bring the connected back-end to where it does requests. The second time, all is as the first. */
int vhu_session_begin(struct vhu_frontend *frontend);

/* Stop the rings, and hold where the back-end says they stand against what we know. */
int vhu_session_end(struct vhu_frontend *frontend);

/* setup.c: make the arena, the queues and their slots. */
int vhu_setup(struct vhu_frontend *frontend);
void vhu_setup_end(struct vhu_frontend *frontend);
/* Tell the back-end of the memory and of the rings. */
int vhu_share_memory(struct vhu_frontend *frontend);
int vhu_share_translations(struct vhu_frontend *frontend);
int vhu_share_inflight(struct vhu_frontend *frontend);
int vhu_share_log(struct vhu_frontend *frontend);
int vhu_start_rings(struct vhu_frontend *frontend);

/* load/load.c: drive the requests that are wanted. */
int vhu_load(struct vhu_frontend *frontend);

/* A kind of device's requests. */
struct vhu_load_kind {
	uint32_t device;
	const char *name;
	/* Look at the device before the first request. */
	int (*look)(struct vhu_frontend *frontend);
	/* Make a request in a slot. */
	void (*prepare)(struct vhu_frontend *frontend, struct vhu_queue *queue, unsigned slot);
	/* Return what is wrong with a request that came back, or NULL. */
	const char *(*check)(struct vhu_frontend *frontend, struct vhu_slot *slot,
			     uint32_t written);
};

extern const struct vhu_load_kind vhu_load_rng, vhu_load_blk;

/* Return a random number: the same sequence for the same @state. */
uint64_t vhu_random(uint64_t *state);

/* dirty.c: make the bitmap that SET_LOG_BASE shares, and hold it against what was written. */
int vhu_dirty_open(struct vhu_frontend *frontend);
void vhu_dirty_close(struct vhu_frontend *frontend);
int vhu_dirty_check(const struct vhu_frontend *frontend);

/* report.c */
void vhu_report(const struct vhu_frontend *frontend);

/* Say something on stderr. Returns -1. */
#define vhu_say(frontend, ...)                                                                     \
	({                                                                                         \
		vhu_fail((frontend)->command, __VA_ARGS__);                                        \
		-1;                                                                                \
	})

#endif
