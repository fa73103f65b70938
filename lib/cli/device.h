/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio device and a dialect as a person names them. */
#ifndef VHU_CLI_DEVICE_H
#define VHU_CLI_DEVICE_H

#include <stdint.h>

/* Return the virtio device that a word names, by name in either case or by id; 0 if none. */
uint32_t vhu_device_parse(const char *word);

/* Return the enum vhu_dialect that a word names, in either case; -1 if none. */
int vhu_dialect_parse(const char *word);

#endif
