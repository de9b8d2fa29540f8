// Text for man pages, in the few requests of man(7) that groff and mandoc agree on. Pure.

/** Text with `code` and **strong** words, as one paragraph's worth of roff. */
export function roffText(markdown: string): string {
  const parts = markdown.split(/(`[^`]+`|\*\*[^*]+\*\*)/);
  const text = parts.map((part, i) =>
    i % 2 === 1 ? bold(part.replace(/^(`|\*\*)|(`|\*\*)$/g, '')) : escape(part),
  );
  return guarded(text.join(''));
}

export function bold(text: string): string {
  return text === '' ? '' : `\\fB${escape(text)}\\fR`;
}

export function italic(text: string): string {
  return text === '' ? '' : `\\fI${escape(text)}\\fR`;
}

/** A section's head, `.SH` or `.SS`. */
export function section(kind: 'SH' | 'SS', title: string): string {
  return `.${kind} ${escape(title).replaceAll('"', '\\(dq')}\n`;
}

/** Paragraphs of prose. */
export function paragraphs(...texts: readonly string[]): string {
  return texts.map((text) => `.PP\n${roffText(text)}\n`).join('');
}

/** A term, which is roff already, and what is said of it. */
export function tagged(term: string, text: string): string {
  return `.TP\n${guarded(term)}\n${roffText(text)}\n`;
}

/** Lines that stay as they are. */
export function verbatim(text: string): string {
  const lines = text.split('\n').map((line) => guarded(escape(line)));
  return `.PP\n.RS 4\n.nf\n${lines.join('\n')}\n.fi\n.RE\n`;
}

/** Characters that roff takes for something else, or would print as something prettier. */
const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

function escape(text: string): string {
  return text.replace(/[\\\-'`^~]|[^\x20-\x7e\n]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    return SPECIAL[character] ?? `\\[u${code}]`;
  });
}

/** A line that begins with a dot would be a request. */
function guarded(text: string): string {
  return text.replace(/^\./gm, '\\&.');
}
