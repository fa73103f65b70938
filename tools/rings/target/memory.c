/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of sessions, opened read-only by the descriptors that their processes hold. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/rings/process/peers.h"
#include "tools/rings/target/target.h"

/* Open a file that a session shares, by way of any process that has the file open or mapped.
 * Returns a descriptor or -errno. */
static int open_shared(const struct vhu_rings_memory *memory, const struct vhu_rings_file *file)
{
	int ret = -ENOENT, refused = 0;

	for (unsigned side = 0; side < VHU_RINGS_SIDES && ret < 0; side++) {
		if (!memory->process[side])
			continue;
		ret = vhu_rings_process_open_file(memory->process[side], file);
		if (ret == -EACCES || ret == -EPERM)
			refused = ret;
	}
	if (ret < 0)
		ret = vhu_rings_open_file_anywhere(file);
	return ret < 0 && refused ? refused : ret;
}

/* Return the file that the front-end has mapped at a region's address, for a session that does not
 * say which one it is. */
static struct vhu_rings_file file_by_map(const struct vhu_rings_memory *memory,
					 struct vhu_ring_region *region)
{
	const struct vhu_rings_process *process = memory->process[VHU_RINGS_FRONT];
	const struct vhu_rings_map *map =
	    process ? vhu_rings_process_map(process, region->user) : NULL;

	for (unsigned i = process ? process->eventfds : 0; map && i < process->opens; i++)
		if (process->open[i].file.known && process->open[i].file.inode == map->inode) {
			region->offset = map->offset + (region->user - map->start);
			return process->open[i].file;
		}
	return (struct vhu_rings_file){0};
}

/* Open the file of a region. Returns 0 or -errno. */
static int open_region(struct vhu_rings_memory *memory, const struct vhu_rings_region *from,
		       struct vhu_ring_region *region)
{
	struct vhu_rings_file file = from->file;

	*region = (struct vhu_ring_region){
	    .guest = from->guest, .user = from->user, .size = from->size, .offset = from->offset};
	if (!file.known)
		file = file_by_map(memory, region);
	region->fd = file.known ? open_shared(memory, &file) : -ENOENT;
	return region->fd < 0 ? region->fd : 0;
}

/* Open the in-flight area; without it its part of verdicts is missing. */
static void open_inflight(struct vhu_rings_memory *memory)
{
	const struct vhu_rings_area *area = &memory->session->inflight;
	struct vhu_ring_region *region = &memory->inflight_region;

	*region = (struct vhu_ring_region){.size = area->size, .offset = area->offset, .fd = -1};
	if (area->file.known && area->size)
		region->fd = open_shared(memory, &area->file);
	memory->inflight = (struct vhu_ring_memory){
	    .read = vhu_ring_read_file, .region = region, .regions = region->fd >= 0};
}

/* A proxy that is looked for. */
struct sought_proxy {
	struct vhu_rings_targets *targets;
	const struct vhu_rings_session *session;
	struct vhu_rings_process *found;
};

/* Return whether a process has a kick or a call of the front-end that the proxy keeps for itself.
 */
static bool has_interposed(const struct vhu_rings_process *process,
			   const struct vhu_rings_session *session)
{
	for (unsigned i = 0; i < session->vrings; i++)
		for (unsigned role = 0; role < VHU_VRING_ROLES; role++) {
			const struct vhu_rings_vring *vring = &session->vring[i];

			if (vring->interposed[role] && vring->fd[role].known &&
			    vhu_rings_process_eventfd(process, vring->fd[role].id))
				return true;
		}
	return false;
}

/* Take a process at the other end of the front-end's connection if it stands between. */
static bool take_proxy(uint32_t pid, void *with)
{
	struct sought_proxy *sought = with;
	struct vhu_rings_process process = {.pid = pid};

	if (pid == sought->session->pid[VHU_RINGS_FRONT] ||
	    pid == sought->session->pid[VHU_RINGS_BACK])
		return false;
	if (!vhu_rings_process_read(&process) && has_interposed(&process, sought->session))
		sought->found = vhu_rings_process(&sought->targets->processes, pid);
	free(process.open);
	return sought->found;
}

/* Find the proxy that stands between kicks and calls. Returns NULL if none is known. */
static struct vhu_rings_process *find_proxy(struct vhu_rings_targets *targets,
					    const struct vhu_rings_session *session)
{
	struct sought_proxy sought = {.targets = targets, .session = session};
	bool interposed = false;

	for (unsigned i = 0; i < session->vrings; i++)
		for (unsigned role = 0; role < VHU_VRING_ROLES; role++)
			interposed |= session->vring[i].interposed[role];
	if (interposed && session->pid[VHU_RINGS_FRONT])
		vhu_rings_peers_find(session->pid[VHU_RINGS_FRONT], take_proxy, &sought);
	return sought.found;
}

/* Return whether a process that runs is another than the one that a session names: it began after
 * the session, and has none of its memory. */
static bool is_another(const struct vhu_rings_process *process,
		       const struct vhu_rings_session *session)
{
	if (process->error || vhu_rings_process_is_of(process->pid, session->opened_ns))
		return false;
	for (unsigned i = 0; i < session->regions; i++)
		if (session->region[i].file.known &&
		    vhu_rings_process_has(process, &session->region[i].file, 1))
			return false;
	return true;
}

