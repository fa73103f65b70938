/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which connections are made to a watched listening socket. Both ends are marked then, so no other
 * message of the host has to be looked at for the names of its ends.
 */
#ifndef VHU_BPF_ATTACH_CONNECTING_BPF_H
#define VHU_BPF_ATTACH_CONNECTING_BPF_H

#include "bpf/attach/kernel/watch.bpf.h"

/* A socket is connected to a listening one, by a new socket that is to be accepted. */
static __always_inline int on_connecting(const struct sock *socket, const struct sock *listener,
					 const struct sock *accepted)
{
	if (!is_name_marked((const struct unix_sock *)listener, false))
		return 0;
	mark(socket);
	mark(accepted);
	return 0;
}

SEC("fentry/security_unix_stream_connect")
int connecting_fentry(__u64 *args)
{
	return on_connecting((const struct sock *)args[0], (const struct sock *)args[1],
			     (const struct sock *)args[2]);
}

SEC("kprobe/security_unix_stream_connect")
int connecting_kprobe(struct pt_regs *regs)
{
	return on_connecting((const struct sock *)PT_REGS_PARM1(regs),
			     (const struct sock *)PT_REGS_PARM2(regs),
			     (const struct sock *)PT_REGS_PARM3(regs));
}

#endif
