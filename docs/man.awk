# SPDX-License-Identifier: GPL-2.0-or-later
# Make a manual page of a page in Markdown, so that both say the same:
#
#	awk -v name=vhu-faults -v section=7 -v title="Miscellaneous" -v date=2026-11-29 \
#		-v about="change what passes" -v see="vhu-proxy(1) vhu-ctl(1)" -v docs=/usr/share/doc/vhu/docs \
#		-f man.awk faults.md
#
# It knows what these pages use: headings, paragraphs, lists, tables, code, links. A row of a table
# becomes a tagged paragraph. A link to another page names its manual, or the file that is installed.

# Return TEXT with what roff takes for itself made plain.
function plain(text)
{
	gsub(/\\/, "\\e", text)
	return text
}

# Return the code TEXT as roff has it: hyphens are those that can be copied.
function code(text)
{
	text = plain(text)
	gsub(/-/, "\\-", text)
	return text
}

# Return what the link to TO with the words TEXT is called.
function link(text, to,    page)
{
	page = to
	sub(/#.*/, "", page)
	if (page in manual)
		return manual[page]
	if (page ~ /^[a-z-]+\.md$/ && text == page)
		return docs "/" page
	if (page ~ /^[a-z-]+\.md$/)
		return text " (" docs "/" page ")"
	return text
}

# Return a line of Markdown as roff.
function inline(text,    out, at, rest, words)
{
	out = ""
	while (length(text)) {
		at = match(text, /`[^`]+`|\*\*[^*]+\*\*|\*[^* ][^*]*\*|\[[^]]+\]\([^)]+\)|\\[<>|*_`\\]/)
		if (!at)
			return out plain(text)
		out = out plain(substr(text, 1, at - 1))
		rest = substr(text, at, RLENGTH)
		text = substr(text, at + RLENGTH)
		if (rest ~ /^`/)
			out = out "\\fB" code(substr(rest, 2, length(rest) - 2)) "\\fR"
		else if (rest ~ /^\*\*/)
			out = out "\\fB" plain(substr(rest, 3, length(rest) - 4)) "\\fR"
		else if (rest ~ /^\*/)
			out = out "\\fI" plain(substr(rest, 2, length(rest) - 2)) "\\fR"
		else if (rest ~ /^\\/)
			out = out plain(substr(rest, 2))
		else {
			words = substr(rest, 2, index(rest, "](") - 2)
			rest = substr(rest, index(rest, "](") + 2)
			sub(/\)$/, "", rest)
			gsub(/`/, "", words)
			out = out plain(link(words, rest))
		}
	}
	return out
}

# Print TEXT in lines that are not too long.
function fill(text,    word, words, i, line)
{
	words = split(text, word, / +/)
	line = ""
	for (i = 1; i <= words; i++) {
		if (word[i] == "")
			continue
		if (line != "" && length(line) + length(word[i]) > 74) {
			print guard(line)
			line = ""
		}
		line = line (line == "" ? "" : " ") word[i]
	}
	if (line != "")
		print guard(line)
}

# Return LINE so that roff takes its first character for text.
function guard(line)
{
	return line ~ /^[.']/ ? "\\&" line : line
}

# Print what was gathered of a paragraph or an item of a list.
function flush_text()
{
	if (text == "")
		return
	if (item)
		print ".IP \\(bu 2"
	else if (!fresh)
		print ".PP"
	fill(inline(text))
	text = ""
	fresh = 0
}

# Print a line of code; what is long goes on in the next, without a break.
function code_line(line,    at)
{
	line = code(expand(line))
	while (length(line) > 72) {
		at = 70
		while (at > 1 && substr(line, at - 1, 1) == "\\")
			at--
		print guard(substr(line, 1, at - 1)) "\\c"
		line = substr(line, at)
	}
	print guard(line)
}

# Return LINE with blanks for its tabs.
function expand(line,    at)
{
	while ((at = index(line, "\t")))
		line = substr(line, 1, at - 1) substr("        ", 1, 8 - (at - 1) % 8) substr(line, at + 1)
	return line
}

# Begin and end code.
function begin_code()
{
	flush_text()
	if (!fresh)
		print ".PP"
	print ".RS 2"
	print ".nf"
	in_code = 1
	fresh = 0
}
function end_code()
{
	print ".fi"
	print ".RE"
	in_code = 0
	blank_lines = 0
}

# Print a row of a table as a tagged paragraph.
function row(line,    cell, cells, i, said, named)
{
	gsub(/\\\|/, "\001", line)
	sub(/^\| */, "", line)
	sub(/ *\|$/, "", line)
	cells = split(line, cell, / *\| */)
	for (i = 1; i <= cells; i++)
		gsub(/\001/, "|", cell[i])
	if (!table) {
		for (i = 1; i <= cells; i++)
			head[i] = cell[i]
		table = 1
		return
	}
	if (line ~ /^-+$/ || line ~ /^-+\|/)
		return
	print ".TP"
	print guard(inline(cell[1]) == "" ? "\\&" : inline(cell[1]))
	said = ""
	for (i = 2; i <= cells; i++) {
		if (cell[i] == "")
			continue
		# What is short says little without the head of its column.
		named = head[i] != "" && (i > 2 || (cells > 2 && length(cell[i]) <= 12))
		said = said (said == "" ? "" : "; ") (named ? head[i] ": " : "") cell[i]
	}
	if (said == "")
		print "\\&"
	fill(inline(said))
	fresh = 0
}

BEGIN {
	manual["faults.md"] = "vhu-faults(7)"
	manual["rules.md"] = "vhu-rules(7)"
	manual["capture-format.md"] = "vhu-capture(5)"
	big = name
	printf ".\\\" Made of a page of vhu's documentation.\n"
	printf ".TH %s %s \"%s\" \"vhu\" \"%s\"\n", toupper(big), section, date, title
	printf ".SH NAME\n%s \\- %s\n.SH DESCRIPTION\n", name, about
	fresh = 1
}

/^<!--.*-->$/ { next }

/^```/ {
	if (in_code) {
		end_code()
	} else {
		begin_code()
		fenced = 1
	}
	if (!in_code)
		fenced = 0
	next
}
in_code && fenced { code_line($0); next }
in_code && /^(    |\t)/ {
	while (blank_lines > 0) {
		print "\\&"
		blank_lines--
	}
	sub(/^(    |\t)/, "")
	code_line($0)
	next
}
in_code && /^$/ { blank_lines++; next }
in_code { end_code() }

/^# / { next }
/^## / {
	flush_text()
	item = 0
	sub(/^## /, "")
	print ".SH " toupper(inline($0))
	fresh = 1
	next
}
/^### / {
	flush_text()
	item = 0
	sub(/^### /, "")
	print ".SS " inline($0)
	fresh = 1
	next
}
/^\|/ {
	flush_text()
	item = 0
	row($0)
	next
}
{ table = 0 }
/^$/ {
	flush_text()
	item = 0
	next
}
/^(    |\t)/ && text == "" {
	begin_code()
	sub(/^(    |\t)/, "")
	code_line($0)
	next
}
/^[*-] / {
	flush_text()
	item = 1
	text = substr($0, 3)
	next
}
{
	sub(/^ +/, "")
	text = text (text == "" ? "" : " ") $0
}

END {
	if (in_code)
		end_code()
	flush_text()
	count = split(see, also, " ")
	print ".SH SEE ALSO"
	for (i = 1; i <= count; i++) {
		page = also[i]
		sub(/\(.*/, "", page)
		printf ".BR %s %s%s\n", page, substr(also[i], length(page) + 1), i < count ? "," : ""
	}
}
