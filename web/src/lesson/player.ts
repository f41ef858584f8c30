import type { LessonApi, SessionApi } from "../api/client";
import type { NodeView, Progress, SessionEvent } from "../api/types";
import { Checks } from "./checks";
import { setUpCommands, type Run } from "./commands";
import { setUpFiles } from "./files";
import { setUpPortLinks } from "./ports";
import { setUpQuizzes } from "./quizzes";
import { Steps } from "./steps";
import { Stopwatch } from "./stopwatch";
import type { VariableCommand } from "./variables";
import { may } from "../session/rights";
import { need } from "../ui/dom";
import { spoken } from "../ui/time";

export interface LessonPlace {
  course: string;
  lesson: string;
  progress: Progress | null;
  /** When the student began it, by this browser's clock, as far as the server knows; else now. */
  began: number;
}

/** A lesson in a session: its steps, blocks, checks and quizzes. */
export class Player {
  private readonly steps: Steps;
  private readonly checks = new Map<string, Checks>();
  private readonly name: string;
  private readonly api: LessonApi;
  private readonly variables: VariableCommand[];

  constructor(
    private readonly root: HTMLElement,
    session: SessionApi,
    place: LessonPlace,
    run: Run,
    several: boolean,
    private readonly watch: (lesson: string, step: string) => void,
  ) {
    this.name = `${place.course}/${place.lesson}`;
    this.api = session.lesson(place.course, place.lesson);
    const stopwatch = new Stopwatch(session.id, this.name, place.began);
    this.steps = new Steps(
      root,
      (step, byUser) => this.entered(step, byUser),
      () => (need(".finished", root).textContent = `Lesson complete in ${spoken(stopwatch.stop())}. Well done!`),
    );
    // What scrolls sideways must be reachable by keyboard.
    for (const pre of root.querySelectorAll("pre")) pre.tabIndex = 0;
    this.variables = setUpCommands(root, session, run, several);
    setUpFiles(root, (node, path, content) => session.writeFile(node, path, content));
    if (may("own")) setUpPortLinks(root, session.id);
    setUpQuizzes(root, place.progress?.quizzes ?? {}, (quiz, answers) => this.api.answer(quiz, answers));
    for (const step of this.steps.ids) {
      const section = this.steps.section(step);
      const checks = section && Checks.of(section, () => this.check(step));
      if (checks) this.checks.set(step, checks);
    }
    this.done(place.progress?.steps_done ?? []);
    this.steps.start(place.progress?.current_step ?? null);
  }

  /** What the session's nodes are now: commands may wait for a swarm. */
  showNodes(nodes: NodeView[]): void {
    for (const command of this.variables) command.show(nodes);
  }

  take(event: SessionEvent): void {
    if (event.type === "checks" && event.lesson === this.name) {
      this.checks.get(event.step)?.show(event);
      if (event.done) this.steps.markDone([event.step]);
    } else if (event.type === "progress" && event.lesson === this.name) {
      // The checks of the step in front have a report of their own, which says more.
      this.steps.markDone(event.steps_done);
    }
  }

  focus(): void {
    const heading = this.steps.section(this.steps.current)?.querySelector<HTMLElement>("h1, h2");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus();
  }

  private async check(step: string): ReturnType<LessonApi["check"]> {
    const report = await this.api.check(step);
    if (report.done) this.steps.markDone([step]);
    return report;
  }

  private done(steps: string[]): void {
    this.steps.markDone(steps);
    for (const step of steps) this.checks.get(step)?.showDone();
  }

  private entered(step: string, byUser: boolean): void {
    this.root.dispatchEvent(new CustomEvent("step", { detail: step }));
    this.watch(this.name, step);
    // Where the student is counts from the first move on; a page that was only opened has no news.
    if (byUser && may("own")) this.api.setCurrent(step).catch(() => undefined);
  }
}
