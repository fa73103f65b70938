/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of descriptors, sound and broken, the in-flight area, and the headers of requests. */
#include <endian.h>
#include <errno.h>
#include <linux/fuse.h>
#include <linux/virtio_net.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ring/verdict/show.h"
#include "tests/unit/lib/ring/image.h"

#define BUFFER IMAGE_BUFFERS_GUEST
#define NEXT   VRING_DESC_F_NEXT
#define WRITE  VRING_DESC_F_WRITE

/* Read the chain of a head of a split ring. */
static struct vhu_ring_chain read_split(struct image *image, uint16_t head)
{
	static struct vhu_ring_chain chain;
	struct vhu_ring_snapshot ring;

	assert_int_equal(vhu_ring_snapshot_read(&image->place, &ring), 0);
	vhu_ring_chain_split(&image->memory, &ring, head, &chain);
	vhu_ring_snapshot_free(&ring);
	return chain;
}

static void a_chain_is_listed(void **state)
{
	struct vhu_ring_chain chain;
	struct image image;
	char text[VHU_RING_SHOW_TEXT];

	(void)state;
	image_open(&image, 0, 16);
	image_offer(&image, 5);
	chain = read_split(&image, 5);
	assert_int_equal(chain.fault, VHU_RING_FAULT_NONE);
	assert_int_equal(chain.descriptors, 3);
	assert_int_equal(chain.buffers, 3);
	assert_int_equal(chain.readable, 16);
	assert_int_equal(chain.writable, 513);
	vhu_ring_chain_text(&chain, false, true, text, sizeof(text));
	assert_string_equal(text, "head 5, in flight, 3 buffers: 0x100001400 16 (NEXT), "
				  "0x100001500 512 (NEXT, WRITE), 0x100001700 1 (WRITE)");
	image_close(&image);
}

