/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vrings that the samples' driver and device really drive: the reader finds where both are, a vring
 * that hangs is judged so, and one that is busy or idle never is.
 */
#include <linux/virtio_config.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/util/util.h"
#include "tests/unit/lib/ring/rig.h"

#define EVENT_IDX (UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT  (UINT64_C(1) << VIRTIO_RING_F_INDIRECT_DESC)
#define PACKED    (UINT64_C(1) << VIRTIO_F_RING_PACKED)
#define LOOKS     100

/* All kinds of vrings. */
static const struct ring_kind {
	uint64_t features;
	bool inflight;
} kinds[] = {
    {0, false},
    {INDIRECT, false},
    {EVENT_IDX, false},
    {EVENT_IDX, true},
    {0, true},
    {PACKED, false},
    {PACKED | INDIRECT, false},
    {PACKED | EVENT_IDX, false},
    {PACKED | EVENT_IDX | INDIRECT, false},
    {PACKED, true},
};

/* Check a snapshot against what driver and device say of themselves. */
static void check_positions(struct rig *rig)
{
	const struct vhu_driver_vring *driver = &rig->driver;
	const struct vhu_device_vring *device = &rig->device;
	struct vhu_ring_snapshot ring;
	uint16_t available = driver->avail_index, used = device->used_index;
	uint32_t waiting;

	assert_int_equal(vhu_ring_snapshot_read(&rig->place, &ring), 0);
	if (ring.packed) {
		available |= (uint16_t)(driver->avail_wrap << 15);
		used |= (uint16_t)(device->used_wrap << 15);
		waiting = vhu_ring_distance(used, available, RIG_SIZE);
	} else {
		waiting = (uint16_t)(available - used);
	}
	if (ring.waiting_least > waiting || ring.available != available)
		print_error("features 0x%lx, known %d: %u to %u wait and are %u\n", rig->features,
			    ring.known, ring.waiting_least, ring.waiting, waiting);
	assert_true(ring.steady);
	assert_int_equal(ring.available, available);
	assert_true(ring.waiting_least <= waiting);
	if (ring.known != VHU_RING_KNOWN_GUESS) {
		assert_int_equal(ring.used, used);
		assert_int_equal(ring.waiting, waiting);
	}
	if (rig->inflight.map)
		assert_int_equal(ring.inflight.known ? ring.inflight.count : 0, rig->takens);
	if (rig->inflight.map && ring.inflight.known)
		assert_int_equal(ring.known,
				 ring.packed ? VHU_RING_KNOWN_INFLIGHT : VHU_RING_KNOWN_INDEX);
	vhu_ring_snapshot_free(&ring);
}

/* Do something, as a random number says. @in_order: give back the oldest, and make requests of
 * different lengths; a device that does not keep to the order has them of one length, else a packed
 * ring without hints cannot be read. */
static void act(struct rig *rig, unsigned random, bool in_order)
{
	switch (random % 5) {
	case 0:
	case 1:
		rig_offer(rig, in_order ? 1 + random / 8 % 3 : 3);
		break;
	case 2:
		rig_take(rig);
		break;
	case 3:
		if (rig->takens > 0)
			rig_give(rig, in_order ? 0 : random / 8 % rig->takens);
		break;
	default:
		rig_collect(rig);
		if (random & 64)
			rig_arm(rig);
	}
}

static void the_reader_finds_where_both_sides_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * VHU_ARRAY_SIZE(kinds); i++) {
		const struct ring_kind *kind = &kinds[i / 2];
		unsigned seed = (unsigned)i;
		static struct rig rig;

		rig_open(&rig, kind->features, kind->inflight);
		for (unsigned step = 0; step < 3000; step++) {
			act(&rig, (unsigned)rand_r(&seed), i % 2);
			check_positions(&rig);
		}
		rig_close(&rig);
	}
}

/* Judge a rig at rest. */
static struct vhu_ring_verdict judge(struct rig *rig)
{
	rig_sample(rig, 0, 0);
	rig_sample(rig, 1, 100);
	return vhu_ring_judge(&rig->evidence);
}

/* Check which verdict a rig at rest gets, and of how many alternatives. */
static void expect(struct rig *rig, enum vhu_ring_verdict_id id, unsigned alternatives)
{
	struct vhu_ring_verdict verdict = judge(rig);

	if (verdict.id != id)
		print_error("features 0x%lx: %s\n", rig->features, verdict.text);
	assert_string_equal(vhu_ring_verdicts[verdict.id].id, vhu_ring_verdicts[id].id);
	assert_int_equal(verdict.alternatives, alternatives);
	assert_true(verdict.hangs);
}

