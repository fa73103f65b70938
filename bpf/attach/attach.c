/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading the programs of vhu attach by the best hooks that the kernel takes. */
#include "bpf/attach/internal.h"

#include <bpf/btf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/load/object.h"
#include "bpf/load/target.h"
#include "lib/util/util.h"

/* Pages of each processor's buffer of events, and bytes of all of them at most. */
#define PAGES_MOST  2048
#define PAGES_LEAST 16
#define BYTES_MOST  (UINT64_C(128) << 20)
/* Whoever takes events is woken when this part of a buffer is full: to wake it for each would cost
 * the sender more than all else that is done for an event. */
#define WAKE_PART   4
/* Functions that decide which programs there can be. */
#define SENT_POINT  "sk_data_ready"
#define SENT        "sock_def_readable"
#define CLOSED      "unix_release"
#define SHUT        "unix_shutdown"
#define CONNECTED   "security_unix_stream_connect"
/* One that programs use if it is there. */
#define CAST        "bpf_rdonly_cast"

VHU_BPF_OBJECT(vhu_bpf_attach);

/* Sets of hooks, the best first: those that see sending and closing. */
static const struct hooks {
	const char *sent;        /* a program, NULL none */
	const char *on;          /* what the programs of closing and connecting are on */
	const char *point;       /* a trace point that the kernel must have, NULL none */
	const char *function[3]; /* functions that it must have, NULL none */
	const char *name;
} hooks[] = {
    {"sent_tracepoint", "fentry", SENT_POINT, {CLOSED, SHUT}, "tracepoint+fentry"},
    {"sent_fentry", "fentry", NULL, {SENT, CLOSED, SHUT}, "fentry"},
    {"sent_tracepoint", "kprobe", SENT_POINT, {CLOSED, SHUT}, "tracepoint+kprobe"},
    {"sent_kprobe", "kprobe", NULL, {SENT, CLOSED, SHUT}, "kprobe"},
    {"sent_tracepoint", "call", SENT_POINT, {NULL}, "tracepoint"},
    {NULL, "call", NULL, {NULL}, "taken"},
};

int vhu_attach_hooks_by_name(const char *name)
{
	for (size_t i = 0; i < VHU_ARRAY_SIZE(hooks); i++)
		if (!strcmp(name, hooks[i].name))
			return (int)i;
	return -ENOENT;
}

/* Return whether the kernel has what a set of hooks needs. */
static bool are_possible(const struct vhu_bpf_kernel *kernel, const struct hooks *set)
{
	char name[64];

	if (!strcmp(set->on, "kprobe") && !vhu_bpf_has_kprobes())
		return false;
	for (unsigned i = 0; i < VHU_ARRAY_SIZE(set->function); i++)
		if (set->function[i] && !vhu_bpf_has_function(kernel, set->function[i]))
			return false;
	if (!set->point)
		return true;
	snprintf(name, sizeof(name), "btf_trace_%s", set->point);
	return btf__find_by_name_kind(kernel->types, name, BTF_KIND_TYPEDEF) > 0;
}

/* Return whether a program is one of "PREFIX_ON...". */
static bool is_on(const char *name, const char *prefix, const char *on)
{
	size_t length = strlen(prefix);

	return !strncmp(name, prefix, length) && !strncmp(name + length, on, strlen(on));
}

/* Return whether a program belongs to a set. @connects: those of connecting do. */
static bool is_in(const struct hooks *set, const char *name, bool connects)
{
	if (is_on(name, "sent_", ""))
		return set->sent && !strcmp(name, set->sent);
	if (is_on(name, "closing_", ""))
		return is_on(name, "closing_", set->on);
	return !is_on(name, "connecting_", "") || (connects && is_on(name, "connecting_", set->on));
}

/* Choose the programs of a set. @connects: those of connecting, too. */
static void choose(struct bpf_object *object, const struct hooks *set, bool connects)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	    bpf_program__set_autoload(program, is_in(set, bpf_program__name(program), connects));
}

