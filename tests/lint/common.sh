# SPDX-License-Identifier: GPL-2.0-or-later
# What the checks of texts share; to be sourced.
#
# fail TEXT... prints TEXT and notes that the check failed; the check ends with "exit $failed".
set -u
export LC_ALL=C.UTF-8
failed=0

fail()
{
	echo "$*"
	failed=1
}

# Print the pages in Markdown below the folder $1, as paths from there, without those of build folders.
pages()
{
	(cd "$1" && find . -name '*.md' -not -path './build*' -not -path './.*/*' | sed 's,^\./,,' | sort)
}

# Print the commands of vhu at $1.
commands()
{
	"$1" --help | awk '/^  [a-z]/ { print $1 }'
}

# Print the options in the help on standard input, without their dashes, one a line.
options()
{
	sed -nE '/^Examples:/q; s/^  (-.,|   ) --([a-z0-9-]+).*/\2/p' | sort -u
}

# Print the lines of the page $1 that are no block of code and no table.
prose()
{
	awk '/^ *```/ { code = !code; next } !code && !/^ *\|/ && !/^    /' "$1"
}
