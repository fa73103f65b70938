/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifiers: a session's eventfds; notifier.h has their theory of operation. */
#include "proxy/notifier.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/protocol/walk.h"
#include "proxy/session.h"

static const char *const role_name[VHU_WIRES_STOP] = {
    [VHU_WIRES_KICK] = "kick", [VHU_WIRES_CALL] = "call", [VHU_WIRES_ERR] = "err"};

/* Return the link of the main socket, NULL when that has ended. */
static struct vhu_link *notifiers_main(const struct vhu_notifiers *notifiers)
{
	struct vhu_link *link = notifiers->session->links;

	while (link && link->channel != VHU_FRONT_END)
		link = link->next;
	return link;
}

/* Return whether messages that were sent before what @wire holds have yet to pass. Only kicks wait
 * for them: what the back-end sends before a call the front-end takes as it likes. */
static bool notifiers_behind(const struct vhu_wire *wire)
{
	const struct vhu_link *link;

	if (wire->role != VHU_WIRES_KICK)
		return false;
	link = notifiers_main(wire->context);
	return link && vhu_link_behind(link, VHU_FRONT);
}

/* A wire passes nothing more. Nobody fills an eventfd but to hold us up, and each time costs all
 * sessions some time: that ends the session. */
static void notifiers_broke(struct vhu_wire *wire, int error)
{
	const struct vhu_notifiers *notifiers = wire->context;
	struct vhu_link *link = notifiers_main(notifiers);
	bool filled = error == -EBUSY;
	char text[128];

	snprintf(text, sizeof(text), "vring %" PRIu32 ": its %s passes no more: %s", wire->vring,
		 role_name[wire->role], filled ? "a peer has filled it" : strerror(-error));
	vhu_proxy_session_error(notifiers->session, VHU_FRONT_END, "%s", text);
	vhu_proxy_session_say(notifiers->session, "%s%s", filled ? "closed: " : "", text);
	if (filled && link)
		vhu_link_sever(link, text);
}

static const struct vhu_wire_owner owner = {
    .taken = vhu_notifiers_taken,
    .behind = notifiers_behind,
    .broke = notifiers_broke,
};

struct vhu_notifiers *vhu_notifiers_new(struct vhu_proxy_session *session)
{
	const struct vhu_notify *notify = session->proxy->notify;
	struct vhu_notifiers *notifiers;

	if (!notify || (notify->session && notify->session != session->number))
		return NULL;
	notifiers = calloc(1, sizeof(*notifiers));
	if (!notifiers) {
		vhu_proxy_session_say(session, "no memory to interpose eventfds");
		return NULL;
	}
	notifiers->session = session;
	notifiers->notify = notify;
	notifiers->spare = -1;
	return notifiers;
}

/* Return vring @number, which is made where there is none yet; NULL out of memory. */
static struct vhu_notifier_ring *notifiers_ring(struct vhu_notifiers *notifiers, uint32_t number)
{
	struct vhu_notifier_ring **ring = &notifiers->ring[number];

	if (!*ring) {
		*ring = calloc(1, sizeof(**ring));
		if (*ring)
			(*ring)->vring = number;
	}
	return *ring;
}

/* Take @wire out of the list and end it. */
static void notifiers_cut(struct vhu_notifiers *notifiers, struct vhu_wire *wire, bool deliver)
{
	struct vhu_wire **at = &notifiers->wire;

	while (*at != wire)
		at = &(*at)->next;
	*at = wire->next;
	notifiers->wires--;
	vhu_wire_free(wire, deliver);
}

/* Find out for which vring the signals on @wire are counted. */
static void notifiers_attribute(const struct vhu_notifiers *notifiers, struct vhu_wire *wire)
{
	for (unsigned i = 0; i < VHU_NOTIFY_VRINGS; i++) {
		if (notifiers->ring[i] && notifiers->ring[i]->wire[wire->role] == wire) {
			wire->vring = i;
			return;
		}
	}
}

/* Let a vring be without a wire for @role. */
static void notifiers_detach(struct vhu_notifiers *notifiers, struct vhu_notifier_ring *ring,
			     enum vhu_wires role)
{
	struct vhu_wire *wire = ring ? ring->wire[role] : NULL;

	if (!wire)
		return;
	ring->wire[role] = NULL;
	wire->users--;
	notifiers_attribute(notifiers, wire);
	wire->retired = notifiers->asked;
	if (!wire->users && role == VHU_WIRES_KICK)
		notifiers_cut(notifiers, wire, false);
}

/* End the wires that the back-end cannot use any more: it has answered what was asked of it after
 * it was told of others. */
