/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver for a virtio-mmio device with split vrings, working through qtest. */
#include "tests/e2e/qemu/driver/mmio.h"

#include <endian.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <string.h>

/* The microvm board's transports. */
#define TRANSPORTS     UINT64_C(0xfeb00000)
#define TRANSPORT_SIZE 0x200
#define TRANSPORT_LAST 23

/* Until looking again is put off. */
#define EAGER_LOOKS 64

#define MAGIC          0x74726976 /* "virt" */
#define VERSION_MODERN 2

/* A vring's share of guest memory, and what is where in it. */
#define SHARE     UINT64_C(0x20000)
#define AVAILABLE UINT64_C(0x1000)
#define USED      UINT64_C(0x2000)
#define BUFFERS   UINT64_C(0x4000)

/* The device type's own features and the virtio version; the rest is about vrings other than plain.
 */
#define FEATURES_TAKEN (0xffffffULL | 1ULL << VIRTIO_F_VERSION_1)

static uint32_t get(struct qemu_mmio *device, unsigned int offset)
{
	return qemu_qtest_readl(device->qtest, device->registers + offset);
}

static void set(struct qemu_mmio *device, unsigned int offset, uint32_t value)
{
	qemu_qtest_writel(device->qtest, device->registers + offset, value);
}

/* Return where vring @queue begins: its descriptors. */
static uint64_t share_of(const struct qemu_mmio *device, unsigned int queue)
{
	return device->memory + queue * SHARE;
}

void qemu_mmio_find(struct qemu_mmio *device, struct qemu_qtest *qtest, uint32_t id)
{
	*device = (struct qemu_mmio){
	    .qtest = qtest,
	    .registers = TRANSPORTS + TRANSPORT_LAST * TRANSPORT_SIZE,
	    .memory = QEMU_MMIO_MEMORY,
	};
	if (get(device, VIRTIO_MMIO_MAGIC_VALUE) != MAGIC ||
	    get(device, VIRTIO_MMIO_VERSION) != VERSION_MODERN ||
	    get(device, VIRTIO_MMIO_DEVICE_ID) != id)
		qemu_stage_fail(qtest->stage, "virtio-mmio: not a device of type %u",
				(unsigned int)id);
}

/* Accept the features of FEATURES_TAKEN that the device has; fail when it does not take the choice.
 */
