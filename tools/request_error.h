/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with an option, in a line. */
#ifndef VHU_TOOLS_REQUEST_ERROR_H
#define VHU_TOOLS_REQUEST_ERROR_H

/* Room for the line. */
#define VHU_REQUEST_ERROR 512

/* Put a line into @error, made as printf makes it. Returns -EINVAL. */
__attribute__((format(printf, 2, 3))) int vhu_request_wrong(char error[VHU_REQUEST_ERROR],
							    const char *format, ...);

#endif
