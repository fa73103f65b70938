/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dissector "vhost_user", which Wireshark calls for packets whose tags name it. */
#ifndef VHU_DISSECTOR_DISSECT_H
#define VHU_DISSECTOR_DISSECT_H

/* Register the protocol, its fields, its preferences and the dissector. */
void vhu_dissect_register(void);

/* Look up what others registered. Link type 252 finds the dissector by its name. */
void vhu_dissect_handoff(void);

#endif
