/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not the same in two states of a session. */
#ifndef VHU_TESTS_STATE_DIFFERS_H
#define VHU_TESTS_STATE_DIFFERS_H

#include "lib/session/state/state.h"

/* Return what is not the same in two states, whose records were fed under the same numbers: a fact,
 * or the record that told it; NULL: nothing that anybody looks at. */
const char *state_differs(const struct vhu_state *a, const struct vhu_state *b);

#endif
