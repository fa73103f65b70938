/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Streams in Wireshark's tables of conversations and endpoints, and followed from end to end. */
#ifndef VHU_DISSECTOR_TAP_CONVERSATION_H
#define VHU_DISSECTOR_TAP_CONVERSATION_H

/* Register the tables and "Follow stream" for @proto. */
void vhu_conversation_register(int proto);

#endif
