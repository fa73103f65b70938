#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Say how many of the product's lines the tests run, by room, and which they do not.
#
#	sh tests/coverage.sh [ctest's options, for a part of the tests]
#
# The lines are in build-coverage/coverage.html. Needs gcovr.
set -eu
cd "$(dirname "$0")/.."
cmake --preset coverage >/dev/null
cmake --build --preset coverage --parallel "$(nproc)" >/dev/null
find build-coverage -name '*.gcda' -delete
ctest --preset coverage --parallel "$((2 * $(nproc)))" -Q "$@" || echo "not all tests passed" >&2
gcovr --root . --filter '(bpf|dissector|lib|proxy|samples|tools)/' --object-directory build-coverage \
	--html-details build-coverage/coverage.html --txt build-coverage/coverage.txt \
	--json-summary build-coverage/coverage.json
jq -r '
	def percent: if .total == 0 then 0 else 1000 * .covered / .total | round / 10 end;
	(.files | group_by(.filename | split("/") | .[0:if .[0] == "lib" or .[0] == "proxy" or .[0] == "tools" then 2 else 1 end] | join("/"))[] |
		[(.[0].filename | split("/")[0:-1] | join("/")),
		 ({covered: map(.line_covered) | add, total: map(.line_total) | add} | percent)]),
	["all", .line_percent] | @tsv' build-coverage/coverage.json
