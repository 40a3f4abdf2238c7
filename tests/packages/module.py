#!/usr/bin/env python3
"""What `import kalends` gives, on private servers that it starts in the working folder: each command's answer as typed
objects that leave out nothing of the JSON, and an exception for each way to fail.

    module.py
"""

import dataclasses
import json
import os
import signal
import threading
import types
import typing
import unittest
from pathlib import Path

import kalends
from kalends import documents
from servers import ANOTHER_RUN, Holding, itself, sql

os.environ["RANDOM_MAIN_CONTROLLER"] = "1"
KALENDS = kalends.Kalends()


def unknown_keys(kind, value, path):
    """Keys of a JSON value that its type does not have."""
    if isinstance(kind, types.UnionType):
        kind = typing.get_args(kind)[0]
    within = typing.get_args(kind)
    if value is None or kind is typing.Any:
        return []
    if dataclasses.is_dataclass(kind):
        value = kind.arranged(value) if hasattr(kind, "arranged") else value
        hints = {documents.key(name): hint for name, hint in typing.get_type_hints(kind).items()}
        unknown = [f"{path}.{name}" for name in value if name not in hints]
        known = [name for name in value if name in hints]
        return unknown + [key for name in known for key in unknown_keys(hints[name], value[name], f"{path}.{name}")]
    if typing.get_origin(kind) is list:
        return [key for one in value for key in unknown_keys(within[0], one, path)]
    if typing.get_origin(kind) is dict and within[1] is not typing.Any:
        return [key for one in value.values() for key in unknown_keys(within[1], one, path)]
    return []


