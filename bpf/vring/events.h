/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single events, from the programs to the user of the probes. */
#ifndef VHU_BPF_VRING_EVENTS_H
#define VHU_BPF_VRING_EVENTS_H

#include <stdint.h>

struct vhu_probes;

/* Open the map of events, which has descriptor @map. Returns 0 or -errno. */
int vhu_probes_events_open(struct vhu_probes *probes, int map);
void vhu_probes_events_close(struct vhu_probes *probes);

/* Pass the events that there are to choice->see, some thousands at most. Returns how many; -EAGAIN
 * if there may be more; -errno. */
int vhu_probes_events(struct vhu_probes *probes);
/* Return a descriptor that is readable when a slow call was seen. */
int vhu_probes_events_fd(const struct vhu_probes *probes);
/* Return how many events were lost for want of room. */
uint64_t vhu_probes_dropped(const struct vhu_probes *probes);

#endif
