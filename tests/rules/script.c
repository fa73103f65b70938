/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios line by line. */
#include "tests/rules/script.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/util.h"
#include "tests/rules/descriptor.h"
#include "tests/rules/payload.h"

/* 2023-07-04 12:36:00 UTC, when GET_BACKEND_SPECS was proposed; each record is 100 us later. */
#define FIRST_NS UINT64_C(1688474160000000000)
#define STEP_NS  UINT64_C(100000)

#define LINE_MAX_BYTES 16384
#define WORDS_MAX      128
#define NAMES_MAX      64
#define FDS_MAX        64
#define DEPTH_MAX      8

/* A scenario while it is read. */
struct reader {
	struct script *script;
	script_sink *sink;
	void *to;
	bool big_endian;
	bool earlier; /* records are repetitions */
	uint64_t session, time_ns;
	struct {
		char name[64], value[512];
		unsigned depth; /* of the file that set it by default; 0 by let */
	} name[NAMES_MAX];
	unsigned names, depth;
	const char *file;
	unsigned line;
};

/* A message while its words are read. */
struct script_message {
	uint8_t bytes[VHU_HEADER_SIZE + PAYLOAD_MAX];
	struct payload payload;
	struct vhu_fd_info fd[FDS_MAX];
	struct vhu_record record;
	struct vhu_header header;
	const struct vhu_message *row; /* NULL: an id by its number */
	const char *as;
	bool reply, says_size;
	uint64_t whole, body;   /* bytes of message and of payload that pass; UINT64_MAX all */
	uint64_t kept;          /* of those that pass, by the capture */
	char *field[WORDS_MAX]; /* words that are fields */
	unsigned fields;
};

static bool read_file(struct reader *reader, const char *path);

/* Say what is wrong with a line. Returns false. */
static bool wrong(const struct reader *reader, const char *what, const char *text)
{
	fprintf(stderr, "%s:%u: %s%s%s\n", reader->file, reader->line, what, text ? ": " : "",
		text ? text : "");
	return false;
}

/* Return what follows @key= in @word, or NULL where it is another word. */
static const char *after(const char *word, const char *key)
{
	size_t length = strlen(key);

	return !strncmp(word, key, length) && word[length] == '=' ? word + length + 1 : NULL;
}

/* Give a record to whoever wants it, at its time. */
static bool give(struct reader *reader, struct vhu_record *record)
{
	int error;

	record->session = record->marks & VHU_MARK_LOST ? 0 : reader->session;
	if (reader->earlier)
		record->marks |= VHU_MARK_EARLIER;
	record->time_ns = reader->time_ns;
	reader->time_ns += STEP_NS;
	reader->script->records++;
	error = reader->sink(reader->to, record);
	return !error || wrong(reader, "the record is not taken", strerror(-error));
}

/* Find a channel by its name. Returns VHU_CHANNELS for an unknown name. */
static enum vhu_channel channel_find(const char *name)
{
	enum vhu_channel channel = VHU_FRONT_END;

	while (channel < VHU_CHANNELS && strcmp(vhu_channel_name(channel), name))
		channel++;
	return channel;
}

/* open [channel=NAME] [front=NAME] [back=NAME] [socket=PATH], close [channel=NAME] WHY, error WHY
 */
static bool read_event(struct reader *reader, enum vhu_record_type type, char *rest)
{
	struct vhu_record record = {.type = type, .text = rest};
	struct vhu_peer *peer[2] = {&record.front_end, &record.back_end};
	const char *value;
	char *next;

	for (char *word = rest; word && *word; word = next) {
		next = strchr(word, ' ');
		if ((value = after(word, "channel"))) {
			if (next)
				*next++ = '\0';
			record.channel = channel_find(value);
			record.text = next ? next : "";
			if (record.channel == VHU_CHANNELS)
				return wrong(reader, "no such channel", value);
			continue;
		}
		if (type != VHU_RECORD_OPENED)
			break;
		if (next)
			*next++ = '\0';
		record.text = "";
		for (unsigned i = 0; i < 2; i++)
			if ((value = after(word, i ? "back" : "front")))
				*peer[i] = (struct vhu_peer){true, .pid = 100 + i, .comm = value};
		if ((value = after(word, "socket")))
			record.back_end.path = value;
	}
	return give(reader, &record);
}

/* Take a word that is about a message's size or flags, or is a field. Returns false where it is
 * no number. */
