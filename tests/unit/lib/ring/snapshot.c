/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a snapshot says of memory laid out by hand. */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lib/ring/image.h"

static void a_split_ring_is_read(void **state)
{
	struct vhu_ring_snapshot ring;
	struct image image;

	(void)state;
	image_open(&image, IMAGE_VERSION_1 | IMAGE_EVENT_IDX, 64);
	image.avail->idx = htole16(2);
	image.used->idx = htole16(65534);
	image.avail->flags = htole16(VRING_AVAIL_F_NO_INTERRUPT);
	image.used->flags = htole16(VRING_USED_F_NO_NOTIFY);
	image.avail->ring[63] = htole16(7);
	*image.used_event = htole16(0x1122);
	*image.avail_event = htole16(0x3344);
	image_describe(&image, 63, (struct vring_desc){0x5566778899, 10, 2, 3});
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), 0);
	assert_false(ring.packed);
	assert_true(ring.event_idx && ring.steady);
	assert_int_equal(ring.available, 2);
	assert_int_equal(ring.used, 65534);
	assert_int_equal(ring.waiting, 4);
	assert_int_equal(ring.waiting_least, 4);
	assert_int_equal(ring.driver_flags, VRING_AVAIL_F_NO_INTERRUPT);
	assert_int_equal(ring.device_flags, VRING_USED_F_NO_NOTIFY);
	assert_int_equal(ring.driver_event, 0x1122);
	assert_int_equal(ring.device_event, 0x3344);
	assert_int_equal(ring.head[63], 7);
	assert_int_equal(vhu_ring_row_field(ring.descriptor, 63, 0, 8, false), 0x5566778899);
	assert_int_equal(ring.inflight_error, -ENOENT);
	vhu_ring_snapshot_free(&ring);
	image_close(&image);
}

static void a_legacy_ring_is_read_in_the_byte_order_of_its_guest(void **state)
{
	struct vhu_ring_snapshot ring;
	struct image image;

	(void)state;
	image_open(&image, 0, 64);
	image.place.big_endian = true;
	image.avail->idx = htobe16(258);
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), 0);
	assert_int_equal(ring.available, 258);
	vhu_ring_snapshot_free(&ring);
	image.place.features = IMAGE_VERSION_1;
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), 0);
	assert_int_equal(ring.available, 513);
	vhu_ring_snapshot_free(&ring);
	image_close(&image);
}

static void a_ring_of_an_impossible_size_is_refused(void **state)
{
	static const struct {
		uint64_t features;
		uint32_t size;
		int error;
	} row[] = {
	    {0, 0, -EINVAL},
	    {0, 3, -EINVAL},
	    {0, 65536, -EINVAL},
	    {0, UINT32_MAX, -EINVAL},
	    {0, 1, 0},
	    {IMAGE_PACKED, 3, 0},
	    {IMAGE_PACKED, 32769, -EINVAL},
	};
	struct vhu_ring_snapshot ring;
	struct image image;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		image_open(&image, row[i].features, 64);
		image.place.size = row[i].size;
		assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), row[i].error);
		if (!row[i].error)
			vhu_ring_snapshot_free(&ring);
		image_close(&image);
	}
}

static void a_ring_outside_memory_is_refused(void **state)
{
	struct vhu_ring_snapshot ring;
	struct image image;

	(void)state;
	image_open(&image, IMAGE_EVENT_IDX, 64);
	/* The used ring ends with the region, but for the event behind it. */
	image.place.used = IMAGE_RINGS_USER + IMAGE_REGION - 4 - 8 * 64;
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), -EFAULT);
	image.place.features = 0;
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), 0);
	vhu_ring_snapshot_free(&ring);
	/* So does the available ring. */
	image.place.available = IMAGE_RINGS_USER + IMAGE_REGION - 4 - 2 * 64;
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), 0);
	vhu_ring_snapshot_free(&ring);
	image.place.available -= 2;
	image.place.used -= 2;
	image.place.features = IMAGE_EVENT_IDX;
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), 0);
	vhu_ring_snapshot_free(&ring);
	image.place.available += 2;
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), -EFAULT);
	image.place.features = UINT64_C(1) << 33;
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), -ENXIO);
	image_close(&image);
}

