/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of a proxy, where no control socket can be built. */
#include "tools/complete/complete.h"
#include "tools/ctl/ctl.h"

void vhu_complete_sessions(const struct vhu_complete *at)
{
	(void)at;
}

void vhu_complete_verbs(const struct vhu_complete *at, int words, char **word)
{
	(void)at;
	(void)words;
	(void)word;
}
