/**
 * The scripts that shells load. `pman __complete WORD…` gets the words up to the cursor and prints a candidate a line, what
 * it is behind a tab; `:files` and `:folders` stand for the shell's own completion of names.
 */
export const SHELL_SCRIPTS: ReadonlyMap<string, string> = new Map([
  [
    'bash',
    String.raw`# bash completion of pman: source <(pman completion bash)
_pman_complete() {
  COMPREPLY=()
  local line word about cur=\${COMP_WORDS[COMP_CWORD]} words=() widest=0 count=0
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default; return ;;
      :folders) compopt -o dirnames; return ;;
    esac
    word=\${line%%$'\t'*}
    # What the shell would take apart, or read as something else, has to be typed.
    [[ $word == *[!A-Za-z0-9_@%+=,./-]* ]] && continue
    words+=("$line")
    count=$((count + 1))
    (( \${#word} > widest )) && widest=\${#word}
  done < <(command pman __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  # What each is stands beside it where candidates are listed (63, 33, 64), not where one is put in.
  case $COMP_TYPE in 63 | 33 | 64) (( count > 1 )) || widest=0 ;; *) widest=0 ;; esac
  for line in "\${words[@]}"; do
    word=\${line%%$'\t'*}
    about=\${line#*$'\t'}
    if (( widest > 0 )) && [[ $about != "$line" ]]; then
      printf -v line '%-*s  %s' "$widest" "$word" "$about"
      COMPREPLY+=("\${line:0:\${COLUMNS:-80}}")
    else
      COMPREPLY+=("$word")
    fi
  done
}
complete -o nosort -F _pman_complete pman
`.replaceAll('\\${', '${'),
  ],
  [
    'zsh',
    String.raw`#compdef pman
# zsh completion of pman: source <(pman completion zsh)
_pman() {
  local line
  local -a found
  for line in "\${(@f)$(command pman __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files; return ;;
      :folders) _files -/; return ;;
      *$'\t'*) found+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}") ;;
      *) found+=("\${line//:/\\:}") ;;
    esac
  done
  _describe -V pman found
}
compdef _pman pman
`.replaceAll('\\${', '${'),
  ],
  [
    'fish',
    `# fish completion of pman: pman completion fish | source
function __pman_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (command pman __complete $words[2..-1] 2>/dev/null)
    switch $line
      case :files :folders
        __fish_complete_path (commandline -ct)
      case '*'
        echo $line
    end
  end
end
complete -c pman -f -a '(__pman_complete)'
`,
  ],
]);
