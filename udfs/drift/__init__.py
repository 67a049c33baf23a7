"""Reference profiles, the comparison of windows with them, verdicts and alarms."""
