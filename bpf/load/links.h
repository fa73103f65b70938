/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The attached programs of one loader: they stay attached as long as their links live. */
#ifndef VHU_BPF_LOAD_LINKS_H
#define VHU_BPF_LOAD_LINKS_H

struct bpf_link;

/* No set of programs has more. */
#define VHU_BPF_LINKS_MAX 16

struct vhu_bpf_links {
	struct bpf_link *link[VHU_BPF_LINKS_MAX];
	unsigned count;
};

/*
 * Keep the link of a program that was just attached; NULL: it could not be, errno says why.
 * Returns 0; -errno, with @link destroyed if there is no room for it.
 */
int vhu_bpf_links_add(struct vhu_bpf_links *links, struct bpf_link *link);

/* Detach all programs. */
void vhu_bpf_links_detach(struct vhu_bpf_links *links);

#endif
