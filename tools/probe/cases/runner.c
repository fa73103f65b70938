/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run of cases, and the look at the back-end after each.
 *
 * A back-end that serves one front-end ends with each connection. Where it is ours it is started
 * again, and how it ended after a front-end that did no wrong tells how it ends when nothing is
 * wrong with it.
 */
#include "tools/probe/cases/runner.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/protocol/text.h"
#include "lib/session/rules/table.h"
#include "lib/util/util.h"
#include "tools/probe/cases/cases.h"

/* How long a back-end of ours may take to end after its front-end went, before it is asked whether
 * it serves another. */
#define ENDS_MS 300

static const struct vhu_probe_case cases[] = {
#define VHU_PROBE_CASE(function, name_, title_, rule_, section_, protocol, virtio, rings_,         \
		       request_, hostile_)                                                         \
	{                                                                                          \
	    .name = name_,                                                                         \
	    .title = title_,                                                                       \
	    .rule = rule_,                                                                         \
	    .section = section_,                                                                   \
	    .needs_protocol = protocol,                                                            \
	    .needs_features = virtio,                                                              \
	    .needs_rings = rings_,                                                                 \
	    .needs_request = request_,                                                             \
	    .hostile = hostile_,                                                                   \
	    .run = vhu_case_##function,                                                            \
	},
#include "tools/probe/cases/cases.def"
};
#define CASES VHU_ARRAY_SIZE(cases)

_Static_assert(CASES <= 64, "a selection has a bit for each case");

int vhu_probe_select(struct vhu_probe_selection *selection, const char *name)
{
	for (unsigned i = 0; i < CASES; i++) {
		if (strcmp(name, cases[i].name))
			continue;
		selection->cases |= UINT64_C(1) << i;
		return 0;
	}
	return -ENOENT;
}

const char *vhu_probe_case_hint(const char *name, char to[VHU_NEAR_MAX])
{
	struct vhu_near near = {.word = name};

	for (unsigned i = 0; i < CASES; i++)
		vhu_near_look(&near, cases[i].name);
	if (!near.name)
		return "; --list shows all";
	return vhu_near_hint(&near, to);
}

void vhu_probe_list(FILE *to)
{
	for (unsigned i = 0; i < CASES; i++)
		fprintf(to, "%-18s %s\n", cases[i].name, cases[i].title);
}

/* Return the rule of that number, or NULL. */
static const struct vhu_rule *rule_of(unsigned id)
{
	for (unsigned i = 0; i < VHU_RULES; i++)
		if (id && vhu_rules[i].id == id)
			return &vhu_rules[i];
	return NULL;
}

/* Look whether a case makes sense for what the back-end offers; says where it does not. */
static bool applies(struct vhu_fixture *fixture, const struct vhu_probe_case *the_case)
{
	const struct vhu_context context = vhu_probe_context(fixture->facts);
	uint64_t lacks = the_case->needs_features & ~fixture->facts->features;
	enum vhu_names_id set = VHU_NAMES_virtio_features;
	char names[128];

	if (!lacks) {
		lacks = the_case->needs_protocol & ~fixture->facts->protocol_features;
		set = VHU_NAMES_protocol_features;
	}
	if (lacks) {
		vhu_bits_text(set, lacks, &context, names, sizeof(names));
		return vhu_fixture_skip(fixture, "%s is not offered", names);
	}
	if (the_case->needs_rings > fixture->rings)
		return vhu_fixture_skip(fixture, "it has one ring");
	if (the_case->needs_request && !fixture->has_request)
		return vhu_fixture_skip(fixture, fixture->device
						     ? "no request to its device is known"
						     : "its device is not known: say --device");
	return true;
}

/* Take what the rules of a session found wrong with the back-end's messages. */
static void take_findings(struct vhu_fixture *fixture, const struct vhu_probe_log *log)
{
	struct vhu_probe_verdict *verdict = fixture->verdict;

	for (unsigned i = 0; i < log->findings; i++) {
		const struct vhu_finding *finding = &log->finding[i];
		/* It may end what we began badly. */
		bool end = finding->rule == &vhu_rules[VHU_RULE_AT_402] ||
			   finding->rule == &vhu_rules[VHU_RULE_AT_411];

		if (finding->rule->severity == VHU_INFO || (verdict->the_case->hostile && end) ||
		    verdict->result != VHU_PROBE_PASSED)
			continue;
		verdict->result = VHU_PROBE_FAILED;
		verdict->kind = VHU_PROBE_VIOLATES;
		verdict->rule = finding->rule;
		snprintf(verdict->text, sizeof(verdict->text), "%s", finding->text);
	}
}

/* Say that the back-end did not survive a case, whatever was said before. */
static void lost(struct vhu_probe_verdict *verdict, const char *how)
{
	verdict->result = VHU_PROBE_FAILED;
	verdict->kind = verdict->the_case->hostile ? VHU_PROBE_PERISHES : VHU_PROBE_VIOLATES;
	snprintf(verdict->text, sizeof(verdict->text), "the back-end %.200s", how);
}

/* Ask a new connection for the features. Returns 0 or -errno, as in
 * tools/probe/connection/connection.h. */
