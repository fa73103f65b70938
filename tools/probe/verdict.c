/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be thought of a back-end's answers: its dialect, and whether it is a whole device. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/protocol/text.h"
#include "tools/probe/probe.h"

struct vhu_context vhu_probe_context(const struct vhu_probe *probe)
{
	return (struct vhu_context){
	    .dialect = probe->dialect != VHU_ANY ? probe->dialect : probe->found_dialect,
	    .device = probe->specs.device.value,
	    .has_protocol_features = true,
	    .protocol_features = probe->taken,
	};
}

const char *vhu_probe_source_text(enum vhu_probe_source source)
{
	static const char *const text[] = {
	    [VHU_PROBE_NOT_KNOWN] = "not known",
	    [VHU_PROBE_BY_STANDALONE] = "told by STANDALONE",
	    [VHU_PROBE_BY_PROBE] = "told by PROBE",
	    [VHU_PROBE_BY_LOOKING] = "found by looking",
	    [VHU_PROBE_BY_USER] = "as you said",
	};

	return text[source];
}

unsigned vhu_probe_faults(const struct vhu_probe *probe)
{
	unsigned faults = 0;

	for (unsigned i = 0; i < probe->log.findings; i++)
		faults += probe->log.finding[i].rule->severity != VHU_INFO;
	return faults;
}

const char *vhu_probe_verdict_name(const struct vhu_probe *probe)
{
	return probe->standalone ? "standalone" : probe->undecided ? "unknown" : "traditional";
}

bool vhu_probe_knows_offer(const struct vhu_probe *probe)
{
	return probe->has_protocol_features ||
	       (probe->has_features && !(probe->features & VHU_PROBE_PF_BIT));
}

const char *vhu_probe_dialect_name(const struct vhu_probe *probe)
{
	if (probe->found_dialect == VHU_ANY && vhu_probe_knows_offer(probe) &&
	    !(probe->protocol_features & VHU_PROBE_BIT(STANDALONE)))
		return "any";
	return vhu_dialect_name(probe->found_dialect);
}

/* Return a protocol feature's name in a dialect. */
static const char *feature_name(unsigned bit, enum vhu_dialect dialect)
{
	const struct vhu_context context = {.dialect = dialect};
	const struct vhu_name *name = vhu_name_find(VHU_NAMES_protocol_features, bit, &context);

	return name ? name->name : "?";
}

/* Say which dialect it speaks, and what tells. */
static void judge_dialect(struct vhu_probe *probe)
{
	const uint64_t above = ~((UINT64_C(1) << (VHU_PF_STANDALONE + 1)) - 1);
	const struct vhu_context upstream = {.dialect = VHU_UPSTREAM};
	char *why = probe->dialect_why, names[160];

	if (probe->dialect != VHU_ANY && !probe->found_dialect) {
		probe->found_dialect = probe->dialect;
		snprintf(why, VHU_PROBE_TEXT_MAX, "as you said");
	} else if (probe->found_dialect == VHU_UPSTREAM && *probe->oddity) {
		snprintf(why, VHU_PROBE_TEXT_MAX, "%s", probe->oddity);
	} else if (probe->found_dialect == VHU_UPSTREAM) {
		snprintf(why, VHU_PROBE_TEXT_MAX, "%s was answered without payload",
			 vhu_messages[VHU_MSG_GET_SHARED_OBJECT].name);
	} else if (probe->found_dialect != VHU_ANY) {
		snprintf(why, VHU_PROBE_TEXT_MAX, "%s was answered",
			 vhu_messages[probe->found_dialect == VHU_PROBE ? VHU_MSG_GET_DEVICE_ID
									: VHU_MSG_GET_BACKEND_SPECS]
			     .name);
	} else if (probe->protocol_features & above) {
		probe->found_dialect = VHU_UPSTREAM;
		vhu_bits_text(VHU_NAMES_protocol_features, probe->protocol_features & above,
			      &upstream, names, sizeof(names));
		snprintf(why, VHU_PROBE_TEXT_MAX, "it offers %s", names);
	} else if (!vhu_probe_knows_offer(probe)) {
		snprintf(why, VHU_PROBE_TEXT_MAX, "its protocol features are not known");
	} else if (probe->protocol_features & VHU_PROBE_BIT(STANDALONE)) {
		snprintf(why, VHU_PROBE_TEXT_MAX,
			 "it offers bit %d, and nothing tells what that is to it: try --dialect",
			 VHU_PF_STANDALONE);
	} else {
		snprintf(why, VHU_PROBE_TEXT_MAX,
			 "none of what it offers means different things in different ones");
	}
}

