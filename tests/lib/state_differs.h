/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not the same in two states of a session. */
#ifndef VHU_TESTS_STATE_DIFFERS_H
#define VHU_TESTS_STATE_DIFFERS_H

#include "lib/session/state.h"

/* Return what of two states is not the same, numbers of records left aside; NULL: nothing that
 * anybody looks at. */
const char *state_differs(const struct vhu_state *a, const struct vhu_state *b);

#endif
