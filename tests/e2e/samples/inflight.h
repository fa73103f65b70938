/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the back-end's code calls in inflight.c, at each step of what it writes. */
#ifndef VHU_E2E_SAMPLE_INFLIGHT_H
#define VHU_E2E_SAMPLE_INFLIGHT_H

#define vhu_inflight_step sample_inflight_step
void sample_inflight_step(void);

#endif
