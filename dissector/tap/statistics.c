/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics over a file. */
#include "dissector/tap/statistics.h"

#include <epan/srt_table.h>
#include <epan/stats_tree.h>

#include "dissector/tap/tap.h"

static int messages_root, findings_root;

/* Return the names of the messages of @request: of each dialect one, where they differ. */
static const char *names_of(enum vhu_channel channel, uint32_t request)
{
	const struct vhu_message *row[VHU_DIALECTS];
	unsigned rows = vhu_message_find(channel, request, VHU_ANY, row);
	const char *names = rows ? row[0]->name : "";

	for (unsigned i = 1; i < rows; i++)
		names = wmem_strdup_printf(wmem_epan_scope(), "%s, %s", names, row[i]->name);
	return names;
}

/* Return one past the highest id of a channel's messages. */
static uint32_t ids_of(enum vhu_channel channel)
{
	uint32_t ids = 0;

	for (unsigned i = 0; i < VHU_MESSAGES; i++)
		if (vhu_messages[i].channel == channel && vhu_messages[i].request >= ids)
			ids = vhu_messages[i].request + 1;
	return ids;
}

/* Begin with the tables of response times: a channel each, a message a row. */
static void times_begin(struct register_srt *srt _U_, GArray *tables)
{
	for (unsigned i = 0; i < VHU_CHANNELS; i++) {
		enum vhu_channel channel = (enum vhu_channel)i;
		const char *name = vhu_channel_name(channel);
		char *title = wmem_strdup_printf(wmem_epan_scope(),
						 "vhost-user requests of the %s channel", name);
		char *filter = wmem_strdup_printf(
		    wmem_epan_scope(), "vhost_user.channel == %u && vhost_user.request", i);
		srt_stat_table *table = init_srt_table(title, name, tables, (int)ids_of(channel),
						       "Message", filter, NULL);

		for (uint32_t id = 0; id < ids_of(channel); id++)
			init_srt_table_row(table, (int)id, names_of(channel, id));
	}
}

/* Count a reply and how long it took. */
static tap_packet_status times_packet(void *data, packet_info *pinfo, epan_dissect_t *edt _U_,
				      const void *packet, tap_flags_t flags _U_)
{
	const struct vhu_tapped *tapped = (const struct vhu_tapped *)packet;
	const struct vhu_annotation *note = &tapped->learnt.note;
	nstime_t delay, asked;

	if (!note->request_number || note->clock_back || !note->message)
		return TAP_PACKET_DONT_REDRAW;
	delay.secs = (time_t)(note->delay_ns / 1000000000);
	delay.nsecs = (int)(note->delay_ns % 1000000000);
	nstime_delta(&asked, &pinfo->abs_ts, &delay);
	add_srt_table_data(
	    g_array_index(((srt_data_t *)data)->srt_array, srt_stat_table *, tapped->channel),
	    (int)note->message->request, &asked, pinfo);
	return TAP_PACKET_REDRAW;
}

/* Begin with the tree of messages. */
static void messages_begin(stats_tree *tree)
{
	messages_root = stats_tree_create_node(tree, "Messages", 0, STAT_DT_INT, true);
}

/* Count a message under its channel, its direction and its name. */
static tap_packet_status messages_packet(stats_tree *tree, packet_info *pinfo _U_,
					 epan_dissect_t *edt _U_, const void *packet,
					 tap_flags_t flags _U_)
{
	const struct vhu_tapped *tapped = (const struct vhu_tapped *)packet;
	const char *channel = vhu_channel_name(tapped->channel);
	int node;

	if (tapped->type != VHU_RECORD_MESSAGE || !channel)
		return TAP_PACKET_DONT_REDRAW;
	tick_stat_node(tree, "Messages", 0, true);
	node = tick_stat_node(tree, channel, messages_root, true);
	node = tick_stat_node(tree, tapped->from_back_end ? "to front-end" : "to back-end", node,
			      true);
	tick_stat_node(tree, tapped->name, node, false);
	return TAP_PACKET_REDRAW;
}

/* Begin with the tree of findings. */
static void findings_begin(stats_tree *tree)
{
	findings_root = stats_tree_create_node(tree, "Findings", 0, STAT_DT_INT, true);
}

/* Count the findings of a packet under their severity and their rule. */
static tap_packet_status findings_packet(stats_tree *tree, packet_info *pinfo _U_,
					 epan_dissect_t *edt _U_, const void *packet,
					 tap_flags_t flags _U_)
{
	const struct vhu_learnt *learnt = &((const struct vhu_tapped *)packet)->learnt;

	for (unsigned i = 0; i < learnt->founds; i++) {
		const struct vhu_rule *rule = learnt->found[i].rule;
		char name[128];
		int node;

		snprintf(name, sizeof(name), "V%03u %s", rule->id, rule->name);
		tick_stat_node(tree, "Findings", 0, true);
		node = tick_stat_node(tree, vhu_severity_name(rule->severity), findings_root, true);
		tick_stat_node(tree, name, node, false);
	}
	return learnt->founds ? TAP_PACKET_REDRAW : TAP_PACKET_DONT_REDRAW;
}

void vhu_statistics_register(int proto)
{
	register_srt_table(proto, VHU_RECORD_DISSECTOR, VHU_CHANNELS, times_packet, times_begin,
			   NULL);
	stats_tree_register_plugin(VHU_RECORD_DISSECTOR, "vhost_user_msgs",
				   "vhost-user" WS_MENU_SEPARATOR "Messages", 0, messages_packet,
				   messages_begin, NULL);
	stats_tree_register_plugin(VHU_RECORD_DISSECTOR, "vhost_user_findings",
				   "vhost-user" WS_MENU_SEPARATOR "Findings", 0, findings_packet,
				   findings_begin, NULL);
}
