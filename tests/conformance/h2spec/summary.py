"""Judges an h2spec run.

    summary.py RESULT_FOLDER CASES

RESULT_FOLDER holds junit.xml; CASES is how many cases must be there (0: any number). Prints a row for each suite,
then what each failed or skipped case expected, then one line. Also writes them to summary.txt.
Exit: 0 all passed, 1 some failed or were skipped, 2 cases are missing.
"""

import collections
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def main():
    folder, expected = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    rows = collections.OrderedDict()
    bad = []
    for case in ElementTree.parse(folder / "junit.xml").iter("testcase"):
        section = case.get("package")
        row = rows.setdefault(section.split("/")[0], collections.Counter())
        fault = next((f for f in case if f.tag in ("failure", "error")), None)
        if fault is not None:
            row["failed"] += 1
            bad.append(f"FAILED {section}: {case.get('classname')}\n" + "\n".join(
                "    " + line.strip() for line in (fault.text or fault.get("message") or "").splitlines() if line.strip()))
        elif case.find("skipped") is not None:
            row["skipped"] += 1
            bad.append(f"SKIPPED {section}: {case.get('classname')}")
        else:
            row["passed"] += 1

    lines = ["| suite | cases | passed | failed | skipped |", "|---|--:|--:|--:|--:|"]
    for suite, row in rows.items():
        lines.append(f"| {suite} | {sum(row.values())} | {row['passed']} | {row['failed']} | {row['skipped']} |")
    lines += bad
    total = sum(rows.values(), collections.Counter())
    count = sum(total.values())
    lines.append(f"h2spec: {count} cases, {total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    missing = count == 0 or expected not in (0, count)
    if missing:
        lines.append(f"h2spec: incomplete, {count} of {expected or 'any'} cases ran")
    print("\n".join(lines))
    (folder / "summary.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 2 if missing else 1 if bad else 0


sys.exit(main())
