"""What a profile computes: which stage a stack belongs to, and how CPU seconds are shared out among stages."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bench.profile.measure import split
from bench.profile.samples import python_stages
from bench.profile.stages import OTHER, STAGES, stage_of_java, stage_of_python, stage_of_thread
from bench.profile.thread_trace import Thread, ThreadTrace

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = [
    "org.apache.flink.streaming.runtime.tasks.ChainingOutput.collect",
    "millstream.QuickJson.deserialize",
    "org.apache.flink.connector.kafka.source.reader.KafkaRecordEmitter.emitRecord",
    "java.lang.Thread.run",
]
BURN = """
import sys, threading, time
def burn():
    while time.thread_time() < .3:
        pass
    print("done", flush=True)
    sys.stdin.read()
threading.Thread(target=burn).start()
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("frames", "stage"),
    [
        (
            ["java.lang.String.<init>", "millstream.PlainJsonReader.text", "millstream.QuickJson.deserialize"],
            "decode",
        ),
        (["x.fasterxml.jackson.core.json.UTF8JsonGenerator.writeNumber", "x.JsonRowDataSerializationSchema"], "encode"),
        (SOURCE, "between operators"),
        (["StreamExecCalc$12.processElement", *SOURCE], "columns (generated code)"),
        (["org.apache.flink.table.runtime.arrow.writers.FloatWriter.doWrite", *SOURCE], "rows to Arrow"),
        (["org.apache.kafka.clients.producer.KafkaProducer.doSend", *SOURCE], "Kafka produce"),
        (["java.lang.Thread.run"], OTHER),
    ],
)
def test_the_innermost_call_that_is_known_decides(frames: list[str], stage: str) -> None:
    assert stage_of_java(frames) == stage


def test_stages_of_python() -> None:
    run = "run (onnxruntime/capi/onnxruntime_inference_collection.py:270)"
    assert stage_of_python([run, "score (udfs/scoring/inference.py:80)"]) == "ONNX Runtime"
    assert stage_of_python(["score (udfs/scoring/inference.py:80)", "process (apache_beam/runners/worker.py:1)"]) == (
        "Arrow to numpy"
    )
    assert stage_of_python([]) == OTHER


def test_threads_that_do_one_thing() -> None:
    assert stage_of_thread("C2 CompilerThre") == "Java's compiler"
    assert stage_of_thread("Source: records") is None


def test_a_threads_seconds_are_shared_out_as_its_samples_are() -> None:
    seconds = {
        Thread(1, 10, "java", "Source: records"): 4.0,
        Thread(1, 11, "java", "GC Thread#0"): 0.5,
        Thread(1, 12, "java", "jmx"): 0.25,
        Thread(2, 20, "python3.11", "python3.11"): 1.0,
    }
    java = {10: Counter({"decode": 3, "encode": 1}), 11: Counter({"decode": 1})}
    found = split(seconds, java, {2: Counter({"ONNX Runtime": 1, OTHER: 1})})
    assert found == {
        "jvm": {"decode": 3.0, "encode": 1.0, "Java's garbage collector": 0.5, OTHER: 0.25},
        "python": {"ONNX Runtime": 0.5, OTHER: 0.5},
    }
    assert {stage for stages in found.values() for stage in stages} <= set(STAGES)


def test_samples_of_python_by_process(tmp_path: Path) -> None:
    file = tmp_path / "raw"
    command = 'process 5:"python -c main()"'
    worker = f'{command};process 6:"java";process 7:"python -m worker";main (worker.py:1)'
    lines = [
        f"{command};main (main.py:1) 2",
        f"{worker};run (onnxruntime/capi/x.py:2) 30",
        f"{worker};_read (grpc/_channel.py:3) 12",
    ]
    file.write_text("\n".join(lines))
    assert python_stages(file) == {5: Counter({OTHER: 2}), 7: Counter({"ONNX Runtime": 30, "gRPC and Beam": 12})}


def test_each_threads_seconds_are_its_own() -> None:
    with subprocess.Popen([sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        with ThreadTrace(process.pid) as trace:
            assert process.stdout.readline() == b"done\n"
            trace._look()  # noqa: SLF001 - it looks twice a second
        process.communicate()
    used = trace.between(0, 1e12)
    assert {thread.pid for thread in used} == {process.pid}
    main, burning = sorted(used, key=lambda thread: thread.tid)
    assert used[burning] > 0.25 > used[main]
