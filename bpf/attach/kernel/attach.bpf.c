/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is sent and taken on watched local sockets, by trace points of the kernel that see buffers
 * before their descriptors are detached; how the sockets end; lists of sockets.
 *
 * A buffer is seen twice: when it is queued, in the sender's context, with what of it is in one
 * piece; and when it is taken, in the receiver's, with all its bytes. What nobody takes was seen
 * when it was queued, and what is in several pieces when it is taken.
 */
#include "bpf/attach/kernel/describe.bpf.h"

/* Fill in what all events have. */
static __always_inline void begin(struct vhu_attach_event *event, __u32 what,
				  const struct sock *socket,
				  const struct vhu_attach_watched *sender)
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
	describe_who(&event->who);
}

/* Count an event that could not be passed on. */
static __always_inline void count_lost(long result)
{
	if (result)
		__sync_fetch_and_add(&shared.lost, 1);
}

/* Return what @sender has queued last at @receiver, and nobody has taken whole; NULL: nothing. */
static __always_inline const struct sk_buff *last_of(const struct sock *sender,
						     const struct sock *receiver)
{
	const struct sk_buff *buffer = BPF_CORE_READ(receiver, sk_receive_queue.prev);

	/* Whoever takes it may have been quicker. */
	if (!buffer || !BPF_CORE_READ(receiver, sk_receive_queue.qlen) ||
	    BPF_CORE_READ(buffer, sk) != sender)
		return 0;
	return buffer;
}

/* Fill in what was sent. Returns how many bytes of it were copied to @bytes. */
static __always_inline __u32 fill_sent(void *context, const struct sk_buff *buffer,
				       struct vhu_attach_event *event, __u8 *bytes)
{
	const struct unix_skb_parms *parms = (const struct unix_skb_parms *)&buffer->cb;
	__u32 linear;

	event->buffer = (__u64)buffer;
	event->length = BPF_CORE_READ(buffer, len);
	event->consumed = BPF_CORE_READ(parms, consumed);
	describe_fds(context, buffer, event);
	linear = event->length - BPF_CORE_READ(buffer, data_len);
	if (linear > VHU_ATTACH_SENT_MAX)
		linear = VHU_ATTACH_SENT_MAX;
	/* So every kernel's verifier believes that it fits. */
	asm volatile("" : "+r"(linear));
	if (linear >= VHU_ATTACH_SENT_MAX)
		linear = VHU_ATTACH_SENT_MAX - 1;
	linear &= VHU_ATTACH_SENT_MAX - 1;
	if (bpf_probe_read_kernel(bytes, linear, BPF_CORE_READ(buffer, data)))
		linear = 0;
	return linear;
}

/* Something was queued at @receiver, in the context of the task that sends it. */
static __always_inline int on_sent(void *context, const struct sock *receiver)
{
	const struct sock *sender;
	const struct sk_buff *buffer;
	const struct unix_skb_parms *parms;
	struct vhu_attach_watched *from;
	struct vhu_attach_event *event;
	__u32 zero = 0, linear = 0;
	struct room *room;
	bool fresh = false;

	if (!is_passed_local_stream(receiver))
		return 0;
	sender = peer_of(receiver);
	if (!sender || !may_concern(sender, receiver))
		return 0;
	buffer = last_of(sender, receiver);
	if (buffer) {
		parms = (const struct unix_skb_parms *)&buffer->cb;
		fresh = BPF_CORE_READ(parms, consumed) == 0;
	}
	from = find_or_adopt(sender, receiver, buffer, fresh);
	room = bpf_map_lookup_elem(&rooms, &zero);
	if (!from || !room)
		return 0;
	event = &room->event;
	begin(event, VHU_ATTACH_SENT, sender, from);
	event->number = __sync_fetch_and_add(&from->sent, 1) + 1;
	if (buffer) {
		linear = fill_sent(context, buffer, event, room->bytes);
		/* What was read of one that was taken meanwhile may be another's. */
		if (last_of(sender, receiver) != buffer) {
			event->buffer = 0;
			event->length = event->consumed = event->fds = 0;
			linear = 0;
		}
	}
	event->copied = linear;
	count_lost(bpf_perf_event_output(context, &events, BPF_F_CURRENT_CPU, room,
					 sizeof(*event) + linear));
	return 0;
}

SEC("tp_btf/sk_data_ready")
int sent_tracepoint(__u64 *args)
{
	return on_sent(args, (const struct sock *)args[0]);
}

SEC("fentry/sock_def_readable")
int sent_fentry(__u64 *args)
{
	return on_sent(args, (const struct sock *)args[0]);
}

