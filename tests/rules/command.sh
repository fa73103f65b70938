#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Show that vhu check finds in each scenario's capture what the scenario expects.
# command.sh SCENARIO VHU FILE.scn...
scenario=$1
vhu=$2
shift 2
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
for case; do
	"$scenario" "$case" c.pcapng || exit 1
	granted=$(sed -n 's/^\(device\|dialect\) \(.*\)/--\1=\2/p' "$case")
	sed -n 's/^expect /c.pcapng:/p' "$case" >expected
	"$vhu" check --severity=info $granted c.pcapng >out 2>err
	status=$?
	grep '^c\.pcapng:[0-9]*: ' out >found
	[ $status -eq "$([ -s expected ] && echo 1 || echo 0)" ] && cmp -s expected found && continue
	echo "$case: vhu check ends with $status"
	diff expected found
	cat err
	failed=1
done
exit $failed
