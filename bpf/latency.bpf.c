/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probes: what happens to the eventfds of known rings, by one of three sets of hooks.
 *
 * An eventfd is known by the address of its struct file, which all processes that share it share,
 * and by that of its context, which is all that the kernel's own signals have. Both stay what they
 * are while the loader has the eventfd open. So what is a stranger costs one look-up and no walk
 * through its structures.
 *
 * A kick and a call are stamped before the write is done: when it is done the reader may have run
 * already. A wake is stamped when the read has returned 8.
 */
#include "core.h"
#include "ring.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char bpf_license[] SEC("license") = "GPL";

const volatile struct vhu_bpf_config config SEC(".rodata.config");
struct vhu_bpf_shared shared SEC(".data.shared");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * VHU_BPF_RINGS);
	__type(key, __u64);
	__type(value, struct vhu_bpf_role);
} roles SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VHU_BPF_RINGS);
	__type(key, __u32);
	__type(value, struct vhu_bpf_ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, VHU_BPF_EVENTS_SIZE);
} events SEC(".maps");

/* Reads of kicks that have begun, by thread: a return probe has no arguments. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u64);
} reads SEC(".maps");

/* Return the number of the bucket that @value falls into, as vhu_histogram_bucket_of does. */
static __always_inline __u32 bucket_of(__u64 value)
{
	__u64 rest = value >> 4;
	__u32 shift = 0;

	/* shift: the power of two below value, less 4; BPF has no instruction for it. */
	if (rest >> 32) {
		rest >>= 32;
		shift += 32;
	}
	if (rest >> 16) {
		rest >>= 16;
		shift += 16;
	}
	if (rest >> 8) {
		rest >>= 8;
		shift += 8;
	}
	if (rest >> 4) {
		rest >>= 4;
		shift += 4;
	}
	if (rest >> 2) {
		rest >>= 2;
		shift += 2;
	}
	if (rest >> 1)
		shift += 1;
	return 16 * shift + (__u32)(value >> shift);
}

/* Add to a ring's histogram of @stage how long it is from @from to @to. */
static __always_inline void add(struct vhu_bpf_ring *ring, enum vhu_bpf_stage stage, __u64 from,
				__u64 to)
{
	__u64 value = to > from ? to - from : 0;
	__u32 at = bucket_of(value);

	barrier_var(at);
	at &= VHU_BPF_BUCKETS - 1;
	__sync_fetch_and_add(&ring->bucket[stage][at], 1);
	if (value > ring->greatest[stage])
		ring->greatest[stage] = value;
}

/* Tell who runs. */
static __always_inline void tell_who(struct vhu_bpf_who *who)
{
	__u64 id = bpf_get_current_pid_tgid();

	who->pid = id >> 32;
	who->tid = (__u32)id;
	who->cpu = bpf_get_smp_processor_id();
	bpf_get_current_comm(who->comm, sizeof(who->comm));
}

/* Tell an event; count it where there is no room. Of an eventfd that is being learnt there are more than
 * enough. */
static __always_inline void tell(__u32 what, const struct vhu_bpf_role *role,
				 const struct vhu_bpf_ring *ring, __u64 time, __u64 kick,
				 __u64 wake)
{
	struct vhu_bpf_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		if (role->what != VHU_ROLE_LEARN)
			__sync_fetch_and_add(&shared.dropped, 1);
		return;
	}
	event->time_ns = time;
	event->kick_ns = kick;
	event->wake_ns = wake;
	event->what = what;
	event->ring = role->ring;
	event->eventfd_id = role->eventfd_id;
	tell_who(&event->who);
	if (ring && what == VHU_EVENT_SLOW)
		event->kicker = ring->kicker;
	else
		__builtin_memset(&event->kicker, 0, sizeof(event->kicker));
	bpf_ringbuf_submit(event, what == VHU_EVENT_SLOW ? 0 : BPF_RB_NO_WAKEUP);
}

/* Return the ring that an eventfd belongs to. */
static __always_inline struct vhu_bpf_ring *ring_of(const struct vhu_bpf_role *role)
{
	__u32 index = role->ring;

	return bpf_map_lookup_elem(&rings, &index);
}

