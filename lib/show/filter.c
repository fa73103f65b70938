/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which records are wanted. */
#include "lib/show/filter.h"

#include <errno.h>
#include <strings.h>

int vhu_filter_channel(struct vhu_filter *wanted, const char *name)
{
	for (unsigned i = 0; i < VHU_CHANNELS; i++) {
		if (strcasecmp(name, vhu_channel_name((enum vhu_channel)i)))
			continue;
		wanted->one_channel = true;
		wanted->channel = (enum vhu_channel)i;
		return 0;
	}
	return -EINVAL;
}

int vhu_filter_message(struct vhu_filter *wanted, const char *name)
{
	const struct vhu_message *message = vhu_message_by_name(name);

	if (!message)
		return -EINVAL;
	if (wanted->messages == VHU_FILTER_MESSAGES)
		return -ENOSPC;
	wanted->message[wanted->messages++] = message;
	return 0;
}

bool vhu_filter_passes(const struct vhu_filter *wanted, const struct vhu_record *record,
		       const struct vhu_annotation *note)
{
	if (wanted->session && record->session != wanted->session)
		return false;
	if (wanted->one_channel && record->channel != wanted->channel)
		return false;
	if (!wanted->messages)
		return true;
	for (unsigned i = 0; i < wanted->messages; i++) {
		if (note->message &&
		    (note->message == wanted->message[i] || note->or_message == wanted->message[i]))
			return true;
	}
	return false;
}
