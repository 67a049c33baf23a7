"""What is imported when; which package may import which is checked by import-linter in `make lint`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_planning_a_monitored_job_waits_for_no_import_that_it_does_not_need() -> None:
    """Kafka's client and pandas take one second and two; the flights' model has a profile of its reference to read."""
    plans = """
import sys
import pyflink_jobs.running.job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import import_pyflink
import_pyflink()
declarations = declare(Project.find())
assert declarations.models["late_arrival"].additions, "without a monitor nothing is read"
print(sorted({"pandas", "kafka", "scipy", "pyflink"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", plans], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "['pyflink']\n", done.stderr
