/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which virtio device a session is about, guessed from what its back-end says of itself. */
#ifndef VHU_SESSION_DEVICE_H
#define VHU_SESSION_DEVICE_H

#include <stdint.h>

/*
 * Guess a device by its feature bits and the size of its configuration space.
 * @features: offered; 0 not known. @config_size: bytes asked for from offset 0; 0 not known.
 * Returns a virtio device id where one device fits clearly best, 0 otherwise.
 */
uint32_t vhu_device_guess(uint64_t features, uint32_t config_size);

#endif
