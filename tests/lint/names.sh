#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# names.sh SOURCE: each file that a comment of the C code names exists, and so does each function, type and
# constant whose name begins with vhu_ or VHU_. A file in another folder is named with its folder.
. "$(dirname "$0")/common.sh"
cd "$1" || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

find bpf dissector lib proxy samples tests tools -name '*.[ch]' -o -name '*.def' | sort >"$work/sources"
xargs awk -v names="$work/code" '
	# Print the names of files and of things in comments; the words of the code go to another file.
	FNR == 1 { comment = 0 }
	{
		rest = $0
		while (rest != "") {
			if (comment) {
				end = index(rest, "*/")
				text = end ? substr(rest, 1, end - 1) : rest
				rest = end ? substr(rest, end + 2) : ""
				comment = !end
				said(text)
			} else {
				begin = index(rest, "/*")
				text = begin ? substr(rest, 1, begin - 1) : rest
				rest = begin ? substr(rest, begin + 2) : ""
				comment = begin
				if (text ~ /vhu_|VHU_/)
					print text >names
			}
		}
	}
	function said(text) {
		gsub(/<[^>]*>/, "", text)
		while (match(text, /[A-Za-z0-9_.\/*-]+/)) {
			word = substr(text, RSTART, RLENGTH)
			text = substr(text, RSTART + RLENGTH)
			sub(/[.-]+$/, "", word)
			if (word ~ /^[A-Za-z0-9_][A-Za-z0-9_.\/-]*\.(c|h|def|sh|awk)$/ ||
			    word ~ /^(vhu|VHU)_[A-Za-z0-9_]*[A-Za-z0-9]$/)
				print FILENAME, FNR, word
		}
	}' <"$work/sources" >"$work/said"
grep -ohE '\b(vhu|VHU)_[A-Za-z0-9_]+' "$work/code" | sort -u >"$work/things"
# What CMake files define.
grep -rohE --include=CMakeLists.txt --include='*.cmake' '\b(vhu|VHU)_[A-Za-z0-9_]+' . | sort -u >>"$work/things"

count=0
while read -r file line word; do
	count=$((count + 1))
	case $word in
	vhu_* | VHU_*) grep -qx "$word" "$work/things" || fail "$file:$line: $word: no such name" ;;
	*) [ -e "$word" ] || [ -e "$(dirname "$file")/$word" ] || fail "$file:$line: $word: no such file" ;;
	esac
done <"$work/said"
[ "$count" -gt 100 ] || fail "only $count names found"
exit $failed
