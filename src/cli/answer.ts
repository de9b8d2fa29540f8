// What a ban does, in words. Nothing where it does what bans did ever since: drop.
import type { AnswerView } from '../api/contract.ts';

/** `throttle 10/1m`, `reject, port 22`; undefined for a plain drop. */
export function answerInWords(answer: AnswerView | undefined): string | undefined {
  if (!answer || answer.do === 'drop') return undefined;
  return answer.rate === undefined ? answer.do : `${answer.do} ${answer.rate}`;
}
