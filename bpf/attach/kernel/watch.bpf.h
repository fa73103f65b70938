/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sockets are watched: found by their addresses, adopted by what they belong to. */
#ifndef VHU_BPF_ATTACH_WATCH_BPF_H
#define VHU_BPF_ATTACH_WATCH_BPF_H

#include "bpf/attach/kernel/maps.bpf.h"

/* Return the other end of a local socket's connection; NULL without one. */
static __always_inline struct sock *peer_of(const struct sock *socket)
{
	return BPF_CORE_READ((const struct unix_sock *)socket, peer);
}

/* Return whether a socket is a local stream socket. */
static __always_inline bool is_local_stream(const struct sock *socket)
{
	return BPF_CORE_READ(socket, __sk_common.skc_family) == AF_UNIX &&
	       BPF_CORE_READ(socket, sk_type) == SOCK_STREAM;
}

/* The same of one that the kernel itself passes to a program: it is read without a helper, which
 * counts, for each message of the host comes here. */
static __always_inline bool is_passed_local_stream(const struct sock *socket)
{
	return socket->__sk_common.skc_family == AF_UNIX && socket->sk_type == SOCK_STREAM;
}

/* Return the inode of a socket; 0: nobody has it open. */
static __always_inline __u64 inode_of(const struct sock *socket)
{
	return BPF_CORE_READ(socket, sk_socket, file, f_inode, i_ino);
}

/* Watch one end of a connection, unless another processor was quicker. */
static __always_inline void watch(const struct sock *socket, const struct sock *peer, __u64 id,
				  __u64 parent, bool guessed)
{
	struct vhu_attach_watched value = {
	    .id = id,
	    .parent = parent,
	    .inode = inode_of(socket),
	    .peer_inode = inode_of(peer),
	    .guessed = guessed,
	    .begun = (__u32)bpf_ktime_get_ns() | 1,
	};
	struct vhu_attach_watched *before;
	__u64 key = (__u64)socket;

	if (!bpf_map_update_elem(&watched, &key, &value, BPF_NOEXIST))
		return;
	before = bpf_map_lookup_elem(&watched, &key);
	if (before && before->id == id)
		return;
	/* One that was at this address is gone. */
	if (bpf_map_update_elem(&watched, &key, &value, BPF_ANY))
		__sync_fetch_and_add(&shared.refused, 1);
}

/* Return whether a socket has a name. */
static __always_inline bool is_named(const struct sock *socket)
{
	return BPF_CORE_READ((const struct unix_sock *)socket, addr);
}

/* Watch both ends of a connection. Returns the id of @socket. */
static __always_inline __u64 adopt(const struct sock *socket, const struct sock *peer, __u64 parent,
				   bool guessed)
{
	__u64 id =
	    vhu_attach_id(inode_of(socket), is_named(socket), inode_of(peer), is_named(peer));

	watch(socket, peer, id, parent, guessed);
	watch(peer, socket, id ^ 1, parent, guessed);
	return id;
}

/* Return whether two inodes can be the same; 0 is not known. */
static __always_inline bool is_same(__u64 inode, __u64 known)
{
	return !inode || !known || inode == known;
}

/*
 * Return what is known of a watched socket; NULL where it is not watched. The address of one that
 * is gone may be another's, which is told by the inodes of both ends.
 * @peer: the other end, NULL not known.
 */
static __always_inline struct vhu_attach_watched *find(const struct sock *socket,
						       const struct sock *peer)
{
	__u64 key = (__u64)socket;
	struct vhu_attach_watched *value = bpf_map_lookup_elem(&watched, &key);
	__u64 inode, peer_inode;

	if (!value)
		return 0;
	inode = inode_of(socket);
	peer_inode = peer ? inode_of(peer) : 0;
	if (!is_same(inode, value->inode) || !is_same(peer_inode, value->peer_inode))
		return 0;
	if (inode)
		value->inode = inode;
	if (peer_inode)
		value->peer_inode = peer_inode;
	return value;
}

/* Return what is known of the watched listening socket that a socket has the name of; NULL: none.
 */
