/** Questions to a worker of which several may be under way: what its spawned instances do. */
import { HatcheryError } from '../errors.js';
import { type FromWorker, fromWire, type ToWorker } from './messages.js';

type Question = Extract<ToWorker, { readonly call: number }>;
type Answer = Extract<FromWorker, { readonly call: number }>;
type Granted = Exclude<Answer, { readonly type: 'refused' }>;

/** Which answer each question gets. */
interface AnswerTypes {
  readonly spawn: 'spawned';
  readonly request: 'replied';
  readonly 'request-function': 'replied';
  readonly kill: 'killed';
  readonly find: 'found';
  readonly view: 'viewed';
  readonly tell: 'told';
}
type AnswerTo<Type extends Question['type']> = Extract<Answer, { type: AnswerTypes[Type] }>;
const ANSWERS: AnswerTypes = {
  spawn: 'spawned',
  request: 'replied',
  'request-function': 'replied',
  kill: 'killed',
  find: 'found',
  view: 'viewed',
  tell: 'told',
};

interface Waiting {
  readonly type: Granted['type'];
  resolve(answer: Granted): void;
  reject(error: HatcheryError): void;
}

type WithoutCall<Message> = Message extends Question ? Omit<Message, 'call'> : never;

export class WorkerCalls {
  readonly #send: (message: ToWorker) => void;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #isClosed = false;

  constructor(send: (message: ToWorker) => void) {
    this.#send = send;
  }

  /** @throws HatcheryError what the worker says, and WORKER_DIED */
  begin<Type extends Question['type']>(
    question: WithoutCall<Extract<Question, { type: Type }>> & { readonly type: Type },
  ): Promise<AnswerTo<Type>> {
    if (this.#isClosed) {
      return Promise.reject(new HatcheryError('WORKER_DIED'));
    }
    const call = this.#next++;
    return new Promise((resolve, reject) => {
      const type = ANSWERS[question.type];
      this.#waiting.set(call, {
        type,
        resolve: (answer) => resolve(answer as AnswerTo<Type>),
        reject,
      });
      this.#send({ ...question, call } as unknown as Question);
    });
  }

  /** What answers no question, or another one, means nothing. */
  settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.call);
    if (waiting === undefined) {
      return;
    }
    if (answer.type === 'refused') {
      this.#waiting.delete(answer.call);
      waiting.reject(fromWire(answer.error));
    } else if (answer.type === waiting.type) {
      this.#waiting.delete(answer.call);
      waiting.resolve(answer);
    }
  }

  /** The worker is dead. */
  close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.values()) {
      reject(new HatcheryError('WORKER_DIED'));
    }
    this.#waiting.clear();
  }
}
