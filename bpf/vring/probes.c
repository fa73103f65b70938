/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes: the best set of hooks that loads and passes the selftest. */
#include "bpf/vring/probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/vring/internal.h"
#include "bpf/vring/programs.h"
#include "bpf/vring/selftest.h"

/* Say in @error why no set works, after @ret of the one tried last. @only: no other was tried. */
static void explain(int ret, enum vhu_hooks last, bool only, char *error)
{
	const char *name = vhu_hooks_name(last);
	char what[64];

	if (vhu_diagnose_lack(error))
		return;
	if (ret == -ENXIO) {
		snprintf(error, VHU_BPF_ERROR_SIZE,
			 "hooks %s: attached, but did not see an eventfd of our own being used",
			 name);
		return;
	}
	snprintf(what, sizeof(what), "%s%s",
		 only ? "hooks " : "no set of hooks works, the last tried was ", name);
	vhu_diagnose_refusal(what, ret, error);
}

/*
 * Load, attach and try one set of hooks.
 * @error: gets what is wrong with the places in a back-end's code; then no other set helps.
 * Returns 0; -errno, with nothing left behind.
 */
static int try_hooks(struct vhu_probes *probes, enum vhu_hooks hooks,
		     const struct vhu_probes_choice *choice, char *error)
{
	int ret = vhu_programs_load(probes, hooks, &choice->config, &choice->inside);

	if (ret)
		return ret;
	ret = vhu_selftest_run(probes);
	if (!ret)
		ret = vhu_uprobes_attach(probes->object, &probes->links, &choice->inside, error);
	if (ret)
		vhu_programs_unload(probes);
	return ret;
}

int vhu_probes_open(struct vhu_probes **to, const struct vhu_probes_choice *choice, char *error)
{
	struct vhu_probes *probes = calloc(1, sizeof(*probes));
	int first = choice->hooks < 0 ? 0 : choice->hooks;
	int last = choice->hooks < 0 ? VHU_HOOKS - 1 : choice->hooks;
	int ret = -ENOMEM;

	*to = NULL;
	error[0] = '\0';
	vhu_diagnose_listen();
	if (!probes) {
		strcpy(error, "out of memory");
		return ret;
	}
	probes->see = choice->see;
	probes->with = choice->with;
	for (int hooks = first; hooks <= last && !error[0]; hooks++) {
		/* One that was asked for is tried in any case: the kernel says why it refuses. */
		if (first != last && !vhu_hooks_have_files((enum vhu_hooks)hooks))
			continue;
		ret = try_hooks(probes, (enum vhu_hooks)hooks, choice, error);
		if (!ret) {
			*to = probes;
			break;
		}
	}
	if (!ret)
		return 0;
	if (!error[0])
		explain(ret, (enum vhu_hooks)last, first == last, error);
	free(probes);
	return ret;
}

void vhu_probes_close(struct vhu_probes *probes)
{
	if (!probes)
		return;
	vhu_programs_unload(probes);
	free(probes);
}

enum vhu_hooks vhu_probes_hooks(const struct vhu_probes *probes)
{
	return probes->hooks;
}

const char *vhu_probes_blind(const struct vhu_probes *probes)
{
	if (probes->hooks >= VHU_HOOKS_SYSCALLS)
		return "does not see kicks and calls from inside the kernel (KVM ioeventfd, AIO) "
		       "or by io_uring";
	if (!probes->sees_kernel)
		return "does not see kicks and calls from inside the kernel (KVM ioeventfd, AIO)";
	return "";
}
