// Which syslog tags a filter listens to: what it says under `program`.

const ANY_PART = '/*';

/**
 * @param written tags as they stand in a filter; `httpd/*` takes `httpd/backend1` as well, whatever stands behind the slash.
 * @returns whether a tag is one of them.
 */
export function namesPrograms(written: readonly string[]): (tag: string | undefined) => boolean {
  const whole = new Set(written.filter((name) => !name.endsWith(ANY_PART)));
  const starts = written.filter((name) => name.endsWith(ANY_PART)).map((name) => name.slice(0, -1));
  return (tag = '') => whole.has(tag) || starts.some((start) => tag.startsWith(start));
}
