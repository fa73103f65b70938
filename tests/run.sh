#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Run all tests: the release build's, the same with sanitizers, and each fuzz target for a while.
#
#	sh tests/run.sh [--quick]
#
# Installs the Debian packages that are missing (or says which). --quick runs the release build's
# tests alone. FUZZ_SECONDS says for how long each target is fuzzed (10). With CI set, it is 30 and a
# skipped test is a failed one.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/samples/packages.sh"
cd "$top"

quick=false
case ${1-} in
'') ;;
--quick) quick=true ;;
*)
	echo "usage: sh tests/run.sh [--quick]" >&2
	exit 2
	;;
esac
# shellcheck disable=SC2046 # a list of packages is several words
vhu_need $(vhu_packages tests) || exit 1

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM
failed=

# Say what comes next.
step()
{
	printf '\n== %s\n' "$*"
}

# Configure and build the preset $1; the compiler is only heard where it fails.
build()
{
	step "Building ($1)"
	if ! cmake --preset "$1" >"$log" 2>&1 ||
		! cmake --build --preset "$1" --parallel "$(nproc)" >>"$log" 2>&1; then
		tail -n 40 "$log"
		echo "the preset $1 does not build" >&2
		exit 1
	fi
	grep '^-- Left out' "$log" || true
}

# Run the tests of the preset $1.
check()
{
	step "Testing ($1)"
	ctest --preset "$1" --parallel "$((2 * $(nproc)))" 2>&1 | tee "$log"
	grep -q '^100% tests passed' "$log" || failed="$failed $1"
	if [ -n "${CI-}" ] && grep -q '(Skipped)' "$log"; then
		echo "tests were skipped, and CI has all that they need" >&2
		failed="$failed $1-skipped"
	fi
}

# Run each fuzz target for $1 seconds, starting from its corpus.
fuzz()
{
	for target in build-fuzz/bin/fuzz_*; do
		name=${target##*/fuzz_}
		step "Fuzzing ($name, $1 s)"
		found=$(mktemp -d)
		if ! "$target" -max_total_time="$1" -artifact_prefix="$found/" -print_final_stats=1 \
			"$found" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
			tail -n 40 "$log"
			echo "what made it fail is in $found" >&2
			failed="$failed fuzz-$name"
			continue
		fi
		grep -E '^Done|number_of_executed_units' "$log"
		rm -rf "$found"
	done
}

build release
check release
if ! $quick; then
	build dev
	check dev
	build fuzz
	fuzz "${FUZZ_SECONDS:-$([ -n "${CI-}" ] && echo 30 || echo 10)}"
fi

step "Done"
if [ -n "$failed" ]; then
	echo "failed:$failed"
	exit 1
fi
echo "all passed"
