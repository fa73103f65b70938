/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The metrics there are. */
#include <inttypes.h>
#include <string.h>

#include "lib/metrics/text.h"
#include "lib/util/util.h"
#include "proxy/control/exposition/exposition.h"
#include "proxy/control/status.h"

static void build(struct vhu_exposition *exposition)
{
	fprintf(exposition->to, "vhu_build_info{version=\"%s\"} 1\n", VHU_VERSION);
}

static void start_time(struct vhu_exposition *exposition)
{
	fprintf(exposition->to, "vhu_start_time_seconds %.3f\n",
		(double)exposition->proxy->started_ns / 1e9);
}

static void pairs(struct vhu_exposition *exposition)
{
	fprintf(exposition->to, "vhu_pairs %u\n", exposition->proxy->pairs);
}

/* Write a counter of the proxy. */
static void put(struct vhu_exposition *exposition, const char *name, uint64_t value)
{
	fprintf(exposition->to, "%s_total %" PRIu64 "\n", name, value);
}

static void records(struct vhu_exposition *exposition)
{
	put(exposition, "vhu_capture_records", exposition->capture.records);
}

static void records_lost(struct vhu_exposition *exposition)
{
	put(exposition, "vhu_capture_records_lost", exposition->capture.lost);
}

static void capture_bytes(struct vhu_exposition *exposition)
{
	put(exposition, "vhu_capture_bytes", exposition->capture.bytes);
}

static void capture_files(struct vhu_exposition *exposition)
{
	put(exposition, "vhu_capture_files", exposition->capture.files);
}

static void dumps(struct vhu_exposition *exposition)
{
	put(exposition, "vhu_flight_recorder_dumps", exposition->capture.dumps);
}

static void faults(struct vhu_exposition *exposition)
{
	for (const struct vhu_fault *fault = exposition->proxy->faults.first; fault;
	     fault = fault->next)
		fprintf(exposition->to, "vhu_faults_applied_total{fault=\"%u\"} %" PRIu64 "\n",
			fault->id, fault->applied);
}

static void left_out(struct vhu_exposition *exposition)
{
	fprintf(exposition->to, "vhu_metrics_left_out %" PRIu64 "\n", exposition->left_out);
}

static void sessions_open(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	fprintf(exposition->to, "vhu_sessions_open{pair=\"%s\"} %u\n", exposition->pair,
		pair->sessions.open);
}

static void sessions_opened(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	const struct vhu_metrics *metrics = pair->sessions.metrics;

	fprintf(exposition->to, "vhu_sessions_opened_total{pair=\"%s\"} %" PRIu64 "\n",
		exposition->pair, metrics ? metrics->opened : 0);
}

static void sessions_failed(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	const struct vhu_metrics *metrics = pair->sessions.metrics;

	fprintf(exposition->to, "vhu_sessions_failed_total{pair=\"%s\"} %" PRIu64 "\n",
		exposition->pair, metrics ? metrics->failed : 0);
}

static void sessions_ended(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	static const char *const reason[VHU_METRICS_ENDS] = {
	    [VHU_METRICS_FRONT_END_CLOSED] = "front-end closed",
	    [VHU_METRICS_BACK_END_CLOSED] = "back-end closed",
	    [VHU_METRICS_REQUESTED] = "requested",
	    [VHU_METRICS_FAILED] = "failed",
	};
	const struct vhu_metrics *metrics = pair->sessions.metrics;

	/* All of them from the start: who compares with the time before finds 0 there. */
	for (unsigned i = 0; i < VHU_METRICS_ENDS; i++)
		fprintf(exposition->to,
			"vhu_sessions_ended_total{pair=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
			exposition->pair, reason[i], metrics ? metrics->ended[i] : 0);
}

static void oldest_request(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	const uint64_t now_ns = vhu_now_ns();
	struct vhu_status status;
	uint64_t waits_ns = 0;

	for (const struct vhu_proxy_session *session = pair->sessions.first; session;
	     session = session->next) {
		vhu_status_gather(&status, session);
		if (status.waits && now_ns - status.waits->time_ns > waits_ns)
			waits_ns = now_ns - status.waits->time_ns;
	}
	fprintf(exposition->to, "vhu_oldest_request_seconds{pair=\"%s\"} %.6f\n", exposition->pair,
		(double)waits_ns / 1e9);
}

