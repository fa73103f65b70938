/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The eventfds of a session's vrings that the proxy keeps a copy of. */
#include "proxy/eventfd/kept.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/protocol/walk.h"
#include "proxy/relay/relay.h"

/* Return a vring's eventfds, made if there are none yet; NULL out of memory. */
static struct vhu_kept_vring *vring_of(struct vhu_kept_eventfds *kept, unsigned index)
{
	struct vhu_kept_vring *vring;

	if (index < kept->vrings)
		return &kept->vring[index];
	vring = reallocarray(kept->vring, index + 1, sizeof(*vring));
	if (!vring)
		return NULL;
	kept->vring = vring;
	for (; kept->vrings <= index; kept->vrings++)
		for (unsigned role = 0; role < VHU_VRING_ROLES; role++)
			vring[kept->vrings].eventfd[role] = (struct vhu_kept_eventfd){.fd = -1};
	return &vring[index];
}

/* Close an eventfd. */
static void let_go(struct vhu_kept_eventfd *eventfd)
{
	if (eventfd->fd >= 0)
		close(eventfd->fd);
	*eventfd = (struct vhu_kept_eventfd){.fd = -1};
}

/* Return the payload of a relay's message. */
static struct vhu_payload payload_of(const struct vhu_relay *relay)
{
	return (struct vhu_payload){relay->buffer + VHU_HEADER_SIZE, relay->header.size,
				    relay->header.size, vhu_host_is_big_endian()};
}

void vhu_kept_eventfds_keep(struct vhu_kept_eventfds *kept, const struct vhu_relay *relay)
{
	const struct vhu_payload payload = payload_of(relay);
	const struct vhu_fd_info *info = relay->record.fd;
	enum vhu_vring_role role = VHU_VRING_ROLES;
	struct vhu_kept_eventfd *eventfd;
	struct vhu_kept_vring *vring;
	uint64_t index;

	if (relay->size && relay->got == relay->size && relay->described == relay->fds)
		role = vhu_message_brings(VHU_FRONT_END, relay->header.request);
	if ((role != VHU_KICK && role != VHU_CALL) ||
	    relay->header.size != vhu_layouts[VHU_LAYOUT_vring_fd].size ||
	    !vhu_field_read(&payload, VHU_FIELD_vring_fd_index, 0, &index))
		return;
	/* The index is one byte. */
	vring = vring_of(kept, (unsigned)index);
	if (!vring)
		return;
	eventfd = &vring->eventfd[role];
	let_go(eventfd);
	if (relay->fds == 1 && info->kind == VHU_FD_EVENTFD && info->has & VHU_FD_HAS_EVENTFD)
		*eventfd = (struct vhu_kept_eventfd){fcntl(relay->fd[0], F_DUPFD_CLOEXEC, 0),
						     info->eventfd_id};
}

void vhu_kept_eventfds_stop(struct vhu_kept_eventfds *kept, const struct vhu_relay *relay)
{
	const struct vhu_payload payload = payload_of(relay);
	uint64_t index;

	if (relay->size && relay->header.flags & VHU_FLAG_REPLY &&
	    vhu_message_stops(VHU_FRONT_END, relay->header.request) && relay->got == relay->size &&
	    relay->size <= VHU_RELAY_KEEP &&
	    vhu_field_read(&payload, VHU_FIELD_vring_base_split_index, 0, &index) &&
	    index < kept->vrings)
		let_go(&kept->vring[index].eventfd[VHU_KICK]);
}

struct vhu_kept_eventfd vhu_kept_eventfds_find(const struct vhu_kept_eventfds *kept, unsigned vring,
					       enum vhu_vring_role role)
{
	return vring < kept->vrings ? kept->vring[vring].eventfd[role]
				    : (struct vhu_kept_eventfd){.fd = -1};
}

unsigned vhu_kept_eventfds_count(const struct vhu_kept_eventfds *kept)
{
	unsigned count = 0;

	for (unsigned i = 0; i < kept->vrings; i++)
		for (unsigned role = 0; role < VHU_VRING_ROLES; role++)
			count += kept->vring[i].eventfd[role].fd >= 0;
	return count;
}

void vhu_kept_eventfds_free(struct vhu_kept_eventfds *kept)
{
	for (unsigned i = 0; i < kept->vrings; i++)
		for (unsigned role = 0; role < VHU_VRING_ROLES; role++)
			let_go(&kept->vring[i].eventfd[role]);
	free(kept->vring);
	*kept = (struct vhu_kept_eventfds){0};
}
