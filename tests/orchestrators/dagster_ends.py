#!/usr/bin/env python3
"""How the job of examples/dagster ends: well, with a difference, with a refusal, and busy."""

import importlib.util
from pathlib import Path

import dagster as dg
from servers import ANOTHER_RUN, Holding, itself, sql

FILE = Path(__file__).parents[2] / "examples" / "dagster" / "kalends_daily.py"


def load():
    spec = importlib.util.spec_from_file_location("kalends_daily", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def execute(module):
    job = module.defs.resolve_job_def("kalends_daily")
    settings = {"ops": {"published_figures": {"config": {"wait": "1s"}}}}
    return job.execute_in_process(run_config=settings, raise_on_error=False)


def check_passed(result):
    [evaluation] = result.get_asset_check_evaluations()
    return evaluation.passed


def retried(result):
    return [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]


def main():
    module = load()
    first = execute(module)
    assert first.success and check_passed(first)
    [made] = first.asset_materializations_for_node("published_figures")
    assert made.metadata["loaded rows"].value == int(sql("production", "SELECT count(*) FROM entity")), made

    sql("warehouse", "UPDATE kalends_raw.entity SET value = value + 1 WHERE created_at < '2024-02-02'")
    differs = execute(module)
    assert not check_passed(differs) and not retried(differs)
    itself("verify", "--repair")

    sql("production", "DELETE FROM entity WHERE created_at >= '2024-02-03'")
    refused = execute(module)
    assert not refused.success and not retried(refused)
    assert "accept-loss" in refused.failure_data_for_node("published_figures").user_failure_data.description
    itself("run", "--accept-loss")

    sql("production", "INSERT INTO entity VALUES ('2024-02-01 12:00', 7)")
    other = Holding("warehouse", ANOTHER_RUN)
    try:
        module.published_figures(module.Settings(wait="1s"))
    except dg.Failure as busy:
        assert busy.allow_retries, busy
    else:
        raise AssertionError("it was not busy")
    other.release()
    assert module.published_figures.op.retry_policy.max_retries == 5
    last = execute(module)
    assert last.success and check_passed(last)


main()
