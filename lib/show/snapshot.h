/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of vrings as they are shown: as text for people, as JSON. */
#ifndef VHU_SHOW_SNAPSHOT_H
#define VHU_SHOW_SNAPSHOT_H

#include <stdio.h>

#include "lib/capture/record.h"
#include "lib/util/json.h"

/* Write what a snapshot holds, a line for each thing. */
void vhu_show_snapshot(FILE *to, const struct vhu_vring_snapshot *snapshot);

/* Write the same as keys of the object that is open. docs/vhu-dump.1 lists them. */
void vhu_show_snapshot_json(struct vhu_json *json, const struct vhu_vring_snapshot *snapshot);

/* Write an index of a ring; of a packed one, where it stands in the ring, and the wrap counter. */
void vhu_show_ring_index(struct vhu_json *json, const char *key, const char *wrap_key,
			 uint16_t value, bool packed);

/* Write what a side asks of the other about notifications. @events: it uses event indexes. */
void vhu_show_ring_asks(struct vhu_json *json, const char *key, bool events, uint16_t flags,
			uint16_t event);

#endif
