# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of vhu for bash. `vhu complete` knows what there is.

_vhu()
{
	local line words=("${COMP_WORDS[@]:1:COMP_CWORD}") word=${COMP_WORDS[COMP_CWORD]}

	# Bash takes "--name=value" apart.
	if [[ $word == = ]]; then
		words=("${COMP_WORDS[@]:1:COMP_CWORD-2}" "${COMP_WORDS[COMP_CWORD-1]}=") word=
	elif ((COMP_CWORD > 2)) && [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then
		words=("${COMP_WORDS[@]:1:COMP_CWORD-3}" "${COMP_WORDS[COMP_CWORD-2]}=$word")
	fi
	COMPREPLY=()
	while IFS= read -r line; do
		if [[ -z $line ]]; then
			compopt -o filenames
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
		else
			line=${line%%$'\t'*}
			COMPREPLY+=("${line#--*=}")
		fi
	done < <("${COMP_WORDS[0]}" complete "${words[@]}" 2>/dev/null)
}
complete -F _vhu vhu
