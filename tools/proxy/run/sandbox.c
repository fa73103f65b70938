/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sandbox of vhu proxy: which folders it still needs once all is open. */
#include "proxy/sandbox/sandbox.h"

#include <string.h>

#include "tools/proxy/run/run.h"

/* Allow @uses of the folders for sockets, those of a later configuration too. */
static void allow_sockets(const struct vhu_proxy_run *run, struct vhu_sandbox *sandbox,
			  unsigned uses)
{
	const struct vhu_proxy_request *request = run->request;

	for (struct vhu_proxy_run_pair *pair = run->pairs; pair; pair = pair->next) {
		for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
			const struct vhu_endpoint *end = &pair->pair.end[side];

			if (end->made || (end->kind == VHU_ENDPOINT_LISTEN && end->fd < 0))
				vhu_sandbox_allow_beside(sandbox, end->path, uses);
		}
	}
	for (size_t i = 0; i < request->givens; i++) {
		if (request->given[i].key == VHU_PROXY_RELOAD_FOLDER)
			vhu_sandbox_allow(sandbox, request->given[i].argument, uses);
	}
}

/* Allow the configuration to be read again, and files of faults. */
static void allow_configuration(const struct vhu_proxy_request *request,
				struct vhu_sandbox *sandbox)
{
	if (!request->config)
		return;
	for (size_t i = 0; i < request->givens; i++) {
		const struct vhu_proxy_given *given = &request->given[i];

		if (given->key == VHU_PROXY_CONFIG || given->key == VHU_PROXY_FAULTS)
			vhu_sandbox_allow_beside(sandbox, given->argument, VHU_SANDBOX_READ);
	}
}

int vhu_proxy_run_start_maker(struct vhu_proxy_run *run)
{
	struct vhu_sandbox sandbox;
	int error;

	if (!run->request->config || run->request->no_sandbox)
		return VHU_EXIT_DONE;
	vhu_sandbox_start(&sandbox, 0);
	allow_sockets(run, &sandbox, VHU_SANDBOX_SOCKETS);
	error = vhu_socket_maker_start(&run->maker, &sandbox, vhu_proxy_run_restore);
	vhu_sandbox_leave(&sandbox);
	return error ? vhu_fail(run->command, "no process to make sockets: %s", strerror(-error))
		     : VHU_EXIT_DONE;
}

void vhu_proxy_run_enter_sandbox(struct vhu_proxy_run *run)
{
	struct vhu_sandbox sandbox;
	char error[VHU_SANDBOX_ERROR];

	if (run->request->no_sandbox)
		return;
	vhu_sandbox_start(&sandbox, run->child.child.pid);
	/* Sockets that were made are removed at the end. */
	allow_sockets(run, &sandbox, VHU_SANDBOX_REMOVE);
	allow_configuration(run->request, &sandbox);
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
