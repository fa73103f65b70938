/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sockets are watched: found by their addresses, adopted by what they belong to. */
#ifndef VHU_BPF_ATTACH_WATCH_BPF_H
#define VHU_BPF_ATTACH_WATCH_BPF_H

#include "bpf/attach/kernel/maps.bpf.h"

/*
 * The kernel itself passes some sockets and buffers to a program, and what they point to is read
 * without a helper: that counts, for each message of the host comes here. Such pointers have types
 * that the verifier follows: they are typed. Others are numbers to it, which a helper reads, and so
 * are all that a kprobe has.
 *
 * The macro reads a member. @typed is a constant where it stands.
 */
#define READ(typed, from, member) ((typed) ? (from)->member : BPF_CORE_READ(from, member))

extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;

/* Return a socket as the local one that it is. Of a typed one the type changes, too; older kernels
 * have another way for that, which newer ones do not take for all sockets. */
static __always_inline const struct unix_sock *local_of(const struct sock *socket, bool typed)
{
	if (!typed)
		return (const struct unix_sock *)socket;
	if (config.casts)
		return bpf_rdonly_cast(socket, bpf_core_type_id_kernel(struct unix_sock));
	return bpf_skc_to_unix_sock((void *)socket);
}

/* Return the lower half of an address as a number: the verifier forbids arithmetic on a pointer.
 */
static __always_inline __u32 low_of(const void *address)
{
	__u32 low;

	asm volatile("%0 = %1" : "=w"(low) : "w"((__u32)(__u64)address));
	return low;
}

/* Return what a local socket keeps with a buffer. */
static __always_inline const struct unix_skb_parms *parms_of(const struct sk_buff *buffer)
{
	return (const struct unix_skb_parms *)&buffer->cb;
}

/* Return the other end of a local socket's connection; NULL without one. */
static __always_inline struct sock *peer_of(const struct sock *socket)
{
	return BPF_CORE_READ((const struct unix_sock *)socket, peer);
}

/* Return whether a socket is a local stream socket. */
static __always_inline bool is_local_stream(const struct sock *socket, bool typed)
{
	return READ(typed, socket, __sk_common.skc_family) == AF_UNIX &&
	       READ(typed, socket, sk_type) == SOCK_STREAM;
}

/* Return the inode of a socket; 0: no process has the socket open. */
static __always_inline __u64 inode_of(const struct sock *socket)
{
	return BPF_CORE_READ(socket, sk_socket, file, f_inode, i_ino);
}

/* Return a socket's cookie; 0: it has none yet. */
static __always_inline __u64 cookie_of(const struct sock *socket)
{
	return (__u64)BPF_CORE_READ(socket, __sk_common.skc_cookie.counter);
}

/* Have the messages of a socket looked at. */
static __always_inline void mark(const struct sock *socket)
{
	shared.mark[vhu_attach_place(low_of(socket), VHU_ATTACH_MARK_BITS)] = 1;
}

/* Return whether a socket, a name or a process may be one that is looked at. */
static __always_inline bool is_marked(__u32 what)
{
	return shared.mark[vhu_attach_place(what, VHU_ATTACH_MARK_BITS)];
}

/* The id while a processor gives the place of a socket that is gone to another one; others wait so
 * many turns for that. */
#define TAKING_OVER (~0ULL)
#define TURNS       256

/* A turn of waiting. Returns whether that is over. */
static long is_taken_over(__u32 turn, struct vhu_attach_watched **place)
{
	(void)turn;
	return *(volatile __u64 *)&(*place)->id != TAKING_OVER;
}

/*
 * Let a socket have the place of one that is gone, which was at the same address. The two ends of a
 * new connection may come here at once: one of them fills the place, and the other one waits.
 * Returns whether it has the place.
 */