SEC("tp_btf/skb_copy_datagram_iovec")
int taken(__u64 *args)
{
	struct sk_buff *buffer = (struct sk_buff *)args[0];
	const struct sock *sender = buffer->sk, *receiver;
	const struct unix_skb_parms *parms = (const struct unix_skb_parms *)&buffer->cb;
	struct vhu_attach_watched *from;
	struct vhu_attach_event event;
	__u32 consumed, copied;

	if (!sender || !is_passed_local_stream(sender))
		return 0;
	receiver = peer_of(sender);
	if (!may_concern(sender, receiver))
		return 0;
	consumed = BPF_CORE_READ(parms, consumed);
	from = find_or_adopt(sender, receiver, buffer, consumed == 0);
	if (!from)
		return 0;
	begin(&event, VHU_ATTACH_TAKEN, sender, from);
	event.number = __sync_fetch_and_add(&from->taken, 1) + 1;
	event.buffer = (__u64)buffer;
	event.length = (__u32)args[1];
	event.consumed = consumed;
	describe_fds(args, buffer, &event);
	copied = consumed + event.length;
	if (copied > BPF_CORE_READ(buffer, len))
		copied = BPF_CORE_READ(buffer, len);
	if (copied > VHU_ATTACH_TAKEN_MAX)
		copied = VHU_ATTACH_TAKEN_MAX;
	event.copied = copied;
	count_lost(bpf_skb_output(buffer, &events, BPF_F_CURRENT_CPU | (__u64)copied << 32, &event,
				  sizeof(event)));
	return 0;
}

/* Tell that a task closes a socket, or shuts it down, if it is watched. */
static __always_inline int on_closing(void *context, const struct sock *socket, __u32 what)
{
	struct vhu_attach_watched *value;
	struct vhu_attach_event event;

	if (!socket || !is_local_stream(socket))
		return 0;
	value = find(socket, peer_of(socket));
	if (!value || value->ignored)
		return 0;
	begin(&event, what, socket, value);
	count_lost(
	    bpf_perf_event_output(context, &events, BPF_F_CURRENT_CPU, &event, sizeof(event)));
	return 0;
}

SEC("fentry/unix_release")
int closing_fentry(__u64 *args)
{
	return on_closing(args, BPF_CORE_READ((const struct socket *)args[0], sk),
			  VHU_ATTACH_CLOSING);
}

#define SHUT_RD 0

SEC("fentry/unix_shutdown")
int closing_fentry_shutdown(__u64 *args)
{
	if ((__u32)args[1] == SHUT_RD)
		return 0;
	return on_closing(args, BPF_CORE_READ((const struct socket *)args[0], sk),
			  VHU_ATTACH_SHUTDOWN);
}

#if defined(__TARGET_ARCH_x86)
#define NR_CLOSE    3
#define NR_SHUTDOWN 48
#else
#define NR_CLOSE    57
#define NR_SHUTDOWN 210
#endif

SEC("tp_btf/sys_enter")
int closing_call(__u64 *args)
{
	const struct pt_regs *regs = (const struct pt_regs *)args[0];
	const struct socket *socket;
	struct task_struct *task;
	struct file *file = 0;
	__u32 fd, what;

	if ((__u32)args[1] == NR_CLOSE)
		what = VHU_ATTACH_CLOSING;
	else if ((__u32)args[1] == NR_SHUTDOWN && (__u32)regs_second(regs) != SHUT_RD)
		what = VHU_ATTACH_SHUTDOWN;
	else
		return 0;
	fd = (__u32)regs_first(regs);
	task = (struct task_struct *)bpf_get_current_task();
	if (fd >= BPF_CORE_READ(task, files, fdt, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(task, files, fdt, fd) + fd);
	if ((BPF_CORE_READ((const struct file___attach *)file, f_inode, i_mode) & S_IFMT) !=
	    S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return on_closing(args, BPF_CORE_READ(socket, sk), what);
}

SEC("tp_btf/sched_process_exit")
int exits(__u64 *args)
{
	const struct task_struct___attach *task = (const struct task_struct___attach *)args[0];
	__u32 pid = (__u32)BPF_CORE_READ(task, tgid);
	struct vhu_attach_event event;

	if (!bpf_map_lookup_elem(&users, &pid) || BPF_CORE_READ(task, signal, live.counter))
		return 0;
	begin(&event, VHU_ATTACH_EXIT, 0, 0);
	bpf_map_delete_elem(&users, &pid);
	count_lost(bpf_perf_event_output(args, &events, BPF_F_CURRENT_CPU, &event, sizeof(event)));
	return 0;
}

/* Fill in what is known of a socket. Returns whether it is one to list. */
static __always_inline bool list_socket(const struct file___attach *file,
					struct vhu_attach_listed *to)
{
	const struct socket *socket = BPF_CORE_READ(file, private_data);
	const struct sock *end = BPF_CORE_READ(socket, sk);
	const struct unix_sock *local = (const struct unix_sock *)end, *peer;
	const struct unix_address *address;
	int length;

	if (!end || !is_local_stream(end))
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

	if (!key || !value)
		return 0;
	socket = (const struct sock *)*key;
	inode = inode_of(socket);
	state.socket = value->id;
	state.address = *key;
	/* One that nobody has accepted yet goes with the listening socket. */
	state.open = value->inode ? inode == value->inode
				  : BPF_CORE_READ(socket, __sk_common.skc_state) == TCP_ESTABLISHED;
	state.shutdown = BPF_CORE_READ(socket, sk_shutdown);
	state.error = (__u32)BPF_CORE_READ(socket, sk_err);
	state.queued = BPF_CORE_READ(socket, sk_receive_queue.qlen);
	state.sent = value->sent;
	state.begun = value->begun;
	bpf_seq_write(at->meta->seq, &state, sizeof(state));
	return 0;
}
