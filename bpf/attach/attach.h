/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs of vhu attach, loaded: events of watched sockets out, which sockets to watch in.
 *
 * Ownership: all belongs to the programs and goes with vhu_attach_close, which detaches them. Not
 * for several threads.
 */
#ifndef VHU_BPF_ATTACH_ATTACH_H
#define VHU_BPF_ATTACH_ATTACH_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/attach/events.h"
#include "bpf/load/diagnose.h"

struct vhu_attach;

/* Return the number of a set of hooks, for vhu_attach_choice; -ENOENT. */
int vhu_attach_hooks_by_name(const char *name);

struct vhu_attach_choice {
	int hooks; /* a set of hooks, -1: the best that there is */
	struct vhu_attach_config config;
	/*
	 * See an event, which lasts as long as the call.
	 * @bytes: what follows it, event->copied bytes; of VHU_ATTACH_FD a struct vhu_attach_file.
	 * Neither is aligned but by 4 bytes: copy the file before its members are read.
	 */
	void (*see)(void *with, const struct vhu_attach_event *event, const uint8_t *bytes);
	void *with;
};

/*
 * Load and attach the programs.
 * @error: VHU_BPF_ERROR_SIZE bytes, gets what is missing, one line.
 * Returns 0 and *@attach; -errno.
 */
int vhu_attach_open(struct vhu_attach **attach, const struct vhu_attach_choice *choice,
		    char *error);
void vhu_attach_close(struct vhu_attach *attach);

/* Return the name of the set of hooks in use. */
const char *vhu_attach_hooks(const struct vhu_attach *attach);
/* Return whether what is sent is seen when it is sent, not only when it is taken. */
bool vhu_attach_sees_sending(const struct vhu_attach *attach);

/* Return a descriptor that is readable while there are events. */
int vhu_attach_fd(const struct vhu_attach *attach);
/* Pass on all events that there are. Events of one processor come in order. Returns 0 or -errno. */
int vhu_attach_events(struct vhu_attach *attach);
/*
 * Wait until all events up to now can be taken by vhu_attach_events: a program that has begun may
 * take its time on a busy machine.
 * Returns whether they can; false: this kernel cannot tell.
 */
bool vhu_attach_wait(const struct vhu_attach *attach);
/* Return how many events were lost because the reader was too slow. */
uint64_t vhu_attach_lost(const struct vhu_attach *attach);
/* Return how many sockets could not be watched because there are too many. */
uint64_t vhu_attach_refused(const struct vhu_attach *attach);

/*
 * List the local stream sockets of all processes, and what processes can share.
 * Returns how many entries *@list has, which the caller frees; -errno.
 */
int vhu_attach_list(struct vhu_attach *attach, struct vhu_attach_listed **list);
/* List how all watched sockets stand. Returns as vhu_attach_list does. */
int vhu_attach_states(struct vhu_attach *attach, struct vhu_attach_state **list);

/* Watch the connection that a listed socket is an end of. Returns 0, and in *@id the socket's id;
 * -EALREADY where it is watched; -EBUSY if another one is watched at its address, which may be gone
 * soon; -errno. */
int vhu_attach_watch(struct vhu_attach *attach, const struct vhu_attach_listed *socket,
		     uint64_t *id);
/* Watch the socket @id no more, unless another one is at its address by now.
 * @ignore: copy nothing of it from now on, else forget it. */
void vhu_attach_unwatch(struct vhu_attach *attach, uint64_t id, uint64_t address, bool ignore);
/* Watch each connection to a listed socket that listens. */
int vhu_attach_listener(struct vhu_attach *attach, const struct vhu_attach_listed *socket,
			enum vhu_attach_listening how);
/* Watch them no more. */
void vhu_attach_leave(struct vhu_attach *attach, uint64_t name);
/* Look at what a process sends on new connections, and watch those that look like vhost-user. */
int vhu_attach_process(struct vhu_attach *attach, uint32_t pid, bool look);

/* Have an event when a process ends, which has an end of a watched socket. */
int vhu_attach_user(struct vhu_attach *attach, uint32_t pid);

#endif