static __always_inline const struct vhu_attach_listener *listener_of(const struct sock *socket)
{
	const struct unix_sock *local = (const struct unix_sock *)socket;
	const struct unix_address *address = BPF_CORE_READ(local, addr);
	const struct vhu_attach_listener *listener;
	__u64 name = (__u64)address, start[VHU_ATTACH_NAME_START / 8] = {};
	__u32 size;

	listener = name ? bpf_map_lookup_elem(&listeners, &name) : 0;
	if (!listener)
		return 0;
	size = (__u32)BPF_CORE_READ(address, len) - 2;
	if (size != listener->path_size ||
	    BPF_CORE_READ(local, path.dentry, d_inode, i_ino) != listener->file_inode ||
	    BPF_CORE_READ(local, path.dentry, d_inode, i_sb, s_dev) != listener->file_device)
		return 0;
	asm volatile("" : "+r"(size));
	if (size > sizeof(start))
		size = sizeof(start);
	bpf_probe_read_kernel(start, size, &address->name[0].sun_path);
	for (int i = 0; i < VHU_ATTACH_NAME_START / 8; i++)
		if (start[i] != ((const __u64 *)listener->start)[i])
			return 0;
	return listener;
}

/* Return whether a message begins as one of vhost-user does. Only what does is looked at further,
 * so that no other conversation leaves the kernel. */
static __always_inline bool looks_right(const struct sk_buff *buffer)
{
	__u32 header[3] = {};
	__u32 length = BPF_CORE_READ(buffer, len) - BPF_CORE_READ(buffer, data_len);

	if (length < sizeof(header) ||
	    bpf_probe_read_kernel(header, sizeof(header), BPF_CORE_READ(buffer, data)))
		return false;
	return header[0] && header[0] < 64 && (header[1] & 3) == 1 && header[1] < 16 &&
	       header[2] <= 65536;
}

/* Return whether a process is one whose connections are looked at. */
static __always_inline bool is_process_wanted(__u32 pid)
{
	return bpf_map_lookup_elem(&processes, &pid);
}

/* Return who was at the other end of a socket when it was connected. */
static __always_inline __u32 peer_pid_of(const struct sock *socket)
{
	const struct pid *pid = BPF_CORE_READ(socket, sk_peer_pid);

	return pid ? (__u32)BPF_CORE_READ(pid, numbers[0].nr) : 0;
}

/* Return whether a connection is one that is looked at, by the task that acts or by who made it. */
static __always_inline bool is_wanted(const struct sock *sender, const struct sock *receiver)
{
	__u32 pid = (__u32)(bpf_get_current_pid_tgid() >> 32);

	if (pid == config.own)
		return false;
	return config.any || is_process_wanted(pid) || is_process_wanted(peer_pid_of(sender)) ||
	       is_process_wanted(peer_pid_of(receiver));
}

/*
 * Return whether a message may be of a connection that is watched, or is to be. Others' messages
 * are let go after this, so what is looked at first is what costs least.
 */
static __always_inline bool may_concern(const struct sock *sender, const struct sock *receiver)
{
	__u64 key = (__u64)sender;

	if (config.any || bpf_map_lookup_elem(&watched, &key))
		return true;
	if (!receiver)
		return false;
	if (shared.listeners && (listener_of(receiver) || listener_of(sender)))
		return true;
	return shared.processes && is_wanted(sender, receiver);
}

/*
 * Return what is known of the sender of a message, which may be watched from now on.
 * @fresh: nothing of the message was taken before.
 * @buffer: NULL, all of it was taken.
 */
static __always_inline struct vhu_attach_watched *find_or_adopt(const struct sock *sender,
								const struct sock *receiver,
								const struct sk_buff *buffer,
								bool fresh)
{
	struct vhu_attach_watched *value = find(sender, receiver);
	const struct vhu_attach_listener *listener;

	if (value)
		return value->ignored ? 0 : value;
	/* One that has been closed was watched, if it was to be. */
	if (!receiver || !inode_of(sender))
		return 0;
	listener = listener_of(sender);
	if (!listener)
		listener = listener_of(receiver);
	if (listener)
		adopt(sender, receiver, 0, listener->how != VHU_ATTACH_LISTENS);
	else if (buffer && fresh && is_wanted(sender, receiver) && looks_right(buffer))
		adopt(sender, receiver, 0, true);
	else
		return 0;
	return find(sender, receiver);
}

#endif
