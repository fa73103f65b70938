/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields and values as faults name them, looked up in the table. */
#include "proxy/fault/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/util/util.h"

/* What every header has, besides the table's fields. */
static const struct {
	const char *name;
	uint32_t offset;
	uint64_t mask;
} of_header[] = {
    {"header.request", 0, 0},
    {"header.flags", 4, 0},
    {"header.version", 4, VHU_FLAGS_VERSION_MASK},
    {"header.reply", 4, VHU_FLAG_REPLY},
    {"header.need_reply", 4, VHU_FLAG_NEED_REPLY},
    {"header.size", 8, 0},
};

/* Integers at a place in the payload. */
static const struct {
	const char *name;
	uint32_t size;
} of_place[] = {{"u8", 1}, {"u16", 2}, {"u32", 4}, {"u64", 8}};

/* A search among the table's fields. */
struct search {
	const struct vhu_fault *fault;
	struct vhu_word word;
	const struct vhu_field *found, *other; /* the best so far, and another of the same name */
	bool whole;                            /* `found` has the word as its whole path */
	const struct vhu_field *no_number;     /* has that name and is no integer */
};

bool vhu_word_is(struct vhu_word word, const char *text)
{
	return strlen(text) == word.size && !strncasecmp(word.at, text, word.size);
}

bool vhu_word_number(struct vhu_word word, uint64_t *value)
{
	const bool hex = word.size > 2 && word.at[0] == '0' && (word.at[1] | 0x20) == 'x';
	static const char digits[] = "0123456789abcdef";
	const unsigned base = hex ? 16 : 10;
	uint64_t sum = 0;

	if (!word.size)
		return false;
	for (size_t i = hex ? 2 : 0; i < word.size; i++) {
		const char c = word.at[i] | (word.at[i] >= 'A' && word.at[i] <= 'F' ? 0x20 : 0);
		const char *digit = c ? memchr(digits, c, base) : NULL;

		if (!digit || __builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(digit - digits), &sum))
			return false;
	}
	*value = sum;
	return true;
}

/* Return whether values of @field are integers. */
static bool is_integer(const struct vhu_field *field)
{
	return field->kind == VHU_UINT || field->kind == VHU_INT || field->kind == VHU_LE;
}

/* Look at one field of the table. */
static void search_field(struct search *search, const struct vhu_field *field)
{
	const char *last = strrchr(field->path, '.');
	const bool whole = vhu_word_is(search->word, field->path);

	if (field->kind == VHU_PADDING)
		return;
	if (!whole && !(last && vhu_word_is(search->word, last + 1)) &&
	    !(vhu_word_is(search->word, "vring") && !strcmp(field->path, "vring.index")))
		return;
	if (!is_integer(field)) {
		search->no_number = field;
		return;
	}
	if (!search->found || (whole && !search->whole)) {
		search->found = field;
		search->whole = whole;
		search->other = NULL;
	} else if (!search->other && whole == search->whole &&
		   strcmp(search->found->path, field->path)) {
		search->other = field;
	}
}

/* Look at the fields of a layout, and of those inside it. Structures are nested a few deep. */
static void search_layout(struct search *search, const struct vhu_layout *layout)
{
	for (unsigned i = 0; i < layout->fields; i++) {
		const struct vhu_field *field = &vhu_fields[layout->first + i];

		search_field(search, field);
		if (field->kind == VHU_STRUCT || field->kind == VHU_ARRAY)
			search_layout(search, &vhu_layouts[field->layout]);
	}
}

/* Look at the fields of all messages that the search's fault is for. */
static void search_messages(struct search *search)
{
	const struct vhu_fault *fault = search->fault;

	for (unsigned m = 0; m < VHU_MESSAGES; m++) {
		const struct vhu_message *row = &vhu_messages[m];
		const bool requester = row->channel != VHU_FRONT_END;

		if (fault->row ? fault->row != row : !fault->any && fault->request != row->request)
			continue;
		for (unsigned reply = 0; reply < 2; reply++) {
			const struct vhu_shapes *shapes = &vhu_shapes[row->shape[reply]];

			if (!fault->of[row->channel][requester ^ reply])
				continue;
			for (unsigned s = 0; s < shapes->shapes; s++)
				search_layout(search, &vhu_layouts[shapes->shape[s].layout]);
		}
	}
}

/* Find what is no field of the table's. Returns whether @word is such a thing. */
static bool find_place(struct vhu_word word, struct vhu_fault_field *field)
{
	const char *bracket = memchr(word.at, '[', word.size);
	struct vhu_word name = {word.at, bracket ? (size_t)(bracket - word.at) : word.size};
	uint64_t offset;

	if (vhu_word_is(word, "fds")) {
		*field = (struct vhu_fault_field){.place = VHU_FAULT_FDS, .size = 1};
		return true;
	}
	for (size_t i = 0; i < VHU_ARRAY_SIZE(of_header); i++) {
		if (vhu_word_is(word, of_header[i].name)) {
			*field = (struct vhu_fault_field){.place = VHU_FAULT_BYTES,
							  .path = of_header[i].name,
							  .offset = of_header[i].offset,
							  .size = 4,
							  .mask = of_header[i].mask};
			return true;
		}
	}
	for (size_t i = 0; bracket && i < VHU_ARRAY_SIZE(of_place); i++) {
		struct vhu_word number = {bracket + 1, word.size - name.size - 2};

		if (!vhu_word_is(name, of_place[i].name) || word.size < name.size + 3 ||
		    word.at[word.size - 1] != ']' || !vhu_word_number(number, &offset) ||
		    offset > INT32_MAX)
			continue;
		*field = (struct vhu_fault_field){.place = VHU_FAULT_BYTES,
						  .offset = VHU_HEADER_SIZE + (uint32_t)offset,
						  .size = of_place[i].size};
		return true;
	}
	return false;
}

