/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes are of a vring's session. */
#include "tools/latency/vrings/owner.h"

#include <inttypes.h>

#include "lib/protocol/line.h"
#include "lib/session/session.h"

/* Return whether a file is kept already. */
static bool has_file(const struct vhu_latency_owner *owner, const struct vhu_fd_info *fd)
{
	for (unsigned i = 0; i < owner->files; i++)
		if (owner->file[i].inode == fd->inode && owner->file[i].device == fd->device)
			return true;
	return false;
}

void vhu_latency_owner_take(struct vhu_latency_vring *vring, const struct vhu_state *state)
{
	struct vhu_latency_owner *owner = &vring->owner;

	vring->peer[VHU_LATENCY_FRONT_END] = state->peer[0].pid;
	vring->peer[VHU_LATENCY_BACK_END] = state->peer[1].pid;
	*owner = (struct vhu_latency_owner){.opened_ns = state->opened_ns};
	for (unsigned i = 0; i < state->regions && owner->files < VHU_LATENCY_FILES; i++) {
		const struct vhu_fd_info *fd = &state->region[i].fd;

		if (state->region[i].has_fd && fd->has & VHU_FD_HAS_INODE && !has_file(owner, fd))
			owner->file[owner->files++] =
			    (struct vhu_rings_file){true, fd->inode, fd->device};
	}
}

/* Return whether a session names a process, which ran when the session began. */
static bool is_named(const struct vhu_latency_vring *vring, uint32_t pid)
{
	return (pid == vring->peer[VHU_LATENCY_FRONT_END] ||
		pid == vring->peer[VHU_LATENCY_BACK_END]) &&
	       vhu_rings_process_is_of(pid, vring->owner.opened_ns);
}

bool vhu_latency_owner_is(const struct vhu_latency_vring *vring,
			  struct vhu_rings_processes *processes, uint32_t pid)
{
	const struct vhu_latency_owner *owner = &vring->owner;
	const struct vhu_rings_process *process =
	    owner->files ? vhu_rings_process(processes, pid) : NULL;

	if (process && !process->error && process->maps_known)
		return vhu_rings_process_has(process, owner->file, owner->files);
	return is_named(vring, pid);
}

/* Add the processes of a vring's session that have ended. Returns whether all have that are known,
 * and there is one. */
static bool put_ended(struct vhu_line *line, const struct vhu_latency_vring *vring)
{
	static const char *const side[] = {"front-end", "back-end"};
	unsigned ended = 0, known = 0;

	for (unsigned i = 0; i < VHU_LATENCY_PEERS; i++) {
		if (!vring->peer[i])
			continue;
		known++;
		if (vhu_rings_process_is_of(vring->peer[i], vring->owner.opened_ns))
			continue;
		vhu_line_printf(line, "%s%s pid %" PRIu32, ended++ ? ", " : "", side[i],
				vring->peer[i]);
	}
	return ended && ended == known;
}

/* Say why a vring's eventfd of another is not watched. */
static void put_foreign(struct vhu_line *line, const struct vhu_latency_vring *vring, uint32_t id)
{
	vhu_line_printf(line, "vring %" PRIu32 " of session %" PRIu64 ": ", vring->index,
			vring->session);
	if (!vring->owner.files && !vring->peer[0] && !vring->peer[1])
		vhu_line_printf(line,
				"the capture names neither the processes nor the memory of the "
				"session, so whether eventfd %" PRIu32 " is the vring's cannot be "
				"told: nothing is counted",
				id);
	else
		vhu_line_printf(line,
				"eventfd %" PRIu32 " is not open in a process of the session any "
				"more, but in another: nothing is counted",
				id);
}

bool vhu_latency_owner_why(const struct vhu_latency_vrings *vrings, char *text, size_t size)
{
	const struct vhu_latency_vring *foreign = NULL;
	unsigned wanted = 0, ended = 0;
	struct vhu_line line;
	uint32_t id = 0;
	char gone[128];

	for (unsigned i = 0; i < vrings->count; i++) {
		const struct vhu_latency_vring *vring = vrings->vring[i];
		struct vhu_line pids = vhu_line_in(gone, sizeof(gone));

		if (!vring->fd[VHU_KICK].wanted && !vring->fd[VHU_CALL].wanted)
			continue;
		wanted++;
		ended += put_ended(&pids, vring);
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++)
			if (vring->fd[which].wanted && vring->fd[which].foreign) {
				foreign = vring;
				id = vring->fd[which].id;
			}
	}
	line = vhu_line_in(text, size);
	if (wanted && ended == wanted)
		vhu_line_printf(
		    &line, "the session's processes have ended (%s): nothing is counted", gone);
	else if (foreign)
		put_foreign(&line, foreign, id);
	return line.length > 0;
}
