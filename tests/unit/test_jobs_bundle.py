"""Jobs of a bundle: includes, targets, variables and overrides."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.jobs import Job, JobDefinitionError, JobSyntaxError, load_bundle_job, load_job, run_job
from helpers.jobs.errors import BundleError, JobFileError
from helpers.jobs.merging import merged
from helpers.runtime.places import Places
from tests.unit.jobs_fakes import fake_commands, results

ROOT = """
bundle:
  name: shop_etl
include:
  - resources/*.yml
variables:
  catalog: {description: where tables go, default: workspace}
  day: {default: "2017-01-01"}
  tasks_off: {type: complex, default: [a, b]}
  label: {default: "${var.catalog}_${bundle.target}"}
targets:
  dev: {mode: development, default: true}
  prod:
    variables: {catalog: prod, day: {default: "2017-02-02"}}
    resources:
      jobs:
        nightly:
          max_concurrent_runs: 2
          tasks:
            - {task_key: report, max_retries: 3}
            - {task_key: extra, notebook_task: {notebook_path: ../src/report.ipynb}}
"""
JOBS = """
resources:
  pipelines:
    shop:
      name: shop
      schema: shop_${bundle.target}
      libraries: [{glob: {include: ../src/transformations/**}}]
  jobs:
    nightly:
      name: nightly ${var.label}
      parameters: [{name: day, default: "${var.day}"}]
      permissions: [{level: CAN_VIEW, group_name: users}]
      tasks:
        - task_key: refresh
          pipeline_task: {pipeline_id: "${resources.pipelines.shop.id}"}
        - task_key: report
          depends_on: [{task_key: refresh}]
          notebook_task: {notebook_path: ../src/report.ipynb, base_parameters: {run: "{{job.run_id}}"}}
        - task_key: below
          run_job_task: {job_id: "${resources.jobs.small.id}"}
"""
SMALL = """
resources:
  jobs:
    small:
      name: small
      tasks: [{task_key: only, spark_python_task: {python_file: ../src/load.py}}]
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def files(root: str = ROOT, jobs: str = JOBS, small: str = SMALL) -> Path:
        (tmp_path / "resources").mkdir(exist_ok=True)
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / "report.ipynb").write_text("{}")
        (tmp_path / "src" / "load.py").write_text("")
        (tmp_path / "databricks.yml").write_text(root)
        (tmp_path / "resources" / "jobs.yml").write_text(jobs)
        (tmp_path / "resources" / "small.yml").write_text(small)
        return tmp_path / "databricks.yml"

    return files


def load(path: Path, **more: Any) -> Job:
    return load_bundle_job(path, "nightly", environment=more.pop("environment", {}), **more)


def test_a_bundles_job_has_its_includes_target_and_variables_filled_in(write, tmp_path):
    job = load(write())
    assert job.name == "nightly workspace_dev"
    assert job.parameters == {"day": "2017-01-01"}
    refresh, report, below = job.tasks
    assert refresh.work.inline["schema"] == "shop_dev"
    assert report.work.path.resolve() == tmp_path / "src" / "report.ipynb"
    assert report.work.base_parameters == {"run": "{{job.run_id}}"}
    assert below.work.job.tasks[0].work.path.resolve() == tmp_path / "src" / "load.py"
    assert [ignored.path for ignored in job.ignored] == ["permissions", "mode: development of the target"]
    assert job.identity == f"{tmp_path / 'resources' / 'jobs.yml'}#nightly"


def test_a_target_overrides_variables_and_resources(write):
    job = load(write(), target="prod")
    assert (job.name, job.max_concurrent_runs, job.parameters) == ("nightly prod_prod", 2, {"day": "2017-02-02"})
    assert {task.key: task.max_retries for task in job.tasks} == {"refresh": 0, "report": 3, "below": 0, "extra": 0}
    assert job.task("report").depends_on == ("refresh",)


def test_what_only_a_workspace_obeys_is_shown(write):
    root = ROOT.replace("  prod:\n", "  prod:\n    run_as: {user_name: a}\n    mode: production\n")
    job = load(write(root=root + "sync: {paths: [src]}\n"), target="prod")
    assert {ignored.path: ignored.why for ignored in job.ignored} == {
        "permissions": "one user runs everything here",
        "mode: production of the target": "the job runs as it is written; nothing is deployed here",
        "run_as of the bundle": "tasks run as you",
        "sync of the bundle": "nothing is deployed here",
    }


def test_a_target_may_have_jobs_of_its_own(write, tmp_path):
    only = "        only_prod: {name: only, tasks: [{task_key: a, notebook_task: {notebook_path: src/report}}]}\n"
    path = write(root=ROOT + only)
    job = load_bundle_job(path, "only_prod", target="prod", environment={})
    assert (job.name, job.task("a").work.path) == ("only", tmp_path / "src" / "report.ipynb")
    with pytest.raises(BundleError, match=r"has no job 'only_prod' \(it has nightly, small\)"):
        load_bundle_job(path, "only_prod", target="dev", environment={})


def test_a_field_of_another_resource_is_filled_in_but_an_id_is_the_workspaces(write):
    jobs = JOBS.replace("nightly ${var.label}", "nightly of ${resources.pipelines.shop.schema}")
    assert load(write(jobs=jobs)).name == "nightly of shop_dev"
    jobs = JOBS.replace("nightly ${var.label}", "nightly of ${resources.pipelines.shop.creator}")
    with pytest.raises(JobDefinitionError, match=r"nothing fills in \$\{resources\.pipelines\.shop\.creator\}"):
        load(write(jobs=jobs))


def test_a_value_given_wins_over_the_environment_the_target_and_the_default(write):
    path, environment = write(), {"BUNDLE_VAR_day": "from-environment"}
    assert load(path, target="prod", environment=environment).parameters == {"day": "from-environment"}
    assert load(path, target="prod", environment=environment, variables={"day": "x"}).parameters == {"day": "x"}


def overrides(path: Path, target: str, text: str) -> None:
    file = path.parent / ".databricks" / "bundle" / target / "variable-overrides.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_file_of_overrides_wins_over_its_target_and_loses_to_the_environment(write):
    path = write()
    overrides(path, "prod", '{"day": "from-file"}')
    assert load(path, target="prod").parameters == {"day": "from-file"}
    assert load(path, target="dev").parameters == {"day": "2017-01-01"}
    assert load(path, target="prod", environment={"BUNDLE_VAR_day": "e"}).parameters == {"day": "e"}
    for text, said in (
        ('{"dya": "1"}', r"no variable 'dya', which variable-overrides\.json sets; did you mean 'day'"),
        ("[1]", r"variable-overrides\.json is no JSON object"),
        ("{", r"variable-overrides\.json cannot be read as JSON"),
    ):
        overrides(path, "prod", text)
        with pytest.raises(BundleError, match=said):
            load(path, target="prod")


def test_a_bundles_pipeline_reaches_its_process_with_paths_that_lead_to_its_files(write, tmp_path):
    job = load(write())
    environment = {"FAKE": json.dumps({"refresh": ["told"]})}
    run = run_job(job, places=Places(tmp_path / "home"), commands=fake_commands(tmp_path), environment=environment)
    assert results(run) == {"refresh": "SUCCESS", "report": "SUCCESS", "below": "SUCCESS"}
    settings = Path(json.loads(run.task("refresh").exit_value)["spec"]["settings"])
    written = json.loads(settings.read_text())
    assert (written["name"], written["schema"]) == ("shop", "shop_dev")
    include = written["libraries"][0]["glob"]["include"]
    assert (settings.parent / include.removesuffix("/**")).resolve() == tmp_path / "src" / "transformations"


@pytest.mark.parametrize(
    ("change", "more", "said"),
    [
        ({}, {"target": "prd"}, "has no target 'prd'; did you mean 'prod'? (it has dev, prod)"),
        ({}, {"variables": {"dya": "1"}}, "has no variable 'dya', which the call sets; did you mean 'day'?"),
        ({"root": ROOT.replace("default: true", "default: false")}, {}, "has no default target; name one of dev, prod"),
        ({"root": ROOT.replace("  prod:\n", "  prod:\n    default: true\n")}, {}, "dev and prod are both the default"),
        ({"root": ROOT.replace("*.yml", "*.yaml")}, {}, "no file matches 'resources/*.yaml' of include"),
        ({"root": ROOT.replace("{default: \"2017-01-01\"}", "{}")}, {}, "variable 'day' has no value; set BUNDLE_VAR"),
        ({"jobs": JOBS.replace("var.day", "var.dya")}, {}, "${var.dya} names no variable of the bundle"),
        ({"root": ROOT.replace('"${var.catalog}_', '"${var.label}_')}, {}, "refer to each other in a circle"),
        ({"small": JOBS}, {}, "resources.pipelines.shop is both in"),
        ({"root": ROOT.replace("variables:\n  cat", "varables:\n  cat")}, {},
         "bundles have no field 'varables' here; did you mean 'variables'?"),
        ({"root": ROOT.replace("mode: development", "mod: development")}, {},
         "target 'dev': bundles have no field 'mod' here; did you mean 'mode'?"),
        ({"root": ROOT.replace("targets:", "environments:")}, {}, "environments is not supported here; it is the old"),
        ({"root": ROOT + "experimental: {python: {resources: [a]}}\n"}, {}, "experimental.python is not supported"),
        ({"root": ROOT.replace("include:\n  -", "include:")}, {}, "include is no list such as"),
        ({"root": ROOT + "  5: x\n"}, {"target": 5}, "databricks.yml: 5 is no object"),
        ({"root": ROOT.partition("      jobs:")[0] + "      jobs: {nightly: x}\n"}, {"target": "prod"},
         "databricks.yml: nightly is no object"),
        ({"small": "- a\n"}, {}, "is no YAML object"),
        ({"root": ROOT.replace("{description: where tables go, default: workspace}", "{lookup: {cluster: c}}")}, {},
         "variable 'catalog' is looked up in a workspace"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_told(write, change, more, said):
    with pytest.raises(BundleError) as caught:
        load(write(**change), **more)
    assert said in str(caught.value)


def test_an_unknown_job_is_told_with_the_nearest(write):
    with pytest.raises(BundleError, match=r"has no job 'nightli'; did you mean 'nightly'\? \(it has nightly, small\)"):
        load_bundle_job(write(), "nightli", environment={})


def test_a_jobs_mistakes_are_told_as_for_json_and_so_is_what_nothing_fills_in(write):
    described = JOBS.replace("name: nightly", "description: ${workspace.host}\n      name: n")
    jobs = described.replace("report.ipynb", "gone.ipynb")
    with pytest.raises(JobDefinitionError) as caught:
        load(write(jobs=jobs))
    said = [str(mistake) for mistake in caught.value.mistakes]
    assert said[0] == "description: BadReference: nothing fills in ${workspace.host} here; write the value"
    assert said[1].startswith("task 'report', notebook_task.notebook_path: MissingFile: ")
    assert len(said) == 2


def test_a_key_that_is_there_twice_and_text_that_is_no_yaml_are_told_with_their_line(write):
    with pytest.raises(JobSyntaxError, match=r"small\.yml:2:1: the key 'resources' is there twice"):
        load(write(small="resources: {}\nresources: {}\n"))
    with pytest.raises(JobSyntaxError, match=r"small\.yml:2:"):
        load(write(small="resources: [\n"))


def test_a_yaml_file_is_no_job_by_itself(write):
    with pytest.raises(JobFileError, match=r"is a bundle's file; read a job of it with load_bundle_job\(path, key\)"):
        load_job(write())


def test_lists_without_a_key_are_put_behind_each_other():
    below = {"tags": {"a": 1}, "on_failure": ["x"], "parameters": [{"name": "d", "default": "1"}]}
    above = {"tags": {"b": 2}, "on_failure": ["y"], "parameters": [{"name": "d", "default": "2"}, {"name": "e"}]}
    assert merged(below, above) == {
        "tags": {"a": 1, "b": 2},
        "on_failure": ["x", "y"],
        "parameters": [{"name": "d", "default": "2"}, {"name": "e"}],
    }
