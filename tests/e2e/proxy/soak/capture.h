/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The capture of a soak, compared with what became of its sessions. */
#ifndef VHU_TESTS_SOAK_CAPTURE_H
#define VHU_TESTS_SOAK_CAPTURE_H

#include "tests/e2e/proxy/soak/session.h"

/*
 * See that the capture at @path is whole: each record of a message is one that was sent, in order
 * and as it was, and all that arrived are there. @outcome: of @sessions sessions.
 * Returns how many messages it holds.
 */
uint64_t soak_capture_check(const char *path, const struct soak_outcome *outcome,
			    uint32_t sessions);

#endif
