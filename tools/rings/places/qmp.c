/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vrings of a QEMU, by its monitor: x-query-virtio, x-query-virtio-status and
 * x-query-virtio-vhost-queue-status, which read what QEMU knows and send nothing to the back-end.
 * x-query-virtio-queue-status is never asked: it sends GET_VRING_BASE, which stops the vring.
 *
 * QEMU says where the vrings are in its own memory; which file is there its mappings say. It does
 * not say which eventfds they have.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/cli/device.h"
#include "lib/util/array.h"
#include "lib/util/util.h"
#include "tools/rings/places/places.h"
#include "tools/rings/process/process.h"

/* A monitor that says nothing for so long has another client. */
#define PATIENCE_S 5

/* A conversation with a monitor. */
struct vhu_rings_qmp_talk {
	const struct vhu_rings_request *request;
	FILE *monitor;
	uint32_t pid;
};

/* Say what is wrong. Returns VHU_EXIT_FAILED. */
static int fail(const struct vhu_rings_qmp_talk *talk, const char *what)
{
	return vhu_fail(talk->request->command, "%s: %s", talk->request->qmp, what);
}

/* Ask, and pass over events. Returns what the answer returns; NULL: it is none. */
static json_t *ask(struct vhu_rings_qmp_talk *talk, const char *question)
{
	json_t *answer = NULL, *value = NULL;
	char *line = NULL;
	size_t room = 0;

	if (send(fileno(talk->monitor), question, strlen(question), MSG_NOSIGNAL) < 0)
		return NULL;
	while (!value && getline(&line, &room, talk->monitor) > 0) {
		answer = json_loads(line, 0, NULL);
		value = json_incref(json_object_get(answer, "return"));
		if (json_object_get(answer, "error") || !json_is_object(answer)) {
			json_decref(answer);
			break;
		}
		json_decref(answer);
	}
	free(line);
	return value;
}

/* Connect, and be greeted. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with what is wrong said. */
static int connect_to(struct vhu_rings_qmp_talk *talk)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	json_t *ready;
	int fd;

	if (strlen(talk->request->qmp) >= sizeof(address.sun_path))
		return fail(talk, "socket paths are limited to 107 bytes");
	strcpy(address.sun_path, talk->request->qmp);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* A monitor serves one client at a time and lets others wait. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return fail(talk, strerror(error));
	}
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		talk->pid = talk->request->pid ? talk->request->pid : (uint32_t)peer.pid;
	talk->monitor = fdopen(fd, "r+");
	if (!talk->monitor) {
		close(fd);
		return fail(talk, strerror(ENOMEM));
	}
	/* The greeting is passed over as events are. */
	ready = ask(talk, "{\"execute\":\"qmp_capabilities\"}\n");
	json_decref(ready);
	return ready ? VHU_EXIT_DONE
		     : fail(talk, "QEMU's monitor does not answer: has it another client?");
}

/* Return the features that change what a vring is, by their names in an answer. */
static uint64_t features_of(const json_t *status)
{
	static const struct {
		const char *name;
		unsigned bit;
	} features[] = {
	    {"VIRTIO_RING_F_INDIRECT_DESC", VIRTIO_RING_F_INDIRECT_DESC},
	    {"VIRTIO_RING_F_EVENT_IDX", VIRTIO_RING_F_EVENT_IDX},
	    {"VIRTIO_F_VERSION_1", VIRTIO_F_VERSION_1},
	    {"VIRTIO_F_IOMMU_PLATFORM", VIRTIO_F_ACCESS_PLATFORM},
	    {"VIRTIO_F_RING_PACKED", VIRTIO_F_RING_PACKED},
	};
	char *text = json_dumps(json_object_get(status, "guest-features"), JSON_COMPACT);
	uint64_t found = 0;

	for (size_t i = 0; text && i < VHU_ARRAY_SIZE(features); i++)
		if (strstr(text, features[i].name))
			found |= UINT64_C(1) << features[i].bit;
	free(text);
	return found;
}

/* Return a number of an answer; 0 without it. */
static uint64_t number(const json_t *answer, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(answer, key));
}

/* Add the region that is mapped at a user address, unless the session has it. Returns 0 or
 * -ENOMEM. */
