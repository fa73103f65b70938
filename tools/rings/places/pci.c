/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI devices of a QEMU. */
#include "tools/rings/places/pci.h"

#include <string.h>

/* Bridges behind one another that are looked through. */
#define DEPTH_MAX 16

/* Return the device of this id on a bus, or behind its bridges; NULL without. */
static const json_t *device_on(const json_t *devices, const char *id, unsigned depth)
{
	const json_t *device, *found = NULL;
	size_t i;

	for (i = 0; i < json_array_size(devices) && !found; i++) {
		const char *name;

		device = json_array_get(devices, i);
		name = json_string_value(json_object_get(device, "qdev_id"));
		if (name && !strcmp(name, id))
			found = device;
		else if (depth < DEPTH_MAX)
			found = device_on(
			    json_object_get(json_object_get(device, "pci_bridge"), "devices"), id,
			    depth + 1);
	}
	return found;
}

/* Read the regions of a device. */
static void read_regions(const json_t *device, struct vhu_rings_bars *bars)
{
	const json_t *regions = json_object_get(device, "regions");

	for (size_t i = 0; i < json_array_size(regions) && bars->count < VHU_RINGS_BARS_MAX; i++) {
		const json_t *region = json_array_get(regions, i);
		const char *type = json_string_value(json_object_get(region, "type"));

		bars->bar[bars->count++] = (struct vhu_vm_range){
		    .address = (uint64_t)json_integer_value(json_object_get(region, "address")),
		    .size = (uint64_t)json_integer_value(json_object_get(region, "size")),
		    .ports = type && !strcmp(type, "io"),
		};
	}
}

void vhu_rings_bars_ask(struct vhu_qmp *qmp, const char *path, struct vhu_rings_bars *bars)
{
	static const char before[] = "/machine/peripheral/";
	char id[128];
	json_t *answer;
	size_t length;

	*bars = (struct vhu_rings_bars){0};
	if (strncmp(path, before, strlen(before)) != 0)
		return;
	path += strlen(before);
	length = strcspn(path, "/");
	if (!length || length >= sizeof(id))
		return;
	memcpy(id, path, length);
	id[length] = '\0';
	answer = vhu_qmp_ask(qmp, "{\"execute\":\"query-pci\"}\n");
	for (size_t i = 0; i < json_array_size(answer) && !bars->count; i++)
		read_regions(
		    device_on(json_object_get(json_array_get(answer, i), "devices"), id, 0), bars);
	json_decref(answer);
}