/* Have a ring whose kick was replaced forget the kicks that nobody took from the old one. */
static __always_inline void follow_epoch(struct vhu_bpf_ring *ring,
					 const struct vhu_bpf_role *role)
{
	if (ring->epoch == role->epoch)
		return;
	ring->epoch = role->epoch;
	ring->taken = ring->kicks;
	ring->wake_seen = 0;
}

/* The front-end kicks. */
static __always_inline void on_kick(struct vhu_bpf_ring *ring, const struct vhu_bpf_role *role,
				    __u64 time)
{
	__u64 number;

	follow_epoch(ring, role);
	number = __sync_fetch_and_add(&ring->kicks, 1);
	ring->stamp[number % VHU_BPF_STAMPS] = time;
	ring->last_kick_ns = time;
	ring->kick_context = role->context;
	if (config.slow_ns)
		tell_who(&ring->kicker);
	if (config.all_events)
		tell(VHU_EVENT_KICK, role, 0, time, 0, 0);
}

/*
 * The back-end calls, and was not seen to take a kick: it may have begun to read before the probes
 * came, or read by a way that they do not see. Once it was seen, it always is.
 * Returns when the first kick came that is not in the eventfd any more; 0: none.
 */
static __always_inline __u64 take_unseen(struct vhu_bpf_ring *ring)
{
	__u64 waiting = ring->kicks - ring->taken, left, first;
	struct eventfd_ctx *context = (struct eventfd_ctx *)ring->kick_context;

	if (ring->wake_seen || !waiting || waiting > VHU_BPF_STAMPS || !context)
		return 0;
	left = BPF_CORE_READ(context, count);
	if (left >= waiting)
		return 0;
	first = ring->stamp[ring->taken % VHU_BPF_STAMPS];
	ring->taken += waiting - left;
	__sync_fetch_and_add(&ring->wakes, 1);
	__sync_fetch_and_add(&ring->coalesced, waiting - left - 1);
	return first;
}

/* The back-end calls: that answers all kicks that were taken before. */
static __always_inline void on_call(struct vhu_bpf_ring *ring, const struct vhu_bpf_role *role,
				    __u64 time)
{
	__u64 wake = __sync_lock_test_and_set(&ring->open_wake_ns, 0), kick = 0;

	__sync_fetch_and_add(&ring->calls, 1);
	ring->last_call_ns = time;
	if (!wake) {
		kick = take_unseen(ring);
		if (kick)
			add(ring, VHU_KICK_TO_CALL, kick, time);
		else
			__sync_fetch_and_add(&ring->calls_without_kick, 1);
	} else {
		kick = __sync_lock_test_and_set(&ring->open_kick_ns, 0);
		ring->open_kicks = 0;
		add(ring, VHU_WAKE_TO_CALL, wake, time);
		if (kick)
			add(ring, VHU_KICK_TO_CALL, kick, time);
	}
	if (config.slow_ns && kick && time > kick && time - kick >= config.slow_ns)
		tell(VHU_EVENT_SLOW, role, ring, time, kick, wake);
	else if (config.all_events)
		tell(VHU_EVENT_CALL, role, 0, time, kick, wake);
}

/*
 * The back-end takes kicks.
 * @value: how many, as the eventfd counted them.
 */
static __always_inline void on_wake(struct vhu_bpf_ring *ring, const struct vhu_bpf_role *role,
				    __u64 value, __u64 time)
{
	__u64 first = 0, from, waiting;

	follow_epoch(ring, role);
	from = ring->taken;
	waiting = ring->kicks - from;
	__sync_fetch_and_add(&ring->wakes, 1);
	ring->wake_seen = 1;
	/* More than were seen: they came before the probes, or by a way that these do not see. */
	if (value > waiting)
		value = waiting;
	if (value) {
		__u64 oldest = waiting > VHU_BPF_STAMPS ? ring->kicks - VHU_BPF_STAMPS : from;

		first = ring->stamp[oldest % VHU_BPF_STAMPS];
		ring->taken = from + value;
		if (value > 1)
			__sync_fetch_and_add(&ring->coalesced, value - 1);
		add(ring, VHU_KICK_TO_WAKE, first, time);
	} else {
		__sync_fetch_and_add(&ring->wakes_without_kick, 1);
	}
	__sync_fetch_and_add(&ring->open_kicks, value);
	if (!ring->open_wake_ns) {
		ring->open_kick_ns = first;
		ring->open_wake_ns = time;
	}
	if (config.all_events)
		tell(VHU_EVENT_WAKE, role, 0, time, first, 0);
}

