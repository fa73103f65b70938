/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vrings found without a capture. */
#include "tools/latency/sources/learn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/vring/roles.h"
#include "lib/util/util.h"

#define SHARED_MAX   VHU_LEARN_MAX
/* Threads of a back-end that are distinguished; a power of two. */
#define READERS      64
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

/* A shared eventfd. */
struct vhu_learn_eventfd {
	struct vhu_held held;
	bool used;
	uint32_t fd;                 /* of the back-end */
	uint64_t reads, writes;      /* by the back-end */
	uint64_t kicks;              /* writes by others */
	uint64_t count, first_count; /* what it counts, now and when it was found */
	bool counted;                /* these are known */
	bool read_by_others;
	uint64_t since_ns;            /* it was read, or written, first */
	uint64_t read_ns, written_ns; /* last */
	bool concluded;
	bool seen;                    /* in the last listing */
	uint32_t between[SHARED_MAX]; /* reads of it before which that one was written */
	uint32_t after[SHARED_MAX];   /* writes of it whose thread had last read that one */
};

/* A thread of the back-end, and the eventfd that it read last. */
struct vhu_learn_reader {
	uint32_t tid, place;
};

struct vhu_learn {
	struct vhu_latency_vrings *vrings;
	uint32_t back_end, front_end;
	struct vhu_learn_eventfd *shared[SHARED_MAX]; /* by place, which events name */
	struct vhu_learn_reader
	    reader[READERS]; /* by thread id; a newer one takes an older one's place */
	uint32_t numbered;   /* vrings, so far */
};

/* A kick and a call that may be a vring's. */
struct vhu_learn_pair {
	unsigned kick, call;
	unsigned score; /* 200 where all evidence is for it */
	unsigned order; /* how far apart their places are in the order of descriptors */
	unsigned sure;  /* percent */
};

/* Return whether another process of interest has an eventfd of the back-end's, too. */
static bool is_shared(const struct vhu_learn *learn, const struct vhu_bpf_eventfd *list, int count,
		      const struct vhu_bpf_eventfd *eventfd)
{
	for (int i = 0; i < count; i++)
		if (list[i].file == eventfd->file && !list[i].own &&
		    (learn->front_end ? list[i].pid == learn->front_end
				      : list[i].pid != learn->back_end))
			return true;
	return false;
}

/* Return whether a session tells that a vring has an eventfd. */
static bool is_told(const struct vhu_learn *learn, uint32_t id)
{
	bool told;

	pthread_mutex_lock(&learn->vrings->lock);
	told = vhu_latency_vrings_are_told(learn->vrings, id);
	pthread_mutex_unlock(&learn->vrings->lock);
	return told;
}

/* Read what an eventfd counts. */
static void read_count(struct vhu_learn_eventfd *shared)
{
	const bool first = !shared->counted;

	shared->counted = vhu_held_count(&shared->held, &shared->count);
	if (first)
		shared->first_count = shared->count;
}

/* Begin to watch a shared eventfd, unless it is already. Returns 0 or -errno. */
static int add(struct vhu_learn *learn, const struct vhu_bpf_eventfd *eventfd)
{
	struct vhu_bpf_role role = {.what = VHU_BPF_LEARN};
	int place = -1;
	const bool told = is_told(learn, eventfd->eventfd_id);
	struct vhu_learn_eventfd *shared;

	for (int i = SHARED_MAX - 1; i >= 0; i--) {
		if (!learn->shared[i]) {
			place = i;
		} else if (learn->shared[i]->held.eventfd.file == eventfd->file) {
			learn->shared[i]->seen = true;
			read_count(learn->shared[i]);
			learn->shared[i]->concluded |= told;
			return 0;
		}
	}
	if (told)
		return 0;
	shared = place < 0 ? NULL : calloc(1, sizeof(*shared));
	if (!shared)
		return -ENOMEM;
	if (vhu_held_open(&shared->held, eventfd) == -ESRCH) {
		free(shared);
		return 0;
	}
	shared->fd = eventfd->fd;
	shared->seen = true;
	read_count(shared);
	role.slot = (uint32_t)place;
	if (vhu_probes_assign(learn->vrings->probes, eventfd, &role)) {
		vhu_held_close(&shared->held);
		free(shared);
		return -ENOSPC;
	}
	learn->shared[place] = shared;
	for (int i = 0; i < SHARED_MAX; i++)
		if (learn->shared[i])
			learn->shared[i]->between[place] = learn->shared[i]->after[place] = 0;
	return 0;
}

