/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flight recorder: the latest records, in memory, until they are asked for. Then they are
 * written to a file of their own, the next of a series.
 *
 * Theory of operation
 *
 * Records stand one after the other in a ring of a fixed size, as the record format encodes them.
 * The oldest make room for the latest, whole ones, and go into the past (prologue.h): so a file
 * begins with what made the sessions what they were at the ring's oldest record, and can be read
 * alone. What was written goes the same way; the next file holds what came after.
 *
 * Where a file cannot be written it is taken back, the records stay, and the next try has them.
 *
 * Ownership: a flight recorder owns its ring, its past and its series of files.
 */
#ifndef VHU_RECORDING_FLIGHT_H
#define VHU_RECORDING_FLIGHT_H

#include "lib/recording/prologue.h"
#include "lib/recording/series.h"

/* Room for a record of any size, and for some thousands of usual ones. */
#define VHU_FLIGHT_BYTES_MIN     (1u << 20)
#define VHU_FLIGHT_BYTES_DEFAULT (16u << 20)

struct vhu_flight_options {
	const char *path;    /* NAME.EXT of the files; must outlive the recorder */
	uint32_t snaplen;    /* for the pcapng writer */
	const char *comment; /* the same; must outlive the recorder */
	size_t bytes;        /* of the ring; VHU_FLIGHT_BYTES_MIN at least */
	unsigned files;      /* how many are kept; 0 all */
	uint64_t disk;       /* bytes of all that are kept; 0 any number */
};

struct vhu_flight {
	struct vhu_flight_options options;
	struct vhu_series files;
	struct vhu_prologue *prologue;
	uint8_t *ring;
	size_t oldest, used; /* bytes */
	uint64_t records;    /* in the ring */
	uint8_t *record;     /* room for one */
};

/* Begin to record. Returns 0; -errno where there is no memory, or no file could be made there. */
int vhu_flight_open(struct vhu_flight *flight, const struct vhu_flight_options *options);

/* Keep so many files, and so many bytes of all together, from now on; 0 any number. */
void vhu_flight_limit(struct vhu_flight *flight, unsigned files, uint64_t disk);

/* Record: what sinks do, @context being the recorder. */
void vhu_flight_take(void *context, const struct vhu_record *record);

/*
 * Write what is in the ring to the next file, and let it go.
 * @see: is shown each record as it is written, with @context, and NULL before the first; a full
 * disk can make it begin again. Returns 0; -errno, and it stays in the ring.
 */
int vhu_flight_write(struct vhu_flight *flight,
		     void (*see)(void *context, const struct vhu_record *record), void *context);

/* Free what @flight owns; what is in its ring is gone. */
void vhu_flight_close(struct vhu_flight *flight);

#endif
