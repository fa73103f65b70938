#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# links.sh SOURCE: each link of a page leads to a file that exists and, if it has an anchor, to a heading.
# Each file of the source that a page, a manual or a help text names exists.
. "$(dirname "$0")/common.sh"
cd "$1" || exit 2

# Print the anchors of the page $1, as GitHub makes them of headings.
anchors()
{
	prose "$1" | sed -n 's/^#\{1,6\} //p' | tr '[:upper:]' '[:lower:]' |
		sed -E 's/\[([^]]*)\]\([^)]*\)/\1/g; s/[^a-z0-9 _-]//g; s/ /-/g' |
		awk '{ print seen[$0]++ ? $0 "-" seen[$0] - 1 : $0 }'
}

count=0
for page in $(pages .); do
	folder=$(dirname "$page")
	for link in $(prose "$page" | sed 's/`[^`]*`//g' | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//'); do
		count=$((count + 1))
		case $link in
		http://* | https://* | mailto:*) continue ;;
		esac
		file=${link%%#*}
		if [ -z "$file" ]; then
			target=$page
		else
			target=$folder/$file
		fi
		if [ ! -e "$target" ]; then
			fail "$page: link to $link: no such file"
		elif [ "$link" != "$file" ] && ! anchors "$target" | grep -qx -- "${link#*#}"; then
			fail "$page: link to $link: no such heading"
		fi
	done
done
[ "$count" -gt 50 ] || fail "only $count links found"

# Names of files, in text: a folder of the source, then a path that ends in a suffix.
count=0
for page in $(pages .) docs/*.1; do
	for file in $(sed 's/\\-/-/g' "$page" |
		grep -oE '(^|[^A-Za-z0-9_/.{}$<>-])(bpf|dissector|docs|lib|packaging|proxy|samples|tests|tools)/[A-Za-z0-9_/.-]*\.(c|h|def|sh|md|1|in|lua|json|jq|txt|pcapng|conf)\b' |
		sed -E 's/^[^a-z]//' | sort -u); do
		count=$((count + 1))
		[ -e "$file" ] || [ -e "$(dirname "$page")/$file" ] || fail "$page: $file: no such file"
	done
done
[ "$count" -gt 50 ] || fail "only $count names of files found"
exit $failed
