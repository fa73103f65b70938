/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of sessions that began before they were watched. */
#include <errno.h>

#include "lib/attach/session_internal.h"

int vhu_attach_sessions_reconstruct(struct vhu_attach_sessions *sessions, uint64_t front,
				    const struct vhu_attach_past *message, unsigned count,
				    uint64_t time_ns)
{
	struct vhu_attach_connection *at;
	int error;

	TAILQ_FOREACH(at, &sessions->connection, link)
	{
		if (at->end[0].address == front || at->end[1].address == front)
			break;
	}
	if (!at || !at->before || at->carried || at->refused || at->channel != VHU_FRONT_END)
		return -ENOENT;
	if (at->session)
		return -EALREADY;
	error = vhu_attach_open_session(at, at->end[1].address == front, (struct vhu_header){0},
					time_ns);
	/* Two records of one time would be taken for one record that is repeated. */
	for (unsigned i = 0; !error && i < count; i++)
		vhu_attach_record_past(at, &message[i], time_ns + 1 + i);
	return error;
}
