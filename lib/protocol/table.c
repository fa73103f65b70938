/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of protocol.def as arrays, and the look-ups in them. */
#include <string.h>
#include <strings.h>

#include "lib/protocol/protocol.h"
#include "lib/util/util.h"

const struct vhu_name_set vhu_name_sets[VHU_NAME_SETS] = {
#define VHU_NAMES(id_, bits_) {#id_, bits_},
#include "lib/protocol/protocol.def"
};

const struct vhu_name vhu_names[] = {
#define VHU_NAME(set, value, name, older, dialect, device)                                         \
	{VHU_NAMES_##set, value, name, older, dialect, device},
#define VHU_PROTOCOL_FEATURE(bit, name, older, dialect, depends)                                   \
	{VHU_NAMES_protocol_features, bit, #name, older, dialect, 0},
#define VHU_DEVICE(id, name) {VHU_NAMES_virtio_device, id, #name, "", VHU_ANY, 0},
#include "lib/protocol/protocol.def"
};
const unsigned vhu_names_count = VHU_ARRAY_SIZE(vhu_names);

const struct vhu_field vhu_fields[VHU_FIELDS] = {
#define VHU_FIELD(layout, id, path, label, offset, size, kind, show, names, mask, brief, element,  \
		  counted_by)                                                                      \
	{path,                                                                                     \
	 label,                                                                                    \
	 brief,                                                                                    \
	 mask,                                                                                     \
	 offset,                                                                                   \
	 size,                                                                                     \
	 kind,                                                                                     \
	 show,                                                                                     \
	 VHU_NAMES_##names,                                                                        \
	 VHU_LAYOUT_##element,                                                                     \
	 counted_by},
#include "lib/protocol/protocol.def"
};

const struct vhu_layout vhu_layouts[VHU_LAYOUTS] = {
#define VHU_LAYOUT(id, title, size)                                                                \
	{#id, title, size, VHU_FIRST_##id, VHU_END_##id - VHU_FIRST_##id},
#include "lib/protocol/protocol.def"
};

/* One array a set of shapes; the sets refer to them. */
#define VHU_SHAPES(id)                  static const struct vhu_shape shapes_##id[] = {
#define VHU_SHAPE(shapes, when, layout) {when, VHU_LAYOUT_##layout},
#define VHU_SHAPES_END(id)                                                                         \
	}                                                                                          \
	;
#include "lib/protocol/protocol.def"

const struct vhu_shapes vhu_shapes[VHU_SHAPE_SETS] = {
#define VHU_SHAPES(id) {shapes_##id, sizeof(shapes_##id) / sizeof(shapes_##id[0])},
#include "lib/protocol/protocol.def"
};

const struct vhu_message vhu_messages[VHU_MESSAGES] = {
#define VHU_MESSAGE(channel, number, name, older, dialect, since, request, reply, rule, feature,   \
		    min, max, reply_min, reply_max, protocol, virtio, offer, opens)                \
	{VHU_MSG_##name,                                                                           \
	 channel,                                                                                  \
	 number,                                                                                   \
	 dialect,                                                                                  \
	 #name,                                                                                    \
	 older,                                                                                    \
	 since,                                                                                    \
	 {VHU_SHAPES_##request, VHU_SHAPES_##reply},                                               \
	 rule,                                                                                     \
	 feature,                                                                                  \
	 {{min, max}, {reply_min, reply_max}},                                                     \
	 protocol,                                                                                 \
	 virtio,                                                                                   \
	 offer,                                                                                    \
	 opens},
#include "lib/protocol/protocol.def"
};

/* Two rows for the same channel, id and dialect are two equal cases here, and do not compile; nor
 * does a row for every dialect beside one for a single dialect, but for VHU_DAX, which overrules.
 */
#define KEY(channel, number, dialect) ((channel) << 24 | (number) << 8 | (dialect))
#define OCCUPIES(dialect, as, place)  ((dialect) == VHU_ANY ? (as) : 16 * (place) + (dialect))
static void __attribute__((unused)) every_row_is_unique(int key)
{
	switch (key) {
#define VHU_MESSAGE(channel, number, name, older, dialect, ...)                                    \
	case KEY(channel, number, OCCUPIES(dialect, VHU_UPSTREAM, 0)):                             \
	case KEY(channel, number, OCCUPIES(dialect, VHU_STANDALONE, 1)):                           \
	case KEY(channel, number, OCCUPIES(dialect, VHU_PROBE, 2)):
#include "lib/protocol/protocol.def"
		break;
	}
}

/* Rows by channel and id, for ids below INDEXED; others have none. */
#define INDEXED 1024
_Static_assert(VHU_MESSAGES < 255, "an index of rows fits a byte");
static const uint8_t row_of[VHU_CHANNELS][VHU_DIALECTS][INDEXED] = {
#define VHU_MESSAGE(channel, number, name, older, dialect, ...)                                    \
	[channel][dialect][number] = VHU_MSG_##name + 1,
#include "lib/protocol/protocol.def"
};

const char *vhu_channel_name(enum vhu_channel channel)
{
	static const char *const name[VHU_CHANNELS] = {
	    [VHU_FRONT_END] = "front-end",
	    [VHU_BACK_END] = "back-end",
	    [VHU_GPU] = "gpu",
	};

	return (unsigned)channel < VHU_CHANNELS ? name[channel] : NULL;
}

const char *vhu_dialect_name(enum vhu_dialect dialect)
{
	static const char *const name[VHU_DIALECTS] = {
	    [VHU_ANY] = "unknown", [VHU_UPSTREAM] = "upstream", [VHU_STANDALONE] = "standalone",
	    [VHU_PROBE] = "probe", [VHU_DAX] = "dax",
	};

	return (unsigned)dialect < VHU_DIALECTS ? name[dialect] : NULL;
}

enum vhu_dialect vhu_dialect_base(enum vhu_dialect dialect)
{
	return dialect == VHU_DAX ? VHU_UPSTREAM : dialect;
}

unsigned vhu_message_find(enum vhu_channel channel, uint32_t request, enum vhu_dialect dialect,
			  const struct vhu_message *row[VHU_DIALECTS])
{
	unsigned found = 0;

	if ((unsigned)channel >= VHU_CHANNELS || request >= INDEXED)
		return 0;
	if (!row_of[channel][dialect][request])
		dialect = vhu_dialect_base(dialect);
	for (unsigned d = 0; d < VHU_DIALECTS; d++) {
		uint8_t at = row_of[channel][d][request];

		if (at &&
		    (dialect == VHU_ANY || d == dialect || (d == VHU_ANY && dialect != VHU_DAX)))
			row[found++] = &vhu_messages[at - 1];
	}
	return found;
}

/* Return whether @name is one of the words of @list, in any case of letters. */
static bool is_among(const char *name, const char *list)
{
	size_t length = strlen(name);

	while (*list) {
		size_t word = strcspn(list, " ");

		if (word == length && !strncasecmp(name, list, length))
			return true;
		list += word;
		list += strspn(list, " ");
	}
	return false;
}

const struct vhu_message *vhu_message_by_name(const char *name)
{
	static const char prefix[] = "VHOST_USER_";

	if (!strncasecmp(name, prefix, sizeof(prefix) - 1))
		name += sizeof(prefix) - 1;
	for (unsigned i = 0; i < VHU_MESSAGES; i++)
		if (is_among(name, vhu_messages[i].name) || is_among(name, vhu_messages[i].older))
			return &vhu_messages[i];
	return NULL;
}

uint64_t vhu_protocol_feature_depends(unsigned bit, enum vhu_dialect dialect)
{
	static const struct {
		unsigned bit;
		enum vhu_dialect dialect;
		uint64_t depends;
	} row[] = {
#define VHU_PROTOCOL_FEATURE(bit_, name, older, dialect_, depends_) {bit_, dialect_, depends_},
#include "lib/protocol/protocol.def"
	};

	for (unsigned i = 0; i < VHU_ARRAY_SIZE(row); i++)
		if (row[i].bit == bit && (row[i].dialect == VHU_ANY || row[i].dialect == dialect))
			return row[i].depends;
	return 0;
}

enum vhu_channel vhu_message_opens(enum vhu_channel channel, uint32_t request)
{
	const struct vhu_message *row[VHU_DIALECTS];

	if (channel != VHU_FRONT_END || vhu_message_find(channel, request, VHU_ANY, row) != 1)
		return VHU_FRONT_END;
	return row[0]->opens;
}

const char *vhu_vring_role_name(enum vhu_vring_role role)
{
	static const char *const name[VHU_VRING_ROLES] = {
	    [VHU_KICK] = "kick", [VHU_CALL] = "call", [VHU_ERR] = "err"};

	return name[role];
}

/* Return the front-end's message of a number that means the same in each dialect; VHU_MESSAGES for
 * others. */
static enum vhu_message_id message_id(enum vhu_channel channel, uint32_t request)
{
	const struct vhu_message *row[VHU_DIALECTS];

	if (channel != VHU_FRONT_END || vhu_message_find(channel, request, VHU_ANY, row) != 1)
		return VHU_MESSAGES;
	return row[0]->id;
}

enum vhu_vring_role vhu_message_brings(enum vhu_channel channel, uint32_t request)
{
	/* One more than the role, so that other messages have 0. */
	static const uint8_t brings[VHU_MESSAGES + 1] = {
#define VHU_BRINGS(name, role) [VHU_MSG_##name] = 1 + role,
#include "lib/protocol/protocol.def"
	};
	const uint8_t brought = brings[message_id(channel, request)];

	return brought ? (enum vhu_vring_role)(brought - 1) : VHU_VRING_ROLES;
}

bool vhu_message_stops(enum vhu_channel channel, uint32_t request)
{
	static const bool stops[VHU_MESSAGES + 1] = {
#define VHU_STOPS(name) [VHU_MSG_##name] = true,
#include "lib/protocol/protocol.def"
	};

	return stops[message_id(channel, request)];
}

unsigned vhu_message_secrets(enum vhu_channel channel, uint32_t request, uint32_t size,
			     struct vhu_secret secret[VHU_SECRETS_MAX])
{
	const struct vhu_message *row[VHU_DIALECTS];
	unsigned found = 0;

	/* The payload may lie about its layout, so what any of them keeps secret is. */
	if (vhu_message_find(channel, request, VHU_ANY, row) == 0)
		return 0;
	for (unsigned i = 0; i < vhu_shapes[row[0]->shape[0]].shapes; i++) {
		const struct vhu_layout *layout =
		    &vhu_layouts[vhu_shapes[row[0]->shape[0]].shape[i].layout];
		uint32_t from = UINT32_MAX, to = 0;

		for (unsigned f = layout->first; f < layout->first + layout->fields; f++) {
			const struct vhu_field *field = &vhu_fields[f];

			if (field->show != VHU_SECRET)
				continue;
			from = field->offset < from ? field->offset : from;
			to = field->offset + field->size > to ? field->offset + field->size : to;
		}
		to = to < size ? to : size;
		if (from < to && found < VHU_SECRETS_MAX)
			secret[found++] = (struct vhu_secret){from, to - from};
	}
	return found;
}

/* Where in vhu_names the names of each set begin and end; others may stand between them. */
static struct {
	unsigned first, end;
} reach[VHU_NAME_SETS];

/* Find out how far each set reaches, before anything else runs. */
static void __attribute__((constructor)) find_reach(void)
{
	for (unsigned i = vhu_names_count; i-- > 0;) {
		enum vhu_names_id set = vhu_names[i].set;

		reach[set].first = i;
		if (!reach[set].end)
			reach[set].end = i + 1;
	}
}

const struct vhu_name *vhu_name_find(enum vhu_names_id set, uint64_t value,
				     const struct vhu_context *context)
{
	static const struct vhu_context nothing_known;
	const struct vhu_name *of_any_dialect = NULL;

	if (!context)
		context = &nothing_known;
	for (unsigned i = reach[set].first; i < reach[set].end; i++) {
		const struct vhu_name *name = &vhu_names[i];

		if (name->set != set || name->value != value ||
		    (name->device && name->device != context->device))
			continue;
		if (name->dialect == VHU_ANY || name->dialect == vhu_dialect_base(context->dialect))
			return name;
		/* Not told yet: what was merged is likelier than what was proposed. */
		if (context->dialect == VHU_ANY && !of_any_dialect)
			of_any_dialect = name;
	}
	return of_any_dialect;
}

const struct vhu_layout *vhu_config_layout(uint32_t device)
{
	switch (device) {
#define VHU_CONFIG_OF(device_, layout)                                                             \
	case device_:                                                                              \
		return &vhu_layouts[VHU_LAYOUT_##layout];
#include "lib/protocol/protocol.def"
	}
	return NULL;
}

const struct vhu_layout *vhu_request_layout(uint32_t device)
{
	switch (device) {
#define VHU_REQUEST_OF(device_, layout)                                                            \
	case device_:                                                                              \
		return &vhu_layouts[VHU_LAYOUT_##layout];
#include "lib/protocol/protocol.def"
	}
	return NULL;
}

const char *vhu_device_name(uint32_t device)
{
	const struct vhu_name *name = vhu_name_find(VHU_NAMES_virtio_device, device, NULL);

	return name ? name->name : NULL;
}

uint32_t vhu_device_last(void)
{
	uint32_t last = 0;

	for (unsigned i = 0; i < vhu_names_count; i++)
		if (vhu_names[i].set == VHU_NAMES_virtio_device && vhu_names[i].value > last)
			last = (uint32_t)vhu_names[i].value;
	return last;
}
