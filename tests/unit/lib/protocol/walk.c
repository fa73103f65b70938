/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk: never past the end, and it says what is missing, cut, or left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/protocol/text.h"
#include "tests/lib/cliff.h"

#define ROOM 20000

/* Walk and return the bytes of all items of a kind; -1 without an item. */
static int64_t told(const struct vhu_layout *layout, const struct vhu_payload *payload,
		    const struct vhu_context *context, enum vhu_item_what what)
{
	struct vhu_walk walk;
	struct vhu_item item;
	int64_t size = -1;

	vhu_walk_start(&walk, layout, payload, context);
	while (vhu_walk_next(&walk, &item))
		if (item.what == what)
			size = (size < 0 ? 0 : size) + item.size;
	return size;
}

/* Walk a payload and hold each step against what a walk promises. */
static void walk_is_sound(const struct vhu_layout *layout, const struct vhu_payload *payload,
			  const struct vhu_context *context)
{
	struct vhu_walk walk;
	struct vhu_item item;
	unsigned depth = 0, steps = 0;
	char text[64];

	vhu_walk_start(&walk, layout, payload, context);
	while (vhu_walk_next(&walk, &item)) {
		assert_true(steps++ < 4 * ROOM);
		depth += item.what == VHU_ITEM_OPEN;
		if (item.what == VHU_ITEM_CLOSE)
			assert_true(depth-- > 0);
		if (item.what != VHU_ITEM_VALUE && item.what != VHU_ITEM_LEFT_OVER)
			continue;
		assert_true((uint64_t)item.offset + item.size <= payload->captured);
		assert_ptr_equal(item.bytes, payload->bytes + item.offset);
		if (item.what == VHU_ITEM_VALUE)
			vhu_value_text(&item, context, text, sizeof(text));
	}
	assert_int_equal(depth, 0);
	assert_false(vhu_walk_next(&walk, &item));
	vhu_brief_text(layout, payload, context, text, sizeof(text));
}

static void no_layout_reads_past_any_end(void **state)
{
	static const uint8_t filling[] = {0x00, 0x01, 0xff};
	const struct vhu_context context = {.device = 2};
	uint8_t *end = cliff_new(ROOM);

	(void)state;
	for (unsigned l = 0; l < VHU_LAYOUTS; l++) {
		uint32_t most = vhu_layouts[l].size + 100;

		for (unsigned f = 0; f < sizeof(filling); f++) {
			memset(end - ROOM, filling[f], ROOM);
			for (uint32_t size = 0; size <= most; size += size < 200 ? 1 : 97) {
				struct vhu_payload payload = {end - size, size, size, f == 1};

				walk_is_sound(&vhu_layouts[l], &payload, &context);
				payload.size = most + 1;
				walk_is_sound(&vhu_layouts[l], &payload, &context);
				payload.size = UINT32_MAX;
				walk_is_sound(&vhu_layouts[l], &payload, &context);
			}
		}
	}
}

static void a_short_payload_says_how_much_is_missing(void **state)
{
	const struct vhu_layout *layout = &vhu_layouts[VHU_LAYOUT_vring_addr];
	const uint8_t bytes[40] = {3};

	(void)state;
	for (uint32_t size = 0; size < 40; size++) {
		struct vhu_payload payload = {bytes, size, size, false};

		assert_int_equal(told(layout, &payload, NULL, VHU_ITEM_MISSING), 40 - size);
		assert_int_equal(told(layout, &payload, NULL, VHU_ITEM_CUT), -1);
	}
}

static void a_cut_capture_is_not_a_short_payload(void **state)
{
	const struct vhu_layout *layout = &vhu_layouts[VHU_LAYOUT_vring_addr];
	const uint8_t bytes[40] = {3};

	(void)state;
	for (uint32_t captured = 0; captured < 40; captured++) {
		struct vhu_payload payload = {bytes, captured, 40, false};

		assert_int_equal(told(layout, &payload, NULL, VHU_ITEM_CUT), 40 - captured);
		assert_int_equal(told(layout, &payload, NULL, VHU_ITEM_MISSING), -1);
	}
}

