"""Mutated texts of every kind that a user writes: each gives a result or one of our own errors, and soon.

10,000 pipeline texts and settings, and a few hundred of the others. More by hand, from another seed:
`LAKEPREP_FUZZ_TEXTS=100000 LAKEPREP_FUZZ_SEED=7 .venv/bin/python -m pytest tests/unit/test_fuzz_texts.py`.
"""

from __future__ import annotations

import ast
import json
import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

from helpers.errors import LakeprepError
from helpers.jobs import JobSyntaxError, check_definition, load_job
from helpers.pipelines import dp, sources
from helpers.pipelines.definitions import collect
from helpers.pipelines.errors import InvalidSettings
from helpers.pipelines.settings import load_settings
from helpers.sql import PipelineSyntaxError, parse_copy_into, parse_query
from tests.unit.mutations import mutated, mutated_json

ROOT = Path(__file__).resolve().parents[2]
RETAIL = ROOT / "solutions" / "retail_job"
#: Seconds of this process's own time; a text of a few thousand characters that takes more has met a hang.
MOST_SECONDS = 10
TEXTS, SEED = (int(os.environ.get(f"LAKEPREP_FUZZ_{name}", given)) for name, given in (("TEXTS", 10_000), ("SEED", 1)))
PIPELINE = re.compile(r"(\s|--.*\n)*(CREATE|SET|APPLY)\b", re.IGNORECASE)
QUERY = re.compile(r"\s*(SELECT|WITH|FROM|VALUES|TABLE)\b", re.IGNORECASE)
COPY = re.compile(r"\s*COPY\b", re.IGNORECASE)
PARAMETERS = {"root": "/r", "landing": "/l", "a": "orders", "x": "1"}
PLACE = re.compile(r"(tasks|depends_on|parameters|rules|environments|on_failure)\[\d+\]")
#: Every kind of task, and every setting of a job that is not in the retail job.
JOB = """{
  "name": "all", "tags": {"team": "data"}, "queue": {"enabled": true}, "permissions": [{"level": "CAN_VIEW"}],
  "parameters": [{"name": "day", "default": "{{job.start_time.iso_date}}"}, {"name": "size", "default": "1"}],
  "trigger": {"file_arrival": {"url": "/Volumes/a/b/c/", "min_time_between_triggers_seconds": 60}},
  "continuous": {"pause_status": "PAUSED"}, "health": {"rules": [
    {"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 60}]},
  "webhook_notifications": {"on_failure": [{"id": "chat"}]}, "run_as": {"user_name": "a@example.com"},
  "environments": [{"environment_key": "e", "spec": {"environment_version": "4", "dependencies": ["x"]}}],
  "tasks": [
    {"task_key": "load", "spark_python_task": {"python_file": "load.py", "parameters": ["{{job.parameters.day}}"]},
     "environment_key": "e", "notification_settings": {"alert_on_last_attempt": true}, "max_retries": -1},
    {"task_key": "any", "depends_on": [{"task_key": "load"}],
     "condition_task": {"op": "GREATER_THAN", "left": "{{tasks.load.values.rows}}", "right": "0"}},
    {"task_key": "each", "depends_on": [{"task_key": "any", "outcome": "true"}], "for_each_task": {
      "inputs": "[1, {\\"a\\": 2}]", "concurrency": 2, "task": {"task_key": "one", "notebook_task": {
        "notebook_path": "one", "base_parameters": {"table": "{{input.a}}"}}, "retry_on_timeout": true}}},
    {"task_key": "report", "depends_on": [{"task_key": "each"}, {"task_key": "load"}], "run_if": "AT_LEAST_ONE_FAILED",
     "sql_task": {"file": {"path": "report.sql"}, "warehouse_id": "w", "parameters": {"n": "{{task.name}}"}},
     "email_notifications": {"on_failure": ["a@example.com"]}, "timeout_seconds": 60},
    {"task_key": "other", "run_job_task": {"job_id": "${resources.jobs.child.id}", "job_parameters": {"a": "1"}}}
  ]
}"""
SETTINGS = """{
  "name": "retail", "schema": "${schema}", "configuration": {"landing": "${landing}", "own": "x"}, "continuous": false,
  "libraries": [{"glob": {"include": "pipeline/**"}}, {"file": {"path": "pipeline/own.py"}}], "edition": "ADVANCED",
  "clusters": [{"label": "default", "num_workers": 1}], "tags": {"team": "data"}
}"""
NOTEBOOK_SETTINGS = """{
  "name": "old", "target": "shop", "development": true, "root_path": "pipeline", "serverless": true, "tags": {},
  "configuration": {"pipelines.maxFlowRetryAttempts": "2", "spark.sql.shuffle.partitions": "4", "x": "a ${landing}"},
  "libraries": [{"notebook": {"path": "one"}}, {"notebook": {"path": "./nb.py"}}, {"glob": {"include": "*.sql"}}]
}"""
#: Each kind with its share of TEXTS: the pipeline's own make up the whole, the others come on top.
SHARES = {"pipeline": 0.7, "settings": 0.3, "query": 0.03, "job": 0.03}


