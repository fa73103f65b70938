/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tap "vhost_user": passes each packet to the statistics that are open. */
#ifndef VHU_DISSECTOR_TAP_TAP_H
#define VHU_DISSECTOR_TAP_TAP_H

#include "dissector/replay/replay.h"
#include "dissector/ws_compat.h"

/* A packet as a statistic sees it, while it is called. */
struct vhu_tapped {
	struct vhu_learnt learnt;
	enum vhu_record_type type;
	enum vhu_channel channel;
	bool from_back_end;
	uint64_t session;
	const char *name;       /* of the message or of what happened: "GET_FEATURES reply" */
	const uint8_t *message; /* header and payload as far as captured; NULL without */
	uint32_t size;
};

/* Register the tap. */
void vhu_tap_register(void);

/* Pass a packet to the statistics that are open. */
void vhu_tap(packet_info *pinfo, const struct vhu_record *record, const struct vhu_learnt *learnt);

#endif
