/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vhu ctl takes, for who completes its command line. */
#ifndef VHU_TOOLS_CTL_H
#define VHU_TOOLS_CTL_H

#include "tools/complete/complete.h"

/* Offer what the last of @words, a verb or a word of one, may be. */
void vhu_complete_verbs(const struct vhu_complete *at, int words, char **word);

#endif
