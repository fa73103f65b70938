/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of rules, and the look-ups in it. */
#include "lib/session/rules/table.h"

#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

const struct vhu_rule vhu_rules[VHU_RULES] = {
#define VHU_RULE(id, severity, wording, name, title, section, basis)                               \
	{id, VHU_##severity, VHU_WORDING_##wording, #name, title, section, basis},
#include "lib/session/rules/rules.def"
};

/* Two rules of one id are two equal cases here, and do not compile. */
static void __attribute__((unused)) every_id_is_unique(int id)
{
	switch (id) {
#define VHU_RULE(id, ...) case id:
#include "lib/session/rules/rules.def"
		break;
	}
}

const char *vhu_severity_name(enum vhu_severity severity)
{
	static const char *const name[VHU_SEVERITIES] = {
	    [VHU_INFO] = "info",
	    [VHU_WARNING] = "warning",
	    [VHU_ERROR] = "error",
	};

	return (unsigned)severity < VHU_SEVERITIES ? name[severity] : NULL;
}

const char *vhu_wording_text(enum vhu_wording wording)
{
	static const char *const text[] = {
	    [VHU_WORDING_MUST] = "must: the text demands it",
	    [VHU_WORDING_SHOULD] = "should: the text advises it",
	    [VHU_WORDING_SAYS] = "says: the text describes it so",
	    [VHU_WORDING_SILENT] = "silent: the text does not say; peers break without it",
	};

	return text[wording];
}

const struct vhu_rule *vhu_rule_find(const char *name)
{
	char *end;
	unsigned long id = strtoul(*name == 'V' || *name == 'v' ? name + 1 : name, &end, 10);

	for (unsigned i = 0; i < VHU_RULES; i++)
		if (!strcasecmp(vhu_rules[i].name, name) || (!*end && vhu_rules[i].id == id))
			return &vhu_rules[i];
	return NULL;
}
