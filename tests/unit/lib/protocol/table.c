/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table: its rows hold together, and the look-ups find them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <linux/virtio_config.h>
#include <linux/virtio_crypto.h>

#include "lib/protocol/field.h"

_Static_assert(VHU_F_ACCESS_PLATFORM == VIRTIO_F_ACCESS_PLATFORM, "differs from the kernel's");
_Static_assert(VHU_F_RING_PACKED == VIRTIO_F_RING_PACKED, "differs from the kernel's");
_Static_assert(VHU_F_RING_RESET == VIRTIO_F_RING_RESET, "differs from the kernel's");
_Static_assert(VHU_CRYPTO_SERVICE_AKCIPHER == VIRTIO_CRYPTO_SERVICE_AKCIPHER,
	       "differs from the kernel's");

static void fields_lie_within_their_layouts(void **state)
{
	(void)state;
	for (unsigned l = 0; l < VHU_LAYOUTS; l++) {
		const struct vhu_layout *layout = &vhu_layouts[l];

		for (unsigned f = layout->first; f < layout->first + layout->fields; f++) {
			const struct vhu_field *field = &vhu_fields[f];
			bool repeats = field->kind == VHU_ARRAY || field->size == 0;

			assert_true(field->offset + (repeats ? 0 : field->size) <= layout->size);
			if (field->kind == VHU_UINT || field->kind == VHU_INT ||
			    field->kind == VHU_LE)
				assert_true(field->size == 1 || field->size == 2 ||
					    field->size == 4 || field->size == 8);
			if (field->kind == VHU_ARRAY)
				assert_int_equal(vhu_layouts[field->layout].size, field->size);
		}
	}
}

static void every_set_of_shapes_ends_with_one_that_always_fits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VHU_SHAPE_SETS; i++) {
		assert_true(vhu_shapes[i].shapes > 0);
		assert_int_equal(vhu_shapes[i].shape[vhu_shapes[i].shapes - 1].when, VHU_ALWAYS);
	}
}

static void every_message_is_found_by_number_and_by_name(void **state)
{
	const struct vhu_message *row[VHU_DIALECTS];

	(void)state;
	for (unsigned i = 0; i < VHU_MESSAGES; i++) {
		const struct vhu_message *message = &vhu_messages[i];
		char name[128];

		assert_int_equal(message->id, i);
		assert_int_equal(
		    vhu_message_find(message->channel, message->request,
				     message->dialect == VHU_ANY ? VHU_UPSTREAM : message->dialect,
				     row),
		    1);
		assert_ptr_equal(row[0], message);
		assert_ptr_equal(vhu_message_by_name(message->name), message);
		snprintf(name, sizeof(name), "vhost_user_%s", message->name);
		assert_ptr_equal(vhu_message_by_name(name), message);
	}
}

static void older_names_find_the_same_message(void **state)
{
	(void)state;
	assert_ptr_equal(vhu_message_by_name("SET_SLAVE_REQ_FD"),
			 &vhu_messages[VHU_MSG_SET_BACKEND_REQ_FD]);
	assert_null(vhu_message_by_name("SLAVE"));
	assert_null(vhu_message_by_name(""));
}

static void an_id_means_something_else_in_each_dialect(void **state)
{
	const struct vhu_message *row[VHU_DIALECTS];

	(void)state;
	assert_int_equal(vhu_message_find(VHU_FRONT_END, 41, VHU_ANY, row), 3);
	assert_int_equal(vhu_message_find(VHU_FRONT_END, 41, VHU_STANDALONE, row), 1);
	assert_string_equal(row[0]->name, "GET_BACKEND_SPECS");
	assert_int_equal(vhu_message_find(VHU_FRONT_END, 42, VHU_STANDALONE, row), 0);
	assert_int_equal(vhu_message_find(VHU_FRONT_END, 1000, VHU_ANY, row), 0);
	assert_int_equal(vhu_message_find((enum vhu_channel)9, 1, VHU_ANY, row), 0);
}

