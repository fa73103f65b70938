/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rights: who may reach a socket file. */
#include "proxy/endpoint/socket_perms.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define RIGHTS_MODE      0777
/* More than any label has. */
#define RIGHTS_LABEL_MAX 65536

/* The access control list comes last: it belongs to the owner and the group. */
static const char *const label_name[VHU_SOCKET_PERMS_LABELS] = {
    "security.selinux",
    "security.SMACK64",
    "system.posix_acl_access",
};
#define RIGHTS_LIST (VHU_SOCKET_PERMS_LABELS - 1)

/* Put a line into @line. Returns -@code. */
__attribute__((format(printf, 3, 4))) static int perms_say(char line[VHU_SOCKET_PERMS_ERROR],
							   int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, VHU_SOCKET_PERMS_ERROR, format, arguments);
	va_end(arguments);
	return -code;
}

int vhu_socket_perms_ask_mode(struct vhu_socket_perms *perms, const char *text,
			      char error[VHU_SOCKET_PERMS_ERROR])
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (*text < '0' || *text > '7' || *end || mode > RIGHTS_MODE)
		return perms_say(error, EINVAL, "%s: not a mode: write octal, as 0660", text);
	perms->mode = (mode_t)mode;
	perms->has_mode = perms->mode_asked = true;
	return 0;
}

/* Read the number of a user or group, the whole of @text. Returns whether it is one. */
static bool perms_number(const char *text, unsigned *number)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	*number = (unsigned)value;
	/* The highest one means "leave it". */
	return *text >= '0' && *text <= '9' && !*end && !errno && value < UINT_MAX;
}

int vhu_socket_perms_ask_owner(struct vhu_socket_perms *perms, const char *text,
			       char error[VHU_SOCKET_PERMS_ERROR])
{
	size_t length = strcspn(text, ":");
	const char *group = text[length] ? text + length + 1 : NULL;
	char user[256];
	const struct passwd *account;
	const struct group *members;
	unsigned number;

	if (length >= sizeof(user) || (group && !*group) || (!length && !group))
		return perms_say(error, EINVAL,
				 "%s: not an owner: write USER, USER:GROUP or :GROUP", text);
	snprintf(user, sizeof(user), "%.*s", (int)length, text);
	if (length) {
		account = getpwnam(user);
		if (!account && !perms_number(user, &number))
			return perms_say(error, EINVAL, "%s: no such user", user);
		perms->uid = account ? account->pw_uid : number;
		perms->has_uid = perms->uid_asked = true;
	}
	if (group) {
		members = getgrnam(group);
		if (!members && !perms_number(group, &number))
			return perms_say(error, EINVAL, "%s: no such group", group);
		perms->gid = members ? members->gr_gid : number;
		perms->has_gid = perms->gid_asked = true;
	}
	return 0;
}

/* Read a label of the file at @path. */
static void perms_read_label(struct vhu_socket_perms_label *label, const char *path,
			     const char *name)
{
	ssize_t size = getxattr(path, name, NULL, 0);

	if (size <= 0 || size > RIGHTS_LABEL_MAX)
		return;
	label->value = malloc((size_t)size);
	if (!label->value)
		return;
	size = getxattr(path, name, label->value, (size_t)size);
	if (size > 0) {
		label->size = (size_t)size;
		return;
	}
	free(label->value);
	label->value = NULL;
}

void vhu_socket_perms_read(struct vhu_socket_perms *perms, const char *path)
{
	struct stat st;

	vhu_socket_perms_free(perms);
	if (stat(path, &st) || !S_ISSOCK(st.st_mode))
		return;
	perms->of = path;
	if (!perms->mode_asked)
		perms->mode = st.st_mode & RIGHTS_MODE;
	if (!perms->uid_asked)
		perms->uid = st.st_uid;
	if (!perms->gid_asked)
		perms->gid = st.st_gid;
	perms->has_mode = perms->has_uid = perms->has_gid = true;
	for (int i = 0; i < VHU_SOCKET_PERMS_LABELS; i++) {
		/* A list says more than a mode: it would undo one that was asked for. */
		if (i != RIGHTS_LIST || !perms->mode_asked)
			perms_read_label(&perms->label[i], path, label_name[i]);
	}
}