static bool read_number(struct script_message *message, char *word)
{
	static const char *const key[] = {"header_flags", "header_size", "payload", "cut", "keep"};
	const char *value = NULL;
	uint64_t number;
	unsigned i = 0;

	while (i < 5 && !(value = after(word, key[i])))
		i++;
	if (i < 5 && !payload_number(value, VHU_NAMES_none, 0, &number))
		return false;
	switch (i) {
	case 0:
		message->header.flags = (uint32_t)number;
		break;
	case 1:
		message->header.size = (uint32_t)number;
		message->says_size = true;
		break;
	case 2:
		message->body = number;
		break;
	case 3:
		message->whole = number;
		break;
	case 4:
		message->kept = number;
		break;
	default:
		message->field[message->fields++] = word;
	}
	return true;
}

/* earlier on, earlier off */
static bool read_earlier(struct reader *reader, const char *rest)
{
	reader->earlier = !strcmp(rest, "on");
	return reader->earlier || !strcmp(rest, "off") || wrong(reader, "neither on nor off", rest);
}

/* lost WHAT */
static bool read_lost(struct reader *reader, const char *rest)
{
	struct vhu_record record = {.type = VHU_RECORD_ERROR, .marks = VHU_MARK_LOST, .text = rest};

	return give(reader, &record);
}

/* Take one word of a message. */
static bool read_word(struct reader *reader, struct script_message *message, char *word)
{
	static const struct {
		const char *name;
		enum vhu_mark mark;
	} marks[] = {
	    {"truncated", VHU_MARK_TRUNCATED}, {"altered", VHU_MARK_ALTERED},
	    {"partial", VHU_MARK_PARTIAL},     {"dropped", VHU_MARK_DROPPED},
	    {"redacted", VHU_MARK_REDACTED},
	};
	struct payload *payload = &message->payload;
	const char *value;
	int size;

	for (unsigned i = 0; i < VHU_ARRAY_SIZE(marks); i++) {
		if (!strcmp(word, marks[i].name)) {
			message->record.marks |= marks[i].mark;
			return true;
		}
	}
	if (!strcmp(word, "need_reply")) {
		message->header.flags |= VHU_FLAG_NEED_REPLY;
	} else if ((value = after(word, "as"))) {
		message->as = value;
	} else if ((value = after(word, "fd"))) {
		if (message->record.fds == FDS_MAX ||
		    !descriptor_read(&message->fd[message->record.fds++], value))
			return wrong(reader, "no descriptor", word);
	} else if ((value = after(word, "bytes"))) {
		size = payload_hex(value, payload->bytes, PAYLOAD_MAX);
		if (size < 0)
			return wrong(reader, "no bytes", word);
		payload->size = (uint32_t)size;
	} else {
		return read_number(message, word) || wrong(reader, "no number", word);
	}
	return true;
}

/* Make the payload of what was read. */
static bool make_payload(struct reader *reader, struct script_message *message)
{
	struct payload *payload = &message->payload;

	payload->big_endian = reader->big_endian;
	payload->device = reader->script->device;
	if (!message->row) {
		if (message->fields)
			return wrong(reader, "an unknown message has no field", message->field[0]);
	} else if (!payload->size &&
		   !payload_fill(payload, message->row, message->reply, message->as, message->field,
				 message->fields, message->record.fds)) {
		return wrong(reader, payload->error, NULL);
	}
	if (message->body != UINT64_MAX)
		payload->size = (uint32_t)message->body;
	return payload->size <= PAYLOAD_MAX || wrong(reader, "the payload is too long", NULL);
}

/* ARROW MESSAGE WORD... */
static bool read_message(struct reader *reader, struct script_message *message,
			 enum vhu_channel channel, bool reply, char **word, unsigned words)
{
	uint64_t id;

