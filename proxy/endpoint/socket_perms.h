/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rights: who may reach a socket file - owner, mode, security label, access control list. Those of
 * a socket that another one stands in for are kept, but for what was asked for.
 *
 * Ownership: rights that were read own copies of labels, until vhu_socket_perms_free.
 */
#ifndef VHU_PROXY_ENDPOINT_SOCKET_PERMS_H
#define VHU_PROXY_ENDPOINT_SOCKET_PERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Room for a line that says what is wrong. */
#define VHU_SOCKET_PERMS_ERROR  512
/* SELinux, Smack, and the access control list. */
#define VHU_SOCKET_PERMS_LABELS 3

struct vhu_socket_perms {
	const char *of; /* the path they were read from, NULL where there was none */
	bool has_mode, has_uid, has_gid;
	bool mode_asked, uid_asked, gid_asked; /* not to be had: an error, else only said */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct vhu_socket_perms_label {
		void *value; /* NULL: none */
		size_t size;
	} label[VHU_SOCKET_PERMS_LABELS];
};

/*
 * Ask for a mode: octal, 0777 at most.
 * Returns 0; -EINVAL with a line in @error.
 */
int vhu_socket_perms_ask_mode(struct vhu_socket_perms *perms, const char *text,
			      char error[VHU_SOCKET_PERMS_ERROR]);

/*
 * Ask for an owner: USER, USER:GROUP or :GROUP, by name or number.
 * Returns 0; -EINVAL with a line in @error.
 */
int vhu_socket_perms_ask_owner(struct vhu_socket_perms *perms, const char *text,
			       char error[VHU_SOCKET_PERMS_ERROR]);

/* Read the rights of the socket at @path, which must outlive @rights, into those that were not
 * asked for; without one there they stay unknown. */
void vhu_socket_perms_read(struct vhu_socket_perms *perms, const char *path);

/*
 * Give the file @rights that its creation has not.
 * @file: an O_PATH descriptor of a socket that does not listen yet. @name: in what is said.
 * @line: gets a line on what could not be given, "" where all was. A group that cannot be kept
 * leaves the file's group with no more than others have, unless a mode was asked for.
 * Returns 0, or -errno where something that was asked for could not be given.
 */
int vhu_socket_perms_give(const struct vhu_socket_perms *perms, int file, const char *name,
			  char line[VHU_SOCKET_PERMS_ERROR]);

/* Free what @rights own, and forget what was read, not what was asked for. */
void vhu_socket_perms_free(struct vhu_socket_perms *perms);

#endif
