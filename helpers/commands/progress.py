"""`progress`: what is done of each exam objective, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from helpers.catalogue import LessonInfo, NextStep, ObjectiveStanding, lessons, load_exam, standing, what_next
from helpers.exam import Exam
from helpers.progress import Progress
from helpers.runtime.places import Places

_BAR = 10


def show_progress(
    places: Places,
    *,
    html: Path | None,
    console: Console,
    known: Sequence[LessonInfo] | None = None,
    now: datetime | None = None,
) -> None:
    """Print the table, and write it as a page that opens offline to `html`; `known` stands for the lessons."""
    progress, exam = Progress(places.progress), load_exam()
    known = lessons() if known is None else known
    standings = standing(progress, known, exam)
    console.print(_table(standings))
    console.print(_next_words(what_next(progress, known)), soft_wrap=True)
    about = exam.facts
    console.print(
        f"[dim]Exam guide of {about.guide_in_force_since}, looked up on {about.looked_up}. "
        f"Is there a newer one? {escape(about.current_guide)}[/]",
        highlight=False,
        soft_wrap=True,
    )
    for note in progress.notes:
        console.print(note, style="yellow", markup=False, highlight=False, soft_wrap=True)
    if html is not None:
        facts = (*_sums(progress, known), ("Exam guide of", exam.facts.guide_in_force_since))
        written = _write(html, standings, exam, facts=facts, now=now or datetime.now(UTC))
        console.print(f"The picture is in {written}", markup=False, highlight=False, soft_wrap=True)


def _table(standings: Sequence[ObjectiveStanding]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Objective")
    table.add_column("Done", width=_BAR + 6)
    table.add_column("Exercises", justify="right")
    table.add_column("Questions", justify="right")
    for section, own in groupby(standings, key=lambda one: one.section):
        heading = f"{section.number} {section.title}, {section.weight_percent} %"
        table.add_row(Padding(Text(heading, style="bold"), (1, 0, 0, 0)))
        for one in own:
            table.add_row(*_row(one))
    return table


def _row(one: ObjectiveStanding) -> tuple[Text | Group | Table, ...]:
    style = "" if one.all else "dim"
    objective = Text(f"{one.id} {one.text.replace('`', '')}", style=style)
    if not one.all:
        return objective, Text("no lesson yet", style="dim"), Text("–", style="dim"), Text("–", style="dim")
    return objective, _bar(one), Text(f"{one.exercises_done} / {one.exercises}"), Text(
        f"{one.questions_right} / {one.questions}"
    )


def _bar(one: ObjectiveStanding) -> Table:
    line = Table.grid(padding=(0, 1, 0, 0))
    percent = 100 * one.done // one.all
    line.add_row(ProgressBar(total=1, completed=one.share, width=_BAR, finished_style="green"), f"{percent:3} %")
    return line


def _next_words(step: NextStep | None) -> Text:
    if step is None:
        return Text("\nNext: nothing is open in the lessons that are there.", style="bold")
    exercises, questions = _counted(step.exercises, "exercise"), _counted(step.questions, "question")
    left = " and ".join(filter(None, (exercises, questions)))
    lesson = step.lesson
    return Text(f"\nNext: lesson {lesson.number}, {lesson.title} ({lesson.name}.ipynb): {left} to do.", style="bold")


def _counted(ids: Sequence[str], noun: str) -> str:
    return f"{len(ids)} {noun}{'s' if len(ids) != 1 else ''}" if ids else ""


def _sums(progress: Progress, known: Sequence[LessonInfo]) -> tuple[tuple[str, str], ...]:
    """Each exercise and question once: an exercise may count for several objectives."""
    done = [progress.exercise(each.id).correct for lesson in known for each in lesson.exercises]
    right = [progress.question(each.id).correct for lesson in known for each in lesson.questions]
    return ("Exercises done", f"{sum(done)} of {len(done)}"), ("Questions right", f"{sum(right)} of {len(right)}")


def _write(
    path: Path, standings: Sequence[ObjectiveStanding], exam: Exam, *, facts: Sequence[tuple[str, str]], now: datetime
) -> Path:
    from helpers.charts import Section, exam_objectives, write_report

    about = exam.facts
    note = f"The guide in force since {about.guide_in_force_since}. Look for a newer one at {about.current_guide}"
    return write_report(
        path,
        charts=[Section(about.name, (exam_objectives(standings),), note)],
        title="Your progress",
        facts=facts,
        generated=now,
        closing="It opens without a network.",
    )
