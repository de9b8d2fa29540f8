// What a ban does to traffic, as the sockets tell it.
import type { AnswerView, HistoryView } from '../../api/contract.ts';
import { rateText, scopeAt } from '../../answer.ts';
import type { Ban, Duration, Instant, Network, Scope } from '../../model.ts';
import type { Protection } from '../host/protection.ts';
import type { SittingJail } from '../judge.ts';
import type { Sittings } from '../sitting.ts';

function answerView({ protocol, ports, answer }: Scope): AnswerView {
  return {
    do: answer?.do ?? 'drop',
    ...(answer?.do === 'throttle' && { rate: rateText(answer.rate) }),
    protocol,
    ports: [...ports],
  };
}

/** A ban in force does what the config says now, one that has ended did what it was decided to. */
export function answerOf(sittings: Sittings, ban: Ban): { readonly answer?: AnswerView } {
  const scope = ban.endedAt === undefined ? (sittings.scopeOf(ban) ?? ban.scope) : ban.scope;
  return scope ? { answer: answerView(scope) } : {};
}

/**
 * What the next ban of an address would be in this jail, and whom it would hit besides.
 * @param protection tells where there would be none.
 */
export function nextOf(
  { ready, jail }: SittingJail,
  network: Network,
  now: Instant,
  protection: Pick<Protection, 'forJail'>,
): HistoryView['next'][number] {
  const { nth, duration, wider } = jail.next(network, now);
  const never = protection.forJail(() => ready.ignore).whyIgnored(network);
  return {
    jail: jail.rules.name,
    nth,
    for: secondsOf(duration),
    ...(never !== undefined && { never }),
    answer: answerView(scopeAt(ready.scope, ready.rules.respond, nth)),
    ...(wider && {
      wider: {
        network: wider.network.text,
        offenders: wider.offenders,
        when: wider.when,
        ...(wider.spared !== undefined && { spared: wider.spared }),
      },
    }),
  };
}

function secondsOf(duration: Duration): number | null {
  return duration === Infinity ? null : duration / 1_000;
}
