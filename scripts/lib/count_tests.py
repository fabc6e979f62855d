"""Prints "PASSED FAILED" for what a test runner left behind: `catch LOG` (ctest's verbose log) or `junit FILE`."""

import re
import sys
import xml.etree.ElementTree as ElementTree


def catch(path):
    passed = failed = 0
    for line in open(path, encoding="utf-8", errors="replace"):
        text = re.sub(r"^\d+: ", "", line)
        whole = re.match(r"All tests passed \(.* in (\d+) test cases?\)", text)
        partly = re.match(r"test cases: +(\d+) \|", text)
        if whole:
            passed += int(whole[1])
        elif partly:
            bad = re.search(r"\| +(\d+) failed", text)
            failed += int(bad[1]) if bad else 0
            passed += int(partly[1]) - (int(bad[1]) if bad else 0)
        elif re.search(r"\*\*\*(Exception|Timeout|Not Run)|SIG[A-Z]+ - ", line):
            failed += 1
    return passed, failed


def junit(path):
    try:
        suites = list(ElementTree.parse(path).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return 0, 1
    total, bad = (sum(int(s.get(k, 0)) for s in suites for k in keys) for keys in (["tests"], ["failures", "errors"]))
    return total - bad, bad


print(*{"catch": catch, "junit": junit}[sys.argv[1]](sys.argv[2]))
