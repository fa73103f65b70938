#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu check finds in each scenario's capture what the scenario expects, and ends with 1 if that is
# anything or the session ended badly. One process a scenario and no more: there are hundreds.
#
#	command.sh FILE.scn...
. "$(dirname "$0")/../lib/common.sh"
work_open

"$programs/scenario" --captures . "$@"
for case; do
	name=${case##*/} options='' status=0
	while read -r word value; do
		case $word in
		device | dialect) options="$options --$word=$value" ;;
		esac
	done <"$case"
	# shellcheck disable=SC2086 # several options are several words
	"$vhu" check --severity=info $options "$name" >>all 2>summary || status=$?
	while read -r line; do
		case $line:$status in
		"no findings; "*" ended badly, in "*:1) status=0 ;;
		esac
		echo "$line"
	done <summary >>err
	echo "$name: status $status" >>all
done
grep -E '^[^ :]+:([0-9]+:| status) ' all >found
awk '
	function ends()
	{
		if (name)
			print name ": status " expects
	}
	FNR == 1 {
		ends()
		name = FILENAME
		sub(/.*\//, "", name)
		expects = 0
	}
	sub(/^expect /, "") {
		print name ":" $0
		expects = 1
	}
	END { ends() }' "$@" >expected
diff expected found >difference || fail "other findings than expected (<): $(head -n 20 difference)"
[ "$(grep -Ec '^[^ :]+: status ' found)" -eq $# ] || fail "not all of $# scenarios were checked"
