/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory with a vring, written by hand. */
#include "tests/unit/lib/ring/image.h"

#include <endian.h>
#include <linux/virtio_blk.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* In the region of the ring; the file has a page before it, as files of VMMs do. */
#define AVAILABLE_AT 0x3000
#define USED_AT      0x5000
#define FILE_AT      0x1000
#define APART        UINT64_C(200000000)
#define BUFFER_STEP  0x400

/* Map @size bytes of a new file from @offset on. Returns them. */
static uint8_t *map_file(int *fd, uint64_t offset, uint64_t size)
{
	uint8_t *bytes;

	*fd = memfd_create("image", MFD_CLOEXEC);
	assert_true(*fd >= 0);
	assert_int_equal(ftruncate(*fd, (off_t)(offset + size)), 0);
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, (off_t)offset);
	assert_true(bytes != MAP_FAILED);
	return bytes;
}

/* Point at the areas of the ring. */
static void find_areas(struct image *image, uint32_t size)
{
	image->desc = (struct vring_desc *)image->rings;
	image->avail = (struct vring_avail *)(image->rings + AVAILABLE_AT);
	image->used = (struct vring_used *)(image->rings + USED_AT);
	image->used_event = (__virtio16 *)(image->rings + AVAILABLE_AT + 4 + 2 * (size_t)size);
	image->avail_event = (__virtio16 *)(image->rings + USED_AT + 4 + 8 * (size_t)size);
	image->packed = (struct vring_packed_desc *)image->rings;
	image->driver = (struct vring_packed_desc_event *)(image->rings + AVAILABLE_AT);
	image->device = (struct vring_packed_desc_event *)(image->rings + USED_AT);
}

void image_open(struct image *image, uint64_t features, uint32_t size)
{
	*image = (struct image){.inflight_fd = -1};
	image->rings = map_file(&image->fd, FILE_AT, 2 * IMAGE_REGION);
	image->buffers = image->rings + IMAGE_REGION;
	image->region[0] = (struct vhu_ring_region){
	    .guest = IMAGE_RINGS_GUEST,
	    .user = IMAGE_RINGS_USER,
	    .size = IMAGE_REGION,
	    .offset = FILE_AT,
	    .fd = image->fd,
	};
	image->region[1] = (struct vhu_ring_region){
	    .guest = IMAGE_BUFFERS_GUEST,
	    .user = IMAGE_BUFFERS_USER,
	    .size = IMAGE_REGION,
	    .offset = FILE_AT + IMAGE_REGION,
	    .fd = image->fd,
	};
	image->memory = (struct vhu_ring_memory){
	    .read = vhu_ring_read_file, .region = image->region, .regions = 2};
	image->place = (struct vhu_ring_place){
	    .memory = &image->memory,
	    .features = features,
	    .size = size,
	    .descriptor = IMAGE_RINGS_USER,
	    .available = IMAGE_RINGS_USER + AVAILABLE_AT,
	    .used = IMAGE_RINGS_USER + USED_AT,
	};
	find_areas(image, size);
	image->context =
	    (struct vhu_context){.device = IMAGE_BLOCK, .has_features = true, .features = features};
	image->evidence = (struct vhu_ring_evidence){
	    .context = &image->context,
	    .kick_poller = VHU_RING_POLLER_LEVEL,
	    .call_poller = VHU_RING_POLLER_LEVEL,
	    .session = {.known = true, .started = true, .enabled = true},
	};
	for (unsigned i = 0; i < 2; i++) {
		struct vhu_ring_sample *sample = &image->evidence.sample[i];

		sample->kick = (struct vhu_ring_counter){.known = true, .id = 10};
		sample->call = (struct vhu_ring_counter){.known = true, .id = 11};
		sample->front_end =
		    (struct vhu_ring_process){.known = true, .pid = 100, .state = 'S'};
		sample->back_end =
		    (struct vhu_ring_process){.known = true, .pid = 200, .state = 'S'};
	}
}

void image_close(struct image *image)
{
	for (unsigned i = 0; i < 2; i++)
		vhu_ring_sample_free(&image->evidence.sample[i]);
	munmap(image->rings, 2 * IMAGE_REGION);
	close(image->fd);
	if (image->inflight_fd >= 0) {
		munmap(image->inflight, IMAGE_REGION);
		close(image->inflight_fd);
	}
}

void image_add_inflight(struct image *image)
{
	const uint16_t version = 1, rows = (uint16_t)image->place.size;

	image->inflight = map_file(&image->inflight_fd, 0, IMAGE_REGION);
	memcpy(image->inflight + 8, &version, 2);
	memcpy(image->inflight + 10, &rows, 2);
	image->inflight_region =
	    (struct vhu_ring_region){.size = IMAGE_REGION, .fd = image->inflight_fd};
	image->inflight_memory = (struct vhu_ring_memory){
	    .read = vhu_ring_read_file, .region = &image->inflight_region, .regions = 1};
	image->place.inflight =
	    vhu_ring_inflight_place(&image->inflight_memory, 0, IMAGE_REGION, 1, 0);
}

