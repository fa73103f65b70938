/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session: from the first message to rings that run, and to their end. */
#include <inttypes.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <sys/socket.h>
#include <unistd.h>

#include "samples/frontend/frontend.h"

#include "lib/util/util.h"

#define BIT(feature) (UINT64_C(1) << (feature))

/* What is taken if the back-end offers it; the rest goes by what is wanted. */
static const uint64_t protocol_features = BIT(VHU_PF_MQ) | BIT(VHU_PF_REPLY_ACK) |
					  BIT(VHU_PF_BACKEND_REQ) | BIT(VHU_PF_CONFIG) |
					  BIT(VHU_PF_INFLIGHT_SHMFD) | BIT(VHU_PF_RESET_DEVICE) |
					  BIT(VHU_PF_CONFIGURE_MEM_SLOTS) | BIT(VHU_PF_STATUS);

/* Return the protocol features that are wanted. */
static uint64_t wanted_protocol(const struct vhu_frontend_options *options)
{
	uint64_t features = protocol_features;

	if (options->dialect == VHU_STANDALONE)
		features |= BIT(VHU_PF_STANDALONE);
	if (options->dialect == VHU_PROBE)
		features |= BIT(VHU_PF_PROBE);
	if (options->in_band)
		features |= BIT(VHU_PF_INBAND_NOTIFICATIONS);
	if (options->log)
		features |= BIT(VHU_PF_LOG_SHMFD);
	return features & ~options->without.protocol;
}

/* Take what protocol features both have, leaving out those that lack what they depend on. */
static int negotiate_protocol(struct vhu_frontend *frontend)
{
	const struct vhu_frontend_options *options = &frontend->options;
	struct vhu_message_buf request;
	uint64_t taken;

	if (vhu_ask_for(frontend, VHU_MSG_GET_PROTOCOL_FEATURES,
			VHU_FIELD_protocol_features_protocol_features, &taken))
		return -1;
	taken &= wanted_protocol(options);
	for (unsigned bit = 0; bit < 64; bit++)
		if (vhu_protocol_feature_depends(bit, options->dialect) & ~taken)
			taken &= ~BIT(bit);
	if (options->in_band && !(taken & BIT(VHU_PF_INBAND_NOTIFICATIONS)))
		return vhu_say(frontend, "%s: the back-end has no in-band notifications",
			       options->path);
	vhu_begin(&request, VHU_MSG_SET_PROTOCOL_FEATURES);
	vhu_message_put(&request, VHU_FIELD_protocol_features_protocol_features, taken);
	if (vhu_ask(frontend, VHU_MSG_SET_PROTOCOL_FEATURES, &request))
		return -1;
	frontend->negotiated.protocol_features = taken;
	frontend->negotiated.has_protocol_features = true;
	return 0;
}

/* Return the virtio features that are wanted; the back-end must have all of them. */
static uint64_t wanted_features(const struct vhu_frontend_options *options)
{
	return BIT(VIRTIO_F_VERSION_1) | (options->packed ? BIT(VHU_F_RING_PACKED) : 0) |
	       (options->event_idx ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0) |
	       (options->indirect ? BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0) |
	       (options->iommu ? BIT(VHU_F_ACCESS_PLATFORM) : 0) |
	       (options->log ? BIT(VHU_F_LOG_ALL) : 0);
}

/* Settle the features, of virtio and of the protocol; SET_FEATURES comes later. */
static int negotiate(struct vhu_frontend *frontend)
{
	const struct vhu_frontend_options *options = &frontend->options;
	uint64_t features = wanted_features(options), offered, lacking;

	if (vhu_ask_for(frontend, VHU_MSG_GET_FEATURES, VHU_FIELD_features_features, &offered))
		return -1;
	lacking = features & ~offered;
	if (lacking) {
		const struct vhu_name *name = vhu_name_find(
		    VHU_NAMES_virtio_features, (uint64_t)__builtin_ctzll(lacking), NULL);

		return vhu_say(frontend, "%s: the back-end does not offer %s", options->path,
			       name ? name->name : "a feature that is needed");
	}
	if (offered & BIT(VHU_F_PROTOCOL_FEATURES) &&
	    !(options->without.virtio & BIT(VHU_F_PROTOCOL_FEATURES)))
		features |= BIT(VHU_F_PROTOCOL_FEATURES);
	frontend->negotiated.features = features;
	frontend->negotiated.has_features = true;
	return features & BIT(VHU_F_PROTOCOL_FEATURES) ? negotiate_protocol(frontend) : 0;
}

/* Give the back-end a channel for requests of its own. */
static int open_back_channel(struct vhu_frontend *frontend)
{
	struct vhu_message_buf request;
	int pair[2], ret;

	if (!vhu_has(frontend, VHU_PF_BACKEND_REQ))
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return vhu_say(frontend, "no socket for the back-end's channel");
	frontend->back_channel = pair[0];
	vhu_begin(&request, VHU_MSG_SET_BACKEND_REQ_FD);
	request.fd[request.fds++] = pair[1];
	ret = vhu_ask(frontend, VHU_MSG_SET_BACKEND_REQ_FD, &request);
	close(pair[1]);
	return ret;
}

/*
 * Find out which device it is. The proposal's policy: what the back-end says and what was asked
 * for must agree where there are both; where there is neither there is no device.
 */
