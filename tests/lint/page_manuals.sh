#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# page_manuals.sh SOURCE VHU: the manuals that are made of pages have all that the pages have; manuals
# refer to manuals and pages that there are; mandoc has nothing to say of what is made.
. "$(dirname "$0")/common.sh"
manuals=$BUILD/docs
cd "$1" || exit 2
vhu=$2

# Print the words of the manual $1, without what makes them bold and without how lines break.
words()
{
	sed -e 's/\\f[BIR]//g' -e 's/\\-/-/g' -e 's/\\e/\\/g' -e 's/\\&//g' "$1" |
		awk '/\\c$/ { sub(/\\c$/, ""); printf "%s", $0; next } { print }' | tr -s '\n ' '  '
}

for manual in "$manuals"/vhu-faults.7 "$manuals"/vhu-rules.7 "$manuals"/vhu-capture.5; do
	[ -s "$manual" ] || { fail "$manual: no such manual"; continue; }
	! command -v mandoc >/dev/null || said=$(mandoc -T lint "$manual" 2>&1) && [ -z "${said-}" ] ||
		fail "mandoc: $said"
done
[ "$failed" = 0 ] || exit 1

# A title begins with a capital letter there.
text=$(words "$manuals/vhu-rules.7")
"$vhu" check --list | while read -r id severity name title; do
	case $text in
	*"$id $name ($severity) "?"${title#?}"*) ;;
	*) fail "vhu-rules.7: lacks $id $name: $title" ;;
	esac
done | grep . && exit 1

# Each cell of a table, and each line of code, without its marks.
for page in faults:7 capture-format:5; do
	name=${page%:*} section=${page#*:}
	text=$(words "$manuals/vhu-${name%-format}.$section")
	awk '/^ *```/ { code = !code; next }
		code || /^(    |\t)/ { print; next }
		/^\|/ && !/^\|-/ && table { gsub(/\\\|/, "\001"); count = split($0, cell, "|")
			for (i = 2; i < count; i++) { gsub(/\001/, "|", cell[i]); print cell[i] } }
		{ table = /^\|/ }' "docs/$name.md" |
		sed -E 's/\[([^]]*)\]\([^)]*\)//g; s/[`*]|\\([<>])/\1/g' | tr -s '\t ' '  ' |
		sed 's/^ //; s/ $//' | sort -u | while read -r cell; do
		case $text in
		*"$cell"*) ;;
		*) fail "vhu-${name%-format}.$section: lacks: $cell" ;;
		esac
	done | grep . && exit 1
done

# What manuals refer to.
for manual in docs/*.1 "$manuals"/*.[57]; do
	sed -n 's/^\.BR \(vhu[a-z\\-]*\) *(\([157]\)).*/\1.\2/p' "$manual" | tr -d '\\' | sort -u | while read -r to; do
		[ -f "docs/$to" ] || [ -f "$manuals/$to" ] || fail "$manual: no manual $to"
	done | grep . && exit 1
	words "$manual" | grep -oE '/share/doc/vhu/[a-zA-Z/-]+\.[a-z]+' | sort -u | while read -r to; do
		[ -f "${to#/share/doc/vhu/}" ] || fail "$manual: no page $to"
	done | grep . && exit 1
done
! grep -nE '(^|[^/])docs/[a-z-]+\.md' docs/*.1 || fail "a manual refers to what is not installed so"
exit $failed
