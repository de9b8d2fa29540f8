// Completions for bash 4.4 and later, without the package bash-completion. Words known from the table stand in the
// script; what only the host knows is asked of "bailiff completions jails" and the like.
import type { OptionTerm, Surface, Takes } from '../surface.ts';
import { wordsOf } from './words.ts';

export function bashCompletions({ globals, verbs }: Surface): string {
  return `# bash completions for bailiff, made by: bailiff completions bash

# What the option $2 of the verb $1 takes, into "takes"; nothing for a flag.
_bailiff_option() {
  case "$1 $2" in
${[
  ...globals.flatMap((option) => valueCase('*', option)),
  ...verbs.flatMap(({ name, options }) => options.flatMap((option) => valueCase(name, option))),
].join('')}    *) takes='' ;;
  esac
}

# What argument number $2 of the verb $1 takes, into "takes"; nothing where there is none.
_bailiff_argument() {
  case "$1 $2" in
${verbs
  .flatMap((verb) =>
    verb.arguments.map(
      ({ takes, isList }, at) =>
        `    ${isList ? `'${verb.name} '*` : `'${verb.name} ${at}'`}) takes='${codeOf(takes)}' ;;\n`,
    ),
  )
  .join('')}    *) takes='' ;;
  esac
}

# The options of the verb $1, into "options".
_bailiff_options() {
  options='${wordsOf(globals).join(' ')}'
  case $1 in
${verbs
  .filter(({ options }) => options.length > 0)
  .map(({ name, options }) => `    ${name}) options+=' ${wordsOf(options).join(' ')}' ;;\n`)
  .join('')}  esac
}

# The words that begin with $2, of those that the program knows.
_bailiff_ask() {
  compgen -W "$(timeout 5 "\${ask[@]}" completions "$1" 2>/dev/null)" -- "$2"
}

# The words that begin with $2, of what $1 says.
_bailiff_offer() {
  case $1 in
    words*) compgen -W "\${1#words }" -- "$2" ;;
    jail) _bailiff_ask jails "$2" ;;
    filter) _bailiff_ask filters "$2"; compgen -f -- "$2" ;;
    address) _bailiff_ask addresses "$2" ;;
    file) compgen -f -- "$2" ;;
    folder) compgen -d -- "$2" ;;
  esac
}

_bailiff() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() ask=("$1") verb='' owner='' takes='' options='' at=0 i word current prefix=''
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[-1]}

  # The verb, how many arguments it has already, and the option whose value is to come.
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    word=\${words[i]}
    if [[ -n $takes ]]; then
      takes=''
      [[ $owner == --config || $owner == --runtime ]] && ask+=("$owner" "$word")
    elif [[ $word == --config=* || $word == --runtime=* ]]; then
      ask+=("$word")
    elif [[ $word == -?* ]]; then
      owner=$word
      [[ $word == *=* ]] || _bailiff_option "$verb" "$word"
    elif [[ -z $verb ]]; then
      verb=$word
    else
      at=$((at + 1))
    fi
  done

  if [[ -z $takes && $current == --*=* ]]; then
    prefix=\${current%%=*}=
    _bailiff_option "$verb" "\${current%%=*}"
    current=\${current#*=}
  elif [[ -z $takes && $current == -* ]]; then
    _bailiff_options "$verb"
    takes="words $options"
  elif [[ -z $takes && -z $verb ]]; then
    takes='words ${verbs.map(({ name }) => name).join(' ')}'
  elif [[ -z $takes ]]; then
    _bailiff_argument "$verb" "$at"
  fi
  mapfile -t COMPREPLY < <(_bailiff_offer "$takes" "$current")

  case $takes in file | folder | filter) compopt -o filenames 2>/dev/null ;; esac
  # bash itself parts words at these, and wants only what stands behind the last of them.
  if [[ $COMP_WORDBREAKS == *=* ]]; then prefix=''; fi
  if [[ $COMP_WORDBREAKS == *:* && $current == *:* ]]; then
    for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]=\${COMPREPLY[i]#"\${current%"\${current##*:}"}"}; done
  fi
  COMPREPLY=("\${COMPREPLY[@]/#/$prefix}")
}
complete -F _bailiff bailiff
`;
}

function valueCase(verb: string, { names, takes }: OptionTerm): string[] {
  if (!takes) return [];
  const patterns = names.map((name) => (verb === '*' ? `*' ${name}'` : `'${verb} ${name}'`));
  return [`    ${patterns.join(' | ')}) takes='${codeOf(takes)}' ;;\n`];
}

/** A word of our own tables: never a quote or a blank in it. */
function codeOf(takes: Takes): string {
  return takes.kind === 'words' ? `words ${takes.words.join(' ')}` : takes.kind;
}
