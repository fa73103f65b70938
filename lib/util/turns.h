/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kicks and calls of a vring, held against each other.
 *
 * A vring with one request at a time has a call for each kick, one after the other. When that was
 * so for a while, a kick without a call is one whose call is missing. With more requests under way
 * a call may answer several kicks, or come before the kick that it answers, and the last kick need
 * not have one.
 */
#ifndef VHU_UTIL_TURNS_H
#define VHU_UTIL_TURNS_H

#include <stdint.h>

/* So many kicks in turn make a habit. */
#define VHU_TURNS_HABIT 4

/* All zero is nothing so far. */
struct vhu_turns {
	uint64_t open;     /* kicks since the last call */
	uint64_t open_ns;  /* when the first of these came */
	uint64_t in_turn;  /* kicks before these, one after the other, that had a call each */
	uint64_t begun_ns; /* when the first of those came */
};

/* Add kicks. @time_ns: on the clock of all times of @turns. */
static inline void vhu_turns_kick(struct vhu_turns *turns, uint64_t count, uint64_t time_ns)
{
	if (turns->open == 0)
		turns->open_ns = time_ns;
	turns->open += count;
	if (turns->open > 1)
		turns->in_turn = 0;
	if (turns->in_turn == 0)
		turns->begun_ns = turns->open_ns;
}

/* Add calls. */
static inline void vhu_turns_call(struct vhu_turns *turns, uint64_t count)
{
	turns->in_turn = turns->open == 1 && count == 1 ? turns->in_turn + 1 : 0;
	turns->open = 0;
}

#endif
