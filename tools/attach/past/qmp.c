/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions that began before the watch, as QEMU's monitor describes them. */
#include "tools/attach/past/past.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "tools/attach/past/reconstruct.h"
#include "tools/qmp/qmp.h"
#include "tools/rings/places/places.h"
#include "tools/rings/process/process.h"

/* Add a region of memory, and its file. Returns 0 or -ENOMEM. */
static int add_region(struct vhu_past_messages *past, const struct vhu_rings_region *region)
{
	enum { BASE = 8 }; /* of the region in the message */
	struct vhu_past_message *message =
	    vhu_past_begin(past, VHU_MSG_ADD_MEM_REG, VHU_LAYOUT_single_region);
	int fd;

	if (!message)
		return -ENOMEM;
	vhu_message_put_at(&message->buf, VHU_FIELD_region_guest_address, BASE, region->guest);
	vhu_message_put_at(&message->buf, VHU_FIELD_region_size, BASE, region->size);
	vhu_message_put_at(&message->buf, VHU_FIELD_region_user_address, BASE, region->user);
	vhu_message_put_at(&message->buf, VHU_FIELD_region_mmap_offset, BASE, region->offset);
	fd = region->file.known ? vhu_rings_open_file_anywhere(&region->file) : -ENOENT;
	if (fd < 0)
		return 0;
	vhu_fdinfo_read(fd, &message->fd, message->name);
	message->has_fd = true;
	close(fd);
	return 0;
}

/* Add a vring. Returns 0 or -ENOMEM. */
static int add_vring(struct vhu_past_messages *past, const struct vhu_rings_vring *vring)
{
	struct vhu_past_message *message =
	    vhu_past_begin(past, VHU_MSG_SET_VRING_NUM, VHU_LAYOUT_vring_size);

	if (!message)
		return -ENOMEM;
	vhu_message_put(&message->buf, VHU_FIELD_vring_size_index, vring->index);
	vhu_message_put(&message->buf, VHU_FIELD_vring_size_num, vring->size);
	message = vhu_past_begin(past, VHU_MSG_SET_VRING_ADDR, VHU_LAYOUT_vring_addr);
	if (!message)
		return -ENOMEM;
	vhu_message_put(&message->buf, VHU_FIELD_vring_addr_index, vring->index);
	vhu_message_put(&message->buf, VHU_FIELD_vring_addr_descriptor, vring->descriptor);
	vhu_message_put(&message->buf, VHU_FIELD_vring_addr_available, vring->available);
	vhu_message_put(&message->buf, VHU_FIELD_vring_addr_used, vring->used);
	return vring->fd[VHU_KICK].known
		   ? vhu_past_add_kick(past, vring->index, vring->fd[VHU_KICK].id)
		   : 0;
}

/* Make the messages of a session. Returns 0 or -ENOMEM. */
static int make(struct vhu_past_messages *past, const struct vhu_rings_session *session)
{
	struct vhu_past_message *features =
	    vhu_past_begin(past, VHU_MSG_SET_FEATURES, VHU_LAYOUT_features);
	int error = features ? 0 : -ENOMEM;

	if (features)
		vhu_message_put(&features->buf, VHU_FIELD_features_features,
				session->context.features);
	if (session->context.has_protocol_features) {
		features = vhu_past_begin(past, VHU_MSG_SET_PROTOCOL_FEATURES,
					  VHU_LAYOUT_protocol_features);
		if (!features)
			return -ENOMEM;
		vhu_message_put(&features->buf, VHU_FIELD_protocol_features_protocol_features,
				session->context.protocol_features);
	}
	for (unsigned i = 0; !error && i < session->regions; i++)
		error = add_region(past, &session->region[i]);
	for (unsigned i = 0; !error && i < session->vrings; i++)
		error = add_vring(past, &session->vring[i]);
	return error;
}

/*
 * Find the only session of a QEMU that is watched.
 * @pid: QEMU. @back: the back-end, 0: any.
 * Returns 0 and in *@front its socket's address; -ENOENT without; -EMLINK: there are several.
 */
static int find_session(struct vhu_attach_run *run, uint32_t pid, uint32_t back, uint64_t *front)
{
	const struct vhu_attach_listed *socket;
	struct vhu_attach_listing listing;
	int error = vhu_attach_listing_read(run->attach, &listing);
	bool several;

	if (error)
		return error;
	socket = vhu_past_session(run, &listing, pid, back, &several);
	if (socket)
		*front = socket->socket;
	vhu_attach_listing_free(&listing);
	return socket ? 0 : several ? -EMLINK : -ENOENT;
}

