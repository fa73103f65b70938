/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a session for people. */
#include "lib/show/state.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "lib/protocol/text.h"
#include "lib/util/utf8.h"
#include "lib/util/util.h"

#define LINE_WIDTH 100

/* Of tables. */
#define CELL_MAX       80
#define COLUMNS_MAX    16
#define COLUMNS(title) VHU_ARRAY_SIZE(title)

void vhu_show_label(FILE *to, const char *label)
{
	fprintf(to, "  %-*s", VHU_SHOW_LABEL, label);
}

void vhu_show_foreign(FILE *to, const char *text)
{
	for (unsigned bytes; *text; text += bytes ? bytes : 1) {
		bytes = vhu_utf8_shown(text);
		fprintf(to, "%.*s", bytes ? (int)bytes : 1, bytes ? text : "?");
	}
}

void vhu_show_peer(FILE *to, const char *label, const struct vhu_peer *peer)
{
	vhu_show_label(to, label);
	if (peer->known) {
		vhu_show_foreign(to, *peer->comm ? peer->comm : "?");
		fprintf(to, " (pid %" PRIu32 ")", peer->pid);
	}
	if (*peer->path) {
		fprintf(to, "%s", peer->known ? " at " : "");
		vhu_show_foreign(to, peer->path);
	}
	fprintf(to, "%s\n", peer->known || *peer->path ? "" : "not known");
}

/* Write words of a list, which are separated by ", ", in lines below each other. */
static void put_wrapped(FILE *to, const char *words)
{
	size_t column = VHU_SHOW_LABEL + 2;

	while (*words) {
		size_t length = strcspn(words, " ");

		if (column + length > LINE_WIDTH && column > VHU_SHOW_LABEL + 2) {
			fprintf(to, "\n  %*s", VHU_SHOW_LABEL, "");
			column = VHU_SHOW_LABEL + 2;
		} else if (column > VHU_SHOW_LABEL + 2) {
			fputc(' ', to);
			column++;
		}
		fprintf(to, "%.*s", (int)length, words);
		column += length;
		words += length + (words[length] == ' ');
	}
	fputc('\n', to);
}

void vhu_show_device(FILE *to, const struct vhu_state *state)
{
	const char *device = vhu_device_name(state->context.device);

	vhu_show_label(to, "device");
	if (state->context.device && device)
		fprintf(to, "%s", device);
	else if (state->context.device)
		fprintf(to, "virtio device %" PRIu32, state->context.device);
	else
		fprintf(to, "not known");
	fprintf(to, ", dialect %s\n",
		state->context.dialect == VHU_ANY ? "not known"
						  : vhu_dialect_name(state->context.dialect));
}

/* Write a set of features: what was offered and acked. @begun: it may have been before. */
static void put_features(FILE *to, const char *title, enum vhu_field_id field,
			 const struct vhu_feature_set *features, const struct vhu_context *context,
			 bool begun)
{
	const struct vhu_told *offered = &features->offered, *acked = &features->acked;
	enum vhu_names_id set = vhu_fields[field].names;
	uint64_t left = offered->value & ~acked->value;
	char names[4096];

	if (!offered->by && !acked->by && begun)
		fprintf(to, "\n  %s, not seen\n", title);
	if (!offered->by && !acked->by)
		return;
	fprintf(to, "\n  %s", title);
	if (offered->by)
		fprintf(to, ", offered 0x%" PRIx64 " (message %" PRIu64 ")", offered->value,
			offered->by);
	if (acked->by)
		fprintf(to, ", acked 0x%" PRIx64 " (message %" PRIu64 ")", acked->value, acked->by);
	fputc('\n', to);
	if (acked->value) {
		vhu_bits_text(set, acked->value, context, names, sizeof(names));
		vhu_show_label(to, "acked");
		put_wrapped(to, names);
	}
	if (left) {
		vhu_bits_text(set, left, context, names, sizeof(names));
		vhu_show_label(to, "not acked");
		put_wrapped(to, names);
	}
}

/* A column of a table. */
struct column {
	const char *title; /* "": it is not shown */
	enum vhu_form form;
	size_t at; /* of its fact in the row */
};

/* Fills in the cell of row @row, which is @at, and a column. */
typedef void cell_of(unsigned row, const void *at, const struct column *column, char to[CELL_MAX]);

/* Rows of a table. */
struct rows {
	const void *first;
	size_t size;
	unsigned count;
	cell_of *cell;
	bool begun; /* unknown facts may have been stated before */
};

/* Fill in a cell. */
static void fill(const struct rows *rows, unsigned row, const struct column *column,
		 char to[CELL_MAX])
{
	rows->cell(row, (const uint8_t *)rows->first + row * rows->size, column, to);
	if (rows->begun && !strcmp(to, "-"))
		snprintf(to, CELL_MAX, "not seen");
}

