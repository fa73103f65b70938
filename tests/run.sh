#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Run all tests: the style, the tests, the same with sanitizers, and each fuzz target for a while. The style is
# checked, and other presets are built, while tests run.
#
#	sh tests/run.sh [--fast]
#
# Installs the Debian packages that are missing (or says which). --fast is for the loop of editing: the
# style, and the tests that take few seconds. FUZZ_SECONDS says for how long each target is fuzzed
# (10), FUZZ_SEED where chance begins (0: somewhere else each time). With CI set, that is 1, so that what
# fails fails again, and a skipped test is a failed one.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/samples/packages.sh"
cd "$top"

fast=false
case ${1-} in
'') ;;
--fast) fast=true ;;
*)
	echo "usage: sh tests/run.sh [--fast]" >&2
	exit 2
	;;
esac
# shellcheck disable=SC2046 # a list of packages is several words
vhu_need $(vhu_packages tests) || exit 1

log=$(mktemp) outputs=$(mktemp -d)
fuzzers='' beside=''
close()
{
	[ -z "$fuzzers" ] || kill $fuzzers 2>/dev/null || true
	for one in $beside; do
		kill -- "-${one#*=}" 2>/dev/null || true
	done
	rm -rf "$log" "$outputs"
}
trap close EXIT
trap 'exit 130' INT TERM
failed=

# Say what comes next.
step()
{
	printf '\n== %s\n' "$*"
}

# Run a command, $2 and what follows, aside: its processes work while no other process has work for a
# processor. joined() shows its output under the name $1.
aside()
{
	aside_name=$1
	shift
	setsid chrt --idle 0 "$@" >"$outputs/$aside_name" 2>&1 &
	beside="$beside $aside_name=$!"
}

# Wait for the command aside that is named $1, and show its output. Returns its status.
joined()
{
	joined_status=0
	for joined_one in $beside; do
		[ "${joined_one%=*}" = "$1" ] || continue
		# This script has nothing else to do now.
		for joined_process in $(ps -o pid= -s "${joined_one#*=}"); do
			chrt --other --pid 0 "$joined_process" >/dev/null 2>&1 || true
		done
		wait "${joined_one#*=}" || joined_status=$?
	done
	cat "$outputs/$1"
	return "$joined_status"
}

# Run the tests of the preset $1 that failed once more, one at a time. Those with several processes may fail
# on a machine that has too much to do; then both runs are shown. All others must not. Returns whether they
# pass.
again()
{
	! sed -n '/^The following tests FAILED/,$s/^.*[0-9] - \([^ ]*\) .*/\1/p' "$log" | grep -qv '^e2e\.\|^bpf\.' ||
		return 1
	step "Testing what failed again, alone ($1)"
	ctest --preset "$1" --rerun-failed 2>&1 | tee "$log"
	grep -q '^100% tests passed' "$log"
}

# Run the tests of the preset $1, with ctest's options $2...
check()
{
	step "Testing ($1)"
	preset=$1
	shift
	ctest --preset "$preset" --parallel "$((2 * $(nproc)))" "$@" 2>&1 | tee "$log"
	if [ -n "${CI-}" ] && grep -q '(Skipped)' "$log"; then
		echo "tests were skipped, and CI has all that they need" >&2
		failed="$failed $preset-skipped"
	fi
	grep -q '^100% tests passed' "$log" || again "$preset" || failed="$failed $preset"
}

# Run the fuzz target $1 for $2 seconds, starting from its corpus; what it says goes to the file $3.
fuzz_one()
{
	name=${1##*/fuzz_}
	found=$(mktemp -d)
	if "$1" -max_total_time="$2" -seed="${FUZZ_SEED:-$([ -n "${CI-}" ] && echo 1 || echo 0)}" \
		-artifact_prefix="$found/" -print_final_stats=1 \
		"$found" "tests/fuzz/corpus/$name" >"$3" 2>&1; then
		rm -rf "$found"
	else
		{
			echo "what made it fail is in $found:"
			find "$found" -name '*-*' -exec base64 {} \;
		} >>"$3"
		return 1
	fi
}

# Run each fuzz target for $1 seconds, as many at a time as there are processors.
fuzz()
{
	step "Fuzzing ($1 s each)"
	logs=$(mktemp -d)
	set -- "$1" build-fuzz/tests/bin/fuzz_*
	seconds=$1
	shift
	while [ $# -gt 0 ]; do
		running=
		for _ in $(seq "$(nproc)"); do
			[ $# -gt 0 ] || break
			fuzz_one "$1" "$seconds" "$logs/${1##*/fuzz_}" &
			running="$running ${1##*/fuzz_}=$!" fuzzers="$fuzzers $!"
			shift
		done
		for one in $running; do
			name=${one%=*} log_of=$logs/${one%=*}
			if wait "${one#*=}"; then
				echo "$name: $(grep -E '^Done' "$log_of")"
			else
				tail -n 40 "$log_of"
				failed="$failed fuzz-$name"
			fi
		done
		fuzzers=
	done
	rm -rf "$logs"
}

sh tests/build.sh test
if $fast; then
	step "Style"
	sh tests/style.sh build-test || failed="$failed style"
	check test --label-regex 'unit|golden|rules|e2e' --label-exclude slow
else
	# Tests wait for most of the time. What only computes does so meanwhile.
	aside style sh tests/style.sh build-test
	aside dev sh tests/build.sh dev
	check test
	step "Style"
	joined style || failed="$failed style"
	joined dev || exit 1
	# What is fuzzed, and what users build.
	aside others sh tests/build.sh fuzz release
	check dev
	joined others || exit 1
	fuzz "${FUZZ_SECONDS:-10}"
fi

step "Done"
if [ -n "$failed" ]; then
	echo "failed:$failed"
	exit 1
fi
echo "all passed"
