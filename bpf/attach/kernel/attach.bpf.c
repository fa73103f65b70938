/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is sent and taken on watched local sockets, by trace points of the kernel that see buffers
 * before their descriptors are detached; how the sockets end; lists of sockets.
 *
 * A buffer is seen twice: when it is queued, in the sender's context, with its first contiguous
 * bytes; and when it is taken, in the receiver's context, with all its bytes. So the queueing shows
 * buffers that are never taken, and the taking shows buffers that are in several pieces.
 */
#include "bpf/attach/kernel/describe.bpf.h"

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

/* Return the last buffer of @sender that is still queued at @receiver; NULL without one. */
static __always_inline const struct sk_buff *last_of(const struct sock *sender,
						     const struct sock *receiver)
{
	const struct sk_buff *buffer = receiver->sk_receive_queue.prev;

	/* Whoever takes it may have been quicker. */
	if (!buffer || !receiver->sk_receive_queue.qlen || buffer->sk != sender)
		return 0;
	return buffer;
}

/* Fill in what was sent. Returns how many bytes of it were copied to @bytes. */
static __always_inline __u32 fill_sent(void *context, const struct sk_buff *buffer,
				       struct vhu_attach_event *event, __u8 *bytes)
{
	__u32 linear;

	event->buffer = (__u64)buffer;
	event->length = buffer->len;
	event->consumed = parms_of(buffer)->consumed;
	describe_fds(context, buffer, event);
	linear = event->length - buffer->data_len;
	if (linear > VHU_ATTACH_SENT_MAX)
		linear = VHU_ATTACH_SENT_MAX;
	/* So every kernel's verifier believes that it fits. */
	asm volatile("" : "+r"(linear));
	if (linear >= VHU_ATTACH_SENT_MAX)
		linear = VHU_ATTACH_SENT_MAX - 1;
	linear &= VHU_ATTACH_SENT_MAX - 1;
	if (bpf_probe_read_kernel(bytes, linear, buffer->data))
		linear = 0;
	return linear;
}

/* Forget what was read of a buffer that was taken meanwhile: it may be another's. */
static __always_inline void forget_sent(struct vhu_attach_event *event)
{
	event->buffer = 0;
	event->length = event->consumed = event->fds = event->copied = 0;
}

/*
 * The SENT event mostly holds all of a buffer, and a TAKEN event would add nothing. So each of the
 * two hooks notes by the buffer's address what it reports, and the other one then keeps silent:
 *
 *	0		none has reported it
 *	buffer's	the event of sending has all of it; it is queued
 *	buffer's + 1	it was taken whole before its SENT event
 *
 * Two buffers may have one place: then both events come. A note may be left of a buffer that went
 * another way, as one that its receiver never read. The note holds the sender, too, so that it does
 * not silence what another sender has at the same address; of the same sender both events come.
 */
static __always_inline __u64 *told_of(const struct sk_buff *buffer)
{
	return &told[vhu_attach_place(low_of(buffer), TOLD_BITS)];
}

/* Return the note of a buffer. */
static __always_inline __u64 note_of(const struct sk_buff *buffer, const struct sock *sender)
{
	return (__u64)low_of(sender) << 32 | low_of(buffer);
}

/* Withdraw the note that a buffer's SENT event holds all of it. Returns whether no hook has relied
 * on the note. */
static __always_inline bool tell_later(const struct sk_buff *buffer, const struct sock *sender,
				       struct vhu_attach_watched *from)
{
	if (__sync_lock_test_and_set(told_of(buffer), 0) != note_of(buffer, sender))
		return false;
	__sync_fetch_and_add(&from->waiting, -1);
	return true;
}

/* Note that the event of its sending has all of a buffer, if nothing else is noted. */
static __always_inline void tell_now(const struct sock *sender, const struct sock *receiver,
				     const struct sk_buff *buffer, struct vhu_attach_watched *from,
				     struct vhu_attach_event *event)
{
	__u64 *note = told_of(buffer), before = *note, own = note_of(buffer, sender);

	if (before == own && from->last_told == own) {
		/* Another thread has sent since, and its SENT event has reported its buffer. */
		forget_sent(event);
		return;
	}
	if ((__u32)before >> 1 == (__u32)own >> 1) {
		*note = 0;
		return;
	}
	if (before || __sync_val_compare_and_swap(note, 0, own))
		return;
	__sync_fetch_and_add(&from->waiting, 1);
	from->last_told = own;
	/* Who was quicker has told it. */
	event->told = last_of(sender, receiver) == buffer || !tell_later(buffer, sender, from);
}

/* Return whether a buffer's SENT event holds all of it, when its first @end bytes are taken; else
 * note that it is taken. */
static __always_inline bool was_told(const struct sk_buff *buffer, const struct sock *sender,
				     __u32 end)
{
	__u64 key = (__u64)sender, *note = told_of(buffer), own = note_of(buffer, sender);
	struct vhu_attach_watched *from;

	if (end < buffer->len)
		return *note == own;
	if (__sync_val_compare_and_swap(note, 0, own + 1) != own ||
	    __sync_lock_test_and_set(note, 0) != own)
		return false;
	from = bpf_map_lookup_elem(&watched, &key);
	if (from)
		__sync_fetch_and_add(&from->waiting, -1);
	return true;
}

