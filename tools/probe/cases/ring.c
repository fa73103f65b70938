/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases of rings: how they start, stop, go on, and start again. */
#include <errno.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/probe/cases/cases.h"

/* A page of the log, which has a bit for each page of memory. */
#define LOG_SIZE  4096
#define LOG_PAGE  4096
/* Any base but 0. */
#define SOME_BASE 3

void vhu_case_base_unused(struct vhu_fixture *fixture)
{
	uint32_t base;

	if (vhu_fixture_greet(fixture, 0) && vhu_fixture_stop(fixture, 0, &base) && base != 0)
		vhu_fixture_fail(fixture, "a ring that was never set up has base %u", base);
}

void vhu_case_base_kept(struct vhu_fixture *fixture)
{
	struct vhu_message_buf message;
	uint32_t base;

	if (!vhu_fixture_greet(fixture, 0) || !vhu_fixture_share(fixture))
		return;
	vhu_message_begin(&message, VHU_MSG_SET_VRING_NUM, VHU_LAYOUT_vring_size);
	vhu_message_put(&message, VHU_FIELD_vring_size_num, VHU_PROBE_RING_SIZE);
	if (!vhu_fixture_set(fixture, &message))
		return;
	vhu_message_begin(&message, VHU_MSG_SET_VRING_BASE, VHU_LAYOUT_vring_index);
	vhu_message_put(&message, VHU_FIELD_vring_index_num, SOME_BASE);
	if (vhu_fixture_set(fixture, &message) && vhu_fixture_stop(fixture, 0, &base) &&
	    base != SOME_BASE)
		vhu_fixture_fail(fixture, "base %d was set, the reply says %u", SOME_BASE, base);
}

void vhu_case_base_twice(struct vhu_fixture *fixture)
{
	unsigned i = fixture->request_ring;
	uint32_t first, second;

	if (!vhu_fixture_start(fixture, 0) || !vhu_fixture_serve(fixture) ||
	    !vhu_fixture_stop(fixture, i, &first) || !vhu_fixture_stop(fixture, i, &second))
		return;
	if (first != second)
		vhu_fixture_fail(fixture, "the base was %u, then %u", first, second);
}

void vhu_case_stop_and_go(struct vhu_fixture *fixture)
{
	unsigned i = fixture->request_ring;
	uint32_t base;

	if (!vhu_fixture_start(fixture, 0) || !vhu_fixture_serve(fixture) ||
	    !vhu_fixture_serve(fixture) || !vhu_fixture_stop(fixture, i, &base))
		return;
	if (base != fixture->ring[i].avail) {
		vhu_fixture_fail(fixture, "stopped at %u after %u requests", base,
				 fixture->ring[i].avail);
		return;
	}
	if (vhu_fixture_set_up(fixture, i, base) && vhu_fixture_enable(fixture, i, true))
		vhu_fixture_serve(fixture);
}

void vhu_case_poll_kick(struct vhu_fixture *fixture)
{
	struct vhu_probe_ring *ring = &fixture->ring[fixture->request_ring];

	close(ring->kick);
	ring->kick = -1;
	if (vhu_fixture_start(fixture, 0))
		vhu_fixture_serve(fixture);
}

void vhu_case_poll_call(struct vhu_fixture *fixture)
{
	struct vhu_probe_ring *ring = &fixture->ring[fixture->request_ring];

	close(ring->call);
	ring->call = -1;
	if (vhu_fixture_start(fixture, 0))
		vhu_fixture_serve(fixture);
}

void vhu_case_call_replaced(struct vhu_fixture *fixture)
{
	unsigned i = fixture->request_ring;

	if (!vhu_fixture_start(fixture, 0) || !vhu_fixture_serve(fixture))
		return;
	close(fixture->ring[i].call);
	fixture->ring[i].call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fixture->ring[i].call < 0)
		vhu_fixture_skip(fixture, "no eventfd here");
	else if (vhu_fixture_set_fd(fixture, VHU_MSG_SET_VRING_CALL, i, fixture->ring[i].call))
		vhu_fixture_serve(fixture);
}

void vhu_case_kick_replaced(struct vhu_fixture *fixture)
{
	unsigned i = fixture->request_ring;

	if (!vhu_fixture_start(fixture, 0) || !vhu_fixture_serve(fixture))
		return;
	close(fixture->ring[i].kick);
	fixture->ring[i].kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fixture->ring[i].kick < 0)
		vhu_fixture_skip(fixture, "no eventfd here");
	else if (vhu_fixture_set_fd(fixture, VHU_MSG_SET_VRING_KICK, i, fixture->ring[i].kick))
		vhu_fixture_serve(fixture);
}

void vhu_case_enable_order(struct vhu_fixture *fixture)
{
	bool good = vhu_fixture_greet(fixture, 0) && vhu_fixture_share(fixture);

	for (unsigned i = 0; good && i < fixture->rings; i++)
		good = vhu_fixture_set_up(fixture, i, 0);
	for (unsigned i = fixture->rings; good && i > 0; i--)
		good = vhu_fixture_enable(fixture, i - 1, true);
	if (good && vhu_fixture_set_status(
			fixture, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
				     VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK))
		vhu_fixture_serve(fixture);
}

void vhu_case_features_again(struct vhu_fixture *fixture)
{
	if (vhu_fixture_start(fixture, 0) && vhu_fixture_serve(fixture) &&
	    vhu_fixture_set_features(fixture, fixture->features))
		vhu_fixture_serve(fixture);
}

