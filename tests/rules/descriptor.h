/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A descriptor that passes, in a word: "eventfd:9", "memfd:size=0x1000,seals=8". */
#ifndef VHU_TESTS_RULES_DESCRIPTOR_H
#define VHU_TESTS_RULES_DESCRIPTOR_H

#include "lib/capture/record.h"

/*
 * Read KIND, or KIND:ID of an eventfd, or KIND:KEY=VALUE,... of size, seals, flags, page_size,
 * name. It can be read and written unless flags say otherwise. A name lasts as long as @text.
 * Returns whether it could.
 */
bool descriptor_read(struct vhu_fd_info *fd, const char *text);

#endif
