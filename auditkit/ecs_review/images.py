"""Step 5: does the image that runs stay the image that was built, and is it scanned?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditkit.ecs_review.facts import Facts
from auditkit.ecs_review.step import About, Check, Evidence, Row, Step, at, by, ids, named, quoted, rows, step, told
from auditkit.model import Finding, at_least

ABOUT = About(
    5,
    "Image tags fixed, images scanned",
    "A tag that can be moved puts other code under a name that everybody trusts. An image that nobody scans carries "
    "known holes into production.",
    "Settings of repositories made before the window, results of scans, and pulls from registries other than ECR.",
    ("6.3.1", "6.3.2", "6.5.1", "11.3.1"),
)
# Told by the rows of review/registry, which know what was set last.
SETTINGS = {"ecr.tags_made_mutable", "ecr.scan_switched_off"}
FROM_ELSEWHERE = ("ecs.public_image", "ecs.image_of_other_account")
_ECR = re.compile(r"[0-9]{12}\.dkr\.ecr\.")


def images(facts: Facts) -> Step:
    """Judged by how definitions name their images, and by the settings of the repositories."""
    named_images = [row for row in facts.definitions if row["image"]]
    of_ecr = [row for row in named_images if _ECR.match(row["image_registry"] or "")]
    repositories = sorted({row["image_repository"] for row in of_ecr})
    if not facts.is_scoped and not repositories:
        repositories = sorted({str(row["repository"]) for row in rows(facts.image_pulls) if row["repository"]})
    settings = [row for row in rows(facts.registry) if row["outcome"] == "ok"]
    fixed = _last(settings, "tag_mutability")
    pushed = {row["event_id"] for row in settings if row["repository"] in repositories}
    findings = _findings(facts, pushed)
    checks = [
        *_pinned(named_images, of_ecr, fixed),
        *_elsewhere(facts),
        *_tags(repositories, fixed),
        *_scans(repositories, settings),
        *(_of_finding(finding) for finding in findings),
    ]
    if not repositories and not named_images:
        checks.append(
            Check(
                "cannot_tell",
                f"No task definition of {facts.scope} was registered and no image pulled in the window, so its images "
                "are not known.",
                "`aws ecr describe-repositories --query "
                "'repositories[].[repositoryName,imageTagMutability,imageScanningConfiguration]'`",
            )
        )
    return step(
        ABOUT,
        checks,
        [
            Evidence("Task definitions registered", facts.task_definitions, "review/task_definitions"),
            Evidence("Repositories set and images pushed", facts.registry, "review/registry"),
            Evidence("Images pulled", facts.image_pulls, "review/image_pulls"),
        ],
        [*findings, *facts.found(*FROM_ELSEWHERE, of=facts.of_ecs())],
    )


def _last(settings: list[Row], name: str) -> dict[str, Row]:
    """Repository to the last row that sets *name*."""
    return {row["repository"]: row for row in settings if row[name] is not None and row["repository"]}


def _is_fixed(row: Row | None) -> bool:
    return row is not None and str(row["tag_mutability"]).startswith("IMMUTABLE")


def _pinned(images: list[Row], of_ecr: list[Row], fixed: dict[str, Row]) -> Iterator[Check]:
    pinned = [row for row in images if row["image_digest"]]
    held = [row for row in of_ecr if not row["image_digest"] and _is_fixed(fixed.get(row["image_repository"]))]
    loose = [row for row in images if row not in pinned and row not in held]
    if pinned:
        yield Check(
            "good",
            f"{named(row['definition'] for row in pinned)} name their images by digest.",
            event_ids=ids(pinned),
        )
    if held:
        yield Check(
            "good",
            f"{named(row['definition'] for row in held)} name their images by tags that cannot be moved.",
            event_ids=ids(held),
        )
    if loose:
        yield Check(
            "attention",
            f"{named(row['definition'] for row in loose)} name images by tag and not by digest "
            f"({named(_short(row) for row in loose)}): what runs can change while the definition stays.",
            "Name images by digest (`repository@sha256:…`), which the pipeline knows after its push.",
            ids(loose),
        )


def _elsewhere(facts: Facts) -> Iterator[Check]:
    for finding in facts.found(*FROM_ELSEWHERE, of=facts.of_ecs()):
        images = [row for row in facts.definitions if row["event_id"] in finding.evidence]
        if finding.outcome == "ok" and images:
            yield Check(
                "attention",
                f"{named(row['definition'] for row in images)} takes {named(row['image'] for row in images)} from a "
                f"registry that is not this account's; registered by {by(images[0])} on {at(images[0]['event_time'])}.",
                finding.response,
                finding.evidence,
            )


def _tags(repositories: list[str], fixed: dict[str, Row]) -> Iterator[Check]:
    good = [one for one in repositories if _is_fixed(fixed.get(one))]
    loose = [one for one in repositories if one in fixed and one not in good]
    unknown = [one for one in repositories if one not in fixed]
    if good:
        yield Check("good", f"Tags of {named(good)} cannot be moved.", event_ids=ids([fixed[one] for one in good]))
    if loose:
        yield Check(
            "attention",
            f"Tags of {named(loose)} can be moved: set so on {at(fixed[loose[0]]['event_time'])} by "
            f"{by(fixed[loose[0]])}.",
            f"`aws ecr put-image-tag-mutability --repository-name {quoted(loose[0])} --image-tag-mutability IMMUTABLE`",
            ids([fixed[one] for one in loose]),
        )
    if unknown:
        yield Check(
            "cannot_tell",
            f"Whether tags of {named(unknown)} can be moved is not in these logs.",
            f"`aws ecr describe-repositories --repository-names {quoted(*unknown)} --query "
            "'repositories[].[repositoryName,imageTagMutability,imageScanningConfiguration]'`",
        )


def _scans(repositories: list[str], settings: list[Row]) -> Iterator[Check]:
    whole = [row for row in settings if row["event_name"] == "PutRegistryScanningConfiguration"]
    if whole and re.search("SCAN_ON_PUSH|CONTINUOUS_SCAN", whole[-1]["scan_frequencies"] or ""):
        yield Check(
            "good", "The registry scans images when they are pushed or all the time.", event_ids=ids(whole[-1:])
        )
        return
    scanned = _last(settings, "scan_on_push")
    good = [one for one in repositories if one in scanned and scanned[one]["scan_on_push"]]
    off = [one for one in repositories if one in scanned and one not in good]
    unknown = [one for one in repositories if one not in scanned]
    if good:
        yield Check(
            "good", f"{named(good)} scans images when they are pushed.", event_ids=ids([scanned[one] for one in good])
        )
    if off:
        yield Check(
            "attention",
            f"{named(off)} does not scan images when they are pushed, as of {at(scanned[off[0]]['event_time'])}, "
            "unless the registry's own settings do.",
            "`aws ecr get-registry-scanning-configuration`; switch scanning on for the whole registry.",
            ids([scanned[one] for one in off]),
        )
    if unknown:
        yield Check(
            "cannot_tell",
            f"Whether images of {named(unknown)} are scanned is not in these logs.",
            "`aws ecr get-registry-scanning-configuration`, and `aws ecr describe-image-scan-findings` for the tags in "
            "use",
        )


def _findings(facts: Facts, pushed: set[str]) -> list[Finding]:
    """Findings on the registry: with a scope, those that rest on its repositories."""
    of_ecr = {one.rule for one in facts.findings if one.rule.startswith("ecr.") and at_least(one.severity, "medium")}
    return facts.found(*(of_ecr - SETTINGS), of=pushed)


def _of_finding(finding: Finding) -> Check:
    is_bad = finding.outcome == "ok" and (at_least(finding.severity, "high") or finding.rule == "ecr.tag_overwritten")
    return Check("bad" if is_bad else "attention", told(finding), finding.response, finding.evidence)


def _short(row: Row) -> str:
    return str(row["image"]).rsplit("/", 1)[-1]
