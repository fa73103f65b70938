#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Say how many of the product's lines the tests run, by folder, and which they do not.
#
#	sh tests/coverage.sh [ctest's options, for a part of the tests]
#
# The lines are in build-coverage/coverage.html. The proxy runs without its sandbox, which
# forbids writing the counts. Left out: the test of the sandbox, and one that runs as another user.
set -eu
cd "$(dirname "$0")/.."
folder=build-coverage
cmake --preset coverage >/dev/null
cmake --build --preset coverage --parallel "$(nproc)" >/dev/null
find $folder -name '*.gcda' -delete
ctest --preset coverage --parallel "$((2 * $(nproc)))" -Q -E '^e2e.(proxy.sandbox|dissector.extcap)$' "$@" ||
	echo "not all tests passed: $(cat $folder/Testing/Temporary/LastTestsFailed.log)" >&2
gcovr --root . --filter '(bpf|dissector|lib|proxy|samples|tools)/' --object-directory $folder \
	--exclude-directories '.*/CMakeFiles/[0-9.]+' --html-details $folder/coverage.html \
	--json-summary $folder/coverage.json
jq -r '
	def percent: 1000 * .covered / ([.total, 1] | max) | round / 10;
	(.files | map(.folder = (.filename | sub("/[^/]*$"; ""))) | group_by(.folder)[] |
		[(map({covered: .line_covered, total: .line_total}) |
			{covered: map(.covered) | add, total: map(.total) | add} | percent), .[0].folder]),
	[.line_percent, "all"] | @tsv' $folder/coverage.json
