"""The millstream command: one module per command, imported only when it is called."""

from pyflink_jobs.cli.main import main

__all__ = ["main"]
