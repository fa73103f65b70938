/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write the Lua dissector: the first of its parts, the tables of lib/protocol and the names of
 * lib/capture as tables of Lua, the other parts.
 *
 *	vhu_lua_generate PART... >vhost_user.lua
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/capture/record.h"
#include "lib/protocol/protocol.h"
#include "lib/util/util.h"

/* Print a text as a string of Lua. Texts of the table have no control characters. */
static void print_text(const char *text)
{
	putchar('"');
	for (; *text; text++)
		printf("%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	putchar('"');
}

/* Print one member of a table. */
static void print_member(const char *key, const char *text)
{
	printf(" %s =", key);
	putchar(' ');
	print_text(text);
	putchar(',');
}

/* Print the sets of names. */
static void print_names(void)
{
	printf("vhu.names = {\n");
	for (unsigned set = 0; set < VHU_NAME_SETS; set++) {
		printf("\t%s = { bits = %s,\n", vhu_name_sets[set].id,
		       vhu_name_sets[set].bits ? "true" : "false");
		for (unsigned i = 0; i < vhu_names_count; i++) {
			const struct vhu_name *name = &vhu_names[i];

			if (name->set != set)
				continue;
			printf("\t\t{ value = %" PRIu64 ",", name->value);
			print_member("name", name->name);
			if (*name->older)
				print_member("older", name->older);
			printf(" dialect = %d, device = %" PRIu32 " },\n", (int)name->dialect,
			       name->device);
		}
		printf("\t},\n");
	}
	printf("}\n");
}

/* Print a field of a layout. */
static void print_field(const struct vhu_layout *layout, const struct vhu_field *field)
{
	static const char *const kind[] = {"uint", "int",     "le",     "bytes", "text",  "mac",
					   "uuid", "padding", "struct", "array", "config"};
	static const char *const show[] = {"dec", "hex", "bool", "secret"};

	printf("\t\t{");
	print_member("path", field->path);
	print_member("label", field->label);
	if (field->brief)
		print_member("brief", field->brief);
	print_member("kind", kind[field->kind]);
	print_member("show", show[field->show]);
	printf(" offset = %" PRIu32 ", size = %" PRIu32 ",", field->offset, field->size);
	if (field->names != VHU_NAMES_none)
		print_member("names", vhu_name_sets[field->names].id);
	if (field->mask)
		printf(" shift = %d, width = %d,", __builtin_ctzll(field->mask),
		       __builtin_popcountll(field->mask));
	if (field->kind == VHU_STRUCT || field->kind == VHU_ARRAY)
		print_member("layout", vhu_layouts[field->layout].id);
	if (field->counted_by != VHU_FIELDS)
		printf(" counted_by = %d,", (int)(field->counted_by - layout->first) + 1);
	printf(" },\n");
}

/* Print the layouts of payloads, and those of configuration spaces by their device. */
static void print_layouts(void)
{
	printf("vhu.layouts = {\n");
	for (unsigned i = 0; i < VHU_LAYOUTS; i++) {
		const struct vhu_layout *layout = &vhu_layouts[i];

		printf("\t{ id = \"%s\",", layout->id);
		print_member("title", layout->title);
		printf(" size = %" PRIu32 ",\n", layout->size);
		for (unsigned f = 0; f < layout->fields; f++)
			print_field(layout, &vhu_fields[layout->first + f]);
		printf("\t},\n");
	}
	printf("}\nvhu.config_of = {\n");
	for (uint32_t device = 1; device <= vhu_device_last(); device++)
		if (vhu_config_layout(device))
			printf("\t[%" PRIu32 "] = \"%s\",\n", device,
			       vhu_config_layout(device)->id);
	printf("}\n");
}

/* Print the sets of layouts that a payload can have, by their number. */
static void print_shapes(void)
{
	static const char *const when[] = {"always",   "size",      "xen", "packed",
					   "postcopy", "log_shmfd", "asym"};

	printf("vhu.shapes = {\n");
	for (unsigned i = 0; i < VHU_SHAPE_SETS; i++) {
		printf("\t[%u] = {", i);
		for (unsigned s = 0; s < vhu_shapes[i].shapes; s++) {
			const struct vhu_shape *shape = &vhu_shapes[i].shape[s];

			printf(" { when = \"%s\", layout = \"%s\" },", when[shape->when],
			       vhu_layouts[shape->layout].id);
		}
		printf(" },\n");
	}
	printf("}\n");
}

/* Print the messages. */
static void print_messages(void)
{
	static const char *const rule[] = {"always", "feature", "ack", "never"};

	printf("vhu.messages = {\n");
	for (unsigned i = 0; i < VHU_MESSAGES; i++) {
		const struct vhu_message *message = &vhu_messages[i];

		printf("\t{ channel = %d, request = %" PRIu32
		       ", dialect = %d, name = \"%s\", shapes = { [false] = %d, [true] = %d }, "
		       "rule = \"%s\", feature = %u },\n",
		       (int)message->channel, message->request, (int)message->dialect,
		       message->name, (int)message->shape[0], (int)message->shape[1],
		       rule[message->reply_rule], message->reply_feature);
	}
	printf("}\n");
}

/* Print the names of numbers from 0 on. */
#define PRINT_LIST(id, count, type, name)                                                          \
	do {                                                                                       \
		printf("vhu." id " = {");                                                          \
		for (unsigned i_ = 0; i_ < (count); i_++)                                          \
			printf(" [%u] = \"%s\",", i_, name((enum type)i_));                        \
		printf(" }\n");                                                                    \
	} while (0)

/* Print what records are made of. */
static void print_records(void)
{
	static const struct {
		const char *name;
		unsigned mark;
	} marks[] = {
	    {"big_endian", VHU_MARK_BIG_ENDIAN},
	    {"redacted", VHU_MARK_REDACTED},
	    {"fds_lost", VHU_MARK_TRUNCATED},
	    {"altered", VHU_MARK_ALTERED},
	    {"partial", VHU_MARK_PARTIAL},
	    {"earlier", VHU_MARK_EARLIER},
	    {"lost", VHU_MARK_LOST},
	    {"dropped", VHU_MARK_DROPPED},
	    {"begun", VHU_MARK_BEGUN},
	    {"reconstructed", VHU_MARK_RECONSTRUCTED},
	    {"ended", VHU_MARK_ENDED},
	};

	PRINT_LIST("dialects", VHU_DIALECTS, vhu_dialect, vhu_dialect_name);
	printf("vhu.dialect_base = {");
	for (int i = 0; i < VHU_DIALECTS; i++)
		printf(" [%d] = %d,", i, (int)vhu_dialect_base((enum vhu_dialect)i));
	printf(" }\n");
	PRINT_LIST("channels", VHU_CHANNELS, vhu_channel, vhu_channel_name);
	PRINT_LIST("record_types", VHU_RECORD_TYPES, vhu_record_type, vhu_record_type_name);
	PRINT_LIST("fd_kinds", VHU_FD_KINDS, vhu_fd_kind, vhu_fd_kind_name);
	PRINT_LIST("vring_acts", VHU_ACTS, vhu_vring_act, vhu_vring_act_name);
	PRINT_LIST("vring_fates", VHU_FATES, vhu_vring_fate, vhu_vring_fate_name);
	PRINT_LIST("snapshot_reasons", VHU_SNAPSHOT_REASONS, vhu_snapshot_reason,
		   vhu_snapshot_reason_name);
	printf("vhu.marks = {\n");
	for (unsigned i = 0; i < VHU_ARRAY_SIZE(marks); i++)
		printf("\t%s = %u,\n", marks[i].name, marks[i].mark);
	printf("}\nvhu.record_version = %d\n", VHU_RECORD_VERSION);
	printf("vhu.fds_max = %d\nvhu.segments_max = %d\nvhu.buffers_max = %d\n",
	       VHU_RECORD_FDS_MAX, VHU_RECORD_SEGMENTS_MAX, VHU_SNAPSHOT_BUFFERS_MAX);
	printf("vhu.text_max = %d\nvhu.snapshot_text_max = %d\n", VHU_RECORD_TEXT_MAX,
	       VHU_SNAPSHOT_TEXT_MAX);
	printf("vhu.version = \"%s\"\n", VHU_VERSION);
}

/* Print a part as it is. Returns 0, or 1 and says why not. */
static int print_part(const char *path)
{
	FILE *file = fopen(path, "r");
	int c, failed;

	if (!file) {
		perror(path);
		return 1;
	}
	while ((c = getc(file)) != EOF)
		putchar(c);
	failed = ferror(file);
	fclose(file);
	if (failed)
		fprintf(stderr, "%s: cannot be read\n", path);
	return failed;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: vhu_lua_generate PART... >vhost_user.lua\n");
		return 2;
	}
	if (print_part(argv[1]))
		return 1;
	printf("\n-- What follows is made from lib/protocol and lib/capture.\n");
	print_names();
	print_layouts();
	print_shapes();
	print_messages();
	print_records();
	for (int i = 2; i < argc; i++) {
		putchar('\n');
		if (print_part(argv[i]))
			return 1;
	}
	return fflush(stdout) || ferror(stdout);
}
