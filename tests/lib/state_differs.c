/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not the same in two states of a session. */
#include "tests/lib/state_differs.h"

#include <string.h>

/* Return whether two vrings are the same. */
static bool same_vring(const struct vhu_vring *a, const struct vhu_vring *b)
{
	for (unsigned i = 0; i < VHU_VRING_ROLES; i++)
		if (!a->fd[i].number != !b->fd[i].number || a->fd[i].polling != b->fd[i].polling ||
		    a->fd[i].eventfd_id != b->fd[i].eventfd_id)
			return false;
	return a->size == b->size && a->descriptor == b->descriptor &&
	       a->available == b->available && a->used == b->used && a->base == b->base &&
	       a->base_got == b->base_got && a->enabled == b->enabled && a->started == b->started &&
	       a->enabled_unacknowledged == b->enabled_unacknowledged &&
	       !a->addresses_by == !b->addresses_by && !a->base_by == !b->base_by &&
	       !a->base_got_by == !b->base_got_by && a->start_ns == b->start_ns;
}

/* Return whether two regions are the same. */
static bool same_region(const struct vhu_region *a, const struct vhu_region *b)
{
	return a->guest_address == b->guest_address && a->size == b->size &&
	       a->user_address == b->user_address && a->mmap_offset == b->mmap_offset &&
	       a->has_fd == b->has_fd && a->fd.inode == b->fd.inode;
}

/* Return whether two sets of features are the same. */
static bool same_features(const struct vhu_feature_set *a, const struct vhu_feature_set *b)
{
	return a->offered == b->offered && a->taken == b->taken &&
	       !a->offered_by == !b->offered_by && !a->taken_by == !b->taken_by;
}

const char *state_differs(const struct vhu_state *a, const struct vhu_state *b)
{
	/* One of which something was said that tells nothing of it is as good as none. */
	static const struct vhu_vring unknown;

	if (memcmp(&a->context, &b->context, sizeof(a->context)))
		return "what its messages' meaning depends on";
	if (!same_features(&a->features, &b->features) ||
	    !same_features(&a->protocol_features, &b->protocol_features))
		return "the features";
	if (a->regions != b->regions)
		return "the number of regions";
	for (unsigned i = 0; i < a->regions; i++)
		if (!same_region(&a->region[i], &b->region[i]))
			return "a region";
	for (unsigned i = 0; i < a->vrings || i < b->vrings; i++)
		if (!same_vring(i < a->vrings ? &a->vring[i] : &unknown,
				i < b->vrings ? &b->vring[i] : &unknown))
			return "a vring";
	for (unsigned c = 0; c < VHU_CHANNELS; c++)
		if (a->channel[c].pending.count != b->channel[c].pending.count ||
		    a->channel[c].open != b->channel[c].open)
			return "a channel";
	return a->queue_num != b->queue_num || a->mem_slots != b->mem_slots ||
		       a->status != b->status || !a->owner_by != !b->owner_by ||
		       !a->log_by != !b->log_by || !a->inflight_by != !b->inflight_by
		   ? "something else"
		   : NULL;
}
