#!/usr/bin/env python3
"""Looks at the example of a CronJob: with the schemas of Kubernetes, and for what they do not know.

    kubernetes.py FILE
"""

import sys

import kubernetes_validate
import yaml

# The first version whose pod failure policy is not a trial, and the newest whose schemas the package has.
VERSIONS = ["1.31", "1.37"]
# Exit codes that another try does not help.
NOT_AGAIN = {2, 3, 4}


def complaints(documents):
    for document in documents:
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{document['kind']}, {version}: {error.message}"
    [cron] = [document["spec"] for document in documents if document["kind"] == "CronJob"]
    claims = {document["metadata"]["name"] for document in documents if document["kind"] == "PersistentVolumeClaim"}
    job = cron["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    if cron["concurrencyPolicy"] != "Forbid":
        yield "two runs at once"
    failing = [rule for rule in job["podFailurePolicy"]["rules"] if rule["action"] == "FailJob"]
    codes = {code for rule in failing for code in rule["onExitCodes"]["values"]}
    if codes != NOT_AGAIN or pod["restartPolicy"] != "Never" or not job["backoffLimit"]:
        yield f"not tried again: {sorted(codes)}, {pod['restartPolicy']}, {job['backoffLimit']}"
    if {volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"]} != claims:
        yield "a volume that nobody claims"
    if not pod["securityContext"]["runAsNonRoot"] or pod["automountServiceAccountToken"]:
        yield "more rights than it needs"
    for container in pod["initContainers"] + pod["containers"]:
        context = container["securityContext"]
        if not context["readOnlyRootFilesystem"] or context["capabilities"] != {"drop": ["ALL"]}:
            yield f"{container['name']} has more rights than it needs"
    commands = [container["args"][0] for container in pod["initContainers"] + pod["containers"]]
    if commands != ["run", "verify"]:
        yield f"it does {commands}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        documents = list(yaml.safe_load_all(file))
    code = 0
    for complaint in complaints(documents):
        print(complaint, flush=True)
        code = 1
    return code


sys.exit(main())
