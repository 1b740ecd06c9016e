/**
 * What shells run to complete a line: each asks `corral complete` with the words so far, and takes a line for each thing that may
 * come next (value, tab, description). Words are handed over as they are, never evaluated: a line that is still being typed must
 * not run what stands in it. The last line of an answer, a colon and a number, is for other protocols.
 */
export const completionScripts = {
  bash: `_corral() {
  local -a words
  local typed=\${COMP_LINE:0:COMP_POINT} line value
  read -ra words <<< "$typed"
  [[ $typed == *[[:space:]] ]] && words+=("")
  local current=\${words[-1]}
  # Bash itself begins a new word after each of these; it replaces only what follows them.
  local kept=\${current%"\${current##*[=:]}"}
  COMPREPLY=()
  while IFS= read -r line; do
    value=\${line%%$'\\t'*}
    [[ $value == :* || $value != "$current"* ]] || COMPREPLY+=("$(printf %q "\${value#"$kept"}")")
  done < <(corral complete -- "\${words[@]:1}" 2> /dev/null)
}
complete -o default -F _corral corral
`,
  zsh: `#compdef corral
_corral() {
  local -a offers
  local line
  for line in "\${(@f)$(corral complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}"; do
    [[ -z $line || $line == :* ]] && continue
    offers+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( $#offers )); then _describe corral offers; else _files; fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _corral corral
`,
  fish: `function __corral
  set -l words (commandline -opc) (commandline -ct)
  corral complete -- $words[2..-1] 2> /dev/null | string match --invert --regex '^:\\d+$'
end
complete --command corral --arguments '(__corral)'
`,
} as const;

export type Shell = keyof typeof completionScripts;
export const shells = Object.keys(completionScripts) as Shell[];
