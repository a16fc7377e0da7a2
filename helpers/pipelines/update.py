"""One update of a pipeline, in Databricks' phases: INITIALIZING → (RESETTING) → SETTING_UP_TABLES → RUNNING → its end.

Imitates https://docs.databricks.com/aws/en/ldp/updates.
"""

from __future__ import annotations

import getpass
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from helpers.errors import LakeprepError
from helpers.pipelines import conditions, effort, event_log, frames, graph_events, tables
from helpers.pipelines.building import Building, PipelineSession
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.dry_run import DryRun
from helpers.pipelines.errors import PipelineError, StateUnusable
from helpers.pipelines.event_log import EventLog
from helpers.pipelines.graph import Definitions, Flow
from helpers.pipelines.home import PipelineHome
from helpers.pipelines.hooks import Hooks
from helpers.pipelines.names import own
from helpers.pipelines.plan import Plan, Selection, arrange, selected
from helpers.pipelines.private import PrivateTables
from helpers.pipelines.problems import Problems
from helpers.pipelines.reads import Discovery, Reads
from helpers.pipelines.report import UpdateReport, merged
from helpers.pipelines.running import Running
from helpers.pipelines.scope import TempViews, configured, session_for
from helpers.pipelines.settings import PipelineSettings
from helpers.pipelines.setup import SetUp, flow_state
from helpers.pipelines.sources import load_sources
from helpers.pipelines.state import Board
from helpers.pipelines.versions import Versions
from helpers.runtime.errors import ServerDied

#: New columns that one run may meet before we call it a loop.
MOST_RESTARTS = 20


@dataclass(frozen=True, kw_only=True)
class Request:
    """What an update is asked to do. No selection means every table."""

    refresh: Sequence[str] = ()
    full_refresh: bool = False
    full_refresh_selection: Sequence[str] = ()
    cause: str = "USER_ACTION"
    #: A dry run: look for problems, all of them, and make nothing.
    validate_only: bool = False


Listener = Callable[[UpdateReport], None]
EventListener = Callable[[Mapping[str, Any]], None]
#: Gives the definitions, and tells what is wrong with them.
Load = Callable[[PipelineSession, Problems], Definitions]


def run_update(
    spark: Any,
    settings: PipelineSettings,
    request: Request | None = None,
    *,
    checkpoints: Path,
    definitions: Load | None = None,
    on_change: Listener | None = None,
    on_event: EventListener | None = None,
) -> UpdateReport:
    """Run one update to its end and say what it did; a failed update is a report too, not an exception.

    ``checkpoints``: the folder that keeps every pipeline's state. ``definitions`` replaces the settings' source files.
    A new column that Auto Loader meets restarts the update (cause SCHEMA_CHANGE), and so does in production a failure
    that may pass (cause RETRY_ON_FAILURE), as on Databricks.
    """
    home, request = PipelineHome(checkpoints / settings.pipeline_id), request or Request()
    reports: list[UpdateReport] = []
    retries = 0 if settings.development else settings.update_retries
    with home.exclusive(spark, name=settings.name), session_for(spark, settings):
        catalog = Catalog(spark, settings.schema)
        event_log.flush(spark, home.events, settings.pipeline_id, catalog)
        while True:
            update = _Update(spark, settings, request, home, catalog, definitions, on_event,
                             _with_earlier(reports, on_change) if on_change else None)
            reports.append(update.run())
            event_log.flush(spark, home.events, settings.pipeline_id, catalog)
            if update.schema_changed and len(reports) <= MOST_RESTARTS:
                cause = "SCHEMA_CHANGE"
            elif update.recoverable and retries > 0:
                cause, retries = "RETRY_ON_FAILURE", retries - 1
            else:
                return merged(reports)
            request = Request(refresh=(*request.refresh, *request.full_refresh_selection), cause=cause)
            catalog.look()


def _with_earlier(reports: list[UpdateReport], listener: Listener) -> Listener:
    return lambda report: listener(merged([*reports, report]) if report.datasets else report)