/* Learn the cookies of both ends of a connection, when one sends and so both are there. */
static __always_inline void learn_cookies(struct vhu_attach_watched *from, struct sock *receiver)
{
	__u64 key = (__u64)receiver;
	struct vhu_attach_watched *to = bpf_map_lookup_elem(&watched, &key);
	/* Of pointers that come from a cast no cookie can be had. */
	const struct unix_sock *local = bpf_skc_to_unix_sock(receiver);

	if (local && local->peer)
		from->cookie = bpf_get_socket_cookie(local->peer);
	if (!to || to->id != (from->id ^ 1))
		return;
	to->cookie = bpf_get_socket_cookie(receiver);
	from->peer_learnt = 1;
}

/* Tell what was queued at @receiver, if that is watched. */
static __always_inline void tell_sent(void *context, const struct sock *sender,
				      struct sock *receiver)
{
	const struct sk_buff *buffer = last_of(sender, receiver);
	struct vhu_attach_watched *from =
	    find_or_adopt(sender, (__u64)sender->__sk_common.skc_cookie.counter, receiver, buffer,
			  buffer && !parms_of(buffer)->consumed);
	struct vhu_attach_event *event;
	struct room *room;
	__u32 zero = 0;
	long result;

	room = bpf_map_lookup_elem(&rooms, &zero);
	if (!from || !room)
		return;
	if (!from->peer_learnt)
		learn_cookies(from, receiver);
	event = &room->event;
	begin(event, VHU_ATTACH_SENT, sender, from);
	event->name = name_of(receiver, sender);
	event->number = __sync_fetch_and_add(&from->sent, 1) + 1;
	if (buffer) {
		event->copied = fill_sent(context, buffer, event, room->bytes);
		if (last_of(sender, receiver) != buffer)
			forget_sent(event);
		else if (event->copied == event->length)
			tell_now(sender, receiver, buffer, from, event);
	}
	zero = event->copied & (VHU_ATTACH_SENT_MAX - 1);
	result =
	    bpf_perf_event_output(context, &events, BPF_F_CURRENT_CPU, room, sizeof(*event) + zero);
	count_lost(result);
	if (result && buffer && event->told)
		tell_later(buffer, sender, from);
}

/* Something was queued at @receiver, in the context of the task that sends it. */
static __always_inline int on_sent(void *context, struct sock *receiver)
{
	const struct unix_sock *local;
	const struct sock *sender;

	if (!is_passed_local_stream(receiver))
		return 0;
	local = local_of(receiver);
	if (!local)
		return 0;
	sender = local->peer;
	if (sender && may_concern(sender, local, sender))
		tell_sent(context, sender, receiver);
	return 0;
}

SEC("tp_btf/sk_data_ready")
int sent_tracepoint(__u64 *args)
{
	return on_sent(args, (struct sock *)args[0]);
}

SEC("fentry/sock_def_readable")
int sent_fentry(__u64 *args)
{
	return on_sent(args, (struct sock *)args[0]);
}

/* Tell what is taken of a buffer. */
static __always_inline void tell_taken(__u64 *args, struct sk_buff *buffer, struct sock *sender,
				       const struct sock *receiver, __u32 consumed)
{
	struct vhu_attach_watched *from = find_or_adopt(
	    sender, (__u64)sender->__sk_common.skc_cookie.counter, receiver, buffer, !consumed);
	struct vhu_attach_event event;
	__u32 copied;

	if (!from)
		return;
	begin(&event, VHU_ATTACH_TAKEN, sender, from);
	event.name = name_of(sender, receiver);
	event.number = __sync_fetch_and_add(&from->taken, 1) + 1;
	event.buffer = (__u64)buffer;
	event.length = (__u32)args[1];
	event.consumed = consumed;
	event.whole = buffer->len;
	describe_fds(args, buffer, &event);
	copied = consumed + event.length;
	if (copied > event.whole)
		copied = event.whole;
	if (copied > VHU_ATTACH_TAKEN_MAX)
		copied = VHU_ATTACH_TAKEN_MAX;
	event.copied = copied;
	count_lost(bpf_skb_output(buffer, &events, BPF_F_CURRENT_CPU | (__u64)copied << 32, &event,
				  sizeof(event)));
}

SEC("tp_btf/skb_copy_datagram_iovec")
int taken(__u64 *args)
{
	struct sk_buff *buffer = (struct sk_buff *)args[0];
	struct sock *sender = buffer->sk;
	const struct unix_sock *local;
	const struct sock *receiver;
	__u32 consumed;

	if (!sender || !is_passed_local_stream(sender))
		return 0;
	local = local_of(sender);
	if (!local)
		return 0;
	receiver = local->peer;
	if (!may_concern(sender, local, receiver))
		return 0;
	consumed = parms_of(buffer)->consumed;
	if (!was_told(buffer, sender, consumed + (__u32)args[1]))
		tell_taken(args, buffer, sender, receiver, consumed);
	return 0;
}

/* Tell that a task closes a socket, or shuts it down, if it is watched. */
static __always_inline int on_closing(void *context, const struct sock *socket, __u32 what)
{
	struct vhu_attach_watched *value;
	struct vhu_attach_event event;

	if (!socket || !is_local_stream(socket))
		return 0;
	value = find(socket, cookie_of(socket), peer_of(socket));
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

	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	/* The next process with this id is another one. */
	if (shared.processes)
		bpf_map_delete_elem(&processes, &pid);
	if (!bpf_map_lookup_elem(&users, &pid))
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
