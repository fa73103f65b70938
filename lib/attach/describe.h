/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors as vhu attach saw them pass, described as the proxy describes what it receives. */
#ifndef VHU_ATTACH_DESCRIBE_H
#define VHU_ATTACH_DESCRIBE_H

#include "bpf/attach/events.h"
#include "lib/capture/record.h"

/*
 * Describe a descriptor.
 * @pid: a process with this descriptor's file open; its path is looked up there if the kernel gave
 * only a name; 0 for none.
 * @name: room for its name; info->name will point there.
 */
void vhu_attach_describe(const struct vhu_attach_file *file, uint32_t pid, struct vhu_fd_info *info,
			 char name[VHU_RECORD_TEXT_MAX + 1]);

#endif
