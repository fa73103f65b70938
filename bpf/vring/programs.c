/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading and attaching the programs, and finding their maps. */
#include "bpf/vring/programs.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/load/diagnose.h"
#include "bpf/load/object.h"
#include "bpf/load/target.h"
#include "bpf/vring/events.h"
#include "bpf/vring/internal.h"
#include "bpf/vring/uprobes.h"
#include "lib/util/util.h"

#define SETS_SIZE      (VHU_BPF_SETS * sizeof(struct vhu_bpf_set))
/* The program that lists eventfds, which every set needs. */
#define ITERATOR       "list_eventfds"
/* A program by which functions of the kernel are looked for, and its own function. */
#define ASKER          "fentry_write"
#define ASKER_FUNCTION "eventfd_write"

VHU_BPF_OBJECT(vhu_bpf_vring);

/* Give a map room for @entries. Returns 0 or -errno. */
static int resize(struct bpf_object *object, const char *map, uint32_t entries)
{
	return bpf_map__set_max_entries(bpf_object__find_map_by_name(object, map), entries);
}

/* Set what is fixed before loading. Returns 0 or -errno. */
static int configure(struct bpf_object *object, const struct vhu_bpf_config *config)
{
	/* What is only used where a back-end's own code is watched. */
	static const char *const inside[] = {
	    "insides",  "threads",          "slots",
	    "requests", "__bpf_usdt_specs", "__bpf_usdt_ip_to_spec_id"};
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

/* Choose the programs to load: those of @hooks that the kernel has a place for. Returns 0; -ENOENT:
 * it lacks one that they cannot do without. */
static int choose(const struct vhu_probes *probes, const struct vhu_uprobes_choice *inside)
{
	const struct vhu_bpf_kernel kernel = {
	    .program = bpf_object__find_program_by_name(probes->object, ASKER)};
	struct bpf_program *program;

	if (!vhu_hooks_are_possible(&kernel, probes->hooks))
		return -ENOENT;
	bpf_object__for_each_program(program, probes->object)
	{
		const char *name = bpf_program__name(program);

		bpf_program__set_autoload(program,
					  !strcmp(name, ITERATOR) ||
					      vhu_hooks_have(&kernel, probes->hooks, name) ||
					      vhu_uprobes_wants(inside, name));
	}
	/* What was complained about while functions were looked for is no cause of a failure. */
	vhu_diagnose_listen();
	return bpf_program__autoload(kernel.program) &&
		       !vhu_bpf_has_function(&kernel, ASKER_FUNCTION)
		   ? -ENOENT
		   : 0;
}

/* Return the descriptor of a map. */
static int find_map(const struct vhu_probes *probes, const char *name)
{
	return bpf_object__find_map_fd_by_name(probes->object, name);
}

/* Have a map in our memory. Returns it, or NULL and errno. */
static void *map(const struct vhu_probes *probes, const char *name, size_t size)
{
	void *mapped =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, find_map(probes, name), 0);

	return mapped == MAP_FAILED ? NULL : mapped;
}

/* Find the maps of a loaded object. Returns 0 or -errno. */
static int find_maps(struct vhu_probes *probes, bool inside)
{
	probes->roles = find_map(probes, "roles");
	probes->ids = find_map(probes, "ids");
	probes->vrings = find_map(probes, "vrings");
	probes->insides = inside ? find_map(probes, "insides") : -1;
	probes->slots = inside ? find_map(probes, "slots") : -1;
	if (probes->roles < 0 || probes->ids < 0 || probes->vrings < 0)
		return -EINVAL;
	probes->shared = map(probes, ".data.shared", sizeof(*probes->shared));
	probes->sets = map(probes, "sets", SETS_SIZE);
	if (!probes->shared || !probes->sets)
		return -errno;
	return vhu_probes_events_open(probes, find_map(probes, "events"));
}

/* Attach all programs that were loaded, but those for a back-end's code. Returns 0 or -errno. */
static int attach(struct vhu_probes *probes)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, probes->object)
	{
		const char *name = bpf_program__name(program);
		int ret = 0;

		if (!bpf_program__autoload(program) || vhu_uprobes_is(name))
			continue;
		if (strcmp(name, ITERATOR)) {
			ret = vhu_bpf_links_add(&probes->links, bpf_program__attach(program));
		} else {
			probes->iterator = bpf_program__attach_iter(program, NULL);
			ret = probes->iterator ? 0 : -errno;
		}
		if (ret)
			return ret;
	}
	return 0;
}

int vhu_programs_load(struct vhu_probes *probes, enum vhu_hooks hooks,
		      const struct vhu_bpf_config *config, const struct vhu_uprobes_choice *inside)
{
	int ret;

	probes->hooks = hooks;
	probes->object = vhu_bpf_object_open(vhu_bpf_vring);
	if (!probes->object)
		return -errno;
	ret = choose(probes, inside);
	if (!ret)
		ret = configure(probes->object, config);
	if (!ret)
		ret = bpf_object__load(probes->object);
	if (!ret)
		ret = find_maps(probes, config->inside);
	if (!ret)
		ret = attach(probes);
	if (ret)
		vhu_programs_unload(probes);
	return ret;
}

void vhu_programs_unload(struct vhu_probes *probes)
{
	vhu_bpf_links_detach(&probes->links);
	if (probes->shared)
		munmap(probes->shared, sizeof(*probes->shared));
	if (probes->sets)
		munmap(probes->sets, SETS_SIZE);
	bpf_link__destroy(probes->iterator);
	vhu_probes_events_close(probes);
	bpf_object__close(probes->object);
	probes->iterator = NULL;
	probes->object = NULL;
	probes->shared = NULL;
	probes->sets = NULL;
}