/* Say what does not become known, and why. */
static void say(const struct vhu_attach_run *run, const char *why)
{
	vhu_fail(run->command, "%s: nothing is reconstructed: %s", run->request->qmp, why);
}

/* Reconstruct a session. Returns 0 or -errno. */
static int reconstruct(struct vhu_attach_run *run, const struct vhu_rings_session *session)
{
	struct vhu_past_messages past = {0};
	uint64_t front = 0;
	int error =
	    find_session(run, session->pid[VHU_RINGS_FRONT], session->pid[VHU_RINGS_BACK], &front);

	if (!error)
		error = make(&past, session);
	if (!error)
		error = vhu_past_put(run, front, &past);
	vhu_past_free(&past);
	return error;
}

/* Say why nothing could be reconstructed. */
static void say_error(const struct vhu_attach_run *run, int error)
{
	switch (error) {
	case -ENOENT:
		say(run, "no session of this QEMU is watched that began before");
		break;
	case -EMLINK:
		say(run, "several sessions of this QEMU are watched: name one by --socket");
		break;
	case -EXDEV:
		say(run, "this QEMU has several devices, and does not say which session is whose");
		break;
	default:
		say(run, strerror(-error));
		break;
	}
}

int vhu_attach_ask_qemu(struct vhu_attach_run *run)
{
	const struct vhu_rings_request request = {
	    .command = run->command, .qmp = run->request->qmp, .vring = -1};
	struct vhu_rings_sessions sessions = {0};
	int status = vhu_rings_places_qmp(&request, &sessions), error = 0;
	unsigned done = 0;

	if (status == VHU_EXIT_DONE && !sessions.count)
		say(run, "this QEMU has no vhost-user device that runs");
	for (unsigned i = 0; status == VHU_EXIT_DONE && i < sessions.count; i++) {
		const struct vhu_rings_session *session = sessions.session[i];
		const bool known = sessions.count == 1 || session->pid[VHU_RINGS_BACK];
		int ret = known ? reconstruct(run, session) : -EXDEV;

		done += !ret;
		/* That one of several devices is not watched says the least. */
		if (ret && (!error || error == -ENOENT))
			error = ret;
	}
	if (error && (!done || error != -ENOENT))
		say_error(run, error);
	vhu_rings_sessions_free(&sessions);
	return status;
}

/* Have QEMU do something. Returns whether it did. */
static bool order(struct vhu_qmp *qmp, const char *what)
{
	char question[64];
	json_t *answer;

	snprintf(question, sizeof(question), "{\"execute\":\"%s\"}\n", what);
	answer = vhu_qmp_ask(qmp, question);
	json_decref(answer);
	return answer;
}

/* Return whether the virtual machine runs. */
static bool runs(struct vhu_qmp *qmp)
{
	json_t *answer = vhu_qmp_ask(qmp, "{\"execute\":\"query-status\"}\n");
	bool running = json_is_true(json_object_get(answer, "running"));

	json_decref(answer);
	return running;
}

int vhu_attach_refresh(struct vhu_attach_run *run)
{
	uint64_t begin_ns;
	struct vhu_qmp qmp;
	int status = vhu_qmp_open(&qmp, run->command, run->request->qmp);

	if (status != VHU_EXIT_DONE)
		return status;
	if (!runs(&qmp)) {
		status =
		    vhu_qmp_fail(&qmp, "the virtual machine does not run: it is left as it is");
		vhu_qmp_close(&qmp);
		return status;
	}
	fprintf(stderr,
		"vhu attach: %s: stops the virtual machine now, and lets it go on: QEMU sets "
		"its vrings up again\n",
		run->request->qmp);
	begin_ns = vhu_now_ns();
	if (!order(&qmp, "stop"))
		status = vhu_qmp_fail(&qmp, "the virtual machine cannot be stopped");
	/* Whatever became of that, it is not to stay stopped. */
	if (!order(&qmp, "cont"))
		status =
		    vhu_qmp_fail(&qmp, "the virtual machine stays stopped: let it go on by cont");
	else if (status == VHU_EXIT_DONE)
		fprintf(stderr, "vhu attach: %s: it goes on after %" PRIu64 " ms\n",
			run->request->qmp, (vhu_now_ns() - begin_ns) / VHU_NS_PER_MS);
	vhu_qmp_close(&qmp);
	return status;
}
