/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pairs must not be together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/proxy/run/pairs.h"

/* Return whether @one stands before (< 0) or after (> 0) @other in order, or cannot be there beside
 * it (0). */
static int end_order(const struct vhu_endpoint *one, const struct vhu_endpoint *other)
{
	if (one->kind != other->kind)
		return one->kind < other->kind ? -1 : 1;
	if (one->kind == VHU_ENDPOINT_FD && one->fd != other->fd)
		return one->fd < other->fd ? -1 : 1;
	if (one->kind == VHU_ENDPOINT_FD && one->fd >= 0)
		return 0;
	return strcmp(one->path, other->path);
}

/* The same for qsort. */
static int by_order(const void *one, const void *other)
{
	return end_order(*(const struct vhu_endpoint *const *)one,
			 *(const struct vhu_endpoint *const *)other);
}

/* Return the number of the pair that has @end. */
static size_t pair_of(const struct vhu_endpoint *const *ends, size_t pairs,
		      const struct vhu_endpoint *end)
{
	size_t at = 0;

	while (at < pairs && end != &ends[at][VHU_FRONT] && end != &ends[at][VHU_BACK])
		at++;
	return at;
}

int vhu_proxy_pairs_compare(const struct vhu_endpoint *const *ends, size_t pairs, size_t wrong[2],
			    char error[VHU_ENDPOINT_ERROR])
{
	const struct vhu_endpoint **sorted = reallocarray(NULL, pairs, 2 * sizeof(*sorted));
	size_t count = 0;
	int code = 0;

	wrong[0] = wrong[1] = pairs;
	if (!sorted) {
		snprintf(error, VHU_ENDPOINT_ERROR, "out of memory");
		return -ENOMEM;
	}
	/* Several may connect to one BACK. A FRONT is what a pair is called by. */
	for (size_t i = 0; i < pairs; i++) {
		sorted[count++] = &ends[i][VHU_FRONT];
		if (ends[i][VHU_BACK].kind != VHU_ENDPOINT_CONNECT)
			sorted[count++] = &ends[i][VHU_BACK];
	}
	qsort(sorted, count, sizeof(*sorted), by_order);
	for (size_t i = 1; i < count && !code; i++) {
		if (end_order(sorted[i - 1], sorted[i]) != 0)
			continue;
		snprintf(error, VHU_ENDPOINT_ERROR,
			 "%s: FRONT and BACK of different pairs are the same", sorted[i]->path);
		wrong[0] = pair_of(ends, pairs, sorted[i - 1]);
		wrong[1] = pair_of(ends, pairs, sorted[i]);
		if (wrong[0] < wrong[1]) {
			wrong[1] = wrong[0];
			wrong[0] = pair_of(ends, pairs, sorted[i]);
		}
		code = -EINVAL;
	}
	free(sorted);
	return code;
}

/* The file of a socket that a pair has made. */
struct made {
	dev_t device;
	ino_t inode;
	size_t pair;
};

/* Order made files, for qsort and bsearch. */
static int by_file(const void *one, const void *other)
{
	const struct made *a = one, *b = other;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

/* Return the pair that listens where the one with @ends connects to, on whichever side; @pairs for
 * none. */
static size_t next_pair(const struct vhu_endpoint *ends, const struct made *made, size_t count,
			size_t pairs)
{
	const struct vhu_endpoint *to = &ends[VHU_FRONT];
	struct made wanted;
	const struct made *found;
	struct stat st;

	if (to->kind != VHU_ENDPOINT_CONNECT)
		to = &ends[VHU_BACK];
	if (to->kind != VHU_ENDPOINT_CONNECT || stat(to->path, &st))
		return pairs;
	wanted = (struct made){.device = st.st_dev, .inode = st.st_ino};
	found = bsearch(&wanted, made, count, sizeof(*made), by_file);
	return found ? found->pair : pairs;
}

/* Return a pair whose chain of @next pairs leads back to itself; @pairs if there is no such pair.
 */
static size_t find_circle(const size_t *next, size_t pairs)
{
	for (size_t i = 0; i < pairs; i++) {
		size_t at = next[i];

		for (size_t step = 0; at < pairs && step < pairs; step++, at = next[at]) {
			if (at == i)
				return i;
		}
	}
	return pairs;
}

int vhu_proxy_pairs_circle(const struct vhu_endpoint *const *ends, size_t pairs, size_t wrong[2],
			   char error[VHU_ENDPOINT_ERROR])
{
	struct made *made = reallocarray(NULL, pairs, 2 * sizeof(*made));
	size_t *next = reallocarray(NULL, pairs, sizeof(*next));
	size_t count = 0, found = pairs;
	int code = 0;

	if (made && next) {
		for (size_t i = 0; i < 2 * pairs; i++) {
			const struct vhu_endpoint *end = &ends[i / 2][i % 2];

			if (end->made)
				made[count++] = (struct made){end->device, end->inode, i / 2};
		}
		qsort(made, count, sizeof(*made), by_file);
		for (size_t i = 0; i < pairs; i++)
			next[i] = next_pair(ends[i], made, count, pairs);
		found = find_circle(next, pairs);
	} else {
		snprintf(error, VHU_ENDPOINT_ERROR, "out of memory");
		code = -ENOMEM;
	}
	wrong[0] = wrong[1] = found;
	if (found < pairs) {
		snprintf(error, VHU_ENDPOINT_ERROR, "%s: its pair connects to others in a circle",
			 ends[found][VHU_FRONT].path);
		code = -ELOOP;
	}
	free(made);
	free(next);
	return code;
}
