/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept of a session to hold another one of the same device against it: after a reconnect,
 * or at the other end of a migration.
 *
 * Ownership: a fingerprint is allocated as all zero (calloc) by whoever fills it.
 */
#ifndef VHU_TOOLS_CHECK_FINGERPRINT_H
#define VHU_TOOLS_CHECK_FINGERPRINT_H

#include "lib/session/session.h"

/* QEMU's VHOST_USER_MAX_CONFIG_SIZE. */
#define VHU_FINGERPRINT_CONFIG_MAX 256
#define VHU_FINGERPRINT_PATH_MAX   (VHU_RECORD_TEXT_MAX + 1)
#define VHU_FINGERPRINTS_MAX       256

/* The beginning of a configuration space, as far as the session shows it. */
struct vhu_fingerprint_config {
	uint8_t bytes[VHU_FINGERPRINT_CONFIG_MAX];
	uint32_t size;
	uint64_t number; /* of the reply that told the last of it */
};

/* A vring's first settings; its last ones are in the session's state. Numbers 0: not told. */
struct vhu_fingerprint_ring {
	uint32_t first_size, last_size, first_base, last_base;
	uint64_t first_size_by, last_size_by, first_base_by, last_base_by;
	uint64_t running_by; /* it ran when the session ended: what had started it; else 0 */
};

struct vhu_fingerprint {
	uint64_t session;
	char front_path[VHU_FINGERPRINT_PATH_MAX], back_path[VHU_FINGERPRINT_PATH_MAX];
	uint32_t front_pid; /* 0 not known */
	struct vhu_context context;
	struct vhu_feature_set features, protocol_features;
	uint64_t first_taken, first_taken_by; /* virtio features; the last are in `features` */
	uint32_t queue_num;
	uint64_t queue_num_by;
	uint64_t inflight_by; /* what gave or set an inflight area */
	uint32_t device;      /* as the back-end said, not as it was guessed; 0 not known */
	uint64_t device_by;
	struct vhu_fingerprint_config first_config, last_config;
	struct vhu_fingerprint_ring *ring; /* by index */
	unsigned rings;
};

/* Learn from a record and its note. Returns 0 or -ENOMEM. */
int vhu_fingerprint_see(struct vhu_fingerprint *fingerprint, const struct vhu_record *record,
			uint64_t number, const struct vhu_annotation *note);

/* Take the rest from the state that a session ended in. Returns 0 or -ENOMEM. */
int vhu_fingerprint_finish(struct vhu_fingerprint *fingerprint, const struct vhu_state *state);

/* Return a new copy of a fingerprint, NULL out of memory. */
struct vhu_fingerprint *vhu_fingerprint_copy(const struct vhu_fingerprint *fingerprint);

/* Free a fingerprint; NULL is ignored. */
void vhu_fingerprint_free(struct vhu_fingerprint *fingerprint);

/* Digests of some sessions, which are theirs to free: one of each back-end's socket. */
struct vhu_fingerprints {
	struct vhu_fingerprint *at[VHU_FINGERPRINTS_MAX];
	unsigned count;
};

/* Find the one of a back-end's socket. Returns it or NULL. */
struct vhu_fingerprint *vhu_fingerprints_find(const struct vhu_fingerprints *fingerprints,
					      const char *back_path);

/* Take the one of a back-end's socket out, which is the caller's then. Returns it or NULL. */
struct vhu_fingerprint *vhu_fingerprints_take(struct vhu_fingerprints *fingerprints,
					      const char *back_path);

/* Put @fingerprint in, in place of the one of the same socket, or, where there are too many, of the
 * one that was put in first. */
void vhu_fingerprints_put(struct vhu_fingerprints *fingerprints,
			  struct vhu_fingerprint *fingerprint);

/* Free all of them. */
void vhu_fingerprints_free(struct vhu_fingerprints *fingerprints);

/* What to hold against each other. */
enum vhu_fingerprint_scope {
	VHU_FINGERPRINT_OFFER,     /* what the back-end reports about itself */
	VHU_FINGERPRINT_RECONNECT, /* and what the front-end sets up; a driver may restart vrings
				    */
	VHU_FINGERPRINT_MIGRATION, /* and begins nothing again */
};

/*
 * Report each difference between @now and the earlier session @before.
 * @file: the capture that @before is in, as it is to be called; NULL: the same as @now's.
 * @report: is given each finding.
 */
void vhu_fingerprint_compare(const struct vhu_fingerprint *before,
			     const struct vhu_fingerprint *now, enum vhu_fingerprint_scope scope,
			     const char *file,
			     void (*report)(void *with, const struct vhu_finding *finding),
			     void *with);

#endif
