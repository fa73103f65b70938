/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading the program that lists the eventfds of virtual machines, and running it once. */
#include "bpf/vm/vm.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/load/iterator.h"
#include "bpf/load/object.h"
#include "lib/util/array.h"

VHU_BPF_OBJECT(vhu_bpf_vm);

/* What was listed so far. */
struct vm_listing {
	struct vhu_vm_signal *entry;
	unsigned count;
};

/* Return whether a process has a virtual machine under KVM. */
static bool has_vm(uint32_t pid)
{
	static const char sought[] = "anon_inode:kvm-vm";
	struct dirent *entry;
	bool found = false;
	char path[32];
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/fd", pid);
	fds = opendir(path);
	while (fds && !found && (entry = readdir(fds))) {
		char target[sizeof(sought)];

		found = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target)) ==
			    (ssize_t)strlen(sought) &&
			!memcmp(target, sought, strlen(sought));
	}
	if (fds)
		closedir(fds);
	return found;
}

/* Keep an entry. Returns 0 or -ENOMEM. */
static int keep(void *with, void *data, size_t size)
{
	struct vm_listing *listing = with;
	struct vhu_vm_signal *more;

	if (size < sizeof(*more))
		return 0;
	more = vhu_array_more(listing->entry, &listing->count, sizeof(*more));
	if (!more)
		return -ENOMEM;
	listing->entry = more;
	memcpy(&more[listing->count - 1], data, sizeof(*more));
	return 0;
}

/* Run the program over all descriptors. It lists by the buffer of signals. Returns 0 or -errno. */
static int run(const struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int ret = link ? 0 : -errno;
	void *nothing = NULL;

	if (link)
		ret = vhu_bpf_iterator_read(link, &nothing, 1);
	bpf_link__destroy(link);
	free(nothing);
	return ret;
}

/* Load the program, run it and take what it lists. Returns 0 or -errno. */
static int load_and_list(struct bpf_object *object, uint32_t vmm, struct vm_listing *listing)
{
	struct bpf_map *fixed = bpf_object__find_map_by_name(object, ".rodata.vmm");
	struct ring_buffer *signals;
	int ret = fixed ? bpf_map__set_initial_value(fixed, &vmm, sizeof(vmm)) : -EINVAL;

	if (!ret)
		ret = bpf_object__load(object);
	if (ret)
		return ret;
	signals = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "signals"), keep,
				   listing, NULL);
	if (!signals)
		return -errno;
	ret = run(bpf_object__find_program_by_name(object, "list_signals"));
	if (!ret)
		ret = ring_buffer__consume(signals);
	ring_buffer__free(signals);
	return ret < 0 ? ret : 0;
}

int vhu_vm_list(uint32_t vmm, struct vhu_vm_signal **list, char *error)
{
	struct vm_listing listing = {0};
	struct bpf_object *object;
	int ret;

	*list = NULL;
	if (vmm && !has_vm(vmm))
		return 0;
	vhu_diagnose_listen();
	object = vhu_bpf_object_open(vhu_bpf_vm);
	ret = object ? load_and_list(object, vmm, &listing) : -errno;
	bpf_object__close(object);
	if (!ret) {
		*list = listing.entry;
		return (int)listing.count;
	}
	free(listing.entry);
	if (!vhu_diagnose_lack(error))
		vhu_diagnose_refusal("KVM's eventfds cannot be listed", ret, error);
	return ret;
}
