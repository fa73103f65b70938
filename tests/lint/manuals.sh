#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# manuals.sh SOURCE VHU: each command has a manual that names the options in its --help, and no others, and
# the exit statuses 0, 1 and 2. vhu(1) names each command.
. "$(dirname "$0")/common.sh"
cd "$1" || exit 2
vhu=$2

# Print the options that have an entry in the manual $1; an entry's heading is the line after .TP.
manual_options()
{
	awk '/^\.SH EXAMPLES/ { exit }
		/^\.TP/ { getline; gsub(/\\/, ""); if (match($0, /--[a-z0-9-]+/)) print substr($0, RSTART + 2, RLENGTH - 2) }' \
		"$1" | sort -u
}

# Check the manual $1 against the program $2...
check()
{
	manual=$1
	shift
	[ -f "$manual" ] || { fail "$manual: no such manual"; return; }
	helped=$("$@" --help | options)
	[ -n "$helped" ] || fail "$*: --help lists no options"
	documented=$(manual_options "$manual")
	for option in $helped; do
		echo "$documented" | grep -qx -- "$option" || fail "$manual: lacks --$option"
	done
	for option in $documented; do
		echo "$helped" | grep -qx -- "$option" || fail "$manual: --$option: no such option"
	done
	for exit in 0 1 2; do
		sed -n '/^\.SH EXIT STATUS/,/^\.SH [^E]/p' "$manual" | grep -Eq "(^|[ ;])$exit( |$)" ||
			fail "$manual: EXIT STATUS lacks $exit"
	done
}

names=$(commands "$vhu")
[ -n "$names" ] || { echo "vhu --help lists no commands"; exit 2; }
for name in $names; do
	check "docs/vhu-$name.1" "$vhu" "$name"
	grep -q "vhu-$name" docs/vhu.1 || fail "docs/vhu.1: lacks vhu-$name(1)"
done
for name in backend frontend; do
	check "docs/vhu-sample-$name.1" "$(dirname "$vhu")/vhu-sample-$name"
done
exit $failed
