/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu proxy is to change of what passes: faults, their seed, a mask. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "tools/proxy/run/run.h"

#include "lib/util/util.h"

/* Add a fault of the configuration. Returns as vhu_faults_add does. */
static int add_configured(struct vhu_faults *faults, const char *text, char error[VHU_FAULT_ERROR])
{
	int id = vhu_faults_add(faults, text, error);
	struct vhu_fault *fault = faults->first;

	while (id >= 0 && fault->id != (unsigned)id)
		fault = fault->next;
	if (id >= 0)
		fault->configured = true;
	return id;
}

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
	for (const struct vhu_fault *fault = asked->first; fault; fault = fault->next) {
		if (add_configured(faults, fault->text, error) < 0)
			return vhu_fail(run->command, "%s", error);
	}
	if (!run->request->seeded && vhu_faults_by_chance(faults))
		vhu_fail(run->command, "the seed of this run is %" PRIu64 " (--seed repeats it)",
			 faults->seed);
	return VHU_EXIT_DONE;
}

int vhu_proxy_run_may_change_faults(const struct vhu_proxy_run *run,
				    const struct vhu_proxy_request *next,
				    char error[VHU_REQUEST_ERROR])
{
	unsigned others = run->proxy.faults.count;

	for (const struct vhu_fault *fault = run->proxy.faults.first; fault; fault = fault->next)
		others -= fault->configured;
	if (others + next->faults.count > VHU_FAULTS_MAX)
		return vhu_request_wrong(error, "more than %d faults, with those of vhu ctl",
					 VHU_FAULTS_MAX);
	if (!run->proxy.notify && vhu_faults_speak_of_signals(&next->faults))
		return vhu_request_wrong(error,
					 "faults on kicks and calls: those do not come by this "
					 "proxy: restart it with --interpose-eventfds");
	return 0;
}

/* Return the fault among @wanted that is written as @text and is not @taken yet, and take it; NULL
 * without one. */
static const struct vhu_fault *take_same(const struct vhu_faults *wanted, const char *text,
					 bool taken[VHU_FAULTS_MAX])
{
	unsigned i = 0;

	for (const struct vhu_fault *fault = wanted->first; fault; fault = fault->next, i++) {
		if (taken[i] || strcmp(fault->text, text) != 0)
			continue;
		taken[i] = true;
		return fault;
	}
	return NULL;
}

void vhu_proxy_run_change_faults(struct vhu_proxy_run *run, const struct vhu_proxy_request *next,
				 unsigned *added, unsigned *removed)
{
	struct vhu_faults *faults = &run->proxy.faults;
	struct vhu_fault *fault = faults->first, *after;
	bool taken[VHU_FAULTS_MAX] = {false}, chance = vhu_faults_by_chance(faults);
	char error[VHU_FAULT_ERROR];
	unsigned i = 0;

	*added = *removed = 0;
	for (; fault; fault = after) {
		after = fault->next;
		if (!fault->configured || take_same(&next->faults, fault->text, taken))
			continue;
		vhu_faults_remove(faults, fault->id);
		++*removed;
	}
	for (fault = next->faults.first; fault; fault = fault->next) {
		if (taken[i++])
			continue;
		if (add_configured(faults, fault->text, error) < 0)
			vhu_proxy_say(&run->proxy, "%s", error);
		else
			++*added;
	}
	if (!run->request->seeded && !chance && vhu_faults_by_chance(faults))
		vhu_proxy_say(&run->proxy, "the seed of this run is %" PRIu64, faults->seed);
}

void vhu_proxy_run_summarize_faults(const struct vhu_proxy_run *run)
{
	for (const struct vhu_fault *fault = run->proxy.faults.first; fault; fault = fault->next)
		vhu_fail(run->command, "fault %u applied to %" PRIu64 " of %" PRIu64 ": %s",
			 fault->id, fault->applied, fault->matched, fault->text);
}

void vhu_proxy_run_drop_faults(struct vhu_proxy_run *run)
{
	vhu_faults_clear(&run->proxy.faults);
	if (run->proxy.faults.null_fd > 0)
		close(run->proxy.faults.null_fd);
}
