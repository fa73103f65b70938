/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets of a host. */
#include "tools/attach/find.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* States of sockets, as the kernel numbers them for all families. */
#define ESTABLISHED 1
#define LISTENING   10
/* The kernel's number of a device has its minor in so many bits. */
#define MINOR_BITS  20

int vhu_attach_listing_read(struct vhu_attach *attach, struct vhu_attach_listing *listing)
{
	int count = vhu_attach_list(attach, &listing->entry);

	listing->count = count < 0 ? 0 : (unsigned)count;
	return count < 0 ? count : 0;
}

void vhu_attach_listing_free(struct vhu_attach_listing *listing)
{
	free(listing->entry);
	listing->entry = NULL;
	listing->count = 0;
}

/* Return the next socket in a state. */
static const struct vhu_attach_listed *next_in(const struct vhu_attach_listing *listing,
					       unsigned *from, uint32_t state)
{
	while (*from < listing->count) {
		const struct vhu_attach_listed *entry = &listing->entry[(*from)++];

		if (entry->kind == VHU_ATTACH_SOCKET && entry->state == state)
			return entry;
	}
	return NULL;
}

const struct vhu_attach_listed *vhu_attach_next_listener(const struct vhu_attach_listing *listing,
							 unsigned *from)
{
	return next_in(listing, from, LISTENING);
}

const struct vhu_attach_listed *vhu_attach_next_connected(const struct vhu_attach_listing *listing,
							  unsigned *from)
{
	const struct vhu_attach_listed *entry;

	while ((entry = next_in(listing, from, ESTABLISHED)))
		if (entry->peer)
			return entry;
	return NULL;
}

bool vhu_attach_is_at(const struct vhu_attach_listed *socket, const char *path)
{
	size_t length = strlen(path);
	struct stat st;

	if (*path == '@')
		return socket->path_size == length && !socket->path[0] &&
		       !memcmp(socket->path + 1, path + 1, length - 1);
	if (stat(path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	return socket->file_inode == st.st_ino &&
	       socket->file_device >> MINOR_BITS == major(st.st_dev) &&
	       (socket->file_device & ((1u << MINOR_BITS) - 1)) == minor(st.st_dev);
}

const struct vhu_attach_listed *vhu_attach_socket(const struct vhu_attach_listing *listing,
						  uint64_t address)
{
	for (unsigned i = 0; address && i < listing->count; i++)
		if (listing->entry[i].kind == VHU_ATTACH_SOCKET &&
		    listing->entry[i].socket == address)
			return &listing->entry[i];
	return NULL;
}

/* Return whether two processes share a thing of a kind. */
static bool share(const struct vhu_attach_listing *listing, enum vhu_attach_kind kind, uint32_t one,
		  uint32_t other)
{
	for (unsigned i = 0; i < listing->count; i++) {
		const struct vhu_attach_listed *a = &listing->entry[i];

		if (a->pid != one || a->kind != kind)
			continue;
		for (unsigned j = 0; j < listing->count; j++) {
			const struct vhu_attach_listed *b = &listing->entry[j];

			if (b->pid == other && b->kind == kind && b->inode == a->inode &&
			    b->device == a->device)
				return true;
		}
	}
	return false;
}

bool vhu_attach_share_eventfd(const struct vhu_attach_listing *listing, uint32_t one,
			      uint32_t other)
{
	return share(listing, VHU_ATTACH_EVENTFD, one, other);
}

bool vhu_attach_share(const struct vhu_attach_listing *listing, uint32_t one, uint32_t other)
{
	return share(listing, VHU_ATTACH_MEMORY, one, other) ||
	       vhu_attach_share_eventfd(listing, one, other);
}

void vhu_attach_path(const struct vhu_attach_listed *socket, char *to, size_t size)
{
	if (!socket->path_size)
		*to = '\0';
	else if (socket->path[0])
		snprintf(to, size, "%.*s", (int)socket->path_size, socket->path);
	else
		snprintf(to, size, "@%.*s", (int)socket->path_size - 1, socket->path + 1);
}

/* Fill in who an entry's process is. */
static void fill_who(const struct vhu_attach_listed *entry, struct vhu_attach_end *end)
{
	if (end->known)
		return;
	end->who = (struct vhu_attach_who){
	    .pid = entry->pid,
	    .tid = entry->pid,
	    .uid = entry->uid,
	    .gid = entry->gid,
	};
	memcpy(end->who.comm, entry->comm, sizeof(end->who.comm));
	end->known = true;
}

/* Return the listening socket that has a name, by the name's address; NULL without. */
static const struct vhu_attach_listed *listener_named(const struct vhu_attach_listing *listing,
						      uint64_t address)
{
	const struct vhu_attach_listed *socket;
	unsigned at = 0;

	while ((socket = vhu_attach_next_listener(listing, &at)))
		if (socket->address == address)
			return socket;
	return NULL;
}

/* Return whether an entry is the end @at of the connection with an id: another socket may be at the
 * address by now. */
static bool is_end(const struct vhu_attach_listed *socket, uint64_t id, unsigned at,
		   const struct vhu_attach_end end[2])
{
	if (!at)
		return socket->inode == id >> 1;
	if (socket->peer_inode)
		return socket->peer_inode == id >> 1;
	/* The first end is closed, and its address is not used again while this socket is open. */
	return socket->peer && socket->peer == end[0].address;
}

/* Fill in who is at an end, and the path of its socket. */
static void fill_end(const struct vhu_attach_listed *entry, struct vhu_attach_end *end)
{
	fill_who(entry, end);
	vhu_attach_path(entry, end->path, sizeof(end->path));
}

void vhu_attach_fill_in(const struct vhu_attach_listing *listing, uint64_t id, uint64_t name,
			struct vhu_attach_end end[2])
{
	const struct vhu_attach_listed *own, *peer;

	for (unsigned i = 0; i < 2; i++) {
		own = vhu_attach_socket(listing, end[i].address);
		if (!own || !is_end(own, id, i, end))
			continue;
		fill_end(own, &end[i]);
		if (!end[!i].address)
			end[!i].address = own->peer;
		peer = vhu_attach_socket(listing, own->peer);
		/* Who listens has not accepted it yet. */
		if (!peer && own->peer_address)
			peer = listener_named(listing, own->peer_address);
		if (peer)
			fill_end(peer, &end[!i]);
	}
	/* Of a short session the sockets may be gone: who listens is at the end with the name. */
	peer = *end[0].path || *end[1].path || !name ? NULL : listener_named(listing, name);
	if (peer)
		fill_end(peer, &end[1]);
}
