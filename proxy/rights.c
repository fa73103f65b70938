/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rights: who may reach a socket file. */
#include "proxy/rights.h"

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
static const char *const label_name[VHU_RIGHTS_LABELS] = {
    "security.selinux",
    "security.SMACK64",
    "system.posix_acl_access",
};
#define RIGHTS_LIST (VHU_RIGHTS_LABELS - 1)

/* Put a line into @line. Returns -@code. */
__attribute__((format(printf, 3, 4))) static int rights_say(char line[VHU_RIGHTS_ERROR], int code,
							    const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, VHU_RIGHTS_ERROR, format, arguments);
	va_end(arguments);
	return -code;
}

int vhu_rights_ask_mode(struct vhu_rights *rights, const char *text, char error[VHU_RIGHTS_ERROR])
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (*text < '0' || *text > '7' || *end || mode > RIGHTS_MODE)
		return rights_say(error, EINVAL, "%s: not a mode: write octal, as 0660", text);
	rights->mode = (mode_t)mode;
	rights->has_mode = rights->mode_asked = true;
	return 0;
}

/* Read the number of a user or group, the whole of @text. Returns whether it is one. */
static bool rights_number(const char *text, unsigned *number)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	*number = (unsigned)value;
	/* The highest one means "leave it". */
	return *text >= '0' && *text <= '9' && !*end && !errno && value < UINT_MAX;
}

int vhu_rights_ask_owner(struct vhu_rights *rights, const char *text, char error[VHU_RIGHTS_ERROR])
{
	size_t length = strcspn(text, ":");
	const char *group = text[length] ? text + length + 1 : NULL;
	char user[256];
	const struct passwd *account;
	const struct group *members;
	unsigned number;

	if (length >= sizeof(user) || (group && !*group) || (!length && !group))
		return rights_say(error, EINVAL,
				  "%s: not an owner: write USER, USER:GROUP or :GROUP", text);
	snprintf(user, sizeof(user), "%.*s", (int)length, text);
	if (length) {
		account = getpwnam(user);
		if (!account && !rights_number(user, &number))
			return rights_say(error, EINVAL, "%s: no such user", user);
		rights->uid = account ? account->pw_uid : number;
		rights->has_uid = rights->uid_asked = true;
	}
	if (group) {
		members = getgrnam(group);
		if (!members && !rights_number(group, &number))
			return rights_say(error, EINVAL, "%s: no such group", group);
		rights->gid = members ? members->gr_gid : number;
		rights->has_gid = rights->gid_asked = true;
	}
	return 0;
}

/* Read a label of the file at @path. */
static void rights_read_label(struct vhu_rights_label *label, const char *path, const char *name)
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

void vhu_rights_read(struct vhu_rights *rights, const char *path)
{
	struct stat st;

	vhu_rights_free(rights);
	if (stat(path, &st) || !S_ISSOCK(st.st_mode))
		return;
	rights->of = path;
	if (!rights->mode_asked)
		rights->mode = st.st_mode & RIGHTS_MODE;
	if (!rights->uid_asked)
		rights->uid = st.st_uid;
	if (!rights->gid_asked)
		rights->gid = st.st_gid;
	rights->has_mode = rights->has_uid = rights->has_gid = true;
	for (int i = 0; i < VHU_RIGHTS_LABELS; i++) {
		/* A list says more than a mode: it would undo one that was asked for. */
		if (i != RIGHTS_LIST || !rights->mode_asked)
			rights_read_label(&rights->label[i], path, label_name[i]);
	}
}

/* Set the user of @file. Returns as vhu_rights_give does. */
static int rights_give_user(const struct vhu_rights *rights, int file, const struct stat *st,
			    const char *name, char *line)
{
	if (!rights->has_uid || rights->uid == st->st_uid ||
	    !fchownat(file, "", rights->uid, (gid_t)-1, AT_EMPTY_PATH))
		return 0;
	if (rights->uid_asked)
		return rights_say(line, errno, "%s: cannot belong to user %u: %s", name,
				  rights->uid, strerror(errno));
	rights_say(line, errno, "%s: does not belong to user %u as %s does: %s", name, rights->uid,
		   rights->of, strerror(errno));
	return 0;
}

/* Set the group of @file. @kept: gets whether that is as it should be. Returns as vhu_rights_give
 * does. */
static int rights_give_group(const struct vhu_rights *rights, int file, const struct stat *st,
			     const char *name, char *line, bool *kept)
{
	char own[64];

	*kept = !rights->has_gid || rights->gid == st->st_gid ||
		!fchownat(file, "", (uid_t)-1, rights->gid, AT_EMPTY_PATH);
	if (*kept)
		return 0;
	if (rights->gid_asked)
		return rights_say(line, errno, "%s: cannot belong to group %u: %s", name,
				  rights->gid, strerror(errno));
	rights_say(line, errno, "%s: does not belong to group %u as %s does: %s", name, rights->gid,
		   rights->of, strerror(errno));
	/* Another group is not to have its rights. */
	snprintf(own, sizeof(own), "/proc/self/fd/%d", file);
	if (!rights->mode_asked && chmod(own, rights->mode & ~(070 & ~(rights->mode << 3))))
		return rights_say(line, errno, "%s: cannot be kept from group %u: %s", name,
				  st->st_gid, strerror(errno));
	return 0;
}

/* Set the labels of @file; @list: the access control list too. What cannot be set is said. */
static void rights_give_labels(const struct vhu_rights *rights, int file, const char *name,
			       char *line, bool list)
{
	char own[64];

	snprintf(own, sizeof(own), "/proc/self/fd/%d", file);
	for (int i = 0; i < (list ? VHU_RIGHTS_LABELS : RIGHTS_LIST); i++) {
		const struct vhu_rights_label *label = &rights->label[i];
		struct vhu_rights_label has = {0};

		if (!label->value)
			continue;
		/* The system may have given it already, and let nobody else do so. */
		rights_read_label(&has, own, label_name[i]);
		if ((has.size != label->size || memcmp(has.value, label->value, has.size)) &&
		    setxattr(own, label_name[i], label->value, label->size, 0))
			rights_say(line, errno, "%s: lacks the %s that %s has: %s", name,
				   label_name[i], rights->of, strerror(errno));
		free(has.value);
	}
}

int vhu_rights_give(const struct vhu_rights *rights, int file, const char *name,
		    char line[VHU_RIGHTS_ERROR])
{
	struct stat st;
	bool kept;
	int code;

	*line = '\0';
	if (fstat(file, &st))
		return rights_say(line, errno, "%s: %s", name, strerror(errno));
	code = rights_give_user(rights, file, &st, name, line);
	if (!code)
		code = rights_give_group(rights, file, &st, name, line, &kept);
	if (!code)
		rights_give_labels(rights, file, name, line, kept);
	return code;
}

void vhu_rights_free(struct vhu_rights *rights)
{
	for (int i = 0; i < VHU_RIGHTS_LABELS; i++) {
		free(rights->label[i].value);
		rights->label[i] = (struct vhu_rights_label){0};
	}
	rights->of = NULL;
	rights->has_mode = rights->mode_asked;
	rights->has_uid = rights->uid_asked;
	rights->has_gid = rights->gid_asked;
}
