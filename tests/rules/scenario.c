/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenarios: conversations in plain text, compiled to captures and held against what the rules
 * find in them. README.md tells their language.
 *
 *	scenario FILE.scn CAPTURE	compile
 *	scenario --captures FOLDER FILE.scn...	compile each to a file of its name in FOLDER
 *	scenario --show FILE.scn...	show records by their numbers, and the findings
 *	scenario --check FILE.scn...	compile, read back, compare with what the file expects
 *	scenario --refresh FILE.scn...	write what is found as what is expected; review the diff
 *	scenario --cover FILE.scn...	name the rules that no file trips, or comes close to
 *
 * --big-endian before them: the peers send in that byte order.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "lib/session/rules/table.h"
#include "lib/session/session.h"
#include "tests/rules/script.h"

#define TEXT_MAX 512

/* Lines that were found. */
struct lines {
	char **line;
	unsigned count;
};

/* A look at one capture. */
struct look {
	const char *path;
	struct script *script;
	struct lines found;
	bool show, failed;
};

static bool big_endian;

/* Keep a line. */
static void __attribute__((format(printf, 2, 3)))
lines_add(struct lines *lines, const char *format, ...)
{
	char **more = reallocarray(lines->line, lines->count + 1, sizeof(*more)), *line;
	va_list arguments;

	va_start(arguments, format);
	if (!more || vasprintf(&line, format, arguments) < 0)
		abort();
	va_end(arguments);
	lines->line = more;
	lines->line[lines->count++] = line;
}

static void lines_free(struct lines *lines)
{
	for (unsigned i = 0; i < lines->count; i++)
		free(lines->line[i]);
	free(lines->line);
}

static int sink_pcapng(void *to, const struct vhu_record *record)
{
	return vhu_pcapng_write(to, record);
}

static int sink_nothing(void *to, const struct vhu_record *record)
{
	(void)to;
	(void)record;
	return 0;
}

/* Compile a scenario into an open file. Returns whether it could. */
static bool compile(struct script *script, const char *path, int fd)
{
	struct vhu_pcapng_writer *writer;
	bool good;

	if (vhu_pcapng_writer_open(&writer, fd, 0, "scenario")) {
		fprintf(stderr, "%s: the capture cannot be written\n", path);
		*script = (struct script){0};
		return false;
	}
	good = script_read(script, path, big_endian, sink_pcapng, writer);
	return !vhu_pcapng_writer_close(writer) && good;
}

/* Write a finding's line: what every tool prints of it after the file's name. */
static void add_findings(struct look *look, const struct vhu_annotation *note)
{
	for (unsigned i = 0; i < note->findings; i++) {
		const struct vhu_finding *finding = &note->finding[i];
		char see[96] = "";
		int length = 0;

		for (unsigned o = 0; o < VHU_FINDING_OTHERS_MAX && finding->other[o]; o++)
			length += snprintf(see + length, sizeof(see) - (size_t)length, "%s%" PRIu64,
					   o ? ", " : ", see ", finding->other[o]);
		lines_add(&look->found, "%" PRIu64 ": %s V%u %s: %s (session %" PRIu64 "%s)",
			  finding->number, vhu_severity_name(finding->rule->severity),
			  finding->rule->id, finding->rule->name, finding->text, finding->session,
			  see);
	}
}

/* Hold a record's text against what is expected of it. */
static void check_text(struct look *look, enum expectation_of of, uint64_t number,
		       const struct vhu_annotation *note, const struct vhu_record *record)
{
	char text[TEXT_MAX];

	vhu_annotation_text(note, record, text, sizeof(text));
	if (look->show && of == EXPECT_NAME)
		printf("%5" PRIu64 " %s%s\n", number,
		       record->type != VHU_RECORD_MESSAGE ? "-- "
		       : record->from_back_end            ? "<  "
							  : ">  ",
		       text);
	for (unsigned i = 0; i < look->script->expectations; i++) {
		const struct expectation *expected = &look->script->expected[i];

		if (expected->of != of || expected->number != number ||
		    !strcmp(expected->text, text))
			continue;
		fprintf(stderr, "%s: record %" PRIu64 "%s\n  expected: %s\n  found:    %s\n",
			look->path, number, of == EXPECT_AGAIN ? ", once all is known" : "",
			expected->text, text);
		look->failed = true;
	}
}

