/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields of the table registered with Wireshark, and added to a tree.
 *
 * Ownership: what Wireshark is given at registration lives as long as the program, in the memory
 * that Wireshark keeps for that (wmem_epan_scope).
 */
#include "dissector/tree/field.h"

#include <ctype.h>
#include <string.h>

#include "lib/protocol/text.h"

/* A named bit of a set of bits. */
struct bit {
	int hf;
	const struct vhu_name *name;
};

/* How a field of the table is shown. */
static struct shown {
	int hf;
	int hf_unknown;  /* a bit without a name */
	struct bit *bit; /* those of a set of bits */
	unsigned bits;
} shown[VHU_FIELDS];

static int ett_bits = -1;

/* Return the type of an integer of @size bytes. */
static enum ftenum integer_type(unsigned size, bool is_signed)
{
	switch (size) {
	case 1:
		return is_signed ? FT_INT8 : FT_UINT8;
	case 2:
		return is_signed ? FT_INT16 : FT_UINT16;
	case 4:
		return is_signed ? FT_INT32 : FT_UINT32;
	default:
		return is_signed ? FT_INT64 : FT_UINT64;
	}
}

/* Return whether a type is an integer's. */
static bool is_integer(enum ftenum type)
{
	return type >= FT_UINT8 && type <= FT_INT64;
}

/* Return the type of what @field holds. */
static enum ftenum field_type(const struct vhu_field *field)
{
	if (field->show == VHU_SECRET)
		return FT_NONE;
	switch (field->kind) {
	case VHU_UINT:
	case VHU_LE:
		return field->show == VHU_BOOL ? FT_BOOLEAN : integer_type(field->size, false);
	case VHU_INT:
		return integer_type(field->size, true);
	case VHU_TEXT:
		return FT_STRINGZPAD;
	case VHU_MAC:
		return FT_ETHER;
	case VHU_UUID:
		return FT_GUID;
	case VHU_STRUCT:
	case VHU_ARRAY:
		return FT_NONE;
	case VHU_BYTES:
	case VHU_PADDING:
	case VHU_CONFIG:
		break;
	}
	return FT_BYTES;
}

/* Return the values of a set of names as integers of up to 32 bits have them. */
static const void *value_strings(enum vhu_names_id set)
{
	value_string *to = wmem_alloc0_array(wmem_epan_scope(), value_string, vhu_names_count + 1);
	unsigned count = 0;

	for (unsigned i = 0; i < vhu_names_count; i++)
		if (vhu_names[i].set == set)
			to[count++] =
			    (value_string){(uint32_t)vhu_names[i].value, vhu_names[i].name};
	return VALS(to);
}

/* Return the values of a set of names as integers of 64 bits have them. */
static const void *value_strings_64(enum vhu_names_id set)
{
	val64_string *to = wmem_alloc0_array(wmem_epan_scope(), val64_string, vhu_names_count + 1);
	unsigned count = 0;

	for (unsigned i = 0; i < vhu_names_count; i++)
		if (vhu_names[i].set == set)
			to[count++] = (val64_string){vhu_names[i].value, vhu_names[i].name};
	return VALS64(to);
}

/* Set how an integer is displayed and, where its values have names, these. */
static void describe_integer(header_field_info *info, const struct vhu_field *field)
{
	info->display = field->show == VHU_HEX && field->kind != VHU_INT ? BASE_HEX : BASE_DEC;
	if (field->names == VHU_NAMES_none || vhu_name_sets[field->names].bits)
		return;
	if (field->size == 8) {
		info->display |= BASE_VAL64_STRING;
		info->strings = value_strings_64(field->names);
	} else {
		info->strings = value_strings(field->names);
	}
}

