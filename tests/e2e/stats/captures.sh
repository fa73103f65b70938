#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu stats counts what vhu dump shows, and says how the sample captures' sessions were set up.
#
#	captures.sh
#	captures.sh --refresh	write again what is kept; the diff is the review
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open

export TZ=UTC LC_ALL=C

# Show a capture as it is kept: how many findings there are is not the statistics' business.
show()
{
	"$vhu" stats "$captures/$1.pcapng" | sed 's/^  findings .*/  findings     .../'
}

if [ "${1-}" = --refresh ]; then
	for name in qemu-blk dpdk-net-packed; do
		show $name >"$here/$name.stats"
	done
	exit 0
fi
status=0

# Expect that the JSON in the files $2 and $3 is the same.
same()
{
	diff "$2" "$3" >"$work/diff" && return
	echo "$1: vhu stats tells other (>) than vhu dump (<):"
	head -n 20 "$work/diff"
	status=1
}

for capture in "$captures"/*.pcapng; do
	name=$(basename "$capture" .pcapng)
	"$vhu" dump --json "$capture" >"$work/dump"
	"$vhu" stats --json "$capture" >"$work/stats"
	"$vhu" stats --json --total "$capture" >"$work/total"

	# How many there are, of each message, in each direction, in each session.
	jq -cs 'map(select(.type == "message")) | group_by(.session)[] |
		[.[0].session, (map(select(.from == "front-end")) | length),
			(group_by([.channel, .message])[] |
			[.[0].channel, .[0].message, (map(select(.reply | not)) | length),
				(map(select(.reply)) | length)])]' "$work/dump" >"$work/expected"
	jq -cs 'map(select(.session)) | sort_by(.session)[] | [.session, .from_front_end,
		(.by_message | sort_by([.channel, .message])[] | [.channel, .message, .request_count, .reply_count])]' \
		"$work/stats" >"$work/got"
	same "$name, counts" "$work/expected" "$work/got"

	# How long replies took: the ends exactly, the others within 4 percent.
	jq -cs 'map(select(.delay_ns)) | group_by([.channel, .message])[] |
		{channel: .[0].channel, message: .[0].message, delays: (map(.delay_ns) | sort)}' \
		"$work/dump" >"$work/delays"
	jq -es --slurpfile delays "$work/delays" '
		def near($exact): (. - $exact) | (if . < 0 then -. else . end) <= $exact / 25;
		.[0].by_message as $rows | $delays | length > 3 and all(.[]; . as $one |
			($rows[] | select(.channel == $one.channel and .message == $one.message).delay) as $told |
			($one.delays | length) as $n | $told.count == $n and
			$told.min_ns == $one.delays[0] and $told.max_ns == $one.delays[-1] and
			($told.p50_ns | near($one.delays[($n * 0.5 | ceil) - 1])) and
			($told.p90_ns | near($one.delays[($n * 0.9 | ceil) - 1])) and
			($told.p99_ns | near($one.delays[($n * 0.99 | ceil) - 1])) and
			($told.mean_ns | near(($one.delays | add) / $n)))' "$work/total" >/dev/null ||
		{ echo "$name: reply times are not those of vhu dump"; status=1; }
done

# What the sessions were: features, set-up, rings, memory, in full.
for name in qemu-blk dpdk-net-packed; do
	show $name >"$work/now"
	diff -u "$here/$name.stats" "$work/now" && continue
	echo "$name.stats differs; if that is meant: tests/e2e/stats/captures.sh --refresh"
	status=1
done

# One session alone, and from a pipe.
"$vhu" stats "$captures/qemu-blk.pcapng" >"$work/file"
"$vhu" stats - <"$captures/qemu-blk.pcapng" | diff "$work/file" - || { echo "a pipe is not read as a file is"; status=1; }
"$vhu" stats --session 1 "$captures/qemu-blk.pcapng" | diff "$work/file" - || { echo "--session 1 is not session 1"; status=1; }

# The clock is set back: that is said, and no time is made of it.
"$programs/scenario" "$top/tests/rules/cases/guard-clock-back.scn" "$work/back"
"$vhu" stats "$work/back" >"$work/got"
grep -q 'for 69.9 s; the clock went back 4 times; closed' "$work/got" &&
	grep -Eq '^  GET_FEATURES +1 +1$' "$work/got" && ! grep -q '[0-9]\{6\} s' "$work/got" ||
	{ echo "times of a clock that went back:"; cat "$work/got"; status=1; }
"$vhu" stats --json "$work/back" | jq -e '.clock_backs == 4 and .setup[0].duration_ns == 0 and
	(.by_message[] | select(.message == "GET_FEATURES") | .delay == null)' >/dev/null ||
	{ echo "JSON does not say that the clock went back"; status=1; }
[ "$("$vhu" dump "$work/back" | grep -c '(the clock went back)$')" = 2 ] &&
	[ "$("$vhu" dump --json "$work/back" | jq -c 'select(.clock_back and (has("delay_ns") | not))' | wc -l)" = 2 ] ||
	{ echo "vhu dump does not say that the clock went back"; status=1; }

# Three times the same session: each is shown, and a sum that is three times one.
"$programs/bench_frames" vhost-user $((3 * $("$vhu" dump "$captures/qemu-blk.pcapng" | wc -l))) \
	"$work/three" "$captures/qemu-blk.pcapng"
"$vhu" stats "$work/three" | grep -E '^(session|all)' | tr '\n' ' ' >"$work/got"
[ "$(cat "$work/got")" = "session 1 session 2 session 3 all 3 sessions " ] ||
	{ echo "three sessions are shown as: $(cat "$work/got")"; status=1; }
"$vhu" stats --json "$captures/qemu-blk.pcapng" >"$work/one"
"$vhu" stats --json --total "$work/three" | jq -es --slurpfile one "$work/one" 'length == 1 and (.[0] |
	.session_count == 3 and .from_front_end == 3 * $one[0].from_front_end and
	(.by_message | map(.reply_count) | add) == 3 * ($one[0].by_message | map(.reply_count) | add) and
	(.by_message | map(.delay.max_ns)) == ($one[0].by_message | map(.delay.max_ns)))' >/dev/null ||
	{ echo "the sum of three sessions is not three times one"; status=1; }
exit $status
