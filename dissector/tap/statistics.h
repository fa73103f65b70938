/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics over a file: how long replies took, how many messages and findings there are. */
#ifndef VHU_DISSECTOR_TAP_STATISTICS_H
#define VHU_DISSECTOR_TAP_STATISTICS_H

/* Register them for @proto. */
void vhu_statistics_register(int proto);

#endif
