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

/* Return the inode of a socket; 0: nobody has it open. */
static __always_inline __u64 inode_of(const struct sock *socket)
{
	return BPF_CORE_READ(socket, sk_socket, file, f_inode, i_ino);
}

/* Watch one end of a connection under an id, unless it is watched already. */
static __always_inline void watch(const struct sock *socket, __u64 id, __u64 parent, bool guessed)
{
	struct vhu_attach_watched value = {
	    .id = id,
	    .parent = parent,
	    .inode = inode_of(socket),
	    .guessed = guessed,
	};
	__u64 key = (__u64)socket;

	if (bpf_map_update_elem(&watched, &key, &value, BPF_ANY))
		__sync_fetch_and_add(&shared.refused, 1);
}

/* Watch both ends of a connection. Returns the id of @socket. */
static __always_inline __u64 adopt(const struct sock *socket, const struct sock *peer, __u64 parent,
				   bool guessed)
{
	__u64 id = __sync_fetch_and_add(&shared.next, 2);

	watch(socket, id, parent, guessed);
	watch(peer, id | 1, parent, guessed);
	return id;
}

/* Return what is known of a watched socket; NULL where it is not watched. */
static __always_inline struct vhu_attach_watched *find(const struct sock *socket)
{
	__u64 key = (__u64)socket;
	struct vhu_attach_watched *value = bpf_map_lookup_elem(&watched, &key);
	__u64 inode;

	if (!value)
		return 0;
	inode = inode_of(socket);
	if (!value->inode)
		value->inode = inode;
	/* The address of one that is gone may be another's. */
	return !inode || inode == value->inode ? value : 0;
}

/* Return whether a socket has the name of a listening one that is watched. */
static __always_inline bool is_accepted(const struct sock *socket)
{
	__u64 name = (__u64)BPF_CORE_READ((const struct unix_sock *)socket, addr);

	return name && bpf_map_lookup_elem(&listeners, &name);
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

/* Return whether the task that acts is one whose connections are looked at. */
static __always_inline bool is_wanted(void)
{
	__u32 pid = (__u32)(bpf_get_current_pid_tgid() >> 32);

	if (pid == config.own)
		return false;
	return config.any || bpf_map_lookup_elem(&processes, &pid);
}

/*
 * Return what is known of the sender of a message, which may be watched from now on.
 * @fresh: nothing of the message was taken.
 */
static __always_inline struct vhu_attach_watched *find_or_adopt(const struct sock *sender,
								const struct sock *receiver,
								const struct sk_buff *buffer,
								bool fresh)
{
	struct vhu_attach_watched *value = find(sender);

	if (value)
		return value->ignored ? 0 : value;
	/* One that has been closed was watched, if it was to be. */
	if (!receiver || !inode_of(sender))
		return 0;
	if (is_accepted(sender) || is_accepted(receiver))
		adopt(sender, receiver, 0, false);
	else if (fresh && is_wanted() && looks_right(buffer))
		adopt(sender, receiver, 0, true);
	else
		return 0;
	return find(sender);
}

#endif