/* Write a table, each column as wide as its widest cell. */
static void put_table(FILE *to, const struct rows *rows, const struct column *column,
		      unsigned columns)
{
	int width[COLUMNS_MAX] = {0};
	char text[CELL_MAX];

	if (!rows->count)
		return;
	/* The last column needs no width, and so leaves no blanks behind it. */
	for (unsigned c = 0; c + 1 < columns; c++) {
		width[c] = (int)strlen(column[c].title) + 1;
		for (unsigned row = 0; *column[c].title && row < rows->count; row++) {
			fill(rows, row, &column[c], text);
			if ((int)strlen(text) >= width[c])
				width[c] = (int)strlen(text) + 1;
		}
	}
	fprintf(to, "\n ");
	for (unsigned c = 0; c < columns; c++)
		if (*column[c].title)
			fprintf(to, " %-*s", width[c], column[c].title);
	for (unsigned row = 0; row < rows->count; row++) {
		fprintf(to, "\n ");
		for (unsigned c = 0; c < columns; c++) {
			if (!*column[c].title)
				continue;
			fill(rows, row, &column[c], text);
			fprintf(to, " %-*s", width[c], text);
		}
	}
	fputc('\n', to);
}

/* Fill in a cell with a value and the message that told it, or a dash where none did. */
static void told_cell(char to[CELL_MAX], const char *value, uint64_t number)
{
	if (number)
		snprintf(to, CELL_MAX, "%.48s (%" PRIu64 ")", value, number);
	else
		snprintf(to, CELL_MAX, "-");
}

/* Fill in a cell with what a vring is kicked or called by. */
static void vring_fd_cell(char to[CELL_MAX], const struct vhu_vring_fd *fd)
{
	char text[40];

	if (fd->polling)
		snprintf(text, sizeof(text), "polling");
	else if (fd->has_eventfd)
		snprintf(text, sizeof(text), "eventfd %" PRIu32, fd->eventfd_id);
	else
		snprintf(text, sizeof(text), "%s", vhu_fd_kind_name(fd->kind));
	told_cell(to, text, fd->number);
}

/* What stands in a table for kicks, calls and errs; the forms of facts come before it. */
#define FORM_FD  ((enum vhu_form)(VHU_FORM_EVENT + 1))
#define FORM_ROW ((enum vhu_form)(VHU_FORM_EVENT + 2))

static const struct column vring_column[] = {
    {"vring", FORM_ROW, 0},
#define VHU_VRING_SHOWN(member, repeat, form, json, column, ...)                                   \
	{column, VHU_FORM_##form, offsetof(struct vhu_vring, member)},
#define VHU_VRING_FD(role, json, ...) {json, FORM_FD, offsetof(struct vhu_vring, fd[VHU_##role])},
#include "lib/session/state/state.def"
};

static void vring_cell(unsigned row, const void *at, const struct column *column, char to[CELL_MAX])
{
	const struct vhu_vring *vring = at;
	const void *in = (const uint8_t *)at + column->at;
	const struct vhu_told *told = in;
	char text[24];

	if (column->form == FORM_ROW) {
		snprintf(to, CELL_MAX, "%u", row);
		return;
	}
	if (column->form == FORM_FD) {
		vring_fd_cell(to, in);
		return;
	}
	switch (column->form) {
	case VHU_FORM_FLAG:
		/* What started enabled was enabled by no message of its own. */
		told_cell(to, told->value ? "yes" : "no",
			  told->by      ? told->by
			  : told->value ? vring->started.by
					: 0);
		break;
	case VHU_FORM_RUNS:
		told_cell(to, told->value ? "yes" : "stopped",
			  told->value ? told->by : vring->stopped.by);
		break;
	default:
		snprintf(text, sizeof(text),
			 column->form == VHU_FORM_COUNT ? "%" PRIu64 : "0x%" PRIx64, told->value);
		told_cell(to, text, told->by);
		break;
	}
}

static const struct column region_column[] = {
    {"region", FORM_ROW, 0},
#define VHU_REGION_SHOWN(member, column, ...)                                                      \
	{column, VHU_FORM_ADDRESS, offsetof(struct vhu_region, member)},
#include "lib/session/state/state.def"
    {"memory", FORM_FD, 0},
};

static void region_cell(unsigned row, const void *at, const struct column *column,
			char to[CELL_MAX])
{
	const struct vhu_region *region = at;
	char text[CELL_MAX];
	uint64_t value;

	if (column->form == FORM_ROW) {
		snprintf(to, CELL_MAX, "%u", row);
	} else if (column->form == FORM_FD) {
		vhu_fd_text(&region->fd, text, sizeof(text));
		told_cell(to, region->has_fd ? text : "no descriptor", region->number);
	} else {
		memcpy(&value, (const uint8_t *)at + column->at, sizeof(value));
		snprintf(to, CELL_MAX, "0x%" PRIx64, value);
	}
}

void vhu_show_state(FILE *to, const struct vhu_state *state)
{
	const struct rows vrings = {state->vring, sizeof(*state->vring), state->vrings, vring_cell,
				    state->begun_before};
	const struct rows regions = {state->region, sizeof(*state->region), state->regions,
				     region_cell, state->begun_before};

#define VHU_FEATURES(member, title, json, field, ...)                                              \
	put_features(to, title, VHU_FIELD_##field, &state->member, &state->context,                \
		     state->begun_before);
#include "lib/session/state/state.def"
	if (state->begun_before && !state->vrings)
		fprintf(to, "\n  vrings, not seen\n");
	if (state->begun_before && !state->regions)
		fprintf(to, "\n  memory, not seen\n");
	put_table(to, &vrings, vring_column, VHU_ARRAY_SIZE(vring_column));
	put_table(to, &regions, region_column, VHU_ARRAY_SIZE(region_column));
}
