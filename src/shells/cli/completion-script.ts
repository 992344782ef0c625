export const completionShells = ["bash", "zsh", "fish"] as const;

/**
 * The script by which a shell asks `command` (a program and its first arguments) for completions. An answer is one
 * candidate per line with a tab and what it is about, then `:0` where files may stand too, or `:4`.
 */
export function completionScript(
  shell: (typeof completionShells)[number],
  command: readonly string[],
): string {
  const words = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  return { bash, zsh, fish }[shell](shell === "fish" ? command.map(fishWord).join(" ") : words);
}

function fishWord(word: string): string {
  return `'${word.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function bash(command: string): string {
  return `# bash completion of holdfast: source <(holdfast completion bash)
_holdfast() {
  local IFS=$'\\n' line current=\${COMP_WORDS[COMP_CWORD]}
  [[ $current == '=' ]] && current=
  COMPREPLY=()
  for line in $(${command} complete-words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null); do
    case $line in
      :0)
        compopt -o filenames 2>/dev/null
        COMPREPLY+=($(compgen -f -- "$current"))
        ;;
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done
}
complete -F _holdfast holdfast
`;
}

function zsh(command: string): string {
  return `#compdef holdfast
# zsh completion of holdfast: source <(holdfast completion zsh), after compinit
_holdfast() {
  local line
  local -a described
  local files=
  for line in "\${(@f)$(${command} complete-words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :0) files=yes ;;
      :*) ;;
      *) described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( $#described )) && _describe holdfast described
  [[ -n $files ]] && _files
}
compdef _holdfast holdfast
`;
}

function fish(command: string): string {
  return `# fish completion of holdfast: holdfast completion fish | source
function __holdfast_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct | string collect --allow-empty)
  for line in (${command} complete-words -- $words[2..-1] "$current" 2>/dev/null)
    switch $line
      case ':0'
        __fish_complete_path "$current"
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c holdfast -f -a '(__holdfast_complete)'
`;
}
