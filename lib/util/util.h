/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What C leaves to every file: the size of an array, the structure around a member, the time. */
#ifndef VHU_UTIL_UTIL_H
#define VHU_UTIL_UTIL_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define VHU_NS_PER_MS UINT64_C(1000000)
#define VHU_NS_PER_S  UINT64_C(1000000000)

/* The number of elements of an array; never of a parameter, which is a pointer. */
#define VHU_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The structure of @type that @pointer's object is the @member of. */
#define vhu_container_of(pointer, type, member)                                                    \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Return how long @to is after @from; 0 where the clock went back between them. */
static inline uint64_t vhu_elapsed_ns(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* Return whether @to is at most @ns after @from; false where the clock went back between them. */
static inline int vhu_within_ns(uint64_t from, uint64_t to, uint64_t ns)
{
	return to >= from && to - from <= ns;
}

/* Return a clock's time in nanoseconds. */
static inline uint64_t vhu_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * VHU_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Return the time in nanoseconds on a clock that only goes forward. */
static inline uint64_t vhu_now_ns(void)
{
	return vhu_clock_ns(CLOCK_MONOTONIC);
}

/* Return the time in milliseconds on the same clock. */
static inline uint64_t vhu_now_ms(void)
{
	return vhu_now_ns() / VHU_NS_PER_MS;
}

/* Return the time in nanoseconds since the epoch. */
static inline uint64_t vhu_realtime_ns(void)
{
	return vhu_clock_ns(CLOCK_REALTIME);
}

#endif
