/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes in a back-end's own code. */
#include "bpf/vring/uprobes.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf/load/diagnose.h"
#include "bpf/load/links.h"

/* The programs: for a function, and for a static probe. */
static const struct {
	const char *function, *passed;
	bool returns; /* what matters is what the function returns */
} row[] = {
    [VHU_UPROBES_POP] = {"pop_returns", "pop_passed", true},
    [VHU_UPROBES_PUSH] = {"push_called", "push_passed", false},
};

/* Return the name of the program for @place. */
static const char *program_of(const struct vhu_uprobes_choice *choice, int which)
{
	return choice->place[which].provider ? row[which].passed : row[which].function;
}

bool vhu_uprobes_is(const char *program)
{
	for (int which = 0; which < VHU_UPROBES_PLACES; which++)
		if (!strcmp(row[which].function, program) || !strcmp(row[which].passed, program))
			return true;
	return false;
}

bool vhu_uprobes_wants(const struct vhu_uprobes_choice *choice, const char *program)
{
	for (int which = 0; which < VHU_UPROBES_PLACES; which++)
		if (choice->place[which].name && !strcmp(program_of(choice, which), program))
			return true;
	return false;
}

/* Attach the program for one place. Returns the link, or NULL and errno. */
static struct bpf_link *attach(const struct bpf_object *object,
			       const struct vhu_uprobes_choice *choice, int which)
{
	const struct vhu_uprobes_place *place = &choice->place[which];
	struct bpf_program *program =
	    bpf_object__find_program_by_name(object, program_of(choice, which));
	pid_t pid = choice->pid ? (pid_t)choice->pid : -1;
	LIBBPF_OPTS(bpf_uprobe_opts, options, .retprobe = row[which].returns,
		    .func_name = place->name);

	if (place->provider)
		return bpf_program__attach_usdt(program, pid, place->binary, place->provider,
						place->name, NULL);
	return bpf_program__attach_uprobe_opts(program, pid, place->binary, 0, &options);
}

/* Say why a place cannot be watched. */
static void explain(int ret, const struct vhu_uprobes_place *place, char *error)
{
	size_t size = VHU_BPF_ERROR_SIZE;
	bool path = strchr(place->binary, '/');

	if (path && access(place->binary, R_OK))
		snprintf(error, size, "%s: %s", place->binary, strerror(errno));
	else if ((ret == -EACCES || ret == -EPERM) && !vhu_diagnose_has(CAP_SYS_ADMIN))
		snprintf(error, size,
			 "%s: CAP_SYS_ADMIN is missing, which this kernel wants of who "
			 "watches a program's own code",
			 place->binary);
	else if (ret != -ENOENT && ret != -ESRCH)
		snprintf(error, size, "%s: %s cannot be watched: %s", place->binary, place->name,
			 strerror(-ret));
	else if (place->provider)
		snprintf(error, size, "%s: no static probe %s:%s: was it built with sys/sdt.h?",
			 place->binary, place->provider, place->name);
	else
		snprintf(error, size, "%s: no function %s%s", place->binary, place->name,
			 path ? ": are its symbols stripped?" : ", or no such program or library");
}

int vhu_uprobes_attach(const struct bpf_object *object, struct vhu_bpf_links *links,
		       const struct vhu_uprobes_choice *choice, char *error)
{
	for (int which = 0; which < VHU_UPROBES_PLACES; which++) {
		int ret;

		if (!choice->place[which].name)
			continue;
		ret = vhu_bpf_links_add(links, attach(object, choice, which));
		if (ret) {
			explain(ret, &choice->place[which], error);
			return ret;
		}
	}
	return 0;
}
