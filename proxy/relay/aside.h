/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of a relay that were set aside: they pass after others. */
#ifndef VHU_PROXY_RELAY_ASIDE_H
#define VHU_PROXY_RELAY_ASIDE_H

#include "proxy/relay/relay.h"

/* Messages that can be set aside at a time. */
#define VHU_RELAY_ASIDES_MAX 16u

/* A message that waits for others to pass, or that its owner has made. */
struct vhu_relay_aside {
	struct vhu_relay_aside *next;
	struct vhu_header header;
	uint8_t *buffer;
	size_t room;
	uint64_t size;
	int *fd;
	unsigned fds, added;
	struct vhu_relay_plan *plan; /* what is still to be done */
	uint32_t segment;
};

/* Set the message aside that is due. Returns whether there was room for that. */
bool vhu_relay_set_aside(struct vhu_relay *relay);

/* Between messages, take back one that was set aside and whose time has come. */
void vhu_relay_aside_take(struct vhu_relay *relay);

/* Between messages, take back the first that was set aside. Returns whether there was one. */
bool vhu_relay_aside_first(struct vhu_relay *relay);

/* A message was passed on: it is one less for those that were set aside. */
void vhu_relay_aside_count(struct vhu_relay *relay);

/* Free those that were set aside. */
void vhu_relay_aside_free(struct vhu_relay *relay);

#endif
