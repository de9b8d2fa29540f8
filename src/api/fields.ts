// Fields that several routes share. What an address or a duration means is for `Control` to judge; here is only its size.
import * as v from 'valibot';

/** The longest spelling is an IPv4-mapped address with a prefix length: 45 + 4 characters. */
export const addressField = v.pipe(v.string(), v.nonEmpty(), v.maxLength(64));
export const jailField = v.pipe(v.string(), v.nonEmpty(), v.maxLength(200), v.description('Name of a jail.'));

export const durationField = v.union([
  v.pipe(v.string(), v.nonEmpty(), v.maxLength(64)),
  v.pipe(v.number(), v.minValue(0)),
]);

/** A switch in a query. Never the empty text: `all=$UNSET` must not lift every ban. */
export const switchField = v.pipe(
  v.picklist(['true', '1', 'false', '0']),
  v.transform((text) => text === 'true' || text === '1'),
);
