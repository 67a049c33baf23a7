"""A job explained: the SQL that Flink gets, and the plan that Flink makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.masking import masked, masked_options
from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.compile.plan import PlannedJob, plan_job
from pyflink_jobs.planning.compile.stages import stages

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

    from pyflink_jobs.planning.compile.stages import Stage
    from pyflink_jobs.planning.declarations import Job

__all__ = ["Explanation", "count_python_operators", "explain_job"]

_PYTHON_OPERATOR = re.compile(r"^[ :+|-]*Python\w+\(", re.MULTILINE)


@dataclass(frozen=True)
class Explanation:
    """`stages` are those of planning, `sql` is the text that Flink gets, `plan` Flink's optimised execution plan.

    Neither has a secret.
    """

    stages: list[Stage]
    sql: str
    plan: str

    @property
    def python_operators(self) -> int:
        """How many operators of the plan run Python; an operator that several sinks share counts once."""
        return len(_PYTHON_OPERATOR.findall(self.plan))

    def as_json(self) -> dict[str, object]:
        """Return the parts as plain values, for `--json`."""
        stages = [{"name": stage.name, "does": list(stage.lines)} for stage in self.stages]
        return {"stages": stages, "sql": self.sql, "plan": self.plan, "python_operators": self.python_operators}


def explain_job(job: Job, environment: TableEnvironment) -> Explanation:
    """Plan a job and return what results; raises what planning raises."""
    planned = plan_job(job, environment)
    return Explanation(stages(job), masked_options(_sql(planned)), masked(_plan(planned)))


def count_python_operators(planned: PlannedJob) -> int:
    """Return how many operators of a planned job run Python."""
    return Explanation([], "", _plan(planned)).python_operators


def _plan(planned: PlannedJob) -> str:
    try:
        explained: str = planned.statements.explain()
    except Exception as error:
        raise planned.refusal(error) from error
    return explained.partition("== Optimized Execution Plan ==")[2].strip()


def _sql(planned: PlannedJob) -> str:
    sources = [
        f"{source.table_sql};\n\nCREATE VIEW {quoted(source.name)} AS\n{source.view_sql};"
        for source in planned.job.validated.values()
    ]
    views = [
        f"CREATE TEMPORARY VIEW {quoted(name)} AS\n{text};"
        for view in planned.views
        for name, text in view.views.items()
    ]
    inserts = ["\n".join(line.rstrip() for line in text.split("\n") if line.strip()) + ";" for text in planned.inserts]
    return "\n\n".join([*sources, *views, *inserts])
