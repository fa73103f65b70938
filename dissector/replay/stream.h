/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams: each channel of each session, numbered from 0 in order of appearance. To Wireshark a
 * stream is a conversation, so the packet list draws a line along its packets.
 */
#ifndef VHU_DISSECTOR_REPLAY_STREAM_H
#define VHU_DISSECTOR_REPLAY_STREAM_H

#include "dissector/replay/history.h"
#include "dissector/ws_compat.h"

/* Begin with a new file. Wireshark frees what was kept of the last one. */
void vhu_stream_begin(void);

/*
 * Feed frame @number, dissected for the first time, which holds @record.
 * @history: gets the place of its session's history; the place holds NULL until there is a history.
 * Returns the number of the frame's stream.
 */
uint32_t vhu_stream_learn(const struct vhu_record *record, uint32_t number,
			  struct vhu_history ***history);

/* Return how many streams there are so far. */
uint32_t vhu_stream_count(void);

/* Give Wireshark the stream of a packet. */
void vhu_stream_set(packet_info *pinfo, uint32_t stream);

#endif