@cache
def statements(start: re.Pattern[str]) -> tuple[str, ...]:
    """Of the retail pipeline's sources and all that the tests of `helpers.sql` read, the texts that start so."""
    sources = [path.read_text() for path in sorted((RETAIL / "pipeline").glob("*.sql"))]
    for module in sorted(Path(__file__).parent.glob("test_sql_*.py")):
        nodes = ast.walk(ast.parse(module.read_text()))
        sources += [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return tuple(text.replace("{}", "STREAM read_files('p')") for text in sources if start.match(text))


@cache
def right(start: re.Pattern[str]) -> tuple[str, ...]:
    """Of these, the texts without a mistake: what is nearly right gets furthest."""
    return tuple(text for text in statements(start) if is_right(text, READ[start]))


def is_right(text: str, read: Callable[[str], object]) -> bool:
    try:
        read(text)
    except PipelineSyntaxError:
        return False
    return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the definitions and settings name."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "pipeline").mkdir()
    for name in ("load.py", "one.ipynb", "report.sql", "pipeline/own.py", "pipeline/a.sql", "setup_environment.ipynb",
                 "create_dashboard.ipynb", "pipeline.json"):  # fmt: skip
        (folder / name).touch()
    (folder / "nb.py").write_text("# Databricks notebook source\n")
    (folder / "child.json").write_text(json.dumps({
        "parameters": [{"name": "a", "default": ""}],
        "tasks": [{"task_key": "t", "spark_python_task": {"python_file": "load.py"}}],
    }))  # fmt: skip
    return folder


def read_copy(text: str) -> object:
    return parse_copy_into(text, source="c.sql")


def read_pipeline(text: str) -> object:
    """Read the statements and put them together; what contradicts itself then has no place to point at."""
    registry = dp.Registry()
    try:
        sources.add_sql(registry, text, source="p.sql", parameters=PARAMETERS)
        return collect(*registry.finished(), schema="shop")
    except PipelineSyntaxError:
        raise
    except LakeprepError as refusal:
        return refusal


def read_query(text: str) -> object:
    return parse_query(text, source="q.sql", parameters=PARAMETERS)


READ = {PIPELINE: read_pipeline, QUERY: read_query, COPY: read_copy}


def reads_sql(text: str, folder: Path) -> None:
    """Read it as what it starts like; an error must point at a place in the text."""
    start = next((start for start in READ if start.match(text)), PIPELINE)
    try:
        READ[start](text)
        return
    except PipelineSyntaxError as refusal:
        error, lines = refusal, text.split("\n")
    assert 1 <= error.line <= len(lines), f"line {error.line} of {len(lines)}"
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1, f"column {error.column} of line {error.line}"


def reads_settings(text: str, folder: Path) -> None:
    path = folder / "mutant.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(LakeprepError):
        load_settings(path, parameters={**PARAMETERS, "schema": "s"})


def reads_job(text: str, folder: Path) -> None:
    """Check it; what is wrong is never named by its place in a list."""
    path = folder / "mutant.job.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    told = check_definition(path)
    assert not any(PLACE.search(said.partition(": ")[0]) for said in told), told


def pipeline_text(chance: random.Random) -> str:
    """One long statement, or a few of any length."""
    long = [text for text in right(PIPELINE) if len(text) > 500]
    few = ";\n".join(chance.choices(right(PIPELINE), k=chance.randint(1, 3)))
    return chance.choice(long) if chance.random() < 0.5 else few


Reader = Callable[[str, Path], None]


def mutants(kind: str, chance: random.Random) -> tuple[str, Reader]:
    """One mutated text of a kind, and what reads it."""
    if kind == "pipeline":
        return mutated(pipeline_text(chance), statements(PIPELINE), chance), reads_sql
    if kind == "query":
        start = chance.choice((QUERY, COPY))
        return mutated(chance.choice(right(start)), statements(start), chance), reads_sql
    jobs = (RETAIL / "job.json").read_text(), JOB, JOB
    texts = jobs if kind == "job" else (SETTINGS, NOTEBOOK_SETTINGS)
    return mutated_json(chance.choice(texts), texts, chance), reads_job if kind == "job" else reads_settings


@contextmanager
def no_hang() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"it takes more than {MOST_SECONDS} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def stray(kind: str, number: int, seed: int, folder: Path) -> dict[str, str]:
    """Each mutant that ended in an error which is not ours, by what happened; one for each kind of happening."""
    chance, found = random.Random(f"{kind} {seed}"), {}
    for _ in range(number):
        text, reader = mutants(kind, chance)
        try:
            with no_hang():
                reader(text, folder)
        except Exception as error:  # whatever it is, it is what is looked for
            frames = error.__traceback__
            while frames.tb_next:
                frames = frames.tb_next
            where = f"{Path(frames.tb_frame.f_code.co_filename).name}:{frames.tb_lineno}"
            found.setdefault(f"{reader.__name__}: {type(error).__name__} at {where}: {str(error)[:200]}", text)
    return found


@pytest.mark.parametrize("kind", SHARES)
def test_a_mutated_text_gives_a_result_or_one_of_our_errors(kind, folder):
    assert stray(kind, int(SHARES[kind] * TEXTS), SEED, folder) == {}


def test_the_texts_reach_what_they_are_to_test(folder):
    """Most mutants are refused, and enough are so nearly right that they go through."""
    chance, passed = random.Random(1), 0
    for _ in range(300):
        passed += is_right(mutants("pipeline", chance)[0], read_pipeline)
    assert 30 < passed < 200


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda *_, **__: {}["tbl"], "reads_sql: KeyError at test_fuzz_texts.py"),
        (lambda *_, **__: [0][1], "reads_sql: IndexError at test_fuzz_texts.py"),
        (lambda cursor, *_, **__: hang(), "reads_sql: TimeoutError at test_fuzz_texts.py"),
        (lambda cursor, *_, **__: misplaced(cursor), "reads_sql: AssertionError at test_fuzz_texts.py"),
    ],
)  # fmt: skip
def test_a_fault_in_the_reader_is_found(fault, said, folder, monkeypatch):
    monkeypatch.setattr("helpers.sql.clauses._properties", fault)
    monkeypatch.setattr("tests.unit.test_fuzz_texts.MOST_SECONDS", 0.1)
    assert any(happening.startswith(said) for happening in stray("pipeline", 25, 1, folder))


