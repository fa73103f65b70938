/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tap "vhost_user". */
#include "dissector/tap/tap.h"

static int tap = -1;

void vhu_tap_register(void)
{
	tap = register_tap(VHU_RECORD_DISSECTOR);
}

void vhu_tap(packet_info *pinfo, const struct vhu_record *record, const struct vhu_learnt *learnt)
{
	struct vhu_tapped *tapped;
	char name[128];

	/* What passed before the file began is not counted with what passed in it. */
	if (!have_tap_listener(tap) || (record->marks & VHU_MARK_EARLIER))
		return;
	vhu_annotation_name(&learnt->note, record, name, sizeof(name));
	tapped = wmem_new(pinfo->pool, struct vhu_tapped);
	*tapped = (struct vhu_tapped){
	    .learnt = *learnt,
	    .type = record->type,
	    .channel = record->channel,
	    .from_back_end = record->from_back_end,
	    .session = record->session,
	    .name = wmem_strdup(pinfo->pool, name),
	    .message = record->message,
	    .size = record->message_size,
	};
	tap_queue_packet(tap, pinfo, tapped);
}
