/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sandbox: which files can be opened and removed, by Landlock; sandbox.h has the whole. */
#include "proxy/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#endif
#ifdef LANDLOCK_CREATE_RULESET_VERSION

/* What later versions added. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL               (1ULL << 1)
#endif

#define SANDBOX_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define SANDBOX_WRITE                                                                              \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_TRUNCATE)
#define SANDBOX_REMOVE LANDLOCK_ACCESS_FS_REMOVE_FILE

/* The kernel's struct landlock_ruleset_attr, whatever headers this was built with. */
struct sandbox_attributes {
	uint64_t files, net, scoped;
};

/* Everything that @version knows of that can be done with files. */
static uint64_t sandbox_handled(int version)
{
	uint64_t all = LANDLOCK_ACCESS_FS_REFER - 1;

	if (version >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 5)
		all |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
#ifdef VHU_SANITIZED
	/* A report names lines of the source, which another program looks up. */
	all &= ~(SANDBOX_READ | LANDLOCK_ACCESS_FS_EXECUTE);
#endif
	return all;
}

/* Make the ruleset. Leaves it -1 where Landlock is not there. */
static void sandbox_files_start(struct vhu_sandbox *sandbox)
{
	struct sandbox_attributes attributes = {0};
	size_t size = sizeof(attributes.files);
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	sandbox->ruleset = -1;
	if (version <= 0)
		return;
	sandbox->landlock = (int)version;
	attributes.files = sandbox_handled(sandbox->landlock);
	if (version >= 6) {
		/* A child was started outside, so signals to it would not be let through: then
		 * seccomp alone limits their targets. */
		attributes.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET |
				    (sandbox->child ? 0 : LANDLOCK_SCOPE_SIGNAL);
		size = sizeof(attributes);
	}
	sandbox->ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
}

void vhu_sandbox_allow(struct vhu_sandbox *sandbox, const char *folder, unsigned uses)
{
	struct landlock_path_beneath_attr rule = {0};

	sandbox->sockets |= (uses & VHU_SANDBOX_SOCKETS) != 0;
	if (sandbox->ruleset < 0)
		return;
	if (uses & VHU_SANDBOX_READ)
		rule.allowed_access |= SANDBOX_READ;
	if (uses & VHU_SANDBOX_WRITE)
		rule.allowed_access |= SANDBOX_WRITE;
	if (uses & VHU_SANDBOX_REMOVE)
		rule.allowed_access |= SANDBOX_REMOVE;
	if (uses & VHU_SANDBOX_SOCKETS)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_MAKE_SOCK | SANDBOX_REMOVE;
	if (uses & VHU_SANDBOX_REMOVE_FOLDER)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_REMOVE_DIR;
	rule.allowed_access &= sandbox_handled(sandbox->landlock);
	/* What is not fenced needs no gate, and the kernel takes none. */
	if (!rule.allowed_access)
		return;
	rule.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	if (syscall(SYS_landlock_add_rule, sandbox->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		sandbox->error = -errno;
	close(rule.parent_fd);
}

/* Put the ruleset into force. Returns 0, also where Landlock is not there; -errno. */
static int sandbox_files_enter(struct vhu_sandbox *sandbox)
{
	int error = sandbox->error;

	if (sandbox->ruleset < 0)
		return 0;
	if (!error && syscall(SYS_landlock_restrict_self, sandbox->ruleset, 0))
		error = -errno;
	close(sandbox->ruleset);
	sandbox->ruleset = -1;
	return error;
}

#else

static void sandbox_files_start(struct vhu_sandbox *sandbox)
{
	sandbox->ruleset = -1;
}

void vhu_sandbox_allow(struct vhu_sandbox *sandbox, const char *folder, unsigned uses)
{
	(void)folder;
	sandbox->sockets |= (uses & VHU_SANDBOX_SOCKETS) != 0;
}

static int sandbox_files_enter(struct vhu_sandbox *sandbox)
{
	(void)sandbox;
	return 0;
}

#endif

void vhu_sandbox_start(struct vhu_sandbox *sandbox, pid_t child)
{
	memset(sandbox, 0, sizeof(*sandbox));
	sandbox->child = child;
	sandbox_files_start(sandbox);
	/* Who the peers are, and what passes. */
	vhu_sandbox_allow(sandbox, "/proc", VHU_SANDBOX_READ);
}

void vhu_sandbox_allow_beside(struct vhu_sandbox *sandbox, const char *path, unsigned uses)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (!slash) {
		vhu_sandbox_allow(sandbox, ".", uses);
		return;
	}
	snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	vhu_sandbox_allow(sandbox, folder, uses);
}

void vhu_sandbox_leave(struct vhu_sandbox *sandbox)
{
	if (sandbox->ruleset >= 0)
		close(sandbox->ruleset);
	sandbox->ruleset = -1;
}

int vhu_sandbox_enter(struct vhu_sandbox *sandbox, char error[VHU_SANDBOX_ERROR])
{
	int files, calls;

	/* Local time is needed later, and its zone is in a file. */
	tzset();
	/* Without it neither fence is let to those who are not root; nothing is executed anyway. */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	files = sandbox_files_enter(sandbox);
	calls = vhu_sandbox_calls(sandbox->child, sandbox->sockets);
	if (calls && calls != -ENOSYS)
		snprintf(error, VHU_SANDBOX_ERROR, "no sandbox of system calls: %s",
			 strerror(-calls));
	else if (files)
		snprintf(error, VHU_SANDBOX_ERROR, "no sandbox of files: %s", strerror(-files));
	return calls && calls != -ENOSYS ? calls : files;
}
