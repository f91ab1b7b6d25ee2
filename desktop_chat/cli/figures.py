"""The figures of an answer in words, for standard error, and as the JSON object of ``ask --json``."""

from __future__ import annotations

import json
from typing import Final

import msgspec

from desktop_chat.chat.handlers import StreamResult
from desktop_chat.chat.summary import seconds, tokens
from desktop_chat.domain.errors import ErrorReport, Fault
from desktop_chat.domain.metrics import Metrics

_WHOSE: Final = {
    Fault.USER: "on your side",
    Fault.SERVER: "on the server's side",
    Fault.NETWORK: "in the network",
    Fault.PROGRAM: "in this program",
}

_ADVICE: Final = {
    "configuration": "Correct --base-url; most servers want it to end in /v1.",
    "authentication": "Put a valid key into the environment variable that --api-key-env names.",
    "timeout": "Try again, or raise the limit with --timeout-first or --timeout-idle.",
}
"""What to do where the error's own advice leads into the window."""


def analytics_table(metrics: Metrics) -> str:
    """Where the time went, one figure a line."""
    rows = (
        ("connect", seconds(metrics.connect_s)),
        ("TLS", seconds(metrics.tls_s)),
        ("first token", seconds(metrics.ttft_s)),
        ("decode", seconds(metrics.decode_s)),
        ("in all", seconds(metrics.elapsed_s)),
        ("gap p50", seconds(metrics.gap_p50_s)),
        ("gap p95", seconds(metrics.gap_p95_s)),
        ("gap max", seconds(metrics.gap_max_s)),
        ("stalls", str(metrics.stalls)),
        ("tokens", tokens(metrics).partition(" ")[0]),
        ("tokens/s", "–" if metrics.tokens_per_second is None else f"{metrics.tokens_per_second:.1f}"),
        ("prompt", "–" if metrics.prompt_tokens is None else f"{metrics.prompt_tokens} tokens"),
        ("deltas", str(metrics.deltas)),
        ("bytes", f"{metrics.bytes_received:,}"),
        ("retries", str(metrics.retries)),
    )
    return "\n".join(f"  {name:<12}{value:>12}" for name, value in rows)


def error_lines(report: ErrorReport) -> str:
    """What happened and whose fault it is; then what to do."""
    status = f"; HTTP {report.status}" if report.status is not None else ""
    happened = f"{report.sentence.rstrip('.')} ({_WHOSE[report.fault]}{status})."
    in_window = "Settings" in report.advice
    advice = _ADVICE.get(report.kind, report.advice) if in_window else report.advice
    return f"{happened}\n{advice}" if advice else happened


def json_line(result: StreamResult) -> str:
    """The object of ``ask --json``, in one line."""
    error = result.error
    return json.dumps(
        {
            "outcome": result.outcome.value,
            "text": result.text,
            "reasoning": result.reasoning,
            "tool_calls": [msgspec.structs.asdict(call) for call in result.tool_calls],
            "finish_reason": result.finish_reason,
            "usage": result.usage,
            "metrics": {
                **msgspec.structs.asdict(result.metrics),
                "phase": result.metrics.phase.value,
            },
            "error": error
            and {
                "kind": error.kind,
                "status": error.status,
                "message": error.message or error.sentence,
                "retry_after_s": error.retry_after_s,
            },
            "warnings": list(result.warnings),
        },
        ensure_ascii=False,
    )
