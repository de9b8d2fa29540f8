import { switchVerb } from '../switch-jails.ts';

export const verb = switchVerb(
  'enable',
  'put jails in session until the next reload, and back in force where they have tripped',
  (client, jails) => client.enable(jails),
  ' A jail whose brake has tripped enforces again, for good; what it only detected meanwhile ends.',
);
