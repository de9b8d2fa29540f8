// Which key has stood in a map for longest, where many go and come. A new walk through a map passes every place from which
// something was taken, tens of thousands of them: so one walk serves for all questions. Pure.

/**
 * @param map its order is that of age: what becomes young again is taken out and put in anew.
 * @returns names the oldest key, undefined in an empty map. The caller takes it out before he asks again.
 */
export function createOldest<K>(map: ReadonlyMap<K, unknown>): () => K | undefined {
  let walk = map.keys();
  return () => {
    let next = walk.next();
    // It went to the end of what there was then, and stays there.
    if (next.done) next = (walk = map.keys()).next();
    return next.value;
  };
}
