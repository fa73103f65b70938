/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which virtio device a session is about, guessed from what its back-end says of itself, and how
 * many virtqueues such a device has. */
#ifndef VHU_SESSION_DEVICE_H
#define VHU_SESSION_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/protocol/protocol.h"

/*
 * Guess a device by its feature bits and the size of its configuration space.
 * @features: offered; 0 not known. @config_size: bytes asked for from offset 0; 0 not known.
 * Returns a virtio device id where one device fits clearly best, 0 otherwise.
 */
uint32_t vhu_device_guess(uint64_t features, uint32_t config_size);

/* Return whether features that were offered are a device's: at least one is its own, and none is
 * another's alone. */
bool vhu_device_has_features(uint32_t device, uint64_t features);

/*
 * Return the highest number of virtqueues that a device can have with this configuration; 0 if the
 * configuration does not say.
 * @config: the payload of VHOST_USER_GET_CONFIG's reply, from offset 0.
 */
uint64_t vhu_device_queues(uint32_t device, const struct vhu_payload *config);

/* Return how many virtqueues a type of device has at the most where that is fixed, 0 where not. */
unsigned vhu_device_queues_fixed(uint32_t device);

/* Return whether each request on virtqueue @vring of a type of device gets a call, unless the
 * driver turns calls off. False if the device is not known, or if buffers wait there for input. */
bool vhu_device_answers_all(uint32_t device, uint32_t vring);

#endif
