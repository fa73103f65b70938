#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A page in a browser: it is drawn, it can be clicked, searched and gone through by keys, in both themes,
# at the width of a desk and of a phone, on paper and without JavaScript.
. "$(dirname "$0")/../../lib/common.sh"
need chromium mergecap
work_open

"$programs/scenario" "$here/../check/cause/deadlock.scn" deadlock.pcapng
"$vhu" report deadlock.pcapng 2>err
"$vhu" report -o blk.html "$captures/qemu-blk.pcapng" 2>err
"$vhu" report -o two.html "$captures/qemu-blk.pcapng" "$captures/upstream.pcapng" 2>err

# Do $3... to the page $1, and expect the lines of $2.
browse()
{
	page=$1
	printf '%s' "$2" >expected
	shift 2
	timeout 240 "$programs/browse" "$page" 'wait:document.documentElement.dataset.ready' "$@" >out 2>err ||
		fail "the browser, with $*"
	diff expected out >diff.log || fail "$page: not as expected (<)"
}

shown='js:[...document.querySelectorAll(".row")].filter(r => r.getBoundingClientRect().height).length > 5'
title='js:document.querySelector("#details h3").textContent'

# Drawn: the list and its chart are in sight, the table is not; nothing was fetched.
browse blk.html 'true
false
60
true
60 records
0
' "$shown" 'js:document.getElementById("first").offsetHeight > 0' 'js:data.rows' \
	'js:document.querySelectorAll(".row svg .way").length > 5' 'js:controls.count.textContent' \
	'js:performance.getEntriesByType("resource").length'

# Clicked: a record's details, its reply, a link of a finding.
browse blk.html '21 GET_CONFIG offset 0, size 57
true
22 GET_CONFIG reply offset 0, size 57
35 SET_VRING_ENABLE vring 0, disabled
' 'click:#r20' 'wait:!details.box.hidden' "$title" \
	'js:details.box.textContent.includes("Capacity: 0") && details.box.textContent.includes("18 00 00 00")' \
	'click:#details p button' 'wait:details.box.textContent.includes("Answers message: 21")' "$title" \
	'click:.finding a[href="#m35"]' 'wait:details.box.textContent.startsWith("\u00d735")' "$title" \
	'wait:(() => { const r = document.querySelector(".row.selected").getBoundingClientRect(); return r.top > 0 && r.bottom < innerHeight; })()'

# Searched and filtered.
browse blk.html '6 found in 60 records
true
6 found in 6 of 60 records
null
24 SET_VRING_CALL vring 0, eventfd 15
1 of 60 records
No record passes the filter.
33
' 'click:input[type=search]' 'type:set_vring_call' 'js:controls.count.textContent' \
	'key:Enter' 'js:list.selected >= 0' 'click:label input' 'js:controls.count.textContent' \
	'js:(() => { controls.search.value = "eventfd 15"; controls.search.dispatchEvent(new Event("input")); })()' \
	'click:input[type=search]' 'key:Enter' 'wait:!details.box.hidden && details.box.textContent.includes("24 SET")' "$title" \
	'js:(() => { resetFilter(); controls.search.value = filter.search = ""; controls.show.value = "findings"; controls.show.dispatchEvent(new Event("change")); return controls.count.textContent; })()' \
	'js:(() => { controls.show.value = "snapshots"; controls.show.dispatchEvent(new Event("change")); return list.space.textContent; })()' \
	'js:(() => { controls.search.value = "#33"; controls.search.dispatchEvent(new Event("input")); goMatch(1); return data.number[list.selected]; })()'

# By keys: down, up, details, the request's reply, the next finding, far, close, help.
browse blk.html '2
1
true
2 GET_FEATURES
3 GET_FEATURES reply 0x175007e46
35
null
60
true
true
' 'key:j' 'key:j' 'js:data.number[list.selected]' 'key:k' 'js:data.number[list.selected]' 'key:j' 'key:Enter' \
	'wait:!details.box.hidden' 'js:document.activeElement.id !== "details"' "$title" 'key:r' \
	'wait:details.box.textContent.includes("Answers message: 2")' "$title" 'key:f' \
	'js:data.number[list.selected]' 'js:list.box.focus()' 'key:End' 'js:data.number[list.selected]' \
	'key:Escape' 'js:details.box.hidden' 'key:?' 'js:document.querySelector("dialog").open'

