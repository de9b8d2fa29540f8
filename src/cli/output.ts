// Standard output and standard error. A reader that has gone away (`bailiff bans | head -1`) is no fault.

/** Writes to a stream until its reader goes; what comes later is dropped, and the verb still ends its work. */
export function createOutput(stream: NodeJS.WriteStream): (text: string) => void {
  let isOpen = true;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    isOpen = false;
  });
  return (text) => {
    if (isOpen) stream.write(text);
  };
}