static void notifiers_reap(struct vhu_notifiers *notifiers)
{
	struct vhu_wire *wire = notifiers->wire, *next;

	for (; wire; wire = next) {
		next = wire->next;
		if (!wire->users && wire->retired < notifiers->answered)
			notifiers_cut(notifiers, wire, true);
	}
}

/* Find the wire for an eventfd that was brought before. Returns it or NULL. */
static struct vhu_wire *notifiers_find(const struct vhu_notifiers *notifiers, enum vhu_wires role,
				       uint32_t id, uint32_t vring)
{
	struct vhu_wire *wire = notifiers->wire;

	while (wire && (wire->role != role || wire->id != id || wire->broken ||
			(role != VHU_WIRES_KICK && wire->vring != vring)))
		wire = wire->next;
	return wire;
}

/*
 * Make a wire for an eventfd.
 * Returns 0 and *@made, which passes signals from now on; -errno.
 */
static int notifiers_wire(struct vhu_notifiers *notifiers, enum vhu_wires role, int fd,
			  const struct vhu_fd_info *info, struct vhu_wire **made)
{
	struct vhu_wire *wire;
	int error;

	if (notifiers->wires == VHU_NOTIFIER_WIRES_MAX)
		return -ENOSPC;
	error = vhu_wire_new(&wire, &notifiers->session->proxy->loop, role, fd, info);
	if (error)
		return error;
	wire->owner = &owner;
	wire->context = notifiers;
	wire->next = notifiers->wire;
	notifiers->wire = wire;
	notifiers->wires++;
	error = vhu_wire_start(wire);
	if (error)
		notifiers_cut(notifiers, wire, false);
	*made = wire;
	return error;
}

/* Say, once, why what a vring was brought passes untouched. */
static void notifiers_untouched(struct vhu_notifiers *notifiers, struct vhu_notifier_ring *ring,
				enum vhu_wires role, const char *why)
{
	if (!ring->told[role])
		vhu_proxy_session_say(notifiers->session,
				      "vring %" PRIu32 ": its %s is not interposed: %s",
				      ring->vring, role_name[role], why);
	ring->told[role] = true;
}

/*
 * See what a message brings for a vring.
 * @vring: gets the vring's number.
 * Returns its kind of eventfd; VHU_WIRES_NOTHING where it brings none, or none that is to be
 * interposed.
 */
static enum vhu_wires notifiers_brings(const struct vhu_notifiers *notifiers,
				       const struct vhu_relay *relay, uint32_t *vring)
{
	enum vhu_wires role = relay->size && relay->got == relay->size
				  ? vhu_message_wires(VHU_FRONT_END, relay->header.request)
				  : VHU_WIRES_NOTHING;
	struct vhu_payload payload = {relay->buffer + VHU_HEADER_SIZE, relay->header.size,
				      relay->header.size, vhu_host_is_big_endian()};
	uint64_t index;

	if (role == VHU_WIRES_NOTHING || role == VHU_WIRES_STOP ||
	    relay->header.size != vhu_layouts[VHU_LAYOUT_vring_fd].size ||
	    !vhu_field_read(&payload, VHU_FIELD_vring_fd_index, 0, &index))
		return VHU_WIRES_NOTHING;
	*vring = (uint32_t)index;
	return notifiers->notify->role[role] && notifiers->notify->vring[index] ? role
										: VHU_WIRES_NOTHING;
}

/* Return whether the descriptor of a message that brings one is to be replaced. */
static bool notifiers_replaces(const struct vhu_relay *relay)
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
static int notifiers_connect(struct vhu_notifiers *notifiers, const struct vhu_relay *relay,
			     enum vhu_wires role, uint32_t vring, struct vhu_wire **wire,
			     int *instead)
{
	const struct vhu_fd_info *info = relay->record.fd;
	int error = 0;

	*wire = notifiers_find(notifiers, role, info->eventfd_id, vring);
	if (!*wire)
		error = notifiers_wire(notifiers, role, relay->fd[0], info, wire);
	if (error)
		return error;
	*instead = fcntl((*wire)->inner, F_DUPFD_CLOEXEC, 0);
	if (*instead >= 0)
		return 0;
	error = -errno;
	if (!(*wire)->users)
		notifiers_cut(notifiers, *wire, false);
	return error;
}