static void dax_overrules_ids_and_else_is_upstream(void **state)
{
	const struct vhu_message *row[VHU_DIALECTS];

	(void)state;
	assert_int_equal(vhu_message_find(VHU_BACK_END, 8, VHU_ANY, row), 2);
	assert_int_equal(vhu_message_find(VHU_BACK_END, 8, VHU_DAX, row), 1);
	assert_string_equal(row[0]->name, "BACKEND_FS_SYNC");
	assert_int_equal(vhu_message_find(VHU_BACK_END, 8, VHU_STANDALONE, row), 1);
	assert_string_equal(row[0]->name, "BACKEND_SHARED_OBJECT_LOOKUP");
	assert_int_equal(vhu_message_find(VHU_BACK_END, 10, VHU_DAX, row), 1);
	assert_string_equal(row[0]->name, "BACKEND_SHMEM_UNMAP");
	assert_int_equal(vhu_message_find(VHU_FRONT_END, 42, VHU_DAX, row), 1);
	assert_string_equal(row[0]->name, "SET_DEVICE_STATE_FD");
	assert_int_equal(vhu_message_find(VHU_BACK_END, 1006, VHU_DAX, row), 1);
	assert_int_equal(vhu_message_find(VHU_BACK_END, 1008, VHU_ANY, row), 0);
	assert_string_equal(vhu_name_find(VHU_NAMES_protocol_features, 18,
					  &(struct vhu_context){.dialect = VHU_DAX})
				->name,
			    "SHARED_OBJECT");
}

static void two_messages_open_channels(void **state)
{
	(void)state;
	assert_int_equal(vhu_message_opens(VHU_FRONT_END, 21), VHU_BACK_END);
	assert_int_equal(vhu_message_opens(VHU_FRONT_END, 33), VHU_GPU);
	assert_int_equal(vhu_message_opens(VHU_FRONT_END, 12), VHU_FRONT_END);
	assert_int_equal(vhu_message_opens(VHU_BACK_END, 21), VHU_FRONT_END);
	assert_int_equal(vhu_message_opens(VHU_FRONT_END, UINT32_MAX), VHU_FRONT_END);
}

static void messages_tell_what_they_do_to_eventfds(void **state)
{
	(void)state;
	assert_int_equal(vhu_message_brings(VHU_FRONT_END, 12), VHU_KICK);
	assert_int_equal(vhu_message_brings(VHU_FRONT_END, 13), VHU_CALL);
	assert_int_equal(vhu_message_brings(VHU_FRONT_END, 14), VHU_ERR);
	assert_int_equal(vhu_message_brings(VHU_FRONT_END, 11), VHU_VRING_ROLES);
	assert_int_equal(vhu_message_brings(VHU_FRONT_END, 1), VHU_VRING_ROLES);
	assert_int_equal(vhu_message_brings(VHU_FRONT_END, 41), VHU_VRING_ROLES);
	assert_int_equal(vhu_message_brings(VHU_BACK_END, 12), VHU_VRING_ROLES);
	assert_int_equal(vhu_message_brings(VHU_FRONT_END, UINT32_MAX), VHU_VRING_ROLES);
	assert_true(vhu_message_stops(VHU_FRONT_END, 11));
	assert_true(vhu_message_stops(VHU_FRONT_END, 45));
	assert_false(vhu_message_stops(VHU_FRONT_END, 12));
	assert_false(vhu_message_stops(VHU_FRONT_END, 1));
	assert_false(vhu_message_stops(VHU_FRONT_END, 41));
	assert_false(vhu_message_stops(VHU_BACK_END, 11));
	assert_false(vhu_message_stops(VHU_FRONT_END, UINT32_MAX));
}

/* Return whether byte @at of a payload of @size is masked. */
static bool is_masked(uint32_t size, uint32_t at)
{
	struct vhu_secret secret[VHU_SECRETS_MAX];
	unsigned secrets = vhu_message_secrets(VHU_FRONT_END, 26, size, secret);

	for (unsigned i = 0; i < secrets; i++) {
		assert_true(secret[i].offset + secret[i].size <= size);
		if (at >= secret[i].offset && at < secret[i].offset + secret[i].size)
			return true;
	}
	return false;
}

