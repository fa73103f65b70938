/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records' names and descriptors, as people read them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/capture/record.h"
#include "lib/protocol/line.h"
#include "lib/util/utf8.h"
#include "lib/util/util.h"

const char *vhu_fd_kind_name(enum vhu_fd_kind kind)
{
	static const char *const name[VHU_FD_KINDS] = {
	    [VHU_FD_OTHER] = "other",
	    [VHU_FD_MEMFD] = "memfd",
	    [VHU_FD_EVENTFD] = "eventfd",
	    [VHU_FD_FILE] = "file",
	    [VHU_FD_SOCKET] = "socket",
	    [VHU_FD_PIPE] = "pipe",
	    [VHU_FD_USERFAULTFD] = "userfaultfd",
	    [VHU_FD_DMABUF] = "dma-buf",
	};

	return (unsigned)kind < VHU_FD_KINDS ? name[kind] : name[VHU_FD_OTHER];
}

const char *vhu_record_type_name(enum vhu_record_type type)
{
	static const char *const name[VHU_RECORD_TYPES] = {
	    [VHU_RECORD_MESSAGE] = "message",
	    [VHU_RECORD_OPENED] = "opened",
	    [VHU_RECORD_CLOSED] = "closed",
	    [VHU_RECORD_ERROR] = "error",
	    [VHU_RECORD_VRING] = "vring",
	    [VHU_RECORD_CONTINUED] = "continued",
	    [VHU_RECORD_SNAPSHOT] = "vring snapshot",
	};

	return (unsigned)type < VHU_RECORD_TYPES ? name[type] : NULL;
}

const char *vhu_vring_act_name(enum vhu_vring_act act)
{
	static const char *const name[VHU_ACTS] = {
	    [VHU_ACT_KICK] = "kick",
	    [VHU_ACT_WAKE] = "wake",
	    [VHU_ACT_CALL] = "call",
	    [VHU_ACT_ERR] = "error",
	};

	return (unsigned)act < VHU_ACTS ? name[act] : NULL;
}

const char *vhu_vring_fate_name(enum vhu_vring_fate fate)
{
	static const char *const name[VHU_FATES] = {
	    [VHU_FATE_PASSED] = "passed on",     [VHU_FATE_LOST] = "lost",
	    [VHU_FATE_DELAYED] = "delayed",      [VHU_FATE_REPEATED] = "repeated",
	    [VHU_FATE_SENT] = "sent on request",
	};

	return (unsigned)fate < VHU_FATES ? name[fate] : NULL;
}

/*
 * Find the part of a descriptor's name that tells something: not the kind, which stands before it,
 * nor that the file has no directory entry, which goes for every memfd.
 * @size: gets its length; 0 for names made by the kernel, such as "socket:[4711]".
 * Returns where it begins.
 */
static const char *fd_name(const struct vhu_fd_info *fd, int *size)
{
	static const char prefix[] = "/memfd:", suffix[] = " (deleted)";
	const char *name = fd->name ? fd->name : "";
	size_t length;

	if (fd->kind == VHU_FD_MEMFD && !strncmp(name, prefix, sizeof(prefix) - 1))
		name += sizeof(prefix) - 1;
	else if (fd->kind != VHU_FD_MEMFD && *name != '/')
		name = "";
	length = strnlen(name, VHU_RECORD_TEXT_MAX);
	if (fd->kind == VHU_FD_MEMFD && length >= sizeof(suffix) - 1 &&
	    !memcmp(name + length - (sizeof(suffix) - 1), suffix, sizeof(suffix) - 1))
		length -= sizeof(suffix) - 1;
	*size = (int)length;
	return name;
}

/* A bit, and its name. */
struct vhu_record_bit {
	uint32_t bit;
	const char *name;
};

/* Add the names of the @count @bits that are set in @value to @line, and what has no name in octal.
 */
static void put_bits(struct vhu_line *line, const struct vhu_record_bit *bits, size_t count,
		     uint32_t value, const char *between)
{
	for (size_t i = 0; i < count; i++) {
		if ((value & bits[i].bit) != bits[i].bit)
			continue;
		vhu_line_printf(line, "%s%s", between, bits[i].name);
		between = "|";
		value &= ~bits[i].bit;
	}
	if (value)
		vhu_line_printf(line, "%s0%" PRIo32, between, value);
}

void vhu_open_flags_text(uint32_t flags, char *to, size_t size)
{
	static const char *const access[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "3"};
	/* Those that x86-64 and arm64 number alike; the others of x86-64, as most captures are from
	 * there. Larger ones first: O_SYNC has the bit of O_DSYNC. */
	static const struct vhu_record_bit bits[] = {
	    {04010000, "O_SYNC"},     {010000, "O_DSYNC"},      {02000, "O_APPEND"},
	    {04000, "O_NONBLOCK"},    {020000, "O_ASYNC"},      {040000, "O_DIRECT"},
	    {0100000, "O_LARGEFILE"}, {0200000, "O_DIRECTORY"}, {0400000, "O_NOFOLLOW"},
	    {01000000, "O_NOATIME"},  {02000000, "O_CLOEXEC"},  {010000000, "O_PATH"},
	};
	struct vhu_line line = vhu_line_in(to, size);

	vhu_line_printf(&line, "%s", access[flags & 3]);
	put_bits(&line, bits, VHU_ARRAY_SIZE(bits), flags & ~UINT32_C(3), "|");
}

void vhu_seals_text(uint32_t seals, char *to, size_t size)
{
	static const struct vhu_record_bit bits[] = {
	    {1, "SEAL"},  {2, "SHRINK"},        {4, "GROW"},
	    {8, "WRITE"}, {16, "FUTURE_WRITE"}, {32, "EXEC"},
	};
	struct vhu_line line = vhu_line_in(to, size);

	if (!seals)
		vhu_line_printf(&line, "none");
	put_bits(&line, bits, VHU_ARRAY_SIZE(bits), seals, "");
}

int vhu_fd_text(const struct vhu_fd_info *fd, char *to, size_t size)
{
	static const char unit[] = "\0KMGTPE";
	const char *kind = vhu_fd_kind_name(fd->kind);
	uint64_t amount = fd->size;
	unsigned power = 0;
	char bytes[32] = "";
	int length, ret;
	const char *name = fd_name(fd, &length);

	if (fd->has & VHU_FD_HAS_EVENTFD)
		return snprintf(to, size, "%s %" PRIu32, kind, fd->eventfd_id);
	for (; amount && amount % 1024 == 0; power++)
		amount /= 1024;
	if (fd->has & VHU_FD_HAS_SIZE)
		snprintf(bytes, sizeof(bytes), " %" PRIu64 "%.1s", amount, unit + power);
	ret = snprintf(to, size, "%s%s%.*s%s", kind, length ? " " : "", length, name, bytes);
	/* A peer chooses the names of its memfds: they must not reach a terminal as commands. */
	for (size_t i = 0, shown; i + 1 < size && to[i]; i += shown ? shown : 1) {
		shown = vhu_utf8_shown(to + i);
		if (!shown)
			to[i] = '?';
	}
	return ret;
}
