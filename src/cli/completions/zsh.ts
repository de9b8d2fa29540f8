// Completions for zsh: a function for a folder of $fpath, under the name _bailiff; it may be sourced as well.
import type { ArgumentTerm, OptionTerm, Surface, Takes } from '../surface.ts';

/** What zsh does for a value. */
const ACTIONS: Readonly<Record<Exclude<Takes, { kind: 'words' }>['kind'], string>> = {
  jail: '_bailiff_ask jails',
  filter: '_bailiff_filter',
  address: '_bailiff_ask addresses',
  file: '_files',
  folder: '_files -/',
  text: ' ',
};

export function zshCompletions({ globals, verbs }: Surface): string {
  const general = specs(globals, '  ');
  return `#compdef bailiff
# zsh completions for bailiff, made by: bailiff completions zsh

# What the program knows, named by the last argument: it is asked with the same --config and --runtime.
_bailiff_ask() {
  local -a ask found
  local i
  ask=(\${(Q)_bailiff_words[1]})
  for ((i = 2; i <= $#_bailiff_words; i++)); do
    case $_bailiff_words[i] in
      --config | --runtime) ask+=($_bailiff_words[i] \${(Q)_bailiff_words[i + 1]}) ;;
      --config=* | --runtime=*) ask+=(\${(Q)_bailiff_words[i]}) ;;
    esac
  done
  found=(\${(f)"$(_call_program bailiff timeout 5 \${(q)ask} completions $@[-1] 2>/dev/null)"})
  compadd "\${@[1,-2]}" -a found
}

_bailiff_filter() { _alternative 'filters:filter:_bailiff_ask filters' 'files:file:_files' }

_bailiff() {
  local curcontext=$curcontext state line ret=1
  local -a globals verbs _bailiff_words
  typeset -A opt_args
  _bailiff_words=("\${words[@]}")
  globals=(
${general}  )
  verbs=(
${verbs.map(({ name, summary }) => `    ${quote(`${name.replaceAll(':', '\\:')}:${summary}`)}\n`).join('')}  )
  # Behind the verb all options are the verb's: (-).
  _arguments -C $globals '(-):verb:->verb' '(-)*::argument:->arguments' && ret=0
  case $state in
    verb) _describe -t verbs verb verbs && ret=0 ;;
    arguments)
      curcontext="\${curcontext%:*:*}:bailiff-$words[1]:"
      case $words[1] in
${verbs
  .map(
    (verb) => `        ${verb.name})
          _arguments $globals \\
${[...verb.options.map(specOf), ...verb.arguments.map(argumentSpec)].map((spec) => `            ${spec} \\\n`).join('')}            && ret=0
          ;;
`,
  )
  .join('')}      esac
      ;;
  esac
  return ret
}

if [ "$funcstack[1]" = _bailiff ]; then _bailiff "$@"; else compdef _bailiff bailiff; fi
`;
}

function specs(options: readonly OptionTerm[], indent: string): string {
  return options.map((option) => `${indent}  ${specOf(option)}\n`).join('');
}

/** `'(-f --follow)'{-f,--follow}'[go on]'`, `'--jail=[those of one jail]:jail:…'`. */
function specOf({ names, takes, summary }: OptionTerm): string {
  const value = takes ? `:${takes.kind === 'words' ? 'value' : takes.kind}:${actionOf(takes)}` : '';
  const text = `[${summary.replace(/[[\]\\:]/g, String.raw`\\$&`)}]${value}`;
  const long = (name: string): string => (takes && name.startsWith('--') ? `${name}=` : name);
  if (names.length === 1) return quote(long(names[0]!) + text);
  return `${quote(`(${names.join(' ')})`)}{${names.map(long).join(',')}}${quote(text)}`;
}

function argumentSpec({ name, takes, isList }: ArgumentTerm): string {
  return quote(`${isList ? '*' : ''}:${name.replaceAll(':', '\\:')}:${actionOf(takes)}`);
}

function actionOf(takes: Takes): string {
  return takes.kind === 'words' ? `(${takes.words.join(' ')})` : ACTIONS[takes.kind];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
