/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's structures around local sockets, as far as vhu attach reads them (bpf/core.h). */
#ifndef VHU_BPF_ATTACH_SOCKET_BPF_H
#define VHU_BPF_ATTACH_SOCKET_BPF_H

#include "bpf/core.h"

#define UINT64_C(number) number##ULL
#include "bpf/attach/events.h"

#define BPF_MAP_TYPE_PERF_EVENT_ARRAY 4
#define BPF_MAP_TYPE_PERCPU_ARRAY     6
#define BPF_F_CURRENT_CPU             0xffffffffULL
#define BPF_NOEXIST                   1

#define AF_UNIX         1
#define SOCK_STREAM     1
#define TCP_ESTABLISHED 1

#define S_IFMT   0170000
#define S_IFSOCK 0140000
#define S_IFREG  0100000

#define ANON_INODE_FS_MAGIC 0x09041934
#define TMPFS_MAGIC         0x01021994
#define HUGETLBFS_MAGIC     0x958458f6

#define SCM_MAX_FD 253

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic, s_blocksize;
};

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	long long i_size;
};

struct file___attach {
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
	unsigned int f_flags;
};

struct shmem_inode_info {
	unsigned int seals;
	struct inode vfs_inode;
};

struct hugetlbfs_inode_info {
	unsigned int seals;
	struct inode vfs_inode;
};

struct eventfd_ctx___attach {
	__u64 count;
	unsigned int flags;
	int id;
};

typedef struct {
	unsigned int val;
} kuid_t;

struct cred {
	kuid_t uid, gid;
};

struct signal_struct {
	struct {
		int counter;
	} live;
};

struct task_struct___attach {
	int tgid;
	struct cred *cred;
	struct signal_struct *signal;
};

struct socket {
	short type;
	struct file___attach *file;
	struct sock *sk;
};

struct sk_buff {
	struct sk_buff *next, *prev;
	struct sock *sk;
	char cb[48];
	unsigned int len, data_len;
	unsigned char *data;
};

struct sk_buff_head {
	struct sk_buff *next, *prev;
	__u32 qlen;
};

struct sock_common {
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct {
		long long counter;
	} skc_cookie;
};

struct upid {
	int nr;
};

struct pid {
	struct upid numbers[1];
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	struct socket *sk_socket;
	struct pid *sk_peer_pid;
	__u16 sk_type;
	__u8 sk_shutdown;
	int sk_err;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct unix_sock {
	struct unix_address *addr;
	struct path path;
	struct sock *peer;
};

struct scm_fp_list {
	short count;
	struct file___attach *fp[SCM_MAX_FD];
};

struct unix_skb_parms {
	struct scm_fp_list *fp;
	__u32 consumed;
};

struct bpf_map;

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

#pragma clang attribute pop

#endif
