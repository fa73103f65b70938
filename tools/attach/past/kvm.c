/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kicks of sessions that began before the watch, as KVM lists them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/vm/vm.h"
#include "lib/util/util.h"
#include "tools/attach/past/past.h"
#include "tools/attach/past/reconstruct.h"

/* A process and what all have open. */
struct vhu_attach_opener {
	const struct vhu_attach_listing *listing;
	uint32_t pid;
};

/* Return whether the process has an eventfd of this id. */
static bool has(const void *with, uint32_t id)
{
	const struct vhu_attach_opener *opener = with;

	for (unsigned i = 0; i < opener->listing->count; i++)
		if (opener->listing->entry[i].kind == VHU_ATTACH_EVENTFD &&
		    opener->listing->entry[i].pid == opener->pid &&
		    opener->listing->entry[i].inode == id)
			return true;
	return false;
}

/* Record the kicks of a session. @front: its front-end's socket. @back: its back-end. @signal:
 * @signals entries. Returns 0 or -errno. */
static int reconstruct(struct vhu_attach_run *run, const struct vhu_attach_listing *listing,
		       const struct vhu_attach_listed *front, uint32_t back,
		       struct vhu_vm_signal *signal, unsigned signals)
{
	const struct vhu_attach_opener opener = {listing, back};
	const struct vhu_vm_device any = {.vmm = front->pid};
	struct vhu_past_messages past = {0};
	struct vhu_vm_kick *kick;
	int kicks = vhu_vm_kicks(signal, signals, &any, has, &opener, &kick);
	int error = kicks < 0 ? kicks : 0;

	for (int i = 0; i < kicks && !error; i++)
		error = vhu_past_add_kick(&past, kick[i].vring, kick[i].eventfd_id);
	if (!error && kicks > 0)
		error = vhu_past_put(run, front->socket, &past);
	free(kick);
	vhu_past_free(&past);
	return error;
}

/* Return whether a process has a virtual machine. */
static bool has_vm(const struct vhu_attach_listing *listing, uint32_t pid)
{
	for (unsigned i = 0; i < listing->count; i++)
		if (listing->entry[i].kind == VHU_ATTACH_VM && listing->entry[i].pid == pid)
			return true;
	return false;
}

/* Return the next socket of a VMM whose session with another process is watched, and their only
 * one: of several it does not show which is whose. @back: gets the other process. */
static const struct vhu_attach_listed *next_session(const struct vhu_attach_run *run,
						    const struct vhu_attach_listing *listing,
						    unsigned *at, uint32_t *back)
{
	const struct vhu_attach_listed *socket;
	bool several;

	while ((socket = vhu_attach_next_connected(listing, at))) {
		const struct vhu_attach_listed *peer = vhu_attach_socket(listing, socket->peer);

		if (!peer || !vhu_attach_sessions_know(run->sessions, socket->socket) ||
		    !has_vm(listing, socket->pid) ||
		    vhu_past_session(run, listing, socket->pid, peer->pid, &several) != socket)
			continue;
		*back = peer->pid;
		return socket;
	}
	return NULL;
}

void vhu_attach_ask_kvm(struct vhu_attach_run *run)
{
	const struct vhu_attach_listed *socket;
	struct vhu_vm_signal *signal = NULL;
	struct vhu_attach_listing listing;
	char error[VHU_BPF_ERROR_SIZE];
	bool asked = false;
	int signals = 1;
	unsigned at = 0;
	uint32_t back;

	if (vhu_attach_listing_read(run->attach, &listing))
		return;
	while (signals > 0 && (socket = next_session(run, &listing, &at, &back))) {
		if (!asked)
			signals = vhu_vm_list(0, &signal, error);
		asked = true;
		if (signals > 0)
			reconstruct(run, &listing, socket, back, signal, (unsigned)signals);
	}
	if (signals < 0)
		vhu_fail(run->command, "which eventfds are kicks is not known: %s", error);
	free(signal);
	vhu_attach_listing_free(&listing);
}
