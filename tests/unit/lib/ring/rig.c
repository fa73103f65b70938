/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real vring between the samples' driver and device. */
#include "tests/unit/lib/ring/rig.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/util/util.h"

#define HEAD_SIZE 16
#define DATA_SIZE 512

/* Lay out the driver's side. */
static void open_driver(struct rig *rig)
{
	struct vhu_driver_vring *driver = &rig->driver;
	bool packed = rig->features >> VIRTIO_F_RING_PACKED & 1;

	driver->format = packed ? &vhu_driver_vring_packed : &vhu_driver_vring_split;
	driver->event_idx = rig->features >> VIRTIO_RING_F_EVENT_IDX & 1;
	driver->indirect = rig->features >> VIRTIO_RING_F_INDIRECT_DESC & 1;
	assert_int_equal(
	    vhu_arena_open(&rig->arena, vhu_driver_vring_size(RIG_SIZE, RIG_SLOTS), 4096), 0);
	assert_int_equal(vhu_driver_vring_open(driver, &rig->arena, RIG_SIZE, RIG_SLOTS), 0);
	rig->part[0] = (struct vhu_part){
	    vhu_arena_take(&rig->arena, VHU_ARENA_BUFFERS, HEAD_SIZE, 16), HEAD_SIZE, false};
	rig->part[1] = (struct vhu_part){
	    vhu_arena_take(&rig->arena, VHU_ARENA_BUFFERS, DATA_SIZE, 16), DATA_SIZE, true};
	rig->part[2] =
	    (struct vhu_part){vhu_arena_take(&rig->arena, VHU_ARENA_BUFFERS, 1, 16), 1, true};
	/* The first time, as drivers do when they begin. */
	driver->format->arm(driver);
}

/* Map the memory for the device and start the vring, with an in-flight area if there is one. */
static void open_device(struct rig *rig)
{
	struct vhu_driver_vring_areas areas = vhu_driver_vring_areas(&rig->driver);
	struct vhu_device_vring *device = &rig->device;
	struct vhu_inflight_told told = {.queues = 1, .queue_size = RIG_SIZE};
	bool packed = rig->features >> VIRTIO_F_RING_PACKED & 1;
	void *part = NULL;

	for (unsigned i = 0; i < VHU_ARENA_REGIONS; i++) {
		const struct vhu_arena_region *region = &rig->arena.region[i];
		const struct vhu_device_region ours = {
		    .guest = region->guest, .user = (uintptr_t)region->here, .size = region->size};

		assert_int_equal(
		    vhu_memory_add(&rig->device_memory, &ours, region->offset, rig->arena.fd), 0);
	}
	vhu_device_vring_open(device, 0, &rig->device_memory, &rig->log);
	device->num = RIG_SIZE;
	device->desc_user = areas.descriptor;
	device->avail_user = areas.available;
	device->used_user = areas.used;
	device->has_addresses = true;
	if (rig->inflight_fd == 0) {
		told.size = vhu_inflight_size(1, RIG_SIZE, packed);
		rig->inflight_fd = vhu_inflight_create(told.size);
		assert_true(rig->inflight_fd >= 0);
		assert_int_equal(vhu_inflight_set(&rig->inflight, rig->inflight_fd, &told), 0);
		part = vhu_inflight_region(&rig->inflight, device, packed);
		rig->inflight_region =
		    (struct vhu_ring_region){.size = told.size, .fd = rig->inflight_fd};
		rig->inflight_memory = (struct vhu_ring_memory){
		    .read = vhu_ring_read_file, .region = &rig->inflight_region, .regions = 1};
		rig->place.inflight =
		    vhu_ring_inflight_place(&rig->inflight_memory, 0, told.size, 1, 0);
	}
	assert_int_equal(vhu_device_vring_start(
			     device, packed ? &vhu_device_vring_packed : &vhu_device_vring_split,
			     rig->features, part),
			 0);
	device->enabled = true;
	device->format->arm(device);
}