/* Find the process at one side of a session. Returns NULL out of memory. */
static struct vhu_rings_process *process_at(struct vhu_rings_targets *targets,
					    const struct vhu_rings_session *session, unsigned side)
{
	struct vhu_rings_process *process =
	    vhu_rings_process(&targets->processes, session->pid[side]);

	return process && is_another(process, session)
		   ? vhu_rings_process_ended(&targets->processes, session->pid[side])
		   : process;
}

/* Open the memory of a session. Returns 0 or -ENOMEM. */
static int memory_open(struct vhu_rings_targets *targets, struct vhu_rings_memory *memory,
		       const struct vhu_rings_session *session)
{
	unsigned opened = 0;

	*memory = (struct vhu_rings_memory){.session = session, .inflight_region.fd = -1};
	for (unsigned side = 0; side < VHU_RINGS_SIDES; side++) {
		if (!session->pid[side])
			continue;
		memory->process[side] = process_at(targets, session, side);
		if (!memory->process[side])
			return -ENOMEM;
	}
	memory->proxy = find_proxy(targets, session);
	memory->region = calloc(session->regions + 1, sizeof(*memory->region));
	if (!memory->region)
		return -ENOMEM;
	for (unsigned i = 0; i < session->regions; i++) {
		int ret = open_region(memory, &session->region[i], &memory->region[opened]);

		opened += !ret;
		if (ret && !memory->missing++)
			memory->error = ret;
	}
	memory->memory = (struct vhu_ring_memory){
	    .read = vhu_ring_read_file,
	    .region = memory->region,
	    .regions = opened,
	    .translation = session->translation,
	    .translations = session->translations,
	};
	open_inflight(memory);
	return 0;
}

/* A session without vrings may be stuck all the same. */
static const struct vhu_rings_vring no_vring = {.index = VHU_RING_NO_VRING};

/* Make a target of a vring. */
static struct vhu_rings_target target_of(struct vhu_rings_memory *memory,
					 const struct vhu_rings_vring *vring)
{
	const struct vhu_rings_session *session = memory->session;
	struct vhu_rings_target target = {
	    .session = session,
	    .vring = vring,
	    .memory = memory,
	    .place =
		{
		    .memory = &memory->memory,
		    .features = session->context.features,
		    .size = vring->size,
		    .descriptor = vring->descriptor,
		    .available = vring->available,
		    .used = vring->used,
		    .big_endian = vring->big_endian,
		},
	    .evidence =
		{
		    .vring = vring->index,
		    .context = &session->context,
		    .session = vring->session,
		    .signals = vring->signals,
		},
	};

	if (memory->inflight.regions && vring != &no_vring)
		target.place.inflight =
		    vhu_ring_inflight_place(&memory->inflight, 0, session->inflight.size,
					    session->inflight.queues, vring->index);
	return target;
}

int vhu_rings_targets_open(struct vhu_rings_targets *targets,
			   const struct vhu_rings_sessions *sessions, int64_t vring)
{
	unsigned vrings = 0;

	*targets = (struct vhu_rings_targets){.none = sessions->none};
	for (unsigned i = 0; i < sessions->count; i++)
		vrings += sessions->session[i]->vrings + 1;
	targets->memory = calloc(sessions->count + 1, sizeof(*targets->memory));
	targets->target = calloc(vrings + 1, sizeof(*targets->target));
	if (!targets->memory || !targets->target)
		return -ENOMEM;
	for (unsigned i = 0; i < sessions->count; i++) {
		const struct vhu_rings_session *session = sessions->session[i];
		struct vhu_rings_memory *memory = &targets->memory[targets->memories++];

		if (memory_open(targets, memory, session))
			return -ENOMEM;
		memory->control = *sessions->control ? strdup(sessions->control) : NULL;
		memory->told = memory->sought = *sessions->control;
		if (session->vrings == 0 && session->pending.number)
			targets->target[targets->count++] = target_of(memory, &no_vring);
		for (unsigned v = 0; v < session->vrings; v++)
			if (vring < 0 || vring == session->vring[v].index) {
				targets->target[targets->count] =
				    target_of(memory, &session->vring[v]);
				vhu_rings_target_holders(&targets->target[targets->count++]);
			}
	}
	return 0;
}

/* Close what was opened of a session. */
static void memory_close(struct vhu_rings_memory *memory)
{
	for (unsigned i = 0; i < memory->memory.regions; i++)
		close(memory->region[i].fd);
	if (memory->inflight_region.fd >= 0)
		close(memory->inflight_region.fd);
	free(memory->region);
	free(memory->control);
}

void vhu_rings_targets_free(struct vhu_rings_targets *targets)
{
	for (unsigned i = 0; i < targets->count; i++)
		for (unsigned s = 0; s < 2; s++)
			vhu_ring_sample_free(&targets->target[i].evidence.sample[s]);
	for (unsigned i = 0; targets->memory && i < targets->memories; i++)
		memory_close(&targets->memory[i]);
	vhu_rings_processes_free(&targets->processes);
	free(targets->memory);
	free(targets->target);
	*targets = (struct vhu_rings_targets){0};
}
