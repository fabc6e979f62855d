"""What is aimed at. Ratios are medians of the ratios of neighbouring rounds."""

import statistics
from dataclasses import dataclass
from typing import Callable

from measure import median, ratios


@dataclass
class Goal:
    title: str
    limit: float
    value: Callable
    unit: str = ""
    digits: int = 2
    sign: str = "≤ "

    def show(self, x):
        return f"{x:,.{self.digits}f}{self.unit}"


def ratio(task, label="doorward", base="nginx+lua", key="us"):
    return lambda results: statistics.median(ratios(results[task], label, base, key))


def count(task, label, key):
    return lambda results: results[task][label][0][key]


def above_static(results):
    junk = results["junk"]
    return statistics.median(a["us"] - b["us"] for a, b in zip(junk["doorward, junk cookie"], junk["doorward, static 401"]))


GOALS = [
    Goal("CPU a request, of nginx+lua", 0.40, ratio("main")),
    Goal("CPU a request, of nginx without authentication", 0.95, ratio("main", base="nginx, no auth")),
    Goal("10 KiB answers, of nginx+lua", 0.38, ratio("10k")),
    Goal("browser-sized heads, of nginx+lua", 0.40, ratio("browser")),
    Goal("256 connections, of nginx+lua", 0.33, ratio("256")),
    Goal("Redis's own CPU a request, of what nginx+lua costs it", 0.35, ratio("main", key="redis")),
    Goal("user instructions a request, small head", 20_000, count("instructions", "doorward, small head", "instructions"), digits=0),
    Goal("user instructions a request, browser's head", 30_000, count("instructions", "doorward, browser's head", "instructions"), digits=0),
    Goal("system calls a request at saturation", 5.0, count("syscalls", "doorward", "saturated")),
    Goal("heap allocations a request, steady keep-alive", 0, count("allocations", "doorward", "allocations")),
    Goal("p50 at 60 % of nginx+lua's saturation, of nginx+lua", 0.9, ratio("latency-60", key="p50")),
    Goal("p99 at 60 % of nginx+lua's saturation, of nginx+lua", 0.5, ratio("latency-60", key="p99")),
    Goal("memory of an idle keep-alive connection", 1.5, count("memory", "doorward", "connection"), " KB"),
    Goal("memory after load", 12, lambda r: r["memory"]["doorward"][0]["load"] / 1024, " MB", 1),
    Goal("unix sockets to Redis and application, of nginx+lua over TCP", 0.33, ratio("unix", "doorward, unix sockets")),
    Goal("two workers against one, CPU a request", 1.1, ratio("workers", "two workers", "one worker")),
    Goal("a junk cookie refused, above a static 401", 3.0, above_static, " µs"),
    Goal("TLS keep-alive, of nginx+lua with TLS", 0.55, ratio("tls")),
]
