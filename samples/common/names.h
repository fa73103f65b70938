/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names as people write them on command lines. */
#ifndef VHU_SAMPLES_COMMON_NAMES_H
#define VHU_SAMPLES_COMMON_NAMES_H

#include "lib/protocol/protocol.h"

/* Sets of virtio and of protocol features. */
struct vhu_feature_sets {
	uint64_t virtio, protocol;
};

/* Add the features of a name, in any case of letters, to the sets. Returns whether there is one. */
bool vhu_names_feature(const char *name, struct vhu_feature_sets *sets);

/* Find a dialect by its name. Returns VHU_ANY for an unknown name. */
enum vhu_dialect vhu_names_dialect(const char *name);

#endif
