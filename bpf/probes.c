/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes' outside: choosing a set of hooks, and what is asked of and told to it afterwards. */
#include "bpf/probes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "bpf/internal.h"

static const char *const names[VHU_HOOKS] = {
    [VHU_HOOKS_FENTRY] = "fentry",
    [VHU_HOOKS_KPROBE] = "kprobe",
    [VHU_HOOKS_SYSCALLS] = "syscalls",
    [VHU_HOOKS_ALL_SYSCALLS] = "all-syscalls",
};

int vhu_probes_open(struct vhu_probes **to, const struct vhu_probes_choice *choice, char *error)
{
	struct vhu_probes *probes = calloc(1, sizeof(*probes));
	int first = choice->hooks < 0 ? 0 : choice->hooks;
	int last = choice->hooks < 0 ? VHU_HOOKS - 1 : choice->hooks;
	int ret = -ENOMEM;

	*to = NULL;
	error[0] = '\0';
	vhu_diagnose_listen();
	if (!probes) {
		strcpy(error, "out of memory");
		return ret;
	}
	probes->see = choice->see;
	probes->with = choice->with;
	for (int hooks = first; hooks <= last; hooks++) {
		ret = vhu_hooks_load(probes, (enum vhu_hooks)hooks, choice);
		if (ret)
			continue;
		ret = vhu_selftest_run(probes);
		if (!ret)
			ret = vhu_uprobes_attach(probes, &choice->inside, error);
		if (!ret) {
			*to = probes;
			return 0;
		}
		vhu_hooks_unload(probes);
		if (error[0])
			break;
	}
	if (!error[0])
		vhu_diagnose(ret, (enum vhu_hooks)last, first == last, error);
	free(probes);
	return ret;
}

void vhu_probes_close(struct vhu_probes *probes)
{
	if (!probes)
		return;
	vhu_hooks_unload(probes);
	free(probes);
}

enum vhu_hooks vhu_probes_hooks(const struct vhu_probes *probes)
{
	return probes->hooks;
}

const char *vhu_hooks_name(enum vhu_hooks hooks)
{
	return names[hooks];
}

int vhu_hooks_by_name(const char *name)
{
	for (int i = 0; i < VHU_HOOKS; i++)
		if (!strcasecmp(name, names[i]))
			return i;
	return -1;
}

const char *vhu_probes_blind(const struct vhu_probes *probes)
{
	if (probes->hooks >= VHU_HOOKS_SYSCALLS)
		return "does not see kicks and calls from inside the kernel (KVM ioeventfd, AIO) "
		       "or by io_uring";
	if (!probes->sees_kernel)
		return "does not see kicks and calls from inside the kernel (KVM ioeventfd, AIO)";
	return "";
}

