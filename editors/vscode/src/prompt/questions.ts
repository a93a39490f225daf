// Questions that are no approvals: whatever loosens is asked here, because a
// click in a web view is one thing that no other extension and no command can do.

import { type Question, questionDocument } from './document';
import { Gate } from './gate';
import type { OpenPrompt, PromptView } from './view';

export type Ask = (question: Question) => Promise<boolean>;

/** Asks one question at a time; a new one is a no to the one before. */
export function questions(open: OpenPrompt, now: () => number): Ask {
  let showings = 0;
  let cancel: (() => void) | undefined;
  return (question) => {
    cancel?.();
    showings += 1;
    const gate = new Gate(`question.${showings}`, now);
    return new Promise<boolean>((resolve) => {
      const opened: { view?: PromptView } = {};
      const end = (agreed: boolean): void => {
        cancel = undefined;
        opened.view?.close();
        resolve(agreed);
      };
      cancel = () => {
        end(false);
      };
      opened.view = open(question.title, true, {
        onClosed: () => {
          end(false);
        },
        onMessage: (message) => {
          if (message.kind === 'ready' || message.ticket !== gate.ticket) {
            return;
          }
          if (message.kind === 'shown') {
            gate.shown();
          } else if (message.kind === 'whole') {
            gate.whole();
          } else if (message.kind === 'choose') {
            const objection = gate.objection();
            if (message.choice !== 'approve') {
              end(false);
            } else if (objection === undefined) {
              end(true);
            } else {
              opened.view?.tell({ kind: 'notice', text: objection });
            }
          }
        },
      });
      opened.view.tell({ kind: 'show', document: questionDocument(question, gate.ticket) });
    });
  };
}
