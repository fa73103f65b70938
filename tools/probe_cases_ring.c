/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases of rings: how they start, stop, go on, and start again. */
#include <errno.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/probe_cases.h"

/* A page of the log, which has a bit for each page of memory. */
#define LOG_SIZE  4096
#define LOG_PAGE  4096
/* Any base but 0. */
#define SOME_BASE 3

void vhu_case_base_unused(struct vhu_trial *trial)
{
	uint32_t base;

	if (vhu_trial_greet(trial, 0) && vhu_trial_stop(trial, 0, &base) && base != 0)
		vhu_trial_fail(trial, "a ring that was never set up has base %u", base);
}

void vhu_case_base_kept(struct vhu_trial *trial)
{
	struct vhu_probe_message message;
	uint32_t base;

	if (!vhu_trial_greet(trial, 0) || !vhu_trial_share(trial))
		return;
	vhu_probe_begin(&message, VHU_MSG_SET_VRING_NUM, VHU_LAYOUT_vring_size);
	vhu_probe_put(&message, VHU_FIELD_vring_size_num, VHU_PROBE_RING_SIZE);
	if (!vhu_trial_set(trial, &message))
		return;
	vhu_probe_begin(&message, VHU_MSG_SET_VRING_BASE, VHU_LAYOUT_vring_index);
	vhu_probe_put(&message, VHU_FIELD_vring_index_num, SOME_BASE);
	if (vhu_trial_set(trial, &message) && vhu_trial_stop(trial, 0, &base) && base != SOME_BASE)
		vhu_trial_fail(trial, "base %d was set, %u is told", SOME_BASE, base);
}

void vhu_case_base_twice(struct vhu_trial *trial)
{
	unsigned i = trial->request_ring;
	uint32_t first, second;

	if (!vhu_trial_start(trial, 0) || !vhu_trial_serve(trial) ||
	    !vhu_trial_stop(trial, i, &first) || !vhu_trial_stop(trial, i, &second))
		return;
	if (first != second)
		vhu_trial_fail(trial, "the base was %u, then %u", first, second);
}

void vhu_case_stop_and_go(struct vhu_trial *trial)
{
	unsigned i = trial->request_ring;
	uint32_t base;

	if (!vhu_trial_start(trial, 0) || !vhu_trial_serve(trial) || !vhu_trial_serve(trial) ||
	    !vhu_trial_stop(trial, i, &base))
		return;
	if (base != trial->ring[i].avail) {
		vhu_trial_fail(trial, "stopped at %u after %u requests", base,
			       trial->ring[i].avail);
		return;
	}
	if (vhu_trial_set_up(trial, i, base) && vhu_trial_enable(trial, i, true))
		vhu_trial_serve(trial);
}

void vhu_case_poll_kick(struct vhu_trial *trial)
{
	struct vhu_probe_ring *ring = &trial->ring[trial->request_ring];

	close(ring->kick);
	ring->kick = -1;
	if (vhu_trial_start(trial, 0))
		vhu_trial_serve(trial);
}

void vhu_case_poll_call(struct vhu_trial *trial)
{
	struct vhu_probe_ring *ring = &trial->ring[trial->request_ring];

	close(ring->call);
	ring->call = -1;
	if (vhu_trial_start(trial, 0))
		vhu_trial_serve(trial);
}

void vhu_case_call_replaced(struct vhu_trial *trial)
{
	unsigned i = trial->request_ring;

	if (!vhu_trial_start(trial, 0) || !vhu_trial_serve(trial))
		return;
	close(trial->ring[i].call);
	trial->ring[i].call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (trial->ring[i].call < 0)
		vhu_trial_skip(trial, "no eventfd here");
	else if (vhu_trial_set_fd(trial, VHU_MSG_SET_VRING_CALL, i, trial->ring[i].call))
		vhu_trial_serve(trial);
}

void vhu_case_kick_replaced(struct vhu_trial *trial)
{
	unsigned i = trial->request_ring;

	if (!vhu_trial_start(trial, 0) || !vhu_trial_serve(trial))
		return;
	close(trial->ring[i].kick);
	trial->ring[i].kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (trial->ring[i].kick < 0)
		vhu_trial_skip(trial, "no eventfd here");
	else if (vhu_trial_set_fd(trial, VHU_MSG_SET_VRING_KICK, i, trial->ring[i].kick))
		vhu_trial_serve(trial);
}

void vhu_case_enable_order(struct vhu_trial *trial)
{
	bool good = vhu_trial_greet(trial, 0) && vhu_trial_share(trial);

	for (unsigned i = 0; good && i < trial->rings; i++)
		good = vhu_trial_set_up(trial, i, 0);
	for (unsigned i = trial->rings; good && i > 0; i--)
		good = vhu_trial_enable(trial, i - 1, true);
	if (good && vhu_trial_set_status(
			trial, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
				   VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK))
		vhu_trial_serve(trial);
}

void vhu_case_features_again(struct vhu_trial *trial)
{
	if (vhu_trial_start(trial, 0) && vhu_trial_serve(trial) &&
	    vhu_trial_set_features(trial, trial->features))
		vhu_trial_serve(trial);
}

