/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A series of files: one after the other, named as dumpcap names them,
 * NAME_00001_20240131235959.EXT of NAME.EXT, by their number and the local time at which they were
 * begun. Where only so many are to be kept the oldest are deleted.
 *
 * Ownership: a series remembers which files it made, and deletes no other: what is found under the
 * name of one and is not that file stays. Files that are there already are never written to.
 */
#ifndef VHU_PROXY_FILES_H
#define VHU_PROXY_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* As many as dumpcap counts, before it begins again at 0. */
#define VHU_FILES_MAX  100000
/* Of each that is made: what devices are told is their owner's business alone. */
#define VHU_FILES_MODE 0600

struct vhu_files_made;

struct vhu_files {
	const char *path;                                /* NAME.EXT; must outlive the series */
	unsigned keep;                                   /* how many; 0: all */
	unsigned number;                                 /* of the latest */
	TAILQ_HEAD(vhu_files_list, vhu_files_made) made; /* that are remembered, oldest first */
	unsigned count;                                  /* of them */
	char *first;                                     /* name of the first of all; NULL before */
	uint64_t total, deleted;
};

/* Begin a series in which no file was made, to be freed by vhu_files_free. */
void vhu_files_start(struct vhu_files *files, const char *path, unsigned keep);
void vhu_files_free(struct vhu_files *files);

/* Make the next file. Returns it, open for writing; -errno. */
int vhu_files_next(struct vhu_files *files);

/* Delete those that are too many. */
void vhu_files_trim(struct vhu_files *files);

/* Delete the oldest before the next is made, to make room for it, where that is its turn. Returns
 * whether one was deleted. */
bool vhu_files_make_room(struct vhu_files *files);

/* Delete the latest: nothing could be written to it. */
void vhu_files_drop(struct vhu_files *files);

/* Return the name of the latest file; "" before the first. */
const char *vhu_files_name(const struct vhu_files *files);

/* Say what there is: "vm_00001_20240131235959.pcapng", or how many, the first and the last.
 * Returns what snprintf would. */
int vhu_files_text(const struct vhu_files *files, char *to, size_t size);

#endif
