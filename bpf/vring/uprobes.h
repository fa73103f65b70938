/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes in a back-end's own code: where it takes requests off a vring, and gives them back. */
#ifndef VHU_BPF_VRING_UPROBES_H
#define VHU_BPF_VRING_UPROBES_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_object;
struct vhu_bpf_links;

/* Places in a back-end's own code. */
enum {
	VHU_UPROBES_POP,  /* it took a request off a vring */
	VHU_UPROBES_PUSH, /* it gives one back */
	VHU_UPROBES_PLACES
};

struct vhu_uprobes_choice {
	struct vhu_uprobes_place {
		const char *binary;   /* program or library: a path, or a name that is looked for */
		const char *provider; /* of a static probe; NULL: `name` is a function */
		const char *name;     /* NULL: nothing is watched */
	} place[VHU_UPROBES_PLACES];
	uint32_t pid; /* 0: of whichever process runs it */
};

/* Return whether a program is for a back-end's own code; whether @choice asks for it. */
bool vhu_uprobes_is(const char *program);
bool vhu_uprobes_wants(const struct vhu_uprobes_choice *choice, const char *program);

/*
 * Attach the programs that @choice asks for.
 * @error: VHU_BPF_ERROR_SIZE bytes, gets what is wrong. Returns 0 or -errno.
 */
int vhu_uprobes_attach(const struct bpf_object *object, struct vhu_bpf_links *links,
		       const struct vhu_uprobes_choice *choice, char *error);

#endif