static void bytes_without_a_field_are_left_over(void **state)
{
	const uint8_t bytes[72] = {1};
	const struct vhu_payload one_region_in_room_for_two = {bytes, 72, 72, false};
	const struct vhu_payload nothing_wanted = {bytes, 3, 3, false};

	(void)state;
	assert_int_equal(told(&vhu_layouts[VHU_LAYOUT_mem_table], &one_region_in_room_for_two, NULL,
			      VHU_ITEM_LEFT_OVER),
			 32);
	assert_int_equal(
	    told(&vhu_layouts[VHU_LAYOUT_none], &nothing_wanted, NULL, VHU_ITEM_LEFT_OVER), 3);
}

static void a_count_that_lies_ends_with_the_payload(void **state)
{
	const uint8_t bytes[72] = {0xff, 0xff, 0xff, 0xff};
	const struct vhu_payload payload = {bytes, 72, 72, false};
	int64_t missing =
	    told(&vhu_layouts[VHU_LAYOUT_mem_table], &payload, NULL, VHU_ITEM_MISSING);

	(void)state;
	/* What is missing of 4 G regions does not fit 32 bits. */
	assert_int_equal(missing, UINT32_MAX);
	assert_int_equal(told(&vhu_layouts[VHU_LAYOUT_mem_table], &payload, NULL, VHU_ITEM_OPEN),
			 64);
}

static void parts_of_an_integer_are_shifted_down(void **state)
{
	const uint8_t little[8] = {1, 0, 0, 0, 0x05, 0x80, 0x06, 0x80};
	const uint8_t big[8] = {0, 0, 0, 1, 0x80, 0x06, 0x80, 0x05};
	struct vhu_payload payload = {little, 8, 8, false};
	uint64_t value;

	(void)state;
	for (int order = 0; order < 2; order++) {
		assert_true(vhu_field_read(&payload, VHU_FIELD_vring_base_packed_avail, 0, &value));
		assert_int_equal(value, 5);
		assert_true(
		    vhu_field_read(&payload, VHU_FIELD_vring_base_packed_used_wrap, 0, &value));
		assert_int_equal(value, 1);
		payload = (struct vhu_payload){big, 8, 8, true};
	}
	payload.captured = 7;
	assert_false(vhu_field_read(&payload, VHU_FIELD_vring_base_packed_used, 0, &value));
}

/* Return how many fields of the configuration space a window shows. */
static unsigned shown(uint32_t offset, uint32_t size, uint32_t device)
{
	const struct vhu_context context = {.device = device};
	uint8_t bytes[12 + 64] = {(uint8_t)offset, (uint8_t)(offset >> 8), 0, 0, (uint8_t)size};
	const struct vhu_payload payload = {bytes, 12 + size, 12 + size, false};
	struct vhu_walk walk;
	struct vhu_item item;
	unsigned fields = 0;
	bool inside = false;

	vhu_walk_start(&walk, &vhu_layouts[VHU_LAYOUT_config], &payload, &context);
	while (vhu_walk_next(&walk, &item)) {
		assert_int_not_equal(item.what, VHU_ITEM_LEFT_OVER);
		if (item.what == VHU_ITEM_OPEN || item.what == VHU_ITEM_CLOSE)
			inside = item.what == VHU_ITEM_OPEN;
		else if (inside)
			fields++;
	}
	return fields;
}

static void a_window_shows_the_configuration_fields_that_lie_in_it(void **state)
{
	(void)state;
	assert_int_equal(shown(0, 8, 2), 1);  /* capacity */
	assert_int_equal(shown(0, 12, 2), 2); /* and size_max */
	assert_int_equal(shown(4, 8, 2), 1);  /* half of capacity is no field */
	assert_int_equal(shown(0x100, 8, 2), 0);
	assert_int_equal(shown(0, 8, 0), 0); /* device not known */
}

/* Return the brief text of bytes in a layout. */
static const char *brief(enum vhu_layout_id layout, const uint8_t *bytes, uint32_t size)
{
	const struct vhu_payload payload = {bytes, size, size, false};
	static char text[256];

	vhu_brief_text(&vhu_layouts[layout], &payload, NULL, text, sizeof(text));
	return text;
}

static void brief_texts_read_like_a_sentence(void **state)
{
	const uint8_t kick[8] = {2, 1}, iotlb[32] = {[8] = 16, [24] = 3, [25] = 2};

	(void)state;
	assert_string_equal(brief(VHU_LAYOUT_vring_fd, kick, 8), "vring 2, no fd");
	assert_string_equal(brief(VHU_LAYOUT_iotlb, iotlb, 32),
			    "iova 0x0, size 0x10, user 0x0, read/write, update");
	assert_string_equal(brief(VHU_LAYOUT_vring_size, kick, 5),
			    "vring 258, 3 bytes missing, 1 bytes left over");
}

