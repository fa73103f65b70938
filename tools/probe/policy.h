/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a front-end does with a back-end's answer: the policy of the proposal, as in the
 * table of docs/standalone.md.
 */
#ifndef VHU_TOOLS_PROBE_POLICY_H
#define VHU_TOOLS_PROBE_POLICY_H

#include "tools/probe/probe.h"

/* What a front-end knows about the device beforehand. */
struct vhu_probe_expected {
	bool policy; /* it is to be compared with the answer at all */
	bool has_device, has_config_size, has_vqs;
	uint32_t device, config_size, vqs;
};

/*
 * Read what is expected: "nothing", or any of "device-id=ID", "config-size=BYTES" and "vqs=NUMBER",
 * separated by commas. An id may be a device's name.
 * @error: room for VHU_PROBE_TEXT_MAX bytes, which says what is wrong.
 * Returns 0 or -EINVAL.
 */
int vhu_probe_expect(struct vhu_probe_expected *expected, const char *text, char *error);

/*
 * Decide whether a front-end goes on with this back-end.
 * @why: room for VHU_PROBE_TEXT_MAX bytes, which says why or why not.
 * Returns whether it does.
 */
bool vhu_probe_policy(const struct vhu_probe_expected *expected,
		      const struct vhu_probe_specs *specs, char *why);

/*
 * Say that the back-end does not look like the device that was expected, though it does not say
 * what it is. @warning: room for VHU_PROBE_TEXT_MAX bytes; "" where there is nothing to say.
 */
void vhu_probe_policy_warning(const struct vhu_probe_expected *expected,
			      const struct vhu_probe_specs *specs, char *warning);

#endif