class Module(unittest.TestCase):
    """In the order of their names, on the same servers."""

    @classmethod
    def setUpClass(cls):
        itself("local", "start")
        itself("simulate", "2024", "2")

    @classmethod
    def tearDownClass(cls):
        itself("local", "stop")

    def test_1_check_plan_run_and_status(self):
        check = KALENDS.check()
        self.assertTrue(check.ready)
        self.assertEqual((check.problems, check.exit_code), (0, 0))
        self.assertIn("production", {finding.about for finding in check.findings})

        rows = int(sql("production", "SELECT count(*) FROM entity"))
        plan = KALENDS.plan(out="plan.json")
        self.assertFalse(plan.nothing_to_do)
        [planned] = plan.entities
        self.assertEqual((planned.surveyed_rows, {day.cause for day in planned.days}), (rows, {"new"}))

        ran = KALENDS.run(plan="plan.json")
        [prepared] = ran.entities
        self.assertEqual((prepared.entity, prepared.loaded_rows, prepared.settled_days), ("entity", rows, {"new": 29}))
        self.assertEqual({file.path for file in plan.files.write}, {str(path) for path in published()})
        self.assertEqual((ran.written_files, ran.failed), (len(published()), []))
        self.assertGreater(prepared.took_seconds.settle, 0)

        status = KALENDS.status(max_age="26h")
        self.assertFalse(status.differs)
        self.assertEqual((status.settled_rows, status.settled_days), (rows, 29))
        self.assertEqual(status.newest_day, {"entity": "2024-02-29"})
        self.assertEqual(status.proofs["entity"].proven_as_of, prepared.production_as_of)
        self.assertTrue(KALENDS.status(max_age="0s").differs)

        again = KALENDS.run()
        self.assertEqual((again.written_files, again.unchanged_files), (0, ran.written_files))

    def test_2_a_late_row_is_a_difference_and_then_history(self):
        sql("production", "INSERT INTO entity VALUES ('2024-02-05 12:00', 7)")
        verify = KALENDS.verify()
        self.assertTrue(verify.differs and not verify.equal)
        self.assertIn(("rows", "2024-02-05"), {(one.layer, one.what) for one in verify.differences})

        [compared] = KALENDS.diff("2024-02-05").entities
        self.assertEqual((compared.warehouse_lacks, compared.production_lacks), (1, 0))
        self.assertEqual((compared.rows[0].lacks, compared.rows[0].values[1]), ("warehouse", "7"))

        [entity] = KALENDS.plan().entities
        [day] = entity.days
        self.assertEqual((day.day, day.cause, day.rows.after - day.rows.before), ("2024-02-05", "grown", 1))
        self.assertEqual({account.period for account in entity.accounts}, {"2024-02-05", "2024-02", "2024"})

        self.assertEqual(KALENDS.prepare().entities[0].settled_days, {"grown": 1})
        self.assertEqual(KALENDS.status().due.write, [file.path for file in KALENDS.plan().files.write])
        self.assertEqual(KALENDS.export(2024, 2).written_files, 3)
        self.assertTrue(KALENDS.verify(exact=True).equal)

        [restated] = [one for one in KALENDS.history("2024-02-05").restatements if one.level == "day"]
        self.assertEqual((restated.causes[0].what, restated.rows.after - restated.rows.before), ("late rows", 1))
        self.assertIn("sum_values", {statistic.name for statistic in restated.statistics})

        [shown] = KALENDS.show("2024-02").entities
        self.assertEqual((shown.whole.period, len(shown.lines)), ("2024-02", 29))
        self.assertEqual(shown.whole.rows, sum(line.rows for line in shown.lines))

    def test_3_every_key_of_the_json_is_typed(self):
        sql("production", "INSERT INTO entity VALUES ('2024-02-06 12:00', 7)")
        self.every_key_is_typed(KALENDS)

        # With what the default table has not: dimensions, a share of older days, several entities.
        rows = "('2024-02-01', 5, 'Lyon'), (now(), 6, NULL)"
        sql("production", "CREATE TABLE visits (at timestamp, spent numeric, city text)")
        sql("production", f"INSERT INTO visits VALUES {rows}")
        Path("parts.toml").write_text(
            '[[entity]]\nname = "entity"\ntable = "public.entity"\ntime = "created_at"\nmeasures = ["value"]\n'
            '[[entity]]\nname = "visits"\ntable = "public.visits"\ntime = "at"\nmeasures = ["spent"]\n'
            'dimensions = ["city"]\nrecent = "2 days"\nprove_all_every = "24h"\n',
            encoding="utf-8",
        )
        parts = kalends.Kalends(config="parts.toml", exports="parts")
        parts.run()
        sql("production", "UPDATE visits SET spent = spent + 1")
        self.every_key_is_typed(parts, by="city")
        [moved] = [one for one in parts.history(entity="visits").restatements if one.level == "day"]
        self.assertEqual((moved.combinations.dimensions, moved.combinations.moved[0].values), (["city"], [None]))

    def every_key_is_typed(self, caller, by=None):
        year = sql("production", "SELECT to_char(now(), 'YYYY')")
        for command, kind in [
            (("check",), documents.Check),
            (("plan",), documents.Plan),
            (("verify",), documents.Verify),
            (("diff", "2024-02-06"), documents.Diff),
            (("prepare",), documents.Prepare),
            (("status",), documents.Status),
            (("run",), documents.Run),
            (("export",), documents.Export),
            (("history",), documents.History),
            (("show",), documents.Show),
            (("report",), documents.Report),
            (("report", "--out", "pages"), documents.Report),
            (("show", year, "--entity", "visits", "--by", by) if by else ("show", "2024"), documents.Show),
        ]:
            with self.subTest(command):
                code, printed, said = caller.call("--json", *command)
                self.assertIn(code, (0, 3), said)
                self.assertEqual(unknown_keys(kind, json.loads(printed), kind.__name__), [])
                kalends.typed(kind, {**json.loads(printed), "differs": code == 3})

    def test_4_what_is_held_is_refused_and_says_what_was_done(self):
        sql("production", "DELETE FROM entity WHERE created_at >= '2024-02-03' AND created_at < '2024-02-28'")
        with self.assertRaises(kalends.Refused) as raised:
            KALENDS.run()
        self.assertEqual((raised.exception.exit_code, raised.exception.command), (4, "run"))
        [prepared] = raised.exception.answer.entities
        [held] = prepared.held
        self.assertEqual((held.period, held.kind), ("2024-02", "loss"))
        self.assertEqual([left.period for left in KALENDS.status().held], ["2024-02"])
        self.assertEqual(KALENDS.run(accept_loss=["2024-02"]).entities[0].held, [])

    def test_5_usage_failed_and_busy(self):
        with self.assertRaises(kalends.Usage) as raised:
            kalends.Kalends(config="nowhere.toml").run()
        self.assertIn("nowhere.toml", raised.exception.message)
        nobody = {f"KALENDS_{side}_URL": "postgresql://127.0.0.1:9/nobody" for side in ("PRODUCTION", "WAREHOUSE")}
        with self.assertRaises(kalends.Error) as raised:
            kalends.Kalends(environment=nobody).run()
        self.assertEqual((type(raised.exception), raised.exception.exit_code), (kalends.Error, 1))
        self.assertFalse(kalends.Kalends(environment=nobody).check().ready)

        sql("production", "INSERT INTO entity VALUES ('2024-02-07 12:00', 7)")
        other = Holding("warehouse", ANOTHER_RUN)
        with self.assertRaises(kalends.Busy) as raised:
            KALENDS.run()
        other.release()
        self.assertEqual(raised.exception.exit_code, 75)

    def test_6_whoever_interrupts_the_caller_stops_the_program(self):
        def interrupt(*_):
            raise InterruptedError

        Path("patient.toml").write_text('[limits]\nlock_timeout = "1h"\n', encoding="utf-8")
        sql("production", "INSERT INTO entity VALUES ('2024-02-08 12:00', 7)")
        other = Holding("production", "LOCK TABLE entity")
        # A program that goes on would settle the row then.
        late = threading.Timer(10, other.release)
        late.start()
        signal.signal(signal.SIGALRM, interrupt)
        signal.alarm(2)
        with self.assertRaises(InterruptedError):
            kalends.Kalends(config="patient.toml").run()
        late.join()
        self.assertFalse(KALENDS.plan().nothing_to_do)

    def test_7_of_several_entities_the_one_that_failed_is_named(self):
        sql("production", "CREATE TABLE orders (at timestamp, paid numeric)")
        sql("production", "INSERT INTO orders VALUES ('2024-02-01', 5)")
        entity = '[[entity]]\nname = "{0}"\ntable = "public.{0}"\ntime = "at"\nmeasures = ["paid"]\n'
        Path("two.toml").write_text(entity.format("orders") + entity.format("calls"), encoding="utf-8")
        several = kalends.Kalends(config="two.toml", exports="two")
        with self.assertRaises(kalends.Error) as raised:
            several.run()
        answer = raised.exception.answer
        self.assertEqual([one.entity for one in answer.entities], ["orders"])
        self.assertEqual([one.entity for one in answer.failed], ["calls"])
        self.assertIn("calls", answer.failed[0].error)
        sql("production", "CREATE TABLE calls (at timestamp, paid numeric)")
        self.assertEqual([one.entity for one in several.run().entities], ["orders", "calls"])
        self.assertEqual([one.entity for one in several.verify().entities], ["orders", "calls"])


def published():
    return [path.relative_to("exports") for path in Path("exports").rglob("*.csv")]


unittest.main(verbosity=2)
