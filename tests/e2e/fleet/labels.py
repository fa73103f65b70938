#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Labels that a dashboard and rules ask for, held against those that metrics have.

    labels.py METRICS RULES DASHBOARD

METRICS is what vhu ctl metrics prints. Each label in a selector, behind "by" and in a legend must be one
of a metric in the same expression, or one that Prometheus adds. Each metric must exist, and each reason
that sessions end for.
Ends with 1 and one line for each thing that is wrong.
"""
import json
import re
import sys

# Labels that Prometheus adds to what it scrapes, and metrics of its own.
ADDED = {"instance", "job"}
OWN = {"up": set()}

METRIC = re.compile(r"(?<![\w:$.\"])((?:[a-z_0-9]+:)*vhu_[a-z_]+(?::[a-z0-9_]+)*|up)(?:\{([^}]*)\})?")


def read_metrics(path):
    """Return the labels of each metric, and the reasons that sessions end for."""
    labels, reasons = {}, set()
    with open(path, encoding="utf-8") as file:
        for line in file:
            found = re.match(r"([a-z_]+)(?:\{(.*)\})? ", line)
            if found:
                names = re.findall(r'(\w+)="', found[2] or "")
                labels.setdefault(found[1], set()).update(names)
                reasons.update(re.findall(r'\breason="([^"]*)"', found[2] or ""))
            found = re.match(r"# TYPE ([a-z_]+) ", line)
            if found:
                labels.setdefault(found[1], set())
    return labels, reasons


def read_rules(path):
    """Return the names and expressions of rules; the name of an alert is None."""
    with open(path, encoding="utf-8") as file:
        text = "".join(line for line in file if not line.lstrip().startswith("#"))
    rules = []
    for block in re.split(r"\n +- (?=alert:|record:)", text)[1:]:
        expression = re.search(r"expr: (?:>-\n)?((?:.*)(?:\n {10,}.*)*)", block)
        name = re.match(r"record: (\S+)", block)
        legend = re.findall(r"\$labels\.(\w+)", block)
        rules.append((name and name[1], expression[1], legend))
    return rules


def read_dashboard(path):
    """Return the expressions of a dashboard with their legends, and those of its variables."""
    with open(path, encoding="utf-8") as file:
        board = json.load(file)
    found = []

    def walk(part):
        if isinstance(part, list):
            for item in part:
                walk(item)
        elif isinstance(part, dict):
            if "expr" in part:
                legend = re.findall(r"\{\{(\w+)\}\}", part.get("legendFormat", ""))
                found.append((None, part["expr"], legend))
            for item in part.values():
                walk(item)

    walk(board)
    for variable in board["templating"]["list"]:
        values = re.match(r"label_values\((.*), (\w+)\)$", variable.get("definition") or "")
        if values:
            found.append((None, values[1], [values[2]]))
    return found


def labels_left(expression, labels):
    """Return the labels that the result of an expression can have."""
    grouped = re.findall(r"\bby \(([^)]*)\)", expression)
    if grouped:
        return set(re.findall(r"\w+", grouped[0]))
    if re.match(r"(sum|count|max|min)\(", expression):
        return set()
    return set.union(set(), *(labels.get(name, set()) | ADDED for name, _ in METRIC.findall(expression)))


def look(expression, legend, labels, reasons):
    """Return what is wrong with an expression."""
    wrong, known = [], set(ADDED)
    for value in re.findall(r'\breason=~?"([^"]*)"', expression):
        wrong += [f"no session ends for the reason {reason}" for reason in value.split("|") if reason not in reasons]
    for name, selector in METRIC.findall(expression):
        if name not in labels:
            wrong.append(f"{name}: no such metric")
            continue
        known |= labels[name]
        for label in re.findall(r'(\w+) *(?:=~|!~|!=|=) *"', selector):
            if label not in labels[name] | ADDED:
                wrong.append(f"{name}: has no label {label}")
    for group in re.findall(r"\bby \(([^)]*)\)", expression):
        wrong += [f"by {label}: no metric there has it" for label in re.findall(r"\w+", group)
                  if label not in known]
    wrong += [f"the legend or text asks for {label}, which is not left" for label in legend
              if label not in labels_left(expression, labels)]
    return wrong


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    labels, reasons = read_metrics(sys.argv[1])
    labels.update(OWN)
    rules, board = read_rules(sys.argv[2]), read_dashboard(sys.argv[3])
    for name, expression, _ in rules:
        if name:
            labels[name] = labels_left(expression, labels)
    wrong = 0
    for _, expression, legend in rules + board:
        for text in look(expression, legend, labels, reasons):
            wrong += 1
            print(f"{text}: {expression}")
    if len(rules) < 10 or len(board) < 10:
        wrong += 1
        print(f"only {len(rules)} rules and {len(board)} expressions of the dashboard")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
