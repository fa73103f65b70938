/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kick belongs to which call, by the traffic of eventfds. */
#include <stdlib.h>

#include "bpf/vring/roles.h"
#include "lib/util/util.h"
#include "tools/latency/sources/learn_internal.h"

/* Evidence that is enough: kicks taken, and percents of certainty. */
#define KICKS_ENOUGH 32
#define KICKS_FEW    4
#define SURE_ENOUGH  80
/* Scores that differ by less say the same. */
#define SCORE_TIE    10
/* Nothing is concluded before, so that vrings that are busy at once are numbered together. */
#define LISTEN_NS    (1 * VHU_NS_PER_S)
/* With less evidence than enough, what there is counts after this. */
#define PATIENCE_NS  (3 * VHU_NS_PER_S)

/* A kick and a call that may be a vring's. */
struct vhu_learn_pair {
	unsigned kick, call;
	unsigned score; /* 200 where all evidence is for it */
	unsigned order; /* how far apart their places are in the order of descriptors */
	unsigned sure;  /* percent */
};

/* Return whether an eventfd is a kick, or a call, that belongs to no vring yet. */
static bool is_free_kick(const struct vhu_learn_eventfd *shared)
{
	return shared && !shared->concluded && (shared->kvm || shared->reads > shared->writes);
}

static bool is_free_call(const struct vhu_learn_eventfd *shared)
{
	return shared && !shared->concluded && !shared->kvm && shared->writes > shared->reads;
}

/* Return whether an eventfd is a kick with some evidence. */
static bool is_candidate(const struct vhu_learn_eventfd *shared)
{
	return is_free_kick(shared) && shared->reads >= KICKS_FEW;
}

/* Return @part in percents of @whole. */
static unsigned percent(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned)(100 * part / whole) : 0;
}

/* Return which of the eventfds that @is holds for, in the order of descriptors, the one at @place
 * is. */
static unsigned rank(const struct vhu_learn *learn, unsigned place,
		     bool (*is)(const struct vhu_learn_eventfd *shared))
{
	unsigned before = 0;

	for (unsigned i = 0; i < SHARED_MAX; i++)
		before += is(learn->shared[i]) && learn->shared[i]->fd < learn->shared[place]->fd;
	return before;
}

/* Say what speaks for a kick and a call, with their ranks, being a vring's. */
static struct vhu_learn_pair weigh(const struct vhu_learn *learn, unsigned kick, unsigned call,
				   const unsigned ranks[SHARED_MAX])
{
	const struct vhu_learn_eventfd *k = learn->shared[kick], *c = learn->shared[call];
	unsigned between = percent(k->between[call], k->reads - 1);
	unsigned at = ranks[kick], other = ranks[call];

	return (struct vhu_learn_pair){
	    .kick = kick,
	    .call = call,
	    .score = between + percent(c->after[kick], c->writes),
	    .order = at < other ? other - at : at - other,
	    .sure = between,
	};
}

/* Return whether @pair is likelier than @other: by what was seen, and if that decides nothing,
 * by descriptor order: front-ends hand over their eventfds vring by vring. */
static bool is_likelier(const struct vhu_learn_pair *pair, const struct vhu_learn_pair *other)
{
	if (pair->score > other->score + SCORE_TIE || other->score > pair->score + SCORE_TIE)
		return pair->score > other->score;
	if (pair->order != other->order)
		return pair->order < other->order;
	return pair->score > other->score;
}

/* Find the likeliest pair among @count, which is as sure as its best rival is far behind. */
static struct vhu_learn_pair likeliest(const struct vhu_learn_pair *list, unsigned count)
{
	struct vhu_learn_pair best = list[0];
	unsigned rival = 0, sure;

	for (unsigned i = 1; i < count; i++)
		if (is_likelier(&list[i], &best))
			best = list[i];
	for (unsigned i = 0; i < count; i++)
		if ((list[i].kick == best.kick) != (list[i].call == best.call) &&
		    list[i].score > rival)
			rival = list[i].score;
	sure = 50 + (best.score > rival ? (best.score - rival) / 2 : 0);
	if (rival && sure < best.sure)
		best.sure = sure;
	return best;
}

/* Find the best pair among those that are free. Returns whether there is one (and
 * memory to tell). */
