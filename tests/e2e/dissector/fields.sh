#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Wireshark shows what messages hold: each packet of cases.txt, and the same whether it
# is seen in the first pass, in a second one, alone, or cut short.
. "$(dirname "$0")/../../lib/common.sh"
work_open

. "$top/tests/lib/tshark.sh"
vhu_tshark_lacks "$build" && exit 77

chmod 755 "$work"
failed=0
capture=$work/cases.pcapng

# Say what went wrong and go on.
wrong()
{
	echo "dissector_fields: $*"
	failed=1
}

# Run tshark on file $1 with what follows, and look for complaints on its standard error.
show()
{
	_file=$1
	shift
	vhu_tshark "$build" -r "$_file" "$@" 2>"$work/stderr" || wrong "tshark $*: ended with $?"
	if grep -v '^Running as user' "$work/stderr"; then
		wrong "tshark $*: complains"
	fi
}

"$programs/dissector_capture" "$capture" <"$here/cases.txt"

# The plugin is there, and no two fields of a name have types that do not go together.
vhu_tshark "$build" -G fields >"$work/fields" 2>"$work/stderr"
grep -q 'vhost_user$' "$work/fields" || wrong "the plugin is not loaded"
grep -i 'vhost\|hf\|duplicate' "$work/stderr" && wrong "tshark -G fields complains"
awk -F'\t' '$1 == "F" && $3 ~ /^vhost_user/ {
	type = $4
	if (type ~ /^FT_U?INT/) type = "integer"
	if ($3 in types && types[$3] != type) { print $3 ": " types[$3] ", " type; bad = 1 }
	types[$3] = type
} END { exit bad }' "$work/fields" || wrong "fields of one name have different types"

# Every field of the table can be filtered by.
"$programs/dissector_capture" --fields | sort -u >"$work/paths"
cut -f3 "$work/fields" | grep '^vhost_user\.' | sort -u >"$work/names"
sed 's/^/vhost_user./' "$work/paths" | comm -23 - "$work/names" >"$work/absent"
[ -s "$work/absent" ] && wrong "no fields of Wireshark's: $(cat "$work/absent")"
[ "$(wc -l <"$work/paths")" -gt 100 ] || wrong "the table's fields could not be listed"
split -l 400 "$work/names" "$work/part."
for part in "$work"/part.*; do
	show "$capture" -Y "$(paste -sd'|' "$part" | sed 's/|/ || /g')" >/dev/null
done

# What each packet must say: one filter finds all that do not.
awk -v filter="$work/filter" -v info="$work/info" '
	/^>/ { number++ }
	/^i / { print number "\t" substr($0, 3) >info }
	/^[?!] / {
		expect = $1 == "?" ? "!(" substr($0, 3) ")" : "(" substr($0, 3) ")"
		print "(frame.number == " number " && " expect ")" >filter
	}' "$here/cases.txt"
show "$capture" -2 -Y "$(paste -sd'|' "$work/filter" | sed 's/|(/ || (/g')" >"$work/unlike"
if [ -s "$work/unlike" ]; then
	wrong "packets are not what cases.txt says:"
	cat "$work/unlike"
	while read -r one; do
		[ -n "$(show "$capture" -2 -Y "$one")" ] && echo "$one"
	done <"$work/filter"
fi
show "$capture" -2 -T fields -e frame.number -e _ws.col.Info >"$work/columns"
grep -F -x -v -f "$work/columns" "$work/info" && wrong "Info columns differ from the above"

# The first pass says the same as a second one, except for facts from later in the file.
show "$capture" -T fields -e frame.number -e _ws.col.Info >"$work/first"
diff "$work/first" "$work/columns" | grep '^[<>]' | sed 's/^. [0-9]*.//' |
	sort >"$work/differ"
printf '%s\n' "GET_BACKEND_SPECS" "GET_BACKEND_SPECS or GET_DEVICE_ID" \
	"GET_BACKEND_SPECS or GET_DEVICE_ID" "GET_DEVICE_ID" >"$work/told_later"
diff "$work/told_later" "$work/differ" || wrong "the first pass says something else"

# A packet looked at alone says the same as among the others.
show "$capture" -2 -V >"$work/all"
for number in 3 9 26 40; do
	show "$capture" -2 -V -Y "frame.number == $number" | sed -n '/^vhost-user/,$p' >"$work/alone"
	awk -v number=$number '/^Frame / { n++; on = 0 } /^vhost-user/ { on = n == number } on' \
		"$work/all" | diff -q - "$work/alone" >/dev/null || wrong "frame $number differs alone"
done

# The preferences go before what sessions tell.
show "$capture" -2 -o vhost_user.dialect:upstream -Y 'vhost_user.message == "GET_SHARED_OBJECT"' |
	wc -l | grep -x 6 >/dev/null || wrong "the dialect cannot be forced"
show "$capture" -o vhost_user.device:net -Y 'vhost_user.features.net.csum' |
	grep . >/dev/null ||
	wrong "the device cannot be forced"

# Cut short, packets are said to be cut; nothing is called malformed that was only cut.
for size in 10 30 50 60; do
	editcap -s $size "$capture" "$work/cut.pcapng"
	show "$work/cut.pcapng" -2 -V >"$work/cut"
	grep -q 'Packet size limited during capture' "$work/cut" || wrong "$size bytes: not said to be cut"
	grep -i 'malformed packet\|dissector bug' "$work/cut" && wrong "$size bytes: called malformed"
	show "$work/cut.pcapng" | wc -l | grep -x "$(wc -l <"$work/columns")" >/dev/null ||
		wrong "$size bytes: packets are not shown"
done
grep -i 'malformed packet\|dissector bug' "$work/all" && wrong "called malformed"
exit $failed
