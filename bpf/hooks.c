/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sets of hooks: which programs each has, loading and attaching them.
 *
 * An object cannot be loaded again after a failure, so each set starts from the bytes. A program
 * whose target the kernel lacks fails the whole load, so only those of the set are loaded. What
 * kernels have is asked of their BTF, never guessed from their version: distributions carry changes
 * back.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/internal.h"
#include "bpf/object.h"
#include "lib/util/util.h"

/* The programs of each set. */
static const struct {
	enum vhu_hooks hooks;
	const char *program;
	const char *needs;   /* a function that the kernel must have, NULL none */
	const char *instead; /* not where it has this one: it calls it, and would count twice */
} row[] = {
    {VHU_HOOKS_FENTRY, "fentry_write", "eventfd_write", NULL},
    {VHU_HOOKS_FENTRY, "fexit_read", "eventfd_read", NULL},
    {VHU_HOOKS_FENTRY, "fentry_signal_mask", "eventfd_signal_mask", NULL},
    {VHU_HOOKS_FENTRY, "fentry_signal", "eventfd_signal", "eventfd_signal_mask"},
    {VHU_HOOKS_KPROBE, "kprobe_write", "eventfd_write", NULL},
    {VHU_HOOKS_KPROBE, "kprobe_read", "eventfd_read", NULL},
    {VHU_HOOKS_KPROBE, "kretprobe_read", "eventfd_read", NULL},
    {VHU_HOOKS_KPROBE, "kprobe_signal_mask", "eventfd_signal_mask", NULL},
    {VHU_HOOKS_KPROBE, "kprobe_signal", "eventfd_signal", "eventfd_signal_mask"},
    {VHU_HOOKS_SYSCALLS, "call_write", NULL, NULL},
    {VHU_HOOKS_SYSCALLS, "call_writev", NULL, NULL},
    {VHU_HOOKS_SYSCALLS, "call_pwritev2", NULL, NULL},
    {VHU_HOOKS_SYSCALLS, "call_read", NULL, NULL},
    {VHU_HOOKS_SYSCALLS, "call_readv", NULL, NULL},
    {VHU_HOOKS_SYSCALLS, "call_preadv2", NULL, NULL},
    {VHU_HOOKS_ALL_SYSCALLS, "all_enter", NULL, NULL},
    {VHU_HOOKS_ALL_SYSCALLS, "all_exit", NULL, NULL},
};
#define ROWS      VHU_ARRAY_SIZE(row)
#define SETS_SIZE (VHU_BPF_SETS * sizeof(struct vhu_bpf_set))

/* Return whether the kernel has a function of this name. */
static bool has_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* Return whether a program is one of those of @hooks that this kernel has a place for. */
static bool is_wanted(const struct btf *btf, enum vhu_hooks hooks, const char *program)
{
	for (size_t i = 0; i < ROWS; i++)
		if (row[i].hooks == hooks && !strcmp(row[i].program, program))
			return !row[i].instead || !has_function(btf, row[i].instead);
	return false;
}

/* Return whether the kernel has all functions that @hooks cannot do without. */
static bool is_possible(const struct btf *btf, enum vhu_hooks hooks)
{
	if (hooks >= VHU_HOOKS_SYSCALLS)
		return true;
	return has_function(btf, "eventfd_write") && has_function(btf, "eventfd_read") &&
	       (has_function(btf, "eventfd_signal_mask") || has_function(btf, "eventfd_signal"));
}

/* Pass an event on, as libbpf calls it. Returns 0: go on; -EAGAIN: others have their turn. */
static int pass_event(void *with, void *data, size_t size)
{
	struct vhu_probes *probes = with;

	if (size >= sizeof(struct vhu_bpf_event) && probes->see)
		probes->see(probes->with, data);
	return ++probes->passed < VHU_EVENTS_TURN ? 0 : -EAGAIN;
}

/* Give a map room for @entries. Returns 0 or -errno. */
static int resize(struct bpf_object *object, const char *map, uint32_t entries)
{
	return bpf_map__set_max_entries(bpf_object__find_map_by_name(object, map), entries);
}

/* Set what is fixed before loading. Returns 0 or -errno. */
static int configure(struct bpf_object *object, const struct vhu_bpf_config *config)
{
	/* What is only used where a back-end's own code is watched. */
	static const char *const inside[] = {"insides",          "threads",
					     "vrings",           "requests",
					     "__bpf_usdt_specs", "__bpf_usdt_ip_to_spec_id"};
	struct bpf_map *fixed = bpf_object__find_map_by_name(object, ".rodata.config");
	bool silent = !config->slow_ns && !config->all_events && !config->learning;
	int ret = 0;

	if (!fixed)
		return -EINVAL;
	if (silent)
		ret = resize(object, "events", (uint32_t)sysconf(_SC_PAGESIZE));
	for (size_t i = 0; !ret && !config->inside && i < VHU_ARRAY_SIZE(inside); i++)
		ret = resize(object, inside[i], 1);
	return ret ? ret : bpf_map__set_initial_value(fixed, config, sizeof(*config));
}

