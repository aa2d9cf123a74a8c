
# Bash takes words apart at : and =, which stand in the URI of a key. This puts them together for the function above, and
# gives back what readline replaces: all behind the last of them, or the whole of a word in quotes.
_privyseal_words() {
    local before="${COMP_LINE:0:COMP_POINT}" word quote="" candidate
    local -a COMP_WORDS=()
    read -ra COMP_WORDS <<< "$before"
    [[ "$before" == *[[:space:]] ]] && COMP_WORDS+=("")
    local COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
    word="${COMP_WORDS[COMP_CWORD]}"
    case "$word" in [\'\"]*) quote="${word:0:1}" word="${word:1}" ;; esac
    COMP_WORDS[COMP_CWORD]="$word"
    _clap_complete_privyseal "$1" "$word" "$3"
    [[ -n "$quote" ]] && return
    local given="" index
    [[ "$word" == *[:=]* ]] && given="${word%"${word##*[:=]}"}"
    for index in "${!COMPREPLY[@]}"; do
        candidate="${COMPREPLY[index]#"$given"}"
        case "$candidate" in
            *[\;\&\?\*\ ]*) printf -v candidate '%q' "$candidate" ;;
        esac
        COMPREPLY[index]="$candidate"
    done
}
complete -o nospace -o bashdefault -o nosort -F _privyseal_words privyseal
