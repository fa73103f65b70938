/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eventfds that are shared with peers who may do anything to them: read without waiting, and
 * written without being held up.
 *
 * Theory of operation
 *
 * The flags of an eventfd belong to all who share it, so that neither O_NONBLOCK nor what poll said
 * a moment ago can be relied on. A read can be asked not to wait (RWF_NOWAIT, Linux 5.8), a write
 * cannot. One that waits, because somebody has filled the eventfd, is taken out of it by SIGALRM,
 * which comes again and again while there are writes, and does nothing else.
 */
#ifndef VHU_PROXY_EVENTFD_EVENTFD_H
#define VHU_PROXY_EVENTFD_EVENTFD_H

#include <stdbool.h>
#include <stdint.h>

/* The most that an eventfd counts to. */
#define VHU_EVENTFD_MAX (UINT64_MAX - 1)

/*
 * Make ready: SIGALRM and the timer behind it (ITIMER_REAL) are these functions' from now on.
 * Returns 0; -EOPNOTSUPP where this kernel cannot read an eventfd without waiting; -errno.
 */
int vhu_eventfd_init(void);

/* Return a new eventfd that counts nothing, closed on exec; -errno. */
int vhu_eventfd_new(bool nonblock, bool semaphore);

/*
 * Take what @fd counts.
 * @semaphore: it may be a semaphore, whose reads take 1 each: take its whole count or, so that
 * others have their turn, a part. Returns 0 and *@count, at least 1; -EAGAIN if the count is 0;
 * -errno.
 */
int vhu_eventfd_take(int fd, bool semaphore, uint64_t *count);

/*
 * Add @count, at most VHU_EVENTFD_MAX, to what @fd counts.
 * Returns 0; -EAGAIN where there is no room for that; -EBUSY where there was none, nor O_NONBLOCK,
 * and time was lost in it; -errno.
 */
int vhu_eventfd_add(int fd, uint64_t count);

#endif
