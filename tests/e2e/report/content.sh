#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a page holds for those who run no JavaScript: how each session ended and why, the findings with
# their messages, the set-up, what was agreed, the first messages.
. "$(dirname "$0")/../../lib/common.sh"
work_open

# Expect each of the fixed texts $2... in the page $1.
holds()
{
	page=$1
	shift
	for text in "$@"; do
		grep -qF -- "$text" "$page" || fail "$page has not: $text"
	done
}

# The page's text in the paragraph of the cause, without markup.
cause_of()
{
	sed -n 's/^<p class="cause">//p' "$1" | sed -e 's/<[^>]*>//g' -e 's/&lt;/</g' -e 's/&gt;/>/g' \
		-e "s/&#39;/'/g" -e 's/&quot;/"/g' -e 's/&amp;/\&/g'
}

# The name of the page is the capture's; the line on stderr says how much it has.
cp "$captures/qemu-blk.pcapng" blk.pcapng
"$vhu" report blk.pcapng 2>err
grep -q "^blk.html: [0-9]* kB, 1 session, 56 messages, 1 finding$" err || fail "no such page"
holds blk.html "virtio BLOCK device" "ended in order" "qemu-system-x86 (pid 19580)" "Rule V302 kick-may-be-lost" \
	"<b class=\"tag info\">info</b> Message <a class=\"m\" href=\"#m32\">32</a> set the kick of vring 0" \
	"Agree on features" ">RING_EVENT_IDX</span>" "class=\"feature off\" title=\"bit 24: offered, not acked\"" \
	"<tr id=\"m60\"" "SET_VRING_NUM vring 0, size 128" "<th scope=\"row\">GET_VRING_BASE<td>3<td>3"
! grep -qiE '(src|href)="?(https?:)?//' blk.html || fail "the page refers to elsewhere"
"$vhu" report -o - - <blk.pcapng >piped.html
holds piped.html "ended in order" "Rule V302 kick-may-be-lost" '<tr id="m60"'

# Why a session ended badly is what vhu check says, and stands on top.
cases=0
for scenario in "$here"/../check/cause/*.scn; do
	name=$(basename "$scenario" .scn)
	"$programs/scenario" "$scenario" "$name.pcapng"
	expected=$(sed -n 's/^# cause: //p' "$scenario" | sed 's/; .*//')
	"$vhu" report "$name.pcapng" 2>err || fail "$name: no page"
	[ -n "$expected" ] || continue
	got=$(cause_of "$name.html" | head -n 1)
	[ "$(echo "$got" | tr '[:upper:]' '[:lower:]')" = "$(echo "$expected" | tr '[:upper:]' '[:lower:]')" ] ||
		fail "$name: the cause is not on top: $got"
	holds "$name.html" '<p class="lead">Likeliest cause</p>'
	cases=$((cases + 1))
done
[ "$cases" -ge 20 ] || fail "only $cases scenarios"

# Sessions that end alike have one card that says how many they are.
{
	for session in 1 2 3; do
		echo "session $session"
		echo "open front=vm back=disk socket=/s"
		printf '%s\n' "> GET_FEATURES" "< GET_FEATURES features=PROTOCOL_FEATURES" "> SET_OWNER" \
			"> GET_PROTOCOL_FEATURES" "close back-end closed"
	done
} >again.scn
"$programs/scenario" again.scn again.pcapng
"$vhu" report again.pcapng 2>err
[ "$(grep -c '<article class="card' again.html)" = 1 ] || fail "not one card for three sessions that end alike"
holds again.html "Sessions 2 and 3 ended in the same way" "All 3 sessions"

# Only some: one session, the first messages.
"$vhu" report -o one.html --session 2 "$captures/upstream.pcapng" 2>err
holds one.html "Session 2"
! grep -q 'Session 1' one.html || fail "--session 2 shows session 1"
"$vhu" report -o few.html --messages 10 blk.pcapng 2>err
grep -q "50 records after the first 10 are left out" err || fail "what is left out is not told"
holds few.html "The first 10 records; 50 more are left out" '<tr id="m10"'
! grep -q '<tr id="m11"' few.html || fail "--messages 10 shows more"

# Several captures are one page, with distinct messages.
"$vhu" report -o two.html blk.pcapng "$captures/probe.pcapng" 2>err
holds two.html 'id="m60"' 'id="m2.18"' "Session 1 of blk.pcapng" 'href="#m2.17"'
