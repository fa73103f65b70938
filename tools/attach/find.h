/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets of a host: the listening ones, the connected pairs, and the connections that may be
 * vhost-user: their two processes share memory or eventfds.
 *
 * Ownership: a listing owns its entries.
 */
#ifndef VHU_TOOLS_ATTACH_FIND_H
#define VHU_TOOLS_ATTACH_FIND_H

#include "bpf/attach/attach.h"
#include "lib/attach/session.h"

struct vhu_attach_listing {
	struct vhu_attach_listed *entry;
	unsigned count;
};

/* List all. Returns 0 or -errno. */
int vhu_attach_listing_read(struct vhu_attach *attach, struct vhu_attach_listing *listing);
void vhu_attach_listing_free(struct vhu_attach_listing *listing);

/* Return the next entry from @from on that is a listening socket; NULL without. */
const struct vhu_attach_listed *vhu_attach_next_listener(const struct vhu_attach_listing *listing,
							 unsigned *from);
/* Return the next entry from @from on that is a connected socket; NULL without. */
const struct vhu_attach_listed *vhu_attach_next_connected(const struct vhu_attach_listing *listing,
							  unsigned *from);

/* Return whether a socket is bound to a path: by the file that is there, or an abstract name, which
 * begins with @. */
bool vhu_attach_is_at(const struct vhu_attach_listed *socket, const char *path);

/* Return the entry of a socket by its address in the kernel, for the first process that has the
 * socket open; NULL if there is no entry. */
const struct vhu_attach_listed *vhu_attach_socket(const struct vhu_attach_listing *listing,
						  uint64_t address);

/* Return whether two processes share memory or an eventfd. */
bool vhu_attach_share(const struct vhu_attach_listing *listing, uint32_t one, uint32_t other);
/* Return whether two processes share an eventfd. */
bool vhu_attach_share_eventfd(const struct vhu_attach_listing *listing, uint32_t one,
			      uint32_t other);

/* Write the path that a socket is bound to; "" without. */
void vhu_attach_path(const struct vhu_attach_listed *socket, char *to, size_t size);

/* Fill in what is not known of the ends of a connection. @id, @name: as in struct
 * vhu_attach_sessions_owner. */
void vhu_attach_fill_in(const struct vhu_attach_listing *listing, uint64_t id, uint64_t name,
			struct vhu_attach_end end[2]);

#endif
