/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over a corpus, where there is no libFuzzer.
 *
 *	fuzz_NAME FILE|FOLDER...
 */
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/lib/fuzz.h"

/* Try the file at @path, in memory that ends where it does. Returns whether it could be read. */
static int try_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);
	int done = file && data && fread(data, 1, size, file) == size;

	if (done)
		LLVMFuzzerTestOneInput(data, size);
	else
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	free(data);
	if (file)
		fclose(file);
	return done;
}

int main(int argc, char **argv)
{
	FTS *tree = argc > 1 ? fts_open(argv + 1, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	unsigned tried = 0, failed = 0;
	FTSENT *entry;

	while (tree && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_F) {
			tried++;
			failed += !try_file(entry->fts_path, (size_t)entry->fts_statp->st_size);
		}
	}
	if (tree)
		fts_close(tree);
	printf("%u inputs, %u could not be read\n", tried, failed);
	return tried && !failed ? 0 : 1;
}