class _Update:
    """The phases of one update; ``run`` is called once."""

    def __init__(self, spark: Any, settings: PipelineSettings, request: Request, home: PipelineHome, catalog: Catalog,
                 definitions: Load | None, on_event: EventListener | None, on_change: Listener | None) -> None:
        self.spark, self.settings, self.request, self.home, self.catalog = spark, settings, request, home, catalog
        self._load = definitions or self._from_files
        update_id = str(uuid.uuid4())
        self.log = EventLog(home.events, settings.pipeline_id, settings.name, update_id, on_event)
        self.board = Board(UpdateReport(
            settings.pipeline_id, settings.name, update_id, "CREATED", request.cause, request.full_refresh,
            started_ms=_now(), notes=_unused(settings), validate_only=request.validate_only), on_change)
        self.views = TempViews(spark)
        self.private = PrivateTables(spark, catalog)
        self.problems = Problems(gather=request.validate_only)
        self.schema_changed = self.recoverable = False
        #: Where flows keep their state: a dry run leaves none.
        self.states = PipelineHome(Path(tempfile.mkdtemp())) if request.validate_only else home

    def _from_files(self, session: PipelineSession, problems: Problems) -> Definitions:
        return load_sources(self.settings.files, spark=session, schema=self.settings.schema,
                            parameters=self.settings.configuration, root=self.settings.root, problems=problems)

    def run(self) -> UpdateReport:
        try:
            self._announce()
            self._end(self._phases())
        except LakeprepError as error:
            self.problems.found.append(error)
            self._end(error if isinstance(error, ServerDied) else self.problems.as_error())
        except OSError as error:
            self._end(StateUnusable(f"The pipeline's folder {self.home.root} cannot be written: {error}. "
                                    "Make room on the disk, or mend its permissions."))
        except KeyboardInterrupt:
            self.spark.interruptAll()
            self._end(PipelineError("The update was interrupted."), state="CANCELED")
            raise
        finally:
            self.views.drop_all()
            self.private.hide()
            if self.request.validate_only:
                shutil.rmtree(self.states.root)
        return self.board.report

    def _phases(self) -> LakeprepError | None:
        """Everything from the sources to the last flow; gives the first failure of a flow."""
        self._phase("INITIALIZING")
        definitions = self._load(PipelineSession(self.spark), self.problems)
        self.log.hooks = Hooks(definitions.hooks)
        selection = selected(definitions, schema=self.settings.schema, refresh=self.request.refresh,
                             full_refresh=self.request.full_refresh, half_reset=self.home.to_reset(),
                             full_refresh_selection=self.request.full_refresh_selection)
        self.views.refuse_foreign(definitions.datasets, self.catalog)
        definitions = self.private.publish(definitions)
        discovery = self._discovery(definitions)
        conditions.refuse_python(self.spark, definitions.datasets.values(), discovery.functions, self.problems)
        if self.request.validate_only:
            return self._validate(definitions, discovery, selection)
        setup = SetUp(self.spark, self._planned(definitions, discovery, selection), home=self.home,
                      pipeline_id=self.settings.pipeline_id, parameters=self.settings.configuration, views=self.views,
                      discovery=discovery, catalog=self.catalog)
        with configured(self.spark, effort.configuration(self.home, setup.plan, own=self.settings.configuration)):
            return self._run(setup)

    def _run(self, setup: SetUp) -> LakeprepError | None:
        """(RESETTING,) SETTING_UP_TABLES and RUNNING; gives the first failure of a flow."""
        self._set_up(setup)
        graph_events.tell_queue(self.log, setup.plan)
        versions = Versions(self.spark, setup.plan, configuration=self.settings.configuration,
                            may_change=setup.discovery.may_change, catalog=self.catalog)
        self._phase("RUNNING")
        running = Running(setup, home=self.home, board=self.board, log=self.log, views=self.views, versions=versions,
                          number=self.home.next_number(_now()),
                          retries=0 if self.settings.development else self.settings.flow_retries)
        try:
            running.run()
        finally:
            setup.put_back(filled=[each.name for each in self.board.report.datasets if each.status == "COMPLETED"])
        effort.remember(self.home, setup.plan, self.board.report, self.catalog)
        self.schema_changed = running.schema_changed
        self.recoverable = running.failure is not None and running.recoverable
        return running.failure

    def _validate(self, definitions: Definitions, discovery: Discovery, selection: Selection) -> LakeprepError | None:
        """A dry run: everything is analysed, and nothing made."""
        plan = self._planned(definitions, discovery, selection)
        self.board.draw(plan)
        graph_events.tell_definitions(self.log, plan, {})
        run = DryRun(plan, discovery, building=lambda flow: self._building(plan.definitions, flow), views=self.views,
                     problems=self.problems, pipeline_id=self.settings.pipeline_id, catalog=self.catalog)
        self.board.change(notes=(*self.board.report.notes, *run.analyse()))
        return self.problems.as_error()

    def _announce(self) -> None:
        request = self.request
        self.log.emit("create_update", f"Update {self.log.update_id[:8]} started by {request.cause}.", {
            "cause": request.cause, "full_refresh": request.full_refresh, "validate_only": request.validate_only,
            "refresh_selection": list(request.refresh),
            "full_refresh_selection": list(request.full_refresh_selection)})
        if request.cause == "USER_ACTION":
            user = _user()
            self.log.emit("user_action", f"User {user} started update {self.log.update_id[:8]}.",
                          {"action": "START", "user_name": user})

    def _phase(self, state: str) -> None:
        self.board.change(state=state)
        self.log.emit("update_progress", f"Update {self.log.update_id[:8]} is {state}.", {"state": state})

    def _discovery(self, definitions: Definitions) -> Discovery:
        def inside(name: str) -> str | None:
            bare = own(name, self.settings.schema)
            return bare if bare in definitions.datasets else None

        return Discovery(self.spark, inside, lambda: self.catalog.functions)

    def _planned(self, definitions: Definitions, discovery: Discovery, selection: Selection) -> Plan:
        reads: dict[str, Reads] = {}
        for flow in definitions.flows:
            try:
                reads[flow.name] = discovery.of(flow, self._building(definitions, flow))
            except Exception as error:
                problem = frames.failure(error, flow, "cannot be analysed")
                if not self.problems.gather:
                    raise problem from error
                self.problems.tell(problem)
        if self.problems.gather:
            definitions = replace(definitions, flows=tuple(flow for flow in definitions.flows if flow.name in reads))
        return arrange(definitions, reads, schema=self.settings.schema, selection=selection, problems=self.problems,
                       exists=lambda name: tables.exists(self.spark, name))

    def _building(self, definitions: Definitions, flow: Flow) -> Building:
        return Building(flow_state(self.states, definitions, flow), self.settings.configuration, self.views)

    def _set_up(self, setup: SetUp) -> None:
        self.board.draw(setup.plan)
        drawn, full = setup.plan, bool(setup.plan.selection.full)
        if not full:
            self._phase("SETTING_UP_TABLES")
        setup.analyse()
        if setup.plan is not drawn:
            self.board.draw(setup.plan)
        graph_events.tell_definitions(self.log, setup.plan, setup.schemas)
        if full:  # nothing is emptied, and no event says so, before everything is known to be right
            self._phase("RESETTING")
            setup.reset()
            self._phase("SETTING_UP_TABLES")

    def _end(self, failure: BaseException | None, *, state: str | None = None) -> None:
        final = state or ("FAILED" if failure else "COMPLETED")
        cut_off = isinstance(failure, ServerDied) or any(
            dataset.status in ("RUNNING", "STOPPED") for dataset in self.board.report.datasets)
        details = {"state": final} | ({"incomplete": True} if cut_off else {})
        for dataset in self.board.report.datasets:
            if dataset.status in ("QUEUED", "STARTING", "RUNNING"):
                self.board.set(dataset.name, status="STOPPED" if final == "CANCELED" else "SKIPPED")
        self.board.change(state=final, error=str(failure) if failure else None, ended_ms=_now())
        with suppress(OSError):  # on a full disk the report still says what happened
            self.log.emit("update_progress", f"Update {self.log.update_id[:8]} is {final}.", details,
                          level="ERROR" if failure else "INFO", error=failure)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run a user without a name
        return "unknown"


def _unused(settings: PipelineSettings) -> tuple[str, ...]:
    named = ", ".join(f"'{setting}'" for setting in settings.unused)
    return (f"These settings are for the platform and do nothing here: {named}.",) if named else ()


def _now() -> int:
    return time.time_ns() // 1_000_000
