/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a back-end says of itself without starting a ring.
 *
 * ask.c asks, config.c looks for the configuration space, specs.c asks what
 * device it is; verdict.c judges; report/text.c and report/json.c show; policy.c compares
 * with what was expected.
 */
#ifndef VHU_TOOLS_PROBE_PROBE_H
#define VHU_TOOLS_PROBE_PROBE_H

#include <stdio.h>

#include "tools/probe/connection/connection.h"

/* The configuration space of the protocol is no larger, "Virtio device config space". */
#define VHU_PROBE_CONFIG_MAX  256
#define VHU_PROBE_ANSWERS_MAX 24
#define VHU_PROBE_TRIED_MAX   16
#define VHU_PROBE_TEXT_MAX    256

/* How a value became known. */
enum vhu_probe_source {
	VHU_PROBE_NOT_KNOWN,
	VHU_PROBE_BY_STANDALONE, /* back-end specifications */
	VHU_PROBE_BY_PROBE,      /* an answer to one of PROBE's questions */
	VHU_PROBE_BY_LOOKING,    /* worked out from other answers */
	VHU_PROBE_BY_USER,       /* said on the command line */
};

struct vhu_probe_value {
	uint32_t value;
	enum vhu_probe_source source;
	const char *how; /* BY_LOOKING: from what; else NULL */
};

/* What the proposals let a front-end ask for. */
struct vhu_probe_specs {
	struct vhu_probe_value device, config_size, min_vqs, max_vqs;
};

/* An answer, for the sizes and times that there were. */
struct vhu_probe_got {
	const struct vhu_message *message;
	uint32_t size, flags;
	unsigned fds;
	uint64_t ns;
};

enum vhu_probe_outcome {
	VHU_PROBE_GIVEN,
	VHU_PROBE_REFUSED,
	VHU_PROBE_CLOSED, /* the connection */
};

/* Sizes that were tried, in their order. */
struct vhu_probe_tries {
	struct {
		uint32_t size;
		enum vhu_probe_outcome outcome;
	} tried[VHU_PROBE_TRIED_MAX];
	unsigned count;
};

struct vhu_probe {
	/* What to do. */
	bool one_connection;      /* never connect twice */
	enum vhu_dialect dialect; /* take bit 18 to mean this; VHU_ANY: find out */
	uint32_t device;          /* take it to be this device; 0: find out */

	struct vhu_probe_connection connection;
	struct vhu_probe_log log;
	struct vhu_peer peer; /* who listens */
	char comm[32];

	/* What was said. */
	bool has_features, has_protocol_features, has_queue_num, has_mem_slots, has_status;
	bool has_shmem, has_inflight;
	uint64_t features, protocol_features; /* offered */
	uint64_t taken;                       /* of the protocol features */
	uint64_t queue_num, mem_slots, status, inflight_size;
	struct vhu_message_buf shmem;
	struct vhu_probe_specs specs;
	struct vhu_message_buf config; /* the answer with the configuration space */
	bool has_config;
	bool config_unbounded; /* it gives as many bytes as are asked for */
	struct vhu_probe_tries config_tried, size_tried; /* of the configuration, of vring 0 */
	struct vhu_probe_value vring_size;               /* the largest it takes */
	struct vhu_probe_got got[VHU_PROBE_ANSWERS_MAX];
	unsigned gots;
	unsigned connections;
	bool daring;                     /* bit 18 is taken without what STANDALONE needs */
	bool acknowledges;               /* it acknowledged what was set */
	char oddity[VHU_PROBE_TEXT_MAX]; /* what happened when id 41 was asked; "" nothing odd */

	/* What is to be thought of it. */
	enum vhu_dialect found_dialect;
	char dialect_why[VHU_PROBE_TEXT_MAX];
	bool standalone;
	bool undecided;                   /* it closed or refused where bit 18 might have told */
	char verdict[VHU_PROBE_TEXT_MAX]; /* "because ..." */
};

