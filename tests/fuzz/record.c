/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes the decoder of records: an input is two bytes, how many bytes a snap length cut off, and
 * the packet. What was decoded is encoded again, which must then stay the same.
 */
#include <string.h>

#include "lib/capture/record.h"
#include "tests/fuzz/lib/fuzz.h"

/* Check that a descriptor's description can be used, up to its name's NUL. */
static void use_fd(const struct vhu_fd_info *fd)
{
	char text[64];

	must(vhu_fd_text(fd, text, sizeof(text)) > 0);
	must(strlen(text) < sizeof(text));
	must(fd->kind < VHU_FD_KINDS);
}

/* Check that every part of @record can be used. */
static void use(const struct vhu_record *record, size_t size)
{
	must(record->channel < VHU_CHANNELS);
	must(record->fds <= VHU_RECORD_FDS_MAX && record->segments <= VHU_RECORD_SEGMENTS_MAX);
	must(record->message_size < size && record->message_size <= record->message_sent);
	must(!record->message == !record->message_size);
	for (unsigned i = 0; i < record->fds; i++)
		use_fd(&record->fd[i]);
	must(strlen(record->text) < size);
	must(strlen(record->front_end.comm) + strlen(record->front_end.path) < size);
	must(strlen(record->back_end.comm) + strlen(record->back_end.path) < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t first[VHU_RECORD_HEAD_MAX], second[VHU_RECORD_HEAD_MAX];
	static struct vhu_fd_info fd[VHU_RECORD_FDS_MAX];
	struct vhu_record record;
	size_t sizes[2];

	if (size < 2)
		return 0;
	size -= 2;
	if (vhu_record_decode(&record, fd, data + 2, size, size + data[0] * 256u + data[1]))
		return 0;
	use(&record, size);
	sizes[0] = vhu_record_encode(&record, first);
	must(sizes[0] <= sizeof(first));
	must(!vhu_record_decode(&record, fd, first, sizes[0], sizes[0]));
	sizes[1] = vhu_record_encode(&record, second);
	must(sizes[0] == sizes[1] && !memcmp(first, second, sizes[0]));
	return 0;
}
