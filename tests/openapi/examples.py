#!/usr/bin/env python3
"""Every example of a request in Rutter's document, as a job: all pass the check before sending, and
none does once a member that must be a number is text. In those that make connections everything but
platform and store_url is a secret, which a spec gives as a reference.

usage: examples.py PURSER DOCUMENT

Skipped (77) without the document."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
METHODS = ("post", "patch", "delete")
CONNECTION_WRITES = ("/connections/create", "/item/public_token/exchange")
WITHOUT_TOKEN = CONNECTION_WRITES + ("/connections/{id}",)


def requests(document):
    """(method, path, body) of every write operation that has an example."""
    examples = document["components"]["examples"]
    for path, item in document["paths"].items():
        for method in METHODS:
            content = item.get(method, {}).get("requestBody", {}).get("content", {})
            for example in content.get("application/json", {}).get("examples", {}).values():
                name = example["$ref"].rsplit("/", 1)[1]
                yield method.upper(), path, examples[name]["value"]


def spoilt(body):
    """The body with its first number made text; None when it has none."""
    def spoil(value):
        if isinstance(value, dict):
            keys = list(value)
        elif isinstance(value, list):
            keys = range(len(value))
        else:
            return False
        for key in keys:
            if isinstance(value[key], (int, float)) and not isinstance(value[key], bool):
                value[key] = f"about {value[key]}"
                return True
            if spoil(value[key]):
                return True
        return False

    body = json.loads(json.dumps(body))
    return body if spoil(body) else None


def job_of(method, path, body):
    job = {"source": {"inline": [{"id": "1"}], "key": "${row.id}"},
           "request": f"{method} {concrete(path)}", "body": body, "when_empty": "null"}
    if path in CONNECTION_WRITES:
        job["access_tokens"] = "tokens.ndjson"
        job["body"] = {name: value if name in ("platform", "store_url") else {"env": "SECRET"}
                       for name, value in body.items()}
    elif path not in WITHOUT_TOKEN:
        job["connection"] = "one"
    return job


def concrete(path):
    return "/".join("x-1" if part.startswith(("{", ":")) else part for part in path.split("/"))


def spec_of(cases, document):
    jobs = {f"job-{number}": job_of(*case) for number, case in enumerate(cases)}
    return {"purser": 1, "name": "examples",
            "api": {"environment": "simulator", "openapi": str(document)},
            "connections": {"one": {}}, "jobs": jobs}


def messages(purser, cases, document, folder):
    """{number of the case: [message]}"""
    file = Path(folder) / "spec.yaml"
    file.write_text(json.dumps(spec_of(cases, document), indent=1))  # JSON is YAML
    run = subprocess.run([purser, "check", str(file), "--output", "json"], capture_output=True)
    answer = json.loads(run.stdout)
    found = {}
    for message in answer["messages"]:
        if message["severity"] != "error":
            continue
        number = message["message"].partition("job job-")[2].partition(":")[0]
        found.setdefault(int(number) if number.isdigit() else -1, []).append(message["message"])
    return found


def main():
    purser, document = sys.argv[1], Path(sys.argv[2])
    if not document.is_file():
        print(f"skipped: there is no {document}; set PURSER_OPENAPI to Rutter's document")
        sys.exit(SKIPPED)
    cases = list(requests(json.loads(document.read_text())))
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, told in sorted(messages(purser, cases, document.resolve(), folder).items()):
            wrong += 1
            print("refused:", *cases[number][:2], *told)
        broken = [(method, path, spoilt(body)) for method, path, body in cases if spoilt(body)]
        told = messages(purser, broken, document.resolve(), folder)
        for number, (method, path, _) in enumerate(broken):
            if number not in told:
                wrong += 1
                print("let pass:", method, path)
    print(f"{len(cases)} examples, {len(broken)} spoilt, {wrong} judged wrongly")
    sys.exit(1 if wrong or not broken else 0)


if __name__ == "__main__":
    main()
