/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases of notifications: kicks that come early, are not read, are not asked for; and descriptors
 * that stay. */
#include <dirent.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <string.h>

#include "lib/util/util.h"
#include "proxy/core/fdinfo.h"
#include "tools/probe/cases/cases.h"

/* Requests; after each of them the back-end must ask for the next kick. */
#define REQUESTS 4
#define RESETS   20
/* Between two looks at the available event. */
#define LOOK_MS  1

void vhu_case_kick_early(struct vhu_fixture *fixture)
{
	bool good = vhu_fixture_greet(fixture, 0) && vhu_fixture_share(fixture);

	for (unsigned i = 0; good && i < fixture->rings; i++)
		good = vhu_fixture_set_up(fixture, i, 0);
	if (good)
		vhu_probe_ring_submit(&fixture->ring[fixture->request_ring], fixture->device);
	for (unsigned i = 0; good && i < fixture->rings; i++)
		good = vhu_fixture_enable(fixture, i, true);
	if (good && vhu_fixture_set_status(
			fixture, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
				     VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK))
		vhu_fixture_wait(fixture);
}

void vhu_case_kick_read(struct vhu_fixture *fixture)
{
	const struct vhu_probe_ring *ring = &fixture->ring[fixture->request_ring];

	if (!vhu_fixture_start(fixture, 0) || !vhu_fixture_serve(fixture))
		return;
	if (vhu_probe_ring_forgoes_kicks(ring))
		vhu_fixture_note(fixture, "polls, and says that it wants no kicks");
	else if (!vhu_probe_ring_is_read(ring, fixture->connection->timeout_ms))
		vhu_fixture_fail_as(fixture, VHU_PROBE_UNWRITTEN,
				    "the request was served and its kick not read in %u ms",
				    fixture->connection->timeout_ms);
}

/* Wait until the back-end asks for the kick of the next request. Returns whether it does. */
static bool is_armed(const struct vhu_fixture *fixture, const struct vhu_probe_ring *ring)
{
	uint64_t until = vhu_now_ms() + fixture->connection->timeout_ms;

	while (vhu_probe_ring_event(ring) != ring->avail) {
		if (vhu_now_ms() >= until)
			return false;
		poll(NULL, 0, LOOK_MS);
	}
	return true;
}

void vhu_case_avail_event(struct vhu_fixture *fixture)
{
	struct vhu_probe_ring *ring = &fixture->ring[fixture->request_ring];
	char why[128];

	if (!vhu_fixture_start(fixture, UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX))
		return;
	for (unsigned i = 0; i < REQUESTS; i++) {
		const bool armed = is_armed(fixture, ring);
		const uint16_t event = vhu_probe_ring_event(ring), avail = ring->avail;

		vhu_probe_ring_place(ring, fixture->device);
		if (armed) {
			vhu_probe_ring_kick(ring);
			if (!vhu_fixture_wait(fixture))
				return;
			continue;
		}
		/* What a driver does not kick for is served by who polls alone. */
		if (!vhu_probe_ring_wait(ring, fixture->device, fixture->connection->timeout_ms,
					 why))
			vhu_fixture_note(fixture, "polls, and asks for no kicks");
		else
			vhu_fixture_fail(fixture,
					 "the available event stays at %u with %u requests done: "
					 "a driver does not kick, and the next is not served",
					 event, avail);
		return;
	}
}

/* Return how many descriptors a process has; -1 if we may not look. */
static int count_fds(uint32_t pid)
{
	char path[64];
	int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	folder = opendir(path);
	if (!folder)
		return -1;
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* Stop and reset the device as far as it can be, and start it with other eventfds. */
static bool start_anew(struct vhu_fixture *fixture)
{
	struct vhu_message_buf message;
	bool good = true;
	uint32_t base;

	for (unsigned i = 0; good && i < fixture->rings; i++)
		good = vhu_fixture_stop(fixture, i, &base) && vhu_fixture_ring_anew(fixture, i);
	if (good && vhu_probe_has(fixture->connection, VHU_PF_RESET_DEVICE)) {
		vhu_message_begin(&message, VHU_MSG_RESET_DEVICE, VHU_LAYOUT_none);
		good = vhu_fixture_set(fixture, &message);
	}
	return good && vhu_fixture_set_status(fixture, 0) && vhu_fixture_share(fixture) &&
	       vhu_fixture_drive(fixture) &&
	       /* What was set is done once something is answered. */
	       vhu_fixture_ask(fixture, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features,
			       &(uint64_t){0});
}

void vhu_case_descriptors(struct vhu_fixture *fixture)
{
	struct vhu_peer peer = {0};
	char comm[32];
	int before, after;

	/* What is opened once does not count. */
	if (!vhu_fixture_start(fixture, 0) || !start_anew(fixture))
		return;
	vhu_fdinfo_peer(fixture->connection->socket, fixture->connection->path, &peer, comm);
	before = peer.known ? count_fds(peer.pid) : -1;
	if (before < 0) {
		vhu_fixture_skip(fixture, "not permitted to list its descriptors");
		return;
	}
	for (unsigned i = 0; i < RESETS; i++)
		if (!start_anew(fixture))
			return;
	after = count_fds(peer.pid);
	if (after - before >= RESETS)
		vhu_fixture_fail_as(fixture, VHU_PROBE_UNWRITTEN,
				    "it holds %d descriptors more after %d resets, %d in place of "
				    "%d",
				    after - before, RESETS, after, before);
}
