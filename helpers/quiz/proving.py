"""Code that proves a question's key: ``questions/proofs/05_q4.py`` runs what the question shows.

A proof is one function, ``prove(question)``, ``prove(question, spark)`` or ``prove(question, lab)``, by what it needs.
It gives the keys of the options that the code shows to be right; for a gap, every listed text with which it works.
"""

from __future__ import annotations

import inspect
import json
import runpy
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.quiz.bank import QUESTIONS
from helpers.quiz.model import GAP, Question

Proof = Callable[..., Iterable[str]]


def load_proof(question: Question) -> Proof:
    """The function of a question's proof."""
    found: Proof = runpy.run_path(str(QUESTIONS / "proofs" / question.proof))["prove"]
    return found


def needs(proof: Proof) -> str:
    """What a proof needs beside its question: "spark", "lab", or nothing."""
    return next(iter(list(inspect.signature(proof).parameters)[1:]), "")


def wanted(question: Question) -> frozenset[str]:
    """What a proof of this question has to show."""
    return frozenset(question.blank.answers) if question.blank else question.right


def saying(question: Question, text: object) -> set[str]:
    """The option whose text is this result."""
    return {option.key for option in question.options if option.text.replace("`", "") == str(text)}


def fitting(question: Question, works: Callable[[str], bool]) -> set[str]:
    """The texts, of all that the question lists, whose code works; ``works`` gets the code with the gap filled."""
    assert question.blank
    listed = [*question.blank.answers, *(each.text for each in question.blank.wrong)]
    return {text for text in listed if works(question.code.replace(GAP, text))}


def true(claims: Mapping[str, bool]) -> set[str]:
    """The keys of the claims that hold."""
    return {key for key, holds in claims.items() if holds}


def land(lab: Any, path: str, *records: Mapping[str, Any]) -> str:
    """Write records as lines of JSON into a file of the landing volume, and give its folder."""
    file = Path(lab.volume("landing"), path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(file.parent)


def run_script(statements: str, spark: Any) -> list[Any]:
    """Run SQL statements one after the other, past errors, and give the rows of the last one."""
    rows: list[Any] = []
    for statement in filter(str.strip, statements.split(";")):
        try:
            rows = spark.sql(statement).collect()
        except Exception:  # the question says that an error does not end its script
            rows = []
    return rows


def job_problems(tasks: Sequence[Mapping[str, Any]], **job: Any) -> list[str]:
    """What a job's definition is refused for; files and pipelines that a question names need not be here."""
    from helpers.jobs import check_definition

    absent = ("MissingFile", "has not the form ${resources.")
    found = check_definition({"name": "question", "tasks": [dict(task) for task in tasks], **job})
    return [problem for problem in found if not any(word in problem for word in absent)]


def load_files(
    lab: Any, folder: str, name: str, *, table: str = "", trigger: str = "availableNow", **options: str
) -> Any:
    """Load a folder of JSON with Auto Loader to its end, and give the table; ``name`` names checkpoint and schema.

    AssertionError when the stream stops.
    """
    stream = lab.spark.readStream.format("cloudFiles").option("cloudFiles.format", "json").options(
        **{"cloudFiles.schemaLocation": lab.volume(f"state/{name}_schema")},
        **{f"cloudFiles.{key}": value for key, value in options.items()})
    writer = stream.load(folder).writeStream.option("checkpointLocation", lab.volume(f"state/{name}"))
    started = writer.option("mergeSchema", "true").trigger(**{trigger: True}).toTable(table or name)  # type: ignore[arg-type]
    outcome = lab.outcome(started)
    assert outcome.completed, outcome
    return lab.spark.table(table or name)


def dry_error(lab: Any, source: str) -> str | None:
    """What a pipeline with this source is refused for, without an update."""
    pipeline = lab.pipeline("proof_dry")
    pipeline.sql(source)
    return pipeline.dry_run().error


def apply_changes(lab: Any, question: Question, name: str) -> Any:
    """The target of the AUTO CDC flow in a question's code, after the changes in its comment, one update for each."""
    rows = [line.split()[1:] for line in question.code.splitlines() if line.startswith("--   ")]
    header, changes = rows[0], rows[1:]
    pipeline, folder = lab.pipeline(f"proof_{name}"), str(Path(lab.volume("landing"), name))
    for number, change in enumerate(changes):
        land(lab, f"{name}/{number}.json", dict(zip(header, map(_value, change), strict=True)))
        if not number:
            pipeline.sql("CREATE OR REFRESH STREAMING TABLE customer_changes AS SELECT * FROM STREAM read_files("
                         f"'{folder}', format => 'json', schemaHints => 'number BIGINT, customer_id BIGINT');\n"
                         + question.code)
        report = pipeline.update()
        assert not report.error, report.error
    return lab.spark.table("customers")


def _value(text: str) -> str | int | None:
    return None if text == "NULL" else int(text) if text.isdigit() else text
