# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of vhu for fish. `vhu complete` knows what there is.

function __vhu_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] complete $words[2..] 2>/dev/null)
        if test -z "$line"
            __fish_complete_path (commandline -ct)
        else
            printf '%s\n' $line
        end
    end
end

complete -c vhu -f -a '(__vhu_complete)'
