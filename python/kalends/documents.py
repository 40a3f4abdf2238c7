"""What commands answer: the JSON of docs/reference/json.md, a class for each object.

Moments and periods are text, as in the JSON, and so are statistics, because they are exact. Keys that a newer program
adds are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Typed = TypeVar("Typed")


@dataclass(frozen=True, kw_only=True)
class Document:
    version: int
    #: Whether the command ended with 3: it found a difference.
    differs: bool


@dataclass(frozen=True)
class SetAside:
    without_time: int
    outside_calendar: int


@dataclass(frozen=True, kw_only=True)
class Left:
    """A period that is left as it was settled, because it is held or changing."""

    period: str
    kind: str
    reason: str
    rows_before: int
    rows_now: int
    since: str
    #: In `status` alone.
    entity: str | None = None


@dataclass(frozen=True)
class Failed:
    """One of several entities that failed."""

    entity: str
    error: str
    exit_code: int


@dataclass(frozen=True)
class Finding:
    verdict: str
    about: str
    what: str
    next: str | None


@dataclass(frozen=True, kw_only=True)
class Check(Document):
    ready: bool
    exit_code: int
    problems: int
    warnings: int
    findings: list[Finding]


@dataclass(frozen=True, kw_only=True)
class Days:
    """From the first of them until the day after the last; None if there is no first or last."""

    from_: str | None
    until: str | None
    #: Of a hint alone: `rows` or `replaced`.
    why: str | None = None
    #: In `status` alone: the moment as of which they were looked at.
    as_of: str | None = None


@dataclass(frozen=True)
class Older:
    recent_from: str | None
    looked_at: list[Days]
    rows: int
    slices: int
    seconds: float
    hints: list[Days]
    left_parts: int
    gave_way: str | None
    as_of: str | None


@dataclass(frozen=True)
class Took:
    survey: float
    copy: float
    settle: float


@dataclass(frozen=True)
class HeldProduction:
    longest_lock_seconds: float
    longest_snapshot_seconds: float
    rows_read: int


@dataclass(frozen=True)
class Prepared:
    """What was done for one entity."""

    entity: str
    production_as_of: str
    surveyed_rows: int
    surveyed_days: int
    older: Older | None
    set_aside: SetAside
    settled_days: dict[str, int]
    settled_months: int
    loaded_rows: int
    renewed_checksums: int
    settled_anew: list[str]
    mended_periods: list[str]
    held: list[Left]
    accept: str | None
    changing: list[Left]
    took_seconds: Took
    held_production: HeldProduction


@dataclass(frozen=True, kw_only=True)
class Prepare(Document):
    """Entity by entity, also if there is only one."""

    entities: list[Prepared]
    failed: list[Failed]

    @staticmethod
    def arranged(document: dict[str, Any]) -> dict[str, Any]:
        if "entities" not in document:
            # With one entity, the document has its keys.
            of_entity = {field.name for field in fields(Prepared)} & document.keys()
            entities = [{name: document[name] for name in of_entity}]
            document = {name: document[name] for name in document.keys() - of_entity} | {"entities": entities}
        failed = [entity for entity in document["entities"] if "error" in entity]
        done = [entity for entity in document["entities"] if "error" not in entity]
        return {**document, "entities": done, "failed": failed}


@dataclass(frozen=True, kw_only=True)
class Export(Document):
    month: str | None = None
    written_files: int
    listed_files: int
    removed_files: int
    unchanged_files: int
    open_files: int
    written_pages: int
    removed_pages: int


@dataclass(frozen=True, kw_only=True)
class Run(Prepare):
    written_files: int
    listed_files: int
    removed_files: int
    unchanged_files: int
    open_files: int
    written_pages: int
    removed_pages: int


@dataclass(frozen=True)
class Rows:
    before: int
    after: int


@dataclass(frozen=True)
class Statistic:
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Combination:
    values: list[str | None]
    rows: Rows
    statistics: list[Statistic]


@dataclass(frozen=True, kw_only=True)
class Combinations:
    dimensions: list[str]
    moved: list[Combination]
    not_listed: int
    #: In a plan alone.
    day: str | None = None


@dataclass(frozen=True)
class PlannedDay:
    day: str
    cause: str
    rows: Rows


@dataclass(frozen=True)
class PlannedAccount:
    level: str
    period: str
    rows: Rows
    statistics: list[Statistic]


@dataclass(frozen=True)
class PlannedOlder:
    recent_from: str
    due_rows: int
    due_days: int
    rows: int


@dataclass(frozen=True)
class Database:
    system_identifier: str
    database_oid: int


@dataclass(frozen=True)
class PlannedEntity:
    entity: str
    production_as_of: str
    production: Database
    definition: dict[str, Any]
    survey: str
    surveyed_rows: int
    surveyed_days: int
    older: PlannedOlder | None
    set_aside: SetAside
    settled_anew: list[str]
    mended_periods: list[str]
    held: list[Left]
    accept: str | None
    changing: list[Left]
    days: list[PlannedDay]
    accounts: list[PlannedAccount]
    combinations: list[Combinations]
    not_looked_into_days: int


@dataclass(frozen=True)
class PlannedFile:
    path: str
    why: str


@dataclass(frozen=True)
class PlannedFiles:
    write: list[PlannedFile]
    list_: list[str]
    remove: list[str]
    unchanged_files: int


@dataclass(frozen=True, kw_only=True)
class Plan(Document):
    kind: str
    nothing_to_do: bool
    warehouse: str | None
    warehouse_database: Database
    generation: int | None
    accept_loss: list[str] | None
    entities: list[PlannedEntity]
    files: PlannedFiles
    publishing_refused: str | None
    digest: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    layer: str
    what: str
    how: str
    #: With several entities alone.
    entity: str | None = None


@dataclass(frozen=True)
class Verified:
    entity: str
    production_as_of: str
    rows: int
    days: int
    set_aside: SetAside


@dataclass(frozen=True, kw_only=True)
class Verify(Document):
    """With one entity, `entities` and `failed` are empty."""

    equal: bool
    exact: bool
    sample: str | None
    production_as_of: str | None
    rows: int
    days: int
    set_aside: SetAside
    differences: list[Difference]
    entities: list[Verified]
    failed: list[Failed]

    @staticmethod
    def arranged(document: dict[str, Any]) -> dict[str, Any]:
        return Prepare.arranged({"entities": [], **document})


@dataclass(frozen=True)
class Proof:
    proven_as_of: str | None
    age_seconds: float | None
    whole: bool
    settled_as_of: str | None
    recent_from: str | None
    oldest_as_of: str | None
    oldest_age_seconds: float | None
    older: list[Days]
    older_rows: int
    due_rows: int


@dataclass(frozen=True)
class LastRun:
    run: int
    production_as_of: str
    settled_at: str
    days: int
    rows: int


@dataclass(frozen=True)
class Due:
    write: list[str]
    list_: list[str]
    remove: list[str]
    unchanged_files: int
    open_files: int
    manifest: bool


@dataclass(frozen=True)
class Failure:
    at: str
    command: str
    entity: str | None
    exit_code: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Status(Document):
    proven_as_of: str | None
    age_seconds: float | None
    oldest_as_of: str | None
    oldest_age_seconds: float | None
    proofs: dict[str, Proof]
    complete_through: dict[str, str]
    newest_day: dict[str, str]
    last_run: LastRun | None
    settled_rows: int
    settled_days: int
    not_in_settings: list[str]
    due: Due
    held: list[Left]
    changing: list[Left]
    failures: list[Failure]


@dataclass(frozen=True)
class Cause:
    what: str
    days: int | None


@dataclass(frozen=True)
class Restatement:
    run: int
    production_as_of: str
    settled_at: str
    entity: str
    level: str
    period: str
    causes: list[Cause]
    rows: Rows
    statistics: list[Statistic]
    combinations: Combinations | None


@dataclass(frozen=True, kw_only=True)
class History(Document):
    entity: str | None
    period: str | None
    restatements: list[Restatement]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of a period, or with `by` of a value."""

    period: str | None = None
    value: str | None = None
    closed: bool | None = None
    rows: int
    statistics: dict[str, str | None]


