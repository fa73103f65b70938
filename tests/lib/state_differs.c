/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not the same in two states of a session. */
#include "tests/lib/state_differs.h"

#include <string.h>

/* Return whether two facts are the same and told by the same record. */
static bool same(const struct vhu_told *a, const struct vhu_told *b)
{
	return a->value == b->value && a->by == b->by;
}

/* Return whether two lists of @count hold the same records in any order; 0 is an empty place. */
static bool same_records(const uint64_t *a, const uint64_t *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned at = 0;

		while (a[i] && at < count && b[at] != a[i])
			at++;
		if (at == count)
			return false;
	}
	return true;
}

/* Return whether two kicks, calls or errs are the same. */
static bool same_fd(const struct vhu_vring_fd *a, const struct vhu_vring_fd *b)
{
	return a->number == b->number && a->polling == b->polling &&
	       a->eventfd_id == b->eventfd_id &&
	       vhu_fd_kind_name(a->kind) == vhu_fd_kind_name(b->kind);
}

/* Return whether all that is known of a vring, but what a reset tells, is newer than @number. */
static bool is_newer(const struct vhu_vring *vring, uint64_t number)
{
	struct vhu_vring without = *vring;

	/* The record of `enabled_with` is about features. */
	without.stopped = without.stopped_before = without.disabled = without.disabled_before =
	    without.enabled_with = (struct vhu_told){0};
#define VHU_VRING_FACT(member, ...)                                                                \
	if (without.member.by && without.member.by < number)                                       \
		return false;
#define VHU_VRING_FD(role, ...)                                                                    \
	if (without.fd[VHU_##role].number && without.fd[VHU_##role].number < number)               \
		return false;
#include "lib/session/state/state.def"
	return true;
}

/* Return whether facts that a reset may have told of vrings @a and @b are the same. A reset tells
 * them of the vrings that are known then: one that is known by newer records alone may be known
 * only later to one of the two. */
static bool same_reset(const struct vhu_vring *a, const struct vhu_told *of_a,
		       const struct vhu_vring *b, const struct vhu_told *of_b)
{
	if (!of_a->by || !of_b->by)
		return is_newer(a, of_b->by) && is_newer(b, of_a->by);
	return same(of_a, of_b);
}

/* Return whether a reset may have told a fact of a vring. */
static bool may_be_reset(const struct vhu_vring *vring, const struct vhu_told *told)
{
	return told == &vring->stopped || told == &vring->stopped_before ||
	       told == &vring->disabled || told == &vring->disabled_before;
}

/* Return what is not the same in two vrings; NULL: nothing. */
static const char *vring_differs(const struct vhu_vring *a, const struct vhu_vring *b)
{

#define VHU_VRING_FACT(member, ...)                                                                \
	if (!same(&a->member, &b->member) &&                                                       \
	    !(may_be_reset(a, &a->member) && same_reset(a, &a->member, b, &b->member)))            \
		return "vring." #member;
#define VHU_VRING_FD(role, ...)                                                                    \
	if (!same_fd(&a->fd[VHU_##role], &b->fd[VHU_##role]))                                      \
		return "vring." #role;
#include "lib/session/state/state.def"
	if (a->enabled_unacknowledged != b->enabled_unacknowledged)
		return "vring.enabled_unacknowledged";
	return a->start_ns != b->start_ns ? "vring.start_ns" : NULL;
}

/* Return what is not the same in two regions; NULL: nothing. */
static const char *region_differs(const struct vhu_region *a, const struct vhu_region *b)
{
#define VHU_REGION_SHOWN(member, ...)                                                              \
	if (a->member != b->member)                                                                \
		return "region." #member;
#include "lib/session/state/state.def"
	return a->number != b->number || a->has_fd != b->has_fd || a->fd.inode != b->fd.inode
		   ? "region"
		   : NULL;
}

/* Return what is not the same in two translations; NULL: nothing. */
static const char *translation_differs(const struct vhu_translation *a,
				       const struct vhu_translation *b)
{
	return a->iova != b->iova || a->user != b->user || a->size != b->size ? "a translation"
									      : NULL;
}

/* Return what is not the same in two channels; NULL: nothing. */
static const char *channel_differs(const struct vhu_channel_state *a,
				   const struct vhu_channel_state *b)
{
#define VHU_CHANNEL_FACT(member)                                                                   \
	if (!same(&a->member, &b->member))                                                         \
		return "channel." #member;
#define VHU_CHANNEL_SIDES(member)                                                                  \
	if (!same(&a->member[0], &b->member[0]) || !same(&a->member[1], &b->member[1]))            \
		return "channel." #member;
#include "lib/session/state/state.def"
	if (a->open != b->open || a->answered_message != b->answered_message ||
	    memcmp(a->last_message, b->last_message, sizeof(a->last_message)) ||
	    memcmp(a->last_is_reply, b->last_is_reply, sizeof(a->last_is_reply)))
		return "channel";
	if (a->pending.count != b->pending.count)
		return "the number of requests";
	for (unsigned i = 0; i < a->pending.count; i++) {
		const struct vhu_pending *one = vhu_pending_at(&a->pending, i);
		const struct vhu_pending *other = vhu_pending_at(&b->pending, i);

#define VHU_REQUEST_RECORD(id, member)                                                             \
	if (one->member != other->member)                                                          \
		return #id;
#include "lib/session/state/state.def"
		if (one->message != other->message)
			return "a request's message";
		if (one->due != other->due)
			return "whether a request must be answered";
		if (one->altered != other->altered || one->withheld != other->withheld)
			return "what the proxy did to a request";
	}
	return NULL;
}

/* Return what differs in the parts that a session has several of; NULL: nothing. */
static const char *parts_differ(const struct vhu_state *a, const struct vhu_state *b)
{
	/* A vring that nothing is known of is as good as none. */
	static const struct vhu_vring unknown;
	const char *what = NULL;

	if (a->regions != b->regions)
		return "the number of regions";
	for (unsigned i = 0; i < a->regions && !what; i++)
		what = region_differs(&a->region[i], &b->region[i]);
	for (unsigned i = 0; (i < a->vrings || i < b->vrings) && !what; i++)
		what = vring_differs(i < a->vrings ? &a->vring[i] : &unknown,
				     i < b->vrings ? &b->vring[i] : &unknown);
	for (unsigned i = 0; i < a->translations && !what; i++)
		what = translation_differs(&a->translation[i], &b->translation[i]);
	for (unsigned c = 0; c < VHU_CHANNELS && !what; c++)
		what = channel_differs(&a->channel[c], &b->channel[c]);
	return what;
}

const char *state_differs(const struct vhu_state *a, const struct vhu_state *b)
{
	const struct vhu_state *state = a;

	if (memcmp(&a->context, &b->context, sizeof(a->context)))
		return "context";
#define VHU_FEATURES(member, ...)                                                                  \
	if (!same(&a->member.offered, &b->member.offered) ||                                       \
	    !same(&a->member.acked, &b->member.acked))                                             \
		return #member;
#define VHU_SESSION_FACT(member, ...)                                                              \
	if (!same(&a->member, &b->member))                                                         \
		return #member;
#define VHU_SESSION_RECORDS(id, list, count)                                                       \
	state = a;                                                                                 \
	{                                                                                          \
		const uint64_t *in_a = (list);                                                     \
		const unsigned count_a = (count);                                                  \
                                                                                                   \
		state = b;                                                                         \
		if (count_a != (count) || !same_records(in_a, (list), count_a))                    \
			return #id;                                                                \
	}
#include "lib/session/state/state.def"
	return parts_differ(a, b);
}
