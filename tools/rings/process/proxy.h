/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a running vhu proxy records, as its command line or its configuration says. */
#ifndef VHU_TOOLS_RINGS_PROCESS_PROXY_H
#define VHU_TOOLS_RINGS_PROCESS_PROXY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A vhu proxy. Paths are ours; "": none. */
struct vhu_rings_proxy {
	uint32_t pid;
	char control[PATH_MAX]; /* its control socket */
	char file[PATH_MAX];    /* its capture; of a flight recorder the name that its files have */
	bool flight;
};

/* Read what process @pid is to record. Returns whether it is a vhu proxy. */
bool vhu_rings_proxy_read(uint32_t pid, struct vhu_rings_proxy *proxy);

/*
 * Find the vhu proxy that a process is, or is connected to.
 * @control: only one with a control socket.
 * Returns whether there is one.
 */
bool vhu_rings_proxy_of(uint32_t pid, bool control, struct vhu_rings_proxy *proxy);

/* Find the vhu proxy that has the socket at @path for its sessions, not as its control socket.
 * Returns whether there is one. */
bool vhu_rings_proxy_with(const char *path, struct vhu_rings_proxy *proxy);

/*
 * Find the latest file that the flight recorder of a proxy has written.
 * @path: gets it. @age_ns: gets how long ago that was.
 * Returns whether there is one.
 */
bool vhu_rings_proxy_flight(const struct vhu_rings_proxy *proxy, char *path, size_t size,
			    uint64_t *age_ns);

#endif
