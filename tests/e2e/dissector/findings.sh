#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Wireshark finds what vhu check finds, and shows the same of a packet in the first pass, in a second
# one and alone; its statistics, tables and followed streams count right; its profile is understood.
. "$(dirname "$0")/../../lib/common.sh"
work_open

. "$top/tests/lib/tshark.sh"
vhu_tshark_lacks "$build" && exit 77
export LC_ALL=C.UTF-8

chmod 755 "$work"
failed=0
# A copy, since tshark may run as somebody who cannot look into the source's folder.
sample=$work/sample
cp "$captures/qemu-blk.pcapng" "$sample"
chmod 644 "$sample"

# Say what went wrong and go on.
wrong()
{
	echo "dissector_findings: $*"
	failed=1
}

# Run tshark with what follows, and look for complaints on its standard error.
show()
{
	vhu_tshark "$build" "$@" 2>"$work/stderr" || wrong "tshark $*: ended with $?"
	grep -v '^Running as user' "$work/stderr" && wrong "tshark $*: complains"
	return 0
}

# All captures that there are, one after another: samples, test cases, what trips the rules.
"$programs/dissector_capture" "$work/cases.pcapng" <"$here/cases.txt"
if [ -x "$programs/scenario" ]; then
	for file in "$top"/tests/rules/cases/*.trip*.scn; do
		"$programs/scenario" "$file" "$work/$(basename "$file").pcapng"
	done
fi
mergecap -a -w "$work/all" "$top"/samples/captures/*.pcapng "$work"/*.pcapng
chmod 644 "$work/all"

# What vhu check says of them in one pass, and what Wireshark does: packet, rule, text. Only the
# former holds sessions against one another, and knows where the capture ends: what is unanswered
# there is no finding about a packet.
"$vhu" check --severity info --ignore sessions-differ - <"$work/all" >"$work/checked" 2>/dev/null ||
	[ $? = 1 ]
sed -n 's/^[^:]*:\([0-9]*\): \([a-z]*\) \(V[0-9]*\) \([^:]*\): \(.*\) (session .*)$/\1 \2 \3 \4: \5/p' \
	"$work/checked" | grep -Ev '^[0-9]+ error V402 no-reply: [^;]* ms;' | sort >"$work/expected"
rules="-e vhost_user.finding -e vhost_user.finding.severity -e vhost_user.finding.rule
	-e vhost_user.finding.text -e vhost_user.finding.see"
told="-e vhost_user.stream -e vhost_user.vring -e vhost_user.request_in -e vhost_user.response_time
	-e vhost_user.place -e vhost_user.place.region -e vhost_user.place.offset
	-e vhost_user.offer -e vhost_user.offer.not_taken -e vhost_user.offer.not_offered"
state=$(vhu_tshark "$build" -G fields 2>/dev/null |
	awk -F'\t' '$3 ~ /^vhost_user\.now/ { print "-e " $3 }' | sort -u)
# shellcheck disable=SC2086 # words each
show -r "$work/all" -T fields -E occurrence=a -E 'aggregator=|' -e frame.number $rules $told $state \
	>"$work/first"
# shellcheck disable=SC2086
show -2 -r "$work/all" -T fields -E occurrence=a -E 'aggregator=|' -e frame.number $rules $told \
	$state >"$work/second"
awk -F'\t' '$2 != "" {
	n = split($2, id, "|")
	split("info warning error", name, " ")
	split($3, severity, "|"); split($4, rule, "|"); split($5, text, "|")
	for (i = 1; i <= n; i++)
		print $1 " " name[severity[i] + 1] " " id[i] " " rule[i] ": " text[i]
}' "$work/first" | sort >"$work/found"
diff "$work/expected" "$work/found" || wrong "Wireshark (>) finds other things than vhu check (<)"
[ "$(wc -l <"$work/found")" -ge 3 ] || wrong "hardly anything is found"
diff "$work/first" "$work/second" || wrong "the second pass says something else"

# Packets looked at alone say the same: those with findings, with places, and those that end sessions.
numbers=$(awk -F'\t' '$2 != "" || $11 != "" { print $1 }' "$work/first" | head -40 |
	paste -sd,)
awk -F'\t' -v numbers="$numbers" 'BEGIN { split(numbers, n, ","); for (i in n) wanted[n[i]] = 1 }
	$1 in wanted' "$work/first" >"$work/among"
# shellcheck disable=SC2086
show -2 -r "$work/all" -Y "frame.number in {$numbers}" -T fields -E occurrence=a \
	-E 'aggregator=|' -e frame.number $rules $told $state >"$work/alone"
diff "$work/among" "$work/alone" || wrong "packets differ alone"

# What the state of a real session was.
show -2 -r "$sample" -Y "(frame.number == 33 &&
	vhost_user.now.running == 1 && vhost_user.now.features == 0x140000046 &&
	vhost_user.now.protocol_features == 0x8f2b && vhost_user.now.queues == 2 &&
	vhost_user.now.region.added_in == 27 && vhost_user.now.region.size == 0x8000000 &&
	vhost_user.now.vring.size == 128 && vhost_user.now.vring.kick == 13 &&
	vhost_user.now.vring.call == 15 && vhost_user.now.vring.started_in == 32) ||
	(frame.number == 31 && vhost_user.place contains \"descriptor area in region 0 at +0x7fdd000\" &&
	vhost_user.vring == 0 && vhost_user.place.offset == 0x7fdd000) ||
	(frame.number == 23 && vhost_user.offer == 0x175007e46 && vhost_user.offer.not_offered == 0 &&
	vhost_user.offer.not_taken == 0x35007e00) ||
	(frame.number == 27 && vhost_user.now.regions == 1) || (frame.number == 38 && vhost_user.now.running == 0 && vhost_user.now.vring.stopped_in == 37)" \
	-T fields -e frame.number >"$work/matched"
printf '23\n27\n31\n33\n38\n' | diff - "$work/matched" || wrong "the state is another one"

# Statistics and tables, in one run.
show -q -r "$sample" -z vhost_user,srt -z vhost_user_msgs,tree -z conv,vhost_user \
	-z endpoints,vhost_user -z follow,vhost_user,hex,0 >"$work/statistics"
# Say that the statistics have no line that matches $1.
has()
{
	grep -Eq "$1" "$work/statistics" || wrong "no '$1' in the statistics"
}
has '^ +1  GET_FEATURES +2   0\.0000'
has '^ +37  ADD_MEM_REG +1 '
has '^Filter: vhost_user.channel == 0 && vhost_user.request'
has '^  to back-end +45 '
has '^   SET_VRING_ENABLE +8 '
has 'session 1, front-end <-> session 1, back-end +11 817 bytes +45 3821 bytes +56 4638 bytes'
# Wireshark 4.6 names the unit.
has '^session 1, back-end +56 +4638( bytes)? +11 +817( bytes)? +45 +3821( bytes)? *$'
has '^Node 0: front-end'
has '^00000000  01 00 00 00 01 00 00 00  00 00 00 00 '
has '^	00000000  01 00 00 00 05 00 00 00  08 00 00 00 46 7e'
has '^	00000115  0d 00 00 00 '

# Following a stream shows no packet of another; each finding counts, and is an expert
# item.
show -q -r "$work/cases.pcapng" -z follow,vhost_user,hex,1 -z vhost_user_findings,tree -z expert \
	>"$work/statistics"
has '^	00000000  02 00 00 00 01 00 00 00  00 00 00 00 '
grep -q '01 00 00 00 46 12 00 78' "$work/statistics" && wrong "streams are mixed up"

has "^Findings +$("$vhu" check --severity info --ignore sessions-differ - \
	<"$work/cases.pcapng" 2>/dev/null | grep -c '^[^:]*:[0-9]*: ') "
has '^  V212 features-subset +1 '
has '^ +1 +Protocol +vhost-user +.*which was not offered'

# The profile: its columns, its colours, the filters of its buttons.
XDG_CONFIG_HOME=$build/wsprofile
export XDG_CONFIG_HOME
show -C vhost-user --color -r "$work/cases.pcapng" -T fields -e frame.coloring_rule.name \
	-e vhost_user.session -e vhost_user.message >"$work/colours"
for line in 'session begins or ends	7	' 'error	7	SET_FEATURES' 'warning	6	' \
	'changes the state	7	SET_VRING_ENABLE' 'reply	1	GET_FEATURES'; do
	grep -qx "vhost-user: $line" "$work/colours" || wrong "not coloured so: $line"
done
show -C vhost-user -r "$sample" >"$work/columns"
grep -Eq '^ *32 [0-9.]+ 1 SET_VRING_KICK .* +front-end → back-end +front-end 0 eventfd' \
	"$work/columns" || wrong "the columns are others: $(sed -n 32p "$work/columns")"
grep -Eq '^ *28 [0-9.]+ 1 ADD_MEM_REG reply success 46 +back-end → front-end +front-end *$' \
	"$work/columns" || wrong "the columns are others: $(sed -n 28p "$work/columns")"

# The details say a finding once.
show -2 -V -r "$work/cases.pcapng" >"$work/details"
[ "$(grep -c 'which was not offered' "$work/details")" = 1 ] || wrong "a finding is said more than once:" \
	"$(grep 'which was not offered' "$work/details")"
sed -n 's/^"TRUE","[^"]*","\(.*\)","[^"]*"$/(\1)/p' \
	"$build/wsprofile/wireshark/profiles/vhost-user/dfilter_buttons" | sed 's/\\"/"/g' |
	paste -sd'|' | sed 's/|(/ || (/g' >"$work/buttons"
[ "$(grep -o '||' "$work/buttons" | wc -l)" -ge 8 ] || wrong "the profile's buttons are not read"
show -r "$sample" -Y "$(cat "$work/buttons")" -c 40 >"$work/out"
grep -q . "$work/out" || wrong "the filters of the profile's buttons find nothing"
exit $failed
