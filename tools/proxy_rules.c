/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu proxy is to change of what passes: rules, their seed, a mask. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "tools/proxy_run.h"

int vhu_proxy_run_take_rules(struct vhu_proxy_run *run)
{
	const struct vhu_rules *asked = &run->request->rules;
	struct vhu_rules *rules = &run->proxy.rules;
	char error[VHU_RULE_ERROR];

	run->proxy.mask = run->request->mask;
	/* Rules may want it when no file can be opened any more. */
	rules->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	rules->seed = asked->seed;
	if (!run->request->seeded &&
	    getrandom(&rules->seed, sizeof(rules->seed), GRND_NONBLOCK) < 0)
		rules->seed = vhu_loop_now();
	for (const struct vhu_proxy_rule *rule = asked->first; rule; rule = rule->next)
		if (vhu_rules_add(rules, rule->text, error) < 0)
			return vhu_fail(run->command, "%s", error);
	if (!run->request->seeded && vhu_rules_by_chance(rules))
		vhu_fail(run->command, "the seed of this run is %" PRIu64 " (--seed repeats it)",
			 rules->seed);
	return VHU_EXIT_DONE;
}

void vhu_proxy_run_summarize_rules(const struct vhu_proxy_run *run)
{
	for (const struct vhu_proxy_rule *rule = run->proxy.rules.first; rule; rule = rule->next)
		vhu_fail(run->command, "rule %u applied to %" PRIu64 " of %" PRIu64 ": %s",
			 rule->id, rule->applied, rule->matched, rule->text);
}

void vhu_proxy_run_drop_rules(struct vhu_proxy_run *run)
{
	vhu_rules_clear(&run->proxy.rules);
	if (run->proxy.rules.null_fd > 0)
		close(run->proxy.rules.null_fd);
}
