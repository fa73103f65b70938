/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is in place of sources that speak JSON, in a build without jansson. */
#include "tools/rings/places/places.h"

int vhu_rings_places_control(const struct vhu_rings_request *request,
			     struct vhu_rings_sessions *sessions)
{
	(void)sessions;
	return vhu_fail(request->command, "built without jansson: name a capture (-r)");
}

int vhu_rings_places_qmp(const struct vhu_rings_request *request,
			 struct vhu_rings_sessions *sessions)
{
	return vhu_rings_places_control(request, sessions);
}
