#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Compare what the tools say of the golden capture with what is kept here.
#
#	run.sh BUILD FORM		FORM: text, json, fields or byte-order
#	run.sh --refresh BUILD		write anew what is kept; the diff is the review
#
# BUILD is a build folder. "fields" needs tshark and the plugin.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/tshark.sh"
export TZ=UTC LC_ALL=C.UTF-8

# Show the golden capture $2 in form $1.
show()
{
	case $1 in
	text) "$build/bin/vhu" dump -v "$2" ;;
	json) "$build/bin/vhu" dump --json "$2" ;;
	fields) tshark_fields "$2" ;;
	esac
}

# Print every field of the plugin that a frame of $1 has, a frame a paragraph; bits that are not set
# are left out. So are findings and the state, which change with the rules and have tests of their own.
tshark_fields()
{
	vhu_tshark "$build" -G fields | awk -F'\t' '
		$1 == "F" && $3 ~ /^vhost_user\./ && $3 !~ /^vhost_user\.(finding|rule|now)/ {
			print $3, $4
		}' | sort -u >"$work/names"
	file=$1
	# shellcheck disable=SC2046 # a word each
	set -- $(sed 's/^/-e /; s/ FT_.*//' "$work/names")
	vhu_tshark "$build" -2 -r "$file" -T fields -E separator=/t -E occurrence=a -e frame.number \
		-e _ws.col.Info "$@" |
		awk -F'\t' -v names="$work/names" '
			BEGIN {
				while ((getline name < names) > 0) {
					split(name, part, " ")
					field[++n] = part[1]
					type[n] = part[2]
				}
			}
			{
				print $1 ": " $2
				for (i = 1; i <= n; i++) {
					value = $(i + 2)
					# Wireshark 4.2 and later write booleans as words.
					if (type[i] == "FT_BOOLEAN") {
						gsub("True", "1", value)
						gsub("False", "0", value)
					}
					if (value != "" &&
					    !(value == "0" && field[i] ~ /(features|marks|status|flags)\./))
						print "\t" field[i] " = " value
				}
			}'
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
"$build/tests/bin/golden_generate" "$work/golden.pcapng"

if $refresh; then
	for form in text json fields; do
		show $form "$work/golden.pcapng" >"$here/golden.$form"
	done
	exit 0
fi

form=$2
if [ "$form" = byte-order ]; then
	# Either byte order says the same, but for the mark that tells which it was.
	"$build/tests/bin/golden_generate" --big-endian "$work/big.pcapng"
	show text "$work/golden.pcapng" >"$work/little.text"
	show text "$work/big.pcapng" | diff -u "$work/little.text" - && exit 0
	echo "the golden capture reads otherwise in the other byte order"
	exit 1
fi
if [ "$form" = fields ]; then
	vhu_tshark_lacks "$build" && exit 77
fi
show "$form" "$work/golden.pcapng" >"$work/now"
if ! diff -u "$here/golden.$form" "$work/now" >"$work/diff"; then
	head -50 "$work/diff"
	echo "golden.$form differs; if that is meant: tests/golden/run.sh --refresh BUILD"
	exit 1
fi