/* Read a packed ring and check where both sides are. */
static void check_packed(struct image *image, uint16_t available, uint16_t used,
			 uint32_t waiting_least, uint32_t waiting, enum vhu_ring_known known)
{
	struct vhu_ring_snapshot ring;

	assert_int_equal(vhu_ring_snapshot_read(&image->place, &ring), 0);
	assert_int_equal(ring.available, available);
	assert_int_equal(ring.used, used);
	assert_int_equal(ring.waiting_least, waiting_least);
	assert_int_equal(ring.waiting, waiting);
	assert_int_equal(ring.known, known);
	assert_true(ring.steady);
	vhu_ring_snapshot_free(&ring);
}

#define WRAP 0x8000u

static void a_packed_ring_that_was_never_used_is_idle(void **state)
{
	struct image image;

	(void)state;
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1, 8);
	check_packed(&image, WRAP, WRAP, 0, 0, VHU_RING_KNOWN_EVENT);
	image_close(&image);
}

static void the_first_requests_of_a_packed_ring_wait(void **state)
{
	struct image image;

	(void)state;
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1, 8);
	for (uint16_t i = 0; i < 3; i++)
		image_describe_packed(&image, i, 0, i < 2 ? VRING_DESC_F_NEXT : 0, true, false);
	check_packed(&image, WRAP | 3, WRAP, 3, 3, VHU_RING_KNOWN_EVENT);
	for (uint16_t i = 3; i < 8; i++)
		image_describe_packed(&image, i, i, 0, true, false);
	/* All of the ring: the driver's next descriptor is the first one, with its wrap over. */
	check_packed(&image, 0, WRAP, 8, 8, VHU_RING_KNOWN_EVENT);
	image_close(&image);
}

static void what_a_used_request_leaves_behind_does_not_wait(void **state)
{
	struct image image;

	(void)state;
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1, 16);
	/* Two requests of three descriptors each, both used; what they had stays in the ring. */
	for (uint16_t i = 0; i < 6; i++)
		image_describe_packed(&image, i, i / 3, i % 3 < 2 ? VRING_DESC_F_NEXT : 0, true,
				      i % 3 == 0);
	check_packed(&image, WRAP | 6, WRAP | 6, 0, 0, VHU_RING_KNOWN_GUESS);
	/* A third one waits. */
	for (uint16_t i = 6; i < 9; i++)
		image_describe_packed(&image, i, 2, i < 8 ? VRING_DESC_F_NEXT : 0, true, false);
	check_packed(&image, WRAP | 9, WRAP | 6, 3, 3, VHU_RING_KNOWN_GUESS);
	image_close(&image);
}

static void requests_of_one_descriptor_leave_nothing_behind(void **state)
{
	struct image image;

	(void)state;
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1, 8);
	/* One at a time, so that all have the same id: used, used, used, waits. */
	for (uint16_t i = 0; i < 4; i++)
		image_describe_packed(&image, i, 0, VRING_DESC_F_INDIRECT, true, i < 3);
	check_packed(&image, WRAP | 4, WRAP | 3, 1, 1, VHU_RING_KNOWN_EVENT);
	image_close(&image);
}

static void a_request_after_a_single_used_one_is_a_guess(void **state)
{
	struct image image;

	(void)state;
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1, 8);
	/* The second half of the first request, or a request of its own with the same id. */
	image_describe_packed(&image, 0, 0, 0, true, true);
	image_describe_packed(&image, 1, 0, 0, true, false);
	check_packed(&image, WRAP | 2, WRAP | 2, 0, 0, VHU_RING_KNOWN_GUESS);
	/* Another id: a request of its own, if the device keeps to the order. */
	image_describe_packed(&image, 1, 5, 0, true, false);
	check_packed(&image, WRAP | 2, WRAP | 1, 0, 1, VHU_RING_KNOWN_GUESS);
	image_close(&image);
}

