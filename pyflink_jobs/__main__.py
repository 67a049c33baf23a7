"""`python -m pyflink_jobs`: the millstream command."""

from pyflink_jobs.cli import main

main()
