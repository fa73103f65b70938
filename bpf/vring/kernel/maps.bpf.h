/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the BPF programs know: their configuration, the maps. */
#ifndef VHU_BPF_MAPS_BPF_H
#define VHU_BPF_MAPS_BPF_H

#include "bpf/core.h"
#include "bpf/vring/maps.h"

char bpf_license[] SEC("license") = "GPL";

const volatile struct vhu_bpf_config config SEC(".rodata.config");
struct vhu_bpf_shared shared SEC(".data.shared");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VHU_BPF_SETS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct vhu_bpf_set);
} sets SEC(".maps");

/* Those for which there is no place. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * VHU_BPF_VRINGS);
	__type(key, __u64);
	__type(value, struct vhu_bpf_role);
} roles SEC(".maps");

/* Eventfds that are known by their ids, until their addresses are. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * VHU_BPF_VRINGS);
	__type(key, __u32);
	__type(value, struct vhu_bpf_role);
} ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VHU_BPF_VRINGS);
	__type(key, __u32);
	__type(value, struct vhu_bpf_vring);
} vrings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, VHU_BPF_EVENTS_SIZE);
} events SEC(".maps");

/* Reads of kicks that have begun, by thread: a return probe has no arguments. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u64);
} reads SEC(".maps");

/* What follows is used only where pops and pushes are watched; else it has room for one. */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VHU_BPF_VRINGS);
	__type(key, __u32);
	__type(value, struct vhu_bpf_inside);
} insides SEC(".maps");

/* The slot of the vring whose kick a thread took last. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32);
} threads SEC(".maps");

/* The slot of a process's vring of some index, if there is just one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VHU_BPF_VRINGS);
	__type(key, struct vhu_bpf_vring_key);
	__type(value, __u32);
} slots SEC(".maps");

/* Requests that were taken and not given back. */
struct vhu_bpf_request_key {
	__u64 id;
	__u32 pid, index;
};

struct vhu_bpf_request {
	__u64 time;
	__u32 slot;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct vhu_bpf_request_key);
	__type(value, struct vhu_bpf_request);
} requests SEC(".maps");

#endif
