#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/rules.md is what vhu check says of its rules, and what docs/rules-peers.md.in says of real
# peers; each rule is listed and explained.
#
#	rules.sh
#	rules.sh --refresh	write docs/rules.md again; the diff is the review
. "$(dirname "$0")/../../lib/common.sh"
work_open
docs=$top/docs

# Print what docs/rules.md has to be.
make()
{
	"$vhu" check --list --markdown
	echo
	sed '1,/^$/d' "$docs/rules-peers.md.in"
}

if [ "${1-}" = --refresh ]; then
	make >"$docs/rules.md"
	exit 0
fi
make >"$work/rules.md"
if ! diff -u "$docs/rules.md" "$work/rules.md" >"$work/diff"; then
	head -n 40 "$work/diff"
	echo "docs/rules.md is out of date: tests/e2e/check/rules.sh --refresh"
	exit 1
fi

"$vhu" check --list >"$work/list"
[ "$(wc -l <"$work/list")" -ge 90 ] || { echo "only $(wc -l <"$work/list") rules"; exit 1; }
while read -r id severity name title; do
	for word in "$id" "$name"; do
		"$vhu" check --explain "$word" >"$work/explained" || exit 1
		head -n 1 "$work/explained" | grep -qx "$id $name ($severity)" &&
			grep -qF "$title" "$work/explained" && continue
		echo "--explain $word does not say what --list does: $(cat "$work/explained")"
		exit 1
	done
	grep -q "^### $id $name ($severity)$" "$docs/rules.md" || { echo "$id is not in docs/rules.md"; exit 1; }
done <"$work/list"
# What the part about peers names are rules.
for id in $(grep -o 'V[1-9][0-9][0-9]' "$docs/rules-peers.md.in" | sort -u); do
	grep -q "^$id " "$work/list" || { echo "docs/rules-peers.md.in: $id is no rule"; exit 1; }
done
