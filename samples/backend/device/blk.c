/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Block Device" of the virtio specification, on a file, a block device or memory.
 *
 * Each request is done before the next one is looked at: simple, and fast enough where the page
 * cache answers. The configuration space has one field that the driver may write: `wce`, whether
 * written data may wait in the cache for a flush.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "samples/backend/device/device.h"

#define SECTOR     512
#define BLOCK_SIZE 512
/* Parts of a request that drivers put into a ring of 128. */
#define PARTS_MAX  126

/* The configuration ends before the fields of zones, which the disk does not have and which the
 * kernel's headers before 6.3 do not have either: one size wherever the sample is built. */
#define CONFIG_LAST secure_erase_sector_alignment
#define CONFIG_SIZE                                                                                \
	(offsetof(struct virtio_blk_config, CONFIG_LAST) +                                         \
	 sizeof(((struct virtio_blk_config *)0)->CONFIG_LAST))

#define BIT(feature) (UINT64_C(1) << (feature))

struct blk {
	struct vhu_device device;
	struct virtio_blk_config config;
	int file;
	uint64_t sectors;
};

/* Find out how large the disk is. Returns whether that has changed. */
static bool blk_refresh(struct vhu_device *device)
{
	struct blk *blk = (struct blk *)device;
	off_t end = lseek(blk->file, 0, SEEK_END);
	uint64_t sectors = end > 0 ? (uint64_t)end / SECTOR : 0;
	bool changed = sectors != blk->sectors;

	blk->sectors = sectors;
	blk->config.capacity = htole64(sectors);
	return changed;
}

/* Read or write. Returns the status that the driver gets. */
static uint8_t transfer(struct blk *blk, const struct vhu_run *run, uint64_t sector, bool out)
{
	uint64_t sectors = run->size / SECTOR;
	ssize_t done;

	if (run->size % SECTOR || sectors > blk->sectors || sector > blk->sectors - sectors)
		return VIRTIO_BLK_S_IOERR;
	if (out)
		done = pwritev2(blk->file, run->part, run->parts, (off_t)(sector * SECTOR),
				blk->config.wce ? 0 : RWF_DSYNC);
	else
		done = preadv(blk->file, run->part, run->parts, (off_t)(sector * SECTOR));
	return done == (ssize_t)run->size ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

/* Do one request. Returns the status that the driver gets. */
static uint8_t execute(struct blk *blk, struct vhu_chain *chain)
{
	static const char name[VIRTIO_BLK_ID_BYTES] = "vhu-sample-backend";
	struct virtio_blk_outhdr head;

	if (!vhu_run_take(&chain->out, &head, sizeof(head)))
		return VIRTIO_BLK_S_IOERR;
	switch (le32toh(head.type)) {
	case VIRTIO_BLK_T_IN:
		return transfer(blk, &chain->in, le64toh(head.sector), false);
	case VIRTIO_BLK_T_OUT:
		if (blk->device.features & BIT(VIRTIO_BLK_F_RO))
			return VIRTIO_BLK_S_IOERR;
		return transfer(blk, &chain->out, le64toh(head.sector), true);
	case VIRTIO_BLK_T_FLUSH:
		return fdatasync(blk->file) ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		vhu_run_fill(&chain->in, name, sizeof(name));
		return VIRTIO_BLK_S_OK;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* The last byte that the device may write is the status, all before it is data. */
static uint32_t blk_request(struct vhu_device *device, struct vhu_chain *chain)
{
	uint64_t written = chain->in.size;
	uint8_t *status = vhu_run_take_last(&chain->in);

	/* Without room for a status there is no way to say anything. */
	if (!status)
		return 0;
	*status = execute((struct blk *)device, chain);
	return written < UINT32_MAX ? (uint32_t)written : UINT32_MAX;
}

/* The driver may write `wce`; a back-end that another one hands over to takes all else as it is. */
static bool blk_configure(struct vhu_device *device, uint32_t offset, const uint8_t *bytes,
			  uint32_t size, bool migrating)
{
	const uint32_t at = offsetof(struct virtio_blk_config, wce);
	struct blk *blk = (struct blk *)device;

	if (!migrating && (offset != at || size != sizeof(blk->config.wce)))
		return false;
	if (offset <= at && at - offset < size)
		blk->config.wce = bytes[at - offset] != 0;
	return true;
}

/* Let written data wait in the cache, as it does at first. */
static void blk_reset(struct vhu_device *device)
{
	((struct blk *)device)->config.wce = 1;
}

/* Close the disk. */
static void blk_close(struct vhu_device *device)
{
	struct blk *blk = (struct blk *)device;

	close(blk->file);
	free(blk);
}

/* Open what is behind the disk. Returns a descriptor or -errno. */
static int open_file(const struct vhu_device_blk_options *options)
{
	int fd, error;

	if (options->file) {
		fd = open(options->file, (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	fd = memfd_create("disk", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)options->memory_size)) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int vhu_device_blk(const struct vhu_device_blk_options *options, struct vhu_device **device)
{
	struct blk *blk = calloc(1, sizeof(*blk));

	if (!blk)
		return -ENOMEM;
	blk->file = open_file(options);
	if (blk->file < 0) {
		int error = blk->file;

		free(blk);
		return error;
	}
	blk->device = (struct vhu_device){
	    .id = VIRTIO_ID_BLOCK,
	    .type = "block",
	    .features = BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_BLK_SIZE) |
			BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_CONFIG_WCE) |
			BIT(VIRTIO_BLK_F_MQ) | (options->read_only ? BIT(VIRTIO_BLK_F_RO) : 0),
	    .queues = options->queues,
	    .config = (uint8_t *)&blk->config,
	    .config_size = CONFIG_SIZE,
	    .request = blk_request,
	    .configure = blk_configure,
	    .reset = blk_reset,
	    .refresh = blk_refresh,
	    .close = blk_close,
	};
	blk->config.seg_max = htole32(PARTS_MAX);
	blk->config.blk_size = htole32(BLOCK_SIZE);
	blk->config.num_queues = htole16((uint16_t)options->queues);
	blk_reset(&blk->device);
	blk_refresh(&blk->device);
	*device = &blk->device;
	return 0;
}