/* Stop watching an eventfd that is no longer shared. */
static void drop(struct vhu_learn *learn, unsigned place)
{
	struct vhu_learn_eventfd *shared = learn->shared[place];

	if (!shared->concluded)
		vhu_probes_forget(learn->vrings->probes, &shared->held.eventfd);
	vhu_held_close(&shared->held);
	free(shared);
	learn->shared[place] = NULL;
}

/* Look which eventfds are shared now. Returns how many, or -errno. */
static int look(struct vhu_learn *learn)
{
	struct vhu_bpf_eventfd *list;
	int count = vhu_probes_list(learn->vrings->probes, &list), shared = 0;

	if (count < 0)
		return count;
	for (int i = 0; i < SHARED_MAX; i++)
		if (learn->shared[i])
			learn->shared[i]->seen = false;
	for (int i = 0; i < count; i++)
		if (list[i].pid == learn->back_end && is_shared(learn, list, count, &list[i])) {
			shared++;
			add(learn, &list[i]);
		}
	free(list);
	for (unsigned i = 0; i < SHARED_MAX; i++)
		if (learn->shared[i] && !learn->shared[i]->seen)
			drop(learn, i);
	return shared;
}

int vhu_learn_start(struct vhu_learn **to, struct vhu_latency_vrings *vrings, uint32_t back_end,
		    uint32_t front_end)
{
	struct vhu_learn *learn = calloc(1, sizeof(*learn));
	int ret;

	*to = NULL;
	if (!learn)
		return -ENOMEM;
	learn->vrings = vrings;
	learn->back_end = back_end;
	learn->front_end = front_end;
	ret = look(learn);
	if (ret > 0)
		*to = learn;
	else
		vhu_learn_close(learn);
	return ret;
}

int vhu_learn_open(struct vhu_learn **to, const struct vhu_command *command,
		   struct vhu_latency_vrings *vrings, uint32_t back_end, uint32_t front_end)
{
	int ret = vhu_learn_start(to, vrings, back_end, front_end);

	if (ret > 0)
		return VHU_EXIT_DONE;
	if (ret < 0)
		return vhu_fail(command, "eventfds cannot be listed: %s", strerror(-ret));
	if (front_end)
		return vhu_fail(command,
				"pids %u and %u share no eventfd: is a session open "
				"between them?",
				back_end, front_end);
	return vhu_fail(command,
			"pid %u shares no eventfd with another process: is it a back-end "
			"with an open session?",
			back_end);
}

void vhu_learn_see(struct vhu_learn *learn, const struct vhu_bpf_event *event)
{
	struct vhu_learn_eventfd *shared =
	    event->slot < SHARED_MAX ? learn->shared[event->slot] : NULL;
	struct vhu_learn_reader *reader;

	if (!shared)
		return;
	/* The front-end's own use of both tells whose they are no better than the back-end's. */
	if (event->who.pid != learn->back_end) {
		shared->kicks += event->what == VHU_EVENT_LEARN_WRITE;
		shared->read_by_others |= event->what == VHU_EVENT_LEARN_READ;
		return;
	}
	if (!shared->since_ns)
		shared->since_ns = event->time_ns;
	reader = &learn->reader[event->who.tid % READERS];
	if (event->what == VHU_EVENT_LEARN_WRITE) {
		shared->writes++;
		shared->written_ns = event->time_ns;
		if (reader->tid == event->who.tid)
			shared->after[reader->place]++;
		return;
	}
	*reader = (struct vhu_learn_reader){event->who.tid, event->slot};
	for (unsigned i = 0; shared->read_ns && i < SHARED_MAX; i++)
		if (learn->shared[i] && learn->shared[i]->written_ns > shared->read_ns)
			shared->between[i]++;
	shared->reads++;
	shared->read_ns = event->time_ns;
}