static void a_packed_ring_goes_on_in_its_second_lap(void **state)
{
	struct image image;

	(void)state;
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1, 4);
	/* The first lap used, then two of the second: one used, one waits. */
	image_describe_packed(&image, 0, 0, 0, false, false);
	image_describe_packed(&image, 1, 1, VRING_DESC_F_INDIRECT, false, true);
	image_describe_packed(&image, 2, 2, 0, true, true);
	image_describe_packed(&image, 3, 3, 0, true, true);
	check_packed(&image, 2, 1, 1, 1, VHU_RING_KNOWN_EVENT);
	image_close(&image);
}

static void the_drivers_event_says_where_the_device_is(void **state)
{
	struct image image;

	(void)state;
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1 | IMAGE_EVENT_IDX, 8);
	image_describe_packed(&image, 0, 0, 0, true, true);
	image_describe_packed(&image, 1, 0, 0, true, false);
	image.driver->flags = htole16(VRING_PACKED_EVENT_FLAG_DESC);
	/* The driver has collected one and waits for the next: no guess. */
	image.driver->off_wrap = htole16(WRAP | 1);
	check_packed(&image, WRAP | 2, WRAP | 1, 1, 1, VHU_RING_KNOWN_EVENT);
	/* It has collected two. */
	image.driver->off_wrap = htole16(WRAP | 2);
	check_packed(&image, WRAP | 2, WRAP | 2, 0, 0, VHU_RING_KNOWN_EVENT);
	/* A position that the ring does not have says nothing. */
	image.driver->off_wrap = htole16(WRAP | 77);
	check_packed(&image, WRAP | 2, WRAP | 2, 0, 0, VHU_RING_KNOWN_GUESS);
	image_close(&image);
}

static void the_inflight_area_says_where_the_device_is(void **state)
{
	struct vhu_ring_snapshot ring;
	struct image image;
	uint16_t used = 1;

	(void)state;
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1, 8);
	image_add_inflight(&image);
	image_describe_packed(&image, 0, 0, 0, true, true);
	image_describe_packed(&image, 1, 0, 0, true, false);
	memcpy(image.inflight + 16, &used, 2);
	memcpy(image.inflight + 18, &used, 2);
	image.inflight[20] = image.inflight[21] = 1;
	check_packed(&image, WRAP | 2, WRAP | 1, 1, 1, VHU_RING_KNOWN_INFLIGHT);
	/* In the middle of giving a request back it says nothing. */
	used = 0;
	memcpy(image.inflight + 18, &used, 2);
	check_packed(&image, WRAP | 2, WRAP | 2, 0, 0, VHU_RING_KNOWN_GUESS);
	/* Ahead of the driver it is wrong. */
	used = 3;
	memcpy(image.inflight + 16, &used, 2);
	memcpy(image.inflight + 18, &used, 2);
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), 0);
	assert_true(ring.misplaced);
	vhu_ring_snapshot_free(&ring);
	image_close(&image);
}

static void a_packed_ring_at_the_same_positions_may_have_gone_around(void **state)
{
	struct vhu_ring_snapshot one, other;
	struct image image;

	(void)state;
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1, 4);
	for (uint16_t i = 0; i < 4; i++)
		image_describe_packed(&image, i, i, 0, true, true);
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &one), 0);
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &other), 0);
	assert_true(vhu_ring_snapshot_same(&one, &other));
	vhu_ring_snapshot_free(&other);
	/* Two laps later, used in another order. */
	image_describe_packed(&image, 2, 1, 0, true, true);
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &other), 0);
	assert_int_equal(one.available, other.available);
	assert_int_equal(one.used, other.used);
	assert_false(vhu_ring_snapshot_same(&one, &other));
	vhu_ring_snapshot_free(&one);
	vhu_ring_snapshot_free(&other);
	image_close(&image);
}