/* Have writes logged in @log. */
static bool set_log(struct vhu_trial *trial, int log)
{
	struct vhu_probe_message message, reply;

	vhu_probe_begin(&message, VHU_MSG_SET_LOG_BASE, VHU_LAYOUT_log);
	vhu_probe_put(&message, VHU_FIELD_log_size, LOG_SIZE);
	message.fd[message.fds++] = log;
	if (vhu_probe_ask(trial->wire, &message, &reply))
		return vhu_trial_fail_wire(trial);
	vhu_probe_drop(&reply);
	return true;
}

/* Set or clear LOG_ALL, and LOG of each ring's addresses, as a front-end does in migration. */
static bool set_logging(struct vhu_trial *trial, bool log)
{
	const uint64_t all = UINT64_C(1) << VHU_F_LOG_ALL;
	bool good =
	    vhu_trial_set_features(trial, log ? trial->features | all : trial->features & ~all);

	for (unsigned i = 0; good && i < trial->rings; i++)
		good = vhu_trial_set_addresses(trial, i, VHU_PROBE_USER,
					       log ? 1u << VHOST_VRING_F_LOG : 0);
	return good;
}

/* Look whether the write to the used area was logged. */
static bool is_logged(struct vhu_trial *trial, const uint8_t *log)
{
	const struct vhu_probe_ring *ring = &trial->ring[trial->request_ring];
	uint64_t page = (VHU_PROBE_GUEST + vhu_probe_ring_areas(ring).used) / LOG_PAGE;

	if (!trial->has_request)
		return true;
	return (__atomic_load_n(&log[page / 8], __ATOMIC_ACQUIRE) >> page % 8 & 1) ||
	       vhu_trial_fail(trial, "a write to the used area was not logged");
}

/* Log, stop logging, all while rings run. */
static void log_and_back(struct vhu_trial *trial, int fd, const uint8_t *log)
{
	if (vhu_trial_start(trial, 0) && vhu_trial_serve(trial) && set_log(trial, fd) &&
	    set_logging(trial, true) && vhu_trial_serve(trial) && is_logged(trial, log) &&
	    set_logging(trial, false))
		vhu_trial_serve(trial);
}

void vhu_case_features_log(struct vhu_trial *trial)
{
	int fd = memfd_create("vhu probe log", MFD_CLOEXEC);
	void *log = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, LOG_SIZE))
		log = mmap(NULL, LOG_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (log == MAP_FAILED)
		vhu_trial_skip(trial, "no memory for a log here: %s", strerror(errno));
	else
		log_and_back(trial, fd, log);
	if (log != MAP_FAILED)
		munmap(log, LOG_SIZE);
	if (fd >= 0)
		close(fd);
}

/* Start the rings of a device that was reset, from their beginning. */
static void start_again(struct vhu_trial *trial)
{
	bool good = true;

	for (unsigned i = 0; good && i < trial->rings; i++)
		good = vhu_trial_ring_anew(trial, i);
	if (good && vhu_trial_drive(trial))
		vhu_trial_serve(trial);
}

/* Start all rings, have a request served, stop them. */
static bool run_and_stop(struct vhu_trial *trial)
{
	bool good = vhu_trial_start(trial, 0) && vhu_trial_serve(trial);
	uint32_t base;

	for (unsigned i = 0; good && i < trial->rings; i++)
		good = vhu_trial_stop(trial, i, &base);
	return good;
}

void vhu_case_status_reset(struct vhu_trial *trial)
{
	uint64_t status = 0;

	if (!run_and_stop(trial) || !vhu_trial_set_status(trial, 0) ||
	    !vhu_trial_ask(trial, VHU_MSG_GET_STATUS, VHU_FIELD_status_status, &status))
		return;
	if (status != 0)
		vhu_trial_fail(trial, "the status is 0x%llx after it was set to 0",
			       (unsigned long long)status);
	else
		start_again(trial);
}

/* Reset the device. */
static bool reset_device(struct vhu_trial *trial)
{
	struct vhu_probe_message message;

	vhu_probe_begin(&message, VHU_MSG_RESET_DEVICE, VHU_LAYOUT_none);
	/* The answer to what comes after it tells that it was done. */
	return vhu_trial_set(trial, &message) &&
	       vhu_trial_ask(trial, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features,
			     &(uint64_t){0});
}

void vhu_case_reset_device(struct vhu_trial *trial)
{
	if (run_and_stop(trial) && reset_device(trial))
		start_again(trial);
}

void vhu_case_reset_running(struct vhu_trial *trial)
{
	if (vhu_trial_start(trial, 0) && vhu_trial_serve(trial) && reset_device(trial))
		start_again(trial);
}

void vhu_case_reconnect(struct vhu_trial *trial)
{
	bool good = vhu_trial_start(trial, 0) && vhu_trial_serve(trial);
	uint64_t features;

	vhu_probe_disconnect(trial->wire);
	if (!good || !vhu_trial_memory_anew(trial) || !vhu_trial_start(trial, 0) ||
	    !vhu_trial_serve(trial) ||
	    !vhu_trial_ask(trial, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features, &features))
		return;
	if (features != trial->facts->features)
		vhu_trial_fail(trial, "features are 0x%llx, they were 0x%llx",
			       (unsigned long long)features,
			       (unsigned long long)trial->facts->features);
	else if (trial->offered != trial->facts->protocol_features)
		vhu_trial_fail(trial, "protocol features are 0x%llx, they were 0x%llx",
			       (unsigned long long)trial->offered,
			       (unsigned long long)trial->facts->protocol_features);
}
