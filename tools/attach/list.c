/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vhu attach --list: the connections that are vhost-user by what their processes share. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/json.h"
#include "lib/util/utf8.h"
#include "lib/util/util.h"
#include "tools/attach/party.h"
#include "tools/attach/run.h"
#include "tools/rings/process/process.h"

/* A line of the table. */
#define LINE "%-24s %-24s %-10s %-12s %s\n"

/* A connection that is listed. */
struct vhu_attach_list_pair {
	const struct vhu_attach_listed *front, *back;
	char path[VHU_ATTACH_PATH_MAX + 2];
	char device[VHU_PARTY_DEVICE_MAX]; /* "" not known */
	char use[VHU_PARTY_DEVICE_MAX];    /* the option that shows that it is not vhost-user */
	int64_t age_ns;                    /* that it has at most; negative: not known */
};

/* Return whether a process has a virtual machine of KVM. */
static bool has_vm(const struct vhu_attach_listing *listing, uint32_t pid)
{
	for (unsigned i = 0; i < listing->count; i++)
		if (listing->entry[i].kind == VHU_ATTACH_VM && listing->entry[i].pid == pid)
			return true;
	return false;
}

/* Tell from a socket and its peer whether they are a pair to list, once for both. */
static bool is_pair(const struct vhu_attach_listing *listing,
		    const struct vhu_attach_listed *socket, struct vhu_attach_list_pair *pair)
{
	const struct vhu_attach_listed *peer = vhu_attach_socket(listing, socket->peer);
	int64_t age_ns;

	if (!peer || socket->socket > peer->socket || peer->pid == socket->pid ||
	    vhu_attach_socket(listing, socket->socket) != socket ||
	    (!socket->path_size && !peer->path_size) ||
	    !vhu_attach_share(listing, socket->pid, peer->pid))
		return false;
	/* Who has the machine is the front-end; else most likely who has connected. */
	if (has_vm(listing, peer->pid) || (!has_vm(listing, socket->pid) && socket->path_size))
		*pair = (struct vhu_attach_list_pair){.front = peer, .back = socket};
	else
		*pair = (struct vhu_attach_list_pair){.front = socket, .back = peer};
	if (!socket->path_size)
		socket = peer;
	vhu_attach_path(socket, pair->path, sizeof(pair->path));
	if (vhu_party_other_use(pair->front->pid, pair->back->pid, socket, pair->use) ||
	    !vhu_party_device(pair->front->pid, pair->back->pid, socket, pair->device))
		*pair->device = '\0';
	/* No connection is older than the younger of its processes. */
	pair->age_ns = vhu_rings_process_age(pair->front->pid);
	age_ns = vhu_rings_process_age(pair->back->pid);
	if (age_ns < pair->age_ns)
		pair->age_ns = age_ns;
	return true;
}

/* Write one side. */
static void put_side(struct vhu_json *json, const char *key, const struct vhu_attach_listed *side)
{
	vhu_json_object(json, key);
	vhu_json_unsigned(json, "pid", side->pid);
	vhu_json_string(json, "comm", side->comm);
	vhu_json_unsigned(json, "uid", side->uid);
	vhu_json_unsigned(json, "fd", side->fd);
	vhu_json_unsigned(json, "inode", side->inode);
	vhu_json_object_end(json);
}

/* Write a connection as JSON. */
static void put_json(const struct vhu_attach_list_pair *pair)
{
	struct vhu_json json = {.to = stdout};

	vhu_json_document(&json, NULL, "attach-list/2");
	put_side(&json, "front_end", pair->front);
	put_side(&json, "back_end", pair->back);
	vhu_json_string(&json, "socket", pair->path);
	if (*pair->device)
		vhu_json_string(&json, "device", pair->device);
	if (*pair->use)
		vhu_json_string(&json, "other_use", pair->use);
	if (pair->age_ns >= 0)
		vhu_json_unsigned(&json, "age_at_most_ns", (uint64_t)pair->age_ns);
	vhu_json_object_end(&json);
	putchar('\n');
}

/* Write who a side is: "qemu-system-x86 (7)". */
static void name_side(char *to, size_t size, const struct vhu_attach_listed *side)
{
	char name[sizeof(side->comm) + 1];

	snprintf(name, sizeof(name), "%.*s", (int)sizeof(side->comm), side->comm);
	snprintf(to, size, "%s (%u)", vhu_utf8_printable(name, name, sizeof(name)), side->pid);
}

/* Write a connection as a line of the table. */
static void put_line(const struct vhu_attach_list_pair *pair)
{
	char front[40], back[40], path[sizeof(pair->path)], age[32] = "not known";
	char device[VHU_PARTY_DEVICE_MAX + 8] = "not known";

	name_side(front, sizeof(front), pair->front);
	name_side(back, sizeof(back), pair->back);
	if (pair->age_ns >= 0)
		snprintf(age, sizeof(age), "%" PRId64 " s", pair->age_ns / (int64_t)VHU_NS_PER_S);
	if (*pair->device)
		snprintf(device, sizeof(device), "%s", pair->device);
	else if (*pair->use)
		snprintf(device, sizeof(device), "no: %s", pair->use);
	printf(LINE, front, back, device, age, vhu_utf8_printable(pair->path, path, sizeof(path)));
}

int vhu_attach_list_run(const struct vhu_command *command, const struct vhu_attach_request *request)
{
	const struct vhu_attach_choice choice = {.hooks = -1};
	const struct vhu_attach_listed *socket;
	struct vhu_attach_listing listing;
	char error[VHU_BPF_ERROR_SIZE];
	struct vhu_attach *attach;
	struct vhu_attach_list_pair pair;
	unsigned at = 0;
	int ret;

	if (vhu_attach_open(&attach, &choice, error))
		return vhu_fail(command, "%s", error);
	ret = vhu_attach_listing_read(attach, &listing);
	if (ret) {
		vhu_attach_close(attach);
		return vhu_fail(command, "sockets cannot be listed: %s", strerror(-ret));
	}
	if (!request->json)
		printf(LINE, "FRONT-END", "BACK-END", "DEVICE", "AGE AT MOST", "SOCKET");
	while ((socket = vhu_attach_next_connected(&listing, &at)))
		if (is_pair(&listing, socket, &pair))
			(request->json ? put_json : put_line)(&pair);
	vhu_attach_listing_free(&listing);
	vhu_attach_close(attach);
	return VHU_EXIT_DONE;
}