/* Do one request from end to end. */
static void do_one(struct rig *rig)
{
	uint64_t counter;

	assert_true(rig_offer(rig, 3));
	rig_kick(rig);
	assert_int_equal(read(rig->kick, &counter, sizeof(counter)), sizeof(counter));
	assert_true(rig_take(rig));
	assert_false(rig_arm(rig));
	rig_give(rig, 0);
	assert_int_equal(read(rig->call, &counter, sizeof(counter)), sizeof(counter));
	assert_int_equal(rig_collect(rig), 1);
}

static void each_way_to_hang_is_told(void **state)
{
	uint64_t counter;

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(kinds); i++) {
		const struct ring_kind *kind = &kinds[i];
		bool taken_is_seen = kind->inflight || kind->features & EVENT_IDX;
		static struct rig rig;

		rig_open(&rig, kind->features, kind->inflight);
		for (unsigned round = 0; round < 50; round++)
			do_one(&rig);
		/* Kicked, and the device does not read it. */
		rig_offer(&rig, 3);
		rig_kick(&rig);
		expect(&rig, VHU_RING_D3, 0);
		/* Read, taken and kept. */
		assert_int_equal(read(rig.kick, &counter, sizeof(counter)), sizeof(counter));
		rig_take(&rig);
		rig_arm(&rig);
		expect(&rig, taken_is_seen ? VHU_RING_D4 : VHU_RING_D1, taken_is_seen ? 0 : 2);
		/* Used, and the call is not read. */
		rig_give(&rig, 0);
		expect(&rig, VHU_RING_D6, 0);
		assert_int_equal(read(rig.call, &counter, sizeof(counter)), sizeof(counter));
		rig_collect(&rig);
		assert_int_equal(judge(&rig).id, VHU_RING_D13);
		/* Made available, and not kicked for. */
		rig_offer(&rig, 3);
		rig.driver.unkicked = 0;
		expect(&rig, VHU_RING_D1, kind->inflight ? 1 : 2);
		rig_close(&rig);
	}
}

/* Return whether a vring's last four requests look as if there was one at a time. */
static bool shows_one_at_a_time(struct rig *rig)
{
	struct vhu_ring_snapshot ring;
	bool one;

	assert_int_equal(vhu_ring_snapshot_read(&rig->place, &ring), 0);
	one = vhu_ring_one_at_a_time(&ring, 4);
	vhu_ring_snapshot_free(&ring);
	return one;
}

static void memory_shows_whether_there_was_one_request_at_a_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(kinds); i++) {
		static struct rig rig;

		rig_open(&rig, kinds[i].features, kinds[i].inflight);
		/* So many that the ring has been gone around. */
		for (unsigned round = 0; round < 3 * RIG_SIZE; round++)
			do_one(&rig);
		assert_true(shows_one_at_a_time(&rig));
		for (unsigned request = 0; request < 2; request++)
			assert_true(rig_offer(&rig, 3) && rig_take(&rig));
		for (unsigned request = 0; request < 2; request++)
			rig_give(&rig, 0);
		assert_int_equal(rig_collect(&rig), 2);
		(void)!read(rig.call, &(uint64_t){0}, sizeof(uint64_t));
		assert_false(shows_one_at_a_time(&rig));
		rig.driver.unkicked = 0;
		rig_arm(&rig);
		do_one(&rig);
		do_one(&rig);
		assert_false(shows_one_at_a_time(&rig));
		for (unsigned round = 0; round < 8; round++)
			do_one(&rig);
		assert_true(shows_one_at_a_time(&rig));
		rig_close(&rig);
	}
}

static void stale_kick_event_is_reported(void **state)
{
	static const uint64_t features[] = {EVENT_IDX, PACKED | EVENT_IDX};
	uint64_t counter;

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(features); i++) {
		static struct rig rig;

		rig_open(&rig, features[i], false);
		do_one(&rig);
		/* The device does another one and does not ask for the next kick. */
		rig_offer(&rig, 3);
		rig_kick(&rig);
		assert_int_equal(read(rig.kick, &counter, sizeof(counter)), sizeof(counter));
		rig_take(&rig);
		rig_give(&rig, 0);
		assert_int_equal(read(rig.call, &counter, sizeof(counter)), sizeof(counter));
		rig_collect(&rig);
		rig_offer(&rig, 3);
		rig_kick(&rig);
		assert_int_equal(rig_counter(rig.kick), 0);
		expect(&rig, VHU_RING_D2, 0);
		rig_close(&rig);
	}
}

/* A vring that two threads drive. */
struct busy {
	struct rig rig;
	pthread_t driver, device;
	bool end;       /* both threads are to end */
	bool rest;      /* the driver is to make no more available */
	bool resting;   /* and all that it had is collected */
	uint64_t count; /* requests collected */
};

/* Wait for an eventfd for 10 ms at most, so that a thread sees its end, and read it. */
static void wait_for(int fd)
{
	struct pollfd entry = {.fd = fd, .events = POLLIN};
	uint64_t counter;

	if (poll(&entry, 1, 10) > 0)
		(void)!read(fd, &counter, sizeof(counter));
}

