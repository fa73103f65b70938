#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# lines.sh SOURCE VHU: no line of help has more than 80 columns; no line of a page has more than 100, but
# for tables, blocks of code and lines of one word, which a link may be.
. "$(dirname "$0")/common.sh"
cd "$1" || exit 2
vhu=$2

# Complain about the lines of standard input, which are called $1, that have more than $2 columns.
longer()
{
	found=$(grep -E ".{$(($2 + 1)),}")
	[ -z "$found" ] || fail "$1: more than $2 columns:
$found"
}

"$vhu" --help >/dev/null || exit 2
longer "vhu --help" 80 <<end
$("$vhu" --help)
end
for name in $(commands "$vhu"); do
	longer "vhu $name --help" 80 <<end
$("$vhu" "$name" --help)
end
done
for name in backend frontend; do
	longer "vhu-sample-$name --help" 80 <<end
$("$(dirname "$vhu")/vhu-sample-$name" --help)
end
done
for page in $(pages .); do
	longer "$page" 100 <<end
$(prose "$page" | grep -E '[^ ] +[^ ]')
end
done
exit $failed
