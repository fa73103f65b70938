/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be asked on the control socket about rules: what the proxy changes of what passes. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "proxy/ask.h"

/* Return the rules of the proxy that is asked. */
static struct vhu_rules *ask_rules(const struct vhu_ask *ask)
{
	return &ask->from->control->proxy->rules;
}

/* Take the number of a rule; 0 where it is not told. Returns 0, or -EINVAL with why. */
static int ask_rule_number(struct vhu_ask *ask, unsigned *number)
{
	uint64_t told;

	if (vhu_ask_number(ask, "number", &told))
		return -EINVAL;
	if (told > UINT_MAX)
		return vhu_ask_fail(ask, "no rule %" PRIu64, told);
	*number = (unsigned)told;
	return 0;
}

int vhu_ask_rules(struct vhu_ask *ask)
{
	const struct vhu_proxy_rule *rule = ask_rules(ask)->first;

	if (ask->text) {
		if (vhu_ask_open_text(ask))
			return -EINVAL;
		for (; rule; rule = rule->next)
			fprintf(ask->lines, "%u: %s (applied %" PRIu64 " of %" PRIu64 " times)\n",
				rule->id, rule->text, rule->applied, rule->matched);
		return vhu_ask_put_text(ask);
	}
	vhu_json_array(&ask->json, "rules");
	for (; rule; rule = rule->next) {
		vhu_json_object(&ask->json, NULL);
		vhu_json_unsigned(&ask->json, "number", rule->id);
		vhu_json_string(&ask->json, "rule", rule->text);
		vhu_json_unsigned(&ask->json, "matched", rule->matched);
		vhu_json_unsigned(&ask->json, "applied", rule->applied);
		vhu_json_object_end(&ask->json);
	}
	vhu_json_array_end(&ask->json);
	return 0;
}

int vhu_ask_rules_add(struct vhu_ask *ask)
{
	const char *rule = vhu_ask_string(ask, "rule");
	char error[VHU_RULE_ERROR];
	int added;

	if (!rule)
		return vhu_ask_fail(ask, "\"rule\" is no string");
	added = vhu_rules_add(ask_rules(ask), rule, error);
	if (added < 0)
		return vhu_ask_fail(ask, "%s", error);
	if (!ask->from->control->proxy->notify && vhu_rules_speak_of_signals(ask_rules(ask))) {
		vhu_rules_remove(ask_rules(ask), (unsigned)added);
		return vhu_ask_fail(ask, "kicks and calls do not come by this proxy: start it with "
					 "--interpose-eventfds");
	}
	vhu_json_unsigned(&ask->json, "added", (uint64_t)added);
	return ask->text ? vhu_ask_say(ask, "rule %d added\n", added) : 0;
}

int vhu_ask_rules_remove(struct vhu_ask *ask)
{
	unsigned number = 0;

	if (ask_rule_number(ask, &number))
		return -EINVAL;
	if (vhu_rules_remove(ask_rules(ask), number))
		return vhu_ask_fail(ask, "no rule %u", number);
	vhu_json_unsigned(&ask->json, "removed", number);
	return ask->text ? vhu_ask_say(ask, "rule %u removed\n", number) : 0;
}

int vhu_ask_rules_clear(struct vhu_ask *ask)
{
	unsigned count = ask_rules(ask)->count;

	vhu_rules_clear(ask_rules(ask));
	vhu_json_unsigned(&ask->json, "removed", count);
	return ask->text ? vhu_ask_say(ask, "%u rule%s removed\n", count, count == 1 ? "" : "s")
			 : 0;
}

int vhu_ask_rules_release(struct vhu_ask *ask)
{
	uint64_t session;
	unsigned number = 0, released;

	if (vhu_ask_number(ask, "session", &session) || ask_rule_number(ask, &number))
		return -EINVAL;
	released = vhu_rules_release(ask_rules(ask), session, number);
	vhu_json_unsigned(&ask->json, "released", released);
	return ask->text
		   ? vhu_ask_say(ask, "%u message%s let go\n", released, released == 1 ? "" : "s")
		   : 0;
}