/* Make requests available and collect them. */
static void *drive(void *context)
{
	struct busy *busy = context;
	struct rig *rig = &busy->rig;
	unsigned out = 0, seed = 1;

	while (!__atomic_load_n(&busy->end, __ATOMIC_ACQUIRE)) {
		bool rest = __atomic_load_n(&busy->rest, __ATOMIC_ACQUIRE);
		unsigned collected;

		while (!rest && rand_r(&seed) % 8 && rig_offer(rig, 3))
			out++;
		rig_kick(rig);
		if (out > 0)
			wait_for(rig->call);
		collected = rig_collect(rig);
		out -= collected;
		__atomic_fetch_add(&busy->count, collected, __ATOMIC_RELEASE);
		if (rest && out == 0) {
			/* A call for what was collected without it. */
			wait_for(rig->call);
			__atomic_store_n(&busy->resting, true, __ATOMIC_RELEASE);
		}
	}
	return NULL;
}

/* Take requests and give them back. */
static void *work(void *context)
{
	struct busy *busy = context;
	struct rig *rig = &busy->rig;
	unsigned seed = 2;

	while (!__atomic_load_n(&busy->end, __ATOMIC_ACQUIRE)) {
		wait_for(rig->kick);
		do {
			while (rig_take(rig))
				;
			while (rig->takens > 0)
				rig_give(rig, (unsigned)rand_r(&seed) % rig->takens);
		} while (rig_arm(rig));
	}
	return NULL;
}

/* Look at a busy vring as a command does, until it has moved. */
static struct vhu_ring_verdict look_busy(struct busy *busy)
{
	struct vhu_ring_evidence *evidence = &busy->rig.evidence;
	struct vhu_ring_counter kick = {.known = true, .id = 1};
	struct vhu_ring_snapshot ring;
	uint64_t enough, begun = vhu_now_ns();

	evidence->watch = (struct vhu_ring_watch){0};
	rig_sample(&busy->rig, 0, 0);
	/* More than were out: some of them were made available and used since. */
	enough = __atomic_load_n(&busy->count, __ATOMIC_ACQUIRE) + 2 * RIG_SLOTS;
	do {
		kick.count = rig_counter(busy->rig.kick);
		assert_int_equal(vhu_ring_snapshot_read(&busy->rig.place, &ring), 0);
		vhu_ring_watch_add(&evidence->watch, &evidence->sample[0], vhu_now_ns() - begun,
				   &ring, &kick);
		vhu_ring_snapshot_free(&ring);
	} while (evidence->watch.looks < 10 ||
		 __atomic_load_n(&busy->count, __ATOMIC_ACQUIRE) < enough);
	rig_sample(&busy->rig, 1, 100);
	return vhu_ring_judge(evidence);
}

static void a_busy_vring_moves_and_an_idle_one_is_idle(void **state)
{
	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(kinds); i++) {
		static struct busy busy;
		struct vhu_ring_verdict verdict;

		memset(&busy, 0, sizeof(busy));
		rig_open(&busy.rig, kinds[i].features, kinds[i].inflight);
		assert_int_equal(pthread_create(&busy.device, NULL, work, &busy), 0);
		assert_int_equal(pthread_create(&busy.driver, NULL, drive, &busy), 0);
		for (unsigned look = 0; look < LOOKS; look++) {
			verdict = look_busy(&busy);
			if (verdict.id != VHU_RING_MOVING)
				print_error("features 0x%lx: %s\n", busy.rig.features,
					    verdict.text);
			assert_int_equal(verdict.id, VHU_RING_MOVING);
		}
		busy.rig.evidence.watch = (struct vhu_ring_watch){0};
		__atomic_store_n(&busy.rest, true, __ATOMIC_RELEASE);
		while (!__atomic_load_n(&busy.resting, __ATOMIC_ACQUIRE))
			usleep(1000);
		for (unsigned look = 0; look < LOOKS; look++) {
			verdict = judge(&busy.rig);
			if (verdict.hangs)
				print_error("features 0x%lx: %s\n", busy.rig.features,
					    verdict.text);
			/* The device may read its last kick between the samples. */
			assert_true(verdict.id == VHU_RING_D13 || verdict.id == VHU_RING_MOVING);
			assert_false(verdict.hangs);
		}
		__atomic_store_n(&busy.end, true, __ATOMIC_RELEASE);
		pthread_join(busy.driver, NULL);
		pthread_join(busy.device, NULL);
		rig_close(&busy.rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_reader_finds_where_both_sides_are),
	    cmocka_unit_test(each_way_to_hang_is_told),
	    cmocka_unit_test(memory_shows_whether_there_was_one_request_at_a_time),
	    cmocka_unit_test(stale_kick_event_is_reported),
	    cmocka_unit_test(a_busy_vring_moves_and_an_idle_one_is_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
