/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of the sockets that there are, and of how the watched ones stand. */
#ifndef VHU_BPF_ATTACH_LIST_BPF_H
#define VHU_BPF_ATTACH_LIST_BPF_H

#include "bpf/attach/kernel/watch.bpf.h"

/* Fill in what is known of a socket. Returns whether it is one to list. */
static __always_inline bool list_socket(const struct file___attach *file,
					struct vhu_attach_listed *to)
{
	const struct socket *socket = BPF_CORE_READ(file, private_data);
	const struct sock *end = BPF_CORE_READ(socket, sk);
	const struct unix_sock *local = (const struct unix_sock *)end, *peer;
	const struct unix_address *address;
	int length;

	if (!end || !is_local_stream(end, false))
		return false;
	to->state = BPF_CORE_READ(end, __sk_common.skc_state);
	to->socket = (__u64)end;
	peer = (const struct unix_sock *)peer_of(end);
	to->peer = (__u64)peer;
	if (peer) {
		to->peer_inode = inode_of((const struct sock *)peer);
		to->peer_address = (__u64)BPF_CORE_READ(peer, addr);
	}
	to->file_inode = BPF_CORE_READ(local, path.dentry, d_inode, i_ino);
	to->file_device = BPF_CORE_READ(local, path.dentry, d_inode, i_sb, s_dev);
	address = BPF_CORE_READ(local, addr);
	to->address = (__u64)address;
	length = address ? BPF_CORE_READ(address, len) - 2 : 0;
	if (length < 0)
		length = 0;
	if (length > VHU_ATTACH_PATH_MAX)
		length = VHU_ATTACH_PATH_MAX;
	to->path_size = (__u32)length;
	if (address)
		bpf_probe_read_kernel(to->path, sizeof(to->path), &address->name[0].sun_path);
	return true;
}

/* List the sockets of all processes, and what they share. */
SEC("iter/task_file")
int list_files(struct bpf_iter__task_file *at)
{
	const struct task_struct *task = at->task;
	const struct file___attach *file = (const struct file___attach *)at->file;
	struct vhu_attach_listed entry = {};
	const struct inode *inode;
	char name[12] = {};
	__u32 magic;

	if (!task || !file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	magic = (__u32)BPF_CORE_READ(inode, i_sb, s_magic);
	entry.inode = BPF_CORE_READ(inode, i_ino);
	entry.device = BPF_CORE_READ(inode, i_sb, s_dev);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFSOCK) {
		entry.kind = VHU_ATTACH_SOCKET;
		if (!list_socket(file, &entry))
			return 0;
	} else if (magic == TMPFS_MAGIC || magic == HUGETLBFS_MAGIC) {
		entry.kind = VHU_ATTACH_MEMORY;
	} else if (magic == ANON_INODE_FS_MAGIC) {
		bpf_probe_read_kernel_str(name, sizeof(name),
					  BPF_CORE_READ(file, f_path.dentry, d_name.name));
		if (name[1] == 'e' && name[6] == 'f') {
			const struct eventfd_ctx___attach *context =
			    BPF_CORE_READ(file, private_data);

			entry.kind = VHU_ATTACH_EVENTFD;
			entry.inode = (__u32)BPF_CORE_READ(context, id);
		} else if (name[0] == 'k' && name[4] == 'v' && name[5] == 'm') {
			entry.kind = VHU_ATTACH_VM;
		} else {
			return 0;
		}
	} else {
		return 0;
	}
	entry.pid = (__u32)BPF_CORE_READ(task, tgid);
	entry.uid = BPF_CORE_READ((const struct task_struct___attach *)task, cred, uid.val);
	entry.gid = BPF_CORE_READ((const struct task_struct___attach *)task, cred, gid.val);
	entry.fd = at->fd;
	bpf_probe_read_kernel(entry.comm, sizeof(entry.comm), task->comm);
	bpf_seq_write(at->meta->seq, &entry, sizeof(entry));
	return 0;
}

/* List how the watched sockets stand. */
SEC("iter/bpf_map_elem")
int list_watched(struct bpf_iter__bpf_map_elem *at)
{
	const __u64 *key = at->key;
	const struct vhu_attach_watched *value = at->value;
	struct vhu_attach_state state = {};
	const struct sock *socket;
	__u64 inode;

	if (!key || !value || value->id == TAKING_OVER)
		return 0;
	socket = (const struct sock *)*key;
	inode = inode_of(socket);
	state.socket = value->id;
	state.address = *key;
	/* A connection that is not accepted yet closes with the listening socket. */
	state.open = value->inode ? inode == value->inode
				  : BPF_CORE_READ(socket, __sk_common.skc_state) == TCP_ESTABLISHED;
	if (value->cookie && value->cookie != cookie_of(socket))
		state.open = 0;
	state.waiting = value->waiting;
	state.shutdown = BPF_CORE_READ(socket, sk_shutdown);
	state.error = (__u32)BPF_CORE_READ(socket, sk_err);
	state.queued = BPF_CORE_READ(socket, sk_receive_queue.qlen);
	state.sent = value->sent;
	state.begun = value->begun;
	bpf_seq_write(at->meta->seq, &state, sizeof(state));
	return 0;
}

#endif
