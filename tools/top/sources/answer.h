/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a proxy's control socket says of its sessions, for the model. docs/control.md has the keys.
 */
#ifndef VHU_TOOLS_TOP_SOURCES_ANSWER_H
#define VHU_TOOLS_TOP_SOURCES_ANSWER_H

#include <jansson.h>

#include "tools/top/table/model.h"

/* Take the answer to "sessions". Returns 0; -EBADMSG if it is not one; -ENOMEM. */
int vhu_top_answer_take(struct vhu_top_source *source, const json_t *answer, uint64_t now_ns);

/* Make a histogram of the array of buckets under @key of @object, whose greatest value is @most. */
struct vhu_histogram vhu_top_answer_histogram(const json_t *object, const char *key, uint64_t most);

/* Return the number under @key, 0 without. */
uint64_t vhu_top_answer_number(const json_t *object, const char *key);

#endif
