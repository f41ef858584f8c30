import type { Grade } from "../api/types";
import { may } from "../session/rights";
import { h, icon } from "../ui/dom";
import { toast } from "../ui/toast";

/** Gives quizzes their buttons and shows how they were answered. */
export function setUpQuizzes(
  root: HTMLElement,
  answered: Record<string, { correct: boolean }>,
  answer: (quiz: string, answers: number[]) => Promise<Grade>,
): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form.quiz")) setUp(form, answered, answer);
}

function setUp(
  form: HTMLFormElement,
  answered: Record<string, { correct: boolean }>,
  answer: (quiz: string, answers: number[]) => Promise<Grade>,
): void {
  const quiz = form.dataset.quiz ?? "";
  const fieldset = form.querySelector("fieldset");
  if (!fieldset) return;
  const options = [...fieldset.querySelectorAll<HTMLLabelElement>("label")];
  const inputs = options.map((label) => label.querySelector<HTMLInputElement>("input")!);
  const submit = h("button", { type: "submit", class: "button small primary", disabled: true }, "Answer");
  const retry = h("button", { type: "button", class: "button small", hidden: true }, "Try again");
  const verdict = h("div", { class: "quiz-verdict", role: "status" });
  if (form.dataset.kind === "multiple") {
    fieldset.querySelector("legend")?.after(h("p", { class: "quiz-kind" }, "More than one may be right."));
  }
  form.append(h("div", { class: "quiz-foot" }, submit, retry), verdict);
  if (answered[quiz]?.correct) {
    form.dataset.state = "correct";
    verdict.replaceChildren(h("p", {}, "You have answered this one rightly."));
  }

  if (!may("own")) {
    fieldset.disabled = true;
    submit.hidden = true;
    if (!verdict.hasChildNodes()) verdict.replaceChildren(h("p", {}, "This one is for the session's owner."));
    return;
  }
  const clear = (): void => {
    delete form.dataset.state;
    for (const label of options) {
      delete label.dataset.state;
      label.querySelector(".why")?.remove();
    }
    for (const input of inputs) input.disabled = false;
    verdict.replaceChildren();
    submit.hidden = false;
    retry.hidden = true;
  };
  form.addEventListener("change", () => (submit.disabled = !inputs.some((input) => input.checked)));
  retry.addEventListener("click", () => {
    clear();
    form.reset();
    submit.disabled = true;
    inputs[0]?.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const answers = inputs.filter((input) => input.checked).map((input) => Number(input.value));
    submit.disabled = true;
    answer(quiz, answers)
      .then((grade) => {
        clear();
        show(grade);
      })
      .catch((error: unknown) => {
        submit.disabled = false;
        toast(`The answer did not arrive: ${(error as Error).message}`, "alert");
      });
  });

  const show = (grade: Grade): void => {
    form.dataset.state = grade.correct ? "correct" : "wrong";
    for (const input of inputs) input.disabled = true;
    for (const { index, correct, text } of grade.explanations) {
      const at = inputs.findIndex((input) => Number(input.value) === index);
      const label = options[at];
      if (!label) continue;
      // Only what was chosen, and once it is right, everything that is true: a wrong answer is no solution.
      if (!inputs[at]!.checked && !(grade.correct && correct)) continue;
      label.dataset.state = correct ? "right" : "wrong";
      label.append(h("small", { class: "why" }, icon(correct ? "tick" : "close"), h("b", {}, correct ? "Right. " : "No. "), text ?? ""));
    }
    const [word, rest] = grade.correct ? ["Right. ", grade.explanation ?? ""] : ["Not yet. ", "See above why, and try again."];
    verdict.replaceChildren(h("p", {}, h("b", {}, word), rest));
    submit.hidden = true;
    retry.hidden = grade.correct;
    if (!grade.correct) retry.focus();
  };
}
