/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu proxy is to change of what passes: faults, their seed, a mask. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "tools/proxy/run/run.h"

#include "lib/util/util.h"

int vhu_proxy_run_take_faults(struct vhu_proxy_run *run)
{
	const struct vhu_faults *asked = &run->request->faults;
	struct vhu_faults *faults = &run->proxy.faults;
	char error[VHU_FAULT_ERROR];

	run->proxy.mask = run->request->mask;
	/* Faults may want it when no file can be opened any more. */
	faults->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	faults->seed = asked->seed;
	if (!run->request->seeded &&
	    getrandom(&faults->seed, sizeof(faults->seed), GRND_NONBLOCK) < 0)
		faults->seed = vhu_now_ns();
	for (const struct vhu_fault *fault = asked->first; fault; fault = fault->next)
		if (vhu_faults_add(faults, fault->text, error) < 0)
			return vhu_fail(run->command, "%s", error);
	if (!run->request->seeded && vhu_faults_by_chance(faults))
		vhu_fail(run->command, "the seed of this run is %" PRIu64 " (--seed repeats it)",
			 faults->seed);
	return VHU_EXIT_DONE;
}

void vhu_proxy_run_summarize_faults(const struct vhu_proxy_run *run)
{
	for (const struct vhu_fault *fault = run->proxy.faults.first; fault; fault = fault->next)
		vhu_fail(run->command, "rule %u applied to %" PRIu64 " of %" PRIu64 ": %s",
			 fault->id, fault->applied, fault->matched, fault->text);
}

void vhu_proxy_run_drop_faults(struct vhu_proxy_run *run)
{
	vhu_faults_clear(&run->proxy.faults);
	if (run->proxy.faults.null_fd > 0)
		close(run->proxy.faults.null_fd);
}
