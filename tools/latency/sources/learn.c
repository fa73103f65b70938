/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vrings found without a capture. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/vring/roles.h"
#include "lib/util/util.h"
#include "tools/latency/sources/learn_internal.h"

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
	learn->fresh = true;
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

/* Ask KVM which vrings the shared eventfds kick. */
static void ask_kvm(struct vhu_learn *learn, const struct vhu_bpf_eventfd *list, int count)
{
	vhu_latency_vm_ask(&learn->vm, list, count, learn->back_end, learn->front_end);
	for (unsigned i = 0; i < SHARED_MAX; i++) {
		struct vhu_learn_eventfd *shared = learn->shared[i];
		const struct vhu_vm_kick *kick =
		    shared ? vhu_latency_vm_kick(&learn->vm, shared->held.eventfd.eventfd_id)
			   : NULL;

		if (!shared || shared->concluded)
			continue;
		shared->kvm = kick;
		shared->vring = kick ? kick->vring : 0;
	}
	learn->fresh = false;
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
	if (learn->fresh)
		ask_kvm(learn, list, count);
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
	vhu_learn_conclude(learn, now_ns);
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
		    .kvm = shared->kvm,
		    .vring = shared->vring,
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
	vhu_latency_vm_free(&learn->vm);
	free(learn);
}
