/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors from words. */
#include "tests/rules/descriptor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Read one of a descriptor's properties. Returns what follows it; NULL for an unknown one. */
static const char *read_property(struct vhu_fd_info *fd, const char *text)
{
	const char *value = strchr(text, '=');
	size_t key = value ? (size_t)(value - text) : 0;
	char *end;
	uint64_t number;

	if (!value)
		return NULL;
	if (key == 4 && !strncmp(text, "name", key)) {
		fd->name = value + 1; /* the last one: it goes on to the end */
		return value + strlen(value);
	}
	number = strtoull(value + 1, &end, 0);
	if (key == 4 && !strncmp(text, "size", key)) {
		fd->size = number;
		fd->has |= VHU_FD_HAS_SIZE;
	} else if (key == 5 && !strncmp(text, "seals", key)) {
		fd->seals = (uint32_t)number;
		fd->has |= VHU_FD_HAS_SEALS;
	} else if (key == 9 && !strncmp(text, "page_size", key)) {
		fd->page_size = number;
		fd->has |= VHU_FD_HAS_PAGE_SIZE;
	} else if (key == 5 && !strncmp(text, "flags", key)) {
		fd->flags = (uint32_t)number;
	} else {
		return NULL;
	}
	return *end == ',' ? end + 1 : end;
}

bool descriptor_read(struct vhu_fd_info *fd, const char *text)
{
	size_t length = strcspn(text, ":");
	unsigned kind = 0;

	while (kind < VHU_FD_KINDS && (strlen(vhu_fd_kind_name(kind)) != length ||
				       strncmp(vhu_fd_kind_name(kind), text, length)))
		kind++;
	if (kind == VHU_FD_KINDS)
		return false;
	*fd = (struct vhu_fd_info){.kind = kind, .flags = O_RDWR};
	text += length + (text[length] == ':');
	if (kind == VHU_FD_EVENTFD && *text) {
		char *end;

		fd->eventfd_id = (uint32_t)strtoul(text, &end, 0);
		fd->has |= VHU_FD_HAS_EVENTFD;
		return !*end;
	}
	while (text && *text)
		text = read_property(fd, text);
	return text != NULL;
}
