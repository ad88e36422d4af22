/** Draws the field of cells, as long as something moves in it. */
import type { Cell, CellKind, Field } from '../model/field.js';
import { colorOf } from './colors.js';

/** Of a cell with the gap beside it, in CSS pixels. */
export const CELL_PIXELS = 15;
const GAP = 4;
const HATCHING_MILLISECONDS = 160;
const VANISHING_MILLISECONDS = 450;
const ANSWERING_MILLISECONDS = 300;
const EMPTY = 3;

export class FieldCanvas {
  readonly #context: CanvasRenderingContext2D;
  readonly #field: Field;
  readonly #columns: number;
  readonly #rows: number;
  readonly #isStill: boolean;
  readonly #colors: Readonly<Record<CellKind | 'line', string>>;
  #frame: number | undefined;
  #isStopped = false;

  /** @param isStill nothing grows and fades: cells are there, and then they are not. */
  constructor(
    canvas: HTMLCanvasElement,
    field: Field,
    columns: number,
    rows: number,
    isStill: boolean,
  ) {
    this.#context = canvas.getContext('2d') as CanvasRenderingContext2D;
    this.#field = field;
    this.#columns = columns;
    this.#rows = rows;
    this.#isStill = isStill;
    const [served, crashed, killed, refused, spawned, line] = (
      ['served', 'crashed', 'killed', 'refused', 'spawned', 'line'] as const
    ).map((name) => colorOf(`--${name}`)) as [string, string, string, string, string, string];
    this.#colors = { served, crashed, killed, refused, spawned, line };
    const ratio = devicePixelRatio;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** Draws soon, and goes on by itself until nothing moves. */
  draw(): void {
    if (this.#frame === undefined && !this.#isStopped) {
      this.#frame = requestAnimationFrame((now) => this.#paint(now));
    }
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#frame !== undefined) {
      cancelAnimationFrame(this.#frame);
    }
  }

  #paint(now: number): void {
    this.#frame = undefined;
    this.#field.sweep(now);
    const context = this.#context;
    context.clearRect(0, 0, this.#columns * CELL_PIXELS + GAP, this.#rows * CELL_PIXELS + GAP);
    let isAnswering = false;
    for (const [place, cell] of this.#field.cells.entries()) {
      const x = (place % this.#columns) * CELL_PIXELS + CELL_PIXELS / 2;
      const y = Math.floor(place / this.#columns) * CELL_PIXELS + CELL_PIXELS / 2;
      if (cell === undefined) {
        context.fillStyle = this.#colors.line;
        context.fillRect(x - EMPTY / 2, y - EMPTY / 2, EMPTY, EMPTY);
      } else {
        this.#paintCell(cell, x, y, now);
        isAnswering ||= now - (cell.answeredAt ?? -Infinity) < ANSWERING_MILLISECONDS;
      }
    }
    context.globalAlpha = 1;
    if (this.#field.isMoving || isAnswering) {
      this.draw();
    }
  }

  #paintCell(cell: Cell, x: number, y: number, now: number): void {
    const context = this.#context;
    const { kind, hatchedAt, vanishesAt = Infinity, answeredAt = -Infinity } = cell;
    const grown = this.#isStill ? 1 : Math.min(1, (now - hatchedAt) / HATCHING_MILLISECONDS);
    const left = Math.min(1, (vanishesAt - now) / VANISHING_MILLISECONDS);
    const half = ((CELL_PIXELS - GAP) / 2) * Math.max(0.1, grown);
    context.globalAlpha = this.#isStill ? 1 : Math.max(0, left);
    context.fillStyle = this.#colors[kind];
    context.strokeStyle = this.#colors[kind];
    context.lineWidth = 2;
    switch (kind) {
      case 'served':
        context.fillRect(x - half, y - half, 2 * half, 2 * half);
        break;
      case 'crashed':
        cross(context, x, y, half);
        break;
      case 'killed':
        diamond(context, x, y, half);
        context.fill();
        break;
      case 'refused':
        context.strokeRect(x - half + 1, y - half + 1, 2 * half - 2, 2 * half - 2);
        break;
      case 'spawned': {
        circle(context, x, y, half - 1);
        context.stroke();
        if (now - answeredAt < ANSWERING_MILLISECONDS) {
          context.fill();
        }
      }
    }
  }
}

function cross(context: CanvasRenderingContext2D, x: number, y: number, half: number): void {
  context.lineWidth = 3;
  context.beginPath();
  context.moveTo(x - half, y - half);
  context.lineTo(x + half, y + half);
  context.moveTo(x + half, y - half);
  context.lineTo(x - half, y + half);
  context.stroke();
}

function diamond(context: CanvasRenderingContext2D, x: number, y: number, half: number): void {
  context.beginPath();
  context.moveTo(x, y - half);
  context.lineTo(x + half, y);
  context.lineTo(x, y + half);
  context.lineTo(x - half, y);
  context.closePath();
}

function circle(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, Math.max(0, radius), 0, 2 * Math.PI);
}
