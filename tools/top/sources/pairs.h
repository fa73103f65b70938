/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions without a proxy, as vhu attach --list finds them: two processes that are connected. Each
 * has a number of vhu top's own, from 1 on, as long as its connection exists.
 *
 * Ownership: a list owns its pairs.
 */
#ifndef VHU_TOOLS_TOP_SOURCES_PAIRS_H
#define VHU_TOOLS_TOP_SOURCES_PAIRS_H

#include <jansson.h>

#include "tools/top/table/model.h"

/* An eventfd that both sides of a session have open. */
struct vhu_top_eventfd {
	uint32_t id;
	int fd; /* of the back-end */
	uint64_t count;
	uint64_t since_ns; /* since when it is seen to have this count; 0: the count is 0 */
};

struct vhu_top_pair {
	uint64_t number; /* 0: no source has shown it yet */
	struct vhu_top_peer peer[VHU_TOP_SIDES];
	char socket[VHU_TOP_NAME];
	char device[VHU_TOP_WORD]; /* "" not known */
	uint64_t inode;            /* of the front-end's socket */
	bool listed;               /* in the list that is being taken */
	bool busy;                 /* probes have seen traffic of its vrings */
	uint64_t since_ns;         /* when it was found */
	struct vhu_top_eventfd *eventfd;
	unsigned eventfds;
};

struct vhu_top_pairs {
	struct vhu_top_pair *pair;
	unsigned count;
	uint64_t numbered; /* how many have had a number */
	bool known;        /* a list was taken whole */
};

/* Take a line of vhu attach --list --json. */
void vhu_top_pairs_take(struct vhu_top_pairs *pairs, const json_t *line, uint64_t now_ns);

/* The list was taken whole: drop the pairs that it did not mention. */
void vhu_top_pairs_end(struct vhu_top_pairs *pairs);

/*
 * Return whether a pair is a session of process @pid, or of the listening socket @socket if @pid is
 * 0. @back: gets the side that is the back-end: vhu attach can but guess which it is.
 */
bool vhu_top_pair_fits(const struct vhu_top_pair *pair, uint32_t pid, const char *socket,
		       unsigned *back);

/* Return whether both sides of a pair have the eventfd @id. */
bool vhu_top_pair_has(const struct vhu_top_pair *pair, uint32_t id);

/* Read which eventfds both sides of a pair have. */
void vhu_top_pair_find_eventfds(struct vhu_top_pair *pair);

/* Read the counters of a pair's eventfds. */
void vhu_top_pair_look(struct vhu_top_pair *pair, uint64_t now_ns);

/* Return how many eventfds of a pair are signalled and not read. @since_ns: since when the first of
 * them is seen to be, if there is one. */
unsigned vhu_top_pair_signalled(const struct vhu_top_pair *pair, uint64_t *since_ns);

void vhu_top_pairs_free(struct vhu_top_pairs *pairs);

#endif
