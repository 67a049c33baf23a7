"""Jobs on Flink clusters: targets, packages, submission, upgrades."""
