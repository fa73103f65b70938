/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu attach is asked to watch: found among the sockets of the host, again and again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/util/utf8.h"
#include "lib/util/util.h"
#include "tools/attach/run.h"

/* Return whether a process is one that is asked for. */
static bool is_given(const struct vhu_attach_run *run, uint32_t pid)
{
	return vhu_attach_processes_have(&run->processes, pid);
}

/* Look at what the processes that are asked for send from now on. The kernel stops when one ends.
 */
static void watch_processes(struct vhu_attach_run *run)
{
	const struct vhu_attach_processes *processes = &run->processes;

	for (unsigned i = 0; i < processes->count; i++)
		vhu_attach_process(run->attach, processes->process[i].pid, true);
}

bool vhu_attach_targets_ended(struct vhu_attach_run *run)
{
	uint32_t pid;

	while ((pid = vhu_attach_processes_take_ended(&run->processes))) {
		/* One that had ended before the kernel was asked to look at it. */
		vhu_attach_process(run->attach, pid, false);
		if (!run->request->quiet)
			fprintf(stderr, "vhu attach: pid %u has ended\n", pid);
	}
	return run->request->pids && !run->request->sockets && !run->processes.count;
}

/* Somebody listens at a path that is asked for. */
static void take_place(struct vhu_attach_run *run, unsigned at,
		       const struct vhu_attach_listed *socket)
{
	struct vhu_attach_place *place = &run->place[at];
	char name[sizeof(socket->comm) + 1];

	snprintf(name, sizeof(name), "%.*s", (int)sizeof(socket->comm), socket->comm);
	if (place->listener != socket->inode && run->started && !run->request->quiet)
		fprintf(stderr, "vhu attach: %s: %s (pid %u) listens there now: watched\n",
			run->request->socket[at], vhu_utf8_printable(name, name, sizeof(name)),
			socket->pid);
	place->name = socket->address;
	place->listener = socket->inode;
}

/* Return whether a listening socket is one whose sessions are asked for. */
static bool is_wanted_listener(struct vhu_attach_run *run, const struct vhu_attach_listed *socket)
{
	for (unsigned i = 0; i < run->request->sockets; i++) {
		if (vhu_attach_is_at(socket, run->request->socket[i])) {
			take_place(run, i, socket);
			return true;
		}
	}
	return is_given(run, socket->pid);
}

/* Return the name with an address under which sessions to come are watched; NULL without. */
static struct vhu_attach_name *find_name(struct vhu_attach_run *run, uint64_t address)
{
	for (unsigned i = 0; i < run->names; i++)
		if (run->name[i].socket.address == address)
			return &run->name[i];
	return NULL;
}

/* Return whether two sockets have one name; of two that stand at one address after each other the
 * file or the name differ. */
static bool have_one_name(const struct vhu_attach_listed *one,
			  const struct vhu_attach_listed *other)
{
	return one->address == other->address && one->file_inode == other->file_inode &&
	       one->file_device == other->file_device && one->path_size == other->path_size &&
	       !memcmp(one->path, other->path, one->path_size);
}

/* Return whether a connection is with a listening socket that is watched. */
static bool is_of_listener(struct vhu_attach_run *run, const struct vhu_attach_listing *listing,
			   const struct vhu_attach_listed *socket)
{
	const struct vhu_attach_name *own = find_name(run, socket->address);
	const struct vhu_attach_name *others = find_name(run, socket->peer_address);
	const struct vhu_attach_listed *peer = vhu_attach_socket(listing, socket->peer);

	/* An accepted socket has its listener's name, and one that waits its peer. */
	return (own && have_one_name(&own->socket, socket)) ||
	       (others && (!peer || have_one_name(&others->socket, peer)));
}

/* Watch the sessions to come of the listening sockets that are asked for. */
static void watch_listeners(struct vhu_attach_run *run, const struct vhu_attach_listing *listing)
{
	const struct vhu_attach_listed *socket;
	unsigned at = 0;

	run->names_new = false;
	for (unsigned i = 0; i < run->names; i++)
		run->name[i].listens = false;
	while ((socket = vhu_attach_next_listener(listing, &at))) {
		struct vhu_attach_name *name = find_name(run, socket->address);

		if (!socket->address || (!name && run->names == VHU_ATTACH_NAMES_MAX) ||
		    !is_wanted_listener(run, socket))
			continue;
		if (!name)
			name = &run->name[run->names++];
		if (name->socket.inode != socket->inode || !have_one_name(&name->socket, socket)) {
			name->socket = *socket;
			vhu_attach_listener(run->attach, socket, VHU_ATTACH_LISTENED);
			run->names_new = true;
		}
		name->listens = true;
	}
}

/* Every existing connection is watched now: see each new one from its first byte, and drop names
 * that no socket listens on any more, since the kernel may have given their addresses to others. */
