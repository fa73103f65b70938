/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vhu proxy says on standard error while it serves. Peers decide how much there is to say, and
 * some of the words: they must neither fill somebody's log, nor write on a terminal what they like.
 * And whoever reads it must not hold up what passes.
 */
#ifndef VHU_TOOLS_PROXY_RUN_SAY_H
#define VHU_TOOLS_PROXY_RUN_SAY_H

#include <stdbool.h>

/* Lines that are said at once at the most, and in a second for long. */
#define VHU_PROXY_SAY_AT_ONCE     200
#define VHU_PROXY_SAY_A_SECOND    10
/* How long is waited for who reads standard error, until he is taken for stuck. */
#define VHU_PROXY_SAY_PATIENCE_MS 250

/* Say @line, which comes without its end. How many were left out since the last is said with the
 * next one. */
void vhu_proxy_say_line(const char *line);

/* Return whether somebody takes what is written to standard error now. One who did not in time is
 * not waited for again before he does. */
bool vhu_proxy_may_say(void);

/* Count a line that is left out for that reason. */
void vhu_proxy_say_missed(void);

/* Say how many lines have been left out, if any were: there will be no more. */
void vhu_proxy_say_rest(void);

#endif
