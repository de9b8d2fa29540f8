import { switchVerb } from '../switch-jails.ts';

export const verb = switchVerb('enable', 'put jails in session until the next reload', (client, jails) =>
  client.enable(jails),
);
