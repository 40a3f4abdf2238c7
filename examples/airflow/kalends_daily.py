"""Kalends, every day, in Airflow 3: settles and publishes, then proves that all is equal.

Install the package `kalends` where tasks run. The servers come from the worker's environment or from the settings file:
KALENDS_PRODUCTION_URL, KALENDS_WAREHOUSE_URL, KALENDS_CONFIG, KALENDS_EXPORTS.

Busy (75) and failed (1) are tried again. Usage (2), a difference (3) and a refusal (4) need a person: trying again does
not help, so the task fails at once.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

RETRIES = {"retries": 5, "retry_delay": timedelta(minutes=2), "retry_exponential_backoff": True}


@dag(
    schedule="15 2 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    # A run settles whatever changed since the last one, so one that was missed need not be made up for.
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
    # How long to wait for another run to end, instead of being busy at once.
    params={"wait": "10m"},
    tags=["kalends"],
)
def kalends_daily():
    @task(execution_timeout=timedelta(hours=2))
    def settle_and_publish(params=None) -> dict[str, int]:
        from kalends import Kalends, Refused, Usage

        try:
            ran = Kalends().run(wait=params["wait"])
        except (Refused, Usage) as error:
            raise AirflowFailException(error.message) from error
        return {
            "loaded_rows": sum(entity.loaded_rows for entity in ran.entities),
            "written_files": ran.written_files,
            "removed_files": ran.removed_files,
        }

    @task(execution_timeout=timedelta(hours=2))
    def verify(params=None) -> str:
        from kalends import Kalends, Refused, Usage

        try:
            found = Kalends().verify(wait=params["wait"])
        except (Refused, Usage) as error:
            raise AirflowFailException(error.message) from error
        if found.differs:
            first = [f"{difference.layer} {difference.what}: {difference.how}" for difference in found.differences[:10]]
            raise AirflowFailException("\n".join([f"{len(found.differences)} differences", *first]))
        return f"{found.rows} rows on {found.days} days are equal, as of {found.production_as_of}"

    settle_and_publish() >> verify()


kalends_daily()
