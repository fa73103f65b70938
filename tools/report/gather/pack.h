/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes as a page holds them: deflated, as base64, which no text of a capture can break out of. */
#ifndef VHU_TOOLS_REPORT_PACK_H
#define VHU_TOOLS_REPORT_PACK_H

#include <stddef.h>

/* Return @size bytes deflated (zlib's format) and in base64, to be freed; NULL out of memory. */
char *vhu_pack(const void *bytes, size_t size);

#endif
