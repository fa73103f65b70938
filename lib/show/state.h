/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a session as it is shown: as text for people, as JSON. */
#ifndef VHU_SHOW_STATE_H
#define VHU_SHOW_STATE_H

#include <stdio.h>

#include "lib/session/state/state.h"
#include "lib/util/json.h"

/* Width of what stands before a line's contents. */
#define VHU_SHOW_LABEL 13

/* Begin a line of what is said of a session. */
void vhu_show_label(FILE *to, const char *label);

/* Write a text that a peer or a capture brings, without what a terminal would act on. */
void vhu_show_foreign(FILE *to, const char *text);

/* Write a line on who is at one side. */
void vhu_show_peer(FILE *to, const char *label, const struct vhu_peer *peer);

/* Write a line on which device and dialect it is. */
void vhu_show_device(FILE *to, const struct vhu_state *state);

/* Write what is negotiated, the vrings and the memory, each after an empty line. */
void vhu_show_state(FILE *to, const struct vhu_state *state);

/* Write one side as an object under @key. */
void vhu_show_peer_json(struct vhu_json *json, const char *key, const struct vhu_peer *peer);

/* Write the same as keys of the object that is open. docs/vhu-stats.1 lists them. */
void vhu_show_device_json(struct vhu_json *json, const struct vhu_state *state);
void vhu_show_state_json(struct vhu_json *json, const struct vhu_state *state);

/* Write what record @number told of the session's state, with the same keys in an object; nothing
 * where it told nothing. Where it changed the memory, all regions are written. */
void vhu_show_changes_json(struct vhu_json *json, const char *key, const struct vhu_state *state,
			   uint64_t number);

/* Write the vrings alone, as a key of the object that is open. */
void vhu_show_vrings_json(struct vhu_json *json, const struct vhu_state *state);

#endif