/* Return what Wireshark is to know of @field. */
static header_field_info describe(const struct vhu_field *field)
{
	header_field_info info = {
	    .name = field->label,
	    .abbrev = wmem_strdup_printf(wmem_epan_scope(), "vhost_user.%s", field->path),
	    .type = field_type(field),
	    .display = BASE_NONE,
	    .blurb = NULL,
	    HFILL,
	};

	if (is_integer(info.type))
		describe_integer(&info, field);
	else if (info.type == FT_BOOLEAN && field->mask)
		info.display = (int)field->size * 8;
	if (is_integer(info.type) || info.type == FT_BOOLEAN)
		info.bitmask = field->mask;
	return info;
}

/* Return whether two fields are one for Wireshark: they look the same and have the same name. */
static bool is_same(const struct vhu_field *one, const struct vhu_field *other)
{
	return !strcmp(one->path, other->path) && !strcmp(one->label, other->label) &&
	       field_type(one) == field_type(other) && one->size == other->size &&
	       one->mask == other->mask && one->show == other->show && one->names == other->names;
}

/* Return the last part of the filter of a device's own names: "blk", as its configuration space is
 * called, or else its name in small letters. */
static const char *device_part(uint32_t device)
{
	static const char prefix[] = "config_";
	const struct vhu_layout *config = vhu_config_layout(device);
	const char *name = vhu_device_name(device);

	if (config && !strncmp(config->id, prefix, sizeof(prefix) - 1))
		return config->id + sizeof(prefix) - 1;
	return name ? name : "device";
}

/* Return @text in the letters that a display filter may have. */
static char *filter_letters(char *text)
{
	for (char *at = text; *at; at++)
		if (isalnum((unsigned char)*at))
			*at = (char)tolower((unsigned char)*at);
		else if (*at != '.')
			*at = '_';
	return text;
}

/* Register the bits of the set of bits that @field is. */
static void register_bits(int proto, const struct vhu_field *field, struct shown *as)
{
	wmem_allocator_t *scope = wmem_epan_scope();
	const char *path = wmem_strdup_printf(scope, "vhost_user.%s", field->path);
	unsigned shift = field->mask ? (unsigned)__builtin_ctzll(field->mask) : 0;
	hf_register_info *hf = wmem_alloc_array(scope, hf_register_info, vhu_names_count + 1);

	as->bit = wmem_alloc_array(scope, struct bit, vhu_names_count);
	for (unsigned i = 0; i < vhu_names_count; i++) {
		const struct vhu_name *name = &vhu_names[i];
		const char *device = name->device ? device_part(name->device) : "";
		struct bit *bit = &as->bit[as->bits];

		if (name->set != field->names || name->value + shift >= field->size * 8)
			continue;
		*bit = (struct bit){-1, name};
		hf[as->bits++] = (hf_register_info){
		    &bit->hf,
		    {name->name,
		     filter_letters(wmem_strdup_printf(scope, "%s.%s%s%s", path, device,
						       *device ? "." : "", name->name)),
		     FT_BOOLEAN, (int)field->size * 8, TFS(&tfs_set_notset),
		     UINT64_C(1) << (name->value + shift), *name->older ? name->older : NULL,
		     HFILL}};
	}
	as->hf_unknown = -1;
	hf[as->bits] = (hf_register_info){
	    &as->hf_unknown,
	    {"Unknown bit", wmem_strdup_printf(scope, "%s.unknown_bit", path), FT_UINT8, BASE_DEC,
	     NULL, 0, "The number of a bit that is set and has no name", HFILL}};
	proto_register_field_array(proto, hf, (int)as->bits + 1);
}

void vhu_field_register(int proto)
{
	static int *ett[] = {&ett_bits};
	hf_register_info *hf = wmem_alloc_array(wmem_epan_scope(), hf_register_info, VHU_FIELDS);

	for (unsigned i = 0; i < VHU_FIELDS; i++) {
		const struct vhu_field *field = &vhu_fields[i];
		unsigned same = 0;

		while (!is_same(&vhu_fields[same], field))
			same++;
		if (same < i) {
			shown[i] = shown[same];
			continue;
		}
		shown[i].hf = -1;
		hf[i] = (hf_register_info){&shown[i].hf, describe(field)};
		proto_register_field_array(proto, &hf[i], 1);
		if (vhu_name_sets[field->names].bits)
			register_bits(proto, field, &shown[i]);
	}
	proto_register_subtree_array(ett, array_length(ett));
}

