/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of a session's vrings for a report. */
#include "tools/report/gather/vrings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/show/snapshot.h"
#include "tools/report/gather/room.h"

/* Snapshots that are kept of a session. */
#define SNAPSHOTS_MAX 100

/* Have a place for a vring. Returns it, or NULL out of memory. */
static struct vhu_report_vring *vring_of(struct vhu_report_vrings *vrings, unsigned index)
{
	struct vhu_report_vring *grown;

	if (index >= vrings->vrings) {
		grown = realloc(vrings->vring, (index + 1) * sizeof(*grown));
		if (!grown)
			return NULL;
		memset(grown + vrings->vrings, 0, (index + 1 - vrings->vrings) * sizeof(*grown));
		vrings->vring = grown;
		vrings->vrings = index + 1;
	}
	return &vrings->vring[index];
}

/* Return how a vring stands. */
static enum vhu_life life_of(const struct vhu_vring *vring)
{
	if (vring->started.value)
		return vring->enabled.value ? VHU_LIFE_RUNNING : VHU_LIFE_STARTED;
	if (vring->stopped.by)
		return VHU_LIFE_STOPPED;
	return vring->size.by || vring->descriptor.by || vring->base.by ||
		       vring->fd[VHU_KICK].number
		   ? VHU_LIFE_SET_UP
		   : VHU_LIFE_NONE;
}

/* Keep where a vring's areas lie. */
static void keep_areas(struct vhu_report_vrings *vrings, const struct vhu_state *state, unsigned at)
{
	const struct vhu_vring *vring = &state->vring[at];
	const bool packed = state->context.features >> VHU_F_RING_PACKED & 1;
	const bool guest = state->context.protocol_features >> VHU_PF_GPA_ADDRESSES & 1;
	struct vhu_vring_area area[3];

	if (!vring->descriptor.by || !vring->size.value)
		return;
	vhu_vring_areas(vring, packed, area);
	for (unsigned i = 0; i < 3; i++) {
		int region = vhu_state_region(state, area[i].address, area[i].size, guest);
		const struct vhu_region *in = region < 0 ? NULL : &state->region[region];

		vrings->area[vrings->areas++] = (struct vhu_report_area){
		    .name = area[i].name,
		    .vring = at,
		    .region = region,
		    .offset = !in     ? area[i].address
			      : guest ? area[i].address - in->guest_address
				      : area[i].address - in->user_address,
		    .size = area[i].size,
		};
	}
}

/* Keep where memory and vrings lie. Returns 0 or -ENOMEM. */
static int keep_map(struct vhu_report_vrings *vrings, const struct vhu_state *state,
		    uint64_t number)
{
	vrings->regions = vrings->areas = 0;
	free(vrings->region);
	free(vrings->area);
	vrings->region = calloc(state->regions + 1, sizeof(*vrings->region));
	vrings->area = calloc(3 * (size_t)state->vrings + 1, sizeof(*vrings->area));
	if (!vrings->region || !vrings->area)
		return -ENOMEM;
	for (unsigned i = 0; i < state->regions; i++)
		vrings->region[vrings->regions++] = (struct vhu_report_region){
		    state->region[i].guest_address, state->region[i].size};
	/* With an IOMMU the addresses are others, which are translated when they are used. */
	if (!(state->context.features >> VHU_F_ACCESS_PLATFORM & 1))
		for (unsigned i = 0; i < state->vrings; i++)
			keep_areas(vrings, state, i);
	vrings->map_by = number;
	return 0;
}

/* Look how the vrings stand after a message. Returns 0 or -ENOMEM. */
static int see_message(struct vhu_report_vrings *vrings, const struct vhu_record *record,
		       uint64_t number, const struct vhu_state *state)
{
	bool starts = false;

	for (unsigned i = 0; i < state->vrings && i < VHU_VRINGS_MAX; i++) {
		struct vhu_report_vring *vring = vring_of(vrings, i);
		enum vhu_life life = life_of(&state->vring[i]);

		if (!vring || vhu_report_room(&vrings->change, vrings->changes,
					      &vrings->change_room, sizeof(*vrings->change)))
			return -ENOMEM;
		if (life == vring->life)
			continue;
		starts |= (life == VHU_LIFE_STARTED || life == VHU_LIFE_RUNNING) &&
			  vring->life != VHU_LIFE_STARTED && vring->life != VHU_LIFE_RUNNING;
		vring->life = (uint8_t)life;
		vrings->change[vrings->changes++] =
		    (struct vhu_report_change){record->time_ns, number, (uint8_t)i, (uint8_t)life};
	}
	return starts ? keep_map(vrings, state, number) : 0;
}

