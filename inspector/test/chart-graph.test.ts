import { expect } from 'chai';
import type { ELK } from 'elkjs/lib/elk-api.js';
import * as elkjs from 'elkjs/lib/elk.bundled.js';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { devicesMachine } from '../../machines/devices.machine.ts';
import { modelMachine } from '../../machines/model.machine.ts';
import { runnerMachine } from '../../machines/runner.machine.ts';
import { schedulerMachine } from '../../machines/scheduler.machine.ts';
import { describeMachine } from '../../src/charts/describe-machine.ts';
import { graphOf } from '../src/views/charts/chart-graph.ts';
import { drawingOf, type Box, type Drawing } from '../src/views/charts/drawing.ts';
import { writtenIn, type Written } from './support/written-machine.ts';

const machines: readonly AnyStateMachine[] = [runnerMachine, modelMachine, schedulerMachine, devicesMachine];

const Elk = elkjs.default as unknown as new () => ELK;

async function drawn(machine: AnyStateMachine): Promise<Drawing> {
  // As it comes over the wire.
  const chart = JSON.parse(JSON.stringify(describeMachine(machine))) as ReturnType<typeof describeMachine>;
  const graph = graphOf(chart);
  return drawingOf(graph, await new Elk().layout(graph));
}

/** All that the picture says of transitions, as what a machine's own configuration says of them. */
const movesIn = ({ arrows, states }: Drawing): Written[] => [
  ...arrows.flatMap(({ from, to, lines }) => lines.map(({ text }) => ({ from, to, text }))),
  ...states.flatMap(({ path, rows }) =>
    rows
      .filter(({ transition }) => transition !== null)
      .map(({ text }) => ({
        from: path,
        to: text.includes('↻') ? path : null,
        text: text.split(/ ↻| \//)[0] ?? '',
      })),
  ),
];

const inOrder = (written: readonly Written[]): string[] =>
  written.map(({ from, to, text }) => `${from} → ${to ?? 'stays'}: ${text}`).toSorted();

const nodesOf = (node: AnyStateNode): AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap((child) => nodesOf(child as AnyStateNode)),
];
const pathOf = ({ path }: AnyStateNode): string => path.join('.');

for (const machine of machines)
  describe(`the drawn chart of ${machine.id}`, () => {
    let drawing: Drawing;
    const nodes = nodesOf(machine.root);
    const boxes = (): Map<string, Box> => new Map(drawing.states.map((state) => [state.path, state]));
    before(async () => (drawing = await drawn(machine)));

    it('has each state of the machine, and no other', () => {
      expect(drawing.states.map(({ path, type }) => [path, type])).to.deep.equal(
        nodes.map((node) => [pathOf(node), node.type]),
      );
    });

    it('has each transition that is written in the machine, from where and to where it goes, and no other', () => {
      expect(inOrder(movesIn(drawing))).to.deep.equal(inOrder(nodes.flatMap(writtenIn)));
    });

    it('has where each state is entered first', () => {
      const entrances = drawing.arrows.filter(({ lines }) => lines.length === 0);
      const initials = nodes.flatMap((node) => {
        const { initial } = node.config as { initial?: string };
        return initial === undefined ? [] : [[pathOf(node), [...node.path, initial].join('.')]];
      });

      expect(entrances.map(({ from, to }) => [from, to])).to.deep.equal(initials);
      expect(drawing.dots.filter(({ kind }) => kind === 'initial')).to.have.length(initials.length);
    });

    it('says what each state runs, and what it does on its way in and out', () => {
      const named = (value: unknown): string[] =>
        [value ?? []].flat().map((one) => (typeof one === 'string' ? one : (one as { type: string }).type));
      for (const node of nodes) {
        const { invoke, entry, exit } = node.config as { invoke?: object; entry?: unknown; exit?: unknown };
        const texts =
          drawing.states.find(({ path }) => path === pathOf(node))?.rows.map(({ text }) => text) ?? [];
        const count = (start: string): number => texts.filter((text) => text.startsWith(start)).length;
        for (const { src } of [invoke ?? []].flat() as { src: string }[])
          expect(texts.some((text) => text.startsWith(`runs ${src}`))).to.equal(true);
        expect([count('runs'), count('entry /'), count('exit /')]).to.deep.equal([
          [invoke ?? []].flat().length,
          named(entry).length,
          named(exit).length,
        ]);
      }
    });

    it('draws each state inside its parent, beside its siblings, with its arrows at their borders', () => {
      for (const [path, box] of boxes()) {
        const outer = boxes().get(path.split('.').slice(0, -1).join('.'));
        if (path !== '' && outer) expect(isInside(box, outer), `${path} is inside`).to.equal(true);
        for (const [other, its] of boxes())
          if (path !== other && !isNested(path, other))
            expect(overlaps(box, its), `${path}, ${other}`).to.equal(false);
      }
      for (const { to, points, id } of drawing.arrows) {
        const end = points.at(-1);
        const box = boxes().get(to);
        expect(end && box && isOnBorder(end, box), id).to.equal(true);
      }
    });

    it('has no label on another one', () => {
      const labels = drawing.arrows.flatMap(({ label }) => label ?? []);
      labels.forEach((label, i) =>
        labels.slice(i + 1).forEach((other) => expect(overlaps(label, other)).to.equal(false)),
      );
    });
  });

const isInside = (box: Box, outer: Box): boolean =>
  box.x >= outer.x &&
  box.y >= outer.y &&
  box.x + box.width <= outer.x + outer.width &&
  box.y + box.height <= outer.y + outer.height;

const overlaps = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const isNested = (a: string, b: string): boolean =>
  a === '' || b === '' || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);

const isOnBorder = ({ x, y }: { x: number; y: number }, box: Box): boolean => {
  const near = (a: number, b: number): boolean => Math.abs(a - b) < 2;
  const isBeside = near(x, box.x) || near(x, box.x + box.width);
  const isAbove = near(y, box.y) || near(y, box.y + box.height);
  return (
    (isBeside && y >= box.y - 2 && y <= box.y + box.height + 2) ||
    (isAbove && x >= box.x - 2 && x <= box.x + box.width + 2)
  );
};
