/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the reader of captures: an input is a whole file. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "tests/fuzz/lib/fuzz.h"

/* Read a capture to its end and check that what ended it is said in one line. */
static void read_all(struct vhu_pcapng_reader *reader)
{
	const struct vhu_record *record;
	uint64_t number = 0;

	while (vhu_pcapng_read(reader, &record) == 1) {
		must(vhu_pcapng_reader_number(reader) > number);
		number = vhu_pcapng_reader_number(reader);
		must(record->fds <= VHU_RECORD_FDS_MAX);
		must(strlen(record->text) <= VHU_PCAPNG_SNAPLEN_DEFAULT);
	}
	must(vhu_pcapng_reader_foreign(reader) + vhu_pcapng_reader_damaged(reader) <=
	     vhu_pcapng_reader_number(reader));
	must(*vhu_pcapng_reader_error(reader) && !strchr(vhu_pcapng_reader_error(reader), '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct vhu_pcapng_reader *reader;
	char error[VHU_PCAPNG_ERROR_SIZE] = "", path[32];

	if (fd < 0)
		fd = memfd_create("capture", MFD_CLOEXEC);
	must(fd >= 0 && !ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (vhu_pcapng_reader_open(&reader, path, false, error)) {
		must(*error && !strchr(error, '\n'));
		return 0;
	}
	read_all(reader);
	vhu_pcapng_reader_close(reader);
	return 0;
}