static void negotiate(struct qemu_mmio *device)
{
	uint64_t features;

	set(device, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	features = (uint64_t)get(device, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
	set(device, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	features |= get(device, VIRTIO_MMIO_DEVICE_FEATURES);
	features &= FEATURES_TAKEN | (uint64_t)device->event_idx << VIRTIO_RING_F_EVENT_IDX;
	set(device, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	set(device, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
	set(device, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	set(device, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)features);
	set(device, VIRTIO_MMIO_STATUS,
	    VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK);
	if ((get(device, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK) == 0)
		qemu_stage_fail(device->qtest->stage, "virtio-mmio: features %#llx not accepted",
				(unsigned long long)features);
}

/* Empty vring @queue and tell the device where it is. */
static void set_up(struct qemu_mmio *device, unsigned int queue)
{
	static const uint8_t empty[QEMU_QTEST_BYTES_MAX];
	uint32_t max = qemu_mmio_queue_max(device, queue);
	uint64_t at = share_of(device, queue);

	for (uint64_t offset = 0; offset < BUFFERS; offset += sizeof(empty))
		qemu_qtest_write(device->qtest, at + offset, empty, sizeof(empty));
	device->added[queue] = 0;
	if (max < QEMU_MMIO_BUFFERS_MAX)
		qemu_stage_fail(device->qtest->stage, "virtio-mmio: vring %u has room for %u",
				queue, (unsigned int)max);
	device->size[queue] = max < QEMU_MMIO_RING_SIZE ? (uint16_t)max : QEMU_MMIO_RING_SIZE;
	set(device, VIRTIO_MMIO_QUEUE_NUM, device->size[queue]);
	set(device, VIRTIO_MMIO_QUEUE_DESC_LOW, (uint32_t)at);
	set(device, VIRTIO_MMIO_QUEUE_DESC_HIGH, (uint32_t)(at >> 32));
	set(device, VIRTIO_MMIO_QUEUE_AVAIL_LOW, (uint32_t)(at + AVAILABLE));
	set(device, VIRTIO_MMIO_QUEUE_AVAIL_HIGH, (uint32_t)((at + AVAILABLE) >> 32));
	set(device, VIRTIO_MMIO_QUEUE_USED_LOW, (uint32_t)(at + USED));
	set(device, VIRTIO_MMIO_QUEUE_USED_HIGH, (uint32_t)((at + USED) >> 32));
	set(device, VIRTIO_MMIO_QUEUE_READY, 1);
}

void qemu_mmio_start(struct qemu_mmio *device, unsigned int queues)
{
	qemu_mmio_reset(device);
	set(device, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	negotiate(device);
	for (unsigned int queue = 0; queue < queues; queue++)
		set_up(device, queue);
	set(device, VIRTIO_MMIO_STATUS,
	    VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |
		VIRTIO_CONFIG_S_DRIVER_OK);
	if ((get(device, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET) != 0)
		qemu_stage_fail(device->qtest->stage, "virtio-mmio: the device did not start");
}

void qemu_mmio_reset(struct qemu_mmio *device)
{
	set(device, VIRTIO_MMIO_STATUS, 0);
}

uint32_t qemu_mmio_queue_max(struct qemu_mmio *device, unsigned int queue)
{
	set(device, VIRTIO_MMIO_QUEUE_SEL, queue);
	return get(device, VIRTIO_MMIO_QUEUE_NUM_MAX);
}

/* Return where buffer @index of the request in @slot lies. */
static uint64_t buffer_at(const struct qemu_mmio *device, unsigned int queue, unsigned int slot,
			  unsigned int index)
{
	return (device->buffers ? device->buffers + queue * SHARE : share_of(device, queue)) +
	       BUFFERS + (slot * QEMU_MMIO_BUFFERS_MAX + index) * QEMU_QTEST_BYTES_MAX;
}

void qemu_mmio_put(struct qemu_mmio *device, unsigned int queue, unsigned int slot,
		   const struct qemu_mmio_buffer *buffer, unsigned int count)
{
	uint64_t available = share_of(device, queue) + AVAILABLE;
	uint16_t place = device->added[queue] % device->size[queue];
	uint16_t first = (uint16_t)(slot * QEMU_MMIO_BUFFERS_MAX), head = htole16(first);
	uint16_t index = htole16(++device->added[queue]);
	struct vring_desc chain[QEMU_MMIO_BUFFERS_MAX];

	for (unsigned int i = 0; i < count; i++) {
		uint64_t at = buffer_at(device, queue, slot, i);
		unsigned int flags = (buffer[i].out == NULL ? VRING_DESC_F_WRITE : 0) |
				     (i + 1 < count ? VRING_DESC_F_NEXT : 0);

		chain[i].addr = htole64(at);
		chain[i].len = htole32((uint32_t)buffer[i].size);
		chain[i].flags = htole16((uint16_t)flags);
		chain[i].next = htole16((uint16_t)(first + i + 1));
		if (buffer[i].out != NULL)
			qemu_qtest_write(device->qtest, at, buffer[i].out, buffer[i].size);
	}
	qemu_qtest_write(device->qtest, share_of(device, queue) + first * sizeof(*chain), chain,
			 count * sizeof(*chain));
	qemu_qtest_write(device->qtest,
			 available + offsetof(struct vring_avail, ring) + place * sizeof(head),
			 &head, sizeof(head));
	qemu_qtest_write(device->qtest, available + offsetof(struct vring_avail, idx), &index,
			 sizeof(index));
}

void qemu_mmio_kick(struct qemu_mmio *device, unsigned int queue)
{
	set(device, VIRTIO_MMIO_QUEUE_NOTIFY, queue);
}

void qemu_mmio_want_call(struct qemu_mmio *device, unsigned int queue, uint16_t after)
{
	const uint64_t event = share_of(device, queue) + AVAILABLE +
			       offsetof(struct vring_avail, ring) +
			       device->size[queue] * sizeof(__virtio16);

	after = htole16(after);
	qemu_qtest_write(device->qtest, event, &after, sizeof(after));
}

unsigned int qemu_mmio_in_flight(struct qemu_mmio *device, unsigned int queue)
{
	uint16_t index;

	qemu_qtest_read(device->qtest,
			share_of(device, queue) + USED + offsetof(struct vring_used, idx), &index,
			sizeof(index));
	return (uint16_t)(device->added[queue] - le16toh(index));
}

void qemu_mmio_wait(struct qemu_mmio *device, unsigned int queue)
{
	/* Mostly it takes less than a nap. */
	for (unsigned int looks = 0; qemu_mmio_in_flight(device, queue) != 0; looks++) {
		if (looks < EAGER_LOOKS)
			qemu_stage_check_time(device->qtest->stage, "waiting for a request");
		else
			qemu_stage_nap(device->qtest->stage, "waiting for a request");
	}
}

void qemu_mmio_fetch(struct qemu_mmio *device, unsigned int queue, unsigned int slot,
		     const struct qemu_mmio_buffer *buffer, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (buffer[i].out == NULL)
			qemu_qtest_read(device->qtest, buffer_at(device, queue, slot, i),
					buffer[i].in, buffer[i].size);
}

uint32_t qemu_mmio_request(struct qemu_mmio *device, unsigned int queue,
			   const struct qemu_mmio_buffer *buffer, unsigned int count)
{
	uint64_t used = share_of(device, queue) + USED + offsetof(struct vring_used, ring);
	struct vring_used_elem element;

	qemu_mmio_put(device, queue, 0, buffer, count);
	qemu_mmio_kick(device, queue);
	qemu_mmio_wait(device, queue);
	qemu_mmio_fetch(device, queue, 0, buffer, count);
	used += (uint16_t)(device->added[queue] - 1) % device->size[queue] * sizeof(element);
	qemu_qtest_read(device->qtest, used, &element, sizeof(element));
	return le32toh(element.len);
}