/* Write a counter of a pair, by the side that sends. */
static void put_sides(struct vhu_exposition *exposition, const char *name, const uint64_t value[2])
{
	for (enum vhu_side side = VHU_FRONT; side <= VHU_BACK; side++)
		fprintf(exposition->to, "%s_total{pair=\"%s\",from=\"%s\"} %" PRIu64 "\n", name,
			exposition->pair, vhu_side_name(side), value[side]);
}

static void bytes(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	if (pair->sessions.metrics)
		put_sides(exposition, "vhu_message_bytes", pair->sessions.metrics->bytes);
}

static void descriptors(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	if (pair->sessions.metrics)
		put_sides(exposition, "vhu_descriptors", pair->sessions.metrics->fds);
}

/* Write the labels of a message of number @at, without the brace at their end. A number that means
 * different messages by dialect has all of their names: sessions of one pair may differ. */
static void put_message(struct vhu_exposition *exposition, enum vhu_channel channel, unsigned at)
{
	const struct vhu_message *row[VHU_DIALECTS];
	unsigned rows = 0;

	fprintf(exposition->to, "{pair=\"%s\",channel=\"%s\",message=\"", exposition->pair,
		vhu_channel_name(channel));
	if (at < VHU_METRICS_IDS)
		rows = vhu_message_find(channel, at, VHU_ANY, row);
	for (unsigned i = 0; i < rows; i++)
		fprintf(exposition->to, "%s%s", i ? " or " : "", row[i]->name);
	if (!rows && at < VHU_METRICS_IDS)
		fprintf(exposition->to, "%u", at);
	else if (!rows)
		fputs("other", exposition->to);
	fputc('"', exposition->to);
}

static void messages(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	const struct vhu_metrics *metrics = pair->sessions.metrics;

	for (unsigned channel = 0; metrics && channel < VHU_CHANNELS; channel++) {
		for (unsigned i = 0; i <= VHU_METRICS_IDS; i++) {
			const struct vhu_metrics_message *message = &metrics->message[channel][i];
			const enum vhu_side asker = vhu_replies_asker((enum vhu_channel)channel);
			const uint64_t sent[2] = {
			    asker == VHU_FRONT ? message->requests : message->replies,
			    asker == VHU_FRONT ? message->replies : message->requests,
			};

			for (enum vhu_side side = VHU_FRONT; side <= VHU_BACK; side++) {
				if (!sent[side])
					continue;
				fputs("vhu_messages_total", exposition->to);
				put_message(exposition, (enum vhu_channel)channel, i);
				fprintf(exposition->to, ",from=\"%s\"} %" PRIu64 "\n",
					vhu_side_name(side), sent[side]);
			}
		}
	}
}

/* A message, for its labels. */
struct message_labels {
	struct vhu_exposition *exposition;
	enum vhu_channel channel;
	unsigned at;
};

/* Write the labels of a message. */
static void put_message_labels(FILE *to, const void *with)
{
	const struct message_labels *labels = with;

	(void)to;
	put_message(labels->exposition, labels->channel, labels->at);
}

static void replies(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	const struct vhu_metrics *metrics = pair->sessions.metrics;

	for (unsigned channel = 0; metrics && channel < VHU_CHANNELS; channel++)
		for (unsigned i = 0; i <= VHU_METRICS_IDS; i++) {
			const struct message_labels with = {exposition, (enum vhu_channel)channel,
							    i};
			const struct vhu_metrics_labels labels = {put_message_labels, &with};

			if (metrics->message[channel][i].waited)
				vhu_metrics_put_times(exposition->to, "vhu_reply_seconds",
						      metrics->message[channel][i].waited, &labels,
						      exposition->open_metrics);
		}
}

/* Write a counter of each vring of a pair. @lost: signals that faults lost, else all. */
static void put_signals(struct vhu_exposition *exposition, const struct vhu_pair *pair,
			const char *name, enum vhu_vring_role role, bool lost)
{
	if (pair->sessions.metrics)
		vhu_metrics_put_signals(exposition->to, exposition->pair,
					&pair->sessions.metrics->vrings, name, role, lost);
}

static void kicks(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	put_signals(exposition, pair, "vhu_kicks", VHU_KICK, false);
}

static void kicks_lost(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	put_signals(exposition, pair, "vhu_kicks_lost", VHU_KICK, true);
}

static void calls(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	put_signals(exposition, pair, "vhu_calls", VHU_CALL, false);
}

static void calls_lost(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	put_signals(exposition, pair, "vhu_calls_lost", VHU_CALL, true);
}

static void errors(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	put_signals(exposition, pair, "vhu_vring_errors", VHU_ERR, false);
}

