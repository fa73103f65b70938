/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guess of a virtio device, and how many virtqueues it has. */
#include "lib/session/device.h"

#include <linux/virtio_ids.h>
#include <stdbool.h>

#include "lib/protocol/walk.h"
#include "lib/util/util.h"

/* "Reserved Feature Bits" of the virtio specification: the others belong to the device. Bits 24
 * to 49 are common to all, two of them to this protocol. */
#define DEVICE_BITS (UINT64_C(0xfffc000000ffffff))

/* A device that has this many of its own bits offered, or whose configuration fits as well as
 * that, is worth naming. */
#define CLEAR           3
#define CONFIG_FITS     2
#define CONFIG_IS_WHOLE 4
#define UNFIT           (-100)

/* Virtio device ids are below this. */
#define DEVICES 128

/* Feature bits that have names: a device's own, by its id, and under 0 those that all have. */
struct named {
	uint64_t bits[DEVICES];
};

/* Collect the bits that have names. */
static void collect(struct named *named)
{
	*named = (struct named){0};
	for (unsigned i = 0; i < vhu_names_count; i++) {
		const struct vhu_name *name = &vhu_names[i];

		if (name->set == VHU_NAMES_virtio_features && name->device < DEVICES &&
		    name->value < 64)
			named->bits[name->device] |= UINT64_C(1) << name->value;
	}
}

/* Return how many of @features are a device's own, UNFIT where one has no name. That none is
 * offered of the many it could speaks against a device. */
static int features_fit(const struct named *named, uint32_t device, uint64_t features)
{
	uint64_t own = features & DEVICE_BITS;

	if (own & ~(named->bits[device] | named->bits[0]))
		return UNFIT;
	if (features && !own && named->bits[device])
		return -1;
	return __builtin_popcountll(own & named->bits[device]);
}

/* Return how well a configuration space of @size bytes fits the device's: versions of a device
 * add fields at its end, so any field's end will do. UNFIT: not at all. */
static int config_fits(uint32_t device, uint32_t size)
{
	const struct vhu_layout *layout = vhu_config_layout(device);

	if (size == 0)
		return 0;
	if (!layout)
		return UNFIT;
	if (size == layout->size)
		return CONFIG_IS_WHOLE;
	for (unsigned f = layout->first; f < layout->first + layout->fields; f++)
		if (vhu_fields[f].offset + vhu_fields[f].size == size)
			return CONFIG_FITS;
	return UNFIT;
}

uint32_t vhu_device_guess(uint64_t features, uint32_t config_size)
{
	uint32_t best_device = 0;
	int best = 0;
	bool tie = false;
	struct named named;

	collect(&named);
	for (unsigned i = 0; i < vhu_names_count; i++) {
		uint32_t device = (uint32_t)vhu_names[i].value;
		int by_features, by_config, score;

		if (vhu_names[i].set != VHU_NAMES_virtio_device || device >= DEVICES)
			continue;
		by_features = features_fit(&named, device, features);
		by_config = config_fits(device, config_size);
		if (by_features == UNFIT || by_config == UNFIT)
			continue;
		score = by_features + by_config;
		tie = score == best || (tie && score < best);
		if (score > best) {
			best = score;
			best_device = device;
		}
	}
	return best >= CLEAR && !tie ? best_device : 0;
}

bool vhu_device_has_features(uint32_t device, uint64_t features)
{
	struct named named;

	collect(&named);
	return device < DEVICES && features_fit(&named, device, features) > 0;
}

uint64_t vhu_device_queues(uint32_t device, const struct vhu_payload *config)
{
	/* Queues for each unit of the field, and further queues. */
	static const struct {
		uint32_t device;
		enum vhu_field_id field;
		unsigned each, besides;
	} told[] = {
	    {VIRTIO_ID_NET, VHU_FIELD_config_net_max_virtqueue_pairs, 2, 1},
	    {VIRTIO_ID_BLOCK, VHU_FIELD_config_blk_num_queues, 1, 0},
	    {VIRTIO_ID_CONSOLE, VHU_FIELD_config_console_max_nr_ports, 2, 2},
	    {VIRTIO_ID_SCSI, VHU_FIELD_config_scsi_num_queues, 1, 2},
	    {VIRTIO_ID_CRYPTO, VHU_FIELD_config_crypto_max_dataqueues, 1, 1},
	    {VIRTIO_ID_FS, VHU_FIELD_config_fs_num_request_queues, 1, 1},
	};
	const uint32_t from = vhu_fields[VHU_FIELD_config_space].offset;
	uint64_t queues;

	for (unsigned i = 0; i < VHU_ARRAY_SIZE(told); i++)
		if (told[i].device == device &&
		    vhu_field_read(config, told[i].field, from, &queues) && queues)
			return queues * told[i].each + told[i].besides;
	return 0;
}

unsigned vhu_device_queues_fixed(uint32_t device)
{
	switch (device) {
	case VIRTIO_ID_RNG: /* requests */
		return 1;
	case VIRTIO_ID_GPU:   /* control, cursor */
	case VIRTIO_ID_INPUT: /* event, status */
		return 2;
	case VIRTIO_ID_VSOCK: /* receive, transmit, event */
		return 3;
	case VIRTIO_ID_SOUND: /* control, event, transmit, receive */
		return 4;
	}
	return 0;
}

bool vhu_device_answers_all(uint32_t device, uint32_t vring)
{
	switch (device) {
	case VIRTIO_ID_BLOCK:
	case VIRTIO_ID_RNG:
	case VIRTIO_ID_FS:
		return true;
	case VIRTIO_ID_SCSI:
		return vring != 1; /* eventq */
	}
	return false;
}
