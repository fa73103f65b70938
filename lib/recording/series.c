/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A series of files. */
#include "lib/recording/series.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Names that may be taken already before it is given up. */
#define FILES_TRIES 100

/* A file that was made. */
struct vhu_series_made {
	TAILQ_ENTRY(vhu_series_made) link;
	dev_t device;
	ino_t inode;
	char name[];
};

void vhu_series_start(struct vhu_series *files, const char *path, unsigned keep)
{
	*files = (struct vhu_series){.path = path, .keep = keep};
	TAILQ_INIT(&files->made);
}

/* Forget a file. */
static void files_forget(struct vhu_series *files, struct vhu_series_made *made)
{
	TAILQ_REMOVE(&files->made, made, link);
	files->count--;
	free(made);
}

void vhu_series_free(struct vhu_series *files)
{
	while (!TAILQ_EMPTY(&files->made))
		files_forget(files, TAILQ_FIRST(&files->made));
	free(files->first);
	files->first = NULL;
}

/* Return where the extension of a path begins, or its end. */
static const char *files_extension(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	return dot && dot != name ? dot : path + strlen(path);
}

/* Return the file that is number @number as one that was made, to be freed; NULL out of memory. */
static struct vhu_series_made *files_new(const struct vhu_series *files, unsigned number)
{
	const char *extension = files_extension(files->path);
	size_t size = strlen(files->path) + sizeof("_00001_20240131235959") + 16;
	struct vhu_series_made *made = calloc(1, sizeof(*made) + size);
	time_t now = time(NULL);
	char date[32] = "";
	struct tm tm;

	if (!made)
		return NULL;
	if (localtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y%m%d%H%M%S", &tm);
	snprintf(made->name, size, "%.*s_%05u_%s%s", (int)(extension - files->path), files->path,
		 number % VHU_SERIES_MAX, date, extension);
	return made;
}

/* Remember a file that was made and is open as @fd. Returns @fd; -errno, and it is closed. */
static int files_remember(struct vhu_series *files, struct vhu_series_made *made, int fd)
{
	struct stat st;
	int error = 0;

	if (fstat(fd, &st))
		error = -errno;
	if (!error && !files->first) {
		files->first = strdup(made->name);
		error = files->first ? 0 : -ENOMEM;
	}
	if (error) {
		unlink(made->name);
		close(fd);
		free(made);
		return error;
	}
	made->device = st.st_dev;
	made->inode = st.st_ino;
	TAILQ_INSERT_TAIL(&files->made, made, link);
	files->count++;
	files->total++;
	return fd;
}

int vhu_series_next(struct vhu_series *files)
{
	for (unsigned tries = 0; tries < FILES_TRIES; tries++) {
		struct vhu_series_made *made = files_new(files, ++files->number);
		int fd, error;

		if (!made)
			return -ENOMEM;
		fd = open(made->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, VHU_SERIES_MODE);
		if (fd >= 0)
			return files_remember(files, made, fd);
		error = -errno;
		free(made);
		/* One of an earlier run stays: the next number is free. */
		if (error != -EEXIST) {
			files->number--;
			return error;
		}
	}
	return -EEXIST;
}

/* Delete a file if it still is the one that was made, and forget it. */
static void files_delete(struct vhu_series *files, struct vhu_series_made *made)
{
	struct stat st;

	if (!lstat(made->name, &st) && st.st_dev == made->device && st.st_ino == made->inode &&
	    !unlink(made->name))
		files->deleted++;
	files_forget(files, made);
}

/* Return how many bytes the files have that are remembered and still there. */
static uint64_t files_size(const struct vhu_series *files)
{
	const struct vhu_series_made *made;
	uint64_t size = 0;
	struct stat st;

	TAILQ_FOREACH(made, &files->made, link)
	if (!lstat(made->name, &st) && st.st_dev == made->device && st.st_ino == made->inode)
		size += (uint64_t)st.st_size;
	return size;
}

void vhu_series_trim(struct vhu_series *files)
{
	while (files->keep && files->count > files->keep)
		files_delete(files, TAILQ_FIRST(&files->made));
	while (files->most && files->count > 1 && files_size(files) + files->reserve > files->most)
		files_delete(files, TAILQ_FIRST(&files->made));
	/* Of those that all stay, the latest is enough to know. */
	while (!files->keep && !files->most && files->count > 1)
		files_forget(files, TAILQ_FIRST(&files->made));
}

void vhu_series_limit(struct vhu_series *files, unsigned keep, uint64_t most, uint64_t reserve)
{
	files->keep = keep;
	files->most = most;
	files->reserve = reserve;
	vhu_series_trim(files);
}

bool vhu_series_make_room(struct vhu_series *files)
{
	bool may = files->most || (files->keep && files->count >= files->keep);

	if (!may || files->count < 2)
		return false;
	files_delete(files, TAILQ_FIRST(&files->made));
	return true;
}

void vhu_series_drop(struct vhu_series *files)
{
	struct vhu_series_made *made = TAILQ_LAST(&files->made, vhu_series_list);
	uint64_t deleted = files->deleted;

	if (!made)
		return;
	files_delete(files, made);
	files->deleted = deleted;
	files->total--;
	files->number--;
	if (files->total)
		return;
	free(files->first);
	files->first = NULL;
}

const char *vhu_series_name(const struct vhu_series *files)
{
	const struct vhu_series_made *made = TAILQ_LAST(&files->made, vhu_series_list);

	return made ? made->name : "";
}

int vhu_series_text(const struct vhu_series *files, char *to, size_t size)
{
	const char *last = vhu_series_name(files), *first = files->first;
	char deleted[48] = "";

	if (!files->total)
		return snprintf(to, size, "nothing was written");
	if (files->keep && !TAILQ_EMPTY(&files->made))
		first = TAILQ_FIRST(&files->made)->name;
	if (files->deleted)
		snprintf(deleted, sizeof(deleted), ", the oldest %" PRIu64 " deleted",
			 files->deleted);
	if (files->total - files->deleted < 2)
		return snprintf(to, size, "%s%s", last, deleted);
	return snprintf(to, size, "%" PRIu64 " files%s: %s to %s", files->total, deleted, first,
			last);
}
