import { switchVerb } from '../switch-jails.ts';

export const verb = switchVerb(
  'disable',
  'take jails out of session until the next reload',
  (client, jails) => client.disable(jails),
);