/* Have writes logged in @log. */
static bool set_log(struct vhu_fixture *fixture, int log)
{
	struct vhu_message_buf message, reply;

	vhu_message_begin(&message, VHU_MSG_SET_LOG_BASE, VHU_LAYOUT_log);
	vhu_message_put(&message, VHU_FIELD_log_size, LOG_SIZE);
	message.fd[message.fds++] = log;
	if (vhu_probe_ask(fixture->connection, &message, &reply))
		return vhu_fixture_fail_connection(fixture);
	vhu_message_drop(&reply);
	return true;
}

/* Set or clear LOG_ALL, and LOG of each ring's addresses, as a front-end does in migration. */
static bool set_logging(struct vhu_fixture *fixture, bool log)
{
	const uint64_t all = UINT64_C(1) << VHU_F_LOG_ALL;
	bool good = vhu_fixture_set_features(fixture, log ? fixture->features | all
							  : fixture->features & ~all);

	for (unsigned i = 0; good && i < fixture->rings; i++)
		good = vhu_fixture_set_addresses(fixture, i, VHU_PROBE_USER,
						 log ? 1u << VHOST_VRING_F_LOG : 0);
	return good;
}

/* Look whether the write to the used area was logged. */
static bool is_logged(struct vhu_fixture *fixture, const uint8_t *log)
{
	const struct vhu_probe_ring *ring = &fixture->ring[fixture->request_ring];
	uint64_t page = (VHU_PROBE_GUEST + vhu_probe_ring_areas(ring).used) / LOG_PAGE;

	if (!fixture->has_request)
		return true;
	return (__atomic_load_n(&log[page / 8], __ATOMIC_ACQUIRE) >> page % 8 & 1) ||
	       vhu_fixture_fail(fixture, "a write to the used area was not logged");
}

/* Log, stop logging, all while rings run. */
static void log_and_back(struct vhu_fixture *fixture, int fd, const uint8_t *log)
{
	if (vhu_fixture_start(fixture, 0) && vhu_fixture_serve(fixture) && set_log(fixture, fd) &&
	    set_logging(fixture, true) && vhu_fixture_serve(fixture) && is_logged(fixture, log) &&
	    set_logging(fixture, false))
		vhu_fixture_serve(fixture);
}

void vhu_case_features_log(struct vhu_fixture *fixture)
{
	int fd = memfd_create("vhu probe log", MFD_CLOEXEC);
	void *log = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, LOG_SIZE))
		log = mmap(NULL, LOG_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (log == MAP_FAILED)
		vhu_fixture_skip(fixture, "no memory for a log here: %s", strerror(errno));
	else
		log_and_back(fixture, fd, log);
	if (log != MAP_FAILED)
		munmap(log, LOG_SIZE);
	if (fd >= 0)
		close(fd);
}

/* Start the rings of a device that was reset, from their beginning. */
static void start_again(struct vhu_fixture *fixture)
{
	bool good = true;

	for (unsigned i = 0; good && i < fixture->rings; i++)
		good = vhu_fixture_ring_anew(fixture, i);
	if (good && vhu_fixture_drive(fixture))
		vhu_fixture_serve(fixture);
}

/* Start all rings, have a request served, stop them. */
static bool run_and_stop(struct vhu_fixture *fixture)
{
	bool good = vhu_fixture_start(fixture, 0) && vhu_fixture_serve(fixture);
	uint32_t base;

	for (unsigned i = 0; good && i < fixture->rings; i++)
		good = vhu_fixture_stop(fixture, i, &base);
	return good;
}

void vhu_case_status_reset(struct vhu_fixture *fixture)
{
	uint64_t status = 0;

	if (!run_and_stop(fixture) || !vhu_fixture_set_status(fixture, 0) ||
	    !vhu_fixture_ask(fixture, VHU_MSG_GET_STATUS, VHU_FIELD_status_status, &status))
		return;
	if (status != 0)
		vhu_fixture_fail(fixture, "the status is 0x%llx after it was set to 0",
				 (unsigned long long)status);
	else
		start_again(fixture);
}

/* Reset the device. */
static bool reset_device(struct vhu_fixture *fixture)
{
	struct vhu_message_buf message;

	vhu_message_begin(&message, VHU_MSG_RESET_DEVICE, VHU_LAYOUT_none);
	/* The answer to what comes after it tells that it was done. */
	return vhu_fixture_set(fixture, &message) &&
	       vhu_fixture_ask(fixture, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features,
			       &(uint64_t){0});
}

void vhu_case_reset_device(struct vhu_fixture *fixture)
{
	if (run_and_stop(fixture) && reset_device(fixture))
		start_again(fixture);
}

void vhu_case_reset_running(struct vhu_fixture *fixture)
{
	if (vhu_fixture_start(fixture, 0) && vhu_fixture_serve(fixture) && reset_device(fixture))
		start_again(fixture);
}

void vhu_case_reconnect(struct vhu_fixture *fixture)
{
	bool good = vhu_fixture_start(fixture, 0) && vhu_fixture_serve(fixture);
	uint64_t features;

	vhu_probe_disconnect(fixture->connection);
	if (!good || !vhu_fixture_memory_anew(fixture) || !vhu_fixture_start(fixture, 0) ||
	    !vhu_fixture_serve(fixture) ||
	    !vhu_fixture_ask(fixture, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features, &features))
		return;
	if (features != fixture->facts->features)
		vhu_fixture_fail(fixture, "features are 0x%llx, they were 0x%llx",
				 (unsigned long long)features,
				 (unsigned long long)fixture->facts->features);
	else if (fixture->offered != fixture->facts->protocol_features)
		vhu_fixture_fail(fixture, "protocol features are 0x%llx, they were 0x%llx",
				 (unsigned long long)fixture->offered,
				 (unsigned long long)fixture->facts->protocol_features);
}
