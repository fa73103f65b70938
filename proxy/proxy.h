/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy: what all its pairs of endpoints and all their sessions share.
 *
 *	proxy -- pair (FRONT BACK) -- session -- link (a socket of it) -- relay (a direction)
 *	  |
 *	loop, sinks, faults, mask, counts
 */
#ifndef VHU_PROXY_PROXY_H
#define VHU_PROXY_PROXY_H

#include "lib/recording/sink.h"
#include "proxy/core/loop.h"
#include "proxy/eventfd/options.h"
#include "proxy/fault/fault.h"
#include "proxy/fault/mask.h"

/* The two sides of everything here. */
enum vhu_side {
	VHU_FRONT = 0,
	VHU_BACK = 1,
};

struct vhu_pair;
struct vhu_prologue;

/* What the watchdog of each session does; all zero: no watchdog. */
struct vhu_watchdog_options {
	uint64_t stall_ns; /* after which something counts as stalled; 0: nothing does */
	bool at_end;       /* record how vrings are when their session ends */
};

/* Something that has stalled. */
struct vhu_stall {
	uint64_t session;
	int vring;           /* -1: a request without its reply */
	const char *verdict; /* "D3" */
	const char *text;    /* in a sentence */
};

struct vhu_proxy {
	struct vhu_loop loop;
	struct vhu_sinks sinks;
	struct vhu_faults faults; /* what is to be changed; its owner clears it at the end */
	struct vhu_mask mask;
	const struct vhu_eventfd_options *notify; /* kicks and calls to stand between; NULL: none */
	struct vhu_prologue *prologue; /* records pass into it last; NULL: it is not kept */
	struct vhu_watchdog_options watchdog;
	bool keep_eventfds; /* of vrings, to signal them on request */
	bool with_keys;     /* key material is not masked */
	bool several;       /* pairs: they are named in what is said */
	/* Print a line, which has no newline, for the person who runs the proxy. */
	void (*say)(const char *line);
	/* Write how the process at a side, whose socket was just closed, has ended: "killed by
	 * signal 11 (Segmentation fault)". Returns whether that is known. NULL: it never is. */
	bool (*fate)(const struct vhu_proxy *proxy, enum vhu_side side, char *to, size_t size);
	/* Something has stalled, which is reported and recorded. May be NULL. */
	void (*stalled)(struct vhu_proxy *proxy, const struct vhu_stall *stall);

	uint64_t started_ns;   /* by vhu_realtime_ns */
	uint64_t sessions;     /* begun; the last one's number */
	uint64_t messages;     /* passed on */
	uint64_t fds;          /* passed on */
	unsigned pairs;        /* that still serve */
	unsigned retired;      /* that have sessions left; the loop stops at none of both */
	uint64_t left;         /* pairs that were open and are not any more */
	struct vhu_pair *pair; /* all that are open */
};

/* Say a line, made as printf makes it. */
__attribute__((format(printf, 2, 3))) void vhu_proxy_say(const struct vhu_proxy *proxy,
							 const char *format, ...);

/* Return a side's name: "front-end", "back-end". */
const char *vhu_side_name(enum vhu_side side);

#endif
