"""`python -m bench.survival`: injects faults into a running job, and counts its records."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.console import console_for_tables
from bench.machine import describe
from bench.survival.fault_round import RESCALED, fault_steps, rescale_steps, run_round
from bench.survival.faults import FAULTS
from bench.survival.isolation import isolate, isolated
from bench.survival.site import Site
from bench.survival.soak import capacity, soak
from bench.survival.tables import faults_table, soak_table
from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.local.jars import jars
from pyflink_jobs.running.fast_start.jvm_options import start_quickly

if TYPE_CHECKING:
    from bench.survival.fault_round import Round


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--tries", type=click.IntRange(min=0), default=10, show_default=True, help="Of each fault; 0: soak only.")
@click.option("--only", multiple=True, type=click.Choice([*FAULTS, RESCALED]), help="May be given more than once.")
@click.option("--rate", type=click.IntRange(min=1), default=150, show_default=True, help="Records a second.")
@click.option("--minutes", type=click.FloatRange(min=0), default=0, help="Then run this long at 80 % of the capacity.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file.")
@click.option("--keep", is_flag=True, help="Keep logs and data.")
def main(*, tries: int, only: tuple[str, ...], rate: int, minutes: float, json_file: Path | None, keep: bool) -> None:
    """Inject faults into a running job, and count its records. The exit status is 1 if any is lost or duplicated.

    \b
    Example:
      python -m bench.survival --tries 1 --only "kill -9 broker"
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    for section in ("kafka", "flink-kafka"):
        jars(section)  # before the network is isolated
    isolate()
    start_quickly()
    chosen = (only or (*FAULTS, RESCALED)) if tries else ()
    skipped = [name for name in chosen if name in FAULTS and FAULTS[name].needs_isolation and not isolated()]
    faults = [FAULTS[name] for name in chosen if name in FAULTS and name not in skipped]
    console = console_for_tables()
    figures: dict[str, Any] = {"machine": describe(), "rate": rate, "skipped": skipped}

    def report(text: str) -> None:
        console.print(f"{time.strftime('%H:%M:%S')} {text}", style="dim", highlight=False)

    state = Path(tempfile.mkdtemp(prefix="millstream-survival-"))
    site = Site(state)
    valid = True
    try:
        report(f"broker at {site.bootstrap}, Flink at {site.url}, data in {state}")
        steps = [*fault_steps(faults, tries), *(rescale_steps(tries) if RESCALED in chosen else [])]
        if steps:
            made = run_round(site, "faults", steps, rate, report)
            console.print(faults_table(made))
            figures |= asdict(made)
            valid = _is_valid(made)
        for name in skipped:
            console.print(f"not tried: {name}: this system does not allow namespaces")
        if minutes:
            report("the capacity")
            soaked = soak(site, "soak", capacity(site, "capacity"), minutes, report)
            console.print(soak_table(soaked))
            figures["soak"] = asdict(soaked)
            valid = valid and not soaked.lost and not soaked.duplicated
    except Exception:
        keep = True  # keep the logs of the failure
        raise
    finally:
        if json_file:
            json_file.write_text(json.dumps(figures, indent=2) + "\n")
        site.close(keep=keep)
        if not keep:
            shutil.rmtree(state, ignore_errors=True)
    sys.exit(0 if valid else 1)


def _is_valid(made: Round) -> bool:
    """Return whether nothing is lost, duplicated, or different from the undisturbed run."""
    differ = any(one.missing or one.extra for one in made.differences.values())
    return not differ and not any(row.lost or row.duplicated for row in made.rows)


if __name__ == "__main__":
    try:
        main()
    except MillstreamError as error:
        sys.exit(f"error: {error}")
