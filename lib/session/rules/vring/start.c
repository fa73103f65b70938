/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about where vrings lie, and how they begin to run. */
#include <inttypes.h>
#include <linux/virtio_ids.h>

#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"
#include "lib/session/rules/vring/vring.h"

/* What is sent within this belongs together. */
#define BURST_NS UINT64_C(1000000000)

/* Report an area that is not in memory. @region: the one that holds its start, or -1. */
static void report_unmapped(struct vhu_check_context *check, int index,
			    const struct vhu_vring *vring, const struct vhu_vring_area *area,
			    int region, bool as_guest)
{
	const struct vhu_region *in = region < 0 ? NULL : &check->state->region[region];

	if (in)
		vhu_report(check, VHU_RULE_AT_315, vring->descriptor.by,
			   "the %s area of vring %d, 0x%" PRIx64 " bytes at 0x%" PRIx64
			   ", begins in region %d and ends beyond it, which ends at 0x%" PRIx64,
			   area->name, index, area->size, area->address, region,
			   (as_guest ? in->guest_address : in->user_address) + in->size);
	else
		vhu_report(check, VHU_RULE_AT_315, vring->descriptor.by,
			   "the %s area of vring %d, 0x%" PRIx64 " bytes at 0x%" PRIx64
			   ", lies in no memory region; %u %s known",
			   area->name, index, area->size, area->address, check->state->regions,
			   check->state->regions == 1 ? "is" : "are");
}

/* Look at where an area lies. */
static void check_area(struct vhu_check_context *check, int index, const struct vhu_vring *vring,
		       const struct vhu_vring_area *area)
{
	bool as_guest = vhu_taken(check, VHU_PF_GPA_ADDRESSES);

	if (area->address % area->alignment)
		vhu_report(check, VHU_RULE_AT_316, vring->descriptor.by,
			   "the %s area of vring %d at 0x%" PRIx64 " is not aligned to %u bytes",
			   area->name, index, area->address, area->alignment);
	if (vhu_state_region(check->state, area->address, area->size, as_guest) >= 0)
		return;
	if (as_guest && vhu_state_region(check->state, area->address, area->size, false) >= 0) {
		if (vhu_report_first(check, VHU_RULE_AT_206))
			vhu_report(check, VHU_RULE_AT_206, check->state->protocol_features.acked.by,
				   "bit 21 was acked, GPA_ADDRESSES, and vring %d has the "
				   "front-end's addresses: to one side bit 21 is an older SHMEM",
				   index);
		return;
	}
	report_unmapped(check, index, vring, area,
			vhu_state_region(check->state, area->address, 1, as_guest), as_guest);
}

/* Look at where a ring lies, once all that is needed to tell is known. */
static void check_addresses(struct vhu_check_context *check, int index, struct vhu_vring *vring)
{
	struct vhu_vring_area area[3];
	bool packed;

	/* With an IOMMU these are addresses that are translated when they are used. */
	if (!vhu_check_format(check, &packed) || vring->addresses_checked ||
	    !vring->descriptor.by || !vring->size.by || !check->state->regions ||
	    !vring->size.value || vring->size.value > VHU_RING_SIZE_MAX ||
	    (check->state->context.features >> VHU_F_ACCESS_PLATFORM & 1))
		return;
	vring->addresses_checked = true;
	vhu_vring_areas(vring, packed, area);
	for (unsigned i = 0; i < 3; i++)
		check_area(check, index, vring, &area[i]);
	for (unsigned i = 0; i < 3; i++) {
		const struct vhu_vring_area *a = &area[i], *b = &area[(i + 1) % 3];

		if (a->address < b->address + b->size && b->address < a->address + a->size)
			vhu_report(check, VHU_RULE_AT_314, vring->size.by,
				   "the %s and %s areas of vring %d overlap: they were laid out "
				   "for a smaller ring than one of %" PRIu64,
				   a->name, b->name, index, vring->size.value);
	}
}

