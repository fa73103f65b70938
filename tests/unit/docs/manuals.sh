#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each command's manual names the options that its --help names, and no others.
#
#	manuals.sh VHU DOCS
set -eu
vhu=$1
docs=$2
status=0
commands=$("$vhu" --help | awk '/^  [a-z]/ { print $1 }')
[ -n "$commands" ] || { echo "vhu --help lists no commands"; exit 1; }
for command in $commands; do
	manual=$docs/vhu-$command.1
	if [ ! -f "$manual" ]; then
		echo "vhu $command has no manual"
		status=1
		continue
	fi
	# Examples may have options of other programs.
	helped=$("$vhu" "$command" --help | sed -n '/^Examples:/q;s/^  .*--\([a-z0-9-]*\).*/\1/p' | grep -v '^$' | sort -u)
	# An option's heading is the line after .TP.
	manualed=$(awk '/^\.SH EXAMPLES/ { exit } /^\.TP/ { getline; gsub(/\\/, ""); if (match($0, /--[a-z0-9-]+/)) print substr($0, RSTART + 2, RLENGTH - 2) }' \
		"$manual" | sort -u)
	for option in $helped; do
		echo "$manualed" | grep -qx -- "$option" || { echo "$manual: lacks --$option"; status=1; }
	done
	for option in $manualed; do
		echo "$helped" | grep -qx -- "$option" || { echo "$manual: --$option is no option"; status=1; }
	done
done
exit $status
