/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options for kicks and calls: the vrings and sessions whose eventfds the proxy interposes, and
 * what it reports about them. docs/interposer.md describes the language.
 */
#ifndef VHU_PROXY_EVENTFD_OPTIONS_H
#define VHU_PROXY_EVENTFD_OPTIONS_H

#include <stdbool.h>

#include "lib/protocol/protocol.h"

/* "Vring descriptor index": a vring's number is a byte. */
#define VHU_EVENTFD_VRINGS 256

struct vhu_eventfd_options {
	bool role[VHU_VRING_ROLES]; /* kicks, calls, errors: by enum vhu_vring_role */
	bool vring[VHU_EVENTFD_VRINGS];
	uint64_t session; /* 0: all */
	bool record;      /* each signal, for the sinks */
	bool quiet;       /* no summary */
};

/*
 * Read what is to be interposed: words, separated by blanks or commas, as "vring=0,1 session=2
 * call". Where no vring, or none of kick, call and err, is named, all are.
 * @text: NULL or "" is all. @notify: its `record` and `quiet` are left alone.
 * @error, @size: room for a line that says what is wrong.
 * Returns 0 or -EINVAL.
 */
int vhu_eventfd_options_parse(struct vhu_eventfd_options *notify, const char *text, char *error,
			      size_t size);

#endif
