# SPDX-License-Identifier: GPL-2.0-or-later
# Cut the examples out of a page: each block of code with a command of vhu becomes a file example-LINE.sh.
# If a block has lines that begin with "$ ", only these are commands; the others show what they print.
#
# A command that ends in "&" runs with STAYS=yes, and the file waits until it has made $STATE/at_work.

function end_block() {
	if (is_example) {
		file = sprintf("example-%04d.sh", first)
		for (i = 1; i <= count; i++) {
			line = lines[i]
			if (prompts && line !~ /^\$ /)
				continue
			sub(/^\$ /, "", line)
			stays = line ~ /[^&]&( *#.*)?$/
			if (stays)
				print "export STAYS=yes" >file
			print line >file
			if (stays)
				print "unset STAYS\nuntil [ -e \"$STATE/at_work\" ]; do sleep 0.05; done" >file
		}
		close(file)
	}
	count = is_example = prompts = 0
}

function add(line) {
	if (!count)
		first = FNR
	if (line ~ /(^|[|;&] *)(\$ )?(sudo )?vhu (--|[a-z]+( |$))/)
		is_example = 1
	if (line ~ /^\$ /)
		prompts = 1
	lines[++count] = line
}

/^ *```/ { end_block(); fenced = !fenced; shell = /```(sh)?$/; next }
fenced { if (shell) add($0); next }
/^(    |\t)/ { sub(/^(    |\t)/, ""); add($0); next }
/^ *$/ { if (count) add(""); next }
{ end_block() }
END { end_block() }