int vhu_probes_list(struct vhu_probes *probes, struct vhu_bpf_eventfd **list)
{
	int fd = bpf_iter_create(bpf_link__fd(probes->iterator));
	size_t used = 0, room = 0;
	char *bytes = NULL;
	ssize_t got = 0;

	*list = NULL;
	if (fd < 0)
		return -errno;
	for (;;) {
		if (room - used < 65536) {
			char *more = realloc(bytes, room + 262144);

			if (!more) {
				got = -1;
				errno = ENOMEM;
				break;
			}
			bytes = more;
			room += 262144;
		}
		got = read(fd, bytes + used, room - used);
		if (got <= 0 && !(got < 0 && (errno == EINTR || errno == EAGAIN)))
			break;
		used += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	if (got < 0) {
		free(bytes);
		return -errno;
	}
	*list = (struct vhu_bpf_eventfd *)(void *)bytes;
	return (int)(used / sizeof(**list));
}

/* Find where an address is known, or a place for one: @address 0. Returns it, or NULL. */
static struct vhu_bpf_known *place_of(struct vhu_probes *probes, uint64_t set, uint64_t address)
{
	for (unsigned i = 0; i < VHU_BPF_PLACES; i++)
		if (probes->sets[set].known[i].address == address)
			return &probes->sets[set].known[i];
	return NULL;
}

/* Make an address known. Returns 0 or -errno. */
static int know(struct vhu_probes *probes, uint64_t address, const struct vhu_bpf_role *role)
{
	struct vhu_bpf_known *known = place_of(probes, VHU_BPF_SPREAD(address), address);

	if (!known)
		known = place_of(probes, VHU_BPF_SPREAD(address), 0);
	if (!known) {
		if (bpf_map_update_elem(probes->roles, &address, role, BPF_NOEXIST))
			return -errno;
		__atomic_add_fetch(&probes->shared->elsewhere, 1, __ATOMIC_RELEASE);
		return 0;
	}
	known->role = *role;
	__atomic_store_n(&known->address, address, __ATOMIC_RELEASE);
	return 0;
}

/* Make an address unknown; one that is not known is left alone. */
static void forget(struct vhu_probes *probes, uint64_t address)
{
	struct vhu_bpf_known *known = place_of(probes, VHU_BPF_SPREAD(address), address);

	if (known)
		__atomic_store_n(&known->address, 0, __ATOMIC_RELEASE);
	else if (bpf_map_delete_elem(probes->roles, &address) == 0)
		__atomic_sub_fetch(&probes->shared->elsewhere, 1, __ATOMIC_RELEASE);
}

int vhu_probes_assign(struct vhu_probes *probes, const struct vhu_bpf_eventfd *eventfd,
		      const struct vhu_bpf_role *role)
{
	struct vhu_bpf_role with_id = *role;
	int ret;

	with_id.eventfd_id = eventfd->eventfd_id;
	with_id.context = eventfd->context;
	vhu_probes_forget(probes, eventfd);
	ret = know(probes, eventfd->file, &with_id);
	if (!ret)
		ret = know(probes, eventfd->context, &with_id);
	if (ret)
		vhu_probes_forget(probes, eventfd);
	return ret;
}

void vhu_probes_forget(struct vhu_probes *probes, const struct vhu_bpf_eventfd *eventfd)
{
	forget(probes, eventfd->file);
	forget(probes, eventfd->context);
}

int vhu_probes_assign_id(struct vhu_probes *probes, const struct vhu_bpf_role *role)
{
	if (bpf_map_update_elem(probes->ids, &role->eventfd_id, role, BPF_NOEXIST))
		return -errno;
	__atomic_add_fetch(&probes->shared->ids, 1, __ATOMIC_RELEASE);
	return 0;
}

void vhu_probes_forget_id(struct vhu_probes *probes, uint32_t id)
{
	if (bpf_map_delete_elem(probes->ids, &id) == 0)
		__atomic_sub_fetch(&probes->shared->ids, 1, __ATOMIC_RELEASE);
}

/* Return how many values a ring's histogram of @stage has. */
static uint64_t count_of(const struct vhu_bpf_ring *ring, enum vhu_bpf_stage stage)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < VHU_BPF_BUCKETS; i++)
		count += ring->bucket[stage][i];
	return count;
}

int vhu_probes_ring(struct vhu_probes *probes, uint32_t index, struct vhu_bpf_ring *ring)
{
	if (bpf_map_lookup_elem(probes->rings, &index, ring))
		return -errno;
	ring->wakes += count_of(ring, VHU_KICK_TO_WAKE) + ring->wakes_without_kick;
	ring->calls += count_of(ring, VHU_WAKE_TO_CALL) + ring->calls_without_kick;
	return 0;
}

void vhu_probes_clear(struct vhu_probes *probes, uint32_t index)
{
	static const struct vhu_bpf_ring empty;

	static const struct vhu_bpf_inside empty_inside;

	bpf_map_update_elem(probes->rings, &index, &empty, BPF_ANY);
	if (vhu_probes_has_inside(probes))
		bpf_map_update_elem(probes->insides, &index, &empty_inside, BPF_ANY);
}

bool vhu_probes_has_inside(const struct vhu_probes *probes)
{
	return probes->insides >= 0;
}

int vhu_probes_inside(struct vhu_probes *probes, uint32_t index, struct vhu_bpf_inside *inside)
{
	return bpf_map_lookup_elem(probes->insides, &index, inside) ? -errno : 0;
}

void vhu_probes_number(struct vhu_probes *probes, struct vhu_bpf_vring vring, uint32_t index)
{
	if (index < VHU_BPF_RINGS)
		bpf_map_update_elem(probes->vrings, &vring, &index, BPF_ANY);
	else
		bpf_map_delete_elem(probes->vrings, &vring);
}

uint64_t vhu_probes_unplaced(const struct vhu_probes *probes)
{
	return __atomic_load_n(&probes->shared->unplaced, __ATOMIC_RELAXED);
}

int vhu_probes_events(struct vhu_probes *probes)
{
	probes->passed = 0;
	return ring_buffer__consume(probes->events);
}

int vhu_probes_events_fd(const struct vhu_probes *probes)
{
	return ring_buffer__epoll_fd(probes->events);
}

uint64_t vhu_probes_dropped(const struct vhu_probes *probes)
{
	return __atomic_load_n(&probes->shared->dropped, __ATOMIC_RELAXED);
}