/* Return whether a bit's name holds in @context. */
static bool holds(const struct vhu_name *name, const struct vhu_context *context)
{
	enum vhu_dialect dialect =
	    vhu_dialect_base(context->dialect ? context->dialect : VHU_UPSTREAM);

	return (!name->device || name->device == context->device) &&
	       (name->dialect == VHU_ANY || name->dialect == dialect);
}

/* Return whether bit @number has a name of any device in the set that @as shows. */
static bool is_of_a_device(const struct shown *as, unsigned number)
{
	for (unsigned i = 0; i < as->bits; i++)
		if (as->bit[i].name->device && as->bit[i].name->value == number)
			return true;
	return false;
}

/* Add the bits of the set of bits @item to @tree: those with a name, and those that are set. */
static void add_bits(proto_tree *tree, tvbuff_t *tvb, int at, const struct shown *as,
		     const struct vhu_item *item, const struct vhu_context *context)
{
	unsigned encoding = item->big_endian ? ENC_BIG_ENDIAN : ENC_LITTLE_ENDIAN;
	uint64_t rest = item->value;

	for (unsigned i = 0; i < as->bits; i++) {
		if (!holds(as->bit[i].name, context))
			continue;
		rest &= ~(UINT64_C(1) << as->bit[i].name->value);
		proto_tree_add_item(tree, as->bit[i].hf, tvb, at, (int)item->size, encoding);
	}
	for (; rest; rest &= rest - 1) {
		unsigned number = (unsigned)__builtin_ctzll(rest);
		bool device = !context->device && is_of_a_device(as, number);

		proto_tree_add_uint_format(
		    tree, as->hf_unknown, tvb, at, (int)item->size, number, "bit %u (%s)", number,
		    device ? "its meaning depends on the device" : "unknown");
	}
}

/* Append the names of the bits that are set to the item that shows their integer. */
static void append_names(proto_item *to, const struct vhu_item *item,
			 const struct vhu_context *context)
{
	char text[128];
	int length = vhu_bits_text(item->field->names, item->value, context, text, sizeof(text));

	if (length > 0)
		proto_item_append_text(to, " (%s%s)", text,
				       (size_t)length >= sizeof(text) ? "..." : "");
}

/* Return how @field is encoded, as proto_tree_add_item wants to know it. */
static unsigned field_encoding(const struct vhu_item *item)
{
	switch (item->field->kind) {
	case VHU_UINT:
	case VHU_INT:
	case VHU_LE:
		return item->big_endian ? ENC_BIG_ENDIAN : ENC_LITTLE_ENDIAN;
	case VHU_TEXT:
		return ENC_UTF_8;
	default:
		return ENC_BIG_ENDIAN;
	}
}

proto_item *vhu_field_add(proto_tree *tree, tvbuff_t *tvb, int at, const struct vhu_item *item,
			  const struct vhu_context *context)
{
	const struct vhu_field *field = item->field;
	const struct shown *as = &shown[field - vhu_fields];
	int from = at + (int)item->offset;
	proto_item *added;

	added = proto_tree_add_item(tree, as->hf, tvb, from, (int)item->size, field_encoding(item));
	if (item->what == VHU_ITEM_OPEN)
		return added;
	if (as->bits) {
		if (ws_is_visible(tree))
			append_names(added, item, context);
		add_bits(proto_item_add_subtree(added, ett_bits), tvb, from, as, item, context);
	} else if (field->show == VHU_SECRET) {
		proto_item_append_text(added, ": %u bytes, not shown", item->size);
	}
	return added;
}