/* Bits of protocol features. */
#define VHU_PROBE_BIT(name) (UINT64_C(1) << VHU_PF_##name)
#define VHU_PROBE_PF_BIT    (UINT64_C(1) << VHU_F_PROTOCOL_FEATURES)

/*
 * Ask all there is to ask of the back-end at probe->connection.path.
 * Returns 0; or -errno with probe->connection.why saying what is wrong, and what was said until
 * then filled in.
 */
int vhu_probe_run(struct vhu_probe *probe);

/* greet.c: connect, and say what has to be said before questions: take the protocol features in
 * @useful that are offered. Returns as vhu_probe_run does. */
int vhu_probe_greet(struct vhu_probe *probe, uint64_t useful);

/* Connect once more after the connection was lost and say the same again. Returns as
 * vhu_probe_run does: -ECONNABORTED where one connection is all there is. */
int vhu_probe_greet_again(struct vhu_probe *probe);

/* Send @message, keep how it was answered. Returns as vhu_probe_ask does. */
int vhu_probe_question(struct vhu_probe *probe, struct vhu_message_buf *message,
		       struct vhu_message_buf *reply);

/* Ask a question without payload whose answer is an integer. Returns 0 with *@has and *@value set,
 * or as vhu_probe_ask does. */
int vhu_probe_ask_number(struct vhu_probe *probe, enum vhu_message_id id, enum vhu_field_id field,
			 bool *has, uint64_t *value);

/* Return whether bit 18 is worth asking about. */
bool vhu_probe_may_be_proposal(const struct vhu_probe *probe);

/* Note what came of trying a size; more than there is room for are left out. */
void vhu_probe_note_try(struct vhu_probe_tries *tries, uint32_t size,
			enum vhu_probe_outcome outcome);

/* Return an outcome's name: "given", "refused", "closed". */
const char *vhu_probe_outcome_name(enum vhu_probe_outcome outcome);

/* vring_size.c: look for the largest size that a vring can have, on the connection that there is.
 * Returns as vhu_probe_run does; who is gone afterwards is no error. */
int vhu_probe_look_at_vring_size(struct vhu_probe *probe);

/* config.c: look for the configuration space. Returns as vhu_probe_run does. */
int vhu_probe_look_at_config(struct vhu_probe *probe);

/* specs.c: ask what device it is, by id 41 and what follows from its answer. Returns as
 * vhu_probe_run does; an upstream answer is not an error. */
int vhu_probe_ask_specs(struct vhu_probe *probe);

/* Work out what was not told: device, queues. */
void vhu_probe_look(struct vhu_probe *probe);

/* verdict.c: return the name of the dialect that was found: "any" where nothing that is offered
 * differs between them, "unknown" where bit 18 is offered and nothing told whose it is. */
const char *vhu_probe_dialect_name(const struct vhu_probe *probe);

/* Return whether it is known which protocol features the back-end offers, none at all included. */
bool vhu_probe_knows_offer(const struct vhu_probe *probe);

/* Say which dialect it speaks and whether it is a whole device. */
void vhu_probe_judge(struct vhu_probe *probe);

/* Return how many findings are warnings or worse. */
unsigned vhu_probe_faults(const struct vhu_probe *probe);

/* report/text.c, report/json.c: show all of it. @error: what went wrong, or NULL. */
void vhu_probe_text(const struct vhu_probe *probe, FILE *to);
void vhu_probe_json(const struct vhu_probe *probe, FILE *to, const char *error, const char *policy,
		    const char *warning, bool goes_on);

/* Return whether it is a whole device, in one word. */
const char *vhu_probe_verdict_name(const struct vhu_probe *probe);

/* Return how a value became known, as a text: "told by STANDALONE". */
const char *vhu_probe_source_text(enum vhu_probe_source source);

/* Return the context for showing the back-end's values. */
struct vhu_context vhu_probe_context(const struct vhu_probe *probe);

#endif
