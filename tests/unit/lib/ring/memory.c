/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of guest memory, and what is not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/ring/memory.h"

#define PAGE 4096

/* Two regions that touch in the guest and lie apart in the front-end and in the file. */
struct fixture {
	int fd;
	uint8_t *bytes;
	struct vhu_ring_region region[2];
	struct vhu_ring_translation translation[2];
	struct vhu_ring_memory memory;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.fd = memfd_create("memory", MFD_CLOEXEC)};
	if (fixture.fd < 0 || ftruncate(fixture.fd, 4 * PAGE))
		return -1;
	fixture.bytes = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fixture.fd, 0);
	for (unsigned i = 0; i < 4 * PAGE; i++)
		fixture.bytes[i] = (uint8_t)(i / PAGE * 64 + i % 61);
	fixture.region[0] = (struct vhu_ring_region){
	    0x1000, 0x7000000, PAGE, 3 * PAGE, fixture.fd, fixture.bytes + 3 * PAGE, PAGE};
	fixture.region[1] = (struct vhu_ring_region){0x2000,     0x9000000,     2 * PAGE, 0,
						     fixture.fd, fixture.bytes, 2 * PAGE};
	fixture.translation[0] = (struct vhu_ring_translation){0x500000, 0x7000000, PAGE};
	fixture.translation[1] = (struct vhu_ring_translation){0x501000, 0x9000000, PAGE};
	fixture.memory =
	    (struct vhu_ring_memory){vhu_ring_read_file, fixture.region, 2, fixture.translation, 2};
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	munmap(fixture->bytes, 4 * PAGE);
	close(fixture->fd);
	return 0;
}

/* Both readers, in turn. */
static vhu_ring_read *const readers[] = {vhu_ring_read_file, vhu_ring_read_mapping};

static void a_range_crosses_from_a_region_into_the_next(void **state)
{
	struct fixture *fixture = *state;
	uint8_t got[16];

	for (unsigned i = 0; i < 2; i++) {
		fixture->memory.read = readers[i];
		assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, 0x1ff8, got,
						      sizeof(got)),
				 0);
		assert_memory_equal(got, fixture->bytes + 4 * PAGE - 8, 8);
		assert_memory_equal(got + 8, fixture->bytes, 8);
		assert_int_equal(
		    vhu_ring_memory_holds(&fixture->memory, VHU_RING_GUEST, 0x1000, 3 * PAGE), 0);
	}
}

static void a_byte_outside_every_region_is_refused(void **state)
{
	struct fixture *fixture = *state;
	uint8_t got[16];

	/* The regions do not touch in the front-end; nothing is before, behind, or across 2^64. */
	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_USER, 0x7000ff8, got, 16),
			 -EFAULT);
	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_USER, 0x7000ff0, got, 16),
			 0);
	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, 0xfff, got, 1),
			 -EFAULT);
	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, 0x4000, got, 1),
			 -EFAULT);
	assert_int_equal(
	    vhu_ring_memory_holds(&fixture->memory, VHU_RING_GUEST, 0x1000, UINT64_MAX), -EFAULT);
	assert_int_equal(vhu_ring_memory_holds(&fixture->memory, VHU_RING_GUEST, UINT64_MAX, 2),
			 -EFAULT);
}

static void a_region_at_the_end_of_the_address_space_does_not_wrap(void **state)
{
	struct fixture *fixture = *state;
	uint8_t got[16];

	fixture->region[0].guest = UINT64_MAX - PAGE + 1;
	fixture->region[1].guest = 0;
	assert_int_equal(
	    vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, UINT64_MAX - 7, got, 8), 0);
	assert_int_equal(
	    vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, UINT64_MAX - 7, got, 9),
	    -EFAULT);
	assert_int_equal(vhu_ring_memory_holds(&fixture->memory, VHU_RING_GUEST, UINT64_MAX - 7, 9),
			 -EFAULT);
}

static void a_file_that_was_cut_short_gives_an_error_and_no_signal(void **state)
{
	struct fixture *fixture = *state;
	uint8_t got[16];

	assert_int_equal(ftruncate(fixture->fd, 3 * PAGE), 0);
	for (unsigned i = 0; i < 2; i++) {
		fixture->memory.read = readers[i];
		assert_int_equal(
		    vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, 0x1000, got, 16),
		    -ENODATA);
		assert_int_equal(
		    vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, 0x2000, got, 16), 0);
	}
}

static void a_mapping_is_not_read_beyond_what_is_mapped(void **state)
{
	struct fixture *fixture = *state;
	uint8_t got[16];

	fixture->memory.read = vhu_ring_read_mapping;
	fixture->region[1].mapped = 8;
	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, 0x2000, got, 8), 0);
	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, 0x2000, got, 9),
			 -ENODATA);
}

static void an_offset_beyond_any_file_gives_no_bytes(void **state)
{
	struct fixture *fixture = *state;
	uint8_t got[16];

	fixture->region[0].offset = UINT64_MAX - 4;
	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, 0x1000, got, 16),
			 -ENODATA);
	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_GUEST, 0x1008, got, 16),
			 -ENODATA);
}

static void an_iova_is_read_where_it_is_translated_to(void **state)
{
	struct fixture *fixture = *state;
	uint8_t got[16];

	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_IOVA, 0x500ff8, got, 16),
			 0);
	assert_memory_equal(got, fixture->bytes + 4 * PAGE - 8, 8);
	assert_memory_equal(got + 8, fixture->bytes, 8);
	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_IOVA, 0x501ff8, got, 16),
			 -ENXIO);
	fixture->translation[1].user = 0x1234;
	assert_int_equal(vhu_ring_memory_read(&fixture->memory, VHU_RING_IOVA, 0x501000, got, 16),
			 -EFAULT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_range_crosses_from_a_region_into_the_next),
	    TEST(a_byte_outside_every_region_is_refused),
	    TEST(a_region_at_the_end_of_the_address_space_does_not_wrap),
	    TEST(a_file_that_was_cut_short_gives_an_error_and_no_signal),
	    TEST(a_mapping_is_not_read_beyond_what_is_mapped),
	    TEST(an_offset_beyond_any_file_gives_no_bytes),
	    TEST(an_iova_is_read_where_it_is_translated_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