/* Say what a session says of it. */
static void describe(struct rig *rig)
{
	struct vhu_driver_vring_areas areas = vhu_driver_vring_areas(&rig->driver);

	for (unsigned i = 0; i < VHU_ARENA_REGIONS; i++)
		rig->region[i] = (struct vhu_ring_region){
		    .guest = rig->arena.region[i].guest,
		    .user = (uintptr_t)rig->arena.region[i].here,
		    .size = rig->arena.region[i].size,
		    .offset = rig->arena.region[i].offset,
		    .fd = rig->arena.fd,
		};
	rig->memory = (struct vhu_ring_memory){
	    .read = vhu_ring_read_file, .region = rig->region, .regions = VHU_ARENA_REGIONS};
	rig->place.memory = &rig->memory;
	rig->place.features = rig->features;
	rig->place.size = RIG_SIZE;
	rig->place.descriptor = areas.descriptor;
	rig->place.available = areas.available;
	rig->place.used = areas.used;
	rig->context =
	    (struct vhu_context){.device = 2, .has_features = true, .features = rig->features};
	rig->evidence = (struct vhu_ring_evidence){
	    .context = &rig->context,
	    .kick_poller = VHU_RING_POLLER_LEVEL,
	    .call_poller = VHU_RING_POLLER_LEVEL,
	    .session = {.known = true, .started = true, .enabled = true},
	};
}

void rig_open(struct rig *rig, uint64_t features, bool with_inflight)
{
	*rig = (struct rig){.features = features | UINT64_C(1) << VIRTIO_F_VERSION_1,
			    .inflight_fd = with_inflight ? 0 : -1};
	rig->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	rig->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(rig->kick >= 0 && rig->call >= 0);
	open_driver(rig);
	open_device(rig);
	describe(rig);
}

void rig_close(struct rig *rig)
{
	for (unsigned i = 0; i < 2; i++)
		vhu_ring_sample_free(&rig->evidence.sample[i]);
	vhu_device_vring_close(&rig->device);
	vhu_inflight_clear(&rig->inflight);
	vhu_memory_clear(&rig->device_memory);
	vhu_driver_vring_close(&rig->driver);
	vhu_arena_close(&rig->arena);
	close(rig->kick);
	close(rig->call);
	if (rig->inflight_fd >= 0)
		close(rig->inflight_fd);
}

/* Signal an eventfd. */
static void signal_fd(int fd)
{
	uint64_t one = 1;

	assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
}

bool rig_offer(struct rig *rig, unsigned parts)
{
	for (uint32_t slot = 0; slot < RIG_SLOTS; slot++) {
		if (rig->driver.busy[slot])
			continue;
		rig->driver.format->offer(&rig->driver, slot, rig->part, parts);
		return true;
	}
	return false;
}

void rig_kick(struct rig *rig)
{
	if (rig->driver.unkicked > 0 && rig->driver.format->wants_kick(&rig->driver))
		signal_fd(rig->kick);
	rig->driver.unkicked = 0;
}

unsigned rig_collect(struct rig *rig)
{
	struct vhu_used used;
	unsigned count = 0;

	do {
		while (rig->driver.format->collect(&rig->driver, &used) == 1)
			count++;
	} while (rig->driver.format->arm(&rig->driver));
	return count;
}

bool rig_take(struct rig *rig)
{
	if (rig->takens == RIG_SLOTS || rig->device.format->pop(&rig->device, &rig->chain) != 1)
		return false;
	rig->taken[rig->takens++] = (struct vhu_done){
	    .written = 1,
	    .id = rig->chain.id,
	    .descriptors = rig->chain.descriptors,
	    .entry = rig->chain.entry,
	};
	return true;
}

void rig_give(struct rig *rig, unsigned nth)
{
	rig->device.format->push(&rig->device, &rig->taken[nth]);
	memmove(&rig->taken[nth], &rig->taken[nth + 1],
		(--rig->takens - nth) * sizeof(rig->taken[0]));
	if (rig->device.format->wants_call(&rig->device))
		signal_fd(rig->call);
	rig->device.unannounced = 0;
}

bool rig_arm(struct rig *rig)
{
	return rig->device.format->arm(&rig->device);
}

uint64_t rig_counter(int fd)
{
	char path[64], line[128];
	uint64_t count = UINT64_MAX;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "eventfd-count: %lx", &count);
	fclose(file);
	assert_true(count != UINT64_MAX);
	return count;
}

void rig_sample(struct rig *rig, unsigned number, uint64_t ms)
{
	struct vhu_ring_sample *sample = &rig->evidence.sample[number];

	sample->time_ns = ms * VHU_NS_PER_MS;
	sample->kick =
	    (struct vhu_ring_counter){.known = true, .id = 1, .count = rig_counter(rig->kick)};
	sample->call =
	    (struct vhu_ring_counter){.known = true, .id = 2, .count = rig_counter(rig->call)};
	vhu_ring_sample_read(&rig->place, sample);
	assert_int_equal(sample->ring_error, 0);
}