/* Set the user of @file. Returns as vhu_socket_perms_give does. */
static int perms_give_user(const struct vhu_socket_perms *perms, int file, const struct stat *st,
			   const char *name, char *line)
{
	if (!perms->has_uid || perms->uid == st->st_uid ||
	    !fchownat(file, "", perms->uid, (gid_t)-1, AT_EMPTY_PATH))
		return 0;
	if (perms->uid_asked)
		return perms_say(line, errno, "%s: cannot belong to user %u: %s", name, perms->uid,
				 strerror(errno));
	perms_say(line, errno, "%s: does not belong to user %u as %s does: %s", name, perms->uid,
		  perms->of, strerror(errno));
	return 0;
}

/* Set the group of @file. @kept: gets whether that is as it should be. Returns as
 * vhu_socket_perms_give does. */
static int perms_give_group(const struct vhu_socket_perms *perms, int file, const struct stat *st,
			    const char *name, char *line, bool *kept)
{
	char own[64];

	*kept = !perms->has_gid || perms->gid == st->st_gid ||
		!fchownat(file, "", (uid_t)-1, perms->gid, AT_EMPTY_PATH);
	if (*kept)
		return 0;
	if (perms->gid_asked)
		return perms_say(line, errno, "%s: cannot belong to group %u: %s", name, perms->gid,
				 strerror(errno));
	perms_say(line, errno, "%s: does not belong to group %u as %s does: %s", name, perms->gid,
		  perms->of, strerror(errno));
	/* Another group is not to have its rights. */
	snprintf(own, sizeof(own), "/proc/self/fd/%d", file);
	if (!perms->mode_asked && chmod(own, perms->mode & ~(070 & ~(perms->mode << 3))))
		return perms_say(line, errno, "%s: cannot be kept from group %u: %s", name,
				 st->st_gid, strerror(errno));
	return 0;
}

/* Set the labels of @file; @list: the access control list too. What cannot be set is said. */
static void perms_give_labels(const struct vhu_socket_perms *perms, int file, const char *name,
			      char *line, bool list)
{
	char own[64];

	snprintf(own, sizeof(own), "/proc/self/fd/%d", file);
	for (int i = 0; i < (list ? VHU_SOCKET_PERMS_LABELS : RIGHTS_LIST); i++) {
		const struct vhu_socket_perms_label *label = &perms->label[i];
		struct vhu_socket_perms_label has = {0};

		if (!label->value)
			continue;
		/* The system may have given it already, and allow no other process to do so. */
		perms_read_label(&has, own, label_name[i]);
		if ((has.size != label->size || memcmp(has.value, label->value, has.size)) &&
		    setxattr(own, label_name[i], label->value, label->size, 0))
			perms_say(line, errno, "%s: lacks the %s that %s has: %s", name,
				  label_name[i], perms->of, strerror(errno));
		free(has.value);
	}
}

int vhu_socket_perms_give(const struct vhu_socket_perms *perms, int file, const char *name,
			  char line[VHU_SOCKET_PERMS_ERROR])
{
	struct stat st;
	bool kept;
	int code;

	*line = '\0';
	if (fstat(file, &st))
		return perms_say(line, errno, "%s: %s", name, strerror(errno));
	code = perms_give_user(perms, file, &st, name, line);
	if (!code)
		code = perms_give_group(perms, file, &st, name, line, &kept);
	if (!code)
		perms_give_labels(perms, file, name, line, kept);
	return code;
}

void vhu_socket_perms_free(struct vhu_socket_perms *perms)
{
	for (int i = 0; i < VHU_SOCKET_PERMS_LABELS; i++) {
		free(perms->label[i].value);
		perms->label[i] = (struct vhu_socket_perms_label){0};
	}
	perms->of = NULL;
	perms->has_mode = perms->mode_asked;
	perms->has_uid = perms->uid_asked;
	perms->has_gid = perms->gid_asked;
}
