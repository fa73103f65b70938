/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attached programs, and detaching them together. */
#include "bpf/load/links.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>

int vhu_bpf_links_add(struct vhu_bpf_links *links, struct bpf_link *link)
{
	if (!link)
		return errno ? -errno : -EINVAL;
	if (links->count == VHU_BPF_LINKS_MAX) {
		bpf_link__destroy(link);
		return -ENOSPC;
	}
	links->link[links->count++] = link;
	return 0;
}

/* Detach one program, as a thread. */
static void *detach(void *link)
{
	bpf_link__destroy(link);
	return NULL;
}

/* All at once, since with some programs the kernel waits for each until no processor runs it. */
void vhu_bpf_links_detach(struct vhu_bpf_links *links)
{
	pthread_t thread[VHU_BPF_LINKS_MAX];
	unsigned threads = 0;

	while (links->count) {
		struct bpf_link *link = links->link[--links->count];

		if (pthread_create(&thread[threads], NULL, detach, link))
			bpf_link__destroy(link);
		else
			threads++;
	}
	while (threads)
		pthread_join(thread[--threads], NULL);
}
