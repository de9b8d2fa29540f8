// Completions for fish 3.1 and later.
import type { OptionTerm, Surface, Takes } from '../surface.ts';

/** What fish is told to offer for a value; -F: files, whatever else is said of them. */
const OFFERS: Readonly<Record<Exclude<Takes, { kind: 'words' }>['kind'], string>> = {
  jail: `-a '(__bailiff_ask jails)'`,
  filter: `-F -a '(__bailiff_ask filters)'`,
  address: `-a '(__bailiff_ask addresses)'`,
  file: '-F',
  folder: `-a '(__fish_complete_directories (commandline -ct))'`,
  text: '',
};

export function fishCompletions({ globals, verbs }: Surface): string {
  const valued = [...globals, ...verbs.flatMap(({ options }) => options)].filter(({ takes }) => takes);
  const names = [...new Set(valued.flatMap((option) => option.names))];
  return `# fish completions for bailiff, made by: bailiff completions fish

# The verb and its arguments before the cursor, a line each.
function __bailiff_words
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word ${names.join(' ')}
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# Is the verb still to come?
function __bailiff_begins
    set -l words (__bailiff_words)
    test (count $words) = 0
end

# Is it this verb?
function __bailiff_verb
    set -l words (__bailiff_words)
    test (count $words) -gt 0; and test $words[1] = $argv[1]
end

# Is it this verb, with so many arguments already?
function __bailiff_argument
    set -l words (__bailiff_words)
    test (count $words) = (math $argv[2] + 1); and test $words[1] = $argv[1]
end

# What the program knows: it is asked with the same --config and --runtime.
function __bailiff_ask
    set -l tokens (commandline -opc)
    set -l ask $tokens[1]
    for i in (seq 2 (count $tokens))
        if contains -- $tokens[$i] --config --runtime
            set -a ask $tokens[$i..(math $i + 1)]
        else if string match -q -- '--config=*' $tokens[$i]; or string match -q -- '--runtime=*' $tokens[$i]
            set -a ask $tokens[$i]
        end
    end
    timeout 5 $ask completions $argv[1] 2>/dev/null
end

complete -c bailiff -f
${globals.map((option) => complete([], option)).join('')}
${verbs.map(({ name, summary }) => `complete -c bailiff -n __bailiff_begins -a ${name} -d ${quote(summary)}\n`).join('')}
${verbs
  .flatMap(({ name, options, arguments: terms }) => [
    ...options.map((option) => complete(['-n', `'__bailiff_verb ${name}'`], option)),
    ...terms.flatMap(({ takes, isList }, at) => {
      const offer = offerOf(takes);
      const condition = isList && at === 0 ? `__bailiff_verb ${name}` : `__bailiff_argument ${name} ${at}`;
      return offer === '' ? [] : [`complete -c bailiff -n '${condition}' ${offer}\n`];
    }),
  ])
  .join('')}`;
}

function complete(condition: readonly string[], { names, takes, summary }: OptionTerm): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const value = takes ? [takes.kind === 'file' ? '-r' : '-x', offerOf(takes)] : [];
  return `${['complete -c bailiff', ...condition, ...flags, ...value, '-d', quote(summary)].filter((part) => part !== '').join(' ')}\n`;
}

function offerOf(takes: Takes): string {
  return takes.kind === 'words' ? `-a ${quote(takes.words.join(' '))}` : OFFERS[takes.kind];
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, String.raw`\$&`)}'`;
}
