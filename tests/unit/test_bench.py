"""The benchmarks are not run here, but they start as the Makefile starts them, and understand their tools."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WRK = """Running 2s test @ http://localhost:23000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.30ms  210.00us   8.10ms   91.20%
    Req/Sec    49.21k     1.20k   51.00k    70.00%
  97932 requests in 2.00s, 15.69MB read
Requests/sec:  48966.12
"""
H2LOAD = """Application protocol: h2
finished in 1.00s, 34034.00 req/s, 1.20MB/s
requests: 34034 total, 34098 started, 34034 done, 34034 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 34034 2xx, 0 3xx, 0 4xx, 0 5xx
"""
HEY = """response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset
0.0020,0.0001,0.0000,0.0000,0.0019,0.0000,200,0.0010
0.0010,0.0000,0.0000,0.0000,0.0009,0.0000,200,0.5000
0.0300,0.0000,0.0000,0.0000,0.0299,0.0000,200,1.5000
"""


def run(name, *options, cwd):
    argv = [sys.executable, ROOT / "bench" / f"{name}.py", *options]
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["proxy", "transfer"])
def test_a_benchmark_starts_as_a_script(name, tmp_path):
    done = run(name, "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "--rounds" in done.stdout
    assert f"bench/{name}.py" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("options", [("--only", "http,nothing"), ("--proxies", "apache")])
def test_a_wrong_name_is_told_with_the_right_ones(options, tmp_path):
    done = run("proxy", *options, cwd=tmp_path)
    assert done.returncode == 2
    assert "is none of" in done.stderr


@pytest.fixture
def bench(monkeypatch):
    """Imports a module of bench/, which isn't a package: its scripts are started by their path."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    return import_module


def test_every_module_can_be_imported(bench):
    for folder in ("peers", "loads", "scenarios"):
        for path in (ROOT / "bench" / folder).glob("*.py"):
            bench(f"{folder}.{path.stem}")


def test_wrk(bench):
    done = bench("loads.wrk").parse(WRK)
    assert (done.count, done.seconds, done.per_second) == (97932, 2.0, 48966.0)
    with pytest.raises(SystemExit):
        bench("loads.wrk").parse(WRK.replace("97932", "0"))


def test_h2load(bench):
    assert bench("loads.h2load").parse(H2LOAD, 1.0).count == 34034
    for wrong in (H2LOAD.replace("0 5xx", "1 5xx"), H2LOAD.replace(" h2\n", " http/1.1\n")):
        with pytest.raises(SystemExit):
            bench("loads.h2load").parse(wrong, 1.0)


def test_hey(bench):
    latency = bench("loads.hey").parse(HEY, "nginx")
    assert (latency.p50, latency.p99, latency.per_second) == (2.0, 30.0, 2.0)
    with pytest.raises(SystemExit):
        bench("loads.hey").parse(HEY.replace(",200,", ",502,"), "nginx")


def test_ratios_are_ours_divided_by_theirs(bench, capsys):
    results, figures = bench("results").Results(), bench("scenarios.throughput").Figures
    results.throughput("http", "title", {"iopproxy": figures(40.0, 9.0), "caddy-pooled": figures(100.0, 4.0)})
    assert results.keys["http_cpu_vs_caddy_pooled"] == 0.4
    assert "0.40" in capsys.readouterr().out