static void a_broken_chain_is_named(void **state)
{
	static const struct {
		struct vring_desc desc[2];
		enum vhu_ring_fault fault;
		uint32_t row;
	} row[] = {
	    /* In a loop, of one and of two. */
	    {{{BUFFER, 1, NEXT, 0}}, VHU_RING_FAULT_LOOP, 0},
	    {{{BUFFER, 1, NEXT, 1}, {BUFFER, 1, NEXT, 0}}, VHU_RING_FAULT_LOOP, 0},
	    /* Out of the table. */
	    {{{BUFFER, 1, NEXT, 16}}, VHU_RING_FAULT_OUTSIDE_TABLE, 16},
	    {{{BUFFER, 1, NEXT, 65535}}, VHU_RING_FAULT_OUTSIDE_TABLE, 65535},
	    /* Outside memory: before, across the end, in between, around 2^64. */
	    {{{BUFFER, 1, NEXT, 1}, {BUFFER - 1, 1, 0, 0}}, VHU_RING_FAULT_UNMAPPED, 1},
	    {{{BUFFER + IMAGE_REGION - 8, 9, WRITE, 0}}, VHU_RING_FAULT_UNMAPPED, 0},
	    {{{UINT64_MAX, 16, 0, 0}}, VHU_RING_FAULT_UNMAPPED, 0},
	    /* Tables of no rows, of half a row, that go on, that are not there. */
	    {{{BUFFER, 0, VRING_DESC_F_INDIRECT, 0}}, VHU_RING_FAULT_INDIRECT, 0},
	    {{{BUFFER, 24, VRING_DESC_F_INDIRECT, 0}}, VHU_RING_FAULT_INDIRECT, 0},
	    {{{BUFFER, 0xfffffff0, VRING_DESC_F_INDIRECT, 0}}, VHU_RING_FAULT_INDIRECT, 0},
	    {{{BUFFER, 16, VRING_DESC_F_INDIRECT | NEXT, 1}}, VHU_RING_FAULT_INDIRECT, 0},
	    {{{BUFFER - 16, 32, VRING_DESC_F_INDIRECT, 0}}, VHU_RING_FAULT_UNMAPPED, 0},
	    /* Near to each of these, and sound. */
	    {{{BUFFER, 1, NEXT, 1}, {BUFFER, 1, 0, 0}}, VHU_RING_FAULT_NONE, 0},
	    {{{BUFFER, 1, NEXT, 15}}, VHU_RING_FAULT_NONE, 0},
	    {{{BUFFER + IMAGE_REGION - 8, 8, WRITE, 0}}, VHU_RING_FAULT_NONE, 0},
	    {{{BUFFER, 16, VRING_DESC_F_INDIRECT, 0}}, VHU_RING_FAULT_NONE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct vhu_ring_chain chain;
		struct image image;

		image_open(&image, 0, 16);
		image_describe(&image, 0, row[i].desc[0]);
		image_describe(&image, 1, row[i].desc[1]);
		chain = read_split(&image, 0);
		assert_int_equal(chain.fault, row[i].fault);
		assert_int_equal(chain.fault_row, row[i].row);
		assert_true(chain.descriptors <= 16);
		image_close(&image);
	}
}

static void an_indirect_table_is_listed_and_its_faults_are_named(void **state)
{
	struct vring_desc *table;
	struct vhu_ring_chain chain;
	struct image image;

	(void)state;
	image_open(&image, 0, 16);
	image_describe(&image, 3,
		       (struct vring_desc){BUFFER + 0x1000, 3 * 16, VRING_DESC_F_INDIRECT, 0});
	table = (struct vring_desc *)(image.buffers + 0x1000);
	table[0] = (struct vring_desc){htole64(BUFFER), htole32(16), htole16(NEXT), htole16(2)};
	table[2] = (struct vring_desc){htole64(BUFFER + 64), htole32(8), htole16(WRITE), 0};
	chain = read_split(&image, 3);
	assert_int_equal(chain.fault, VHU_RING_FAULT_NONE);
	assert_int_equal(chain.descriptors, 1);
	assert_int_equal(chain.buffers, 2);
	assert_true(chain.buffer[1].indirect);
	table[0].next = htole16(3);
	assert_int_equal(read_split(&image, 3).fault, VHU_RING_FAULT_OUTSIDE_TABLE);
	table[0].next = htole16(0);
	assert_int_equal(read_split(&image, 3).fault, VHU_RING_FAULT_LOOP);
	table[0].flags = htole16(VRING_DESC_F_INDIRECT);
	assert_int_equal(read_split(&image, 3).fault, VHU_RING_FAULT_INDIRECT);
	image_close(&image);
}

static void an_iova_without_a_translation_is_no_fault(void **state)
{
	struct vhu_ring_translation translation = {0x1000, IMAGE_RINGS_USER, IMAGE_REGION};
	struct vhu_ring_chain chain;
	struct image image;

	(void)state;
	image_open(&image, UINT64_C(1) << 33, 16);
	image.memory.translation = &translation;
	image.memory.translations = 1;
	image.place.descriptor = 0x1000;
	image.place.available = 0x1000 + 0x3000;
	image.place.used = 0x1000 + 0x5000;
	image_describe(&image, 0, (struct vring_desc){0xabc000, 8, NEXT, 1});
	image_describe(&image, 1, (struct vring_desc){0x1000, 8, 0, 0});
	chain = read_split(&image, 0);
	assert_int_equal(chain.fault, VHU_RING_FAULT_NONE);
	assert_false(chain.buffer[0].mapped);
	assert_true(chain.buffer[0].untranslated);
	assert_true(chain.buffer[1].mapped);
	assert_false(chain.buffer[1].untranslated);
	image_close(&image);
}

static void requests_are_gone_through_oldest_first(void **state)
{
	static const struct {
		uint16_t head;
		bool taken;
	} expected[] = {{6, true}, {0, true}, {9, false}};
	struct vhu_ring_snapshot ring;
	struct vhu_ring_chain chain;
	uint32_t cursor = 0;
	struct image image;
	bool taken;

	(void)state;
	image_open(&image, 0, 16);
	image_add_inflight(&image);
	image_offer(&image, 6);
	image_offer(&image, 0);
	image_offer(&image, 9);
	image_take(&image, 0, 8);
	image_take(&image, 6, 7);
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), 0);
	assert_int_equal(ring.inflight.count, 2);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(vhu_ring_chain_next(&image.memory, &ring, &cursor, &chain, &taken));
		assert_int_equal(chain.head, expected[i].head);
		assert_int_equal(taken, expected[i].taken);
	}
	assert_false(vhu_ring_chain_next(&image.memory, &ring, &cursor, &chain, &taken));
	vhu_ring_snapshot_free(&ring);
	image_close(&image);
}

