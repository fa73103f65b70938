/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of sockets, lists of sockets, and which of them are watched. */
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/attach/internal.h"
#include "bpf/load/iterator.h"
#include "lib/util/util.h"

int vhu_attach_fd(const struct vhu_attach *attach)
{
	return perf_buffer__epoll_fd(attach->events);
}

/* Have names looked at for so long after a listening socket is given: a connection to it may have
 * begun before, and not be in a list yet. */
#define NAMES_NS VHU_NS_PER_S

/* Have names looked at no more, if connections are seen when they are made. */
static void rest_names(struct vhu_attach *attach)
{
	if (!attach->sees_connecting || !attach->listener_ns ||
	    vhu_now_ns() - attach->listener_ns < NAMES_NS)
		return;
	attach->listener_ns = 0;
	__atomic_store_n(&attach->shared->listeners, 0, __ATOMIC_RELAXED);
}

int vhu_attach_events(struct vhu_attach *attach)
{
	rest_names(attach);
	return perf_buffer__consume(attach->events);
}

bool vhu_attach_wait(const struct vhu_attach *attach)
{
	(void)attach;
	/* It waits until every processor was where no program runs (RCU's grace period). */
	return !syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

uint64_t vhu_attach_lost(const struct vhu_attach *attach)
{
	return __atomic_load_n(&attach->shared->lost, __ATOMIC_RELAXED);
}

uint64_t vhu_attach_refused(const struct vhu_attach *attach)
{
	return __atomic_load_n(&attach->shared->refused, __ATOMIC_RELAXED);
}

int vhu_attach_list(struct vhu_attach *attach, struct vhu_attach_listed **list)
{
	void *bytes;
	int count = vhu_bpf_iterator_read(attach->files, &bytes, sizeof(**list));

	*list = bytes;
	return count;
}

int vhu_attach_states(struct vhu_attach *attach, struct vhu_attach_state **list)
{
	void *bytes;
	int count = vhu_bpf_iterator_read(attach->states, &bytes, sizeof(**list));

	*list = bytes;
	return count;
}

/* Have what is at an address, or a process, looked at. */
static void mark(const struct vhu_attach *attach, uint64_t what)
{
	__atomic_store_n(
	    &attach->shared->mark[vhu_attach_place((uint32_t)what, VHU_ATTACH_MARK_BITS)], 1,
	    __ATOMIC_RELAXED);
}

/* Take an entry of a watched socket out of the map, if it is that of the socket @id. Another socket
 * may come to the address at any time: its entry stays. Returns whether it was taken out. */
static bool take_out(const struct vhu_attach *attach, uint64_t id, uint64_t address)
{
	struct vhu_attach_watched value;

	if (bpf_map_lookup_elem(attach->watched, &address, &value) || value.id != id ||
	    bpf_map_lookup_and_delete_elem(attach->watched, &address, &value))
		return false;
	if (value.id == id)
		return true;
	bpf_map_update_elem(attach->watched, &address, &value, BPF_NOEXIST);
	return false;
}

/*
 * Watch one end of a connection. Returns 0; -EALREADY where it is watched; -EBUSY if another socket
 * is watched at the address; -errno.
 */
static int watch(const struct vhu_attach *attach, uint64_t address,
		 const struct vhu_attach_watched *value)
{
	struct vhu_attach_watched before;

	if (!bpf_map_update_elem(attach->watched, &address, value, BPF_NOEXIST))
		return 0;
	if (errno != EEXIST)
		return -errno;
	/* The programs may have adopted it. Another one may be gone, or may have come since the
	 * sockets were listed. Which is so only the programs know: they give it the address if it
	 * sends something, and one that is gone is forgotten soon. */
	if (bpf_map_lookup_elem(attach->watched, &address, &before))
		return -EBUSY;
	return before.id == value->id ? -EALREADY : -EBUSY;
}

int vhu_attach_watch(struct vhu_attach *attach, const struct vhu_attach_listed *socket,
		     uint64_t *id)
{
	const struct vhu_attach_watched own = {
	    .id = vhu_attach_id(socket->inode, socket->address, socket->peer_inode,
				socket->peer_address),
	    .inode = socket->inode,
	    .peer_inode = socket->peer_inode,
	    .begun = (uint32_t)vhu_now_ns() | 1,
	};
	const struct vhu_attach_watched peer = {
	    .id = own.id ^ 1,
	    .inode = own.peer_inode,
	    .peer_inode = own.inode,
	    .begun = own.begun,
	};
	int ret, peer_ret;

	if (!socket->peer)
		return -ENOTCONN;
	mark(attach, socket->socket);
	mark(attach, socket->peer);
	ret = watch(attach, socket->socket, &own);
	peer_ret = watch(attach, socket->peer, &peer);
	*id = own.id;
	return ret ? ret : peer_ret;
}

void vhu_attach_unwatch(struct vhu_attach *attach, uint64_t id, uint64_t address, bool ignore)
{
	struct vhu_attach_watched value;

	if (!ignore) {
		take_out(attach, id, address);
		return;
	}
	if (bpf_map_lookup_elem(attach->watched, &address, &value) || value.id != id)
		return;
	value.ignored = 1;
	bpf_map_update_elem(attach->watched, &address, &value, BPF_EXIST);
}

int vhu_attach_listener(struct vhu_attach *attach, const struct vhu_attach_listed *socket,
			enum vhu_attach_listening how)
{
	struct vhu_attach_listener value = {
	    .file_inode = socket->file_inode,
	    .file_device = socket->file_device,
	    .how = how,
	    .path_size = socket->path_size,
	};

	memcpy(value.start, socket->path,
	       socket->path_size < sizeof(value.start) ? socket->path_size : sizeof(value.start));
	mark(attach, socket->address);
	attach->listener_ns = vhu_now_ns();
	__atomic_store_n(&attach->shared->listeners, 1, __ATOMIC_RELAXED);
	return bpf_map_update_elem(attach->listeners, &socket->address, &value, BPF_ANY) ? -errno
											 : 0;
}

void vhu_attach_leave(struct vhu_attach *attach, uint64_t name)
{
	bpf_map_delete_elem(attach->listeners, &name);
}

int vhu_attach_process(struct vhu_attach *attach, uint32_t pid, bool look)
{
	const uint64_t one = 1;
	int ret = look ? bpf_map_update_elem(attach->processes, &pid, &one, BPF_ANY)
		       : bpf_map_delete_elem(attach->processes, &pid);

	if (look)
		mark(attach, pid);
	if (look)
		__atomic_store_n(&attach->shared->processes, 1, __ATOMIC_RELAXED);
	return ret ? -errno : 0;
}

int vhu_attach_user(struct vhu_attach *attach, uint32_t pid)
{
	const uint8_t one = 1;

	return bpf_map_update_elem(attach->users, &pid, &one, BPF_ANY) ? -errno : 0;
}
