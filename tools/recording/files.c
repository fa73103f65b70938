/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of a command that records about its files. */
#include "tools/recording/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cli/options.h"
#include "lib/recording/flight.h"
#include "lib/util/duration.h"
#include "tools/request_error.h"

/* A kB of dumpcap's. */
#define KB               1000u
#define FILES_SIZE_MOST  (UINT64_C(1) << 40)
/* The least that all files may have together, and how many they are where nothing else is said. */
#define FILES_DISK_LEAST (UINT64_C(16) << 20)
#define FILES_DISK_FILES 8

/* What -b can say, and where that goes. */
enum files_key {
	FILES_BYTES,
	FILES_RECORDS,
	FILES_DURATION,
	FILES_INTERVAL,
	FILES_COUNT,
	FILES_KEYS
};
static const char *const key_name[FILES_KEYS] = {
    [FILES_BYTES] = "filesize",    [FILES_RECORDS] = "packets", [FILES_DURATION] = "duration",
    [FILES_INTERVAL] = "interval", [FILES_COUNT] = "files",
};

/* Read a time: seconds, which may have a fraction, or as 10min. Returns 0 or -EINVAL. */
static int files_time(const char *text, uint64_t *ns)
{
	return vhu_duration_parse(text, ns) || !*ns ? -EINVAL : 0;
}

/* Take the value of what -b says. Returns 0 or -EINVAL. */
static int files_value(struct vhu_recording_files *files, enum files_key key, const char *value)
{
	struct vhu_capture_file_limits *limits = &files->limits;
	uint64_t number = 0;
	int error = 0;

	switch (key) {
	case FILES_BYTES:
		error = vhu_number_parse(value, 1, UINT64_MAX / KB, &number);
		limits->bytes = number * KB;
		break;
	case FILES_RECORDS:
		error = vhu_number_parse(value, 1, UINT64_MAX, &limits->records);
		break;
	case FILES_DURATION:
		error = files_time(value, &limits->duration_ns);
		break;
	case FILES_INTERVAL:
		error = files_time(value, &limits->interval_ns);
		break;
	default:
		error = vhu_number_parse(value, 1, VHU_SERIES_MAX, &number);
		limits->files = (unsigned)number;
	}
	files->any = true;
	files->ends |= key != FILES_COUNT;
	return error;
}

int vhu_recording_files_take(struct vhu_recording_files *files, const char *argument, char *error)
{
	const char *colon = strchr(argument, ':');
	unsigned key = 0;

	while (key < FILES_KEYS && (!colon || strlen(key_name[key]) != (size_t)(colon - argument) ||
				    memcmp(argument, key_name[key], strlen(key_name[key])) != 0))
		key++;
	if (key == FILES_KEYS)
		return vhu_request_wrong(
		    error,
		    "%s: neither filesize:KB, duration:SECONDS, interval:SECONDS, packets:N nor "
		    "files:N",
		    argument);
	if (files_value(files, (enum files_key)key, colon + 1))
		return vhu_request_wrong(error, "%s: not a %s from 1 on%s", argument,
					 key == FILES_DURATION || key == FILES_INTERVAL ? "time"
											: "number",
					 key == FILES_COUNT ? " to 100000" : "");
	return 0;
}

/* Read a size: bytes, or as 512K, 16M or 1G, from @least on. Returns 0 or -EINVAL. */
static int files_size(const char *text, uint64_t least, uint64_t *size)
{
	static const char unit[] = "KMG";
	char digits[32];
	const size_t length = strlen(text);
	const char *at = length ? strchr(unit, text[length - 1]) : NULL;
	const unsigned shift = at ? 10 * (unsigned)(at - unit + 1) : 0;
	uint64_t number;

	snprintf(digits, sizeof(digits), "%.*s", (int)(length - (at != NULL)), text);
	if (length >= sizeof(digits) ||
	    vhu_number_parse(digits, 1, FILES_SIZE_MOST >> shift, &number) ||
	    number << shift < least)
		return -EINVAL;
	*size = number << shift;
	return 0;
}

int vhu_recording_files_take_flight(struct vhu_recording_files *files, const char *argument,
				    char *error)
{
	uint64_t size = VHU_FLIGHT_BYTES_DEFAULT;

	if (argument && files_size(argument, VHU_FLIGHT_BYTES_MIN, &size))
		return vhu_request_wrong(
		    error, "%s: not a size from 1M on: write as 512K, 16M or 1G", argument);
	files->flight_bytes = (size_t)size;
	return 0;
}

int vhu_recording_files_take_disk(struct vhu_recording_files *files, const char *argument,
				  char *error)
{
	if (files_size(argument, FILES_DISK_LEAST, &files->limits.disk))
		return vhu_request_wrong(error, "%s: not a size from 16M on: write as 16M or 10G",
					 argument);
	return 0;
}

/* See whether --max-disk goes together with the rest, and have files that it can delete. Returns as
 * vhu_recording_files_take does. */
static int files_end_disk(struct vhu_recording_files *files, char *error)
{
	struct vhu_capture_file_limits *limits = &files->limits;

	if (files->flight_bytes) {
		if (2 * files->flight_bytes > limits->disk)
			return vhu_request_wrong(error, "--max-disk: less than two times what the "
							"flight recorder keeps");
		return 0;
	}
	if (!limits->bytes)
		limits->bytes = limits->disk / FILES_DISK_FILES;
	if (2 * (limits->bytes + VHU_CAPTURE_FILE_OVER) > limits->disk)
		return vhu_request_wrong(error, "--max-disk: less than two files of -b filesize");
	files->any = files->ends = true;
	return 0;
}

int vhu_recording_files_end(struct vhu_recording_files *files, const char *path, char *error)
{
	const char *what = files->flight_bytes  ? "--flight-recorder"
			   : files->limits.disk ? "--max-disk"
						: "-b";

	if (!files->any && !files->flight_bytes && !files->limits.disk)
		return 0;
	if (!path || !strcmp(path, "-"))
		return vhu_request_wrong(error, "%s writes files: name them by -w, as -w vm.pcapng",
					 what);
	if (files->flight_bytes && files->ends)
		return vhu_request_wrong(
		    error, "--flight-recorder goes with no -b but files: a file is what was in it");
	if (files->limits.disk && files_end_disk(files, error))
		return -EINVAL;
	if (!files->flight_bytes && !files->ends)
		return vhu_request_wrong(
		    error, "-b files: when is the next file to begin? say filesize:, duration:, "
			   "interval: or packets: too");
	return 0;
}