static void a_packed_chain_ends_before_what_is_not_available(void **state)
{
	struct vhu_ring_snapshot ring;
	struct vhu_ring_chain chain;
	struct image image;

	(void)state;
	image_open(&image, IMAGE_PACKED, 8);
	image_describe_packed(&image, 0, 3, NEXT, true, false);
	image_describe_packed(&image, 1, 4, 0, true, false);
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), 0);
	vhu_ring_chain_packed(&image.memory, &ring, ring.used, &chain);
	assert_int_equal(chain.fault, VHU_RING_FAULT_NONE);
	assert_int_equal(chain.descriptors, 2);
	assert_int_equal(chain.id, 4);
	vhu_ring_snapshot_free(&ring);
	image_describe_packed(&image, 1, 4, NEXT, true, false);
	assert_int_equal(vhu_ring_snapshot_read(&image.place, &ring), 0);
	vhu_ring_chain_packed(&image.memory, &ring, ring.used, &chain);
	assert_int_equal(chain.fault, VHU_RING_FAULT_OUTSIDE_TABLE);
	vhu_ring_snapshot_free(&ring);
	image_close(&image);
}

static void a_region_of_another_layout_is_not_believed(void **state)
{
	struct vhu_ring_inflight inflight;
	struct image image;

	(void)state;
	image_open(&image, 0, 16);
	image_add_inflight(&image);
	/* A part has to hold the ring; one that the back-end has not begun is not known. */
	image.place.inflight.size = 16 + 16 * 16 - 1;
	assert_int_equal(vhu_ring_inflight_read(&image.place.inflight, false, 16, &inflight),
			 -EINVAL);
	image.place.inflight.size = 16 + 16 * 16;
	assert_int_equal(vhu_ring_inflight_read(&image.place.inflight, false, 16, &inflight), 0);
	assert_true(inflight.known);
	vhu_ring_inflight_free(&inflight);
	image.inflight[8] = 0;
	image_take(&image, 2, 1);
	assert_int_equal(vhu_ring_inflight_read(&image.place.inflight, false, 16, &inflight), 0);
	assert_false(inflight.known);
	assert_int_equal(inflight.count, 0);
	vhu_ring_inflight_free(&inflight);
	image_close(&image);
}

static void a_vring_has_its_part_of_the_inflight_area(void **state)
{
	struct vhu_ring_memory memory = {0};
	struct vhu_ring_inflight_place place;

	(void)state;
	/* As libvhost-user makes it: two vrings of 64, a part is 16 + 1024 rounded up to 1088. */
	place = vhu_ring_inflight_place(&memory, 4096, 2 * 1088, 2, 1);
	assert_ptr_equal(place.memory, &memory);
	assert_int_equal(place.at, 4096 + 1088);
	assert_int_equal(place.size, 1088);
	assert_null(vhu_ring_inflight_place(&memory, 0, 2 * 1088, 2, 2).memory);
	assert_null(vhu_ring_inflight_place(&memory, 0, 2 * 1088, 0, 0).memory);
	assert_null(vhu_ring_inflight_place(&memory, 0, 100, 2, 0).memory);
}

/* Write the header of the request of head 0 as text; returns what reading it returned. */
static int header_text(struct image *image, unsigned vring, char *text, size_t size)
{
	struct vhu_ring_request request;
	struct vhu_ring_snapshot ring;
	struct vhu_ring_chain chain;
	int error;

	assert_int_equal(vhu_ring_snapshot_read(&image->place, &ring), 0);
	vhu_ring_chain_split(&image->memory, &ring, 0, &chain);
	error =
	    vhu_ring_request_read(&image->memory, &ring, &chain, &image->context, vring, &request);
	if (!error)
		vhu_ring_request_text(&request, &image->context, text, size);
	vhu_ring_snapshot_free(&ring);
	return error;
}