/* Feed a capture. @of: the pass: EXPECT_NAME the first, EXPECT_AGAIN the second. */
static void feed(struct look *look, struct vhu_sessions *sessions, const char *capture,
		 enum expectation_of of)
{
	struct vhu_pcapng_reader *reader;
	const struct vhu_record *record;
	char error[VHU_PCAPNG_ERROR_SIZE];
	struct vhu_annotation note;
	int got = 0;

	if (vhu_pcapng_reader_open(&reader, capture, false, error)) {
		fprintf(stderr, "%s: %s\n", look->path, error);
		look->failed = true;
		return;
	}
	while ((got = vhu_pcapng_read(reader, &record)) == 1) {
		uint64_t number = vhu_pcapng_reader_number(reader);

		look->failed |= vhu_session_feed(sessions, record, number, &note) != 0;
		check_text(look, of, number, &note, record);
		if (of == EXPECT_NAME)
			add_findings(look, &note);
	}
	while (vhu_session_finish(sessions, &note))
		if (of == EXPECT_NAME)
			add_findings(look, &note);
	if (got || vhu_pcapng_reader_number(reader) != look->script->records) {
		fprintf(stderr, "%s: the capture does not read back\n", look->path);
		look->failed = true;
	}
	vhu_pcapng_reader_close(reader);
}

/* Compile a scenario and see what is found in it. */
static void look_at(struct look *look, struct script *script, const char *path)
{
	struct vhu_sessions *sessions = vhu_sessions_new(true);
	int fd = memfd_create("scenario", MFD_CLOEXEC);
	char capture[64];

	snprintf(capture, sizeof(capture), "/proc/self/fd/%d", fd);
	look->path = path;
	look->script = script;
	if (!sessions || fd < 0)
		abort();
	look->failed = !compile(script, path, fd);
	if (!look->failed) {
		vhu_sessions_force_device(sessions, script->device);
		vhu_sessions_force_dialect(sessions, script->dialect);
		feed(look, sessions, capture, EXPECT_NAME);
		vhu_sessions_rewind(sessions);
		feed(look, sessions, capture, EXPECT_AGAIN);
	}
	vhu_sessions_free(sessions);
	close(fd);
}

/* Hold the findings against the expected ones, which come in the same order. Returns whether they
 * are the same. */
static bool compare(const struct look *look)
{
	unsigned f = 0;
	bool good = true;

	for (unsigned e = 0; e < look->script->expectations; e++) {
		const struct expectation *expected = &look->script->expected[e];
		const char *found = f < look->found.count ? look->found.line[f] : NULL;

		if (expected->of != EXPECT_FINDING)
			continue;
		f++;
		if (found && !strcmp(found, expected->text))
			continue;
		fprintf(stderr, "%s:\n  expected: %s\n  found:    %s\n", look->path, expected->text,
			found ? found : "nothing more");
		good = false;
	}
	for (; f < look->found.count; f++) {
		fprintf(stderr, "%s:\n  expected: nothing more\n  found:    %s\n", look->path,
			look->found.line[f]);
		good = false;
	}
	return good;
}

/* Write a file again with what was found as what is expected, at its end. Returns whether it could.
 */
static bool refresh(const struct look *look)
{
	char *text = NULL, line[16384];
	size_t size = 0;
	FILE *from = fopen(look->path, "re"), *to = open_memstream(&text, &size);
	bool good = from && to;

	while (good && fgets(line, sizeof(line), from))
		if (strncmp(line, "expect ", 7))
			fputs(line, to);
	if (from)
		fclose(from);
	for (unsigned i = 0; good && i < look->found.count; i++)
		fprintf(to, "expect %s\n", look->found.line[i]);
	if (to)
		fclose(to);
	from = good ? fopen(look->path, "we") : NULL;
	good = from && fputs(text, from) >= 0;
	if (from)
		good &= !fclose(from);
	free(text);
	return good;
}

enum mode { SHOW, CHECK, REFRESH };

