// Apache's directives for log formats, by their letter and what stands in braces before it: the name of the field, which is
// nginx's where nginx has one of that meaning. A table.

const address = { '': 'remote_addr', c: 'realip_remote_addr' };
const bytes = { '': 'body_bytes_sent' };

export const APACHE_FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  a: address,
  h: address,
  A: { '': 'server_addr' },
  b: bytes,
  B: bytes,
  D: { '': 'request_time_us' },
  f: { '': 'filename' },
  H: { '': 'protocol' },
  I: { '': 'request_length' },
  k: { '': 'connection_requests' },
  L: { '': 'log_id', c: 'connection_log_id' },
  m: { '': 'method' },
  O: { '': 'bytes_sent' },
  p: { '': 'server_port', canonical: 'server_port', local: 'server_port', remote: 'remote_port' },
  P: { '': 'pid', pid: 'pid', tid: 'tid', hextid: 'tid' },
  q: { '': 'query_part' },
  r: { '': 'request' },
  R: { '': 'handler' },
  s: { '': 'status' },
  S: { '': 'bytes_transferred' },
  t: { sec: 'msec', msec: 'msec', usec: 'msec' },
  T: { '': 'request_time', s: 'request_time', ms: 'request_time_ms', us: 'request_time_us' },
  u: { '': 'remote_user' },
  U: { '': 'uri' },
  v: { '': 'server_name' },
  V: { '': 'host' },
  X: { '': 'connection_status' },
};

/** Directives that name a header, a cookie or the like in braces, and what its field's name begins with. */
export const APACHE_HEADERS: Readonly<Record<string, string>> = {
  i: 'http_',
  o: 'sent_http_',
  '^ti': 'trailer_',
  '^to': 'sent_trailer_',
  C: 'cookie_',
  e: 'env_',
  n: 'note_',
  x: 'ssl_var_',
};
