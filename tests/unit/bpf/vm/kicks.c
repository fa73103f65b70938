/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which vrings ioeventfds kick: addresses and values as VMMs lay them out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bpf/vm/vm.h"
#include "lib/util/util.h"

#include <errno.h>

enum { VMM = 7, OTHER_VMM = 8 };
/* Ids from here on are not the back-end's. */
#define FOREIGN 100

static bool is_shared(const void *with, uint32_t id)
{
	(void)with;
	return id < FOREIGN;
}

/* A kick at an address of its own, as devices of virtio 1 have it. */
#define AT(id, where)                                                                              \
	{                                                                                          \
		.what = VHU_VM_IOEVENTFD, .eventfd_id = (id), .vmm = VMM, .vm = 1,                 \
		.address = (where), .any = 1                                                       \
	}
/* A kick by a value. */
#define BY(id, where, value)                                                                       \
	{                                                                                          \
		.what = VHU_VM_IOEVENTFD, .eventfd_id = (id), .vmm = VMM, .vm = 1,                 \
		.address = (where), .datamatch = (value), .bus = 1                                 \
	}

/* Return what the list tells; on success in *@kick, which the caller frees. */
static int tell(const struct vhu_vm_signal *list, unsigned count, struct vhu_vm_kick **kick)
{
	const struct vhu_vm_device any = {.vmm = VMM};
	struct vhu_vm_signal copy[16];

	for (unsigned i = 0; i < count; i++)
		copy[i] = list[i];
	return vhu_vm_kicks(copy, count, &any, is_shared, NULL, kick);
}

/* Expect kicks: @expected has pairs of vring and id. */
static void expect(const struct vhu_vm_signal *list, unsigned count, const unsigned (*expected)[2],
		   int kicks)
{
	struct vhu_vm_kick *kick;

	assert_int_equal(tell(list, count, &kick), kicks);
	for (int i = 0; i < kicks; i++) {
		assert_int_equal(kick[i].vring, expected[i][0]);
		assert_int_equal(kick[i].eventfd_id, expected[i][1]);
	}
	free(kick);
}

/* Expect that the list does not tell. */
static void expect_unclear(const struct vhu_vm_signal *list, unsigned count)
{
	struct vhu_vm_kick *kick;

	assert_int_equal(tell(list, count, &kick), -EMLINK);
	assert_null(kick);
}

static void addresses_tell_the_vring(void **state)
{
	/* In no order; the second of each is what KVM adds for its fast bus. */
	const struct vhu_vm_signal list[] = {AT(9, 0xfe003008),   AT(5, 0xfe003000),
					     AT(5, 0xfe003000),   AT(9, 0xfe003008),
					     AT(200, 0xfe003004), AT(201, 0xfe007000)};
	const unsigned expected[][2] = {{0, 5}, {2, 9}};

	(void)state;
	expect(list, VHU_ARRAY_SIZE(list), expected, 2);
}

static void values_tell_the_vring(void **state)
{
	const struct vhu_vm_signal list[] = {BY(0, 0xfeb00e50, 1), BY(3, 0xfeb00e50, 0)};
	const unsigned expected[][2] = {{0, 3}, {1, 0}};

	(void)state;
	expect(list, VHU_ARRAY_SIZE(list), expected, 2);
}

static void a_transitional_device_has_both(void **state)
{
	const struct vhu_vm_signal list[] = {AT(4, 0xfe003000), BY(4, 0xc010, 0), AT(6, 0xfe003004),
					     BY(6, 0xc010, 1)};
	const unsigned expected[][2] = {{0, 4}, {1, 6}};

	(void)state;
	expect(list, VHU_ARRAY_SIZE(list), expected, 2);
}

static void several_devices_do_not_tell(void **state)
{
	const struct vhu_vm_signal pages[] = {AT(1, 0xfe003000), AT(2, 0xfe007000)};
	const struct vhu_vm_signal values[] = {BY(1, 0xc010, 0), BY(2, 0xc050, 0)};
	const struct vhu_vm_signal same[] = {AT(1, 0xfe003000), AT(2, 0xfe003000)};
	const struct vhu_vm_signal odd[] = {AT(1, 0xfe003000), AT(2, 0xfe003002)};
	struct vhu_vm_signal machines[] = {AT(1, 0xfe003000), AT(2, 0xfe003004)};

	(void)state;
	expect_unclear(pages, 2);
	expect_unclear(values, 2);
	expect_unclear(same, 2);
	expect_unclear(odd, 2);
	machines[1].vm = 2;
	expect_unclear(machines, 2);
}

static void others_do_not_count(void **state)
{
	struct vhu_vm_signal list[] = {AT(1, 0xfe003000), AT(2, 0xfe007000), AT(3, 0xfe003004)};
	const unsigned expected[][2] = {{0, 1}, {1, 3}};

	(void)state;
	/* A call, and another process's kick. */
	list[1].what = VHU_VM_IRQFD;
	expect(list, 3, expected, 2);
	list[1].what = VHU_VM_IOEVENTFD;
	list[1].vmm = OTHER_VMM;
	expect(list, 3, expected, 2);
	list[1].vmm = VMM;
	list[1].eventfd_id = FOREIGN;
	expect(list, 3, expected, 2);
	expect(list, 0, expected, 0);
}

static void a_device_has_a_place(void **state)
{
	struct vhu_vm_signal list[] = {AT(4, 0xfe003000), BY(4, 0xc010, 0),  AT(6, 0xfe003004),
				       BY(6, 0xc010, 1),  AT(8, 0xfe007000), BY(8, 0xc090, 0)};
	const struct vhu_vm_range memory = {.address = 0xfe000000, .size = 0x4000};
	const struct vhu_vm_range both[] = {memory, {0xc000, 0x80, true}};
	const struct vhu_vm_range wrong[] = {{0xc000, 0x80, false}, {0xfe000000, 0x3000, false}};
	struct vhu_vm_device device = {.vmm = VMM, .range = both};
	struct vhu_vm_kick *kick;

	(void)state;
	expect_unclear(list, VHU_ARRAY_SIZE(list));
	for (device.ranges = 1; device.ranges <= 2; device.ranges++) {
		assert_int_equal(vhu_vm_kicks(list, 6, &device, is_shared, NULL, &kick), 2);
		assert_int_equal(kick[0].eventfd_id, 4);
		assert_int_equal(kick[1].eventfd_id, 6);
		assert_int_equal(kick[1].vring, 1);
		free(kick);
	}
	device = (struct vhu_vm_device){.vmm = VMM, .range = wrong, .ranges = 2};
	assert_int_equal(vhu_vm_kicks(list, 6, &device, is_shared, NULL, &kick), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_tell_the_vring),
	    cmocka_unit_test(values_tell_the_vring),
	    cmocka_unit_test(a_transitional_device_has_both),
	    cmocka_unit_test(several_devices_do_not_tell),
	    cmocka_unit_test(others_do_not_count),
	    cmocka_unit_test(a_device_has_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
