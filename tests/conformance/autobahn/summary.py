"""Judges an Autobahn run, strictly.

    summary.py RESULT_FOLDER CASES

RESULT_FOLDER holds the suite's index.json and a report for each case; CASES is how many must be there.
Prints a row for each group, then each case that did not pass, then one line. Also writes them to summary.txt.

A case passes when its behaviour is OK, or INFORMATIONAL with an opening handshake that was completed (the suite
says INFORMATIONAL even when nothing was ever opened), and its closing handshake is OK or INFORMATIONAL. NON-STRICT,
UNIMPLEMENTED, a wrong close code and a close that the client had to finish do not pass.
Exit: 0 all passed, 1 some did not, 2 cases are missing.
"""

import collections
import json
import pathlib
import sys

PASS = ("OK", "INFORMATIONAL")


def verdict(case, folder):
    if case["behavior"] not in PASS or case["behaviorClose"] not in PASS:
        return "FAILED"
    if case["behavior"] == "INFORMATIONAL":
        report = json.loads((folder / case["reportfile"]).read_text(encoding="utf-8"))
        if "opening handshake was never completed" in report["resultClose"]:
            return "FAILED"
    return case["behavior"]


def main():
    folder, expected = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    cases = {}
    for agent in json.loads((folder / "index.json").read_text(encoding="utf-8")).values():
        cases.update(agent)

    rows = collections.OrderedDict()
    failed = []
    for case_id in sorted(cases, key=lambda c: [int(n) for n in c.split(".")]):
        case = cases[case_id]
        row = rows.setdefault(case_id.split(".")[0], collections.Counter())
        result = verdict(case, folder)
        row[result] += 1
        if case["duration"] < 10**9:  # a case that never opened has no start time
            row["ms"] += case["duration"]
        if result == "FAILED":
            failed.append(f"FAILED {case_id}: behaviour {case['behavior']}, close {case['behaviorClose']}, "
                          f"the server's close code {case['remoteCloseCode']}; see {case['reportfile']}")

    lines = ["| group | cases | OK | INFORMATIONAL | FAILED | seconds |", "|--:|--:|--:|--:|--:|--:|"]
    for group, row in rows.items():
        count = row["OK"] + row["INFORMATIONAL"] + row["FAILED"]
        lines.append(f"| {group} | {count} | {row['OK']} | {row['INFORMATIONAL']} | {row['FAILED']} "
                     f"| {row['ms'] / 1000:.1f} |")
    lines += failed
    total = sum(rows.values(), collections.Counter())
    lines.append(f"autobahn: {len(cases)} cases, {total['OK']} OK, {total['INFORMATIONAL']} INFORMATIONAL, "
                 f"{total['FAILED']} FAILED")
    if len(cases) != expected:
        lines.append(f"autobahn: incomplete, {len(cases)} of {expected} cases ran")
    print("\n".join(lines))
    (folder / "summary.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 2 if len(cases) != expected else 1 if failed else 0


sys.exit(main())
