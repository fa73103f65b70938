#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Hold the sources to the style: clang-format and clang-tidy on C, shellcheck on scripts, mandoc on the
# manual pages.
#
#	sh tests/style.sh [BUILD]
#
# clang-tidy takes the compiler's options from the build folder BUILD (build-test). Other releases of
# clang-format break lines elsewhere, and those of clang-tidy have other checks: only Debian 12's is asked.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build-test} release=14
rooms="bpf dissector lib proxy samples tests tools"

found=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
if [ "$found" != "$release" ]; then
	echo "not checked: this is clang-format ${found:-(not installed)}, the style is that of $release"
	exit 0
fi
failed=0
# shellcheck disable=SC2086 # a list of folders is several words
{
	find $rooms -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror || failed=1
	# What the formatter leaves where it breaks a line that a comment had joined.
	! grep -rnE --include='*.[ch]' '^ \*[A-Za-z]' $rooms || failed=1
	find .ci/run packaging $rooms \( -name '*.sh' -o -name run \) -type f -print0 |
		xargs -0 -P "$(nproc)" -n 8 shellcheck -s sh -S warning -e SC2034,SC2154,SC2164 || failed=1
	# What the build folder compiles, and is no copy in it.
	jq -r '.[].file' "$build/compile_commands.json" | sort -u | grep -v "^$PWD/build" | tr '\n' '\0' |
		xargs -0 -P "$(nproc)" -n 8 clang-tidy -p "$build" --quiet 2>/dev/null || failed=1
	# It says on its output what it does not like, and ends well where that is only style.
	said=$(mandoc -T lint docs/*.1 "$build"/docs/*.[57] 2>&1) && [ -z "$said" ] || {
		printf '%s\n' "$said"
		failed=1
	}
}
exit $failed
