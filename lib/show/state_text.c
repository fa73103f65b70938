/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a session for people. */
#include "lib/show/state.h"

#include <inttypes.h>
#include <string.h>

#include "lib/protocol/text.h"
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
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, to);
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

/* Write a set of features: what was offered and taken. */
static void put_features(FILE *to, const char *title, enum vhu_names_id set,
			 const struct vhu_feature_set *features, const struct vhu_context *context)
{
	uint64_t left = features->offered & ~features->taken;
	char names[4096];

	if (!features->offered_by && !features->taken_by)
		return;
	fprintf(to, "\n  %s", title);
	if (features->offered_by)
		fprintf(to, ", offered 0x%" PRIx64 " (message %" PRIu64 ")", features->offered,
			features->offered_by);
	if (features->taken_by)
		fprintf(to, ", taken 0x%" PRIx64 " (message %" PRIu64 ")", features->taken,
			features->taken_by);
	fputc('\n', to);
	if (features->taken) {
		vhu_bits_text(set, features->taken, context, names, sizeof(names));
		vhu_show_label(to, "taken");
		put_wrapped(to, names);
	}
	if (left) {
		vhu_bits_text(set, left, context, names, sizeof(names));
		vhu_show_label(to, "not taken");
		put_wrapped(to, names);
	}
}

/* Fills in what stands in a column of row @row of a table. */
typedef void cell_of(const struct vhu_state *state, unsigned row, unsigned column,
		     char to[CELL_MAX]);

/* Write a table of @rows rows, each column as wide as its widest cell. */
static void put_table(FILE *to, const struct vhu_state *state, unsigned rows,
		      const char *const *title, unsigned columns, cell_of *cell)
{
	int width[COLUMNS_MAX] = {0};
	char text[CELL_MAX];

	/* The last column needs no width, and so leaves no blanks behind it. */
	for (unsigned column = 0; column + 1 < columns; column++) {
		width[column] = (int)strlen(title[column]) + 1;
		for (unsigned row = 0; row < rows; row++) {
			cell(state, row, column, text);
			if ((int)strlen(text) >= width[column])
				width[column] = (int)strlen(text) + 1;
		}
	}
	fprintf(to, "\n ");
	for (unsigned column = 0; column < columns; column++)
		fprintf(to, " %-*s", width[column], title[column]);
	for (unsigned row = 0; row < rows; row++) {
		fprintf(to, "\n ");
		for (unsigned column = 0; column < columns; column++) {
			cell(state, row, column, text);
			fprintf(to, " %-*s", width[column], text);
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

static const char *const vring_title[] = {
    "vring", "size", "base", "ends at", "enabled", "started", "kick", "call", "err",
};

static void vring_cell(const struct vhu_state *state, unsigned row, unsigned column,
		       char to[CELL_MAX])
{
	const struct vhu_vring *vring = &state->vring[row];
	char text[24];

	switch (column) {
	case 0:
		snprintf(to, CELL_MAX, "%u", row);
		break;
	case 1:
		snprintf(text, sizeof(text), "%" PRIu32, vring->size);
		told_cell(to, text, vring->size_by);
		break;
	case 2:
		snprintf(text, sizeof(text), "0x%" PRIx32, vring->base);
		told_cell(to, text, vring->base_by);
		break;
	case 3:
		snprintf(text, sizeof(text), "0x%" PRIx32, vring->base_got);
		told_cell(to, text, vring->base_got_by);
		break;
	case 4:
		told_cell(to, vring->enabled ? "yes" : "no",
			  vring->enabled_by ? vring->enabled_by
			  : vring->enabled  ? vring->started_by
					    : 0);
		break;
	case 5:
		told_cell(to, vring->started ? "yes" : "stopped",
			  vring->started ? vring->started_by : vring->stopped_by);
		break;
	default:
		vring_fd_cell(to, &vring->fd[column - 6]);
		break;
	}
}

static const char *const region_title[] = {
    "region", "guest address", "size", "user address", "offset", "memory",
};

static void region_cell(const struct vhu_state *state, unsigned row, unsigned column,
			char to[CELL_MAX])
{
	const struct vhu_region *region = &state->region[row];
	const uint64_t value[] = {
	    row, region->guest_address, region->size, region->user_address, region->mmap_offset,
	};
	char text[CELL_MAX];

	if (column == 0) {
		snprintf(to, CELL_MAX, "%u", row);
	} else if (column < VHU_ARRAY_SIZE(value)) {
		snprintf(to, CELL_MAX, "0x%" PRIx64, value[column]);
	} else {
		vhu_fd_text(&region->fd, text, sizeof(text));
		told_cell(to, region->has_fd ? text : "no descriptor", region->number);
	}
}

void vhu_show_state(FILE *to, const struct vhu_state *state)
{
	put_features(to, "virtio features", VHU_NAMES_virtio_features, &state->features,
		     &state->context);
	put_features(to, "protocol features", VHU_NAMES_protocol_features,
		     &state->protocol_features, &state->context);
	if (state->vrings)
		put_table(to, state, state->vrings, vring_title, COLUMNS(vring_title), vring_cell);
	if (state->regions)
		put_table(to, state, state->regions, region_title, COLUMNS(region_title),
			  region_cell);
}
