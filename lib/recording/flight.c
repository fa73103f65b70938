/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flight recorder; flight.h has its theory of operation. */
#include "lib/recording/flight.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"

/* The most bytes that a record takes, with a message that is not cut. */
#define FLIGHT_RECORD_MAX (VHU_RECORD_HEAD_MAX + VHU_PCAPNG_SNAPLEN_DEFAULT)

_Static_assert(FLIGHT_RECORD_MAX + 64 < VHU_FLIGHT_BYTES_MIN, "any record fits the ring");

/* What stands before a record in the ring. */
struct flight_head {
	uint64_t time_ns;
	uint64_t sent; /* bytes with all of the message */
	uint32_t size; /* bytes that follow */
};

/* Copy @size bytes into the ring from its byte @at on, around its end. */
static void flight_put(struct vhu_flight *flight, size_t at, const void *from, size_t size)
{
	size_t bytes = flight->options.bytes, first;

	at %= bytes;
	first = size < bytes - at ? size : bytes - at;
	memcpy(flight->ring + at, from, first);
	memcpy(flight->ring, (const uint8_t *)from + first, size - first);
}

/* Copy @size bytes out of the ring from its byte @at on, around its end. */
static void flight_get(const struct vhu_flight *flight, size_t at, void *to, size_t size)
{
	size_t bytes = flight->options.bytes, first;

	at %= bytes;
	first = size < bytes - at ? size : bytes - at;
	memcpy(to, flight->ring + at, first);
	memcpy((uint8_t *)to + first, flight->ring, size - first);
}

/* Read the record at byte @at of the ring; it lasts until the next is read or taken. Returns how
 * many bytes it takes there. */
static size_t flight_read(struct vhu_flight *flight, size_t at, struct vhu_record *record,
			  struct vhu_fd_info fd[VHU_RECORD_FDS_MAX])
{
	struct flight_head head;

	flight_get(flight, at, &head, sizeof(head));
	flight_get(flight, at + sizeof(head), flight->record, head.size);
	vhu_record_decode(record, fd, flight->record, head.size, head.sent);
	record->time_ns = head.time_ns;
	return sizeof(head) + head.size;
}

/* Let the oldest record go into the past. */
static void flight_pass(struct vhu_flight *flight)
{
	struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
	struct vhu_record record;
	size_t size = flight_read(flight, flight->oldest, &record, fd);

	vhu_prologue_take(flight->prologue, &record);
	flight->oldest = (flight->oldest + size) % flight->options.bytes;
	flight->used -= size;
	flight->records--;
}

void vhu_flight_limit(struct vhu_flight *flight, unsigned files, uint64_t disk)
{
	vhu_series_limit(&flight->files, files, disk, flight->options.bytes + VHU_FLIGHT_BYTES_MIN);
}

void vhu_flight_take(void *context, const struct vhu_record *record)
{
	struct vhu_flight *flight = context;
	size_t most = FLIGHT_RECORD_MAX - VHU_RECORD_HEAD_MAX, message = record->message_size, size;
	struct flight_head head = {.time_ns = record->time_ns};

	if (message > most)
		message = most;
	/* Before it is encoded: letting others go takes the same room. */
	size = sizeof(head) + VHU_RECORD_HEAD_MAX + message;
	while (flight->records && flight->options.bytes - flight->used < size)
		flight_pass(flight);
	size = vhu_record_encode(record, flight->record);
	if (message)
		memcpy(flight->record + size, record->message, message);
	head.sent = size + (record->message_sent > message ? record->message_sent : message);
	head.size = (uint32_t)(size + message);
	flight_put(flight, flight->oldest + flight->used, &head, sizeof(head));
	flight_put(flight, flight->oldest + flight->used + sizeof(head), flight->record, head.size);
	flight->used += sizeof(head) + head.size;
	flight->records++;
}

