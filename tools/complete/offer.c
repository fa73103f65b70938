/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A candidate for the word that is completed. */
#include <stdio.h>
#include <string.h>

#include "tools/complete/complete.h"

void vhu_complete_offer(const struct vhu_complete *at, const char *word, const char *help)
{
	if (!strncasecmp(word, at->begins, strlen(at->begins)))
		printf("%s%s%s%s\n", at->lead, word, help ? "\t" : "", help ? help : "");
}