static int identify(struct vhu_frontend *frontend)
{
	struct vhu_frontend_options *options = &frontend->options;
	uint64_t told = 0;

	if (options->dialect == VHU_STANDALONE && vhu_has(frontend, VHU_PF_STANDALONE) &&
	    vhu_ask_for(frontend, VHU_MSG_GET_BACKEND_SPECS, VHU_FIELD_backend_specs_device_id,
			&told))
		return -1;
	if (options->dialect == VHU_PROBE && vhu_has(frontend, VHU_PF_PROBE) &&
	    vhu_ask_for(frontend, VHU_MSG_GET_DEVICE_ID, VHU_FIELD_device_id_device_id, &told))
		return -1;
	if (told == 0 && options->device == 0)
		return vhu_say(frontend,
			       "%s: the back-end does not say what it is: name it with --device",
			       options->path);
	if (told != 0 && options->device != 0 && told != options->device)
		return vhu_say(frontend,
			       "%s: the back-end is virtio device %" PRIu64 ", not %" PRIu32,
			       options->path, told, options->device);
	if (told != 0)
		options->device = (uint32_t)told;
	frontend->negotiated.device = options->device;
	return 0;
}

/* Make sure that the back-end has the vrings that are wanted. */
static int check_queues(struct vhu_frontend *frontend)
{
	uint64_t queues = 1;

	if (vhu_has(frontend, VHU_PF_MQ) &&
	    vhu_ask_for(frontend, VHU_MSG_GET_QUEUE_NUM, VHU_FIELD_queue_num_queue_num, &queues))
		return -1;
	if (queues < frontend->options.queues)
		return vhu_say(frontend, "%s: the back-end has %" PRIu64 " vrings, not %u",
			       frontend->options.path, queues, frontend->options.queues);
	return 0;
}

/* Set the device's status, where the back-end has one. */
static int set_status(struct vhu_frontend *frontend, uint64_t status)
{
	struct vhu_message_buf request;

	if (!vhu_has(frontend, VHU_PF_STATUS))
		return 0;
	vhu_begin(&request, VHU_MSG_SET_STATUS);
	vhu_message_put(&request, VHU_FIELD_status_status, status);
	return vhu_ask(frontend, VHU_MSG_SET_STATUS, &request);
}

/* Set the virtio features, and see whether the device is content with them. */
static int set_features(struct vhu_frontend *frontend)
{
	const uint64_t status =
	    VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK;
	struct vhu_message_buf request;
	uint64_t got;

	if (frontend->features && frontend->features != frontend->negotiated.features)
		return vhu_say(frontend, "%s: the back-end came back with other features",
			       frontend->options.path);
	frontend->features = frontend->negotiated.features;
	vhu_begin(&request, VHU_MSG_SET_FEATURES);
	vhu_message_put(&request, VHU_FIELD_features_features, frontend->features);
	if (vhu_ask(frontend, VHU_MSG_SET_FEATURES, &request))
		return -1;
	if (!vhu_has(frontend, VHU_PF_STATUS))
		return 0;
	if (set_status(frontend, status) ||
	    vhu_ask_for(frontend, VHU_MSG_GET_STATUS, VHU_FIELD_status_status, &got))
		return -1;
	if (!(got & VIRTIO_CONFIG_S_FEATURES_OK))
		return vhu_say(frontend, "%s: the device does not accept the features",
			       frontend->options.path);
	return 0;
}

/* Send a request that has nothing to say. */
static int tell(struct vhu_frontend *frontend, enum vhu_message_id id)
{
	struct vhu_message_buf request;

	vhu_begin(&request, id);
	return vhu_ask(frontend, id, &request);
}

/* Do what is done once, when it is known what the back-end is. */
static int first_time(struct vhu_frontend *frontend)
{
	const struct vhu_load_kind *const kinds[] = {&vhu_load_rng, &vhu_load_blk};

	for (size_t i = 0; i < VHU_ARRAY_SIZE(kinds); i++)
		if (kinds[i]->device == frontend->options.device)
			frontend->kind = kinds[i];
	if (!frontend->kind)
		return vhu_say(frontend, "%s: no requests are known for virtio device %" PRIu32,
			       frontend->options.path, frontend->options.device);
	if (frontend->kind->look(frontend))
		return -1;
	return vhu_setup(frontend);
}

int vhu_session_begin(struct vhu_frontend *frontend)
{
	frontend->negotiated = (struct vhu_context){.dialect = frontend->options.dialect};
	if (negotiate(frontend) || tell(frontend, VHU_MSG_SET_OWNER) ||
	    open_back_channel(frontend) || check_queues(frontend) || identify(frontend))
		return -1;
	if (!frontend->kind && first_time(frontend))
		return -1;
	/* Share the log before the features: these begin the logging. */
	if (vhu_share_log(frontend) || set_features(frontend) || vhu_share_memory(frontend) ||
	    vhu_share_translations(frontend) || vhu_share_inflight(frontend) ||
	    vhu_start_rings(frontend))
		return -1;
	return set_status(frontend, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
					VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}

/* Stop one ring; it must stand where we have made available up to. */
static int stop_ring(struct vhu_frontend *frontend, const struct vhu_queue *queue)
{
	const struct vhu_driver_vring *vring = &queue->vring;
	struct vhu_message_buf request;
	uint64_t told;

	vhu_begin(&request, VHU_MSG_GET_VRING_BASE);
	vhu_message_put(&request, VHU_FIELD_vring_index_index, queue->index);
	if (vhu_ask(frontend, VHU_MSG_GET_VRING_BASE, &request))
		return -1;
	told = vhu_message_get(&frontend->answer, frontend->options.packed
						      ? VHU_FIELD_vring_base_packed_avail
						      : VHU_FIELD_vring_base_split_avail);
	if (told != vring->avail_index)
		return vhu_say(frontend, "vring %u: the back-end stopped at %" PRIu64 ", not at %u",
			       queue->index, told, vring->avail_index);
	return 0;
}

int vhu_session_end(struct vhu_frontend *frontend)
{
	for (unsigned i = 0; i < frontend->options.queues; i++)
		if (stop_ring(frontend, &frontend->queue[i]))
			return -1;
	return set_status(frontend, 0);
}
