/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What options take. An option of one name takes the same in every command. */
#include <stdio.h>
#include <string.h>

#include "lib/protocol/protocol.h"
#include "lib/session/rules/table.h"
#include "lib/util/util.h"
#include "tools/complete/complete.h"
#include "tools/top/table/view.h"

static void messages(const struct vhu_complete *at)
{
	for (unsigned i = 0; i < VHU_MESSAGES; i++)
		vhu_complete_offer(at, vhu_messages[i].name, NULL);
}

static void channels(const struct vhu_complete *at)
{
	for (unsigned i = 0; i < VHU_CHANNELS; i++)
		vhu_complete_offer(at, vhu_channel_name((enum vhu_channel)i), NULL);
}

static void dialects(const struct vhu_complete *at)
{
	for (unsigned i = VHU_UPSTREAM; i < VHU_DIALECTS; i++)
		vhu_complete_offer(at, vhu_dialect_name((enum vhu_dialect)i), NULL);
}

static void devices(const struct vhu_complete *at)
{
	for (unsigned i = 0; i < vhu_names_count; i++)
		if (vhu_names[i].set == VHU_NAMES_virtio_device)
			vhu_complete_offer(at, vhu_names[i].name, NULL);
}

static void rules(const struct vhu_complete *at)
{
	char id[16];

	for (unsigned i = 0; i < VHU_RULES; i++) {
		snprintf(id, sizeof(id), "V%u", vhu_rules[i].id);
		vhu_complete_offer(at, id, vhu_rules[i].title);
	}
}

static void severities(const struct vhu_complete *at)
{
	for (unsigned i = 0; i < VHU_SEVERITIES; i++)
		vhu_complete_offer(at, vhu_severity_name((enum vhu_severity)i), NULL);
}

#ifdef VHU_HAVE_TOP
static void columns(const struct vhu_complete *at)
{
	for (unsigned i = 0; i < vhu_top_columns; i++)
		vhu_complete_offer(at, vhu_top_column[i].name, NULL);
}
#endif

bool vhu_complete_values(const struct vhu_complete *at, const char *name)
{
	static const struct {
		const char *option;
		void (*offer)(const struct vhu_complete *at);
	} known[] = {
	    {"message", messages}, {"channel", channels},    {"dialect", dialects},
	    {"device", devices},   {"rule", rules},          {"explain", rules},
	    {"ignore", rules},     {"severity", severities}, {"session", vhu_complete_sessions},
#ifdef VHU_HAVE_TOP
	    {"sort", columns},
#endif
	};

	for (unsigned i = 0; i < VHU_ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].option, name))
			continue;
		known[i].offer(at);
		return true;
	}
	return false;
}