static void keys_are_masked_in_every_layout_of_a_crypto_session(void **state)
{
	struct vhu_secret secret[VHU_SECRETS_MAX];

	(void)state;
	for (uint32_t at = 56; at < 632; at++)
		assert_true(is_masked(632, at));
	for (uint32_t at = 40; at < 1064; at++)
		assert_true(is_masked(1072, at));
	/* One cut in the middle of its key, and the session ids. */
	assert_true(is_masked(60, 59));
	assert_false(is_masked(1072, 1064));
	assert_false(is_masked(632, 0));
	assert_int_equal(vhu_message_secrets(VHU_FRONT_END, 24, 1000, secret), 0);
	assert_int_equal(vhu_message_secrets(VHU_FRONT_END, 26, 0, secret), 0);
}

static void names_depend_on_device_and_dialect(void **state)
{
	struct vhu_context block = {.device = 2}, net = {.device = 1};
	struct vhu_context standalone = {.dialect = VHU_STANDALONE};

	(void)state;
	assert_string_equal(vhu_name_find(VHU_NAMES_virtio_features, 6, &block)->name, "BLK_SIZE");
	assert_string_not_equal(vhu_name_find(VHU_NAMES_virtio_features, 6, &net)->name,
				"BLK_SIZE");
	assert_null(vhu_name_find(VHU_NAMES_virtio_features, 6, NULL));
	assert_string_equal(vhu_name_find(VHU_NAMES_virtio_features, 30, NULL)->name,
			    "PROTOCOL_FEATURES");
	assert_string_equal(vhu_name_find(VHU_NAMES_protocol_features, 18, NULL)->name,
			    "SHARED_OBJECT");
	assert_string_equal(vhu_name_find(VHU_NAMES_protocol_features, 18, &standalone)->name,
			    "STANDALONE");
	assert_string_equal(vhu_device_name(2), "BLOCK");
	assert_null(vhu_device_name(0));
}

static void features_tell_what_they_depend_on(void **state)
{
	(void)state;
	assert_int_equal(vhu_protocol_feature_depends(14, VHU_ANY), 1 << 5 | 1 << 3);
	assert_int_equal(vhu_protocol_feature_depends(18, VHU_STANDALONE), 1 << 16);
	assert_int_equal(vhu_protocol_feature_depends(18, VHU_UPSTREAM), 0);
}

static void headers_read_as_they_were_written(void **state)
{
	const struct vhu_header header = {41, VHU_FLAGS_VERSION | VHU_FLAG_REPLY, 16};

	(void)state;
	for (int big = 0; big < 2; big++) {
		uint8_t bytes[VHU_HEADER_SIZE];
		struct vhu_header read;

		vhu_header_write(bytes, header, big);
		assert_int_equal(bytes[big ? 3 : 0], 41);
		read = vhu_header_read(bytes, big);
		assert_memory_equal(&read, &header, sizeof(header));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_lie_within_their_layouts),
	    cmocka_unit_test(every_set_of_shapes_ends_with_one_that_always_fits),
	    cmocka_unit_test(every_message_is_found_by_number_and_by_name),
	    cmocka_unit_test(older_names_find_the_same_message),
	    cmocka_unit_test(an_id_means_something_else_in_each_dialect),
	    cmocka_unit_test(dax_overrules_ids_and_else_is_upstream),
	    cmocka_unit_test(two_messages_open_channels),
	    cmocka_unit_test(messages_tell_what_they_do_to_eventfds),
	    cmocka_unit_test(keys_are_masked_in_every_layout_of_a_crypto_session),
	    cmocka_unit_test(names_depend_on_device_and_dialect),
	    cmocka_unit_test(features_tell_what_they_depend_on),
	    cmocka_unit_test(headers_read_as_they_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
