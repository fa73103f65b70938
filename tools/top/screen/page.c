/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that is looked through. */
#include "tools/top/screen/page.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util/array.h"
#include "tools/top/table/text.h"

/* What a line goes on with. */
#define INDENT        4
/* Bytes of a line that are kept. */
#define LINE_MAX_SIZE 4096

/* Add one line. */
static void add_line(struct vhu_top_page *page, const char *text)
{
	char plain[LINE_MAX_SIZE], *kept, **grown;

	if (page->lines == VHU_TOP_PAGE_LINES) {
		free(page->line[0]);
		page->lines--;
		memmove(page->line, page->line + 1, page->lines * sizeof(*page->line));
	}
	kept = strdup(vhu_top_plain(text, plain, sizeof(plain)));
	grown = kept ? vhu_array_more(page->line, &page->lines, sizeof(char *)) : NULL;
	if (!grown) {
		free(kept);
		return;
	}
	page->line = grown;
	grown[page->lines - 1] = kept;
}

void vhu_top_page_add(struct vhu_top_page *page, const char *text)
{
	char *copy = strdup(text), *at = copy, *line;

	while ((line = strsep(&at, "\n")))
		if (at || *line)
			add_line(page, line);
	free(copy);
}

void vhu_top_page_clear(struct vhu_top_page *page)
{
	for (unsigned i = 0; i < page->lines; i++)
		free(page->line[i]);
	free(page->line);
	page->line = NULL;
	page->lines = 0;
}

/* Return how much of @text goes into @room columns: up to a blank, if there is one. */
static size_t fitting(const char *text, size_t room)
{
	size_t length = strlen(text), at = room;

	if (length <= room)
		return length;
	while (at > room / 2 && text[at] != ' ')
		at--;
	return text[at] == ' ' ? at : room;
}

/* Go through the rows of a line. @row: the one to return; its length goes to *@length, how much it
 * is indented to *@indent. Returns its text; NULL for none, and in *@length how many there
 * are.
 */
static const char *find_row(const char *line, int width, unsigned row, size_t *length, int *indent)
{
	unsigned at = 0;

	*indent = 0;
	for (;;) {
		*length = fitting(line, (size_t)(width - *indent));
		if (at++ == row)
			return line;
		line += *length;
		line += strspn(line, " ");
		if (!*line) {
			*length = at;
			return NULL;
		}
		*indent = width > 2 * INDENT ? INDENT : 0;
	}
}

unsigned vhu_top_page_rows(const struct vhu_top_page *page, int width)
{
	unsigned rows = 0;

	for (unsigned i = 0; i < page->lines; i++) {
		size_t count;
		int indent;

		find_row(page->line[i], width, ~0u, &count, &indent);
		rows += (unsigned)count;
	}
	return rows;
}

void vhu_top_page_scroll(struct vhu_top_page *page, int by, int width, int rows)
{
	const int all = (int)vhu_top_page_rows(page, width);
	const int most = all > rows ? all - rows : 0;
	int from = (page->follows ? most : (int)page->from) + by;

	from = from < 0 ? 0 : from;
	page->from = (unsigned)(from > most ? most : from);
	if (by)
		page->follows = page->grows && from >= most;
}

void vhu_top_page_row(const struct vhu_top_page *page, unsigned row, int width, char *to)
{
	for (unsigned i = 0; i < page->lines; i++) {
		size_t length;
		int indent;
		const char *text = find_row(page->line[i], width, row, &length, &indent);

		if (text) {
			memset(to, ' ', (size_t)indent);
			memcpy(to + indent, text, length);
			to[(size_t)indent + length] = '\0';
			return;
		}
		row -= (unsigned)length;
	}
	*to = '\0';
}
