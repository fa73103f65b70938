#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# If a session ended badly the last line that vhu check says is why, and its exit status is 1, unless
# --exit-zero is given; else there is no such line.
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
	none*:) ;;
	none*:?* | *:)
		echo "$name: is a cause expected or not?"
		exit 1
		;;
	esac
	"$programs/scenario" "$scenario" "$work/capture"
	got=0
	(cd "$work" && "$vhu" check capture >out 2>&1) || got=$?
	badly=$(grep -c "1 session ended badly, in [12] session" "$work/out") || true
	errors=$(grep -c ": error V" "$work/out") || true
	warnings=$(grep -c ": warning V" "$work/out") || true
	if [ "$badly" != $((${#cause} || errors)) ] || [ "$got" != $((badly || warnings)) ]; then
		echo "$name: status $got: $(cat "$work/out")"
		status=1
	fi
	"$vhu" check --exit-zero "$work/capture" >/dev/null 2>&1 || status=1
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
