#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In a browser no text of a capture runs as a script or becomes an element: not when the page is shown,
# not in the list, not in the details of any record.
. "$(dirname "$0")/../../lib/common.sh"
need chromium
work_open

"$programs/scenario" "$here/hostile.scn" hostile.pcapng
"$vhu" report -o page.html hostile.pcapng 2>err
# What the page's text could have become: elements that it has not itself.
foreign='document.querySelectorAll("img, iframe, textarea, [onerror], [onload], title *").length'
"$programs/browse" page.html 'wait:document.documentElement.dataset.ready' "js:$foreign" \
	'js:document.scripts.length === [...document.scripts].filter(s => s.id || /SPDX/.test(s.text)).length' \
	"js:(async () => { for (let i = 0; i < data.rows; i++) { await showDetails(i, go); if ($foreign) return 'row ' + i; } return 'clean'; })()" \
	'js:details.box.textContent.length > 0' \
	'js:list.space.textContent.includes("pwned(\"error\")")' \
	'js:typeof pwned' >out 2>err || fail "the browser"
printf '%s\n' 0 true clean true true undefined >expected
cmp -s expected out || fail "not as expected"
