/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name that a person may have meant who wrote another. */
#ifndef VHU_CLI_NEAR_H
#define VHU_CLI_NEAR_H

/* Room for what vhu_near_hint writes. */
#define VHU_NEAR_MAX 64

/* A search; `word` is what was written, all else 0 at first. */
struct vhu_near {
	const char *word;
	const char *name; /* the nearest so far; NULL: none is near */
	unsigned changes; /* that make `word` of it */
};

/* Look at one of the names that there are. @name has to stay. */
void vhu_near_look(struct vhu_near *near, const char *name);

/* Write what to say of the nearest name after "no such ...": "; did you mean check?"; "" if none is
 * near. Returns @to. */
const char *vhu_near_hint(const struct vhu_near *near, char to[VHU_NEAR_MAX]);

#endif
