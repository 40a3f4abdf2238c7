"""Runs commands of Kalends, and gives their JSON as typed objects.

>>> from kalends import Kalends
>>> Kalends(config="kalends.toml").run().written_files
12
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .documents import (
    Check,
    Diff,
    Export,
    History,
    Plan,
    Prepare,
    Report,
    Run,
    Show,
    Status,
    Verify,
    typed,
)

__all__ = ["Busy", "Error", "Kalends", "Refused", "Usage", "program"]

# What the program says while it works, a line each.
log = logging.getLogger("kalends")

DIFFERENCE = 3
Answer = TypeVar("Answer")
StrPath = str | os.PathLike[str]


class Error(Exception):
    """A command failed: it ended neither with 0 (done) nor with 3 (a difference was found)."""

    def __init__(self, command: str, exit_code: int, message: str, answer: Any = None) -> None:
        super().__init__(f"kalends {command} ended with {exit_code}: {message}")
        self.command = command
        self.exit_code = exit_code
        #: What the program said about it, with the next step.
        self.message = message
        #: What was done all the same, as the command would have returned it; None if it did nothing.
        self.answer = answer


class Usage(Error):
    """Invalid arguments or settings (2). Nothing was changed."""


class Refused(Error):
    """Refused, or something is held (4): a person has to look. Trying again does not help."""


class Busy(Error):
    """Another run is at work (75): try again."""


_ERRORS: dict[int, type[Error]] = {2: Usage, 4: Refused, 75: Busy}


def program() -> str:
    """The path of the program that this package brought, else of the first on PATH."""
    for folder in (sysconfig.get_path("scripts"), str(Path(__file__).parent.parent / "bin")):
        if (path := Path(folder, "kalends")).is_file():
            return str(path)
    if on_path := shutil.which("kalends"):
        return on_path
    raise FileNotFoundError("no program kalends beside this package, and none on PATH")


@dataclass(frozen=True)
class Kalends:
    """How the program is called: its settings, and what differs from this process's environment and folder."""

    config: StrPath | None = None
    exports: StrPath | None = None
    environment: Mapping[str, str] | None = None
    folder: StrPath | None = None

    def check(self) -> Check:
        """Whether a run can start, and what to do if not. `ready` says so; it raises for no finding."""
        return self._answer(Check, "check", findings=True)

    def run(
        self,
        *,
        accept_loss: bool | Iterable[str] = False,
        take_over: bool = False,
        look_at_all: bool = False,
        plan: StrPath | None = None,
        closed_only: bool = False,
        wait: str | None = None,
        metrics: StrPath | None = None,
    ) -> Run:
        """Makes the warehouse equal to production, then publishes all files that are due."""
        return self._answer(
            Run, "run", accept_loss=accept_loss, take_over=take_over, all=look_at_all, plan=plan,
            closed_only=closed_only, wait=wait, metrics=metrics,
        )

    def prepare(
        self,
        *,
        accept_loss: bool | Iterable[str] = False,
        look_at_all: bool = False,
        plan: StrPath | None = None,
        wait: str | None = None,
        metrics: StrPath | None = None,
    ) -> Prepare:
        """Makes the warehouse equal to production, and publishes nothing."""
        return self._answer(
            Prepare, "prepare", accept_loss=accept_loss, all=look_at_all, plan=plan, wait=wait, metrics=metrics
        )

    def export(
        self,
        year: int | None = None,
        month: int | None = None,
        *,
        take_over: bool = False,
        closed_only: bool = False,
        wait: str | None = None,
    ) -> Export:
        """Publishes the files of a month and its year, or all that are due."""
        values = [str(value) for value in (year, month) if value is not None]
        return self._answer(Export, "export", *values, take_over=take_over, closed_only=closed_only, wait=wait)

    def plan(
        self,
        *,
        out: StrPath | None = None,
        accept_loss: bool | Iterable[str] = False,
        take_over: bool = False,
        wait: str | None = None,
    ) -> Plan:
        """What a run would do. Changes nothing; `out` is a file for `run(plan=…)`."""
        return self._answer(Plan, "plan", out=out, accept_loss=accept_loss, take_over=take_over, wait=wait)

    def verify(
        self, *, sample: str | None = None, exact: bool = False, closed_only: bool = False, wait: str | None = None
    ) -> Verify:
        """Whether production, warehouse and files are equal, and what differs."""
        return self._answer(Verify, "verify", sample=sample, exact=exact, closed_only=closed_only, wait=wait)

    def status(
        self,
        *,
        max_age: str | None = None,
        max_age_of_all: str | None = None,
        closed_only: bool = False,
        wait: str | None = None,
        metrics: StrPath | None = None,
    ) -> Status:
        """How fresh the figures are, and what is due or held. `differs` says whether something is due or too old."""
        return self._answer(
            Status, "status", max_age=max_age, max_age_of_all=max_age_of_all, closed_only=closed_only, wait=wait,
            metrics=metrics,
        )

    def history(self, period: str | None = None, *, entity: str | None = None) -> History:
        """Which settled periods changed, when and why."""
        return self._answer(History, "history", *([period] if period else []), entity=entity)

    def show(
        self,
        period: str | None = None,
        *,
        by: str | None = None,
        measure: str | None = None,
        entity: str | None = None,
    ) -> Show:
        """The figures of periods, or of a dimension's values."""
        return self._answer(Show, "show", *([period] if period else []), by=by, measure=measure, entity=entity)

    def report(
        self,
        *,
        out: StrPath | None = None,
        take_over: bool = False,
        closed_only: bool = False,
        wait: str | None = None,
    ) -> Report:
        """Writes pages for people beside the files, or into a folder of their own."""
        return self._answer(Report, "report", out=out, take_over=take_over, closed_only=closed_only, wait=wait)

    def diff(self, day: str, *, entity: str | None = None, limit: int | None = None) -> Diff:
        """The rows of a day that production and the warehouse do not share."""
        return self._answer(Diff, "diff", day, entity=entity, limit=limit)

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """Runs the program: its exit code, and what it printed on stdout and stderr."""
        common = _flags({"config": self.config, "exports": self.exports})
        said: list[str] = []
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as printed,
            subprocess.Popen(
                [program(), *common, *arguments],
                stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.PIPE,
                encoding="utf-8", errors="replace", cwd=self.folder,
                env=None if self.environment is None else {**os.environ, **self.environment},
            ) as process,
        ):
            assert process.stderr is not None
            try:
                for line in process.stderr:
                    said.append(line)
                    log.info("%s", line.rstrip())
                code = process.wait()
            except BaseException:
                # Whoever interrupts us means the program too: it rolls back the month in progress, and ends.
                process.terminate()
                raise
            printed.seek(0)
            return code, printed.read(), "".join(said)

    def _answer(self, kind: type[Answer], command: str, *values: str, findings: bool = False, **flags: Any) -> Answer:
        code, printed, said = self.call("--json", command, *values, *_flags(flags))
        answer: Answer | None = None
        if printed.strip():
            answer = typed(kind, {**json.loads(printed), "differs": code == DIFFERENCE})
        if answer is not None and (code in (0, DIFFERENCE) or findings):
            return answer
        raise _ERRORS.get(code, Error)(command, code, said.strip() or "it said nothing", answer)


def _flags(flags: Mapping[str, Any]) -> list[str]:
    """As they are typed: True is a flag without a value, a list has its values behind it."""
    typed_flags: list[str] = []
    for name, value in flags.items():
        flag = f"--{name.replace('_', '-')}"
        if value is None or value is False:
            continue
        if value is True:
            typed_flags.append(flag)
        elif isinstance(value, (str, int, os.PathLike)):
            typed_flags.append(f"{flag}={os.fspath(value) if isinstance(value, os.PathLike) else value}")
        else:
            typed_flags += [flag, *value]
    return typed_flags
