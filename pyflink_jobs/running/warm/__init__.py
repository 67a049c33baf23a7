"""A JVM that stays: `check`, `explain` and `test` use it while `millstream up` keeps it."""