@dataclass(frozen=True)
class Shown:
    entity: str
    period: str | None
    measure: str
    complete_through: str | None
    whole: Figures | None
    lines: list[Figures]


@dataclass(frozen=True, kw_only=True)
class Show(Document):
    entities: list[Shown]


@dataclass(frozen=True, kw_only=True)
class Report(Document):
    folder: str
    first: str | None
    pages: int
    # Without a folder of their own, the files that were published with them.
    written_files: int | None = None
    listed_files: int | None = None
    removed_files: int | None = None
    unchanged_files: int | None = None
    open_files: int | None = None
    written_pages: int | None = None
    removed_pages: int | None = None


@dataclass(frozen=True)
class Lacking:
    lacks: str
    copies: int
    values: list[str | None]


@dataclass(frozen=True)
class Compared:
    entity: str
    production_as_of: str
    equal: bool
    columns: list[str]
    production_rows: int
    warehouse_rows: int
    warehouse_lacks: int
    production_lacks: int
    rows: list[Lacking]
    not_listed: int


@dataclass(frozen=True, kw_only=True)
class Diff(Document):
    day: str
    entities: list[Compared]


def key(name: str) -> str:
    """The JSON's name of a field: `from` and `list` are words of Python."""
    return name.rstrip("_")


def typed(kind: Any, value: Any) -> Any:
    """A value of the JSON as this type. TypeError if a key is missing."""
    if value is None or kind is Any:
        return value
    if isinstance(kind, type) and is_dataclass(kind):
        value = kind.arranged(value) if hasattr(kind, "arranged") else value
        hints = get_type_hints(kind)
        known = [field.name for field in fields(kind) if key(field.name) in value]
        return kind(**{name: typed(hints[name], value[key(name)]) for name in known})
    within = get_args(kind)
    if get_origin(kind) is list:
        return [typed(within[0], one) for one in value]
    if get_origin(kind) is dict:
        return {name: typed(within[1], one) for name, one in value.items()}
    if isinstance(kind, UnionType):
        return typed(within[0], value)
    return value
