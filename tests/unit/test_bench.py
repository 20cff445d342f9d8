"""The benchmarks are not run here, but they start as the Makefile starts them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["proxy", "transfer"])
def test_a_benchmark_starts_as_a_script(name, tmp_path):
    script = ROOT / "bench" / f"{name}.py"
    done = subprocess.run(
        [sys.executable, script, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--rounds" in done.stdout
    assert f"bench/{name}.py" in (ROOT / "Makefile").read_text()