/* Keep a time that was measured. Returns 0 or -ENOMEM. */
static int keep_sample(struct vhu_report_vrings *vrings, const struct vhu_record *record,
		       enum vhu_measure measure, uint64_t ns)
{
	const unsigned vring = record->vring.vring;

	if (vhu_report_room(&vrings->sample, vrings->samples, &vrings->sample_room,
			    sizeof(*vrings->sample)))
		return -ENOMEM;
	vrings->sample[vrings->samples++] =
	    (struct vhu_report_sample){record->time_ns, ns, (uint8_t)vring, (uint8_t)measure};
	return vhu_histogram_add(&vrings->vring[vring].took[measure], ns, 1);
}

/* Count what happened on a vring. Returns 0 or -ENOMEM. */
static int see_event(struct vhu_report_vrings *vrings, const struct vhu_record *record)
{
	const struct vhu_vring_event *event = &record->vring;
	struct vhu_report_vring *vring;
	int error = 0;

	if (event->vring >= VHU_VRINGS_MAX || event->act >= VHU_ACTS)
		return 0;
	vring = vring_of(vrings, event->vring);
	if (!vring)
		return -ENOMEM;
	vring->acts[event->act]++;
	if (event->has & VHU_VRING_HAS_FATE) {
		vring->lost += event->fate == VHU_FATE_LOST;
		vring->delayed += event->fate == VHU_FATE_DELAYED;
		vring->repeated += event->fate == VHU_FATE_REPEATED;
	}
	if (event->has & VHU_VRING_HAS_KICK_TO_WAKE)
		error = keep_sample(vrings, record, VHU_KICK_TO_WAKE, event->kick_to_wake);
	if (!error && event->has & VHU_VRING_HAS_WAKE_TO_CALL)
		error = keep_sample(vrings, record, VHU_WAKE_TO_CALL, event->wake_to_call);
	if (!error && event->has & VHU_VRING_HAS_KICK_TO_CALL)
		error = keep_sample(vrings, record, VHU_KICK_TO_CALL, event->kick_to_call);
	return error;
}

/* Keep a snapshot of a vring. Returns 0 or -ENOMEM. */
static int see_snapshot(struct vhu_report_vrings *vrings, const struct vhu_record *record,
			uint64_t number)
{
	struct vhu_report_snapshot *kept;
	char title[1024];
	size_t size;
	FILE *to;

	vrings->hangs += record->snapshot.hangs;
	if (vrings->snapshots == SNAPSHOTS_MAX)
		return 0;
	if (vhu_report_room(&vrings->snapshot, vrings->snapshots, &vrings->snapshot_room,
			    sizeof(*vrings->snapshot)))
		return -ENOMEM;
	kept = &vrings->snapshot[vrings->snapshots++];
	vhu_snapshot_text(&record->snapshot, title, sizeof(title));
	*kept = (struct vhu_report_snapshot){
	    .time_ns = record->time_ns,
	    .number = number,
	    .vring = record->snapshot.vring,
	    .hangs = record->snapshot.hangs,
	    .title = strdup(title),
	};
	to = open_memstream(&kept->text, &size);
	if (!to)
		return -ENOMEM;
	vhu_show_snapshot(to, &record->snapshot);
	return fclose(to) || !kept->title ? -ENOMEM : 0;
}

int vhu_report_vrings_see(struct vhu_report_vrings *vrings, const struct vhu_record *record,
			  uint64_t number, const struct vhu_annotation *note)
{
	if (record->type == VHU_RECORD_MESSAGE && note->state)
		return see_message(vrings, record, number, note->state);
	if (record->type == VHU_RECORD_VRING)
		return see_event(vrings, record);
	if (record->type == VHU_RECORD_SNAPSHOT)
		return see_snapshot(vrings, record, number);
	return 0;
}

void vhu_report_vrings_free(struct vhu_report_vrings *vrings)
{
	for (unsigned i = 0; i < vrings->vrings; i++)
		for (unsigned m = 0; m < VHU_MEASURES; m++)
			vhu_histogram_free(&vrings->vring[i].took[m]);
	for (uint32_t i = 0; i < vrings->snapshots; i++) {
		free(vrings->snapshot[i].title);
		free(vrings->snapshot[i].text);
	}
	free(vrings->vring);
	free(vrings->change);
	free(vrings->sample);
	free(vrings->snapshot);
	free(vrings->region);
	free(vrings->area);
	*vrings = (struct vhu_report_vrings){0};
}
