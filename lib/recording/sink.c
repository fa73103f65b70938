/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sinks: the list of those who are given each record. */
#include "lib/recording/sink.h"

#include <errno.h>

int vhu_sinks_add(struct vhu_sinks *sinks, void (*take)(void *context, const struct vhu_record *),
		  void *context)
{
	if (sinks->sinks == VHU_SINKS_MAX)
		return -ENOSPC;
	sinks->sink[sinks->sinks++] = (struct vhu_sink){take, context};
	return 0;
}

void vhu_sinks_give(const struct vhu_sinks *sinks, const struct vhu_record *record)
{
	for (unsigned i = 0; i < sinks->sinks; i++)
		sinks->sink[i].take(sinks->sink[i].context, record);
}