/* Say what makes or prevents a whole device, where it has told what it is. */
static void judge_told(struct vhu_probe *probe)
{
	const char *how = feature_name(VHU_PF_STANDALONE, probe->found_dialect);
	bool status = probe->taken & VHU_PROBE_BIT(STATUS);
	bool config = probe->taken & VHU_PROBE_BIT(CONFIG);
	bool space = probe->specs.config_size.value != 0;
	char *why = probe->verdict;

	probe->standalone = status && (config || !space);
	if (!status || (space && !config))
		snprintf(why, VHU_PROBE_TEXT_MAX, "it offers %s without %s%s%s", how,
			 status ? "" : feature_name(VHU_PF_STATUS, VHU_ANY),
			 !status && space && !config ? " and " : "",
			 space && !config ? feature_name(VHU_PF_CONFIG, VHU_ANY) : "");
	else
		snprintf(why, VHU_PROBE_TEXT_MAX, "it says by %s what it is, and offers %s%s%s",
			 how, feature_name(VHU_PF_STATUS, VHU_ANY), config ? " and " : "",
			 config ? feature_name(VHU_PF_CONFIG, VHU_ANY)
				: "; it has no configuration space");
}

/* Say that the conversation ended before it was known. */
static void judge_not_asked(struct vhu_probe *probe)
{
	probe->undecided = true;
	snprintf(probe->verdict, VHU_PROBE_TEXT_MAX,
		 "the conversation ended before the back-end said what it is");
}

/* Say whether it is a whole device, and why. */
static void judge_device(struct vhu_probe *probe)
{
	bool offered = probe->protocol_features & VHU_PROBE_BIT(STANDALONE);
	char *why = probe->verdict;

	if (probe->specs.device.source == VHU_PROBE_BY_STANDALONE ||
	    probe->specs.device.source == VHU_PROBE_BY_PROBE ||
	    probe->specs.min_vqs.source != VHU_PROBE_NOT_KNOWN)
		judge_told(probe);
	else if (!probe->has_features)
		judge_not_asked(probe);
	else if (!(probe->features & VHU_PROBE_PF_BIT))
		snprintf(why, VHU_PROBE_TEXT_MAX, "it offers no protocol features (bit %d)",
			 VHU_F_PROTOCOL_FEATURES);
	else if (!probe->has_protocol_features)
		judge_not_asked(probe);
	else if (!offered)
		snprintf(why, VHU_PROBE_TEXT_MAX, "it does not offer bit %d, %s or %s",
			 VHU_PF_STANDALONE, feature_name(VHU_PF_STANDALONE, VHU_STANDALONE),
			 feature_name(VHU_PF_STANDALONE, VHU_PROBE));
	else if (probe->undecided)
		snprintf(why, VHU_PROBE_TEXT_MAX, "it %.240s", probe->connection.why);
	else if (!(probe->protocol_features & VHU_PROBE_BIT(STATUS)) &&
		 probe->found_dialect != VHU_UPSTREAM)
		snprintf(why, VHU_PROBE_TEXT_MAX,
			 "it offers bit %d without %s, which %s needs%s%.140s", VHU_PF_STANDALONE,
			 feature_name(VHU_PF_STATUS, VHU_ANY),
			 feature_name(VHU_PF_STANDALONE, VHU_STANDALONE),
			 *probe->oddity ? ": " : "", probe->oddity);
	else if (probe->found_dialect == VHU_UPSTREAM)
		snprintf(why, VHU_PROBE_TEXT_MAX, "bit %d is %s to it: %.160s", VHU_PF_STANDALONE,
			 feature_name(VHU_PF_STANDALONE, VHU_UPSTREAM), probe->dialect_why);
	else
		judge_not_asked(probe);
}

void vhu_probe_judge(struct vhu_probe *probe)
{
	judge_dialect(probe);
	judge_device(probe);
}
