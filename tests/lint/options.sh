#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# options.sh SOURCE VHU: pages and manuals call only commands and options of vhu that exist.
# manuals.sh holds the manuals' lists of options against --help; other-options.txt lists
# options of other programs that pages name.
. "$(dirname "$0")/common.sh"
others=$(cd "$(dirname "$0")" && pwd)/other-options.txt
cd "$1" || exit 2
vhu=$2
work=$(mktemp -d)
trap 'rm -rf "$work" "$work.known"' EXIT

names=$(commands "$vhu")
[ -n "$names" ] || { echo "vhu --help lists no commands"; exit 2; }
for name in $names; do
	{
		"$vhu" "$name" --help | options
		"$vhu" "$name" --help | sed -nE '/^Examples:/q; s/^  -(.), .*/\1/p'
		echo help
	} >"$work/$name"
done
for name in backend frontend; do
	"$(dirname "$vhu")/vhu-sample-$name" --help | options >"$work/sample-$name"
	"$(dirname "$vhu")/vhu-sample-$name" --help | sed -nE '/^Examples:/q; s/^  -(.), .*/\1/p' >>"$work/sample-$name"
	echo help >>"$work/sample-$name"
done

# Print the calls of vhu in the file $1, one a line: code in backticks, blocks of code, manuals' examples.
calls()
{
	case $1 in
	*.1)
		# A macro's words follow one another; what is in roman type between two macros is text.
		sed -E 's/\\f[BIR]//g; s/\\-/-/g; s/\\&//g' "$1" | awk '/^\.B vhu / { sub(/^\.B /, ""); print }' ;;
	*)
		awk '/^ *```/ { code = !code; next }
			code || /^    / { print; next }
			{ paragraph = paragraph " " $0 }
			/^ *$/ { inline(paragraph); paragraph = "" }
			END { inline(paragraph) }
			function inline(text) {
				while (match(text, /`[^`]+`/)) {
					print substr(text, RSTART + 1, RLENGTH - 2)
					text = substr(text, RSTART + RLENGTH)
				}
			}' "$1" ;;
	esac |
		sed -E 's/\\$//' | tr '|;&()' '\n\n\n\n\n' | sed -E 's/  +#.*//; s/[<>].*//' |
		sed -nE 's/.*(^|[ `/"])vhu(-sample-(backend|frontend))? (.*)/vhu\2 \4/p'
}

count=0
for page in $(pages .) docs/*.1; do
	calls "$page" >"$work/calls"
	while read -r program name rest; do
		case $program in
		vhu-sample-*) rest="$name $rest" name=${program#vhu-} ;;
		esac
		# Names of variables, placeholders, options of vhu itself, a word in a sentence.
		case $name in
		help | complete | COMMAND | vhu-* | -* | '' | *[!a-z-]*) continue ;;
		esac
		if [ ! -e "$work/$name" ]; then
			fail "$page: vhu $name: no such command"
			continue
		fi
		# What follows -- is another program's; what is quoted is a value.
		for word in $(printf '%s\n' "$rest" | sed -E "s/ -- .*//; s/'[^']*'//g; s/\"[^\"]*\"//g"); do
			case $word in
			--[a-z]*) option=$(printf '%s' "${word#--}" | sed -E 's/[^a-z0-9-].*//') ;;
			-[a-zA-Z]*) option=$(printf '%.1s' "${word#-}") ;;
			*) continue ;;
			esac
			[ -n "$option" ] || continue
			count=$((count + 1))
			grep -qx -- "$option" "$work/$name" || fail "$page: vhu $name $word: no such option"
		done
	done <"$work/calls"
done
# An option that a page names without a command is one of vhu, or of another program.
cat "$others" "$work"/* | sort -u >"$work.known"
for page in $(pages .); do
	for option in $(prose "$page" | grep -oE '`--[a-z][a-z0-9-]+' | sed 's/^`--//' | sort -u); do
		count=$((count + 1))
		grep -qx -- "$option" "$work.known" || fail "$page: --$option: no option of vhu"
	done
done
[ "$count" -gt 100 ] || fail "only $count options found"
exit $failed
