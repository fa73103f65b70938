/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probes: what happens to the eventfds of known vrings, by one of several sets of hooks.
 *
 * An eventfd is known by the address of its struct file, which all processes that share it share,
 * and by that of its context, which is all that the kernel's own signals have. Both stay what they
 * are while the loader has the eventfd open. So what is a stranger costs one look-up and no walk
 * through its structures.
 */
#include "bpf/vring/kernel/account.bpf.h"

#include <bpf/usdt.bpf.h>

/* Functions of the kernel, by trampolines. */

SEC("fentry/eventfd_write")
int fentry_write(__u64 *args)
{
	on_signal(role_of_file((const struct file *)args[0]));
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
	role = role_of_file(file);
	if (role)
		on_read(role, file, 0);
	return 0;
}

SEC("fentry/eventfd_signal_mask")
int fentry_signal_mask(__u64 *args)
{
	on_signal(role_of_context((const struct eventfd_ctx *)args[0]));
	return 0;
}

SEC("fentry/eventfd_signal")
int fentry_signal(__u64 *args)
{
	on_signal(role_of_context((const struct eventfd_ctx *)args[0]));
	return 0;
}

/* The same functions, by break points. */

SEC("kprobe/eventfd_write")
int kprobe_write(struct pt_regs *regs)
{
	on_signal(role_of_file((const struct file *)PROBE_FIRST(regs)));
	return 0;
}

SEC("kprobe/eventfd_read")
int kprobe_read(struct pt_regs *regs)
{
	struct kiocb *iocb = (struct kiocb *)PROBE_FIRST(regs);
	__u64 file = (__u64)BPF_CORE_READ(iocb, ki_filp), thread = bpf_get_current_pid_tgid();

	if (role_of_file((const struct file *)file))
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
	role = role_of_file(file);
	if (role && (__s64)PROBE_RETURN(regs) == 8)
		on_read(role, file, 0);
	return 0;
}

SEC("kprobe/eventfd_signal_mask")
int kprobe_signal_mask(struct pt_regs *regs)
{
	on_signal(role_of_context((const struct eventfd_ctx *)PROBE_FIRST(regs)));
	return 0;
}

SEC("kprobe/eventfd_signal")
int kprobe_signal(struct pt_regs *regs)
{
	on_signal(role_of_context((const struct eventfd_ctx *)PROBE_FIRST(regs)));
	return 0;
}

/* System calls. */

/* Return the file of this task's descriptor @fd; NULL if it is not open. */
static __always_inline struct file *file_of(__u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *table = task->files->fdt;
	struct file *file = 0;

	if (fd < table->max_fds)
		bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd);
	return file;
}

/*
 * A call that read 8 bytes ends.
 * @listed: the buffers are in a list, which begins with the first one's address.
 */
static __always_inline void read_ends(const struct pt_regs *regs, bool listed)
{
	struct file *file = file_of((__u32)regs_first(regs));
	const struct vhu_bpf_role *role = role_of_file(file);
	const void *buffer;

	if (!role)
		return;
	buffer = (const void *)regs_second(regs);
	if (listed)
		bpf_probe_read_user(&buffer, sizeof(buffer), buffer);
	on_read(role, file, buffer);
}

/* Those that eventfds take, each by its own trace points: other calls cost next to nothing. */

SEC("tracepoint/syscalls/sys_enter_write")
int call_write(struct call_begins *call)
{
	/* An eventfd takes 8 bytes; whoever offers more is passed over for the sake of all others.
	 */
	if (call->argument[2] == 8)
		on_signal(role_of_file(file_of((__u32)call->argument[0])));
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_writev")
int call_writev(struct call_begins *call)
{
	on_signal(role_of_file(file_of((__u32)call->argument[0])));
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_pwritev2")
int call_pwritev2(struct call_begins *call)
{
	on_signal(role_of_file(file_of((__u32)call->argument[0])));
	return 0;
}

/* Return the registers of the system call that the current task is in. */
static __always_inline const struct pt_regs *current_regs(void)
{
	return (const struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

SEC("tracepoint/syscalls/sys_exit_read")
int call_read(struct call_ends *call)
{
	if (call->result == 8)
		read_ends(current_regs(), false);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_readv")
int call_readv(struct call_ends *call)
{
	if (call->result == 8)
		read_ends(current_regs(), true);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_preadv2")
int call_preadv2(struct call_ends *call)
{
	if (call->result == 8)
		read_ends(current_regs(), true);
	return 0;
}

/* All of them, by the two trace points that all share. */

SEC("tp_btf/sys_enter")
int all_enter(__u64 *args)
{
	const struct pt_regs *regs = (const struct pt_regs *)args[0];
	__u32 number = (__u32)args[1];

	if (number == NR_WRITE ? regs_third(regs) == 8
			       : number == NR_WRITEV || number == NR_PWRITEV2)
		on_signal(role_of_file(file_of((__u32)regs_first(regs))));
	return 0;
}

SEC("tp_btf/sys_exit")
int all_exit(__u64 *args)
{
	const struct pt_regs *regs = (const struct pt_regs *)args[0];
	__u32 number;

	if ((__s64)args[1] != 8)
		return 0;
	number = (__u32)regs_number(regs);
	if (number == NR_READ || number == NR_READV || number == NR_PREADV2)
		read_ends(regs, number != NR_READ);
	return 0;
}

/* The back-end's own code. */

/* A function that takes a request off a vring returns it, or NULL. */
SEC("uretprobe")
int pop_returns(struct pt_regs *regs)
{
	__u64 request = PROBE_RETURN(regs);

	if (request)
		on_pop(NO_VRING, request);
	return 0;
}

/* A function that gives a request back is called, with it as one of the first four arguments. */
SEC("uprobe")
int push_called(struct pt_regs *regs)
{
	if (!on_push(NO_VRING, PROBE_THIRD(regs)) && !on_push(NO_VRING, PROBE_SECOND(regs)) &&
	    !on_push(NO_VRING, PROBE_FIRST(regs)) && !on_push(NO_VRING, PROBE_FOURTH(regs)))
		on_lone_push(NO_VRING);
	return 0;
}

/* Static probes: the vring's number, and what tells the request from others of that vring. */

SEC("usdt")
int pop_passed(struct pt_regs *ctx)
{
	long vring = 0, id = 0;

	bpf_usdt_arg(ctx, 0, &vring);
	bpf_usdt_arg(ctx, 1, &id);
	on_pop((__u32)vring, (__u64)id);
	return 0;
}

SEC("usdt")
int push_passed(struct pt_regs *ctx)
{
	long vring = 0, id = 0;

	bpf_usdt_arg(ctx, 0, &vring);
	bpf_usdt_arg(ctx, 1, &id);
	if (!on_push((__u32)vring, (__u64)id))
		on_lone_push((__u32)vring);
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
