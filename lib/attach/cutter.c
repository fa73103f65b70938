/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cuts one direction of a connection into messages; cutter.h has more. */
#include "lib/attach/cutter.h"

#include <stdlib.h>
#include <string.h>

#include "lib/protocol/field.h"

/* No message of the main channel is longer, by far. */
#define SIZE_MAX_SANE (1u << 20)
/* A GPU's picture is. */
#define SIZE_MAX_GPU  (64u << 20)

bool vhu_header_looks_right(const uint8_t *bytes, enum vhu_channel channel)
{
	const struct vhu_message *row[VHU_DIALECTS];
	struct vhu_header header = vhu_header_read(bytes, vhu_host_is_big_endian());

	if (!vhu_message_find(channel, header.request, VHU_ANY, row))
		return false;
	/* This channel has no version in its flags. */
	if (channel == VHU_GPU)
		return header.flags < 16 && header.size <= SIZE_MAX_GPU;
	return (header.flags & VHU_FLAGS_VERSION_MASK) == VHU_FLAGS_VERSION && header.flags < 16 &&
	       header.size <= SIZE_MAX_SANE;
}

void vhu_cutter_begin(struct vhu_cutter *cutter, const struct vhu_cutter_owner *owner,
		      void *context, enum vhu_channel channel, bool in_step)
{
	memset(cutter, 0, sizeof(*cutter));
	cutter->owner = owner;
	cutter->context = context;
	cutter->channel = channel;
	cutter->in_step = in_step;
}

/* Forget the message at hand. */
static void forget(struct vhu_cutter *cutter)
{
	cutter->got = cutter->size = 0;
	cutter->fds = cutter->described = 0;
}

/* Pass the message at hand on. */
static void finish(struct vhu_cutter *cutter, bool partial, uint64_t time_ns)
{
	const struct vhu_cut_message message = {
	    .bytes = cutter->bytes,
	    .kept = (uint32_t)(cutter->got < VHU_CUTTER_KEEP ? cutter->got : VHU_CUTTER_KEEP),
	    .size = cutter->got,
	    .partial = partial,
	    .time_ns = time_ns,
	    .fds = cutter->fds,
	    .described = cutter->described,
	    .file = cutter->file,
	};

	cutter->owner->message(cutter, &message);
	forget(cutter);
}

/* Let there be room for @size bytes of the message at hand. Returns whether there is. */
static bool make_room(struct vhu_cutter *cutter, size_t size)
{
	uint8_t *more;
	size_t room = cutter->room ? cutter->room : 4096;

	if (size <= cutter->room)
		return true;
	while (room < size)
		room *= 2;
	more = realloc(cutter->bytes, room);
	if (!more)
		return false;
	cutter->bytes = more;
	cutter->room = room;
	return true;
}

/* Add bytes to the message at hand. */
static void add(struct vhu_cutter *cutter, const uint8_t *bytes, size_t size)
{
	uint64_t got = cutter->got;
	size_t keep = got >= VHU_CUTTER_KEEP ? 0 : VHU_CUTTER_KEEP - (size_t)got;

	if (keep > size)
		keep = size;
	if (keep && make_room(cutter, (size_t)got + keep))
		memcpy(cutter->bytes + got, bytes, keep);
	cutter->got += size;
}

/* Add descriptors to the message at hand. */
static void add_fds(struct vhu_cutter *cutter, struct vhu_stream_fds *fds)
{
	unsigned room = VHU_CUTTER_FDS - cutter->fds;
	unsigned count = fds->count < room ? fds->count : room;
	unsigned known = fds->known < count ? fds->known : count;

	if (!fds->count)
		return;
	if (cutter->described == cutter->fds && cutter->described + known > cutter->file_room) {
		struct vhu_attach_file *more =
		    reallocarray(cutter->file, cutter->described + known, sizeof(*more));

		if (more) {
			cutter->file = more;
			cutter->file_room = cutter->described + known;
		}
	}
	/* Descriptions follow one another: after one that is missing there are none. */
	if (known && cutter->described == cutter->fds &&
	    cutter->described + known <= cutter->file_room) {
		memcpy(cutter->file + cutter->described, fds->file, known * sizeof(*fds->file));
		cutter->described += known;
	}
	cutter->fds += count;
	free(fds->file);
	memset(fds, 0, sizeof(*fds));
}

/* Return whether a message seems to begin with these bytes, which begin a buffer. */
static bool begins_here(const struct vhu_cutter *cutter, const uint8_t *bytes, size_t size)
{
	struct vhu_header header;
	uint64_t all;

	if (size < VHU_HEADER_SIZE || !vhu_header_looks_right(bytes, cutter->channel))
		return false;
	header = vhu_header_read(bytes, vhu_host_is_big_endian());
	all = (uint64_t)VHU_HEADER_SIZE + header.size;
	/* A header alone, a whole message, or several. */
	if (size == VHU_HEADER_SIZE || size == all)
		return true;
	if (size < all)
		return true;
	return size < all + VHU_HEADER_SIZE || vhu_header_looks_right(bytes + all, cutter->channel);
}

/* Look for the next header. Returns whether these bytes begin with it. */
static bool find_step(struct vhu_cutter *cutter, const uint8_t *bytes, size_t size, bool first,
		      uint64_t time_ns)
{
	if (first && begins_here(cutter, bytes, size)) {
		if (cutter->passed)
			cutter->owner->lost(cutter, cutter->passed, time_ns);
		cutter->passed = 0;
		cutter->in_step = true;
		return true;
	}
	cutter->passed += size;
	return false;
}

/* Take bytes that belong to the message at hand. Returns how many. */
static size_t take_some(struct vhu_cutter *cutter, const uint8_t *bytes, size_t size)
{
	uint64_t wanted = (cutter->size ? cutter->size : VHU_HEADER_SIZE) - cutter->got;
	size_t some = size < wanted ? size : (size_t)wanted;

	add(cutter, bytes, some);
	if (!cutter->size && cutter->got == VHU_HEADER_SIZE)
		cutter->size = (uint64_t)VHU_HEADER_SIZE +
			       vhu_header_read(cutter->bytes, vhu_host_is_big_endian()).size;
	return some;
}

void vhu_cutter_take(struct vhu_cutter *cutter, const uint8_t *bytes, size_t size, bool first,
		     uint64_t time_ns, struct vhu_stream_fds *fds)
{
	if (!cutter->in_step && !find_step(cutter, bytes, size, first, time_ns))
		return;
	add_fds(cutter, fds);
	while (size) {
		size_t some =
		    make_room(cutter, VHU_HEADER_SIZE) ? take_some(cutter, bytes, size) : 0;

		if (!some)
			return;
		bytes += some;
		size -= some;
		if (cutter->size && cutter->got == cutter->size)
			finish(cutter, false, time_ns);
	}
}

void vhu_cutter_gap(struct vhu_cutter *cutter, uint64_t size, uint64_t time_ns)
{
	uint64_t lost = size ? size + cutter->got : 0;

	forget(cutter);
	cutter->in_step = false;
	cutter->owner->lost(cutter, lost, time_ns);
}

void vhu_cutter_end(struct vhu_cutter *cutter, uint64_t time_ns)
{
	if (cutter->got)
		finish(cutter, true, time_ns);
	if (cutter->passed)
		cutter->owner->lost(cutter, cutter->passed, time_ns);
	cutter->passed = 0;
}

void vhu_cutter_free(struct vhu_cutter *cutter)
{
	free(cutter->bytes);
	free(cutter->file);
	cutter->bytes = NULL;
	cutter->file = NULL;
	cutter->room = cutter->file_room = 0;
}