/* Return what the eventfd with this file or context stands for, NULL for strangers. */
static __always_inline struct vhu_bpf_role *role_of(const void *address)
{
	__u64 key = (__u64)address;

	return bpf_map_lookup_elem(&roles, &key);
}

/* An eventfd, known by its file or its context, is about to be signalled. */
static __always_inline void on_signal(const void *address)
{
	const struct vhu_bpf_role *role = role_of(address);
	struct vhu_bpf_ring *ring;
	__u64 time;

	if (!role)
		return;
	time = bpf_ktime_get_ns();
	if (role->what == VHU_ROLE_LEARN) {
		if (config.learning)
			tell(VHU_EVENT_LEARN_WRITE, role, 0, time, 0, 0);
		return;
	}
	ring = ring_of(role);
	if (!ring)
		return;
	if (role->what == VHU_ROLE_KICK)
		on_kick(ring, role, time);
	else
		on_call(ring, role, time);
}

/*
 * A known eventfd was read.
 * @value: what the read gave; 0 where that is not known.
 */
static __always_inline void on_read(const struct vhu_bpf_role *role, const struct file *file,
				    __u64 value)
{
	__u64 time = bpf_ktime_get_ns();
	struct vhu_bpf_ring *ring;

	if (role->what == VHU_ROLE_LEARN && config.learning)
		tell(VHU_EVENT_LEARN_READ, role, 0, time, 0, 0);
	if (role->what != VHU_ROLE_KICK)
		return;
	ring = ring_of(role);
	if (!ring)
		return;
	if (!value) {
		/* What the eventfd holds now came since; all else was taken. */
		struct eventfd_ctx *context = BPF_CORE_READ(file, private_data);
		__u64 left = BPF_CORE_READ(context, count), waiting = ring->kicks - ring->taken;

		value = waiting > left ? waiting - left : 0;
	}
	on_wake(ring, role, value, time);
}

/* Functions of the kernel, by trampolines. */

SEC("fentry/eventfd_write")
int fentry_write(__u64 *args)
{
	on_signal((const void *)args[0]);
	return 0;
}

SEC("fexit/eventfd_read")
int fexit_read(__u64 *args)
{
	struct kiocb *iocb = (struct kiocb *)args[0];
	const struct vhu_bpf_role *role;
	struct file *file;

	if ((__s64)args[2] != 8)
		return 0;
	file = iocb->ki_filp;
	role = role_of(file);
	if (role)
		on_read(role, file, 0);
	return 0;
}

SEC("fentry/eventfd_signal_mask")
int fentry_signal_mask(__u64 *args)
{
	on_signal((const void *)args[0]);
	return 0;
}

SEC("fentry/eventfd_signal")
int fentry_signal(__u64 *args)
{
	on_signal((const void *)args[0]);
	return 0;
}

/* The same functions, by break points. */

SEC("kprobe/eventfd_write")
int kprobe_write(struct pt_regs *regs)
{
	on_signal((const void *)PROBE_FIRST(regs));
	return 0;
}

SEC("kprobe/eventfd_read")
int kprobe_read(struct pt_regs *regs)
{
	struct kiocb *iocb = (struct kiocb *)PROBE_FIRST(regs);
	__u64 file = (__u64)BPF_CORE_READ(iocb, ki_filp), thread = bpf_get_current_pid_tgid();

	if (role_of((const void *)file))
		bpf_map_update_elem(&reads, &thread, &file, BPF_ANY);
	return 0;
}

