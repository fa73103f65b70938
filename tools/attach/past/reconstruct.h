/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that would have said what a session has that began before the watch, which is known
 * from elsewhere. They are recorded as reconstructed.
 *
 * Ownership: a list owns its messages, until vhu_past_free.
 */
#ifndef VHU_TOOLS_ATTACH_PAST_RECONSTRUCT_H
#define VHU_TOOLS_ATTACH_PAST_RECONSTRUCT_H

#include "lib/protocol/message_io.h"
#include "proxy/core/fdinfo.h"
#include "tools/attach/run.h"

struct vhu_past_messages {
	struct vhu_past_message {
		struct vhu_message_buf buf;
		struct vhu_fd_info fd;
		char name[VHU_FDINFO_NAME];
		bool has_fd;
	} * message;
	unsigned count;
};

/* Begin a message. Returns it, until the next one is begun; NULL out of memory. */
struct vhu_past_message *vhu_past_begin(struct vhu_past_messages *past, enum vhu_message_id id,
					enum vhu_layout_id layout);

/* Add the kick of a vring. Returns 0 or -ENOMEM. */
int vhu_past_add_kick(struct vhu_past_messages *past, unsigned vring, uint32_t eventfd_id);

/* Record the messages of the session whose front-end's socket has address @front in the kernel.
 * Returns 0 or -errno. */
int vhu_past_put(struct vhu_attach_run *run, uint64_t front, struct vhu_past_messages *past);

void vhu_past_free(struct vhu_past_messages *past);

/*
 * Find the only watched session of two processes, among their other connections: they share
 * eventfds.
 * @front, @back: processes; @back 0: any.
 * Returns the front-end's socket; NULL, and in *@several whether there are several.
 */
const struct vhu_attach_listed *vhu_past_session(const struct vhu_attach_run *run,
						 const struct vhu_attach_listing *listing,
						 uint32_t front, uint32_t back, bool *several);

#endif
