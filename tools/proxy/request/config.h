/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file of vhu proxy: the command's own options, one a line without its dashes,
 * and its value.
 *
 *	# a host's disks
 *	write /var/lib/vhu/disks.pcapng
 *	retry
 *	pair /run/vm1/disk.sock /run/storage/disk1.sock
 *
 * Ownership: what is read belongs to the request.
 */
#ifndef VHU_TOOLS_PROXY_REQUEST_CONFIG_H
#define VHU_TOOLS_PROXY_REQUEST_CONFIG_H

#include "lib/cli/options.h"
#include "tools/proxy/request/request.h"

/* More is no configuration. */
#define VHU_PROXY_CONFIG_MAX (1 << 20)

/*
 * Take the options in the file at @path, by the table of @command.
 * @error: gets a line on what is wrong, and where.
 * Returns 0 or -errno.
 */
int vhu_proxy_config_take(const struct vhu_command *command, struct vhu_proxy_request *request,
			  const char *path, char error[VHU_REQUEST_ERROR]);

#endif
