"""Few rows or many: what an update is guessed to go through, from what its flows went through before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from helpers.pipelines import effort
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.home import PipelineHome
from helpers.pipelines.plan import Plan
from helpers.pipelines.report import DatasetReport, UpdateReport
from tests.unit.test_pipelines_catalog import Listing
from tests.unit.test_pipelines_plan import planned

CHAIN = (
    "CREATE STREAMING TABLE bronze AS SELECT * FROM STREAM src; CREATE TEMPORARY VIEW few AS SELECT * FROM bronze;"
    "CREATE STREAMING TABLE joined AS SELECT * FROM STREAM src JOIN few USING (id);"
    "CREATE MATERIALIZED VIEW gold AS SELECT count(*) FROM few;"
)


def remembered(home: PipelineHome) -> dict[str, int]:
    return json.loads((home.root / "_rows.json").read_text())


def update(plan: Plan, **datasets: tuple[str, int]) -> UpdateReport:
    reports = tuple(
        DatasetReport(name, plan.definitions.datasets[name].kind, status=status, rows_read=rows)
        for name, (status, rows) in datasets.items()
    )
    return UpdateReport("p", "p", "u", "COMPLETED", "USER_ACTION", False, 0, datasets=reports)


@pytest.fixture
def home(tmp_path: Path) -> PipelineHome:
    return PipelineHome(tmp_path / "pipeline")


def test_a_flow_goes_through_its_new_rows_and_all_rows_of_what_it_reads_as_a_whole(
    home: PipelineHome, tmp_path: Path
) -> None:
    plan, bronze = planned(CHAIN), tmp_path / "bronze"
    write_deltalake(bronze, pa.table({"id": [1, 2, 3]}))
    done = ("COMPLETED", 2)
    ends, catalog = dict.fromkeys(("bronze", "joined", "gold"), done), Catalog(Listing({"bronze": bronze}), "lab")
    effort.remember(home, plan, update(plan, **ends), catalog)
    assert remembered(home) == {"bronze": 2, "joined": 2 + 3, "gold": 3}

    # Of a flow that did not run, the earlier number holds; one whose table cannot be counted has none.
    ends = {"bronze": ("IDLE", 9), "joined": ("FAILED", 9), "gold": done}
    effort.remember(home, plan, update(plan, **ends), Catalog(Listing({}), "lab"))
    assert remembered(home) == {"bronze": 2, "joined": 5}


def test_only_an_update_whose_flows_all_had_few_rows_is_not_compiled(home: PipelineHome) -> None:
    plan = planned(CHAIN)

    def chosen(text: str | None, plan: Plan = plan, **own: str) -> Mapping[str, str]:
        home.root.mkdir(exist_ok=True)
        (home.root / "_rows.json").unlink(missing_ok=True)
        if text is not None:
            (home.root / "_rows.json").write_text(text)
        return effort.configuration(home, plan, own={key.replace("_", "."): value for key, value in own.items()})

    few = {"bronze": 1, "joined": effort.FEW, "gold": 0}
    assert chosen(json.dumps(few)) == effort.FOR_FEW
    other = {"spark.sql.codegen.factoryMode": "NO_CODEGEN"}
    assert chosen(json.dumps(few), spark_sql_codegen_wholeStage="true") == other
    for text in (None, "{", "[]", json.dumps({**few, "gold": "0"}), json.dumps({**few, "joined": effort.FEW + 1}),
                 json.dumps({"bronze": 1, "gold": 0})):
        assert chosen(text) == {}, text
    assert chosen(json.dumps(few), planned(CHAIN, full_refresh_selection=["bronze"])) == {}
    assert chosen(json.dumps({"gold": 1}), planned(CHAIN, refresh=["gold"])) == effort.FOR_FEW