/* Have a map in our memory. Returns it, or NULL and errno. */
static void *map(const struct vhu_probes *probes, const char *name, size_t size)
{
	int fd = bpf_object__find_map_fd_by_name(probes->object, name);
	void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return mapped == MAP_FAILED ? NULL : mapped;
}

/* Find the maps of a loaded object. Returns 0 or -errno. */
static int find_maps(struct vhu_probes *probes, const struct vhu_probes_choice *choice)
{
	probes->roles = bpf_object__find_map_fd_by_name(probes->object, "roles");
	probes->ids = bpf_object__find_map_fd_by_name(probes->object, "ids");
	probes->rings = bpf_object__find_map_fd_by_name(probes->object, "rings");
	if (choice->config.inside) {
		probes->insides = bpf_object__find_map_fd_by_name(probes->object, "insides");
		probes->vrings = bpf_object__find_map_fd_by_name(probes->object, "vrings");
	}
	if (probes->roles < 0 || probes->ids < 0 || probes->rings < 0)
		return -EINVAL;
	probes->shared = map(probes, ".data.shared", sizeof(*probes->shared));
	probes->sets = map(probes, "sets", SETS_SIZE);
	if (!probes->shared || !probes->sets)
		return -errno;
	probes->events = ring_buffer__new(bpf_object__find_map_fd_by_name(probes->object, "events"),
					  pass_event, probes, NULL);
	return probes->events ? 0 : -errno;
}

/* Attach all programs that were loaded, but those for a back-end's code. Returns 0 or -errno. */
static int attach(struct vhu_probes *probes)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, probes->object)
	{
		bool iterates = !strcmp(bpf_program__name(program), "list_eventfds");
		struct bpf_link *link;

		if (!bpf_program__autoload(program) || vhu_uprobes_is(bpf_program__name(program)))
			continue;
		link = iterates ? bpf_program__attach_iter(program, NULL)
				: bpf_program__attach(program);
		if (!link)
			return -errno;
		if (iterates)
			probes->iterator = link;
		else
			probes->link[probes->links++] = link;
	}
	return 0;
}

int vhu_hooks_load(struct vhu_probes *probes, enum vhu_hooks hooks,
		   const struct vhu_probes_choice *choice)
{
	size_t size = (size_t)(vhu_bpf_object_end - vhu_bpf_object);
	struct bpf_program *program;
	struct btf *btf = btf__load_vmlinux_btf();
	int ret = -ENOENT;

	if (!btf)
		return -ENOENT;
	if (!is_possible(btf, hooks))
		goto out;
	probes->hooks = hooks;
	probes->insides = probes->vrings = -1;
	probes->object = bpf_object__open_mem(vhu_bpf_object, size, NULL);
	ret = -errno;
	if (!probes->object)
		goto out;
	bpf_object__for_each_program(program, probes->object)
	{
		const char *name = bpf_program__name(program);

		bpf_program__set_autoload(program, !strcmp(name, "list_eventfds") ||
						       is_wanted(btf, hooks, name) ||
						       vhu_uprobes_wants(&choice->inside, name));
	}
	ret = configure(probes->object, &choice->config);
	if (!ret)
		ret = bpf_object__load(probes->object);
	if (!ret)
		ret = find_maps(probes, choice);
	if (!ret)
		ret = attach(probes);
	if (ret)
		vhu_hooks_unload(probes);
out:
	btf__free(btf);
	return ret;
}

/* Detach one program, as a thread. */
static void *detach(void *link)
{
	bpf_link__destroy(link);
	return NULL;
}

/* Detach all programs: at once, since with some the kernel waits for each until none runs it. */
static void detach_all(struct vhu_probes *probes)
{
	pthread_t thread[VHU_LINKS_MAX];
	unsigned threads = 0;

	while (probes->links) {
		struct bpf_link *link = probes->link[--probes->links];

		if (pthread_create(&thread[threads], NULL, detach, link))
			bpf_link__destroy(link);
		else
			threads++;
	}
	while (threads)
		pthread_join(thread[--threads], NULL);
}

void vhu_hooks_unload(struct vhu_probes *probes)
{
	detach_all(probes);
	if (probes->shared)
		munmap(probes->shared, sizeof(*probes->shared));
	if (probes->sets)
		munmap(probes->sets, SETS_SIZE);
	bpf_link__destroy(probes->iterator);
	ring_buffer__free(probes->events);
	bpf_object__close(probes->object);
	probes->iterator = NULL;
	probes->events = NULL;
	probes->object = NULL;
	probes->shared = NULL;
	probes->sets = NULL;
}
