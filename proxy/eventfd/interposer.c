/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifiers: a session's eventfds; interposer.h has their theory of operation. */
#include "proxy/eventfd/interposer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/protocol/walk.h"
#include "proxy/relay/relay.h"

/* Return whether messages that were sent before what @wire holds have yet to pass. Only kicks wait
 * for them: what the back-end sends before a call the front-end takes as it likes. */
static bool interposer_behind(const struct vhu_eventfd_relay *wire)
{
	const struct vhu_interposer *interposer = wire->context;

	return wire->role == VHU_KICK && interposer->context &&
	       interposer->owner->behind(interposer->context);
}

/* A wire passes nothing more. Nobody fills an eventfd but to hold us up, and each time costs all
 * sessions some time: that ends the session. */
static void interposer_broke(struct vhu_eventfd_relay *wire, int error)
{
	const struct vhu_interposer *interposer = wire->context;
	bool filled = error == -EBUSY;
	char text[128];

	snprintf(text, sizeof(text), "vring %" PRIu32 ": its %s passes no more: %s", wire->vring,
		 vhu_vring_role_name(wire->role),
		 filled ? "a peer has filled it" : strerror(-error));
	vhu_proxy_session_error(interposer->session, VHU_FRONT_END, "%s", text);
	vhu_proxy_session_say(interposer->session, "%s%s", filled ? "closed: " : "", text);
	if (filled && interposer->context)
		interposer->owner->sever(interposer->context, text);
}

static const struct vhu_eventfd_relay_owner relay_owner = {
    .taken = vhu_interposer_taken,
    .behind = interposer_behind,
    .broke = interposer_broke,
};

struct vhu_interposer *vhu_interposer_new(struct vhu_session_common *session,
					  const struct vhu_replies *replies,
					  const struct vhu_interposer_owner *owner, void *context)
{
	const struct vhu_eventfd_options *notify = session->proxy->notify;
	struct vhu_interposer *interposer;

	if (!notify || (notify->session && notify->session != session->number))
		return NULL;
	interposer = calloc(1, sizeof(*interposer));
	if (!interposer) {
		vhu_proxy_session_say(session, "no memory to interpose eventfds");
		return NULL;
	}
	interposer->session = session;
	interposer->notify = notify;
	interposer->replies = replies;
	interposer->owner = owner;
	interposer->context = context;
	interposer->spare = -1;
	return interposer;
}

/* Return vring @number, and make it if it does not exist; NULL out of memory. */
static struct vhu_interposer_vring *interposer_ring(struct vhu_interposer *interposer,
						    uint32_t number)
{
	struct vhu_interposer_vring **ring = &interposer->ring[number];

	if (!*ring) {
		*ring = calloc(1, sizeof(**ring));
		if (*ring)
			(*ring)->vring = number;
	}
	return *ring;
}

/* Take @wire out of the list and end it. */
static void interposer_cut(struct vhu_interposer *interposer, struct vhu_eventfd_relay *wire,
			   bool deliver)
{
	struct vhu_eventfd_relay **at = &interposer->wire;

	while (*at != wire)
		at = &(*at)->next;
	*at = wire->next;
	interposer->wires--;
	vhu_eventfd_relay_free(wire, deliver);
}

/* Find out for which vring the signals on @wire are counted. */
static void interposer_attribute(const struct vhu_interposer *interposer,
				 struct vhu_eventfd_relay *wire)
{
	for (unsigned i = 0; i < VHU_EVENTFD_VRINGS; i++) {
		if (interposer->ring[i] && interposer->ring[i]->wire[wire->role] == wire) {
			wire->vring = i;
			return;
		}
	}
}

/* Let a vring be without a wire for @role. */
static void interposer_detach(struct vhu_interposer *interposer, struct vhu_interposer_vring *ring,
			      enum vhu_vring_role role)
{
	struct vhu_eventfd_relay *wire = ring ? ring->wire[role] : NULL;

	if (!wire)
		return;
	ring->wire[role] = NULL;
	wire->users--;
	interposer_attribute(interposer, wire);
	wire->retired = interposer->replies->asked;
	if (!wire->users && role == VHU_KICK)
		interposer_cut(interposer, wire, false);
}

/* End the wires that the back-end cannot use any more: it has answered a request that came after
 * their replacements. */
static void interposer_reap(struct vhu_interposer *interposer)
{
	struct vhu_eventfd_relay *wire = interposer->wire, *next;

	for (; wire; wire = next) {
		next = wire->next;
		if (!wire->users && wire->retired < interposer->replies->answered)
			interposer_cut(interposer, wire, true);
	}
}

