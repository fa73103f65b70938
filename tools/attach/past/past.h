/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions that began before the watch, as QEMU's monitor and KVM describe them. */
#ifndef VHU_TOOLS_ATTACH_PAST_PAST_H
#define VHU_TOOLS_ATTACH_PAST_PAST_H

#include "tools/attach/run.h"

/* Ask KVM for the kicks of the sessions that began before, and record them as reconstructed. */
void vhu_attach_ask_kvm(struct vhu_attach_run *run);

/* Ask QEMU (--qmp) what the session that began before has, and record that as reconstructed. Says
 * what cannot be done. Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED where there is no such monitor. */
int vhu_attach_ask_qemu(struct vhu_attach_run *run);

/* Stop the virtual machine and let it go on (--refresh), after saying so: QEMU then sets up all
 * vrings again. Returns VHU_EXIT_DONE, or VHU_EXIT_FAILED with what is wrong said. */
int vhu_attach_refresh(struct vhu_attach_run *run);

#endif
