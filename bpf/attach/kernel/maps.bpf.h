/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs of vhu attach know: their configuration, the maps. */
#ifndef VHU_BPF_ATTACH_MAPS_BPF_H
#define VHU_BPF_ATTACH_MAPS_BPF_H

#include "bpf/attach/kernel/socket.bpf.h"

char bpf_license[] SEC("license") = "GPL";

const volatile struct vhu_attach_config config SEC(".rodata.config");
struct vhu_attach_shared shared SEC(".data.shared");

/* Notes of queued buffers whose SENT event holds all of them; 0 none. */
#define TOLD_BITS 16
__u64 told[1 << TOLD_BITS];

/* Watched sockets, by their addresses. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VHU_ATTACH_SOCKETS);
	__type(key, __u64);
	__type(value, struct vhu_attach_watched);
} watched SEC(".maps");

/* The names that listening sockets share with those they accept, by their addresses. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VHU_ATTACH_LISTENERS);
	__type(key, __u64);
	__type(value, struct vhu_attach_listener);
} listeners SEC(".maps");

/* Processes whose connections are looked at, by their ids. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VHU_ATTACH_LISTENERS);
	__type(key, __u32);
	__type(value, __u64);
} processes SEC(".maps");

/* Processes that have used a watched socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VHU_ATTACH_SOCKETS);
	__type(key, __u32);
	__type(value, __u8);
} users SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

/* Room for an event with its bytes, which is more than a stack has. */
struct room {
	struct vhu_attach_event event;
	__u8 bytes[VHU_ATTACH_SENT_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct room);
} rooms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vhu_attach_fd_event);
} fd_rooms SEC(".maps");

#endif
