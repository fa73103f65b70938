/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio part of the table, looked up as its users do, is what the kernel's headers say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/fuse.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_gpu.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_iommu.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_scsi.h>

#include "lib/protocol/protocol.h"

/* Device ids and feature bits beyond all that there are. */
#define DEVICES 128
#define BITS    128

/* Where the table has each field. */
enum {
#define VHU_FIELD(layout, id, path, label, offset, size, ...) AT_##layout##_##id = (offset),
#include "lib/protocol/protocol.def"
};

/* One of each shape that a structure can have: plain, nested, packed, in a union, an array. */
#define AT(field, record, member)                                                                  \
	_Static_assert(AT_##field == offsetof(struct record, member), #field)
AT(config_blk_capacity, virtio_blk_config, capacity);
AT(config_blk_geometry_sectors, virtio_blk_config, geometry.sectors);
AT(config_blk_max_secure_erase_seg, virtio_blk_config, max_secure_erase_seg);
AT(config_net_supported_hash_types, virtio_net_config, supported_hash_types);
AT(config_balloon_poison_val, virtio_balloon_config, poison_val);
AT(config_iommu_domain_range_end, virtio_iommu_config, domain_range.end);
AT(config_fs_num_request_queues, virtio_fs_config, num_request_queues);
AT(request_blk_sector, virtio_blk_outhdr, sector);
AT(request_net_num_buffers, virtio_net_hdr_v1, num_buffers);
AT(request_scsi_cdb, virtio_scsi_cmd_req, cdb);
AT(request_fs_opcode, fuse_in_header, opcode);
AT(gpu_display_one_enabled, virtio_gpu_display_one, enabled);
AT(gpu_display_info_pmodes, virtio_gpu_resp_display_info, pmodes);
AT(gpu_edid_edid, virtio_gpu_resp_edid, edid);

/* Check that a layout's fields follow one another without overlap and end within it. */
static void check_order(const struct vhu_layout *layout)
{
	uint32_t end = 0;
	unsigned i;

	assert_true(layout->fields > 0);
	for (i = 0; i < layout->fields; i++) {
		const struct vhu_field *field = &vhu_fields[layout->first + i];

		assert_true(field->offset >= end);
		end = field->offset + (field->kind == VHU_ARRAY ? 0 : field->size);
		assert_true(end <= layout->size);
	}
}

static void fields_lie_in_order_within_their_layout(void **state)
{
	unsigned found = 0;
	uint32_t device;

	(void)state;
	for (device = 0; device < DEVICES; device++) {
		if (!vhu_config_layout(device))
			continue;
		found++;
		assert_non_null(vhu_device_name(device));
		check_order(vhu_config_layout(device));
	}
	assert_true(found > 10);
	check_order(&vhu_layouts[VHU_LAYOUT_gpu_display_one]);
	check_order(&vhu_layouts[VHU_LAYOUT_gpu_display_info]);
	check_order(&vhu_layouts[VHU_LAYOUT_gpu_edid]);
}

static void a_device_has_its_name_and_configuration_space(void **state)
{
	(void)state;
	assert_string_equal(vhu_device_name(VIRTIO_ID_BLOCK), "BLOCK");
	assert_string_equal(vhu_device_name(VIRTIO_ID_SOUND), "SOUND");
	assert_null(vhu_device_name(0));
	assert_string_equal(vhu_config_layout(VIRTIO_ID_BLOCK)->id, "config_blk");
	assert_string_equal(vhu_config_layout(VIRTIO_ID_SOUND)->id, "config_snd");
	assert_null(vhu_config_layout(VIRTIO_ID_RNG));
}

static void a_device_has_the_header_of_its_requests(void **state)
{
	unsigned found = 0;

	(void)state;
	for (uint32_t device = 0; device < DEVICES; device++) {
		if (!vhu_request_layout(device))
			continue;
		found++;
		check_order(vhu_request_layout(device));
	}
	assert_int_equal(found, 4);
	assert_string_equal(vhu_request_layout(VIRTIO_ID_BLOCK)->id, "request_blk");
	assert_string_equal(vhu_name_find(VHU_NAMES_blk_request, VIRTIO_BLK_T_FLUSH, NULL)->name,
			    "FLUSH");
	assert_string_equal(vhu_name_find(VHU_NAMES_fuse_request, FUSE_READ, NULL)->name, "READ");
	assert_null(vhu_request_layout(VIRTIO_ID_RNG));
}

/* Return a feature bit's name for a device. */
static const struct vhu_name *feature(uint32_t device, unsigned bit)
{
	const struct vhu_context context = {.device = device};
	const struct vhu_name *name = vhu_name_find(VHU_NAMES_virtio_features, bit, &context);

	assert_non_null(name);
	return name;
}

static void a_feature_bit_is_named_for_its_device(void **state)
{
	(void)state;
	assert_string_equal(feature(VIRTIO_ID_BLOCK, VIRTIO_BLK_F_MQ)->name, "MQ");
	assert_string_equal(feature(VIRTIO_ID_NET, VIRTIO_NET_F_MAC)->name, "MAC");
	assert_string_equal(feature(VIRTIO_ID_BLOCK, VIRTIO_NET_F_MAC)->name, "RO");
	assert_string_equal(feature(VIRTIO_ID_NET, VIRTIO_RING_F_EVENT_IDX)->name,
			    "RING_EVENT_IDX");
	assert_string_equal(feature(0, VIRTIO_F_VERSION_1)->name, "VERSION_1");
	assert_null(vhu_name_find(VHU_NAMES_virtio_features, VIRTIO_BLK_F_MQ, NULL));
}

static void a_bit_with_two_names_has_the_newer_one(void **state)
{
	(void)state;
	assert_string_equal(feature(0, VIRTIO_F_ACCESS_PLATFORM)->name, "ACCESS_PLATFORM");
	assert_string_equal(feature(0, VIRTIO_F_ACCESS_PLATFORM)->older, "IOMMU_PLATFORM");
	assert_string_equal(feature(VIRTIO_ID_BLOCK, VIRTIO_BLK_F_FLUSH)->name, "FLUSH");
	assert_string_equal(feature(VIRTIO_ID_BLOCK, VIRTIO_BLK_F_FLUSH)->older, "WCE");
}

/* How many rows name a bit of a device, or a device. */
static unsigned bit_rows[DEVICES][BITS], device_rows[DEVICES];

static void no_bit_and_no_device_has_two_rows(void **state)
{
	unsigned device, bit;

	(void)state;
#define VHU_NAME(set, value, name, older, dialect, device_)                                        \
	if (VHU_NAMES_##set == VHU_NAMES_virtio_features)                                          \
		bit_rows[device_][value]++;
#define VHU_DEVICE(id, name) device_rows[id]++;
#include "lib/protocol/protocol.def"
	for (device = 0; device < DEVICES; device++) {
		assert_true(device_rows[device] <= 1);
		for (bit = 0; bit < BITS; bit++)
			assert_true(bit_rows[device][bit] + (device ? bit_rows[0][bit] : 0) <= 1);
	}
	assert_int_equal(bit_rows[VIRTIO_ID_BLOCK][VIRTIO_BLK_F_MQ], 1);
	assert_int_equal(device_rows[VIRTIO_ID_BLOCK], 1);
}

static void a_status_bit_is_a_number_not_a_mask(void **state)
{
	const struct vhu_name *name;

	(void)state;
	name = vhu_name_find(VHU_NAMES_virtio_status, 6, NULL);
	assert_non_null(name);
	assert_string_equal(name->name, "NEEDS_RESET");
	assert_int_equal(1 << name->value, VIRTIO_CONFIG_S_NEEDS_RESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_lie_in_order_within_their_layout),
	    cmocka_unit_test(a_device_has_its_name_and_configuration_space),
	    cmocka_unit_test(a_device_has_the_header_of_its_requests),
	    cmocka_unit_test(a_feature_bit_is_named_for_its_device),
	    cmocka_unit_test(a_bit_with_two_names_has_the_newer_one),
	    cmocka_unit_test(no_bit_and_no_device_has_two_rows),
	    cmocka_unit_test(a_status_bit_is_a_number_not_a_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
