/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams: each channel of each session, numbered from 0 in the order in which they show up. To
 * Wireshark a stream is a conversation, so that the list can draw a line along its packets.
 */
#ifndef VHU_DISSECTOR_STREAM_H
#define VHU_DISSECTOR_STREAM_H

#include "dissector/history.h"
#include "dissector/ws_compat.h"

/* Begin with a new file. What is kept of the last one goes with Wireshark's memory of it. */
void vhu_stream_begin(void);

/*
 * Take in frame @number, which holds @record and is dissected for the first time.
 * @history: gets where its session's history is kept, NULL in it as long as there is none.
 * Returns the number of its stream.
 */
uint32_t vhu_stream_learn(const struct vhu_record *record, uint32_t number,
			  struct vhu_history ***history);

/* Return how many streams there are so far. */
uint32_t vhu_stream_count(void);

/* Tell Wireshark to which stream a packet belongs. */
void vhu_stream_set(packet_info *pinfo, uint32_t stream);

#endif
