/** Asks before something is done that cannot be undone. */
import { useEffect, useRef, useState } from 'preact/hooks';

interface Question {
  readonly text: string;
  readonly action: string;
  readonly answer: (isSure: boolean) => void;
}

export function useConfirmation() {
  const [question, setQuestion] = useState<Question>();
  const place = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (question !== undefined) {
      place.current?.showModal();
    }
  }, [question]);
  const answer = (isSure: boolean) => {
    place.current?.close();
    question?.answer(isSure);
    setQuestion(undefined);
  };
  return {
    /** @param action what the button says that does it. @returns whether it is to be done */
    confirm: (text: string, action: string) =>
      new Promise<boolean>((resolve) => setQuestion({ text, action, answer: resolve })),
    dialog: question && (
      <dialog ref={place} aria-labelledby="question" onCancel={() => answer(false)}>
        <p id="question">{question.text}</p>
        <div class="buttons">
          <button type="button" onClick={() => answer(false)}>
            Leave it
          </button>
          <button type="button" class="grave" onClick={() => answer(true)}>
            {question.action}
          </button>
        </div>
      </dialog>
    ),
  };
}
