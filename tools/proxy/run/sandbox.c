/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sandbox of vhu proxy: which folders it still needs once all is open. */
#include "proxy/sandbox/sandbox.h"

#include "tools/proxy/run/run.h"

void vhu_proxy_run_enter_sandbox(struct vhu_proxy_run *run)
{
	struct vhu_sandbox sandbox;
	char error[VHU_SANDBOX_ERROR];

	if (run->request->no_sandbox)
		return;
	vhu_sandbox_start(&sandbox, run->child.child.pid);
	/* Sockets that were made are removed at the end. */
	for (size_t i = 0; i < run->request->pairs; i++) {
		for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
			const struct vhu_endpoint *end = &run->pair[i].end[side];

			if (end->made)
				vhu_sandbox_allow_beside(&sandbox, end->path, VHU_SANDBOX_REMOVE);
		}
	}
	/* Files are begun and deleted while it serves. */
	if (run->capture.series || run->flight.on)
		vhu_sandbox_allow_beside(&sandbox, run->request->file,
					 VHU_SANDBOX_WRITE | VHU_SANDBOX_REMOVE);
	if (run->child.folder) {
		vhu_sandbox_allow(&sandbox, run->child.folder,
				  VHU_SANDBOX_READ | VHU_SANDBOX_REMOVE);
		vhu_sandbox_allow_beside(&sandbox, run->child.folder, VHU_SANDBOX_REMOVE_FOLDER);
	}
#ifdef VHU_HAVE_CONTROL
	if (run->control && vhu_control_made(run->control))
		vhu_sandbox_allow_beside(&sandbox, vhu_control_made(run->control),
					 VHU_SANDBOX_REMOVE);
#endif
	if (vhu_sandbox_enter(&sandbox, error))
		vhu_proxy_say(&run->proxy,
			      "%s: serves without; --no-sandbox says that this is meant", error);
}
