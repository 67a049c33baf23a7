"""Reference profiles, windows against them, alarms."""