	if (!words)
		return wrong(reader, "which message?", NULL);
	message->row = vhu_message_by_name(word[0]);
	if (message->row)
		id = message->row->request;
	else if (!payload_number(word[0], VHU_NAMES_none, 0, &id))
		return wrong(reader, "no such message", word[0]);
	message->reply = reply;
	message->whole = message->body = message->kept = UINT64_MAX;
	message->header.request = (uint32_t)id;
	message->header.flags =
	    (channel == VHU_GPU ? 0 : VHU_FLAGS_VERSION) | (reply ? VHU_FLAG_REPLY : 0);
	message->record = (struct vhu_record){
	    .type = VHU_RECORD_MESSAGE,
	    .channel = channel,
	    .from_back_end = reply == (channel == VHU_FRONT_END),
	    .marks = reader->big_endian ? VHU_MARK_BIG_ENDIAN : 0,
	    .message = message->bytes,
	    .fd = message->fd,
	};
	for (unsigned i = 1; i < words; i++)
		if (!read_word(reader, message, word[i]))
			return false;
	if (!make_payload(reader, message))
		return false;
	if (!message->says_size)
		message->header.size = message->payload.size;
	vhu_header_write(message->bytes, message->header, reader->big_endian);
	memcpy(message->bytes + VHU_HEADER_SIZE, message->payload.bytes, message->payload.size);
	message->record.message_size = VHU_HEADER_SIZE + message->payload.size;
	if (message->whole < message->record.message_size)
		message->record.message_size = (uint32_t)message->whole;
	message->record.message_sent = message->record.message_size;
	if (message->kept < message->record.message_size)
		message->record.message_size = (uint32_t)message->kept;
	return give(reader, &message->record);
}

/* Take a line that begins with an arrow. Returns 1, 0 where it is wrong, -1 where it is another. */
static int read_arrow(struct reader *reader, char **word, unsigned words)
{
	static const struct {
		const char *arrow;
		enum vhu_channel channel;
		bool reply;
	} arrows[] = {
	    {">", VHU_FRONT_END, false},    {"<", VHU_FRONT_END, true},
	    {"back>", VHU_BACK_END, false}, {"back<", VHU_BACK_END, true},
	    {"gpu>", VHU_GPU, false},       {"gpu<", VHU_GPU, true},
	};

	for (unsigned i = 0; i < VHU_ARRAY_SIZE(arrows); i++) {
		struct script_message *message;
		int good;

		if (strcmp(word[0], arrows[i].arrow))
			continue;
		message = calloc(1, sizeof(*message));
		good = message && read_message(reader, message, arrows[i].channel, arrows[i].reply,
					       word + 1, words - 1);
		free(message);
		return good;
	}
	return -1;
}

/* Let a name stand for a value. @depth: of the file that sets a default, which gives way to what
 * was let and to the defaults of files that include this one; 0 by let. */
static bool let(struct reader *reader, const char *name, const char *value, unsigned depth)
{
	unsigned i = 0;

	while (i < reader->names && strcmp(reader->name[i].name, name))
		i++;
	if (i < reader->names && reader->name[i].depth < depth)
		return true;
	if (i == NAMES_MAX)
		return wrong(reader, "too many names", name);
	if (strlen(name) >= sizeof(reader->name[i].name) ||
	    strlen(value) >= sizeof(reader->name[i].value))
		return wrong(reader, "too long a name or value", name);
	reader->names += i == reader->names;
	reader->name[i].depth = depth;
	strcpy(reader->name[i].name, name);
	strcpy(reader->name[i].value, value);
	return true;
}

/* Replace $NAME and ${NAME} in a line by what they stand for. */
static bool replace(struct reader *reader, const char *from, char *to)
{
	size_t length = 0;

	while (*from && length < LINE_MAX_BYTES - 1) {
		bool braces = from[0] == '$' && from[1] == '{';
		const char *name = from + 1 + braces;
		size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789");
		unsigned i = 0;

		if (*from != '$') {
			to[length++] = *from++;
			continue;
		}
		while (i < reader->names && (strlen(reader->name[i].name) != size ||
					     strncmp(reader->name[i].name, name, size)))
			i++;
		if (i == reader->names)
			return wrong(reader, "stands for nothing", from);
		length += (size_t)snprintf(to + length, LINE_MAX_BYTES - length, "%s",
					   reader->name[i].value);
		from = name + size + (braces && name[size] == '}');
	}
	if (length >= LINE_MAX_BYTES)
		return wrong(reader, "the line is too long", NULL);
	to[length] = '\0';
	return true;
}

/* Expect something of a record. */
static bool expect(struct reader *reader, enum expectation_of of, uint64_t number, const char *text)
{
	struct script *script = reader->script;
	struct expectation *more =
	    reallocarray(script->expected, script->expectations + 1, sizeof(*more));

	if (!more)
		return wrong(reader, "out of memory", NULL);
	script->expected = more;
	more[script->expectations] = (struct expectation){of, number, strdup(text)};
	return more[script->expectations++].text || wrong(reader, "out of memory", NULL);
}

