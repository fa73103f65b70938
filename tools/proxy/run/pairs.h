/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pairs of a run of vhu proxy, and what pairs must not be together. */
#ifndef VHU_TOOLS_PROXY_RUN_PAIRS_H
#define VHU_TOOLS_PROXY_RUN_PAIRS_H

#include "proxy/session/pair.h"

struct vhu_proxy_run;

/* A pair of the run; the run owns it. */
struct vhu_proxy_run_pair {
	struct vhu_pair pair;
	char *text[2]; /* its endpoints as they were written, by side */
	struct vhu_proxy_run_pair *next;
};

/* Return a pair whose endpoints are written as @text, which are not parsed yet; NULL out of memory.
 */
struct vhu_proxy_run_pair *vhu_proxy_pair_new(const char *const text[2]);

/* Free a pair that is not open. */
void vhu_proxy_pair_free(struct vhu_proxy_run_pair *pair);

/* Put @pair at the end of the run's. */
void vhu_proxy_pair_append(struct vhu_proxy_run *run, struct vhu_proxy_run_pair *pair);

/* Take @pair, which was retired, out of the run's and free it: struct vhu_pair's `gone`. */
void vhu_proxy_pair_gone(struct vhu_pair *pair);

/*
 * Understand the endpoints of a pair, by side.
 * @text: must outlive them. @check: those that are inherited are not here.
 * Returns 0 or -errno with a line in @error.
 */
int vhu_proxy_pair_parse(struct vhu_endpoint end[2], const char *const text[2], bool check,
			 char error[VHU_ENDPOINT_ERROR]);

/*
 * See whether pairs can be there together: no two are met at the same socket, or come by the same
 * descriptor.
 * @ends: the endpoints of each pair, by side.
 * @wrong: gets the numbers of the two pairs that cannot, the later one first.
 * Returns 0; -EINVAL, -ENOMEM with a line in @error.
 */
int vhu_proxy_pairs_compare(const struct vhu_endpoint *const *ends, size_t pairs, size_t wrong[2],
			    char error[VHU_ENDPOINT_ERROR]);

/*
 * See that one does not come from a pair to itself by going where each connects to: a session of it
 * would begin one more, and so on.
 * @ends: as for vhu_proxy_pairs_compare, opened. @wrong: gets the number of such a pair, twice.
 * Returns 0; -ELOOP, -ENOMEM with a line in @error.
 */
int vhu_proxy_pairs_circle(const struct vhu_endpoint *const *ends, size_t pairs, size_t wrong[2],
			   char error[VHU_ENDPOINT_ERROR]);

#endif
