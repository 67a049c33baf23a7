"""What `test_worker_forks` has forked in a Flink worker's place: it says where and how it runs."""

import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    seen = {
        "arguments": sys.argv[1:],
        "folder": str(Path.cwd()),
        "variable": os.environ.get("GIVEN"),
        "parent": os.getppid(),
        "imported": "sqlite3" in sys.modules,
    }
    sys.stdout.write(json.dumps(seen))