/* Attach an iterator. Returns 0 or -errno. */
static int attach_iterator(struct vhu_attach *attach, struct bpf_program *program, bool of_map)
{
	union bpf_iter_link_info info = {.map.map_fd = (uint32_t)attach->watched};
	struct bpf_iter_attach_opts options;
	struct bpf_link *link;

	/* By hand: libbpf refuses padding that is not zero. */
	memset(&options, 0, sizeof(options));
	options.sz = sizeof(options);
	options.link_info = &info;
	options.link_info_len = sizeof(info);
	link = bpf_program__attach_iter(program, of_map ? &options : NULL);
	if (!link)
		return -errno;
	*(of_map ? &attach->states : &attach->files) = link;
	return 0;
}

/* Attach all programs that were loaded. Returns 0 or -errno. */
static int attach_all(struct vhu_attach *attach)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, attach->object)
	{
		const char *name = bpf_program__name(program);
		int ret;

		if (!bpf_program__autoload(program))
			continue;
		if (!strncmp(name, "list", 4))
			ret = attach_iterator(attach, program, !strcmp(name, "list_watched"));
		else
			ret = vhu_bpf_links_add(&attach->links, bpf_program__attach(program));
		if (ret)
			return ret;
	}
	return 0;
}

/* Pass an event on. */
static void pass_event(struct vhu_attach *attach, const uint8_t *data, uint32_t size)
{
	struct vhu_attach_event event;

	if (size < sizeof(event))
		return;
	memcpy(&event, data, sizeof(event));
	size -= (uint32_t)sizeof(event);
	if (event.what == VHU_ATTACH_FD ? size < sizeof(struct vhu_attach_file)
					: size < event.copied)
		return;
	attach->choice.see(attach->choice.with, &event, data + sizeof(event));
}

/* A record of the kernel's buffers, whose payload begins with its size. What says how many were
 * lost is left out: the programs count that. */
static enum bpf_perf_event_ret pass_record(void *with, int cpu, struct perf_event_header *header)
{
	const struct {
		struct perf_event_header header;
		uint32_t size;
		uint8_t data[];
	} *sample = (const void *)header;

	(void)cpu;
	if (header->type == PERF_RECORD_SAMPLE)
		pass_event(with, sample->data, sample->size);
	return LIBBPF_PERF_EVENT_CONT;
}

/* Make a buffer of events for each processor, as large as this process may have. Returns 0 or
 * -errno. */
static int open_buffers(struct vhu_attach *attach, int map)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const int processors = libbpf_num_possible_cpus();
	struct perf_event_attr attr = {
	    .type = PERF_TYPE_SOFTWARE,
	    .size = sizeof(attr),
	    .config = PERF_COUNT_SW_BPF_OUTPUT,
	    .sample_type = PERF_SAMPLE_RAW,
	    .sample_period = 1,
	    .watermark = 1,
	};
	size_t pages = PAGES_MOST;

	while (processors > 0 && pages > PAGES_LEAST &&
	       pages * (uint64_t)processors * page > BYTES_MOST)
		pages /= 2;
	for (; pages >= PAGES_LEAST; pages /= 2) {
		attr.wakeup_watermark = (uint32_t)(pages * page / WAKE_PART);
		attach->events = perf_buffer__new_raw(map, pages, &attr, pass_record, attach, NULL);
		/* Without CAP_IPC_LOCK there may be less. */
		if (attach->events || (errno != EPERM && errno != ENOMEM))
			break;
	}
	return attach->events ? 0 : -errno;
}

/* Find the maps of a loaded object. Returns 0 or -errno. */
static int find_maps(struct vhu_attach *attach)
{
	int events = bpf_object__find_map_fd_by_name(attach->object, "events");
	int data = bpf_object__find_map_fd_by_name(attach->object, ".data.shared");
	void *shared;

	attach->watched = bpf_object__find_map_fd_by_name(attach->object, "watched");
	attach->listeners = bpf_object__find_map_fd_by_name(attach->object, "listeners");
	attach->processes = bpf_object__find_map_fd_by_name(attach->object, "processes");
	attach->users = bpf_object__find_map_fd_by_name(attach->object, "users");
	if (attach->users < 0 || attach->watched < 0 || attach->listeners < 0 ||
	    attach->processes < 0)
		return -EINVAL;
	shared = mmap(NULL, sizeof(*attach->shared), PROT_READ | PROT_WRITE, MAP_SHARED, data, 0);
	if (shared == MAP_FAILED)
		return -errno;
	attach->shared = shared;
	if (attach->choice.config.any)
		memset(attach->shared->mark, 1, sizeof(attach->shared->mark));
	return open_buffers(attach, events);
}

