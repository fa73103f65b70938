#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Where a session ended badly the last line that vhu check says is why; where it did not there is no
# such line.
#
# Each scenario in cause/ has the line that is expected in a comment "# cause: ..."; only those
# whose names begin with "none" have none.
. "$(dirname "$0")/../../lib/common.sh"
work_open

status=0
cases=0

for scenario in "$here"/cause/*.scn; do
	name=$(basename "$scenario" .scn)
	cause=$(sed -n 's/^# cause: //p' "$scenario")
	case $name:$cause in
	none*:?* | [!n]*:)
		echo "$name: is a cause expected or not?"
		exit 1
		;;
	esac
	"$programs/scenario" "$scenario" "$work/capture"
	(cd "$work" && "$vhu" check capture >out 2>&1) || [ $? = 1 ]
	if [ -n "$cause" ]; then
		echo "capture: session 1: likeliest cause: $cause" >"$work/expected"
		tail -n 1 "$work/out" >"$work/got"
	else
		: >"$work/expected"
		grep "likeliest cause" "$work/out" >"$work/got" || true
	fi
	if ! diff "$work/expected" "$work/got" >"$work/diff"; then
		echo "$name: another last line (>) than expected (<):"
		cat "$work/diff"
		status=1
	fi
	cases=$((cases + 1))
done
# The tests must not be none.
[ "$cases" -ge 20 ] || { echo "only $cases scenarios"; status=1; }
exit $status
