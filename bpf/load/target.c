/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which programs fit the running kernel. */
#include "bpf/load/target.h"

#include <bpf/btf.h>

bool vhu_bpf_has_function(const struct btf *kernel, const char *name)
{
	return btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC) > 0;
}

bool vhu_bpf_target_fits(const struct btf *kernel, const struct vhu_bpf_target *target)
{
	if (target->instead && vhu_bpf_has_function(kernel, target->instead))
		return false;
	return !target->needs || vhu_bpf_has_function(kernel, target->needs);
}