static void texts_are_cut_where_room_ends(void **state)
{
	const uint8_t bytes[8] = {2, 1};
	const struct vhu_payload payload = {bytes, 8, 8, false};
	char text[9] = "????????";

	(void)state;
	assert_int_equal(vhu_brief_text(&vhu_layouts[VHU_LAYOUT_vring_fd], &payload, NULL, text, 8),
			 strlen("vring 2, no fd"));
	assert_string_equal(text, "vring 2");
	assert_int_equal(text[8], '\0');
	assert_int_equal(vhu_brief_text(&vhu_layouts[VHU_LAYOUT_vring_fd], &payload, NULL, NULL, 0),
			 strlen("vring 2, no fd"));
}

/* Choose a layout and return its id. */
static enum vhu_layout_id chosen(enum vhu_message_id message, bool reply,
				 const struct vhu_context *context, const uint8_t *bytes,
				 uint32_t size)
{
	const struct vhu_payload payload = {bytes, size, size, false};

	return (enum vhu_layout_id)(
	    vhu_message_layout(&vhu_messages[message], reply, context, &payload) - vhu_layouts);
}

static void layouts_are_chosen_by_size_and_by_what_is_known(void **state)
{
	const struct vhu_context nothing = {0},
				 packed = {.has_features = true, .features = UINT64_C(1) << 34};
	const struct vhu_context no_xen = {.has_protocol_features = true};
	const struct vhu_context postcopy = {.postcopy = true};
	const uint8_t one[88] = {1};

	(void)state;
	assert_int_equal(chosen(VHU_MSG_SET_MEM_TABLE, false, &nothing, one, 40),
			 VHU_LAYOUT_mem_table);
	assert_int_equal(chosen(VHU_MSG_SET_MEM_TABLE, false, &nothing, one, 48),
			 VHU_LAYOUT_mem_table_xen);
	assert_int_equal(chosen(VHU_MSG_SET_MEM_TABLE, false, &no_xen, one, 48),
			 VHU_LAYOUT_mem_table);
	/* User-mode Linux sends room for two regions and says one. */
	assert_int_equal(chosen(VHU_MSG_SET_MEM_TABLE, false, &nothing, one, 72),
			 VHU_LAYOUT_mem_table);
	assert_int_equal(chosen(VHU_MSG_SET_MEM_TABLE, false, &postcopy, one, 8), VHU_LAYOUT_ack);
	assert_int_equal(chosen(VHU_MSG_SET_MEM_TABLE, false, &postcopy, one, 40),
			 VHU_LAYOUT_mem_table);
	assert_int_equal(chosen(VHU_MSG_SET_LOG_BASE, true, &nothing, one, 0), VHU_LAYOUT_none);
	assert_int_equal(chosen(VHU_MSG_SET_LOG_BASE, true, &nothing, one, 8), VHU_LAYOUT_u64);
	assert_int_equal(chosen(VHU_MSG_SET_LOG_BASE, true, &nothing, one, 16), VHU_LAYOUT_log);
	assert_int_equal(chosen(VHU_MSG_GET_VRING_BASE, true, &packed, one, 8),
			 VHU_LAYOUT_vring_base_packed);
	assert_int_equal(chosen(VHU_MSG_GET_INFLIGHT_FD, true, &nothing, one, 20),
			 VHU_LAYOUT_inflight_unpadded);
	assert_int_equal(chosen(VHU_MSG_GET_INFLIGHT_FD, true, &nothing, one, 24),
			 VHU_LAYOUT_inflight);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_layout_reads_past_any_end),
	    cmocka_unit_test(a_short_payload_says_how_much_is_missing),
	    cmocka_unit_test(a_cut_capture_is_not_a_short_payload),
	    cmocka_unit_test(bytes_without_a_field_are_left_over),
	    cmocka_unit_test(a_count_that_lies_ends_with_the_payload),
	    cmocka_unit_test(parts_of_an_integer_are_shifted_down),
	    cmocka_unit_test(a_window_shows_the_configuration_fields_that_lie_in_it),
	    cmocka_unit_test(brief_texts_read_like_a_sentence),
	    cmocka_unit_test(texts_are_cut_where_room_ends),
	    cmocka_unit_test(layouts_are_chosen_by_size_and_by_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