# A request that was not answered is marked, and the top says why.
browse deadlock.html 'true
true
' 'js:document.querySelector(".cause").textContent.startsWith("Each waits for the other")' \
	'js:(() => { controls.show.value = "unanswered"; controls.show.dispatchEvent(new Event("change")); return list.view.length > 0 && list.space.textContent.includes("never answered"); })()'

# Several sessions: a choice, and links that lead to each capture.
browse two.html 'true
true
2.4
' 'js:controls.session.options.length === 4' \
	'js:(() => { controls.session.value = "2"; controls.session.dispatchEvent(new Event("change")); return [...list.view].every(r => data.session[r] === 2); })()' \
	'js:(() => { location.hash = "#m2.4"; followLink(); return (list.selected >= data.captures[1] ? "2." : "1.") + data.number[list.selected]; })()'

# Both themes, by the system's and by the switch: other colours, and text that can be read.
contrast='js:(() => { const rgb = c => c.match(/[\d.]+/g).slice(0, 3).map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
	const light = c => { const [r, g, b] = rgb(c); return .2126 * r + .7152 * g + .0722 * b; };
	const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\)$/.test(c)) return c; } return "rgb(255,255,255)"; };
	let least = 21, where = "";
	for (const e of document.querySelectorAll("p, li, td, th, a, summary, .badge, .tag, .row .text, .row .time, h2, h3, h4, option")) {
		if (!e.textContent.trim() || !e.getClientRects().length) continue;
		const [a, b] = [light(getComputedStyle(e).color), light(back(e))].sort((x, y) => y - x);
		const ratio = (a + .05) / (b + .05);
		if (ratio < least) { least = ratio; where = e.className || e.tagName; } }
	return least >= 4.5 ? "readable" : least + " " + where; })()'
colour='js:getComputedStyle(document.body).backgroundColor'
for page in blk.html deadlock.html; do
	browse $page 'rgb(255, 255, 255)
readable
rgb(20, 23, 28)
readable
rgb(255, 255, 255)
rgb(20, 23, 28)
' theme:light "$colour" "$contrast" theme:dark "$colour" "$contrast" 'key:t' "$colour" 'key:t' "$colour"
done

# Both widths: nothing sticks out of the page.
for page in blk.html two.html; do
	browse $page 'true
true
true
' size:1280x900 'js:document.documentElement.scrollWidth <= 1280' size:390x844 \
		'wait:list.narrow' 'js:document.documentElement.scrollWidth <= 390' "$shown"
done

# Thousands of records: the last one can be reached and found, and only those in sight are elements.
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	echo "$captures/qemu-blk.pcapng"
done | xargs mergecap -a -w twenty.pcapng
"$vhu" report twenty.pcapng 2>err
browse twenty.html '1200
true
1200 session closed: front-end closed
true
600
' 'js:data.rows' 'js:document.querySelectorAll(".row").length < 60' 'key:j' 'key:End' 'key:Enter' \
	'wait:!details.box.hidden && details.box.textContent.includes("1200")' "$title" \
	'js:(() => { const r = document.querySelector(".row.selected").getBoundingClientRect(), l = list.box.getBoundingClientRect(); return r.bottom <= l.bottom + 1 && r.top >= l.top - 1; })()' \
	'js:(() => { controls.search.value = "#600"; controls.search.dispatchEvent(new Event("input")); goMatch(1); return data.number[list.selected]; })()'

# On paper there is the table in place of the list; so without JavaScript.
browse blk.html 'rgb(255, 255, 255)
true
0
true
true
0
' theme:dark 'key:t' 'key:t' media:print "$colour" 'js:document.getElementById("first").offsetHeight > 0' 'js:document.getElementById("app").offsetHeight' \
	media:screen script:no load: 'js:document.getElementById("first").offsetHeight > 0' \
	'js:document.querySelectorAll("#first tr").length === 61' 'js:document.getElementById("app").offsetHeight'
