// JSON that is safe to print: escaped where a terminal, or a reader's eye, could be misled.

/** What printable() escapes, too; JSON.stringify itself escapes what lies below U+0020 and lone surrogates. */
const MISLEADING = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** One line of JSON, its line end included. Such characters stand in strings only, where `\u` and four hexadecimal digits mean the same. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value).replace(MISLEADING, escape)}\n`;
}

function escape(character: string): string {
  let escaped = '';
  for (let i = 0; i < character.length; i++)
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escaped;
}