int vhu_notifiers_replace(struct vhu_notifiers *notifiers, struct vhu_relay *relay)
{
	uint32_t vring;
	enum vhu_wires role = notifiers_brings(notifiers, relay, &vring);
	struct vhu_notifier_ring *ring = role ? notifiers_ring(notifiers, vring) : NULL;
	struct vhu_wire *wire;
	int error, instead;

	if (!ring)
		return -1;
	if (!notifiers_replaces(relay)) {
		notifiers_untouched(notifiers, ring, role, "it is no eventfd");
		return -1;
	}
	error = notifiers_connect(notifiers, relay, role, vring, &wire, &instead);
	if (error) {
		notifiers_untouched(notifiers, ring, role, strerror(-error));
		return -1;
	}
	if (ring->wire[role] != wire) {
		wire->users++;
		notifiers_detach(notifiers, ring, role);
		ring->wire[role] = wire;
		notifiers_attribute(notifiers, wire);
	}
	notifiers->replaced = true;
	/* The relay may describe it once more, where rules have the message pass again. */
	if (notifiers->spare >= 0)
		close(notifiers->spare);
	notifiers->spare = relay->fd[0];
	return instead;
}

/* The back-end answers a request. */
static void notifiers_answered(struct vhu_notifiers *notifiers, const struct vhu_relay *relay)
{
	struct vhu_payload payload = {relay->buffer + VHU_HEADER_SIZE, relay->header.size,
				      relay->header.size, vhu_host_is_big_endian()};
	const uint32_t request = relay->header.request;
	uint64_t vring;

	if (vhu_message_wires(VHU_FRONT_END, request) == VHU_WIRES_STOP &&
	    relay->got == relay->size && relay->size <= VHU_RELAY_KEEP &&
	    vhu_field_read(&payload, VHU_FIELD_vring_base_split_index, 0, &vring) &&
	    vring < VHU_NOTIFY_VRINGS)
		notifiers_detach(notifiers, notifiers->ring[vring], VHU_WIRES_KICK);
	if (vhu_message_is_answered(VHU_FRONT_END, request) &&
	    notifiers->answered < notifiers->asked) {
		notifiers->answered++;
		notifiers_reap(notifiers);
	}
}

void vhu_notifiers_fetch(struct vhu_notifiers *notifiers)
{
	for (struct vhu_wire *wire = notifiers->wire; wire; wire = wire->next) {
		if (wire->role != VHU_WIRES_KICK)
			vhu_wire_pump(wire);
	}
}

void vhu_notifiers_received(struct vhu_notifiers *notifiers, struct vhu_relay *relay,
			    bool from_back_end)
{
	uint32_t vring;

	if (from_back_end) {
		vhu_notifiers_fetch(notifiers);
		if (relay->size && relay->header.flags & VHU_FLAG_REPLY)
			notifiers_answered(notifiers, relay);
	} else if (notifiers_brings(notifiers, relay, &vring) && notifiers_replaces(relay)) {
		relay->record.marks |= VHU_MARK_ALTERED;
		if (!relay->record.text)
			relay->record.text = "another eventfd in its place";
	}
}

void vhu_notifiers_passed(struct vhu_notifiers *notifiers, const struct vhu_relay *relay,
			  bool from_back_end)
{
	enum vhu_wires role;
	uint32_t vring;

	if (from_back_end || !relay->size)
		return;
	if (vhu_message_is_answered(VHU_FRONT_END, relay->header.request))
		notifiers->asked++;
	role = notifiers_brings(notifiers, relay, &vring);
	if (role && !notifiers->replaced)
		notifiers_detach(notifiers, notifiers->ring[vring], role);
	notifiers->replaced = false;
}

void vhu_notifiers_flush(struct vhu_notifiers *notifiers)
{
	for (struct vhu_wire *wire = notifiers->wire; wire; wire = wire->next)
		vhu_wire_flush(wire);
}

unsigned vhu_notifiers_fds(const struct vhu_notifiers *notifiers)
{
	return 2 * notifiers->wires + (notifiers->spare >= 0);
}

void vhu_notifiers_free(struct vhu_notifiers *notifiers, bool deliver)
{
	if (!notifiers)
		return;
	while (notifiers->wire)
		notifiers_cut(notifiers, notifiers->wire, deliver);
	for (unsigned i = 0; i < VHU_NOTIFY_VRINGS; i++) {
		struct vhu_notifier_ring *ring = notifiers->ring[i];
		char text[512];

		if (!ring)
			continue;
		if (!notifiers->notify->quiet && vhu_notifier_ring_text(ring, text, sizeof(text)))
			vhu_proxy_session_say(notifiers->session, "%s", text);
		vhu_histogram_free(&ring->kick_to_call);
		free(ring);
	}
	if (notifiers->spare >= 0)
		close(notifiers->spare);
	free(notifiers);
}
