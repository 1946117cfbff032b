#!/usr/bin/python3
"""The OpenAPI document and the server's table of routes name the same requests, scopes and error codes."""
import re

import yaml

from protocol import ROOT, check


def main():
    document = yaml.safe_load((ROOT / "server/openapi.yaml").read_text())
    table = re.findall(r'^ROUTE\("(\w+)",\s+"([^"]+)",\s+(\w+),\s*"([^"]*)"',
                       (ROOT / "server/frontend/routes.inc").read_text(), re.M)
    scopes = {"NONE": "none", "CONFIRM": "sealed", "DEVICE": "device", "USER": "user", "OFFICER": "officer",
              "APPOINTER": "officer or root"}
    ours = {(m, p): (scopes[s], perm) for m, p, s, perm in table}
    theirs = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            permission = operation.get("x-holdfast-permission", "")
            theirs[method.upper(), re.sub(r"\{\w+\}", "{}", path)] = (
                operation["x-holdfast-scope"], "" if " " in permission else permission)
    check("both name the same routes, scopes and permissions", ours == theirs)
    codes = re.findall(r'^FAULT\(\w+,\s+"([^"]+)"', (ROOT / "server/fault.inc").read_text(), re.M)
    listed = document["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]["enum"]
    check("and the same error codes", codes == listed)
    names = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    check("every reference is there", names <= set(document["components"]["schemas"]))
    prose = (ROOT / "docs/protocol.md").read_text()
    check("docs/protocol.md names every code", all(f"`{c}`" in prose for c in codes))


if __name__ == "__main__":
    main()
