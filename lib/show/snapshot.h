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

#endif
