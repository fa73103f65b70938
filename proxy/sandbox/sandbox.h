/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox: what this process gives up, once all is set up, for as long as it lives, so that
 * whoever takes it over by what a peer sends has little to go on with.
 *
 * Two fences, each without the other where the kernel has only one:
 *  - seccomp: the system calls of serving, and no others (syscalls.c has the list). Any
 * other call fails with EPERM, and is reported once. A call that runs a program or reaches into
 * another process ends the process at once (SIGSYS).
 *  - Landlock (Linux 5.13): no file is opened, made or removed but below the folders that were
 *    named; what is open already stays as it was opened.
 *
 * To let the proxy do more while it serves: a system call is a line in syscalls.c, a folder a
 * call in tools/proxy/run/sandbox.c. What is refused is said with its number.
 */
#ifndef VHU_PROXY_SANDBOX_SANDBOX_H
#define VHU_PROXY_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/* Room for a line that says what is missing. */
#define VHU_SANDBOX_ERROR 256

/* What is done with files below a folder. */
enum vhu_sandbox_use {
	VHU_SANDBOX_READ = 1 << 0,   /* files and folders are read */
	VHU_SANDBOX_WRITE = 1 << 1,  /* files are made and written */
	VHU_SANDBOX_REMOVE = 1 << 2, /* files, sockets among them, are removed and replaced */
	VHU_SANDBOX_REMOVE_FOLDER = 1 << 3,
	VHU_SANDBOX_SOCKETS = 1 << 4, /* sockets are made, and given an owner */
};

struct vhu_sandbox {
	int landlock; /* the kernel's version of it; 0 without */
	int ruleset;  /* -1 without */
	int error;    /* 0, or why the ruleset would not allow what it has to */
	pid_t child;  /* the only target of signals; 0: none */
	bool sockets; /* are made somewhere */
};

/*
 * Begin to say what is needed; vhu_sandbox_enter is to be called afterwards.
 * @child: the only target of signals, 0 for none.
 */
void vhu_sandbox_start(struct vhu_sandbox *sandbox, pid_t child);

/* Allow @uses (enum vhu_sandbox_use) below @folder. One that is not there is passed over. */
void vhu_sandbox_allow(struct vhu_sandbox *sandbox, const char *folder, unsigned uses);

/* The same for the folder that the file @path is in. */
void vhu_sandbox_allow_beside(struct vhu_sandbox *sandbox, const char *path, unsigned uses);

/* Give up nothing: another process enters the sandbox that was begun here. */
void vhu_sandbox_leave(struct vhu_sandbox *sandbox);

/*
 * Give up all else.
 * Returns 0; -errno where a fence that belongs here is refused, with a line on it in @error: then
 * the others stand.
 */
int vhu_sandbox_enter(struct vhu_sandbox *sandbox, char error[VHU_SANDBOX_ERROR]);

/* For vhu_sandbox_enter: give up all system calls but those of serving. @child: the process
 * that may be signalled, 0 none. @sockets: sockets are made. Returns 0; -ENOSYS where this was
 * built without; -errno. */
int vhu_sandbox_calls(pid_t child, bool sockets);

#endif
