/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What passes with a message: its descriptors, and who sends or takes it. */
#ifndef VHU_BPF_ATTACH_DESCRIBE_BPF_H
#define VHU_BPF_ATTACH_DESCRIBE_BPF_H

#include "bpf/attach/kernel/watch.bpf.h"

/* Say who acts, and remember that it uses watched sockets. @socket: that it acts on; NULL none. */
static __always_inline void describe_who(struct vhu_attach_who *who,
					 struct vhu_attach_watched *socket)
{
	__u64 thread = bpf_get_current_pid_tgid(), user = bpf_get_current_uid_gid();
	__u32 pid = (__u32)(thread >> 32);
	__u8 one = 1;

	who->pid = pid;
	who->tid = (__u32)thread;
	who->uid = (__u32)user;
	who->gid = (__u32)(user >> 32);
	bpf_get_current_comm(who->comm, sizeof(who->comm));
	if (socket && socket->user == pid)
		return;
	if (socket)
		socket->user = pid;
	if (!bpf_map_lookup_elem(&users, &pid))
		bpf_map_update_elem(&users, &pid, &one, BPF_ANY);
}

/* Fill in what all events have. */
static __always_inline void begin(struct vhu_attach_event *event, __u32 what,
				  const struct sock *socket, struct vhu_attach_watched *sender)
{
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = bpf_ktime_get_ns();
	event->what = what;
	event->address = (__u64)socket;
	if (sender) {
		event->socket = sender->id;
		event->parent = sender->parent;
		event->guessed = sender->guessed;
		event->begun = sender->begun;
	}
	/* An event of taking names the sender's socket. */
	describe_who(&event->who, what == VHU_ATTACH_SENT ? sender : 0);
}

/* Count an event that could not be passed on. */
static __always_inline void count_lost(long result)
{
	if (result)
		__sync_fetch_and_add(&shared.lost, 1);
}

/* Return the structure around an inode that has @offset bytes before it. */
#define AROUND(type, inode)                                                                        \
	((const struct type *)((__u64)(inode) - (__u64)__builtin_preserve_access_index(            \
						    &((struct type *)0)->vfs_inode)))

/* Say what a local socket is, and watch it: a channel may pass through it. */
static __always_inline __u64 describe_socket(const struct file___attach *file, __u64 parent)
{
	const struct socket *socket = BPF_CORE_READ(file, private_data);
	const struct sock *end = BPF_CORE_READ(socket, sk), *peer;
	struct vhu_attach_watched *value;

	if (!is_local_stream(end, false))
		return 0;
	peer = peer_of(end);
	value = find(end, cookie_of(end), peer);
	if (value)
		return value->id;
	return peer ? adopt(end, peer, parent, false) : 0;
}

/* Say what a file is. @parent: id of the socket whose message carries it. */
static __always_inline void describe_file(const struct file___attach *file,
					  struct vhu_attach_file *to, __u64 parent)
{
	const struct inode *inode = BPF_CORE_READ(file, f_inode);
	const struct hugetlbfs_inode_info *huge;
	const struct shmem_inode_info *memory;

	to->inode = BPF_CORE_READ(inode, i_ino);
	to->size = (__u64)BPF_CORE_READ(inode, i_size);
	to->device = BPF_CORE_READ(inode, i_sb, s_dev);
	to->mode = BPF_CORE_READ(inode, i_mode);
	to->flags = BPF_CORE_READ(file, f_flags);
	to->magic = (__u32)BPF_CORE_READ(inode, i_sb, s_magic);
	to->block_size = (__u32)BPF_CORE_READ(inode, i_sb, s_blocksize);
	to->links = BPF_CORE_READ(inode, i_nlink);
	to->eventfd_count = to->eventfd_id = to->eventfd_flags = to->seals = 0;
	to->socket = 0;
	to->name[0] = 0;
	bpf_probe_read_kernel_str(to->name, sizeof(to->name),
				  BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (to->magic == TMPFS_MAGIC) {
		memory = AROUND(shmem_inode_info, inode);
		to->seals = BPF_CORE_READ(memory, seals);
	} else if (to->magic == HUGETLBFS_MAGIC) {
		huge = AROUND(hugetlbfs_inode_info, inode);
		to->seals = BPF_CORE_READ(huge, seals);
	} else if (to->magic == ANON_INODE_FS_MAGIC && to->name[1] == 'e' && to->name[6] == 'f') {
		const struct eventfd_ctx___attach *context = BPF_CORE_READ(file, private_data);

		to->eventfd_count = BPF_CORE_READ(context, count);
		to->eventfd_id = (__u32)BPF_CORE_READ(context, id);
		to->eventfd_flags = BPF_CORE_READ(context, flags);
	} else if ((to->mode & S_IFMT) == S_IFSOCK) {
		to->socket = describe_socket(file, parent);
	}
}

/* State of describing a message's descriptors. */
struct describing {
	void *context;
	const struct scm_fp_list *list;
	const struct vhu_attach_event *event;
};

/* Tell of one descriptor. Returns 0: go on. */
static long describe_one(__u32 index, struct describing *with)
{
	struct vhu_attach_fd_event *to;
	struct file___attach *file = 0;
	__u32 zero = 0;

	to = bpf_map_lookup_elem(&fd_rooms, &zero);
	if (!to || index >= SCM_MAX_FD)
		return 1;
	bpf_probe_read_kernel(&file, sizeof(file), &with->list->fp[index]);
	if (bpf_probe_read_kernel(&to->event, sizeof(to->event), with->event))
		return 1;
	to->event.what = VHU_ATTACH_FD;
	to->event.fds = index;
	to->event.copied = 0;
	describe_file(file, &to->file, to->event.socket);
	if (bpf_perf_event_output(with->context, &events, BPF_F_CURRENT_CPU, to, sizeof(*to)))
		__sync_fetch_and_add(&shared.lost, 1);
	return 0;
}

/* Tell of the descriptors that a buffer carries, before the event that is about the buffer. */
static __always_inline void describe_fds(void *context, const struct sk_buff *buffer,
					 struct vhu_attach_event *event, bool typed)
{
	const struct scm_fp_list *list = READ(typed, parms_of(buffer), fp);
	struct describing with = {.context = context, .list = list, .event = event};
	short count;

	if (!list)
		return;
	count = BPF_CORE_READ(list, count);
	event->fds = count > 0 && count <= SCM_MAX_FD ? (__u32)count : 0;
	if (event->fds)
		bpf_loop(event->fds, describe_one, &with, 0);
}

#endif