/* Unload what was loaded. */
static void unload(struct vhu_attach *attach)
{
	vhu_bpf_links_detach(&attach->links);
	bpf_link__destroy(attach->files);
	bpf_link__destroy(attach->states);
	perf_buffer__free(attach->events);
	if (attach->shared)
		munmap(attach->shared, sizeof(*attach->shared));
	bpf_object__close(attach->object);
	attach->files = attach->states = NULL;
	attach->events = NULL;
	attach->shared = NULL;
	attach->object = NULL;
}

/* Load and attach a set of hooks. Returns 0; -errno, with nothing left behind. */
static int try_hooks(struct vhu_attach *attach, const struct vhu_bpf_kernel *kernel,
		     const struct hooks *set)
{
	struct bpf_map *fixed;
	int ret;

	attach->object = vhu_bpf_object_open(vhu_bpf_attach);
	if (!attach->object)
		return -errno;
	attach->sees_connecting =
	    strcmp(set->on, "call") && vhu_bpf_has_function(kernel, CONNECTED);
	choose(attach->object, set, attach->sees_connecting);
	fixed = bpf_object__find_map_by_name(attach->object, ".rodata.config");
	ret = fixed ? bpf_map__set_initial_value(fixed, &attach->choice.config,
						 sizeof(attach->choice.config))
		    : -EINVAL;
	if (!ret)
		ret = bpf_object__load(attach->object);
	if (!ret)
		ret = find_maps(attach);
	if (!ret)
		ret = attach_all(attach);
	if (ret)
		unload(attach);
	attach->hooks = set->name;
	attach->sees_sending = set->sent != NULL;
	return ret;
}

/* Return whether a set of hooks may be used. */
static bool is_chosen(const struct vhu_attach_choice *choice, size_t set)
{
	return choice->hooks < 0 || (size_t)choice->hooks == set;
}

int vhu_attach_open(struct vhu_attach **to, const struct vhu_attach_choice *choice, char *error)
{
	struct vhu_attach *attach = calloc(1, sizeof(*attach));
	struct btf *types = btf__load_vmlinux_btf();
	const struct vhu_bpf_kernel kernel = {.types = types};
	int ret = attach ? -EOPNOTSUPP : -ENOMEM;

	*to = NULL;
	vhu_diagnose_listen();
	if (attach && types) {
		attach->choice = *choice;
		attach->choice.config.own = (uint32_t)getpid();
		attach->choice.config.casts = vhu_bpf_has_function(&kernel, CAST);
		for (size_t i = 0; ret && i < VHU_ARRAY_SIZE(hooks); i++)
			if (is_chosen(choice, i) && are_possible(&kernel, &hooks[i])) {
				vhu_diagnose_listen();
				ret = try_hooks(attach, &kernel, &hooks[i]);
			}
	}
	btf__free(types);
	if (!ret) {
		*to = attach;
		return 0;
	}
	if (!vhu_diagnose_lack(error)) {
		if (ret == -EOPNOTSUPP && choice->hooks >= 0)
			snprintf(error, VHU_BPF_ERROR_SIZE,
				 "hooks %s: this kernel lacks functions, trace points or kprobes "
				 "they need",
				 hooks[choice->hooks].name);
		else
			vhu_diagnose_refusal("no hooks on local sockets work", ret, error);
	}
	free(attach);
	return ret;
}

void vhu_attach_close(struct vhu_attach *attach)
{
	if (!attach)
		return;
	unload(attach);
	free(attach);
}

const char *vhu_attach_hooks(const struct vhu_attach *attach)
{
	return attach->hooks;
}

bool vhu_attach_sees_sending(const struct vhu_attach *attach)
{
	return attach->sees_sending;
}