static void the_header_of_a_block_request_is_decoded(void **state)
{
	struct image image;
	char text[256];

	(void)state;
	image_open(&image, IMAGE_VERSION_1, 16);
	image_offer(&image, 0);
	assert_int_equal(header_text(&image, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "virtio-blk request: type IN (0), ioprio 0, sector 2048");
	/* Cut by the driver: type and priority in one buffer, the sector in the next. */
	image_describe(&image, 0, (struct vring_desc){BUFFER, 8, NEXT, 1});
	image_describe(&image, 1, (struct vring_desc){BUFFER + 8, 8, 0, 0});
	assert_int_equal(header_text(&image, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "virtio-blk request: type IN (0), ioprio 0, sector 2048");
	/* Too short, and none. */
	image_describe(&image, 0, (struct vring_desc){BUFFER, 8, 0, 0});
	assert_int_equal(header_text(&image, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "virtio-blk request: type IN (0), ioprio 0");
	image_describe(&image, 0, (struct vring_desc){BUFFER, 8, WRITE, 0});
	assert_int_equal(header_text(&image, 0, text, sizeof(text)), -ENOENT);
	image_describe(&image, 0, (struct vring_desc){BUFFER - 64, 16, 0, 0});
	assert_int_equal(header_text(&image, 0, text, sizeof(text)), -EFAULT);
	image_close(&image);
}

static void a_network_header_ends_before_the_packet(void **state)
{
	struct image image;
	char text[256];

	(void)state;
	image_open(&image, IMAGE_VERSION_1, 16);
	image.context.device = IMAGE_NET;
	memset(image.buffers, 0x11, 64);
	image_describe(&image, 0, (struct vring_desc){BUFFER, 64, 0, 0});
	assert_int_equal(header_text(&image, 1, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "num_buffers 4369"));
	/* Without VERSION_1 and MRG_RXBUF there is no such field: these bytes are the packet's. */
	image.context.features = 0;
	assert_int_equal(header_text(&image, 1, text, sizeof(text)), 0);
	assert_null(strstr(text, "num_buffers"));
	image.context.features = UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF;
	assert_int_equal(header_text(&image, 1, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "num_buffers"));
	image_close(&image);
}

static void fuse_and_scsi_headers_are_decoded(void **state)
{
	const struct fuse_in_header fuse = {.len = 56, .opcode = FUSE_LOOKUP, .nodeid = 7};
	struct image image;
	char text[512];

	(void)state;
	image_open(&image, IMAGE_VERSION_1, 16);
	image.context.device = 26;
	memcpy(image.buffers, &fuse, sizeof(fuse));
	image_describe(&image, 0, (struct vring_desc){BUFFER, 64, 0, 0});
	assert_int_equal(header_text(&image, 1, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "opcode LOOKUP (0x1)"));
	assert_non_null(strstr(text, "nodeid 7"));
	image.context.device = 8;
	image.buffers[19] = 0x28;
	assert_int_equal(header_text(&image, 2, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "cdb 28000000"));
	/* The control queue carries something else; of other devices nothing is known. */
	assert_int_equal(header_text(&image, 0, text, sizeof(text)), -ENOENT);
	image.context.device = 4;
	assert_int_equal(header_text(&image, 0, text, sizeof(text)), -ENOENT);
	image_close(&image);
}

static void a_vring_has_the_role_that_its_device_gives_it(void **state)
{
	(void)state;
	assert_int_equal(vhu_ring_role(0, 0, 0), VHU_RING_ROLE_UNKNOWN);
	assert_int_equal(vhu_ring_role(IMAGE_NET, 0, 0), VHU_RING_INPUT);
	assert_int_equal(vhu_ring_role(IMAGE_NET, 0, 1), VHU_RING_REQUESTS);
	assert_int_equal(vhu_ring_role(IMAGE_NET, UINT64_C(1) << VIRTIO_NET_F_CTRL_VQ, 2),
			 VHU_RING_REQUESTS);
	assert_int_equal(vhu_ring_role(IMAGE_BLOCK, 0, 0), VHU_RING_REQUESTS);
	assert_int_equal(vhu_ring_role(19, 0, 0), VHU_RING_INPUT);
	assert_int_equal(vhu_ring_role(19, 0, 1), VHU_RING_REQUESTS);
	assert_int_equal(vhu_ring_role(8, 0, 1), VHU_RING_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_chain_is_listed),
	    cmocka_unit_test(a_broken_chain_is_named),
	    cmocka_unit_test(an_indirect_table_is_listed_and_its_faults_are_named),
	    cmocka_unit_test(an_iova_without_a_translation_is_no_fault),
	    cmocka_unit_test(requests_are_gone_through_oldest_first),
	    cmocka_unit_test(a_packed_chain_ends_before_what_is_not_available),
	    cmocka_unit_test(a_region_of_another_layout_is_not_believed),
	    cmocka_unit_test(a_vring_has_its_part_of_the_inflight_area),
	    cmocka_unit_test(the_header_of_a_block_request_is_decoded),
	    cmocka_unit_test(a_network_header_ends_before_the_packet),
	    cmocka_unit_test(fuse_and_scsi_headers_are_decoded),
	    cmocka_unit_test(a_vring_has_the_role_that_its_device_gives_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
