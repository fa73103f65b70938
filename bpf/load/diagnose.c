/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process or a kernel lacks, and what libbpf complained about. */
#include "bpf/load/diagnose.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Older headers lack them. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF     39
#endif

/* The kernel's own, which the C library has no name for. */
#define ENOTSUPP 524

/* The last complaint of libbpf, for causes that are not looked for. */
static char complaint[256];

/* Keep a complaint, as libbpf calls it. Returns 0. */
static int keep(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char text[sizeof(complaint)];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	/* The first is the cause; what follows repeats it for object and programs. */
	if (!complaint[0] && !strstr(text, "ulimit"))
		memcpy(complaint, text, sizeof(complaint));
	return 0;
}

void vhu_diagnose_listen(void)
{
	complaint[0] = '\0';
	libbpf_set_print(keep);
}

bool vhu_diagnose_has(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (syscall(SYS_capget, &header, data))
		return true;
	return data[capability / 32].effective & (1u << capability % 32);
}

/* Return whether the kernel is locked down so far that BPF may not read its memory. */
static bool is_locked_down(void)
{
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char text[128] = "";

	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strstr(text, "[confidentiality]") != NULL;
}

bool vhu_diagnose_lack(char *error)
{
	size_t size = VHU_BPF_ERROR_SIZE;
	bool all = vhu_diagnose_has(CAP_SYS_ADMIN);
	bool bpf = all || vhu_diagnose_has(CAP_BPF), perfmon = all || vhu_diagnose_has(CAP_PERFMON);

	if (!bpf || !perfmon)
		snprintf(error, size,
			 "%s missing: run it as root, or give it both: setcap "
			 "cap_bpf,cap_perfmon,cap_sys_ptrace+ep",
			 bpf       ? "CAP_PERFMON is"
			 : perfmon ? "CAP_BPF is"
				   : "CAP_BPF and CAP_PERFMON are");
	else if (access("/sys/kernel/btf/vmlinux", R_OK))
		snprintf(error, size,
			 "/sys/kernel/btf/vmlinux: %s: the kernel's BTF is needed "
			 "(CONFIG_DEBUG_INFO_BTF)",
			 strerror(errno));
	else if (is_locked_down())
		snprintf(
		    error, size,
		    "the kernel is locked down (confidentiality): BPF may not read its memory");
	else
		return false;
	return true;
}

void vhu_diagnose_refusal(const char *what, int ret, char *error)
{
	snprintf(error, VHU_BPF_ERROR_SIZE, "%s: this kernel refuses them: %s%s%s", what,
		 strerror(ret == -ENOTSUPP ? EOPNOTSUPP : -ret), complaint[0] ? ": " : "",
		 complaint);
}
