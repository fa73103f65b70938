/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sample back-end dies at every step of what it writes to the in-flight area, and again at
 * every step of its successor's: no request is lost, none comes back twice, and all are taken in
 * the order of the offers.
 *
 *   sample_inflight
 *
 * The device's side of the rings is the back-end's own code, which dies in vhu_inflight_step; the
 * driver's side is the front-end's.
 */
#include <linux/virtio_config.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "samples/backend/inflight/inflight.h"
#include "samples/frontend/vring/vring.h"

#define RING_SIZE 16
#define SLOTS     5 /* not a divisor of anything */
#define AREA_SIZE 4096
#define DEATHS    2

static jmp_buf death;
static unsigned steps_left; /* before it dies; 0: it lives */

/* Die, if the time has come: what vhu_inflight_step is here. */
void sample_inflight_step(void)
{
	if (steps_left > 0 && --steps_left == 0)
		longjmp(death, 1);
}

/* A driver, and what it shares with devices that come and die. */
struct scene {
	const char *name;
	struct vhu_arena arena;
	struct vhu_driver_vring driver;
	struct vhu_memory memory;
	struct vhu_log log;
	void *area;
	const struct vhu_device_vring_format *format;
	uint64_t features;
	int last;              /* id that a device took; they are offered in increasing order */
	unsigned times[SLOTS]; /* how often each has come back since it was offered */
};

/* End the program, saying where. */
static void fail(const struct scene *scene, const char *what)
{
	printf("sample_inflight: %s: %s\n", scene->name, what);
	exit(1);
}

/* Make a scene. */
static void open_scene(struct scene *scene, const char *name, bool packed, bool indirect)
{
	memset(scene, 0, sizeof(*scene));
	scene->name = name;
	scene->driver.format = packed ? &vhu_driver_vring_packed : &vhu_driver_vring_split;
	scene->driver.indirect = indirect;
	scene->format = packed ? &vhu_device_vring_packed : &vhu_device_vring_split;
	scene->features = (packed ? UINT64_C(1) << VIRTIO_F_RING_PACKED : 0) |
			  UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC;
	scene->area =
	    mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (scene->area == MAP_FAILED ||
	    vhu_arena_open(&scene->arena, vhu_driver_vring_size(RING_SIZE, SLOTS), 4096) ||
	    vhu_driver_vring_open(&scene->driver, &scene->arena, RING_SIZE, SLOTS))
		fail(scene, "no memory");
	for (unsigned i = 0; i < VHU_ARENA_REGIONS; i++) {
		const struct vhu_arena_region *region = &scene->arena.region[i];

		scene->memory.region[scene->memory.regions++] = (struct vhu_device_region){
		    .guest = region->guest,
		    .user = (uintptr_t)region->here,
		    .size = region->size,
		    .here = region->here,
		};
	}
}

/* Leave a scene. */
static void close_scene(struct scene *scene)
{
	vhu_driver_vring_close(&scene->driver);
	vhu_arena_close(&scene->arena);
	munmap(scene->area, AREA_SIZE);
}

/* The driver offers slots from @from up to @to. */
static void offer(struct scene *scene, uint32_t from, uint32_t to)
{
	uint8_t *buffer = scene->arena.region[VHU_ARENA_BUFFERS].here;

	for (uint32_t slot = from; slot < to; slot++) {
		const struct vhu_part part[3] = {
		    {.at = buffer + 64 * slot, .size = 16},
		    {.at = buffer + 64 * slot + 16, .size = 32, .writable = true},
		    {.at = buffer + 64 * slot + 48, .size = 1, .writable = true},
		};

		scene->times[slot] = 0;
		scene->driver.format->offer(&scene->driver, slot, part, 1 + slot % 3);
	}
}

/* The driver collects what has come back. */
static void collect(struct scene *scene)
{
	struct vhu_used used;
	int got;

	while ((got = scene->driver.format->collect(&scene->driver, &used)) > 0)
		scene->times[used.slot]++;
	if (got < 0)
		fail(scene, "a request comes back that was not out: it came twice");
}

/* Start a device on the ring, as a new process would. */
static void start(struct scene *scene, struct vhu_device_vring *ring)
{
	struct vhu_driver_vring_areas areas = vhu_driver_vring_areas(&scene->driver);

	vhu_device_vring_open(ring, 0, &scene->memory, &scene->log);
	ring->num = RING_SIZE;
	ring->desc_user = areas.descriptor;
	ring->avail_user = areas.available;
	ring->used_user = areas.used;
	ring->has_addresses = true;
	if (vhu_device_vring_start(ring, scene->format, scene->features, scene->area))
		fail(scene, "a device does not start");
}

/* Take requests, at most @most of them, and give them back in another order. */
static void work(struct scene *scene, struct vhu_device_vring *ring, unsigned most)
{
	struct vhu_done done[SLOTS];
	static struct vhu_chain chain;
	unsigned taken = 0;
	int got = 0;

	while (taken < most && taken < SLOTS && (got = ring->format->pop(ring, &chain)) > 0) {
		done[taken++] = (struct vhu_done){
		    .id = chain.id,
		    .descriptors = chain.descriptors,
		    .entry = chain.entry,
		    .written = (uint32_t)chain.in.size,
		};
		if (chain.id <= scene->last)
			fail(scene, "a device takes requests in another order than they came");
		scene->last = chain.id;
	}
	if (got < 0)
		fail(scene, "the device finds the ring broken");
	/* From the middle to the end, then the first ones. */
	for (unsigned i = 0; i < taken; i++)
		ring->format->push(ring, &done[(i + taken / 2) % taken]);
}

/* What one device after the other has to do: all there is, in two goes. */
static void live(struct scene *scene, struct vhu_device_vring *ring)
{
	scene->last = -1;
	start(scene, ring);
	work(scene, ring, 3);
	work(scene, ring, SLOTS);
	vhu_device_vring_stop(ring);
}

/*
 * Play a lap: offer requests to devices that each die after so many steps; 0:
 * it lives. Returns how many died.
 */
static unsigned lap(struct scene *scene, const unsigned steps[DEATHS])
{
	/* Not in registers, which longjmp would restore. */
	static struct vhu_device_vring ring;
	volatile unsigned deaths = 0;

	offer(scene, 0, SLOTS);
	steps_left = steps[0];
	if (setjmp(death)) {
		vhu_device_vring_stop(&ring);
		deaths++;
		steps_left = deaths < DEATHS ? steps[deaths] : 0;
	}
	live(scene, &ring);
	steps_left = 0;
	collect(scene);
	for (unsigned i = 0; i < SLOTS; i++)
		if (scene->times[i] != 1)
			fail(scene, "a request was lost");
	return deaths;
}

/* Let devices die at every step, and their successors at every step of theirs. Returns how many
 * laps that took. */
static unsigned play(const char *name, bool packed, bool indirect)
{
	struct scene scene;
	unsigned laps = 0, first = 0, second, deaths;

	open_scene(&scene, name, packed, indirect);
	do {
		second = 0;
		do {
			deaths = lap(&scene, (const unsigned[DEATHS]){first, second});
			laps++;
			second++;
		} while (first > 0 && (deaths == DEATHS || (deaths == 1 && second == 1)));
		first++;
	} while (first == 1 || deaths > 0);
	close_scene(&scene);
	return laps;
}

int main(void)
{
	unsigned laps = 0;

	laps += play("split", false, false);
	laps += play("split, indirect", false, true);
	laps += play("packed", true, false);
	laps += play("packed, indirect", true, true);
	printf("%u laps, nothing lost, nothing twice\n", laps);
	return laps > 1000 ? 0 : 1;
}
