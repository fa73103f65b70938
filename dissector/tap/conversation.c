/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams in Wireshark's tables, and followed. */
#include "dissector/tap/conversation.h"

#include <epan/conversation.h>
#include <epan/conversation_table.h>
#include <epan/follow.h>

#include "dissector/replay/stream.h"
#include "dissector/tap/tap.h"

#define SIDE_SIZE 64

/* The two sides of a stream, as the tables call them. */
struct sides {
	char text[2][SIDE_SIZE]; /* front-end, back-end */
	address side[2];
};

/* Name the two sides of a packet's stream: "session 1, front-end"; on a channel other than the main
 * one, "session 1 gpu channel, front-end". */
static void set_sides(struct sides *sides, const struct vhu_tapped *tapped)
{
	static const char *const side[] = {"front-end", "back-end"};
	const char *channel = vhu_channel_name(tapped->channel);
	bool main = tapped->channel == VHU_FRONT_END || !channel;

	for (unsigned i = 0; i < 2; i++) {
		snprintf(sides->text[i], SIDE_SIZE, "session %" PRIu64 "%s%s%s, %s",
			 tapped->session, main ? "" : " ", main ? "" : channel,
			 main ? "" : " channel", side[i]);
		set_address(&sides->side[i], AT_STRINGZ, (int)strlen(sides->text[i]) + 1,
			    sides->text[i]);
	}
}

/* Return "no filter" for a side of a conversation. */
static const char *conversation_filter(conv_item_t *item _U_, conv_filter_type_e filter _U_)
{
	return CONV_FILTER_INVALID;
}

/* Return "no filter" for an endpoint. */
static const char *endpoint_filter(endpoint_item_t *item _U_, conv_filter_type_e filter _U_)
{
	return CONV_FILTER_INVALID;
}

/* Count a packet in the table of conversations. */
static tap_packet_status conversation_packet(void *data, packet_info *pinfo,
					     epan_dissect_t *edt _U_, const void *packet,
					     tap_flags_t flags)
{
	static ct_dissector_info_t info = {conversation_filter};
	const struct vhu_tapped *tapped = (const struct vhu_tapped *)packet;
	conv_hash_t *table = (conv_hash_t *)data;
	bool back = tapped->from_back_end;
	struct sides sides;

	if (tapped->type != VHU_RECORD_MESSAGE)
		return TAP_PACKET_DONT_REDRAW;
	table->flags = flags;
	set_sides(&sides, tapped);
	add_conversation_table_data_with_conv_id(
	    table, &sides.side[back], &sides.side[!back], 0, 0, tapped->learnt.stream, 1,
	    (int)pinfo->fd->pkt_len, &pinfo->rel_ts, &pinfo->abs_ts, &info, CONVERSATION_NONE);
	return TAP_PACKET_REDRAW;
}

/* Count a packet in the table of endpoints. */
static tap_packet_status endpoint_packet(void *data, packet_info *pinfo, epan_dissect_t *edt _U_,
					 const void *packet, tap_flags_t flags)
{
	static et_dissector_info_t info = {endpoint_filter};
	const struct vhu_tapped *tapped = (const struct vhu_tapped *)packet;
	conv_hash_t *table = (conv_hash_t *)data;
	struct sides sides;

	if (tapped->type != VHU_RECORD_MESSAGE)
		return TAP_PACKET_DONT_REDRAW;
	table->flags = flags;
	set_sides(&sides, tapped);
	for (unsigned i = 0; i < 2; i++)
		add_endpoint_table_data(table, &sides.side[i], 0, i == tapped->from_back_end, 1,
					(int)pinfo->fd->pkt_len, &info, ENDPOINT_NONE);
	return TAP_PACKET_REDRAW;
}

/* Return the filter for stream @stream, which the caller frees. */
static char *follow_index(unsigned stream, unsigned sub_stream _U_)
{
	return g_strdup_printf("vhost_user.stream == %u", stream);
}

/* Return the filter for the stream of a packet, which the caller frees; NULL without one. */
static char *follow_packet(epan_dissect_t *edt _U_, packet_info *pinfo, unsigned *stream,
			   unsigned *sub_stream)
{
	*sub_stream = 0;
	if (!pinfo->conv_elements)
		return NULL;
	*stream = conversation_get_id_from_elements(pinfo, CONVERSATION_LOG, USE_LAST_ENDPOINT);
	return follow_index(*stream, 0);
}

/* Return no filter: sides have no address that tells one stream from another. */
static char *follow_address(address *source _U_, address *destination _U_, int source_port _U_,
			    int destination_port _U_)
{
	return NULL;
}

/* Return no name: there are no ports. */
static char *follow_port(wmem_allocator_t *allocator, unsigned port _U_)
{
	return wmem_strdup(allocator, "");
}

/* Append a message to a stream that is followed: the front-end is its client. */
static tap_packet_status follow_message(void *data, packet_info *pinfo, epan_dissect_t *edt _U_,
					const void *packet, tap_flags_t flags _U_)
{
	const struct vhu_tapped *tapped = (const struct vhu_tapped *)packet;
	follow_info_t *follow = (follow_info_t *)data;
	bool back = tapped->from_back_end;
	follow_record_t *record;

	if (!tapped->message || !tapped->size)
		return TAP_PACKET_DONT_REDRAW;
	if (follow->client_ip.type == AT_NONE) {
		copy_address(&follow->client_ip, back ? &pinfo->dst : &pinfo->src);
		copy_address(&follow->server_ip, back ? &pinfo->src : &pinfo->dst);
	}
	record = g_new0(follow_record_t, 1);
	record->is_server = back;
	record->packet_num = pinfo->num;
	record->abs_ts = pinfo->abs_ts;
	record->data = g_byte_array_append(g_byte_array_new(), tapped->message, tapped->size);
	follow->bytes_written[back] += tapped->size;
	follow->payload = g_list_prepend(follow->payload, record);
	return TAP_PACKET_DONT_REDRAW;
}

void vhu_conversation_register(int proto)
{
	register_conversation_table(proto, true, conversation_packet, endpoint_packet);
	ws_register_follow(proto, VHU_RECORD_DISSECTOR, follow_packet, follow_index, follow_address,
			   follow_port, follow_message, vhu_stream_count);
}