/* Do to one scenario what was asked. Returns whether all is as it should be. */
static bool treat(enum mode mode, const char *path)
{
	struct look look = {.show = mode == SHOW};
	struct script script;
	bool good;

	look_at(&look, &script, path);
	good = !look.failed;
	if (good && mode == CHECK)
		good = compare(&look);
	if (good && mode == REFRESH)
		good = refresh(&look);
	for (unsigned i = 0; good && mode == SHOW && i < look.found.count; i++)
		printf("expect %s\n", look.found.line[i]);
	lines_free(&look.found);
	script_free(&script);
	return good;
}

/* Return whether a scenario expects a finding of a rule, or -1 where it cannot be read. */
static int expects(const char *path, const struct vhu_rule *rule)
{
	struct script script;
	char id[16];
	int found = script_read(&script, path, false, sink_nothing, NULL) ? 0 : -1;

	snprintf(id, sizeof(id), " V%u ", rule->id);
	for (unsigned i = 0; found == 0 && i < script.expectations; i++)
		found =
		    script.expected[i].of == EXPECT_FINDING && strstr(script.expected[i].text, id);
	script_free(&script);
	return found;
}

/* Tell the rules that no file named after them trips or comes close to. Returns whether all have
 * both. @kind: ".trip" or ".near"; @wants: whether such a file is to expect the rule's finding. */
static bool cover(const struct vhu_rule *rule, const char *kind, int wants, char **path)
{
	char name[32];
	bool good = true;
	unsigned files = 0;

	snprintf(name, sizeof(name), "/V%u%s", rule->id, kind);
	for (; *path; path++) {
		if (!strstr(*path, name))
			continue;
		files++;
		if (expects(*path, rule) == wants)
			continue;
		fprintf(stderr, "%s: %s V%u\n", *path, wants ? "does not expect" : "expects",
			rule->id);
		good = false;
	}
	if (!files)
		fprintf(stderr, "V%u %s has no %s.scn\n", rule->id, rule->name, name + 1);
	return good && files;
}

/* Write the capture of the scenario in the file path. */
static bool write_capture(const char *path, const char *capture)
{
	int fd = open(capture, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct script script = {0};
	bool good = fd >= 0 && compile(&script, path, fd) && !close(fd);

	script_free(&script);
	return good;
}

/* The same into a folder, under the scenario's name. */
static bool write_into(const char *folder, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *capture;
	bool good;

	if (asprintf(&capture, "%s/%s", folder, slash ? slash + 1 : path) < 0)
		return false;
	good = write_capture(path, capture);
	free(capture);
	return good;
}

int main(int argc, char **argv)
{
	static const char *const modes[] = {"--show", "--check", "--refresh"};
	bool good = true;

	if (argc > 1 && !strcmp(argv[1], "--big-endian")) {
		big_endian = true;
		argv++;
		argc--;
	}
	for (enum mode mode = SHOW; argc > 2 && mode <= REFRESH; mode++) {
		if (strcmp(argv[1], modes[mode]))
			continue;
		for (int i = 2; i < argc; i++)
			good &= treat(mode, argv[i]);
		return !good;
	}
	if (argc > 2 && !strcmp(argv[1], "--cover")) {
		for (unsigned i = 0; i < VHU_RULES; i++)
			/* These are about two captures. */
			if (i != VHU_RULE_AT_621 && i != VHU_RULE_AT_330)
				good &= cover(&vhu_rules[i], ".trip", 1, argv + 2) &
					cover(&vhu_rules[i], ".near", 0, argv + 2);
		return !good;
	}
	if (argc > 3 && !strcmp(argv[1], "--captures")) {
		for (int i = 3; i < argc; i++)
			good &= write_into(argv[2], argv[i]);
		return !good;
	}
	if (argc == 3 && argv[1][0] != '-')
		return !write_capture(argv[1], argv[2]);
	fprintf(stderr,
		"usage: scenario [--big-endian] FILE.scn CAPTURE\n"
		"       scenario [--big-endian] --captures FOLDER FILE.scn...\n"
		"       scenario [--big-endian] --show|--check|--refresh|--cover FILE.scn...\n");
	return 2;
}
