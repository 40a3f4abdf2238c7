"""Kalends, every day, in Dagster: an asset of the published figures, and a check that proves them.

Install the package `kalends` beside Dagster. The servers come from the environment or from the settings file:
KALENDS_PRODUCTION_URL, KALENDS_WAREHOUSE_URL, KALENDS_CONFIG, KALENDS_EXPORTS.

Busy (75) and failed (1) are tried again. Usage (2) and a refusal (4) need a person: trying again does not help. A
difference (3) fails the check.
"""

import dagster as dg
from kalends import Error, Kalends, Refused, Usage

AGAIN = dg.RetryPolicy(max_retries=5, delay=120, backoff=dg.Backoff.EXPONENTIAL)


class Settings(dg.Config):
    """How long to wait for another run to end, instead of being busy at once."""

    wait: str = "10m"


def failure(error: Error) -> dg.Failure:
    return dg.Failure(error.message, allow_retries=not isinstance(error, (Refused, Usage)))


@dg.asset(retry_policy=AGAIN, kinds={"postgres", "csv"})
def published_figures(config: Settings) -> dg.MaterializeResult:
    """Accounts of days, months and years in the warehouse, and the CSV files that are published of them."""
    try:
        ran = Kalends().run(wait=config.wait)
    except Error as error:
        raise failure(error) from error
    return dg.MaterializeResult(
        metadata={
            "production as of": min(entity.production_as_of for entity in ran.entities),
            "loaded rows": sum(entity.loaded_rows for entity in ran.entities),
            "written files": ran.written_files,
            "removed files": ran.removed_files,
        }
    )


@dg.asset_check(asset=published_figures, blocking=True, retry_policy=AGAIN)
def equal_to_production() -> dg.AssetCheckResult:
    """Production, the warehouse's rows, the accounts and the files are equal."""
    try:
        found = Kalends().verify(wait="10m")
    except Error as error:
        raise failure(error) from error
    return dg.AssetCheckResult(
        passed=found.equal,
        metadata={
            "rows": found.rows,
            "days": found.days,
            "differences": [f"{one.layer} {one.what}: {one.how}" for one in found.differences[:10]],
        },
    )


daily = dg.define_asset_job("kalends_daily", selection=[published_figures])

defs = dg.Definitions(
    assets=[published_figures],
    asset_checks=[equal_to_production],
    jobs=[daily],
    # One run at a time; a second one would wait, or end as busy.
    schedules=[dg.ScheduleDefinition(job=daily, cron_schedule="15 2 * * *", execution_timezone="UTC")],
)
