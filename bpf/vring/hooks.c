/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sets of hooks. */
#include "bpf/vring/hooks.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "bpf/load/target.h"
#include "lib/util/util.h"

static const char *const names[VHU_HOOKS] = {
    [VHU_HOOKS_FENTRY] = "fentry",
    [VHU_HOOKS_KPROBE] = "kprobe",
    [VHU_HOOKS_SYSCALLS] = "syscalls",
    [VHU_HOOKS_ALL_SYSCALLS] = "all-syscalls",
};

/* The programs of each set. */
static const struct {
	enum vhu_hooks hooks;
	struct vhu_bpf_target target;
} row[] = {
    {VHU_HOOKS_FENTRY, {"fentry_write", "eventfd_write", NULL}},
    {VHU_HOOKS_FENTRY, {"fexit_read", "eventfd_read", NULL}},
    {VHU_HOOKS_FENTRY, {"fentry_signal_mask", "eventfd_signal_mask", NULL}},
    {VHU_HOOKS_FENTRY, {"fentry_signal", "eventfd_signal", "eventfd_signal_mask"}},
    {VHU_HOOKS_KPROBE, {"kprobe_write", "eventfd_write", NULL}},
    {VHU_HOOKS_KPROBE, {"kprobe_read", "eventfd_read", NULL}},
    {VHU_HOOKS_KPROBE, {"kretprobe_read", "eventfd_read", NULL}},
    {VHU_HOOKS_KPROBE, {"kprobe_signal_mask", "eventfd_signal_mask", NULL}},
    {VHU_HOOKS_KPROBE, {"kprobe_signal", "eventfd_signal", "eventfd_signal_mask"}},
    {VHU_HOOKS_SYSCALLS, {"call_write", NULL, NULL}},
    {VHU_HOOKS_SYSCALLS, {"call_writev", NULL, NULL}},
    {VHU_HOOKS_SYSCALLS, {"call_pwritev2", NULL, NULL}},
    {VHU_HOOKS_SYSCALLS, {"call_read", NULL, NULL}},
    {VHU_HOOKS_SYSCALLS, {"call_readv", NULL, NULL}},
    {VHU_HOOKS_SYSCALLS, {"call_preadv2", NULL, NULL}},
    {VHU_HOOKS_ALL_SYSCALLS, {"all_enter", NULL, NULL}},
    {VHU_HOOKS_ALL_SYSCALLS, {"all_exit", NULL, NULL}},
};

const char *vhu_hooks_name(enum vhu_hooks hooks)
{
	return names[hooks];
}

int vhu_hooks_by_name(const char *name)
{
	for (int i = 0; i < VHU_HOOKS; i++)
		if (!strcasecmp(name, names[i]))
			return i;
	return -1;
}

bool vhu_hooks_have(const struct vhu_bpf_kernel *kernel, enum vhu_hooks hooks, const char *program)
{
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++)
		if (row[i].hooks == hooks && !strcmp(row[i].target.program, program))
			return vhu_bpf_target_fits(kernel, &row[i].target);
	return false;
}

bool vhu_hooks_are_possible(const struct vhu_bpf_kernel *kernel, enum vhu_hooks hooks)
{
	if (hooks >= VHU_HOOKS_SYSCALLS)
		return true;
	return vhu_bpf_has_function(kernel, "eventfd_write") &&
	       vhu_bpf_has_function(kernel, "eventfd_read") &&
	       (vhu_bpf_has_function(kernel, "eventfd_signal_mask") ||
		vhu_bpf_has_function(kernel, "eventfd_signal"));
}

bool vhu_hooks_have_files(enum vhu_hooks hooks)
{
	if (hooks == VHU_HOOKS_KPROBE)
		return vhu_bpf_has_kprobes();
	return hooks != VHU_HOOKS_SYSCALLS ||
	       !access("/sys/kernel/tracing/events/syscalls", R_OK) ||
	       !access("/sys/kernel/debug/tracing/events/syscalls", R_OK);
}
