/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kicks and calls of a vring, held against each other.
 *
 * A vring with one request at a time has a call for each kick. When that was so for a while, a kick
 * without a call is one whose call is missing. Kicks and calls need not alternate for that: a
 * driver that looks at the used ring by itself may kick for the next request before the call for
 * the last one is there. That call comes late, or together with the next one. With more requests
 * under way a call may answer several kicks, or come before the kick that it answers, and the last
 * kick need not have one.
 */
#ifndef VHU_UTIL_TURNS_H
#define VHU_UTIL_TURNS_H

#include <stdint.h>

/* So many kicks in turn make a habit. */
#define VHU_TURNS_HABIT       4
/* The most kicks without a call: that of a request, and that of the one before, if its call is
 * late. */
#define VHU_TURNS_OPEN_MAX    2
/* A call that is late for so many kicks does not come: one has answered two kicks. */
#define VHU_TURNS_OVERLAP_MAX 4

/* All zero is nothing so far. */
struct vhu_turns {
	uint64_t open;       /* kicks since the last call */
	uint64_t open_ns;    /* when the first of these came */
	uint64_t late;       /* kicks before these whose calls have yet to come */
	uint64_t overlapped; /* kicks before those that are open since no call was late */
	uint64_t in_turn;    /* kicks before all these, in a row, that had a call each */
	uint64_t begun_ns;   /* when the first of those came */
};

/* Begin to hold them against each other, as if there were no kicks with calls before. */
static inline void vhu_turns_begin(struct vhu_turns *turns)
{
	turns->late = turns->overlapped = turns->in_turn = 0;
}

/* Add kicks. @time_ns: on the clock of all times of @turns. */
static inline void vhu_turns_kick(struct vhu_turns *turns, uint64_t count, uint64_t time_ns)
{
	if (turns->open == 0)
		turns->open_ns = time_ns;
	turns->open += count;
	if (turns->open + turns->late > VHU_TURNS_OPEN_MAX)
		vhu_turns_begin(turns);
	if (turns->in_turn == 0)
		turns->begun_ns = turns->open_ns;
}

/* Add calls. */
static inline void vhu_turns_call(struct vhu_turns *turns, uint64_t count)
{
	const uint64_t kicks = turns->open + turns->late;

	turns->overlapped += turns->open;
	turns->open = 0;
	turns->late = kicks > count ? kicks - count : 0;
	if (kicks == count) {
		turns->in_turn += turns->overlapped;
		turns->overlapped = 0;
	} else if (kicks < count || turns->in_turn == 0 ||
		   turns->overlapped > VHU_TURNS_OVERLAP_MAX) {
		vhu_turns_begin(turns);
	}
}

/* Return how many kicks in a row had a call each, until the one that is open now, if one is; 0 if
 * not only the call of that one is missing. */
static inline uint64_t vhu_turns_in_turn(const struct vhu_turns *turns)
{
	return turns->late == 0 && turns->open <= 1 ? turns->in_turn : 0;
}

#endif