static int add_region(struct vhu_rings_session *session, const struct vhu_rings_process *process,
		      uint64_t user, uint64_t guest)
{
	const struct vhu_rings_map *map = vhu_rings_process_map(process, user);
	struct vhu_rings_region *more;

	for (unsigned i = 0; map && i < session->regions; i++)
		if (session->region[i].user == map->start)
			return 0;
	if (!map || guest < user - map->start)
		return 0;
	more = vhu_array_more(session->region, &session->regions, sizeof(*more));
	if (!more)
		return -ENOMEM;
	session->region = more;
	session->region[session->regions - 1] = (struct vhu_rings_region){
	    .guest = guest - (user - map->start),
	    .user = map->start,
	    .size = map->end - map->start,
	    .offset = map->offset,
	};
	/* Which file it is shows among what QEMU has open. */
	for (unsigned i = process->eventfds; i < process->opens; i++)
		if (process->open[i].file.known && process->open[i].file.inode == map->inode)
			session->region[session->regions - 1].file = process->open[i].file;
	return 0;
}

/* Add a vring. Returns 0 or -ENOMEM. */
static int add_vring(struct vhu_rings_session *session, const struct vhu_rings_process *process,
		     unsigned index, const json_t *queue)
{
	static const char *const area[][2] = {
	    {"desc", "desc-phys"}, {"avail", "avail-phys"}, {"used", "used-phys"}};
	struct vhu_rings_vring *more;

	if (!number(queue, "desc"))
		return 0;
	for (unsigned i = 0; i < VHU_ARRAY_SIZE(area); i++)
		if (add_region(session, process, number(queue, area[i][0]),
			       number(queue, area[i][1])))
			return -ENOMEM;
	more = vhu_array_more(session->vring, &session->vrings, sizeof(*more));
	if (!more)
		return -ENOMEM;
	session->vring = more;
	session->vring[session->vrings - 1] = (struct vhu_rings_vring){
	    .index = index,
	    .size = (uint32_t)number(queue, "num"),
	    .descriptor = number(queue, "desc"),
	    .available = number(queue, "avail"),
	    .used = number(queue, "used"),
	};
	return 0;
}

/* Add a device, if its vrings are a back-end's. Returns 0 or -ENOMEM. */
static int add_device(struct vhu_rings_qmp_talk *talk, struct vhu_rings_sessions *sessions,
		      const struct vhu_rings_process *process, const char *path)
{
	struct vhu_rings_session *session;
	json_t *status, *queue;
	char question[1024];
	int ret = 0;

	snprintf(question, sizeof(question),
		 "{\"execute\":\"x-query-virtio-status\",\"arguments\":{\"path\":\"%s\"}}\n", path);
	status = ask(talk, question);
	if (!json_is_true(json_object_get(status, "vhost-started"))) {
		json_decref(status);
		return 0;
	}
	session = vhu_rings_sessions_add(sessions);
	if (!session) {
		json_decref(status);
		return -ENOMEM;
	}
	session->regions_partly = true;
	session->pid[VHU_RINGS_FRONT] = talk->pid;
	snprintf(session->path[VHU_RINGS_FRONT], sizeof(session->path[VHU_RINGS_FRONT]), "%s",
		 path);
	session->context.features = features_of(status);
	session->context.has_features = true;
	session->context.device = (uint32_t)number(status, "device-id");
	for (unsigned i = 0; i < number(status, "num-vqs") && i < VHU_VRINGS_MAX && !ret; i++) {
		snprintf(question, sizeof(question),
			 "{\"execute\":\"x-query-virtio-vhost-queue-status\",\"arguments\":"
			 "{\"path\":\"%s\",\"queue\":%u}}\n",
			 path, i);
		queue = ask(talk, question);
		ret = queue ? add_vring(session, process, i, queue) : 0;
		json_decref(queue);
	}
	json_decref(status);
	return ret;
}

int vhu_rings_places_qmp(const struct vhu_rings_request *request,
			 struct vhu_rings_sessions *sessions)
{
	struct vhu_rings_processes processes = {0};
	struct vhu_rings_qmp_talk talk = {.request = request};
	const struct vhu_rings_process *process;
	json_t *devices, *device;
	int status = connect_to(&talk), ret = 0;
	size_t i;

	if (status != VHU_EXIT_DONE)
		return status;
	process = vhu_rings_process(&processes, talk.pid);
	devices = ask(&talk, "{\"execute\":\"x-query-virtio\"}\n");
	if (!devices)
		status = fail(&talk, "this QEMU has no x-query-virtio (QEMU 7.2 has it)");
	json_array_foreach(devices, i, device)
	{
		const char *path = json_string_value(json_object_get(device, "path"));

		if (process && path && !ret)
			ret = add_device(&talk, sessions, process, path);
	}
	json_decref(devices);
	if (ret || !process)
		status = fail(&talk, strerror(ENOMEM));
	vhu_rings_processes_free(&processes);
	fclose(talk.monitor);
	return status;
}
