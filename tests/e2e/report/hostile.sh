#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# No text of a capture is taken for markup, wherever in the page it stands: with it, the page has the
# same elements as without.
. "$(dirname "$0")/../../lib/common.sh"
need xmllint
work_open

"$programs/scenario" "$here/hostile.scn" hostile.pcapng
# The path of a capture is foreign, too.
name=$(printf '"><img src=x onerror=pwned(1)>\342\200\256.pcapng')
cp hostile.pcapng "$name"
"$vhu" report -o page.html "$name" 2>err

# What is hostile must have come as far as the page.
for text in '&lt;img/src=x&gt;&quot;&#39;&amp; (pid' 'back-end &lt;/style&gt;&lt;script (pid' 'pwned(&quot;path&quot;)' 'pwned(&quot;fd&quot;)' 'pwned(&quot;error&quot;)' \
	'pwned(&quot;close&quot;)' 'pwned(1)'; do
	grep -qF -- "$text" page.html || fail "the page has not $text: the test shows nothing"
done
# The page's own programs are the only ones, nothing else is fetched, and no handler is an attribute.
xmllint --html --nowarning --recover --xpath 'count(//img) + count(//svg/@onload) + count(//*[@onerror])' \
	page.html 2>/dev/null >out
[ "$(cat out)" = 0 ] || fail "a text became an element"
[ "$(grep -o '<script' page.html | wc -l)" = 6 ] || fail "there are other scripts than four programs, the data, a block of details"
# U+202E would turn the name around.
! grep -q "$(printf '\342\200\256')" page.html || fail "a control of direction is in the page"
