/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How rules report what breaks them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/session/rules/report.h"

void vhu_report(struct vhu_check_context *check, enum vhu_rule_at rule, uint64_t other,
		const char *format, ...)
{
	struct vhu_finding *finding = &check->finding[check->findings];
	va_list arguments;

	if (check->findings == VHU_FINDINGS_MAX)
		return;
	check->findings++;
	*finding = (struct vhu_finding){
	    .rule = &vhu_rules[rule],
	    .session = check->state->id,
	    .number = check->number,
	    .other = {other == check->number ? 0 : other},
	};
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
	if (vhu_state_is_altered(check->state, check->number) ||
	    vhu_state_is_altered(check->state, other)) {
		static const char altered[] = " (altered by the proxy)";
		size_t length = strlen(finding->text);
		size_t most = sizeof(finding->text) - sizeof(altered);

		memcpy(finding->text + (length < most ? length : most), altered, sizeof(altered));
	}
}

_Static_assert(VHU_RULES <= 8 * sizeof(((struct vhu_state *)0)->said), "each rule has a bit");

bool vhu_report_first(struct vhu_check_context *check, enum vhu_rule_at rule)
{
	uint32_t *word = &check->state->said[rule / 32], bit = UINT32_C(1) << rule % 32;
	bool first = !(*word & bit);

	/* A repeated record was checked when it passed first. */
	if (check->record && (check->record->marks & VHU_MARK_EARLIER))
		return false;

	*word |= bit;
	return first;
}
