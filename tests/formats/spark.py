"""Spark, which reads the folders and globs that the layout of Hive is made for."""

from pyspark.sql import SparkSession

# Nothing is fetched, and no port is open but on this machine. Names may be in double quotes, as in other SQL.
SETTINGS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


class Spark:
    def __init__(self):
        self.session = SparkSession.builder.master("local[1]").config(map=SETTINGS).getOrCreate()

    def parquet(self, path):
        return self.session.read.parquet(str(path))

    def csv(self, path, types=None):
        """All of it as texts, or what the types say of each column of a line, in their order."""
        reader = self.session.read.options(header=True, escape='"', multiLine=True)
        if types:
            reader = reader.schema(", ".join(f"{name} {kind}" for name, kind in types.items()))
        return reader.csv(str(path))

    def answers(self, sql, figures):
        """The rows that it answers of the table `figures`."""
        figures.createOrReplaceTempView("figures")
        return [list(row) for row in self.session.sql(sql).collect()]

    def january(self, example):
        """What an example of the page calls `january`."""
        names = {"spark": self.session}
        exec(example, names)
        return [list(row) for row in names["january"].collect()]
