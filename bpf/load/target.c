/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which programs fit the running kernel. */
#include "bpf/load/target.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

bool vhu_bpf_has_function(const struct vhu_bpf_kernel *kernel, const char *name)
{
	if (kernel->types)
		return btf__find_by_name_kind(kernel->types, name, BTF_KIND_FUNC) > 0;
	return !bpf_program__set_attach_target(kernel->program, 0, name);
}

bool vhu_bpf_has_kprobes(void)
{
	/* libbpf uses the first of them that there is. */
	return !access("/sys/bus/event_source/devices/kprobe/type", R_OK) ||
	       !access("/sys/kernel/tracing/kprobe_events", R_OK) ||
	       !access("/sys/kernel/debug/tracing/kprobe_events", R_OK);
}

bool vhu_bpf_target_fits(const struct vhu_bpf_kernel *kernel, const struct vhu_bpf_target *target)
{
	if (target->instead && vhu_bpf_has_function(kernel, target->instead))
		return false;
	return !target->needs || vhu_bpf_has_function(kernel, target->needs);
}
