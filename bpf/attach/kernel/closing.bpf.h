/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How watched sockets and the processes that use them end. */
#ifndef VHU_BPF_ATTACH_CLOSING_BPF_H
#define VHU_BPF_ATTACH_CLOSING_BPF_H

#include "bpf/attach/kernel/describe.bpf.h"

/* Tell that a task closes a socket, or shuts it down, if it is watched. */
static __always_inline int on_closing(void *context, const struct sock *socket, __u32 what)
{
	struct vhu_attach_watched *value;
	struct vhu_attach_event event;

	if (!socket || !is_local_stream(socket, false))
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

SEC("kprobe/unix_release")
int closing_kprobe(struct pt_regs *regs)
{
	const struct socket *socket = (const struct socket *)PROBE_FIRST(regs);

	return on_closing(regs, BPF_CORE_READ(socket, sk), VHU_ATTACH_CLOSING);
}

SEC("kprobe/unix_shutdown")
int closing_kprobe_shutdown(struct pt_regs *regs)
{
	const struct socket *socket = (const struct socket *)PROBE_FIRST(regs);

	if ((__u32)PROBE_SECOND(regs) == SHUT_RD)
		return 0;
	return on_closing(regs, BPF_CORE_READ(socket, sk), VHU_ATTACH_SHUTDOWN);
}

#if defined(__TARGET_ARCH_x86)
#define NR_CLOSE    3
#define NR_SHUTDOWN 48
#else
#define NR_CLOSE    57
#define NR_SHUTDOWN 210
#endif

/* A system call that may close a socket begins. It is a function of its own, so that other calls do
 * not pay for the registers and the stack that it uses. */
static __noinline int on_call(__u64 *args)
{
	const struct pt_regs *regs = (const struct pt_regs *)args[0];
	bool closes = (__u32)args[1] == NR_CLOSE;
	const struct socket *socket;
	struct task_struct *task;
	struct file *file = 0;
	__u32 fd;

	if (!closes && (__u32)regs_second(regs) == SHUT_RD)
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
	return on_closing(args, BPF_CORE_READ(socket, sk),
			  closes ? VHU_ATTACH_CLOSING : VHU_ATTACH_SHUTDOWN);
}

SEC("tp_btf/sys_enter")
int closing_call(__u64 *args)
{
	__u32 number = (__u32)args[1];

	return number == NR_CLOSE || number == NR_SHUTDOWN ? on_call(args) : 0;
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

#endif