/* Look at a ring that was just started. */
static void check_started(struct vhu_check_context *check, int index, const struct vhu_vring *vring)
{
	struct vhu_state *state = check->state;

	if (check->whole && !state->context.has_features &&
	    vhu_report_first(check, VHU_RULE_AT_210))
		vhu_report(check, VHU_RULE_AT_210, state->features.offered.by,
			   "vring %d starts before any %s", index,
			   vhu_messages[VHU_MSG_SET_FEATURES].name);
	if (state->context.has_features && state->context.has_protocol_features &&
	    !(state->context.features >> VHU_F_PROTOCOL_FEATURES & 1) &&
	    vhu_report_first(check, VHU_RULE_AT_213))
		vhu_report(check, VHU_RULE_AT_213, state->features.acked.by,
			   "vring %d starts enabled: protocol features are in use, and message "
			   "%" PRIu64 " did not take bit 30",
			   index, state->features.acked.by);
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *other = &state->vring[i];

		/* The other was enabled while this one was being set up. */
		if ((int)i != index && other->enabled.value &&
		    vring->descriptor.by > vring->stopped.by &&
		    other->enabled.by > vring->descriptor.by) {
			vhu_report(check, VHU_RULE_AT_301, other->enabled.by,
				   "vring %d has its addresses from message %" PRIu64
				   " and gets its kick only after message %" PRIu64
				   " enabled vring %u",
				   index, vring->descriptor.by, other->enabled.by, i);
			return;
		}
	}
}

/* Look at a ring of a network device that was just started, whose pair was enabled before it was
 * set up. Front-ends that enable both at first start what is enabled already. */
static void check_pair(struct vhu_check_context *check, int index, const struct vhu_vring *vring)
{
	const struct vhu_state *state = check->state;
	const struct vhu_vring *pair = vhu_state_vring(state, (uint64_t)index ^ 1);

	if (!pair || state->context.device != VIRTIO_ID_NET || vring->enabled.value ||
	    !pair->started.value || !pair->enabled.value || pair->enabled.by < vring->stopped.by ||
	    pair->enabled.by > vring->descriptor.by ||
	    vhu_check_since(check, pair->enabled_ns) >= BURST_NS)
		return;
	vhu_report(check, VHU_RULE_AT_324, pair->enabled.by,
		   "vring %d is set up after message %" PRIu64
		   " enabled vring %d, the other of its pair: a back-end that takes that as the "
		   "pair's start misses it",
		   index, pair->enabled.by, index ^ 1);
}

/* Look at a ring that runs from now on. */
static void check_complete(struct vhu_check_context *check, int index,
			   const struct vhu_vring *vring)
{
	const char *lacks = !vring->size.by ? vhu_messages[VHU_MSG_SET_VRING_NUM].name
					    : vhu_messages[VHU_MSG_SET_VRING_ADDR].name;

	if (check->whole && vring->started.value && vring->enabled.value &&
	    !(vring->size.by && vring->descriptor.by) && vhu_report_first(check, VHU_RULE_AT_326))
		vhu_report(check, VHU_RULE_AT_326, vring->started.by,
			   "vring %d is started and enabled, and had no %s", index, lacks);
}

void vhu_rules_ring_start(struct vhu_check_context *check)
{
	int index = check->note->vring;
	struct vhu_vring *vring;

	/* Memory that goes from under a running ring. */
	for (unsigned i = 0;
	     vhu_check_message(check) == VHU_REQUEST(SET_MEM_TABLE) && i < check->state->vrings;
	     i++)
		if (check->state->vring[i].started.value)
			check_addresses(check, (int)i, &check->state->vring[i]);
	if (index < 0 || (unsigned)index >= check->state->vrings || check->note->reply ||
	    check->record->channel != VHU_FRONT_END)
		return;
	vring = &check->state->vring[index];
	/* A size from before the ring was stopped may be about to change. */
	if ((vhu_check_message(check) == VHU_REQUEST(SET_VRING_ADDR) &&
	     vring->size.by > vring->stopped.by) ||
	    vhu_check_message(check) == VHU_REQUEST(SET_VRING_KICK))
		check_addresses(check, index, vring);
	if (vhu_check_message(check) == VHU_REQUEST(SET_VRING_KICK) &&
	    vring->started.by == check->number) {
		check_started(check, index, vring);
		check_pair(check, index, vring);
		vhu_rules_inflight_start(check, index, vring);
		check_complete(check, index, vring);
	}
	if (vhu_check_message(check) == VHU_REQUEST(SET_VRING_ENABLE))
		check_complete(check, index, vring);
}
