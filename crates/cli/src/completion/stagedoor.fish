# Completion of stagedoor's words in fish: stagedoor completion fish | source
function __stagedoor_words
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($before[1] completion fish -- $before[2..-1] "$current" 2>/dev/null)
    if test (count $found) -eq 0
        __fish_complete_path "$current"
    else
        printf '%s\n' $found
    end
end
complete -c stagedoor -f -a '(__stagedoor_words)'
