/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A series of files: one after the other, named as dumpcap names them,
 * NAME_00001_20240131235959.EXT of NAME.EXT, by their number and the local time when they were
 * begun. Where only so many, or so many bytes, are to be kept the oldest are deleted.
 *
 * Ownership: a series remembers which files it made, and deletes no other: what is found under the
 * name of one and is not that file stays. Files that are there already are never written to.
 */
#ifndef VHU_RECORDING_SERIES_H
#define VHU_RECORDING_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* As many as dumpcap counts, before it begins again at 0. */
#define VHU_SERIES_MAX  100000
/* Of each that is made: only its owner may read what devices are sent. */
#define VHU_SERIES_MODE 0600

struct vhu_series_made;

struct vhu_series {
	const char *path; /* NAME.EXT; must outlive the series */
	unsigned keep;    /* how many; 0: all */
	uint64_t most;    /* bytes of all together, 0: any number; set after the start */
	uint64_t reserve; /* of these, what the next file may need */
	unsigned number;  /* of the latest */
	TAILQ_HEAD(vhu_series_list, vhu_series_made) made; /* that are remembered, oldest first */
	unsigned count;                                    /* of them */
	char *first; /* name of the first of all; NULL before */
	uint64_t total, deleted;
};

/* Begin a series without a file, to be freed by vhu_series_free. */
void vhu_series_start(struct vhu_series *files, const char *path, unsigned keep);
void vhu_series_free(struct vhu_series *files);

/* Keep so many files from now on, and so many bytes, as in struct vhu_series. */
void vhu_series_limit(struct vhu_series *files, unsigned keep, uint64_t most, uint64_t reserve);

/* Make the next file. Returns it, open for writing; -errno. */
int vhu_series_next(struct vhu_series *files);

/* Delete those that are too many, or too large with what is in reserve; the latest stays. */
void vhu_series_trim(struct vhu_series *files);

/* Delete the oldest before the next is made, to make room for it, where that is its turn. Returns
 * whether one was deleted. */
bool vhu_series_make_room(struct vhu_series *files);

/* Delete the latest: nothing could be written to it. */
void vhu_series_drop(struct vhu_series *files);

/* Return the name of the latest file; "" before the first. */
const char *vhu_series_name(const struct vhu_series *files);

/* Say what there is: "vm_00001_20240131235959.pcapng", or how many, the first and the last.
 * Returns what snprintf would. */
int vhu_series_text(const struct vhu_series *files, char *to, size_t size);

#endif