/* Check what a kick is of a split ring with one number each. */
static void check_kick(uint16_t available, uint16_t used, uint16_t event, enum vhu_ring_kick kick)
{
	const struct vhu_ring_snapshot ring = {.size = 128,
					       .event_idx = true,
					       .available = available,
					       .used = used,
					       .waiting = (uint16_t)(available - used),
					       .device_event = event};

	assert_int_equal(vhu_ring_kick(&ring), kick);
}

static void a_kick_is_wanted_where_the_device_asked_for_one(void **state)
{
	(void)state;
	check_kick(3, 0, 3, VHU_RING_KICK_TAKEN);
	check_kick(3, 0, 0, VHU_RING_KICK_WANTED);
	check_kick(3, 0, 2, VHU_RING_KICK_WANTED);
	check_kick(5, 2, 1, VHU_RING_KICK_STALE);
	check_kick(5, 2, 2, VHU_RING_KICK_WANTED);
	check_kick(5, 2, 100, VHU_RING_KICK_STALE);
	check_kick(1, 65535, 65535, VHU_RING_KICK_WANTED);
	check_kick(1, 65535, 65534, VHU_RING_KICK_STALE);
}

/* Check what a call is of a split ring. */
static void check_call(uint16_t used, uint16_t event, enum vhu_ring_call call)
{
	const struct vhu_ring_snapshot ring = {
	    .size = 128, .event_idx = true, .used = used, .driver_event = event};

	assert_int_equal(vhu_ring_call(&ring), call);
}

static void a_call_is_due_where_the_driver_asked_for_one(void **state)
{
	struct vhu_ring_snapshot ring = {.size = 128};

	(void)state;
	check_call(5, 5, VHU_RING_CALL_AHEAD);
	check_call(5, 6, VHU_RING_CALL_AHEAD);
	check_call(5, 133, VHU_RING_CALL_AHEAD);
	check_call(5, 4, VHU_RING_CALL_PASSED);
	check_call(1, 65535, VHU_RING_CALL_PASSED);
	check_call(5000, 0, VHU_RING_CALL_SUPPRESSED);
	assert_int_equal(vhu_ring_call(&ring), VHU_RING_CALL_UNKNOWN);
	ring.driver_flags = VRING_AVAIL_F_NO_INTERRUPT;
	assert_int_equal(vhu_ring_call(&ring), VHU_RING_CALL_SUPPRESSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_split_ring_is_read),
	    cmocka_unit_test(a_legacy_ring_is_read_in_the_byte_order_of_its_guest),
	    cmocka_unit_test(a_ring_of_an_impossible_size_is_refused),
	    cmocka_unit_test(a_ring_outside_memory_is_refused),
	    cmocka_unit_test(a_packed_ring_that_was_never_used_is_idle),
	    cmocka_unit_test(the_first_requests_of_a_packed_ring_wait),
	    cmocka_unit_test(what_a_used_request_leaves_behind_does_not_wait),
	    cmocka_unit_test(requests_of_one_descriptor_leave_nothing_behind),
	    cmocka_unit_test(a_request_after_a_single_used_one_is_a_guess),
	    cmocka_unit_test(a_packed_ring_goes_on_in_its_second_lap),
	    cmocka_unit_test(the_drivers_event_says_where_the_device_is),
	    cmocka_unit_test(the_inflight_area_says_where_the_device_is),
	    cmocka_unit_test(a_packed_ring_at_the_same_positions_may_have_gone_around),
	    cmocka_unit_test(a_kick_is_wanted_where_the_device_asked_for_one),
	    cmocka_unit_test(a_call_is_due_where_the_driver_asked_for_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