/* Find the wire for an eventfd that was brought before. Returns it or NULL. */
static struct vhu_eventfd_relay *interposer_find(const struct vhu_interposer *interposer,
						 enum vhu_vring_role role, uint32_t id,
						 uint32_t vring)
{
	struct vhu_eventfd_relay *wire = interposer->wire;

	while (wire && (wire->role != role || wire->id != id || wire->broken ||
			(role != VHU_KICK && wire->vring != vring)))
		wire = wire->next;
	return wire;
}

/*
 * Make a wire for an eventfd.
 * Returns 0 and *@made, which passes signals from now on; -errno.
 */
static int interposer_wire(struct vhu_interposer *interposer, enum vhu_vring_role role, int fd,
			   const struct vhu_fd_info *info, struct vhu_eventfd_relay **made)
{
	struct vhu_eventfd_relay *wire;
	int error;

	if (interposer->wires == VHU_INTERPOSER_RELAYS_MAX)
		return -ENOSPC;
	error = vhu_eventfd_relay_new(&wire, &interposer->session->proxy->loop, role, fd, info);
	if (error)
		return error;
	wire->owner = &relay_owner;
	wire->context = interposer;
	wire->next = interposer->wire;
	interposer->wire = wire;
	interposer->wires++;
	error = vhu_eventfd_relay_start(wire);
	if (error)
		interposer_cut(interposer, wire, false);
	*made = wire;
	return error;
}

/* Say, once, why what a vring was brought passes untouched. */
static void interposer_untouched(struct vhu_interposer *interposer,
				 struct vhu_interposer_vring *ring, enum vhu_vring_role role,
				 const char *why)
{
	if (!ring->told[role])
		vhu_proxy_session_say(interposer->session,
				      "vring %" PRIu32 ": its %s is not interposed: %s",
				      ring->vring, vhu_vring_role_name(role), why);
	ring->told[role] = true;
}

/*
 * See what a message brings for a vring.
 * @vring: gets the vring's number.
 * Returns which of the vring's eventfds; VHU_VRING_ROLES if it brings none, or none that is to be
 * interposed.
 */
static enum vhu_vring_role interposer_brings(const struct vhu_interposer *interposer,
					     const struct vhu_relay *relay, uint32_t *vring)
{
	enum vhu_vring_role role = relay->size && relay->got == relay->size
				       ? vhu_message_brings(VHU_FRONT_END, relay->header.request)
				       : VHU_VRING_ROLES;
	struct vhu_payload payload = {relay->buffer + VHU_HEADER_SIZE, relay->header.size,
				      relay->header.size, vhu_host_is_big_endian()};
	uint64_t index;

	if (role == VHU_VRING_ROLES ||
	    relay->header.size != vhu_layouts[VHU_LAYOUT_vring_fd].size ||
	    !vhu_field_read(&payload, VHU_FIELD_vring_fd_index, 0, &index))
		return VHU_VRING_ROLES;
	*vring = (uint32_t)index;
	return interposer->notify->role[role] && interposer->notify->vring[index] ? role
										  : VHU_VRING_ROLES;
}

/* Return whether the descriptor of a message that brings one is to be replaced. */
static bool interposer_replaces(const struct vhu_relay *relay)
{
	const struct vhu_fd_info *info = relay->record.fd;

	return relay->fds - relay->added == 1 && relay->described && info->kind == VHU_FD_EVENTFD &&
	       info->has & VHU_FD_HAS_EVENTFD;
}

/*
 * Find the wire for what a message brings, or make one.
 * @instead: gets a descriptor of the back-end's end of it.
 * Returns 0 or -errno.
 */
static int interposer_connect(struct vhu_interposer *interposer, const struct vhu_relay *relay,
			      enum vhu_vring_role role, uint32_t vring,
			      struct vhu_eventfd_relay **wire, int *instead)
{
	const struct vhu_fd_info *info = relay->record.fd;
	int error = 0;

	*wire = interposer_find(interposer, role, info->eventfd_id, vring);
	if (!*wire)
		error = interposer_wire(interposer, role, relay->fd[0], info, wire);
	if (error)
		return error;
	*instead = fcntl((*wire)->inner, F_DUPFD_CLOEXEC, 0);
	if (*instead >= 0)
		return 0;
	error = -errno;
	if (!(*wire)->users)
		interposer_cut(interposer, *wire, false);
	return error;
}

/* Count and pass on the kicks that were there before the wire was. */
static void interposer_begin(struct vhu_eventfd_relay *wire)
{
	const uint64_t count = wire->brought;

	wire->brought = 0;
	if (count)
		vhu_interposer_taken(wire, count);
}