/* A file that is written. */
struct flight_file {
	struct vhu_pcapng_writer *writer;
	void (*see)(void *context, const struct vhu_record *record);
	void *context;
};

/* Write a record, as vhu_prologue_tell wants it. Returns 0 or -errno. */
static int flight_tell(void *context, const struct vhu_record *record, uint64_t number)
{
	const struct flight_file *file = context;

	(void)number;
	file->see(file->context, record);
	return vhu_pcapng_write(file->writer, record);
}

/* Write the past and the ring. Returns 0 or -errno. */
static int flight_fill(struct vhu_flight *flight, struct flight_file *file)
{
	struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
	struct vhu_record record, end = {.type = VHU_RECORD_CONTINUED};
	int error, held;

	file->see(file->context, NULL);
	vhu_pcapng_hold(file->writer);
	error = vhu_prologue_tell(flight->prologue, flight_tell, file);
	for (size_t at = 0; at < flight->used && !error;) {
		at += flight_read(flight, flight->oldest + at, &record, fd);
		end.time_ns = record.time_ns;
		error = flight_tell(file, &record, 0);
	}
	/* Sessions that are open have not ended here. */
	if (!error)
		error = flight_tell(file, &end, 0);
	held = vhu_pcapng_release(file->writer);
	return error ? error : held;
}

/* Make the next file and write all of it. Returns 0; -errno, and there is no file. */
static int flight_make_file(struct vhu_flight *flight, struct flight_file *file)
{
	const struct vhu_flight_options *options = &flight->options;
	int fd = vhu_series_next(&flight->files), error, end;

	if (fd < 0)
		return fd;
	file->writer = NULL;
	error = vhu_pcapng_writer_open(&file->writer, fd, options->snaplen, options->comment);
	if (!error)
		error = flight_fill(flight, file);
	end = vhu_pcapng_writer_close(file->writer);
	if (close(fd) && !end)
		end = -errno;
	if (!error)
		error = end;
	if (error)
		vhu_series_drop(&flight->files);
	return error;
}

int vhu_flight_write(struct vhu_flight *flight,
		     void (*see)(void *context, const struct vhu_record *record), void *context)
{
	struct flight_file file = {.see = see, .context = context};
	int error = flight_make_file(flight, &file);

	while ((error == -ENOSPC || error == -EDQUOT) && vhu_series_make_room(&flight->files))
		error = flight_make_file(flight, &file);
	if (error)
		return error;
	vhu_series_trim(&flight->files);
	while (flight->records)
		flight_pass(flight);
	return 0;
}

/* See whether files can be made where @path says: it would be late to learn it when one is to be
 * written. Returns 0 or -errno. */
static int flight_check_folder(const char *path)
{
	char *copy = strdup(path);
	int error = 0;

	if (!copy)
		return -ENOMEM;
	if (access(dirname(copy), W_OK | X_OK))
		error = -errno;
	free(copy);
	return error;
}

int vhu_flight_open(struct vhu_flight *flight, const struct vhu_flight_options *options)
{
	int error = flight_check_folder(options->path);

	memset(flight, 0, sizeof(*flight));
	flight->options = *options;
	vhu_series_start(&flight->files, options->path, options->files);
	flight->files.most = options->disk;
	flight->files.reserve = options->bytes + VHU_FLIGHT_BYTES_MIN;
	if (error)
		return error;
	flight->prologue = vhu_prologue_new();
	flight->ring = malloc(options->bytes);
	flight->record = malloc(FLIGHT_RECORD_MAX);
	if (flight->prologue && flight->ring && flight->record)
		return 0;
	vhu_flight_close(flight);
	return -ENOMEM;
}

void vhu_flight_close(struct vhu_flight *flight)
{
	vhu_series_free(&flight->files);
	vhu_prologue_free(flight->prologue);
	free(flight->ring);
	free(flight->record);
	flight->prologue = NULL;
	flight->ring = flight->record = NULL;
	flight->used = 0;
	flight->records = 0;
}