static bool best_pair(const struct vhu_learn *learn, struct vhu_learn_pair *best)
{
	unsigned kicks = 0, calls = 0, count = 0, ranks[SHARED_MAX] = {0};
	struct vhu_learn_pair *list;

	for (unsigned i = 0; i < SHARED_MAX; i++) {
		kicks += is_candidate(learn->shared[i]);
		calls += is_free_call(learn->shared[i]);
		if (is_free_kick(learn->shared[i]))
			ranks[i] = rank(learn, i, is_free_kick);
		else if (is_free_call(learn->shared[i]))
			ranks[i] = rank(learn, i, is_free_call);
	}
	list = kicks && calls ? calloc((size_t)kicks * calls, sizeof(*list)) : NULL;
	if (!list)
		return false;
	for (unsigned k = 0; k < SHARED_MAX; k++)
		for (unsigned c = 0; is_candidate(learn->shared[k]) && c < SHARED_MAX; c++)
			if (is_free_call(learn->shared[c]))
				list[count++] = weigh(learn, k, c, ranks);
	*best = likeliest(list, count);
	free(list);
	return true;
}

/* Order pairs by the descriptors of their kicks, for qsort_r. */
static int by_descriptor(const void *left, const void *right, void *with)
{
	const struct vhu_learn *learn = with;
	uint32_t a = learn->shared[((const struct vhu_learn_pair *)left)->kick]->fd;
	uint32_t b = learn->shared[((const struct vhu_learn_pair *)right)->kick]->fd;

	return a < b ? -1 : a > b;
}

/* Make a vring of a pair, or of a kick without a call: SHARED_MAX. */
static void make_vring(struct vhu_learn *learn, const struct vhu_learn_pair *pair)
{
	struct vhu_learn_eventfd *kick = learn->shared[pair->kick];
	struct vhu_learn_eventfd *call = pair->call < SHARED_MAX ? learn->shared[pair->call] : NULL;
	struct vhu_latency_vring *vring;

	pthread_mutex_lock(&learn->vrings->lock);
	vring = vhu_latency_vrings_get(learn->vrings, 0, kick->kvm ? kick->vring : learn->numbered);
	if (vring) {
		vring->sure = pair->sure;
		vring->seen = call ? (unsigned)kick->reads : 0;
		vring->kvm = kick->kvm;
		learn->numbered += !kick->kvm;
		/* As strangers first, else vrings would be watched as both. */
		vhu_probes_forget(learn->vrings->probes, &kick->held.eventfd);
		if (call)
			vhu_probes_forget(learn->vrings->probes, &call->held.eventfd);
		vhu_latency_vrings_want(learn->vrings, vring, VHU_KICK, true,
					kick->held.eventfd.eventfd_id);
		vhu_latency_vrings_want(learn->vrings, vring, VHU_CALL, call,
					call ? call->held.eventfd.eventfd_id : 0);
	}
	pthread_mutex_unlock(&learn->vrings->lock);
}

/* Make vrings of the pairs that there is evidence enough for. */
static void conclude_pairs(struct vhu_learn *learn, uint64_t now_ns)
{
	struct vhu_learn_pair list[SHARED_MAX], pair;
	unsigned count = 0;

	/* The surest takes its call first, which leaves the others less to choose from. */
	while (count < SHARED_MAX && best_pair(learn, &pair)) {
		struct vhu_learn_eventfd *kick = learn->shared[pair.kick];
		uint64_t listened = now_ns > kick->since_ns ? now_ns - kick->since_ns : 0;

		if (listened < LISTEN_NS)
			break;
		if (listened < PATIENCE_NS &&
		    (kick->reads < KICKS_ENOUGH || pair.sure < SURE_ENOUGH))
			break;
		kick->concluded = learn->shared[pair.call]->concluded = true;
		list[count++] = pair;
	}
	qsort_r(list, count, sizeof(list[0]), by_descriptor, learn);
	for (unsigned i = 0; i < count; i++)
		make_vring(learn, &list[i]);
}

/* Make vrings of the kicks that KVM names and that have no call: a driver that looks at its vrings
 * by itself wants none. */
static void conclude_without_calls(struct vhu_learn *learn, uint64_t now_ns)
{
	for (unsigned i = 0; i < SHARED_MAX; i++)
		if (is_free_call(learn->shared[i]))
			return;
	for (unsigned i = 0; i < SHARED_MAX; i++) {
		struct vhu_learn_eventfd *kick = learn->shared[i];

		if (!is_candidate(kick) || !kick->kvm || now_ns < kick->since_ns + PATIENCE_NS)
			continue;
		kick->concluded = true;
		make_vring(learn, &(struct vhu_learn_pair){.kick = i, .call = SHARED_MAX});
	}
}

void vhu_learn_conclude(struct vhu_learn *learn, uint64_t now_ns)
{
	conclude_pairs(learn, now_ns);
	conclude_without_calls(learn, now_ns);
}