/* Say why a search came to nothing, or to too much. Returns -EINVAL. */
static int search_failed(const struct search *search, char *what, size_t size)
{
	const int length = (int)search->word.size;

	if (search->other)
		snprintf(what, size, "%.*s is several: write %s or %s", length, search->word.at,
			 search->found->path, search->other->path);
	else if (search->no_number)
		snprintf(what, size, "%s is no number: u8[OFFSET] reaches its bytes",
			 search->no_number->path);
	else if (search->fault->row)
		snprintf(what, size, "%s has no field %.*s", search->fault->row->name, length,
			 search->word.at);
	else
		snprintf(what, size, "no field %.*s", length, search->word.at);
	return -EINVAL;
}

int vhu_fault_field_find(const struct vhu_fault *fault, struct vhu_word word,
			 struct vhu_fault_field *field, enum vhu_names_id *names, char *what,
			 size_t size)
{
	const char *bracket;
	struct search search = {.fault = fault, .word = word};
	uint64_t element = 0;

	*names = VHU_NAMES_none;
	if (find_place(word, field))
		return 0;
	bracket = memchr(word.at, '[', word.size);
	if (bracket) {
		struct vhu_word number = {bracket + 1, (size_t)(word.at + word.size - bracket - 1)};

		if (!number.size || number.at[--number.size] != ']' ||
		    !vhu_word_number(number, &element) || element > INT32_MAX) {
			snprintf(what, size, "%.*s: not NAME[NUMBER]", (int)word.size, word.at);
			return -EINVAL;
		}
		search.word.size = (size_t)(bracket - word.at);
	}
	search_messages(&search);
	if (!search.found || search.other)
		return search_failed(&search, what, size);
	*names = search.found->names;
	*field = (struct vhu_fault_field){
	    .place = VHU_FAULT_FIELD,
	    .path = search.found->path,
	    .element = bracket ? (int)element : -1,
	    .size = search.found->size,
	    .mask = search.found->mask,
	};
	return 0;
}

uint64_t vhu_fault_field_most(const struct vhu_fault_field *field)
{
	if (field->mask)
		return field->mask >> __builtin_ctzll(field->mask);
	return field->size < 8 ? (UINT64_C(1) << 8 * field->size) - 1 : UINT64_MAX;
}

/* Return whether @word is one of the words of @list. */
static bool is_among(struct vhu_word word, const char *list)
{
	while (*list) {
		struct vhu_word next = {list, strcspn(list, " ")};

		if (next.size == word.size && !strncasecmp(next.at, word.at, word.size))
			return true;
		list += next.size;
		list += strspn(list, " ");
	}
	return false;
}

/*
 * Find the value of one name.
 * @device: which it is of, of size 0 where that was not told.
 * Returns 0 with *@value; -EINVAL with what is wrong in @what.
 */
static int name_read(enum vhu_names_id set, struct vhu_word device, struct vhu_word word,
		     uint64_t *value, char *what, size_t size)
{
	const struct vhu_name *found = NULL;

	for (unsigned i = 0; i < vhu_names_count; i++) {
		const struct vhu_name *name = &vhu_names[i];
		const char *of = name->device ? vhu_device_name(name->device) : NULL;

		if (name->set != set ||
		    (!vhu_word_is(word, name->name) && !is_among(word, name->older)) ||
		    (device.size && !(of && vhu_word_is(device, of))))
			continue;
		if (found && found->value != name->value) {
			snprintf(what, size,
				 "%.*s is %" PRIu64 " for %s, %" PRIu64
				 " for %s: write DEVICE.%.*s or the number",
				 (int)word.size, word.at, found->value,
				 found->device ? vhu_device_name(found->device) : "all",
				 name->value, of ? of : "all", (int)word.size, word.at);
			return -EINVAL;
		}
		found = name;
	}
	if (!found && set == VHU_NAMES_none) {
		snprintf(what, size, "%.*s is no number", (int)word.size, word.at);
		return -EINVAL;
	}
	if (!found) {
		snprintf(what, size, "no name %.*s%s%.*s, and no number", (int)device.size,
			 device.size ? device.at : "", device.size ? "." : "", (int)word.size,
			 word.at);
		return -EINVAL;
	}
	*value = vhu_name_sets[set].bits ? UINT64_C(1) << found->value : found->value;
	return 0;
}

int vhu_fault_value_read(enum vhu_names_id names, struct vhu_word word, uint64_t *value, char *what,
			 size_t size)
{
	uint64_t sum = 0, part;

	do {
		const char *bar =
		    vhu_name_sets[names].bits ? memchr(word.at, '|', word.size) : NULL;
		struct vhu_word one = {word.at, bar ? (size_t)(bar - word.at) : word.size};
		const char *dot = memchr(one.at, '.', one.size);
		struct vhu_word device = {one.at, dot ? (size_t)(dot - one.at) : 0};

		word.size -= one.size + (bar != NULL);
		word.at += one.size + (bar != NULL);
		if (!vhu_word_number(one, &part)) {
			if (dot) {
				one.size -= device.size + 1;
				one.at = dot + 1;
			}
			if (name_read(names, device, one, &part, what, size))
				return -EINVAL;
		}
		sum |= part;
		if (!bar)
			break;
	} while (true);
	*value = sum;
	return 0;
}
