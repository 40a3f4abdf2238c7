"""The private servers of a test that calls Kalends from Python."""

import subprocess

import kalends

# What a run holds while it settles: sql/warehouse/lock.sql.
ANOTHER_RUN = "SELECT pg_advisory_xact_lock(1262570565, 1)"


def itself(*arguments):
    """Runs the program as in a shell; what it printed."""
    return subprocess.run([kalends.program(), *arguments], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def sql(side, statement):
    return itself("local", "psql", side, "--", "-X", "-qAt", "-c", statement).strip()


class Holding:
    """A session that has done these statements and waits, in its transaction, until it is released."""

    def __init__(self, side, statements):
        command = [kalends.program(), "local", "psql", side, "--", "-X", "-qAt"]
        self.session = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        self.session.stdin.write(f"BEGIN; {statements}; SELECT 'held';\n")
        self.session.stdin.flush()
        while "held" not in self.session.stdout.readline():
            pass

    def release(self):
        self.session.stdin.close()
        self.session.wait()
        self.session.stdout.close()