static int ask_features(struct vhu_probe_connection *connection)
{
	struct vhu_probe_child *child = connection->child;
	struct vhu_message_buf message, reply;
	int error;

	/* Who has died is not to be started again here. */
	connection->child = NULL;
	error = vhu_probe_connect(connection);
	connection->child = child;
	if (error)
		return error;
	vhu_message_begin(&message, VHU_MSG_GET_FEATURES, VHU_LAYOUT_none);
	error = vhu_probe_ask(connection, &message, &reply);
	if (!error)
		vhu_message_drop(&reply);
	vhu_probe_disconnect(connection);
	return error;
}

/*
 * Look whether a back-end of ours that has ended did so as it does with each of its front-ends.
 * @usual, @how: as lives has them.
 * @hostile: to give up because of what was sent, with an error status, is all right for who gives
 * up after each front-end.
 */
static bool ended_well(const struct vhu_probe_child *child, int usual, bool hostile, char *how)
{
	vhu_probe_child_text(child, how, VHU_PROBE_TEXT_MAX);
	return child->status == usual || (hostile && usual >= 0 && WIFEXITED(child->status));
}

/*
 * Look whether the back-end lives and serves another front-end.
 * @usual: how a back-end of ours ends with its front-end, as in waitpid; -1: it does not.
 * @how: room for VHU_PROBE_TEXT_MAX bytes, what became of it where it does not.
 */
static bool lives(struct vhu_probe *probe, struct vhu_probe_child *child, int usual, bool hostile,
		  char *how)
{
	bool ours = child->argv != NULL;

	if (ours && vhu_probe_child_has_ended(child, usual < 0 ? 0 : probe->connection.timeout_ms))
		return ended_well(child, usual, hostile, how);
	if (!ask_features(&probe->connection))
		return true;
	snprintf(how, VHU_PROBE_TEXT_MAX, "does not serve another front-end: %.160s",
		 probe->connection.why);
	if (ours && vhu_probe_child_has_ended(child, probe->connection.timeout_ms))
		return ended_well(child, usual, hostile, how);
	/* What hangs serves the next case no better. */
	vhu_probe_child_end(child);
	return false;
}

/* Run one case. Returns whether another can be run after it. */
static bool run_case(struct vhu_probe *probe, struct vhu_probe_child *child, int usual,
		     struct vhu_probe_verdict *verdict)
{
	char how[VHU_PROBE_TEXT_MAX];
	struct vhu_fixture fixture;
	bool alive = true;

	vhu_probe_log_forget(&probe->log);
	if (vhu_fixture_open(&fixture, probe, verdict)) {
		vhu_fixture_skip(&fixture, "no memory or eventfds here: %s", strerror(errno));
	} else if (applies(&fixture, verdict->the_case)) {
		verdict->the_case->run(&fixture);
		vhu_probe_disconnect(&probe->connection);
		take_findings(&fixture, &probe->log);
	}
	/* A case that found that it makes no sense has said nothing to it. */
	if (verdict->result != VHU_PROBE_NOT_APPLICABLE) {
		alive = lives(probe, child, usual, verdict->the_case->hostile, how);
		if (!alive)
			lost(verdict, how);
		alive |= child->argv != NULL;
	}
	vhu_fixture_close(&fixture);
	return alive;
}

/* Find out how a back-end of ours ends when its front-end goes that did nothing wrong. Returns it
 * as waitpid does, -1 where it goes on. */
static int usual_end(struct vhu_probe *probe, struct vhu_probe_child *child)
{
	if (!child->argv)
		return -1;
	if (vhu_probe_child_has_ended(child, ENDS_MS))
		return child->status;
	/* It may be slow to end: then it does not answer. */
	if (ask_features(&probe->connection) &&
	    vhu_probe_child_has_ended(child, probe->connection.timeout_ms))
		return child->status;
	return -1;
}

/* Say that a case could not be run. @lost_at: the case that lost the back-end. */
static void not_run(struct vhu_probe_verdict *verdict, const char *lost_at)
{
	verdict->result = VHU_PROBE_NOT_RUN;
	snprintf(verdict->text, sizeof(verdict->text), "the back-end was lost at %s", lost_at);
}

unsigned vhu_probe_conform(struct vhu_probe *probe, struct vhu_probe_child *child,
			   const struct vhu_probe_selection *selection,
			   enum vhu_probe_format format, FILE *to)
{
	uint64_t all = (UINT64_C(2) << (CASES - 1)) - 1;
	uint64_t chosen = selection->cases ? selection->cases : all;
	unsigned count[VHU_PROBE_NOT_RUN + 1] = {0}, number = 0;
	int usual = usual_end(probe, child);
	const char *lost_at = NULL;

	vhu_probe_report_begin(format, to, probe, (unsigned)__builtin_popcountll(chosen));
	for (unsigned i = 0; i < CASES; i++) {
		struct vhu_probe_verdict verdict = {
		    .the_case = &cases[i],
		    .rule = rule_of(cases[i].rule),
		};
		uint64_t began = vhu_now_ms();

		if (!(chosen >> i & 1))
			continue;
		if (lost_at)
			not_run(&verdict, lost_at);
		else if (!run_case(probe, child, usual, &verdict))
			lost_at = verdict.the_case->name;
		verdict.ms = vhu_now_ms() - began;
		count[verdict.result]++;
		vhu_probe_report(format, to, ++number, &verdict);
		fflush(to);
	}
	vhu_probe_report_end(format, to, count);
	return count[VHU_PROBE_FAILED] + count[VHU_PROBE_NOT_RUN];
}
