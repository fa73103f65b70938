/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vrings of a QEMU, by its monitor: x-query-virtio, x-query-virtio-status and
 * x-query-virtio-vhost-queue-status, which read what QEMU knows and send nothing to the back-end.
 * x-query-virtio-queue-status is never asked: it sends GET_VRING_BASE, which stops the vring.
 *
 * QEMU says where the vrings are in its own memory; which file is there its mappings say. It does
 * not say which eventfds they have, and KVM says which are the kicks.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cli/device.h"
#include "lib/util/array.h"
#include "lib/util/util.h"
#include "tools/qmp/qmp.h"
#include "tools/rings/places/pci.h"
#include "tools/rings/places/places.h"
#include "tools/rings/places/vm.h"
#include "tools/rings/process/process.h"

/* Return a number of an answer; 0 without it. */
static uint64_t number(const json_t *answer, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(answer, key));
}

/* Return the bits of a set whose names stand in an answer behind @before. */
static uint64_t bits_of(const json_t *answer, const char *before, enum vhu_names_id set,
			const struct vhu_context *context)
{
	char *text = json_dumps(answer, JSON_COMPACT);
	uint64_t found = 0;

	for (unsigned bit = 0; text && bit < 64; bit++) {
		const struct vhu_name *name = vhu_name_find(set, bit, context);
		char sought[80];

		snprintf(sought, sizeof(sought), "%s%s:", before, name ? name->name : "");
		if (name && strstr(text, sought))
			found |= UINT64_C(1) << bit;
	}
	free(text);
	return found;
}

/* Return the features of an answer. */
static uint64_t features_of(const json_t *status, const struct vhu_context *context)
{
	const json_t *features = json_object_get(status, "guest-features");
	const json_t *own =
	    json_object_get(json_object_get(status, "vhost-dev"), "backend-features");
	const uint64_t iommu = UINT64_C(1) << VIRTIO_F_ACCESS_PLATFORM;
	char *text = json_dumps(features, JSON_COMPACT);
	uint64_t found = number(features, "unknown-dev-features") |
			 bits_of(features, "_F_", VHU_NAMES_virtio_features, context);

	/* An older name. */
	if (text && strstr(text, "VIRTIO_F_IOMMU_PLATFORM:"))
		found |= iommu;
	free(text);
	/* The guest knows nothing of this one. */
	return found | (bits_of(own, "VHOST_USER_F_", VHU_NAMES_virtio_features, context) &
			UINT64_C(1) << VHU_F_PROTOCOL_FEATURES);
}

/* Add the region that is mapped at a user address, unless the session lists it. Returns 0 or
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
static int add_device(struct vhu_qmp *qmp, struct vhu_rings_sessions *sessions,
		      const struct vhu_rings_process *process, const char *path)
{
	struct vhu_rings_session *session;
	json_t *status, *queue;
	char question[1024];
	int ret = 0;

	snprintf(question, sizeof(question),
		 "{\"execute\":\"x-query-virtio-status\",\"arguments\":{\"path\":\"%s\"}}\n", path);
	status = vhu_qmp_ask(qmp, question);
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
	session->pid[VHU_RINGS_FRONT] = qmp->pid;
	snprintf(session->path[VHU_RINGS_FRONT], sizeof(session->path[VHU_RINGS_FRONT]), "%s",
		 path);
	session->context.device = (uint32_t)number(status, "device-id");
	session->context.features = features_of(status, &session->context);
	session->context.has_features = true;
	session->context.protocol_features =
	    bits_of(json_object_get(json_object_get(status, "vhost-dev"), "protocol-features"),
		    "VHOST_USER_PROTOCOL_F_", VHU_NAMES_protocol_features, &session->context);
	session->context.has_protocol_features = session->context.protocol_features;
	for (unsigned i = 0; i < number(status, "num-vqs") && i < VHU_VRINGS_MAX && !ret; i++) {
		snprintf(question, sizeof(question),
			 "{\"execute\":\"x-query-virtio-vhost-queue-status\",\"arguments\":"
			 "{\"path\":\"%s\",\"queue\":%u}}\n",
			 path, i);
		queue = vhu_qmp_ask(qmp, question);
		ret = queue ? add_vring(session, process, i, queue) : 0;
		json_decref(queue);
	}
	json_decref(status);
	if (session->vrings && !session->regions)
		snprintf(sessions->none, sizeof(sessions->none),
			 "process %" PRIu32 " has nothing where QEMU says that the vrings are: -p "
			 "with --qmp names QEMU's process",
			 process->pid);
	return ret;
}

/* Say why no device is started. */
static void say_none(struct vhu_qmp *qmp, struct vhu_rings_sessions *sessions)
{
	json_t *answer = vhu_qmp_ask(qmp, "{\"execute\":\"query-status\"}\n");
	const char *state = json_string_value(json_object_get(answer, "status"));

	if (state && json_is_false(json_object_get(answer, "running")))
		snprintf(sessions->none, sizeof(sessions->none),
			 "the machine is not running (%.32s), and its vrings are stopped: let it "
			 "go on with the monitor's command cont",
			 state);
	else
		snprintf(sessions->none, sizeof(sessions->none),
			 "no device with a vhost-user back-end is started: has the guest's driver "
			 "set it up?");
	json_decref(answer);
}

/* Find the back-ends of the devices, and what KVM says of their vrings' kicks. */
static void find_back_ends(struct vhu_qmp *qmp, struct vhu_rings_sessions *sessions)
{
	struct vhu_rings_vm vm;

	vhu_rings_vm_ask(&vm, qmp->command, qmp->pid);
	for (unsigned i = 0; i < sessions->count; i++) {
		struct vhu_rings_session *session = sessions->session[i];
		struct vhu_rings_bars bars;

		vhu_rings_bars_ask(qmp, session->path[VHU_RINGS_FRONT], &bars);
		vhu_rings_find_back_end(session, &vm, sessions->count == 1, bars.bar, bars.count);
	}
	vhu_rings_vm_free(&vm);
}

int vhu_rings_places_qmp(const struct vhu_rings_request *request,
			 struct vhu_rings_sessions *sessions)
{
	struct vhu_rings_processes processes = {0};
	struct vhu_qmp qmp;
	const struct vhu_rings_process *process;
	json_t *devices, *device;
	int status = vhu_qmp_open(&qmp, request->command, request->qmp), ret = 0;
	size_t i;

	if (status != VHU_EXIT_DONE)
		return status;
	if (request->pid)
		qmp.pid = request->pid;
	process = vhu_rings_process(&processes, qmp.pid);
	devices = vhu_qmp_ask(&qmp, "{\"execute\":\"x-query-virtio\"}\n");
	if (!devices)
		status = vhu_qmp_fail(&qmp, "this QEMU has no x-query-virtio (new in QEMU 7.2)");
	json_array_foreach(devices, i, device)
	{
		const char *path = json_string_value(json_object_get(device, "path"));

		if (process && path && !ret)
			ret = add_device(&qmp, sessions, process, path);
	}
	if (!ret && sessions->count)
		find_back_ends(&qmp, sessions);
	if (devices && !ret && sessions->count == 0)
		say_none(&qmp, sessions);
	else if (*sessions->none)
		status = vhu_qmp_fail(&qmp, sessions->none);
	json_decref(devices);
	if (ret || !process)
		status = vhu_qmp_fail(&qmp, strerror(ENOMEM));
	vhu_rings_processes_free(&processes);
	vhu_qmp_close(&qmp);
	return status;
}