static void kick_to_call(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	if (pair->sessions.metrics)
		vhu_metrics_put_kick_to_call(exposition->to, exposition->pair,
					     &pair->sessions.metrics->vrings,
					     exposition->open_metrics);
}

static void stalled(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	static const struct vhu_metrics_vrings none;

	vhu_metrics_put_stalled(exposition->to, exposition->pair,
				pair->sessions.metrics ? &pair->sessions.metrics->vrings : &none);
}

static void stalls(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	if (pair->sessions.metrics)
		vhu_metrics_put_stalls(exposition->to, exposition->pair,
				       &pair->sessions.metrics->vrings);
}

static void findings(struct vhu_exposition *exposition, const struct vhu_pair *pair)
{
	const struct vhu_metrics *metrics = pair->sessions.metrics;

	for (unsigned i = 0; metrics && metrics->found && i < VHU_RULES; i++) {
		if (!metrics->found[i])
			continue;
		fprintf(exposition->to,
			"vhu_findings_total{pair=\"%s\",rule=\"V%u\",name=\"%s\",severity=\"%s\"} "
			"%" PRIu64 "\n",
			exposition->pair, vhu_rules[i].id, vhu_rules[i].name,
			vhu_severity_name(vhu_rules[i].severity), metrics->found[i]);
	}
}

const struct vhu_exposition_family vhu_exposition_families[] = {
    {"vhu_build_info", "gauge", "The version of vhu.", .of_proxy = build},
    {"vhu_start_time_seconds", "gauge", "When the proxy started, in seconds since 1970.",
     .of_proxy = start_time},
    {"vhu_pairs", "gauge", "Pairs that the proxy serves.", .of_proxy = pairs},
    {"vhu_capture_records", "counter", "Records in the capture.", .of_proxy = records},
    {"vhu_capture_records_lost", "counter", "Records that could not be written.",
     .of_proxy = records_lost},
    {"vhu_capture_bytes", "counter", "Bytes of capture files.", .of_proxy = capture_bytes},
    {"vhu_capture_files", "counter", "Capture files begun.", .of_proxy = capture_files},
    {"vhu_flight_recorder_dumps", "counter", "Times that the flight recorder was written out.",
     .of_proxy = dumps},
    {"vhu_faults_applied", "counter", "Messages and signals that a fault changed.",
     .of_proxy = faults},
    {"vhu_sessions_open", "gauge", "Sessions that are open.", .of_pair = sessions_open},
    {"vhu_sessions_opened", "counter", "Sessions that began.", .of_pair = sessions_opened},
    {"vhu_sessions_failed", "counter", "Sessions that could not begin: a side was not reached.",
     .of_pair = sessions_failed},
    {"vhu_sessions_ended", "counter", "Sessions that ended, by reason.", .of_pair = sessions_ended},
    {"vhu_oldest_request_seconds", "gauge",
     "How long the oldest request waits that must be answered; 0: none does.",
     .of_pair = oldest_request},
    {VHU_METRICS_STALLED, .of_pair = stalled},
    {VHU_METRICS_STALLS, .of_pair = stalls},
    {"vhu_findings", "counter", "Rules of vhu check that were broken, with --findings.", true,
     .of_pair = findings},
    {"vhu_message_bytes", "counter", "Bytes of messages passed on, by sender.", .of_pair = bytes},
    {"vhu_descriptors", "counter", "File descriptors passed on, by sender.",
     .of_pair = descriptors},
    {"vhu_messages", "counter", "Messages passed on, by name and sender.", true,
     .of_pair = messages},
    {"vhu_reply_seconds", "histogram", "Time from a request to its reply, by message.", true,
     .of_pair = replies},
    {VHU_METRICS_KICKS, true, .of_pair = kicks},
    {"vhu_kicks_lost", "counter", "Kicks that a fault lost, by vring.", true,
     .of_pair = kicks_lost},
    {VHU_METRICS_CALLS, true, .of_pair = calls},
    {"vhu_calls_lost", "counter", "Calls that a fault lost, by vring.", true,
     .of_pair = calls_lost},
    {"vhu_vring_errors", "counter", "Errors signalled by a back-end, by vring.", true,
     .of_pair = errors},
    {VHU_METRICS_KICK_TO_CALL, true, .of_pair = kick_to_call},
    {"vhu_metrics_left_out", "gauge", "Metrics left out of this answer, which was too long.",
     .of_proxy = left_out},
    {0},
};
