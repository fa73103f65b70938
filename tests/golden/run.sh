#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Compare the tools' output for the golden captures with the files kept here, and with each other.
#
#	run.sh BUILD FORM		FORM: text, json, fields or byte-order
#	run.sh --refresh BUILD		rewrite the files kept here; the diff is the review
#
# BUILD is a build folder. CHANNEL/MESSAGE[.ALTERNATIVE].text has the message as vhu dump -v shows it,
# .json has the whole capture as vhu dump --json shows it. generate.c says what the alternatives are.
# "fields" needs tshark and the plugin: each field of the plugin must have the value of the dump's key
# of the same name, and neither side may have a field that the other lacks.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/tshark.sh"
export TZ=UTC LC_ALL=C.UTF-8

# Print the golden capture $2 in form $1.
show()
{
	message=${2##*/}
	case $1 in
	# What the head says of this vhu and this machine is theirs.
	json)
		"$build/bin/vhu" dump --json "$2" |
			sed '1s/"program":.*,"comment"/"program":"vhu","os":"Linux","hardware":"here","comment"/'
		;;
	text)
		case $2 in
		# Records that are not messages, and one full negotiation, which gives away the device.
		*/records/* | */GET_CONFIG.pcapng) "$build/bin/vhu" dump -v "$2" ;;
		*) "$build/bin/vhu" dump -v --message "${message%%.*}" "$2" ;;
		esac
		;;
	esac
}

# Write each golden capture in form $1 below $work/now.
show_each()
{
	mkdir "$work/captures"
	"$build/tests/bin/golden_generate" --each "$work/captures"
	for capture in "$work"/captures/*/*.pcapng; do
		to=$work/now${capture#"$work/captures"}
		mkdir -p "${to%/*}"
		show "$1" "$capture" >"${to%.pcapng}.$1"
	done
	rm -r "$work/captures"
}

# Compare each golden capture in form $1 with what is kept.
compare_each()
{
	show_each "$1"
	mkdir "$work/kept"
	cp -r "$here"/*/ "$work/kept"
	find "$work/kept" -type f ! -name "*.$1" \( -name '*.text' -o -name '*.json' \) -exec rm {} +
	(cd "$work" && diff -ru kept now) >"$work/diff" && return 0
	sed "s|^Only in kept/*\(.*\): |only kept, in no capture: tests/golden/\1/|
		s|^Only in now/*\(.*\): |in a capture and not kept: tests/golden/\1/|" "$work/diff" |
		cut -c 1-500 | head -50
	return 1
}

# Print the dump of $1 as lines "NUMBER PATH VALUE". A file is read twice, a pipe once: findings are of
# the first reading, as the plugin's are.
dump_lines()
{
	"$build/bin/vhu" dump --json --bytes "$1" | jq -rs "$include dump" | grep -v '^[0-9]* finding'
	"$build/bin/vhu" dump --json --bytes - <"$1" | jq -rs "$include dump" |
		grep '^[0-9]* finding'
}

# Print the plugin's fields of $1 as lines "NUMBER PATH VALUE".
plugin_lines()
{
	vhu_tshark "$build" -G values | grep -a 'vhost_user\.' >"$work/values"
	vhu_tshark "$build" -2 -r "$1" -J vhost_user -T json --no-duplicate-keys |
		jq -r --rawfile values "$work/values" "$include plugin(\$values)"
	vhu_tshark "$build" -2 -r "$1" -o 'gui.column.format:"Info","%i"' | awk '{ print NR " info " $0 }'
}

# Compare the plugin's fields with the dump's keys.
compare_fields()
{
	include='include "fields" { search: "'$here'" };'
	"$build/tests/bin/golden_generate" "$work/golden.pcapng"
	dump_lines "$work/golden.pcapng" | sort >"$work/dump"
	plugin_lines "$work/golden.pcapng" | sort >"$work/plugin"
	[ -s "$work/dump" ] && diff "$work/dump" "$work/plugin" >"$work/diff" && return 0
	echo "record, key, value; <: vhu dump says so, >: the plugin says so"
	grep '^[<>]' "$work/diff" | sort -k 2n -k 3 | cut -c 1-200 | head -50
	return 1
}

# Compare what is said of either byte order; they differ in the mark alone.
compare_byte_orders()
{
	"$build/tests/bin/golden_generate" "$work/little.pcapng"
	"$build/tests/bin/golden_generate" --big-endian "$work/big.pcapng"
	"$build/bin/vhu" dump -v "$work/little.pcapng" >"$work/little"
	"$build/bin/vhu" dump -v "$work/big.pcapng" | diff -u "$work/little" - | head -50 >"$work/diff"
	[ -s "$work/diff" ] || return 0
	cat "$work/diff"
	return 1
}

refresh=false
if [ "$1" = --refresh ]; then
	refresh=true
	shift
fi
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

if $refresh; then
	show_each text
	show_each json
	rm -rf "${here:?}"/*/
	cp -r "$work/now"/*/ "$here"
	exit 0
fi
case $2 in
fields)
	vhu_tshark_lacks "$build" && exit 77
	command -v jq >/dev/null || { echo "skipped: jq is not installed (package jq)"; exit 77; }
	compare_fields || { echo "the plugin and vhu dump differ"; exit 1; }
	;;
byte-order)
	compare_byte_orders || { echo "the golden captures read otherwise in the other byte order"; exit 1; }
	;;
*)
	compare_each "$2" && exit 0
	echo "the golden captures differ; if that is meant: sh tests/golden/run.sh --refresh BUILD"
	exit 1
	;;
esac