static void settle_listeners(struct vhu_attach_run *run)
{
	unsigned left = 0;

	for (unsigned i = 0; i < run->names; i++) {
		const struct vhu_attach_name *name = &run->name[i];

		if (name->listens) {
			if (run->names_new)
				vhu_attach_listener(run->attach, &name->socket, VHU_ATTACH_LISTENS);
			run->name[left++] = *name;
			continue;
		}
		vhu_attach_leave(run->attach, name->socket.address);
		for (unsigned j = 0; j < run->request->sockets; j++)
			if (run->place[j].name == name->socket.address)
				run->place[j].name = 0;
	}
	/* So a name that comes at a place where one was is new. */
	memset(run->name + left, 0, (run->names - left) * sizeof(*run->name));
	run->names = left;
}

/* Return whether a connection is one that is asked for; what it is said by is the traffic. */
static bool is_wanted(struct vhu_attach_run *run, const struct vhu_attach_listing *listing,
		      const struct vhu_attach_listed *socket)
{
	const struct vhu_attach_listed *peer;

	if (run->request->sockets && !is_given(run, socket->pid) &&
	    is_of_listener(run, listing, socket))
		return true;
	for (unsigned i = 0; i < run->request->sockets; i++)
		if (socket->file_inode && vhu_attach_is_at(socket, run->request->socket[i]))
			return true;
	if (!run->request->all && !is_given(run, socket->pid))
		return false;
	peer = vhu_attach_socket(listing, socket->peer);
	return peer && peer->pid != socket->pid &&
	       vhu_attach_share(listing, socket->pid, peer->pid);
}

/* Fill in how much waits to be taken of what each end had sent. */
static void fill_queued(struct vhu_attach_run *run, struct vhu_attach_found *found)
{
	struct vhu_attach_state *state;
	int count = vhu_attach_states(run->attach, &state);

	for (int i = 0; i < count; i++)
		if ((state[i].socket & ~UINT64_C(1)) == found->id)
			found->queued[!(state[i].socket & 1)] = state[i].queued;
	/* Buffers that were sent since the watch began have events of their own. */
	for (int i = 0; i < count; i++) {
		unsigned *queued = &found->queued[state[i].socket & 1];

		if ((state[i].socket & ~UINT64_C(1)) == found->id)
			*queued -= state[i].sent < *queued ? state[i].sent : *queued;
	}
	free(count < 0 ? NULL : state);
}

/* Watch a connection that is there. Returns whether it was not watched before. */
static bool watch_connection(struct vhu_attach_run *run, const struct vhu_attach_listing *listing,
			     const struct vhu_attach_listed *socket)
{
	struct vhu_attach_found found = {.inner = !socket->address && !socket->peer_address};
	uint64_t id;

	if (vhu_attach_watch(run->attach, socket, &id))
		return false;
	found.id = id & ~UINT64_C(1);
	found.end[id & 1].address = socket->socket;
	found.end[!(id & 1)].address = socket->peer;
	/* With its name watched, the first message would have made the kernel watch it: none came
	 * yet. */
	found.fresh = !run->names_new && is_of_listener(run, listing, socket);
	vhu_attach_fill_in(listing, found.id, 0, found.end);
	for (unsigned i = 0; i < 2; i++)
		if (found.end[i].known)
			vhu_attach_user(run->attach, found.end[i].who.pid);
	fill_queued(run, &found);
	return !vhu_attach_sessions_found(run->sessions, &found);
}

int vhu_attach_targets_find(struct vhu_attach_run *run)
{
	const struct vhu_attach_listed *socket;
	struct vhu_attach_listing listing;
	int error, found = 0;
	unsigned at = 0;

	if (!run->started)
		watch_processes(run);
	error = vhu_attach_listing_read(run->attach, &listing);
	if (error)
		return error;
	/* What the list has of these processes may be another's. */
	vhu_attach_targets_ended(run);
	watch_listeners(run, &listing);
	/* Somebody may have connected before it was watched that somebody listens there. */
	if (run->names_new) {
		vhu_attach_listing_free(&listing);
		error = vhu_attach_listing_read(run->attach, &listing);
		if (error)
			return error;
		vhu_attach_targets_ended(run);
	}
	while ((socket = vhu_attach_next_connected(&listing, &at)))
		if (is_wanted(run, &listing, socket))
			found += watch_connection(run, &listing, socket);
	settle_listeners(run);
	vhu_attach_listing_free(&listing);
	return found;
}

bool vhu_attach_targets_changed(struct vhu_attach_run *run)
{
	const uint64_t now_ns = vhu_now_ns();
	bool changed = false;
	struct stat st;

	for (unsigned i = 0; i < run->request->sockets; i++) {
		struct vhu_attach_place *place = &run->place[i];
		bool there = !stat(run->request->socket[i], &st);
		uint64_t inode = there ? st.st_ino : 0;
		uint64_t made_ns = there ? (uint64_t)st.st_ctim.tv_sec * VHU_NS_PER_S +
					       (uint64_t)st.st_ctim.tv_nsec
					 : 0;

		if (inode != place->inode || made_ns != place->made_ns) {
			place->inode = inode;
			place->made_ns = made_ns;
			place->changed_ns = now_ns;
			changed = true;
		}
		/* It is made before anybody listens there. */
		changed |= inode && !place->name && now_ns - place->changed_ns < VHU_NS_PER_S;
	}
	return changed;
}
