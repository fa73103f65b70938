/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of one session at a point of its conversation: what was offered and acked, its
 * memory, its vrings, the requests that are still to be answered. Numbers are those of the source
 * records; 0 means no record.
 */
#ifndef VHU_SESSION_STATE_STATE_H
#define VHU_SESSION_STATE_STATE_H

#include "lib/capture/record.h"
#include "lib/session/state/pending.h"

/* "A vring descriptor": indexes have 8 bits. */
#define VHU_VRINGS_MAX  256
/* More slots than any peer has (libvhost-user: 509). */
#define VHU_REGIONS_MAX 1024
/* Times that a session's device is guessed: each offer, each size is a cause to. */
#define VHU_GUESSES_MAX 16

/* A fact: its value, and the number of the record that told it last, 0 if none did. state.def lists
 * them all. */
struct vhu_told {
	uint64_t value, by;
};

/* Bits that the back-end offers and the front-end acks. */
struct vhu_feature_set {
	struct vhu_told offered, acked;
};

/* How the value of a fact is shown. */
enum vhu_form {
	VHU_FORM_COUNT,
	VHU_FORM_ADDRESS,
	VHU_FORM_INDEX, /* of a ring, in its format */
	VHU_FORM_BITS,
	VHU_FORM_SAID, /* that it was said; its value is not */
	VHU_FORM_FLAG,
	VHU_FORM_RUNS,  /* a flag; what cleared it is in the fact `stopped` */
	VHU_FORM_EVENT, /* the record that told it is */
};

/* Whether a new file repeats the record of a fact. */
enum vhu_repeat { VHU_REPEAT_SHARED, VHU_REPEAT_OWN };

/* What a record told: the facts of state.def, and what else is kept with a record's number. */
enum vhu_fact {
#define VHU_FEATURES(member, ...)     VHU_FACT_##member##_offered, VHU_FACT_##member##_acked,
#define VHU_SESSION_FACT(member, ...) VHU_FACT_##member,
#define VHU_SESSION_RECORDS(id, ...)  VHU_FACT_##id,
#define VHU_VRING_FACT(member, ...)   VHU_FACT_vring_##member,
#define VHU_VRING_FD(role, ...)       VHU_FACT_vring_##role,
#define VHU_CHANNEL_FACT(member)      VHU_FACT_channel_##member,
#define VHU_CHANNEL_SIDES(member)     VHU_FACT_channel_##member,
#define VHU_REQUEST_RECORD(id, ...)   VHU_FACT_##id,
#include "lib/session/state/state.def"
	VHU_FACT_region,
	VHU_FACTS
};

struct vhu_region {
#define VHU_REGION_SHOWN(member, ...) uint64_t member;
#include "lib/session/state/state.def"
	struct vhu_fd_info fd; /* without its name; zero without one */
	bool has_fd;
	uint64_t number; /* of the message that added it */
};

/* An area that tracks requests in flight. */
struct vhu_inflight_area {
	uint64_t size, offset;
	unsigned queues, queue_size;
	bool before_format; /* of vrings was acked */
	struct {
		bool known;
		uint64_t inode, device;
	} file;
};

/* What a side named, for the other to speak of. */
enum vhu_object_kind { VHU_OBJECT_MAPPING, VHU_OBJECT_CRYPTO, VHU_OBJECT_SHARED };
struct vhu_object {
	enum vhu_object_kind kind;
	uint8_t id;        /* MAPPING: of the region of shared memory */
	uint64_t value[2]; /* MAPPING: offset, length; CRYPTO: session; SHARED: UUID */
};

/* Regions of shared memory, by their id. */
#define VHU_SHMEM_MAX 256
struct vhu_shmem {
	uint32_t regions; /* as many as are said to have a size */
	uint64_t size[VHU_SHMEM_MAX];
};

/* Translations that are kept, as many as the kernel's vhost and DPDK keep. Beyond that the oldest
 * go first, but those of vrings' own areas last. */
#define VHU_TRANSLATIONS_MAX 2048
/* What an IOTLB update says: @size bytes from IOVA @iova on are those at address @user of the
 * front-end. */
struct vhu_translation {
	uint64_t iova, user, size;
};

/* What a kick, call or err descriptor is. */
struct vhu_vring_fd {
	uint64_t number; /* of the message that set it; 0: not set */
	bool polling;    /* its message said that none comes */
	enum vhu_fd_kind kind;
	bool has_eventfd;
	uint32_t eventfd_id;
	unsigned replaced;       /* while the ring ran */
	unsigned unacknowledged; /* of these, without a reply */
};