/* wait TIME */
static bool read_wait(struct reader *reader, const char *text)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {{"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
	char *unit;
	uint64_t value = strtoull(text, &unit, 10);

	for (unsigned i = 0; i < VHU_ARRAY_SIZE(units); i++) {
		if (strcmp(unit, units[i].unit))
			continue;
		reader->time_ns += value * units[i].ns;
		return true;
	}
	return wrong(reader, "no time", text);
}

/* kick VRING, call VRING: what happens on a vring's eventfds; behind "lost" the fault that did it.
 */
static bool read_signal(struct reader *reader, enum vhu_vring_act act, const char *text)
{
	struct vhu_record record = {
	    .type = VHU_RECORD_VRING,
	    .from_back_end = act == VHU_ACT_CALL,
	    .vring.act = act,
	};
	const char *lost = strstr(text, " lost");
	char number[32];
	uint64_t vring;

	snprintf(number, sizeof(number), "%.*s",
		 (int)(lost ? lost - text : (ptrdiff_t)strlen(text)), text);
	if (!payload_number(number, VHU_NAMES_none, 0, &vring))
		return wrong(reader, "no vring", text);
	record.vring.vring = (uint32_t)vring;
	if (lost) {
		record.vring.has = VHU_VRING_HAS_FATE;
		record.vring.fate = VHU_FATE_LOST;
		record.text = lost + strlen(" lost") + (lost[strlen(" lost")] == ' ');
	}
	return give(reader, &record);
}

/* snapshot VRING VERDICT stall|end|asked [used=N] [for=MS] TEXT: what a look at a vring showed, its
 * used index and for how long something waited; only D13 and moving do not hang. */
static bool read_snapshot(struct reader *reader, char *text)
{
	struct vhu_record record = {.type = VHU_RECORD_SNAPSHOT};
	struct vhu_vring_snapshot *snapshot = &record.snapshot;
	char *vring = strtok(text, " "), *verdict = strtok(NULL, " ");
	char *reason = strtok(NULL, " "), *rest = strtok(NULL, "");
	uint64_t number;

	if (!rest || !payload_number(vring, VHU_NAMES_none, 0, &number))
		return wrong(reader, "no snapshot", text);
	snapshot->vring = (uint32_t)number;
	snapshot->reason = !strcmp(reason, "end")     ? VHU_SNAPSHOT_END
			   : !strcmp(reason, "stall") ? VHU_SNAPSHOT_STALL
						      : VHU_SNAPSHOT_ASKED;
	snapshot->verdict = verdict;
	snapshot->title = "its title";
	if (!strncmp(rest, "used=", 5))
		snapshot->used = (uint16_t)strtoul(rest + 5, &rest, 10);
	rest += strspn(rest, " ");
	if (!strncmp(rest, "for=", 4)) {
		snapshot->has |= VHU_SNAPSHOT_HAS_AGE;
		snapshot->age_ns = strtoul(rest + 4, &rest, 10) * VHU_NS_PER_MS;
	}
	snapshot->text = rest + strspn(rest, " ");
	snapshot->hangs = strcmp(verdict, "D13") != 0 && strcmp(verdict, "moving") != 0;
	return give(reader, &record);
}

/* Take for granted which device or which dialect it is. */
static bool read_granted(struct reader *reader, bool device, const char *name)
{
	const struct vhu_name *found = payload_name(VHU_NAMES_virtio_device, name, 0);

	if (device && found) {
		reader->script->device = (uint32_t)found->value;
		return true;
	}
	for (enum vhu_dialect dialect = VHU_UPSTREAM; !device && dialect < VHU_DIALECTS;
	     dialect++) {
		if (strcmp(vhu_dialect_name(dialect), name))
			continue;
		reader->script->dialect = dialect;
		return true;
	}
	return wrong(reader, device ? "no such device" : "no such dialect", name);
}

/* Take a line that is a word and what follows it. */
static bool read_statement(struct reader *reader, const char *word, char *rest)
{
	size_t length = strcspn(rest, " ");
	char first[256], *second = rest + length + (rest[length] == ' ');

	snprintf(first, sizeof(first), "%.*s", (int)length, rest);
	if (!strcmp(word, "open"))
		return read_event(reader, VHU_RECORD_OPENED, rest);
	if (!strcmp(word, "close"))
		return read_event(reader, VHU_RECORD_CLOSED, rest);
	if (!strcmp(word, "error"))
		return read_event(reader, VHU_RECORD_ERROR, rest);
	if (!strcmp(word, "earlier"))
		return read_earlier(reader, rest);
	if (!strcmp(word, "lost"))
		return read_lost(reader, rest);
	if (!strcmp(word, "let") || !strcmp(word, "default"))
		return let(reader, first, second, word[0] == 'd' ? reader->depth : 0);
	if (!strcmp(word, "wait"))
		return read_wait(reader, rest);
	if (!strcmp(word, "kick") || !strcmp(word, "call"))
		return read_signal(reader, word[0] == 'k' ? VHU_ACT_KICK : VHU_ACT_CALL, rest);
	if (!strcmp(word, "snapshot"))
		return read_snapshot(reader, rest);
	if (!strcmp(word, "session"))
		return payload_number(rest, VHU_NAMES_none, 0, &reader->session) ||
		       wrong(reader, "no session", rest);
	if (!strcmp(word, "include"))
		return read_file(reader, rest);
	if (!strcmp(word, "device") || !strcmp(word, "dialect"))
		return read_granted(reader, !strcmp(word, "device"), rest);
	if (!strcmp(word, "expect"))
		return expect(reader, EXPECT_FINDING, 0, rest);
	if (!strcmp(word, "name") || !strcmp(word, "again"))
		return expect(reader, word[0] == 'n' ? EXPECT_NAME : EXPECT_AGAIN,
			      strtoull(first, NULL, 10), second);
	return wrong(reader, "no such line", word);
}

/* Read one line. It is taken apart. */
static bool read_line(struct reader *reader, char *line)
{
	char *word[WORDS_MAX], whole[LINE_MAX_BYTES];
	unsigned words = 0;
	int arrow;

	line[strcspn(line, "\n")] = '\0';
	snprintf(whole, sizeof(whole), "%s", line);
	for (char *at = strtok(line, " \t"); at; at = strtok(NULL, " \t")) {
		if (words == WORDS_MAX)
			return wrong(reader, "too many words", NULL);
		word[words++] = at;
	}
	if (!words || word[0][0] == '#')
		return true;
	arrow = read_arrow(reader, word, words);
	if (arrow >= 0)
		return arrow;
	return read_statement(reader, word[0],
			      whole + (word[0] - line) + strlen(word[0]) + (words > 1));
}

/* Read a file, named as the one that includes it sees it. */
static bool read_file(struct reader *reader, const char *path)
{
	const char *file = reader->file, *slash = file ? strrchr(file, '/') : NULL;
	unsigned line = reader->line;
	static char from[LINE_MAX_BYTES], to[LINE_MAX_BYTES];
	char beside[1024];
	bool good = true;
	FILE *stream;

	snprintf(beside, sizeof(beside), "%.*s%s", slash ? (int)(slash - file) + 1 : 0,
		 slash ? file : "", path);
	stream = reader->depth < DEPTH_MAX ? fopen(beside, "re") : NULL;
	if (!stream) {
		fprintf(stderr, "%s: cannot be read\n", beside);
		return false;
	}
	reader->depth++;
	reader->file = beside;
	reader->line = 0;
	while (good && fgets(from, sizeof(from), stream)) {
		reader->line++;
		/* What is expected is text, and has no names in it. */
		if (!strncmp(from, "expect ", 7))
			snprintf(to, sizeof(to), "%s", from);
		else
			good = from[0] == '#' || replace(reader, from, to);
		good = good && (from[0] == '#' || read_line(reader, to));
	}
	fclose(stream);
	reader->depth--;
	reader->file = file;
	reader->line = line;
	return good;
}

bool script_read(struct script *script, const char *path, bool big_endian, script_sink *sink,
		 void *to)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	bool good;

	*script = (struct script){0};
	if (!reader)
		return false;
	*reader = (struct reader){
	    .script = script,
	    .sink = sink,
	    .to = to,
	    .big_endian = big_endian,
	    .session = 1,
	    .time_ns = FIRST_NS,
	};
	good = read_file(reader, path);
	free(reader);
	return good;
}

void script_free(struct script *script)
{
	for (unsigned i = 0; i < script->expectations; i++)
		free(script->expected[i].text);
	free(script->expected);
	*script = (struct script){0};
}
