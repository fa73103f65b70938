#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# spelling.sh SOURCE: codespell finds no misspelt word in texts, comments and messages. words.txt has the
# words that it must leave alone.
. "$(dirname "$0")/common.sh"
words=$(cd "$(dirname "$0")" && pwd)/words.txt
cd "$1" || exit 2
command -v codespell >/dev/null || { echo "codespell is not installed"; exit 77; }
codespell --quiet-level 3 --ignore-words "$words" --skip '*.pcapng,*.png,*/corpus/*' \
	./*.md NEWS docs bpf dissector lib proxy samples tests tools packaging || failed=1
exit $failed
