/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is in place of QEMU's monitor, in a build without jansson. */
#include "tools/attach/past/past.h"

int vhu_attach_ask_qemu(struct vhu_attach_run *run)
{
	return vhu_fail(run->command, "built without jansson: leave out --qmp");
}

int vhu_attach_refresh(struct vhu_attach_run *run)
{
	return vhu_attach_ask_qemu(run);
}
