#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The dissector in Lua shows what the plugin shows: the same names, lines and values, of whole captures,
# damaged ones and such that were cut; and no packet makes it fail.
. "$(dirname "$0")/../../lib/common.sh"
work_open

. "$top/tests/lib/tshark.sh"
vhu_tshark_lacks "$build" && exit 77
mutations=200

chmod 755 "$work"
failed=0

# Say what went wrong and go on.
wrong()
{
	echo "dissector_lua: $*"
	failed=1
}

# Run tshark with the plugin and with the Lua file, and compare what each prints; $1: what that is.
compare()
{
	_what=$1
	shift
	vhu_tshark "$build" "$@" >"$work/plugin" 2>"$work/err" || wrong "$_what: tshark ended with $?"
	vhu_tshark_lua=alone
	vhu_tshark "$build" "$@" >"$work/lua" 2>"$work/err" || wrong "$_what: tshark ended with $?, by Lua"
	vhu_tshark_lua=''
	grep -v '^Running as user' "$work/err" && wrong "$_what: tshark complains"
	grep . "$work/plugin" >/dev/null || wrong "$_what: nothing was compared"
	cmp -s "$work/plugin" "$work/lua"
}

# Compare what a capture's packets look like: their lines in the first pass and in a second one, and the
# values of all fields that both have; what went wrong in Lua would be among them.
compare_capture()
{
	for _pass in -n -2; do
		compare "$1 $_pass" $_pass -r "$1" || {
			wrong "$1: packets read otherwise by Lua:"
			diff "$work/plugin" "$work/lua" | head -20
		}
	done
	# shellcheck disable=SC2046 # a list of options is several words
	compare "$1, fields" -2 -r "$1" -T fields -E separator=/t -E aggregator=';' \
		$(sed 's/^/-e /' "$work/common") || {
		wrong "$1: fields differ (packet, field, plugin, Lua):"
		awk -F'\t' '
			FILENAME == ARGV[1] { name[FNR] = $1; next }
			FILENAME == ARGV[2] { line[FNR] = $0; next }
			line[FNR] != $0 {
				split(line[FNR], value, "\t")
				for (i = 1; i <= NF; i++)
					if (value[i] != $i)
						print FNR "\t" name[i] "\t" value[i] "\t" $i
			}' "$work/common" "$work/plugin" "$work/lua" | cut -c 1-200 | head -20
	}
}

# Mutate capture $1 $2 times; the tags of the exported PDU, which lead to the dissector, stay.
mutate()
{
	mkdir "$work/mutated"
	seed=0
	while [ $seed -lt "$2" ]; do
		seed=$((seed + 1))
		editcap -E 0.03 -o 20 --seed $seed "$1" "$work/mutated/$seed.pcapng" 2>/dev/null
	done
	mergecap -a -w "$3" "$work"/mutated/*.pcapng
	rm -r "$work/mutated"
}

# Fields have the names and labels of the plugin's; what the plugin alone has is findings and the state.
list_fields()
{
	vhu_tshark "$build" -G fields 2>/dev/null | cut -f 2,3 | grep '	vhost_user\.' | sort -u
}
list_fields >"$work/plugin.fields"
vhu_tshark_lua=alone
list_fields >"$work/lua.fields"
vhu_tshark_lua=''
comm -13 "$work/plugin.fields" "$work/lua.fields" | grep -v '	vhost_user\.expert\.cut$' &&
	wrong "the plugin has no such fields"
comm -23 "$work/plugin.fields" "$work/lua.fields" |
	grep -v '	vhost_user\.\(finding\|rule\|now\|place\)\(\..*\)*$' && wrong "Lua lacks fields"
comm -12 "$work/plugin.fields" "$work/lua.fields" | cut -f 2 | sort -u >"$work/common"
[ "$(wc -l <"$work/common")" -gt 500 ] || wrong "fields could not be listed"
printf '%s\n' _ws.lua.error _ws.malformed.expert >>"$work/common"

# Whole captures.
"$programs/dissector_capture" "$work/cases.pcapng" <"$here/cases.txt"
"$programs/golden_generate" "$work/golden.pcapng"
for file in "$captures"/*.pcapng; do
	cp "$file" "$work"
done
set -- "$work"/*.pcapng
for file; do
	compare_capture "$file"
done

# Damaged ones, and such that were cut short.
each=$((mutations / $# + 1))
for file; do
	mutate "$file" $each "$work/damaged.pcapng"
	compare_capture "$work/damaged.pcapng"
done
for file in golden cases; do
	for size in 10 30 50 60 90; do
		editcap -s $size "$work/$file.pcapng" "$work/cut.$size"
	done
	mergecap -a -w "$work/short.pcapng" "$work"/cut.*
	compare_capture "$work/short.pcapng"
done

# Filters find the same without a displayed tree as with one.
mergecap -a -w "$work/all.pcapng" "$work/golden.pcapng" "$work/cases.pcapng"
for filter in marks.big_endian==1 marks.altered==1 marks altered text flags.need_reply==1 \
	flags.reserved size==40 request_in reply_in 'response_time > 0' features.version_1==1 \
	features.blk.seg_max==1 features.unknown_bit protocol_features.mq==1 offer.not_taken vring.index==1 \
	region.size config.blk.capacity left_over payload fd.kind==2 fd.name fd.seals.shrink \
	fd.flags.nonblock fd.flags.access==2 fd.inode peer.back_end.comm vring.kick_to_call \
	vring.signals snapshot.verdict.id snapshot.kick.count snapshot.request.buffer.address \
	snapshot.pending.age device==2 dialect==1 expert.missing expert.left_over expert.size \
	expert.ambiguous expert.unknown expert.redacted expert.error expert.hangs; do
	compare "$filter" -2 -r "$work/all.pcapng" -Y "vhost_user.$filter" ||
		wrong "the filter vhost_user.$filter finds other packets"
done

# The preferences go before what sessions tell.
for preference in dialect:upstream dialect:probe device:net; do
	compare "$preference" -2 -r "$work/cases.pcapng" -o "vhost_user.$preference" ||
		wrong "the preference $preference does something else"
done

# It leaves the protocol to the plugin where that is.
vhu_tshark_lua=beside
vhu_tshark "$build" -r "$captures/qemu-blk.pcapng" -Y vhost_user.now >"$work/out" 2>"$work/err" ||
	wrong "beside the plugin: tshark ended with $?"
grep -v '^Running as user' "$work/err" && wrong "beside the plugin: tshark complains"
grep -q SET_VRING "$work/out" || wrong "beside the plugin: the plugin is not there"
exit $failed
