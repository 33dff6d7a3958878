# Completion of stagedoor's words in bash: source <(stagedoor completion bash)
_stagedoor() {
    local IFS=$'\n'
    COMPREPLY=($("${COMP_WORDS[0]}" completion bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _stagedoor stagedoor
