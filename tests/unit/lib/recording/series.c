/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows how a series of files is named, and that it touches no file but its own. */
#include "lib/recording/series.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/util/util.h"

/* Check that @name is @path's number @number, with a date. */
static void check_name(const char *name, const char *before, unsigned number, const char *after)
{
	char pattern[256];
	regex_t regex;

	snprintf(pattern, sizeof(pattern), "^%s_%05u_20[0-9]{12}%s$", before, number, after);
	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, name, 0, NULL, 0))
		fail_msg("%s is not like %s", name, pattern);
	regfree(&regex);
}

/* Make the next file and write a few bytes to it. */
static void make(struct vhu_series *files)
{
	int fd = vhu_series_next(files);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
}

/* Return whether there is a file. */
static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static void names_are_dumpcaps(void **state)
{
	static const struct {
		const char *path, *before, *after;
	} row[] = {
	    {"vm.pcapng", "vm", "\\.pcapng"},
	    {"vm", "vm", ""},
	    {"./x.y.pcapng", "\\./x\\.y", "\\.pcapng"},
	    {"./.hidden", "\\./\\.hidden", ""},
	};
	struct vhu_series files;

	(void)state;
	for (size_t i = 0; i < VHU_ARRAY_SIZE(row); i++) {
		vhu_series_start(&files, row[i].path, 0);
		assert_string_equal(vhu_series_name(&files), "");
		make(&files);
		check_name(vhu_series_name(&files), row[i].before, 1, row[i].after);
		unlink(vhu_series_name(&files));
		vhu_series_free(&files);
	}
	/* A dot in a folder's name is no extension's. */
	assert_int_equal(mkdir("a.b", 0700), 0);
	vhu_series_start(&files, "a.b/vm", 0);
	make(&files);
	check_name(vhu_series_name(&files), "a\\.b/vm", 1, "");
	unlink(vhu_series_name(&files));
	rmdir("a.b");
	/* After 99999 comes 0. */
	files.number = VHU_SERIES_MAX - 2;
	files.path = "vm";
	make(&files);
	check_name(vhu_series_name(&files), "vm", 99999, "");
	unlink(vhu_series_name(&files));
	make(&files);
	check_name(vhu_series_name(&files), "vm", 0, "");
	unlink(vhu_series_name(&files));
	vhu_series_free(&files);
}

static void the_latest_stay(void **state)
{
	struct vhu_series files;
	char name[3][64], text[256];

	(void)state;
	vhu_series_start(&files, "vm.pcapng", 3);
	vhu_series_text(&files, text, sizeof(text));
	assert_string_equal(text, "nothing was written");
	for (unsigned i = 0; i < 7; i++) {
		make(&files);
		vhu_series_trim(&files);
		snprintf(name[i % 3], sizeof(name[0]), "%s", vhu_series_name(&files));
		assert_int_equal(files.count, i < 3 ? i + 1 : 3);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(exists(name[i]));
	assert_int_equal(files.deleted, 4);
	vhu_series_text(&files, text, sizeof(text));
	assert_non_null(strstr(text, "7 files, the oldest 4 deleted: vm_00005_"));
	assert_non_null(strstr(text, " to vm_00007_"));

	/* What could not be written to goes, and its number is free. */
	make(&files);
	vhu_series_drop(&files);
	assert_string_equal(vhu_series_name(&files), name[0]);
	assert_int_equal(files.total, 7);
	make(&files);
	check_name(vhu_series_name(&files), "vm", 8, "\\.pcapng");
	/* There are four now: to make room is the oldest one's turn. */
	assert_true(vhu_series_make_room(&files));
	assert_true(vhu_series_make_room(&files));
	assert_false(vhu_series_make_room(&files));
	assert_int_equal(files.count, 2);
	unlink(name[0]);
	unlink(vhu_series_name(&files));
	vhu_series_free(&files);
}

static void others_files_are_left_alone(void **state)
{
	time_t now = time(NULL);
	struct vhu_series files;
	char taken[32][64], date[32], first[64];
	struct stat st;

	(void)state;
	/* The names of the first numbers in the seconds that come: files, and links to somewhere.
	 */
	for (int i = 0; i < 32; i++) {
		time_t then = now + i / 2;

		strftime(date, sizeof(date), "%Y%m%d%H%M%S", localtime(&then));
		snprintf(taken[i], sizeof(taken[i]), "vm_%05d_%s", i % 2 + 1, date);
		if (i % 2)
			assert_int_equal(symlink("elsewhere", taken[i]), 0);
		else
			close(open(taken[i], O_CREAT | O_WRONLY, 0600));
	}
	vhu_series_start(&files, "vm", 1);
	make(&files);
	check_name(vhu_series_name(&files), "vm", 3, "");
	assert_false(exists("elsewhere"));
	for (int i = 0; i < 32; i++) {
		if (!(i % 2) && !stat(taken[i], &st))
			assert_int_equal(st.st_size, 0);
		assert_int_equal(unlink(taken[i]), 0);
	}

	/* What stands under the name of one that is to be deleted stays. */
	snprintf(first, sizeof(first), "%s", vhu_series_name(&files));
	assert_int_equal(rename(first, "kept"), 0);
	assert_int_equal(symlink("kept", first), 0);
	make(&files);
	vhu_series_trim(&files);
	assert_true(exists(first) && exists("kept"));
	assert_int_equal(files.deleted, 0);
	unlink(first);
	unlink("kept");
	unlink(vhu_series_name(&files));
	vhu_series_free(&files);
}

static void a_lower_limit_deletes_the_oldest(void **state)
{
	struct vhu_series files;
	char name[4][64];

	(void)state;
	vhu_series_start(&files, "vm", 4);
	for (int i = 0; i < 4; i++) {
		make(&files);
		snprintf(name[i], sizeof(name[i]), "%s", vhu_series_name(&files));
		assert_int_equal(truncate(name[i], 1000), 0);
	}
	vhu_series_limit(&files, 3, 0, 0);
	assert_true(!exists(name[0]) && exists(name[1]));
	/* Two have 2,000 bytes, and another 500 must have room. */
	vhu_series_limit(&files, 3, 2500, 500);
	assert_true(!exists(name[1]) && exists(name[2]) && exists(name[3]));
	unlink(name[2]);
	unlink(name[3]);
	vhu_series_free(&files);
}

static void failure_to_make_a_file_is_reported(void **state)
{
	char longest[300];
	struct vhu_series files;

	(void)state;
	vhu_series_start(&files, "none/vm.pcapng", 0);
	assert_int_equal(vhu_series_next(&files), -ENOENT);
	vhu_series_drop(&files);
	vhu_series_trim(&files);
	assert_int_equal(files.total, 0);
	vhu_series_free(&files);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	vhu_series_start(&files, longest, 0);
	assert_int_equal(vhu_series_next(&files), -ENAMETOOLONG);
	assert_int_equal(files.number, 0);
	vhu_series_free(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_dumpcaps),
	    cmocka_unit_test(the_latest_stay),
	    cmocka_unit_test(others_files_are_left_alone),
	    cmocka_unit_test(a_lower_limit_deletes_the_oldest),
	    cmocka_unit_test(failure_to_make_a_file_is_reported),
	};
	char folder[] = "/tmp/vhu-files-XXXXXX";
	int failed;

	if (!mkdtemp(folder) || chdir(folder)) {
		perror(folder);
		return 1;
	}
	failed = cmocka_run_group_tests_name("proxy-files", tests, NULL, NULL);
	if (!failed)
		rmdir(folder);
	return failed;
}