/* Return whether an eventfd is a kick, or a call, that belongs to no vring yet. */
static bool is_free_kick(const struct vhu_learn_eventfd *shared)
{
	return shared && !shared->concluded && shared->reads > shared->writes;
}

static bool is_free_call(const struct vhu_learn_eventfd *shared)
{
	return shared && !shared->concluded && shared->writes > shared->reads;
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

/* Make a vring of a pair. */
static void make_vring(struct vhu_learn *learn, const struct vhu_learn_pair *pair)
{
	struct vhu_learn_eventfd *kick = learn->shared[pair->kick],
				 *call = learn->shared[pair->call];
	struct vhu_latency_vring *vring;

	pthread_mutex_lock(&learn->vrings->lock);
	vring = vhu_latency_vrings_get(learn->vrings, 0, learn->numbered);
	if (vring) {
		vring->sure = pair->sure;
		vring->seen = (unsigned)kick->reads;
		learn->numbered++;
		/* As strangers first, else vrings would be watched as both. */
		vhu_probes_forget(learn->vrings->probes, &kick->held.eventfd);
		vhu_probes_forget(learn->vrings->probes, &call->held.eventfd);
		vhu_latency_vrings_want(learn->vrings, vring, VHU_KICK, true,
					kick->held.eventfd.eventfd_id);
		vhu_latency_vrings_want(learn->vrings, vring, VHU_CALL, true,
					call->held.eventfd.eventfd_id);
	}
	pthread_mutex_unlock(&learn->vrings->lock);
}

/* Conclude what there is evidence enough for. */
static void conclude(struct vhu_learn *learn, uint64_t now_ns)
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

/* Return whether the back-end is gone. */
static bool is_gone(const struct vhu_learn *learn)
{
	return kill((pid_t)learn->back_end, 0) && errno == ESRCH;
}

bool vhu_learn_tick(struct vhu_learn *learn, uint64_t now_ns)
{
	if (is_gone(learn))
		return false;
	if (look(learn) < 0)
		return false;
	conclude(learn, now_ns);
	return true;
}

/* Return how many kicks an eventfd has had. The hooks may be blind to some, which its counter has.
 */
static uint64_t kicks_of(const struct vhu_learn_eventfd *shared)
{
	const uint64_t counted = shared->counted && shared->count > shared->first_count
				     ? shared->count - shared->first_count
				     : 0;

	return counted > shared->kicks ? counted : shared->kicks;
}

/* Return whether an eventfd is signalled and never read: a kick, most likely. */
static bool is_unread(const struct vhu_learn_eventfd *shared)
{
	return !shared->concluded && !shared->reads && !shared->writes && !shared->read_by_others &&
	       (shared->counted ? shared->count : shared->kicks);
}

unsigned vhu_learn_silent(const struct vhu_learn *learn)
{
	unsigned silent = 0;

	if (is_gone(learn))
		return 0;
	for (unsigned i = 0; i < SHARED_MAX; i++)
		silent += learn->shared[i] && !learn->shared[i]->concluded &&
			  !is_unread(learn->shared[i]);
	return silent;
}

unsigned vhu_learn_unread(const struct vhu_learn *learn, struct vhu_learn_unread *list,
			  unsigned most)
{
	unsigned count = 0;

	for (unsigned i = 0; i < SHARED_MAX && count < most; i++) {
		const struct vhu_learn_eventfd *shared = learn->shared[i];

		if (!shared || !is_unread(shared))
			continue;
		list[count++] = (struct vhu_learn_unread){
		    .id = shared->held.eventfd.eventfd_id,
		    .kicks = kicks_of(shared),
		    .count_known = shared->counted,
		    .count = shared->count,
		};
	}
	return count;
}

void vhu_learn_close(struct vhu_learn *learn)
{
	if (!learn)
		return;
	for (unsigned i = 0; i < SHARED_MAX; i++)
		if (learn->shared[i])
			drop(learn, i);
	free(learn);
}
