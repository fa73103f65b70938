/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be asked on the control socket about faults: what the proxy changes of what passes. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "proxy/control/request.h"

/* Return the faults of the proxy that is asked. */
static struct vhu_faults *request_faults(const struct vhu_request *request)
{
	return &request->from->control->proxy->faults;
}

/* Take the number of a fault; 0 where it is not told. Returns 0, or -EINVAL with why. */
static int request_fault_number(struct vhu_request *request, unsigned *number)
{
	uint64_t told;

	if (vhu_request_number(request, "number", &told))
		return -EINVAL;
	if (told > UINT_MAX)
		return vhu_request_fail(request, "no fault %" PRIu64, told);
	*number = (unsigned)told;
	return 0;
}

int vhu_request_faults(struct vhu_request *request)
{
	const struct vhu_fault *fault = request_faults(request)->first;

	if (request->text) {
		if (vhu_request_open_text(request))
			return -EINVAL;
		for (; fault; fault = fault->next)
			fprintf(request->lines,
				"%u: %s (applied %" PRIu64 " of %" PRIu64 " times)\n", fault->id,
				fault->text, fault->applied, fault->matched);
		return vhu_request_put_text(request);
	}
	vhu_json_array(&request->json, "faults");
	for (; fault; fault = fault->next) {
		vhu_json_object(&request->json, NULL);
		vhu_json_unsigned(&request->json, "number", fault->id);
		vhu_json_string(&request->json, "fault", fault->text);
		vhu_json_unsigned(&request->json, "matched", fault->matched);
		vhu_json_unsigned(&request->json, "applied", fault->applied);
		vhu_json_object_end(&request->json);
	}
	vhu_json_array_end(&request->json);
	return 0;
}

int vhu_request_faults_add(struct vhu_request *request)
{
	const char *fault = vhu_request_string(request, "fault");
	char error[VHU_FAULT_ERROR];
	int added;

	if (!fault)
		return vhu_request_fail(request, "\"fault\" is no string");
	added = vhu_faults_add(request_faults(request), fault, error);
	if (added < 0)
		return vhu_request_fail(request, "%s", error);
	if (!request->from->control->proxy->notify &&
	    vhu_faults_speak_of_signals(request_faults(request))) {
		vhu_faults_remove(request_faults(request), (unsigned)added);
		return vhu_request_fail(request,
					"kicks and calls do not pass this proxy: start it with "
					"--interpose-eventfds");
	}
	vhu_json_unsigned(&request->json, "added", (uint64_t)added);
	return request->text ? vhu_request_say(request, "fault %d added\n", added) : 0;
}

int vhu_request_faults_remove(struct vhu_request *request)
{
	unsigned number = 0;

	if (request_fault_number(request, &number))
		return -EINVAL;
	if (vhu_faults_remove(request_faults(request), number))
		return vhu_request_fail(request, "no fault %u", number);
	vhu_json_unsigned(&request->json, "removed", number);
	return request->text ? vhu_request_say(request, "fault %u removed\n", number) : 0;
}

int vhu_request_faults_clear(struct vhu_request *request)
{
	unsigned count = request_faults(request)->count;

	vhu_faults_clear(request_faults(request));
	vhu_json_unsigned(&request->json, "removed", count);
	return request->text
		   ? vhu_request_say(request, "%u fault%s removed\n", count, count == 1 ? "" : "s")
		   : 0;
}

int vhu_request_faults_release(struct vhu_request *request)
{
	uint64_t session;
	unsigned number = 0, released;

	if (vhu_request_number(request, "session", &session) ||
	    request_fault_number(request, &number))
		return -EINVAL;
	released = vhu_faults_release(request_faults(request), session, number);
	vhu_json_unsigned(&request->json, "released", released);
	return request->text ? vhu_request_say(request, "%u message%s let go\n", released,
					       released == 1 ? "" : "s")
			     : 0;
}
