/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration space, found by asking: no message of the specification reports its size, but
 * most back-ends refuse a read beyond its end.
 */
#include <errno.h>
#include <string.h>

#include "tools/probe/probe.h"

/* Where to begin when the device is not known. */
#define SIZE_LIKELY 64

void vhu_probe_note_try(struct vhu_probe_tries *tries, uint32_t size,
			enum vhu_probe_outcome outcome)
{
	if (tries->count == VHU_PROBE_TRIED_MAX)
		return;
	tries->tried[tries->count].size = size;
	tries->tried[tries->count++].outcome = outcome;
}

const char *vhu_probe_outcome_name(enum vhu_probe_outcome outcome)
{
	static const char *const name[] = {
	    [VHU_PROBE_GIVEN] = "given",
	    [VHU_PROBE_REFUSED] = "refused",
	    [VHU_PROBE_CLOSED] = "closed",
	};

	return name[outcome];
}

/*
 * Ask for @size bytes from the configuration space's beginning.
 * Returns 0 with *@given telling whether they were; or -errno as vhu_probe_run does, the connection
 * being lost.
 */
static int ask_size(struct vhu_probe *probe, uint32_t size, bool *given)
{
	const struct vhu_field *space = &vhu_fields[VHU_FIELD_config_space];
	struct vhu_message_buf message, reply;
	int error;

	vhu_message_begin(&message, VHU_MSG_GET_CONFIG, VHU_LAYOUT_config);
	message.header.size = space->offset + size;
	vhu_message_put(&message, VHU_FIELD_config_size, size);
	error = vhu_probe_question(probe, &message, &reply);
	if (error == -EPIPE)
		vhu_probe_note_try(&probe->config_tried, size, VHU_PROBE_CLOSED);
	if (error)
		return error;
	/* An error is an answer without bytes; some keep the 12 before them. */
	*given = vhu_message_get(&reply, VHU_FIELD_config_size) == size &&
		 reply.header.size == space->offset + size;
	vhu_probe_note_try(&probe->config_tried, size,
			   *given ? VHU_PROBE_GIVEN : VHU_PROBE_REFUSED);
	if (*given) {
		probe->config = reply;
		probe->has_config = true;
	}
	vhu_message_drop(&reply);
	return 0;
}

/* Ask for @size bytes where that may end the connection; then connect again. Returns as ask_size
 * does. */
static int try_size(struct vhu_probe *probe, uint32_t size, bool *given)
{
	int error = ask_size(probe, size, given);

	if (error != -EPIPE)
		return error;
	*given = false;
	return vhu_probe_greet_again(probe);
}

/*
 * Look for the largest size that is given, between @given, which is, and @refused, which is not.
 * Returns as vhu_probe_run does.
 */
static int bisect(struct vhu_probe *probe, uint32_t given, uint32_t refused)
{
	while (refused - given > 1) {
		uint32_t middle = given + (refused - given) / 2;
		bool is_given = false;
		int error = try_size(probe, middle, &is_given);

		if (error)
			return error;
		if (is_given)
			given = middle;
		else
			refused = middle;
	}
	if (given)
		probe->specs.config_size =
		    (struct vhu_probe_value){given, VHU_PROBE_BY_LOOKING, "the most it gives"};
	return 0;
}

int vhu_probe_look_at_config(struct vhu_probe *probe)
{
	const struct vhu_layout *layout = vhu_config_layout(probe->specs.device.value);
	uint32_t likely = layout ? layout->size : SIZE_LIKELY;
	bool given = false, all = false;
	int error = ask_size(probe, likely, &given);

	/* Nothing at all is given by who closes here, and what else there is to ask is not. */
	if (error || probe->one_connection)
		return error;
	if (likely < VHU_PROBE_CONFIG_MAX)
		error = try_size(probe, VHU_PROBE_CONFIG_MAX, &all);
	if (error)
		return error;
	if (!all)
		return bisect(probe, given ? likely : 0, given ? VHU_PROBE_CONFIG_MAX : likely);
	/* More than there is comes with no meaning: keep what the device has. */
	probe->config_unbounded = true;
	return given && layout ? ask_size(probe, likely, &given) : 0;
}
