/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check that a capture holds everything that the transparency test sent, and nothing else. */
#ifndef VHU_TESTS_TRANSPARENCY_CAPTURE_H
#define VHU_TESTS_TRANSPARENCY_CAPTURE_H

#include "tests/e2e/proxy/transparency/message.h"

/*
 * Read the capture at @path and compare every message with what was sent, in order by session,
 * channel and direction; ends the test where it differs. @stream: what all sessions have in common;
 * they are numbered from 1 to @sessions. Returns how many messages were compared.
 */
unsigned long capture_check(const char *path, const struct message_stream *stream,
			    unsigned int sessions);

#endif