int vhu_interposer_replace(struct vhu_interposer *interposer, struct vhu_relay *relay)
{
	uint32_t vring;
	enum vhu_vring_role role = interposer_brings(interposer, relay, &vring);
	struct vhu_interposer_vring *ring =
	    role < VHU_VRING_ROLES ? interposer_ring(interposer, vring) : NULL;
	struct vhu_eventfd_relay *wire;
	int error, instead;

	if (!ring)
		return -1;
	if (!interposer_replaces(relay)) {
		interposer_untouched(interposer, ring, role, "it is no eventfd");
		return -1;
	}
	error = interposer_connect(interposer, relay, role, vring, &wire, &instead);
	if (error) {
		interposer_untouched(interposer, ring, role, strerror(-error));
		return -1;
	}
	if (ring->wire[role] != wire) {
		wire->users++;
		interposer_detach(interposer, ring, role);
		ring->wire[role] = wire;
		interposer_attribute(interposer, wire);
	}
	/* Front-ends kick vrings that they start, with or without buffers. */
	if (role == VHU_KICK)
		vhu_turns_begin(&ring->turns);
	interposer_begin(wire);
	interposer->replaced = true;
	/* The relay may describe it once more, where faults have the message pass again. */
	if (interposer->spare >= 0)
		close(interposer->spare);
	interposer->spare = relay->fd[0];
	return instead;
}

/* The back-end answers a request: with some it has stopped a vring. */
static void interposer_answered(struct vhu_interposer *interposer, const struct vhu_relay *relay)
{
	struct vhu_payload payload = {relay->buffer + VHU_HEADER_SIZE, relay->header.size,
				      relay->header.size, vhu_host_is_big_endian()};
	const uint32_t request = relay->header.request;
	uint64_t vring;

	if (vhu_message_stops(VHU_FRONT_END, request) && relay->got == relay->size &&
	    relay->size <= VHU_RELAY_KEEP &&
	    vhu_field_read(&payload, VHU_FIELD_vring_base_split_index, 0, &vring) &&
	    vring < VHU_EVENTFD_VRINGS)
		interposer_detach(interposer, interposer->ring[vring], VHU_KICK);
}

void vhu_interposer_fetch(struct vhu_interposer *interposer)
{
	for (struct vhu_eventfd_relay *wire = interposer->wire; wire; wire = wire->next) {
		if (wire->role != VHU_KICK)
			vhu_eventfd_relay_pump(wire);
	}
}

void vhu_interposer_received(struct vhu_interposer *interposer, struct vhu_relay *relay,
			     bool from_back_end)
{
	uint32_t vring;

	if (from_back_end) {
		vhu_interposer_fetch(interposer);
		if (relay->size && relay->header.flags & VHU_FLAG_REPLY)
			interposer_answered(interposer, relay);
	} else if (interposer_brings(interposer, relay, &vring) < VHU_VRING_ROLES &&
		   interposer_replaces(relay)) {
		relay->record.marks |= VHU_MARK_ALTERED;
		if (!relay->record.text)
			relay->record.text = VHU_RECORD_INTERPOSED;
	}
}

void vhu_interposer_passed(struct vhu_interposer *interposer, const struct vhu_relay *relay,
			   bool from_back_end)
{
	enum vhu_vring_role role;
	uint32_t vring;

	if (!relay->size)
		return;
	if (from_back_end) {
		interposer_reap(interposer);
		return;
	}
	role = interposer_brings(interposer, relay, &vring);
	if (role < VHU_VRING_ROLES && !interposer->replaced)
		interposer_detach(interposer, interposer->ring[vring], role);
	interposer->replaced = false;
}

void vhu_interposer_flush(struct vhu_interposer *interposer)
{
	for (struct vhu_eventfd_relay *wire = interposer->wire; wire; wire = wire->next)
		vhu_eventfd_relay_flush(wire);
}

unsigned vhu_interposer_fds(const struct vhu_interposer *interposer)
{
	return 2 * interposer->wires + (interposer->spare >= 0);
}

void vhu_interposer_free(struct vhu_interposer *interposer, bool deliver)
{
	if (!interposer)
		return;
	interposer->context = NULL;
	while (interposer->wire)
		interposer_cut(interposer, interposer->wire, deliver);
	for (unsigned i = 0; i < VHU_EVENTFD_VRINGS; i++) {
		struct vhu_interposer_vring *ring = interposer->ring[i];
		char text[512];

		if (!ring)
			continue;
		if (!interposer->notify->quiet &&
		    vhu_interposer_vring_text(ring, text, sizeof(text)))
			vhu_proxy_session_say(interposer->session, "%s", text);
		vhu_histogram_free(&ring->kick_to_call);
		free(ring);
	}
	if (interposer->spare >= 0)
		close(interposer->spare);
	free(interposer);
}
