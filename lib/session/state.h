/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of one session at a point of its conversation: what was offered and taken, its
 * memory, its vrings, the requests that are still to be answered. Numbers are those of the records
 * that told; 0 is none.
 */
#ifndef VHU_SESSION_STATE_H
#define VHU_SESSION_STATE_H

#include "lib/capture/record.h"
#include "lib/session/pending.h"

/* "A vring descriptor": indexes have 8 bits. */
#define VHU_VRINGS_MAX  256
/* More slots than any peer has (libvhost-user: 509). */
#define VHU_REGIONS_MAX 1024
/* Times that a session's device is guessed: each offer, each size is a cause to. */
#define VHU_GUESSES_MAX 16

/* A set of bits that one side tells; virtio or protocol features. */
struct vhu_feature_set {
	uint64_t offered, taken;
	uint64_t offered_by, taken_by; /* numbers */
};

struct vhu_region {
	uint64_t guest_address, size, user_address, mmap_offset;
	struct vhu_fd_info fd; /* without its name; zero without one */
	bool has_fd;
	uint64_t number; /* of the message that added it */
};

/* What a kick, call or err descriptor is. */
struct vhu_vring_fd {
	uint64_t number; /* of the message that set it; 0: not set */
	bool polling;    /* it said that there is none */
	enum vhu_fd_kind kind;
	bool has_eventfd;
	uint32_t eventfd_id;
	unsigned replaced;       /* while the ring ran */
	unsigned unacknowledged; /* of these, without a reply */
};

struct vhu_vring {
	uint32_t size;
	uint64_t descriptor, available, used;
	uint32_t base;     /* as set, in the ring's format */
	uint32_t base_got; /* as told when it was stopped */
	bool enabled, started;
	struct vhu_vring_fd fd[VHU_VRING_ROLES];
	/* Numbers of the messages that said so. */
	uint64_t size_by, addresses_by, base_by, base_got_by, enabled_by, started_by, stopped_by;
	uint64_t endian_by;
	uint64_t enabled_since; /* the first of the messages that enabled it */
	uint64_t enabled_with;  /* started enabled, for these features were taken; 0: it was not */
	uint64_t start_ns;      /* when it was started first */
	uint64_t enabled_ns;
	bool addresses_checked;      /* against memory and size as they are now */
	bool enabled_unacknowledged; /* after its kick, and nothing was answered since */
};

/* Numbers of records that the proxy changed are remembered, the latest ones. */
#define VHU_ALTERED_MAX 32

struct vhu_channel_state {
	struct vhu_pending_queue pending;
	bool open;
	uint64_t opened_by, closed_by;
	/* What passed last, for what is said when a session ends badly. */
	const struct vhu_message *last[2]; /* of the front-end, of the back-end */
	uint64_t last_number[2], last_ns[2];
	bool last_is_reply[2];
	const struct vhu_message *answered; /* the request answered last, and its number */
	uint64_t answered_number;
};

struct vhu_state {
	uint64_t id;
	bool live; /* not only what is told again of it has passed */
	uint64_t opened_ns, last_ns;
	uint64_t messages;
	struct vhu_context context;
	bool dialect_is_sure;
	struct vhu_feature_set features, protocol_features, gpu_features;
	uint32_t queue_num, mem_slots, status;
	uint64_t queue_num_by, mem_slots_by, status_by, owner_by, log_by, inflight_by;
	uint64_t owner_reset_by, dialect_by, device_by, postcopy_by, postcopy_end_by;
	uint64_t status_got_by;
	uint64_t device_said_by; /* the first time that the back-end said it */
	uint64_t log_reply_by;   /* the answer to the last log where it may be refused; else 0 */
	uint32_t inflight_queues, inflight_queue_size; /* as the area that was set has room for */
	uint64_t backend_channel_by, postcopy_advised_by;
	uint64_t log_size;    /* bytes */
	uint32_t config_size; /* as asked for from offset 0 */
	uint64_t config_by;
	uint64_t config_queues; /* virtqueues, as the configuration tells; 0 not known */
	uint64_t config_queues_by, config_queues_with; /* the answer; what had told the device */
	struct {
		uint32_t device_id, config_size, min_vqs, max_vqs;
		uint64_t device_id_by, config_size_by, min_vqs_by, max_vqs_by;
	} specs;
	/* What the device was guessed from last, and what gave cause to each guess. */
	struct {
		uint64_t features, by[VHU_GUESSES_MAX];
		uint32_t config_size;
		unsigned count;
	} guessed;
	uint64_t first_kick_ns;
	uint64_t stopped_by, stopped_ns;       /* the last vring that stopped */
	unsigned enabled_unacknowledged;       /* vrings */
	unsigned iotlb_misses;                 /* not yet answered by an update */
	uint64_t iotlb_miss_by, iotlb_miss_ns; /* the latest */
	unsigned iotlb_entries;
	struct vhu_region *region;
	unsigned regions, region_room;
	uint64_t memory_by; /* the last message that changed it */
	uint64_t table_by;  /* the last table */
	/* Of regions that were removed and that others' origins bring back: where they came from
	 * and what removed them, in turn. */
	uint64_t *removal;
	unsigned removals;
	struct vhu_vring *vring; /* by index */
	unsigned vrings;         /* one past the highest index seen */
	struct vhu_peer_known {
		uint32_t pid;
		char comm[17];
	} peer[2]; /* front-end, back-end */
	struct vhu_channel_state channel[VHU_CHANNELS];
	uint64_t altered[VHU_ALTERED_MAX];
	unsigned alterations; /* so far; the next one's place follows from it */
	uint32_t said[8];     /* rules that are told once a session, as bits */
};

/* Return a vring of a state, or NULL where nothing was said of it. */
static inline const struct vhu_vring *vhu_state_vring(const struct vhu_state *state, uint64_t index)
{
	return index < state->vrings ? &state->vring[index] : NULL;
}

/*
 * Find the region that holds all of @size bytes at @address.
 * @guest: the address is a guest address, else a front-end's.
 * Returns its place in state->region, or -1.
 */
int vhu_state_region(const struct vhu_state *state, uint64_t address, uint64_t size, bool guest);

/*
 * Tell which records made a state what it is: fed again in order, they alone make it again as far
 * as any rule looks at it. Each is told at least once, in no order. Some are answered requests or
 * answers to them, whose other half is not told; nor is what their meaning hangs on.
 * @refer: is given @context and the number of each.
 */
void vhu_state_provenance(const struct vhu_state *state,
			  void (*refer)(void *context, uint64_t number), void *context);

/* Return how many vrings have been started and not stopped. */
unsigned vhu_state_running(const struct vhu_state *state);

#endif
