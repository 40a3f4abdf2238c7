#!/usr/bin/env python3
"""How the tasks of examples/airflow end, after a run that went well: with a refusal, with a difference, and busy.

Airflow runs the DAG in this process, as `airflow dags test` does, with its own retries. Only their pause is shorter.
"""

import importlib.util
import os
import threading
from datetime import timedelta
from pathlib import Path

from servers import ANOTHER_RUN, Holding, itself, sql

FILE = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], "kalends_daily.py")


def load():
    spec = importlib.util.spec_from_file_location("kalends_daily", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.kalends_daily()


def ends(dag):
    """The state of each task, and at which try."""
    ran = dag.test(run_conf={"wait": "1s"})
    return {task.task_id: (str(task.state), task.try_number) for task in ran.get_task_instances()}


def main():
    dag = load()
    assert all(task.retries == 5 for task in dag.tasks), dag.tasks
    for task in dag.tasks:
        task.retry_delay = timedelta(seconds=1)

    # Somebody edits the warehouse: a run looks at what production changed, and `verify` at all.
    sql("warehouse", "UPDATE kalends_raw.entity SET value = value + 1 WHERE created_at < '2024-02-02'")
    ended = ends(dag)
    assert ended == {"settle_and_publish": ("success", 1), "verify": ("failed", 1)}, ended
    itself("verify", "--repair")

    sql("production", "DELETE FROM entity WHERE created_at >= '2024-02-03'")
    ended = ends(dag)
    assert ended["settle_and_publish"] == ("failed", 1), ended
    assert ended["verify"][0] == "upstream_failed", ended
    itself("run", "--accept-loss")

    sql("production", "INSERT INTO entity VALUES ('2024-02-01 12:00', 7)")
    other = Holding("warehouse", ANOTHER_RUN)
    # Long enough for the first try, which waits a second, and short enough for the fifth.
    threading.Timer(8, other.release).start()
    ended = ends(dag)
    assert ended["settle_and_publish"][0] == "success" and ended["settle_and_publish"][1] > 1, ended
    assert ended["verify"] == ("success", 1), ended
    print(ended)


main()
