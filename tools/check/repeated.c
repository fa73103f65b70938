/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings that session after session has. A front-end that tries again and again breaks the same
 * rule as often: what the first sessions show is counted in those that follow.
 */
#include <stdio.h>
#include <string.h>

#include "tools/check/check.h"

/* Return the entry for findings like @finding, or a free one; NULL if the table is full. */
static struct vhu_check_repeated *entry_for(struct vhu_check *check,
					    const struct vhu_finding *finding)
{
	struct vhu_check_repeated *entry;

	for (unsigned i = 0; i < check->repeats; i++) {
		entry = &check->repeated[i];
		if (entry->rule == finding->rule &&
		    vhu_check_causes_alike(entry->text, finding->text))
			return entry;
	}
	if (check->repeats == VHU_CHECK_REPEATED_MAX)
		return NULL;
	entry = &check->repeated[check->repeats++];
	*entry = (struct vhu_check_repeated){.rule = finding->rule, .number = finding->number};
	snprintf(entry->text, sizeof(entry->text), "%s", finding->text);
	return entry;
}

bool vhu_check_is_repeated(struct vhu_check *check, const struct vhu_finding *finding)
{
	struct vhu_check_repeated *entry = entry_for(check, finding);

	if (!entry)
		return false;
	for (unsigned i = 0; i < entry->sessions; i++)
		if (entry->session[i] == finding->session)
			return false;
	if (entry->sessions < VHU_CHECK_REPEATED_SHOWN) {
		entry->session[entry->sessions++] = finding->session;
		return false;
	}
	if (!entry->times++)
		entry->first = finding->session;
	entry->last = finding->session;
	return true;
}

void vhu_check_repeated_end(struct vhu_check *check)
{
	for (unsigned i = 0; i < check->repeats; i++)
		if (check->repeated[i].times)
			check->form->repeated(check, &check->repeated[i]);
	check->repeats = 0;
}
