/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the memory says: each cause, and what comes close and must not be taken for it. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lib/ring/image.h"

#define V(id) VHU_RING_##id

static void d9_the_sides_see_different_memory(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 0);
	image.evidence.mappings = (struct vhu_ring_mappings){.known = true, .private_map = true};
	image_expect(&image, V(D9), 0);
	assert_non_null(strstr(image_judge(&image).text, "front-end has mapped"));
	image.evidence.mappings = (struct vhu_ring_mappings){.known = true};
	image_expect(&image, V(D13), 0);
	/* By what the front-end reads. */
	for (unsigned i = 0; i < 2; i++) {
		image.evidence.sample[i].view_known = true;
		image.evidence.sample[i].view_available = 1;
	}
	image_expect(&image, V(D9), 0);
	image.evidence.sample[1].view_available = 0;
	image_expect(&image, V(D13), 0);
	image_close(&image);
}

static void d11_the_indexes_are_impossible(void **state)
{
	struct image image;
	uint16_t used = 3;

	(void)state;
	image_open_used(&image, 0, 3);
	image.avail->idx = htole16(3 + 129);
	image_expect(&image, V(D11), 0);
	/* A full ring is possible. */
	image.avail->idx = htole16(3 + 128);
	assert_int_not_equal(image_judge(&image).id, VHU_RING_D11);
	image_close(&image);
	image_open(&image, IMAGE_PACKED, 16);
	image_add_inflight(&image);
	memcpy(image.inflight + 16, &used, 2);
	memcpy(image.inflight + 18, &used, 2);
	image.inflight[20] = image.inflight[21] = 1;
	image_expect(&image, V(D11), 0);
	memset(image.inflight + 16, 0, 4);
	image_expect(&image, V(D13), 0);
	image_close(&image);
}

static void d12_the_inflight_area_and_the_ring_disagree(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 3);
	image_add_inflight(&image);
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image_take(&image, 4, 1);
	image_expect(&image, V(D12), 0);
	image.avail->idx = htole16(4);
	image_expect(&image, V(D4), 0);
	image_close(&image);
	/* The back-end asks for a kick behind buffers that it does not have. */
	image_open_waiting(&image, IMAGE_EVENT_IDX, 2);
	image_add_inflight(&image);
	*image.avail_event = htole16(2);
	image_expect(&image, V(D12), 0);
	image_take(&image, 0, 1);
	image_take(&image, 3, 2);
	image_expect(&image, V(D4), 0);
	image_close(&image);
}

static void d17_the_used_ring_began_again_at_0(void **state)
{
	struct image image;

	(void)state;
	image_open_used(&image, 0, 3);
	image.avail->idx = htole16(103);
	image.evidence.session.base = 100;
	image.evidence.session.base_by = 12;
	image_expect(&image, V(D17), 1, V(D4));
	/* Further apart than the ring is long, it is sure. */
	image.avail->idx = htole16(1003);
	image.evidence.session.base = 1000;
	image_expect(&image, V(D17), 0);
	/* No base: only that the indexes are impossible. */
	image.evidence.session.base_by = 0;
	image_expect(&image, V(D11), 0);
	image_close(&image);
	/* A ring that has gone around since its base. */
	image_open_used(&image, 0, 60);
	image.evidence.session.base = 100;
	image.evidence.session.base_by = 12;
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image_close(&image);
}

static void d18_a_chain_is_broken(void **state)
{
	struct image image;

	(void)state;
	image_open_waiting(&image, 0, 2);
	image.desc[4].next = htole16(3); /* the second one loops */
	image_expect(&image, V(D18), 0);
	assert_non_null(strstr(image_judge(&image).text, "the chain of head 3 loops"));
	/* It is not broken any more, or was not before: the driver writes to it. */
	image_sample(&image, 0);
	image.desc[4].next = htole16(5);
	image_sample(&image, 1);
	assert_int_not_equal(vhu_ring_judge(&image.evidence).id, VHU_RING_D18);
	image_sample(&image, 0);
	image.desc[1].next = htole16(0);
	image_sample(&image, 1);
	assert_int_not_equal(vhu_ring_judge(&image.evidence).id, VHU_RING_D18);
	image.desc[1].next = htole16(2);
	/* What is used may be anything. */
	image.desc[4].next = htole16(3);
	image.used->idx = htole16(2);
	image_expect(&image, V(D13), 2, V(D5), V(D8));
	image_close(&image);
}

static void d18_needs_a_chain_that_waits_for_certain(void **state)
{
	struct image image;

	(void)state;
	/* The rest of a used request, or a request that waits: a guess. */
	image_open(&image, IMAGE_PACKED | IMAGE_VERSION_1, 8);
	image_describe_packed(&image, 0, 0, 0, true, true);
	image_describe_packed(&image, 1, 5, 0, true, false);
	image.packed[1].addr = htole64(8);
	image_expect(&image, V(D13), 2, V(D4), V(D1));
	image_close(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(d9_the_sides_see_different_memory),
	    cmocka_unit_test(d11_the_indexes_are_impossible),
	    cmocka_unit_test(d12_the_inflight_area_and_the_ring_disagree),
	    cmocka_unit_test(d17_the_used_ring_began_again_at_0),
	    cmocka_unit_test(d18_a_chain_is_broken),
	    cmocka_unit_test(d18_needs_a_chain_that_waits_for_certain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