SEC("kretprobe/eventfd_read")
int kretprobe_read(struct pt_regs *regs)
{
	__u64 thread = bpf_get_current_pid_tgid(), *at = bpf_map_lookup_elem(&reads, &thread);
	const struct vhu_bpf_role *role;
	const struct file *file;

	if (!at)
		return 0;
	file = (const struct file *)*at;
	bpf_map_delete_elem(&reads, &thread);
	role = role_of(file);
	if (role && (__s64)PROBE_RETURN(regs) == 8)
		on_read(role, file, 0);
	return 0;
}

SEC("kprobe/eventfd_signal_mask")
int kprobe_signal_mask(struct pt_regs *regs)
{
	on_signal((const void *)PROBE_FIRST(regs));
	return 0;
}

SEC("kprobe/eventfd_signal")
int kprobe_signal(struct pt_regs *regs)
{
	on_signal((const void *)PROBE_FIRST(regs));
	return 0;
}

/* System calls. */

/* Return the file that descriptor @fd of this task stands for; NULL where there is none. */
static __always_inline struct file *file_of(__u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *table = task->files->fdt;
	struct file *file = 0;

	if (fd < table->max_fds)
		bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd);
	return file;
}

SEC("tp_btf/sys_enter")
int tp_enter(__u64 *args)
{
	const struct pt_regs *regs = (const struct pt_regs *)args[0];
	__u32 number = (__u32)args[1];

	switch (number) {
	case NR_WRITE:
	case NR_PWRITE:
		/* An eventfd takes 8 bytes; whoever offers more is passed over for the sake of all
		 * others. */
		if (regs_third(regs) != 8)
			return 0;
		break;
	case NR_WRITEV:
	case NR_PWRITEV:
	case NR_PWRITEV2:
		break;
	default:
		return 0;
	}
	on_signal(file_of((__u32)regs_first(regs)));
	return 0;
}

SEC("tp_btf/sys_exit")
int tp_exit(__u64 *args)
{
	const struct pt_regs *regs = (const struct pt_regs *)args[0];
	const struct vhu_bpf_role *role;
	const void *buffer;
	struct file *file;
	__u64 value = 0;
	__u32 number;

	if ((__s64)args[1] != 8)
		return 0;
	number = (__u32)regs_number(regs);
	if (number != NR_READ && number != NR_PREAD && number != NR_READV &&
	    number != NR_PREADV && number != NR_PREADV2)
		return 0;
	file = file_of((__u32)regs_first(regs));
	role = role_of(file);
	if (!role)
		return 0;
	/* The second argument is the buffer; where there may be several, their list, which begins
	 * with the first one's address. */
	buffer = (const void *)regs_second(regs);
	if (number != NR_READ && number != NR_PREAD)
		bpf_probe_read_user(&buffer, sizeof(buffer), buffer);
	bpf_probe_read_user(&value, sizeof(value), buffer);
	on_read(role, file, value);
	return 0;
}

/* List every eventfd of every process; the first time learn what an eventfd looks like, from one of
 * the process that asks. */
SEC("iter/task_file")
int list_eventfds(struct bpf_iter__task_file *at)
{
	struct vhu_bpf_eventfd entry = {};
	struct task_struct *task = at->task;
	struct file *file = at->file;
	struct eventfd_ctx *context;
	__u64 operations;

	if (!task || !file)
		return 0;
	operations = (__u64)file->f_op;
	entry.pid = (__u32)task->tgid;
	entry.fd = at->fd;
	entry.own = entry.pid == (__u32)(bpf_get_current_pid_tgid() >> 32);
	if (!shared.eventfd_operations && entry.own && entry.fd == shared.own_fd)
		shared.eventfd_operations = operations;
	if (!shared.eventfd_operations || operations != shared.eventfd_operations)
		return 0;
	context = file->private_data;
	entry.file = (__u64)file;
	entry.context = (__u64)context;
	entry.eventfd_id = (__u32)BPF_CORE_READ(context, id);
	bpf_probe_read_kernel(entry.comm, sizeof(entry.comm), task->comm);
	bpf_seq_write(at->meta->seq, &entry, sizeof(entry));
	return 0;
}