void image_take(struct image *image, uint16_t head, uint64_t counter)
{
	uint8_t *row = image->inflight + 16 + 16 * (size_t)head;

	row[0] = 1;
	memcpy(row + 8, &counter, 8);
}

void image_describe(struct image *image, uint32_t row, struct vring_desc desc)
{
	image->desc[row] = (struct vring_desc){
	    .addr = htole64(desc.addr),
	    .len = htole32(desc.len),
	    .flags = htole16(desc.flags),
	    .next = htole16(desc.next),
	};
}

void image_offer(struct image *image, uint16_t row)
{
	const uint64_t at = IMAGE_BUFFERS_GUEST + (uint64_t)row % 16 * BUFFER_STEP;
	const struct virtio_blk_outhdr header = {.type = htole32(VIRTIO_BLK_T_IN),
						 .sector = htole64(2048u + row)};
	uint16_t index = le16toh(image->avail->idx);

	memcpy(image->buffers + (at - IMAGE_BUFFERS_GUEST), &header, sizeof(header));
	image_describe(
	    image, row,
	    (struct vring_desc){at, sizeof(header), VRING_DESC_F_NEXT, (__virtio16)(row + 1)});
	image_describe(image, row + 1u,
		       (struct vring_desc){at + 0x100, 512, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE,
					   (__virtio16)(row + 2)});
	image_describe(image, row + 2u, (struct vring_desc){at + 0x300, 1, VRING_DESC_F_WRITE, 0});
	image->avail->ring[index % image->place.size] = htole16(row);
	image->avail->idx = htole16((uint16_t)(index + 1));
}

void image_describe_packed(struct image *image, uint32_t row, uint16_t id, uint16_t flags,
			   bool available, bool used)
{
	image->packed[row] = (struct vring_packed_desc){
	    .addr = htole64(IMAGE_BUFFERS_GUEST + 0x10 * row),
	    .len = htole32(16),
	    .id = htole16(id),
	    .flags = htole16((uint16_t)(flags | available << VRING_PACKED_DESC_F_AVAIL |
					used << VRING_PACKED_DESC_F_USED)),
	};
}

void image_sample(struct image *image, unsigned number)
{
	struct vhu_ring_sample *sample = &image->evidence.sample[number];

	sample->time_ns = number * APART;
	vhu_ring_sample_read(&image->place, sample);
}

struct vhu_ring_verdict image_judge(struct image *image)
{
	image_sample(image, 0);
	image_sample(image, 1);
	return vhu_ring_judge(&image->evidence);
}

void image_expect(struct image *image, enum vhu_ring_verdict_id id, unsigned alternatives, ...)
{
	struct vhu_ring_verdict verdict = image_judge(image);
	va_list list;

	if (verdict.id != id)
		print_error("text: %s\n", verdict.text);
	assert_string_equal(vhu_ring_verdicts[verdict.id].id, vhu_ring_verdicts[id].id);
	assert_int_equal(verdict.alternatives, alternatives);
	va_start(list, alternatives);
	for (unsigned i = 0; i < alternatives; i++)
		assert_string_equal(vhu_ring_verdicts[verdict.alternative[i]].id,
				    vhu_ring_verdicts[va_arg(list, int)].id);
	va_end(list);
	assert_true(strlen(verdict.text) > 0 && strlen(verdict.text) < sizeof(verdict.text) - 1);
}

void image_count(struct image *image, uint64_t kick, uint64_t call)
{
	for (unsigned i = 0; i < 2; i++) {
		image->evidence.sample[i].kick.count = kick;
		image->evidence.sample[i].call.count = call;
	}
}

void image_set_states(struct image *image, char front_end, char back_end)
{
	for (unsigned i = 0; i < 2; i++) {
		image->evidence.sample[i].front_end.state = front_end;
		image->evidence.sample[i].back_end.state = back_end;
	}
}

void image_open_waiting(struct image *image, uint64_t features, unsigned waiting)
{
	image_open(image, features | IMAGE_VERSION_1, 128);
	for (unsigned i = 0; i < waiting; i++)
		image_offer(image, (uint16_t)(3 * i));
}

void image_open_used(struct image *image, uint64_t features, uint16_t used)
{
	image_open(image, features | IMAGE_VERSION_1, 128);
	image->avail->idx = image->used->idx = htole16(used);
}

struct vhu_ring_verdict image_judge_moving(struct image *image)
{
	image_sample(image, 0);
	image->avail->idx = image->used->idx = htole16((uint16_t)(le16toh(image->used->idx) + 5));
	image_sample(image, 1);
	return vhu_ring_judge(&image->evidence);
}
