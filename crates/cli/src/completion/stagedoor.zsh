#compdef stagedoor
# Completion of stagedoor's words in zsh: source <(stagedoor completion zsh), after compinit
_stagedoor() {
    local answer
    local -a found
    answer="$("${words[1]}" completion zsh -- "${(@)words[2,CURRENT]}" 2>/dev/null)"
    if [[ -z $answer ]]; then
        _files
        return
    fi
    found=("${(@f)answer}")
    _describe -t words 'word' found
}
compdef _stagedoor stagedoor