static __always_inline bool take_over(struct vhu_attach_watched *place,
				      const struct vhu_attach_watched *value)
{
	__u64 gone = place->id;

	if (gone != TAKING_OVER && gone != value->id &&
	    __sync_val_compare_and_swap(&place->id, gone, TAKING_OVER) == gone) {
		place->parent = value->parent;
		place->inode = value->inode;
		place->peer_inode = value->peer_inode;
		place->cookie = place->last_told = 0;
		place->sent = place->taken = place->ignored = place->user = 0;
		place->guessed = value->guessed;
		place->begun = value->begun;
		place->waiting = place->peer_learnt = 0;
		__sync_lock_test_and_set(&place->id, value->id);
		return true;
	}
	/* Verifiers would follow each turn of a loop written out. */
	bpf_loop(TURNS, is_taken_over, &place, 0);
	return place->id == value->id;
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

	mark(socket);
	if (!bpf_map_update_elem(&watched, &key, &value, BPF_NOEXIST))
		return;
	before = bpf_map_lookup_elem(&watched, &key);
	if (before && take_over(before, &value))
		return;
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

/*
 * Return whether a watched socket is still what is at its address. The cookie decides if the
 * socket has one; else its inode; else, if it is not accepted yet, the inode of its peer. If none
 * agrees, another socket has the address now.
 * @known: the cookie of the watched socket, @cookie: of the socket at the address.
 * @inode, @peer_inode: of the socket at the address; 0 not known, or not open in any process.
 */
static __always_inline bool is_still(const struct vhu_attach_watched *value, __u64 known,
				     __u64 cookie, __u64 inode, __u64 peer_inode)
{
	if (known)
		return cookie == known;
	if (value->inode)
		return inode == value->inode;
	return peer_inode && peer_inode == value->peer_inode;
}

/*
 * Return what is known of a watched socket; NULL where it is not watched, as where another one is
 * at its address.
 * @cookie: the socket's. @peer: the other end, NULL not known.
 */
static __always_inline struct vhu_attach_watched *find(const struct sock *socket, __u64 cookie,
						       const struct sock *peer)
{
	__u64 key = (__u64)socket;
	struct vhu_attach_watched *value = bpf_map_lookup_elem(&watched, &key);
	__u64 known, inode, peer_inode = 0;

	if (!value || value->id == TAKING_OVER)
		return 0;
	known = *(volatile __u64 *)&value->cookie;
	/* A socket gets its cookie with the first message, which its receiver may be taking at this
	 * time: @cookie may be from before that. */
	if (known && cookie != known)
		cookie = cookie_of(socket);
	/* It has all that can be known. */
	if (known && value->inode && value->peer_inode)
		return cookie == known ? value : 0;
	inode = inode_of(socket);
	if (peer)
		peer_inode = inode_of(peer);
	if (!is_still(value, known, cookie, inode, peer_inode))
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

	listener = name && is_marked((__u32)name) ? bpf_map_lookup_elem(&listeners, &name) : 0;
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
	return is_marked(pid) && bpf_map_lookup_elem(&processes, &pid);
}

/* Return who was at the other end of a socket when it was connected. */
static __always_inline __u32 peer_pid_of(const struct sock *socket, bool typed)
{
	const struct pid *pid = READ(typed, socket, sk_peer_pid);

	return pid ? (__u32)READ(typed, pid, numbers[0].nr) : 0;
}

/* Return whether a connection is one that is looked at, by the task that acts or by who made it. */
static __always_inline bool is_wanted(const struct sock *sender, const struct sock *receiver)
{
	__u32 pid = (__u32)(bpf_get_current_pid_tgid() >> 32);

	if (pid == config.own)
		return false;
	return config.any || is_process_wanted(pid) ||
	       is_process_wanted(peer_pid_of(sender, false)) ||
	       is_process_wanted(peer_pid_of(receiver, false));
}

/* Return the address of the name that an end of a connection has; 0 none. */
static __always_inline __u64 name_of(const struct sock *one, const struct sock *other, bool typed)
{
	const struct unix_sock *local = local_of(one, typed);
	const struct unix_sock *others = other ? local_of(other, typed) : 0;
	__u64 name = local ? (__u64)READ(typed, local, addr) : 0;

	return name || !others ? name : (__u64)READ(typed, others, addr);
}

/* Return whether a local socket has a name that is marked. */
static __always_inline bool is_name_marked(const struct unix_sock *socket, bool typed)
{
	const struct unix_address *name = socket ? READ(typed, socket, addr) : 0;

	return name && is_marked(low_of(name));
}

/* Return whether the address of a socket, and what is looked for, already show that its messages
 * are not watched. So it is with most messages of the host. */
static __always_inline bool is_stranger(const struct sock *socket)
{
	return !is_marked(low_of(socket)) && !shared.listeners && !shared.processes;
}

/* Return whether an end of a connection, or who acts on it, is a process that is marked. */
static __always_inline bool is_process_marked(const struct sock *one, const struct sock *other,
					      bool typed)
{
	return is_marked((__u32)(bpf_get_current_pid_tgid() >> 32)) ||
	       is_marked(peer_pid_of(one, typed)) || is_marked(peer_pid_of(other, typed));
}

/*
 * Return whether a message may be of a connection that is watched, or is to be. Others' messages
 * are let go after this, so what is looked at first is what costs least.
 * @one: one end of the connection, sender or receiver: if it is watched, both ends are marked.
 * @other: the other end, NULL without.
 */
static __always_inline bool may_concern(const struct unix_sock *one, const struct sock *other,
					bool typed)
{
	if (is_marked(low_of(one)))
		return true;
	if (!other)
		return false;
	if (shared.listeners &&
	    (is_name_marked(one, typed) || is_name_marked(local_of(other, typed), typed)))
		return true;
	return shared.processes && is_process_marked((const struct sock *)one, other, typed);
}

/*
 * Return what is known of the sender of a message, which may be watched from now on.
 * @cookie: the sender's.
 * @fresh: nothing of the message was taken before.
 * @buffer: NULL, all of it was taken.
 */
static __always_inline struct vhu_attach_watched *
find_or_adopt(const struct sock *sender, __u64 cookie, const struct sock *receiver,
	      const struct sk_buff *buffer, bool fresh)
{
	struct vhu_attach_watched *value = find(sender, cookie, receiver);
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
	return find(sender, cookie, receiver);
}

#endif
