/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sinks: whoever wants to know of the records that are made. The proxy gives a message's record
 * before the last of the message is forwarded, so that none has arrived that is not known of.
 */
#ifndef VHU_RECORDING_SINK_H
#define VHU_RECORDING_SINK_H

#include <stdio.h>

#include "lib/capture/record.h"

#define VHU_SINKS_MAX 8

/* The record lasts as long as the call. */
struct vhu_sink {
	void (*take)(void *context, const struct vhu_record *record);
	void *context;
};

struct vhu_sinks {
	struct vhu_sink sink[VHU_SINKS_MAX];
	unsigned sinks;
};

/* Add a sink. Returns 0 or -ENOSPC. */
int vhu_sinks_add(struct vhu_sinks *sinks, void (*take)(void *context, const struct vhu_record *),
		  void *context);

/* Give @record to each sink, in the order of their addition. */
void vhu_sinks_give(const struct vhu_sinks *sinks, const struct vhu_record *record);

#endif