struct vhu_vring {
#define VHU_VRING_FACT(member, ...) struct vhu_told member;
#include "lib/session/state/state.def"
	struct vhu_vring_fd fd[VHU_VRING_ROLES];
	uint64_t start_ns;           /* when it was started last */
	uint64_t enabled_ns;         /* when it was enabled or disabled last */
	bool addresses_checked;      /* against memory and size as they are now */
	bool enabled_by_start;       /* its kick enabled it, and no message did */
	bool enabled_unacknowledged; /* after its kick, and nothing was answered since */
	/* In this run: that was so for long enough; the record of the first kick that was seen,
	 * when it was, and whether a call followed. */
	bool kick_may_be_lost;
	uint64_t kicked_by, kicked_ns;
	bool called;
	bool stopped_in_use; /* by GET_VRING_BASE alone, and not started since */
};

/* An area of a vring. */
struct vhu_vring_area {
	const char *name;       /* "descriptor" */
	uint64_t address, size; /* bytes */
	unsigned alignment;
};

/* Numbers of records that the proxy changed are remembered, the latest ones. */
#define VHU_ALTERED_MAX 32

struct vhu_channel_state {
#define VHU_CHANNEL_FACT(member)  struct vhu_told member;
#define VHU_CHANNEL_SIDES(member) struct vhu_told member[2];
#include "lib/session/state/state.def"
	struct vhu_pending_queue pending;
	bool open;
	bool last_is_reply[2];
	/* What `last` and `answered` are about; NULL: an unknown id. */
	const struct vhu_message *last_message[2], *answered_message;
};

struct vhu_state {
	uint64_t id;
	bool live; /* a record of it has passed that is no repetition */
	uint64_t opened_ns, last_ns;
	bool begun_before; /* its beginning is not in the capture */
	uint64_t messages;
	struct vhu_context context;
	bool dialect_is_sure;
	/* The record that tells the dialect for certain, also where that is yet to come and was
	 * seen in a reading before; 0: known without one, VHU_NEVER: none does. */
	uint64_t dialect_told_at;
#define VHU_NEVER                     UINT64_MAX
#define VHU_FEATURES(member, ...)     struct vhu_feature_set member;
#define VHU_SESSION_FACT(member, ...) struct vhu_told member;
#include "lib/session/state/state.def"
	struct vhu_inflight_area inflight_area; /* from the record of `inflight_got` */
	/* What the device was guessed from last, and what gave cause to each guess. */
	struct {
		uint64_t features, by[VHU_GUESSES_MAX];
		uint32_t config_size;
		unsigned count;
	} guessed;
	uint64_t first_kick_ns;
	unsigned enabled_unacknowledged; /* vrings */
	unsigned stopped_in_use;         /* vrings */
	uint64_t started_disabled_ns;    /* the first of those that lack SET_VRING_ENABLE; or 0 */
	unsigned iotlb_misses;           /* not yet answered by an update */
	unsigned iotlb_entries;
	struct vhu_region *region;
	unsigned regions, region_room;
	struct vhu_shmem *shmem; /* from the record of `shmem_config`; NULL without one */
	struct vhu_object *object;
	uint64_t *object_by; /* which record named each */
	unsigned objects, object_room;
	bool objects_lost; /* there were too many to keep */
	/* Translations in force, in growing order of their IOVAs; none overlaps another. */
	struct vhu_translation *translation;
	uint64_t *translation_by; /* which record told each */
	unsigned translations, translation_room;
	struct vhu_vring *vring; /* by index */
	unsigned vrings;         /* one past the highest index seen */
	struct vhu_peer_known {
		uint32_t pid;
		char comm[17];
	} peer[2]; /* front-end, back-end */
	struct vhu_channel_state channel[VHU_CHANNELS];
	uint64_t altered[VHU_ALTERED_MAX];
	unsigned alterations; /* so far; the next one's place follows from it */
	uint32_t said[8];     /* rules reported already, if once a session, as bits */
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
 * Name the records that made a state what it is: fed again in order, they alone make it again as
 * far as any rule looks at it. Each is named at least once, in no order. Some are answered requests
 * or answers to them, whose other half is not named; nor is what their meaning depends on.
 * @call: is given @context, a fact and the number of its record.
 */
void vhu_state_provenance(const struct vhu_state *state,
			  void (*call)(void *context, enum vhu_fact fact, uint64_t number),
			  void *context);

/* Return whether the front-end has begun to use the device. One that only looks what the back-end
 * can do asks, and sets what it needs to ask: protocol features and the owner. */
bool vhu_state_is_used(const struct vhu_state *state);

/* Return whether the proxy had a hand in a record, as far as that is remembered. */
bool vhu_state_is_altered(const struct vhu_state *state, uint64_t number);

/* Find an object that is the same as @object. Returns its place in state->object, or -1. */
int vhu_state_object(const struct vhu_state *state, const struct vhu_object *object);

/* Fill in a vring's areas as its size and addresses tell: "Split Virtqueues", "Packed Virtqueues"
 * of the virtio specification. The split ring's last two bytes, used_event and avail_event, which
 * belong to it with EVENT_IDX, are left out. */
void vhu_vring_areas(const struct vhu_vring *vring, bool packed, struct vhu_vring_area area[3]);

/* Return how many vrings have been started and not stopped. */
unsigned vhu_state_running(const struct vhu_state *state);

#endif
