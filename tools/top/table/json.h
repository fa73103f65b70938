/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of vhu top as JSON. */
#ifndef VHU_TOOLS_TOP_TABLE_JSON_H
#define VHU_TOOLS_TOP_TABLE_JSON_H

#include <stdio.h>

#include "tools/top/table/view.h"

/* Write the rows that the filter lets pass, an object a line. docs/top.md lists the keys. */
void vhu_top_json(FILE *to, const struct vhu_top_view *view);

#endif
