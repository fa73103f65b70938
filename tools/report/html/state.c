/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was negotiated and set up in a session, as tables. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/protocol/text.h"
#include "lib/session/state/state.h"
#include "tools/report/html/html.h"

/* Write a row of features: those that were taken, and what else was offered. */
static void put_features(FILE *to, const char *title, enum vhu_names_id names,
			 const struct vhu_feature_set *set, const struct vhu_context *context)
{
	char unknown[16];

	if (!set->offered.by && !set->acked.by)
		return;
	fprintf(to, "<tr><th scope=\"row\">%s<td>", title);
	for (unsigned bit = 0; bit < 64; bit++) {
		const uint64_t one = UINT64_C(1) << bit;
		const struct vhu_name *name = vhu_name_find(names, bit, context);
		const bool acked = set->acked.value & one, offered = set->offered.value & one;

		if (!acked && !offered)
			continue;
		snprintf(unknown, sizeof(unknown), "bit %u", bit);
		fprintf(to, "<span class=\"feature%s\" title=\"bit %u: %s\">%s%s</span> ",
			acked ? "" : " off", bit,
			!acked     ? "offered, not acked"
			: !offered ? "acked, though it was not offered"
				   : "offered and acked",
			name ? name->name : unknown, acked && !offered ? " (!)" : "");
	}
	fputs("</tr>\n", to);
}

/* Write a fact of a vring as a cell. */
static void put_cell(FILE *to, enum vhu_form form, const struct vhu_told *told, bool packed)
{
	fputs("<td>", to);
	switch (form) {
	case VHU_FORM_FLAG:
	case VHU_FORM_RUNS:
		fputs(told->value ? "yes" : "no", to);
		break;
	case VHU_FORM_INDEX:
		if (told->by && packed)
			fprintf(to, "%" PRIu64 " wrap %" PRIu64, told->value & 0x7fff,
				told->value >> 15 & 1);
		else if (told->by)
			fprintf(to, "%" PRIu64, told->value);
		break;
	case VHU_FORM_ADDRESS:
		if (told->by)
			fprintf(to, "0x%" PRIx64, told->value);
		break;
	default:
		if (told->by)
			fprintf(to, "%" PRIu64, told->value);
		break;
	}
}

/* Write an eventfd of a vring as a cell. */
static void put_eventfd(FILE *to, const struct vhu_vring_fd *fd)
{
	fputs("<td>", to);
	if (!fd->number)
		return;
	if (fd->polling)
		fputs("none (polling)", to);
	else if (fd->has_eventfd)
		fprintf(to, "eventfd %" PRIu32, fd->eventfd_id);
	else
		fputs(vhu_fd_kind_name(fd->kind), to);
}

/* Write the vrings. */
static void put_vrings(FILE *to, const struct vhu_state *state)
{
	const bool packed = state->context.features >> VHU_F_RING_PACKED & 1;

	if (!state->vrings)
		return;
	fprintf(
	    to,
	    "<h4>Vrings at the end (%s)</h4><div class=\"wide\"><table><tr><th scope=\"col\">vring",
	    packed ? "packed" : "split");
#define VHU_VRING_SHOWN(member, repeat, form, json, column, ...)                                   \
	if (*column)                                                                               \
		fputs("<th scope=\"col\">" column, to);
#define VHU_VRING_FD(role, json, ...) fputs("<th scope=\"col\">" json, to);
#include "lib/session/state/state.def"
	fputs("</tr>\n", to);
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *vring = &state->vring[i];

		fprintf(to, "<tr><th scope=\"row\">%u", i);
#define VHU_VRING_SHOWN(member, repeat, form, json, column, ...)                                   \
	if (*column)                                                                               \
		put_cell(to, VHU_FORM_##form, &vring->member, packed);
#define VHU_VRING_FD(role, json, ...) put_eventfd(to, &vring->fd[VHU_##role]);
#include "lib/session/state/state.def"
		fputs("</tr>\n", to);
	}
	fputs("</table></div>\n", to);
}

/* Write the memory map. */
static void put_regions(FILE *to, const struct vhu_state *state)
{
	if (!state->regions)
		return;
	fputs("<h4>Memory at the end</h4><div class=\"wide\"><table><tr><th scope=\"col\">region",
	      to);
#define VHU_REGION_SHOWN(member, column, ...) fputs("<th scope=\"col\">" column, to);
#include "lib/session/state/state.def"
	fputs("<th scope=\"col\">shared as</tr>\n", to);
	for (unsigned i = 0; i < state->regions; i++) {
		const struct vhu_region *region = &state->region[i];

		fprintf(to, "<tr><th scope=\"row\">%u", i);
#define VHU_REGION_SHOWN(member, ...) fprintf(to, "<td>0x%" PRIx64, region->member);
#include "lib/session/state/state.def"
		fprintf(to, "<td>%s</tr>\n",
			region->has_fd ? vhu_fd_kind_name(region->fd.kind) : "");
	}
	fputs("</table></div>\n", to);
}

char *vhu_html_state(const struct vhu_state *state)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	fputs("<h4>Features</h4><div class=\"wide\"><table class=\"features\">\n", to);
#define VHU_FEATURES(member, title, key, field, ...)                                               \
	put_features(to, title, vhu_fields[VHU_FIELD_##field].names, &state->member,               \
		     &state->context);
#include "lib/session/state/state.def"
	fputs("</table></div>\n", to);
	put_vrings(to, state);
	put_regions(to, state);
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return text;
}
