/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watchdog of a session: it looks for requests that get no reply and for vrings that hang, and
 * takes snapshots of vrings when the session ends.
 *
 * Theory of operation
 *
 * A virtual machine that hangs closes nothing, so the proxy gets no sign. The watchdog of each
 * session looks by itself, four times in the time after which something counts as stalled:
 *  - at the requests of all channels that must be answered;
 *  - at the indexes of each started vring, read with pread from the memory that passed by (kept.h),
 *    and at the counters of its kick and its call. While they move nothing more is done. If they
 *    have not moved for the whole time lib/ring judges the vring.
 * What has stalled is said in a line, recorded as snapshots of the vrings, and handed to
 * proxy->stalled, once: a vring that moves again may stall again.
 *
 * The state of the session comes from the proxy's prologue. Nothing is written to the memory, no
 * eventfd is read or signalled.
 *
 * Ownership: a session owns its watchdog, which owns what it keeps.
 */
#ifndef VHU_PROXY_WATCHDOG_WATCHDOG_H
#define VHU_PROXY_WATCHDOG_WATCHDOG_H

#include "lib/util/json.h"
#include "proxy/session/session.h"

struct vhu_relay;
struct vhu_watchdog;

/* Return the watchdog of @session; NULL if none is asked for, or out of memory, which is reported.
 */
struct vhu_watchdog *vhu_watchdog_new(struct vhu_proxy_session *session);

/* For links: a message of the main socket was received and recorded, and is to be passed on. */
void vhu_watchdog_received(struct vhu_watchdog *watchdog, const struct vhu_relay *relay,
			   bool from_back_end);

/* Have all sessions look for what has stalled as proxy->watchdog says now. In sessions that had no
 * watchdog before, only memory and eventfds that pass from now on are known. */
void vhu_watchdog_set(struct vhu_proxy *proxy);

/* The session is about to end: record how its vrings are, once, if that was asked for. */
void vhu_watchdog_end(struct vhu_watchdog *watchdog);

/* Return how many descriptors @watchdog keeps. */
unsigned vhu_watchdog_fds(const struct vhu_watchdog *watchdog);

/* Write how the vrings that are looked at stand as an array. docs/control.md lists the keys. */
void vhu_watchdog_json(struct vhu_json *json, const char *key, const struct vhu_watchdog *watchdog);

/* Free @watchdog (NULL is ignored). */
void vhu_watchdog_free(struct vhu_watchdog *watchdog);

#endif
