"""Data in, plotly figures out: charts of job runs, pipeline updates and gold tables, and the offline HTML report."""

from helpers.charts.chart import Chart
from helpers.charts.durations import run_durations
from helpers.charts.failures import expectation_failures
from helpers.charts.inputs import ChartInputError, UsageDict
from helpers.charts.job_graph import job_graph
from helpers.charts.live import show_live
from helpers.charts.matrix import task_matrix
from helpers.charts.objectives import exam_objectives
from helpers.charts.pipeline import pipeline_graph
from helpers.charts.quality import expectations, rows_between_layers
from helpers.charts.quarantine import quarantined_rows
from helpers.charts.report import ReportNotWritten, Section, write_report
from helpers.charts.revenue import revenue_by_category, revenue_by_department, revenue_by_price_tier
from helpers.charts.sales import revenue_by_day, revenue_by_hour
from helpers.charts.shuffle import shuffle_and_spill
from helpers.charts.timeline import job_timeline
from helpers.charts.usage import server_usage
from helpers.charts.validity import quality_by_category

__all__ = [
    "Chart",
    "ChartInputError",
    "ReportNotWritten",
    "Section",
    "UsageDict",
    "exam_objectives",
    "expectation_failures",
    "expectations",
    "job_graph",
    "job_timeline",
    "pipeline_graph",
    "quality_by_category",
    "quarantined_rows",
    "revenue_by_category",
    "revenue_by_day",
    "revenue_by_department",
    "revenue_by_hour",
    "revenue_by_price_tier",
    "rows_between_layers",
    "run_durations",
    "server_usage",
    "show_live",
    "shuffle_and_spill",
    "task_matrix",
    "write_report",
]
