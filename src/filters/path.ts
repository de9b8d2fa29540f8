// What a web server makes of a request line and its target: nobody evades a condition by spelling. Pure, over latin1.
// Source of the rules: nginx's ngx_http_parse_request_line and ngx_http_parse_complex_uri, with merge_slashes on.

/** `POST /login?next=/ HTTP/1.1`, taken apart. All empty where it is no request (`-`, the bytes of a TLS greeting). */
export interface Request {
  readonly method: string;
  /** As it was sent. */
  readonly target: string;
  readonly protocol: string;
}

const NO_REQUEST: Request = { method: '', target: '', protocol: '' };
const PROTOCOL = /^HTTP\/\d+(?:\.\d+)?$/;

/** Takes a request line apart. Several spaces between its parts are one, as nginx has it; a target may hold spaces. */
export function splitRequest(line: string): Request {
  const methodEnd = endOfMethod(line);
  if (methodEnd === 0) return NO_REQUEST;
  const method = line.slice(0, methodEnd);
  let end = line.length;
  while (end > methodEnd && line.charCodeAt(end - 1) === 32) end--;
  const space = line.lastIndexOf(' ', end - 1);
  const protocol = line.slice(space + 1, end);
  // HTTP/0.9 names no protocol.
  if (!PROTOCOL.test(protocol)) return { method, target: trimmed(line, methodEnd, end), protocol: '' };
  return { method, target: trimmed(line, methodEnd, Math.max(space, methodEnd)), protocol };
}

/** Without the spaces around it: only spaces, for to JavaScript's trim() the byte A0 is one too. */
function trimmed(line: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && line.charCodeAt(start) === 32) start++;
  while (end > start && line.charCodeAt(end - 1) === 32) end--;
  return line.slice(start, end);
}

/** Length of the method that a space follows; 0 where there is none. */
function endOfMethod(line: string): number {
  let at = 0;
  for (; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (!isMethodCharacter(code)) return code === 32 ? at : 0;
  }
  return 0;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isMethodCharacter(code: number): boolean {
  return (code >= 65 && code <= 90) || code === 95 || code === 45; // A-Z _ -
}

/**
 * The path that the server's `location` blocks see: decoded once, slashes merged, `.` and `..` resolved, without query
 * and fragment, and without scheme and host where the target has them.
 * @param target as it was sent, latin1.
 * @returns undefined for what nginx refuses (`*`, a path that climbs out of its root, a broken escape, a NUL).
 */
export function pathOf(target: string): string | undefined {
  const written = target.charCodeAt(0) === 47 ? target : withoutHost(target);
  if (written === undefined) return undefined;
  return isPlain(written) ? written : resolve(written);
}

/** The method of a request line that stands in `text` from `from` to `to`; undefined for what may be no request. */
export function plainMethod(text: string, from: number, to: number): string | undefined {
  let at = from;
  while (at < to && isMethodCharacter(text.charCodeAt(at))) at++;
  return at > from && at < to && text.charCodeAt(at) === 32 ? text.slice(from, at) : undefined;
}

/**
 * The path of a request line that stands in `text` from `from` to `to`, where nothing in it could be written otherwise:
 * `GET /login?next=/ HTTP/1.1`. The usual case, found in one pass that cuts nothing out but the path.
 * @returns undefined for any other line, of which {@link splitRequest} and {@link pathOf} tell.
 */
export function plainPath(text: string, from: number, to: number): string | undefined {
  let at = from;
  while (at < to && isMethodCharacter(text.charCodeAt(at))) at++;
  const start = at + 1;
  if (at === from || text.charCodeAt(at) !== 32 || text.charCodeAt(start) !== 47 || start >= to)
    return undefined;
  let last = 0;
  for (at = start; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code <= 32 || code === 63) break; // the end of the target, or ?
    if (code === 37 || code === 35 || code === 92 || (last === 47 && mayResolve(text, at, code)))
      return undefined;
    last = code;
  }
  const isWhole =
    at < to &&
    (text.charCodeAt(at) === 63 ||
      (at === to - 9 && text.startsWith(' HTTP/1.', at) && isDigit(text.charCodeAt(to - 1))));
  return isWhole ? text.slice(start, at) : undefined;
}

/** The query string, without its mark; undefined where there is none. */
export function queryOf(target: string): string | undefined {
  const fragment = target.indexOf('#');
  const end = fragment < 0 ? target.length : fragment;
  const mark = target.indexOf('?');
  return mark < 0 || mark > end ? undefined : target.slice(mark + 1, end);
}

/** `http://host/login` → `/login`. */
function withoutHost(target: string): string | undefined {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?# ]*/.exec(target);
  if (!scheme) return undefined;
  const rest = target.slice(scheme[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Nothing in it that could be written otherwise. The usual case, so it is quick. */
function isPlain(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === 37 || code === 63 || code === 35) return false; // % ? #
    if (code === 47 && mayResolve(path, i + 1, path.charCodeAt(i + 1))) return false;
  }
  return true;
}

/** Is what follows a slash another one, or does it begin with a dot and may be `.` or `..`? `.env` isn't. */
function mayResolve(path: string, at: number, code: number): boolean {
  if (code !== 46) return code === 47;
  const next = path.charCodeAt(at + 1);
  return !((next >= 97 && next <= 122) || (next >= 65 && next <= 90));
}

function resolve(written: string): string | undefined {
  const end = written.search(/[?#]/);
  const path = decode(end < 0 ? written : written.slice(0, end));
  if (path === undefined || path.includes('\0')) return undefined;
  const parts: string[] = [];
  const segments = path.split('/').slice(1);
  let isFolder = false;
  for (const segment of segments) {
    isFolder = segment === '' || segment === '.' || segment === '..';
    if (segment === '..' && parts.pop() === undefined) return undefined;
    if (!isFolder) parts.push(segment);
  }
  return `/${parts.join('/')}${isFolder && parts.length > 0 ? '/' : ''}`;
}

/** Decodes %XX once; what it yields is not decoded again, though `%2F` separates and `%2e` is a dot. */
function decode(text: string): string | undefined {
  let broken = false;
  const decodedText = text.replace(/%(?:([\dA-Fa-f]{2})|)/g, (_, hex: string | undefined) => {
    if (hex === undefined) broken = true;
    return String.fromCharCode(Number.parseInt(hex ?? '0', 16));
  });
  return broken ? undefined : decodedText;
}
