/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cuts one direction of a connection into messages.
 *
 * Where it begins in the middle, or bytes are missing, it looks for the next header: at the
 * beginning of a buffer, since senders put a message into a buffer of its own, and only one that
 * looks as a header of that channel does.
 *
 * Ownership: a cutter copies what it keeps. A message lasts as long as the call that passes it.
 */
#ifndef VHU_ATTACH_CUTTER_H
#define VHU_ATTACH_CUTTER_H

#include "lib/attach/stream.h"
#include "lib/protocol/protocol.h"

/* Bytes that are kept of a message, as the proxy does. */
#define VHU_CUTTER_KEEP (256u * 1024)
#define VHU_CUTTER_FDS  253

struct vhu_cutter;

struct vhu_cut_message {
	const uint8_t *bytes;
	uint32_t kept; /* bytes */
	uint64_t size; /* that it has, or that came of it */
	bool partial;  /* its sender closed before it was whole */
	uint64_t time_ns;
	unsigned fds, described;
	const struct vhu_attach_file *file; /* as many as are described */
};

struct vhu_cutter_owner {
	void (*message)(struct vhu_cutter *cutter, const struct vhu_cut_message *message);
	/* Bytes are missing, or were passed over to find the next header. 0: not known. */
	void (*lost)(struct vhu_cutter *cutter, uint64_t bytes, uint64_t time_ns);
};

struct vhu_cutter {
	const struct vhu_cutter_owner *owner;
	void *context;
	enum vhu_channel channel;
	bool in_step;    /* the next byte is known to belong to the message at hand */
	uint64_t passed; /* bytes that were passed over since */
	uint8_t *bytes;  /* of the message at hand */
	size_t room;
	uint64_t got, size; /* bytes; size 0: the header is not there yet */
	unsigned fds, described;
	struct vhu_attach_file *file;
	unsigned file_room;
};

/* Begin. @in_step: with the first byte of a message, else in the middle. */
void vhu_cutter_begin(struct vhu_cutter *cutter, const struct vhu_cutter_owner *owner,
		      void *context, enum vhu_channel channel, bool in_step);

/* Take bytes as a stream passes them on. */
void vhu_cutter_take(struct vhu_cutter *cutter, const uint8_t *bytes, size_t size, bool first,
		     uint64_t time_ns, struct vhu_stream_fds *fds);

/* Bytes are missing here. */
void vhu_cutter_gap(struct vhu_cutter *cutter, uint64_t size, uint64_t time_ns);

/* The sender has closed: what there is of a message is all. */
void vhu_cutter_end(struct vhu_cutter *cutter, uint64_t time_ns);

/* Free what a cutter holds. */
void vhu_cutter_free(struct vhu_cutter *cutter);

/* Return whether 12 bytes are what a message of a channel begins with, as far as this can be known.
 */
bool vhu_header_looks_right(const uint8_t *bytes, enum vhu_channel channel);

#endif
