/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The selftest: an eventfd of our own is kicked and read, and what the probes make of it is
 * compared with that. So a kernel whose structures or functions differ from what the programs
 * expect is found before anything is measured, and zeros are not taken for results.
 */
#ifndef VHU_BPF_VRING_SELFTEST_H
#define VHU_BPF_VRING_SELFTEST_H

struct vhu_probes;

/*
 * Try the attached probes on an eventfd of our own: learns what eventfds look like, and whether
 * signals from inside the kernel are seen.
 * Returns 0, or -errno: -ENXIO if they are attached but see nothing.
 */
int vhu_selftest_run(struct vhu_probes *probes);

#endif