def hang():
    while True:
        pass


def misplaced(cursor):
    raise PipelineSyntaxError("no such place", source="p.sql", line=1, column=100_000)


LONG, DEEP = "x" * 5000, "a" + "/b" * 300


@pytest.mark.parametrize(
    ("path", "zone", "said"),
    [(LONG, "UTC", "there is no notebook"), ("/", "UTC", "there is no notebook"), ("one", LONG, "is no time zone"),
     ("one", DEEP, "is no time zone")],
)  # fmt: skip
def test_a_name_that_nothing_can_have_is_a_mistake_like_others(path, zone, said, folder):
    schedule = {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": zone}
    tasks = [{"task_key": "a", "notebook_task": {"notebook_path": path}}]
    (told,) = check_definition({"tasks": tasks, "schedule": schedule}, base_dir=folder)
    assert said in told


@pytest.mark.parametrize("library", [{"file": {"path": name}} for name in ("\ud800", "\0", LONG)] + [
    {"glob": {"include": name}} for name in (LONG, DEEP + "/**")])  # fmt: skip
def test_a_source_that_cannot_be_is_told_as_one_that_is_not_there(library, folder):
    path = folder / "mutant.json"
    path.write_text(json.dumps({"name": "n", "schema": "s", "libraries": [library]}))
    with pytest.raises(InvalidSettings, match=r"mutant\.json: "):
        load_settings(path)


@pytest.mark.parametrize("text", ['{"tasks": ' + "[" * 100_000, '{"tasks": ' + "1" * 5000 + "}"])
def test_json_without_an_end_is_refused_as_json(text, folder):
    path = folder / "mutant.json"
    path.write_text(text)
    with pytest.raises(JobSyntaxError, match=r"mutant\.json:"):
        load_job(path)
    with pytest.raises(InvalidSettings, match="not valid JSON"):
        load_settings(path)
