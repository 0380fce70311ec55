"""A second verifier of the ledger: standard library only, nothing of the workbench, so that two programs must be wrong at once.

    python ledger_verifier.py ledger.jsonl [--checkpoint SEQUENCE:DIGEST] [--allowed-signers FILE [--revoked-keys FILE]]

It reads what `workbench ledger export FILE` wrote, prints one line a fault and ends with 0 (nothing is wrong) or 1. With an
allowed-signers file every signature (of approvals, waivers, objections) is verified by `ssh-keygen`, by no revoked key.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Lines = list[tuple[str, dict[str, Any]]]
TEXTS = ("time", "event", "actor", "subject", "previous")
LINE = re.compile(rb'\{"digest":"([0-9a-f]{64})","entry":(\{.*\})\}', re.DOTALL)
PRINCIPAL = re.compile(r"[\w.@+-]+", re.ASCII)
NAMESPACE = re.compile(r"workbench(\.[a-z][a-z0-9_-]{0,31}){1,2}")
NOTHING, BEGIN = "0" * 64, datetime.min.replace(tzinfo=UTC)
# How far two clocks may be apart, how far ahead of this one an entry may be, how long after it is issued a statement is kept.
TOLERANCE, AHEAD, KEPT_WITHIN = timedelta(seconds=10), timedelta(minutes=5), timedelta(minutes=5)
SIGNED = {"approved": "workbench.approval.{role}", "waived": "workbench.waiver.{role}"}  # in which namespace
SIGNED |= dict.fromkeys(("objected", "cleared"), "workbench.objection")
EVENTS = {"planned", "nominated", "answered", "refused", "promoted", "rolled_back", "accepted", *SIGNED}


def read_lines(content: bytes) -> tuple[Lines, list[str]]:
    """Return (digest, entry) of each line, and the faults of those that are no line of an export."""
    *lines, rest = content.split(b"\n")
    found, faults = [], ["the file was cut off: its last line does not end"] if rest else []
    for number, line in enumerate(lines, 1):
        try:
            found.append(read_line(line))
        except (ValueError, RecursionError) as exc:
            faults.append(f"line {number}: {exc or type(exc).__name__}")
    return found, faults


def read_line(line: bytes) -> tuple[str, dict[str, Any]]:
    """Return digest and entry of a line; raises ValueError when the digest is not that of the very bytes beside it."""
    if not (match := LINE.fullmatch(line)):
        raise ValueError("it is not a digest and an entry")
    digest, text = match[1].decode(), match[2]
    if hashlib.sha256(text).hexdigest() != digest:
        raise ValueError("its content does not give its digest")
    entry = json.loads(text.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)
    if set(entry) != {"sequence", "body", *TEXTS} or type(entry["sequence"]) is not int:
        raise ValueError("it has other fields than an entry")
    if not isinstance(entry["body"], dict) or not all(isinstance(entry[name], str) for name in TEXTS):
        raise ValueError("a field is of another kind")
    if entry["event"] not in EVENTS:
        raise ValueError(f"there is no event {entry['event']!r}")
    if json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode() != text:
        raise ValueError("it is spelt in another way than entries are")
    return digest, entry


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that has a key twice."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def refuse(name: str) -> Any:
    """Refuse what is no JSON: NaN, Infinity."""
    raise ValueError(f"{name} is no number")


def check_chain(lines: Lines) -> list[str]:
    """Return where an entry does not follow the one before it."""
    faults, previous = [], NOTHING
    for number, (digest, entry) in enumerate(lines, 1):
        if entry["sequence"] != number:
            faults.append(f"line {number}: it is entry {entry['sequence']}")
        if entry["previous"] != previous:
            faults.append(f"line {number}: it follows {entry['previous'][:12]}, and {previous[:12]} is before it")
        previous = digest
    return faults


def check_checkpoint(lines: Lines, sequence: Any, digest: Any) -> list[str]:
    """Return in what the entries do not hold a checkpoint."""
    if type(sequence) is not int or not 0 <= sequence <= len(lines):
        return [f"entry {sequence} ({str(digest)[:12]}) was seen, and there are {len(lines)} entries"]
    now = lines[sequence - 1][0] if sequence else NOTHING
    return [] if now == digest else [f"entry {sequence} was {str(digest)[:12]} when it was seen, and is {now[:12]}"]


class Times:
    """How late it was after so many lines, what is wrong with the time of one, and when what people sign last happened."""

    def __init__(self, lines: Lines, now: datetime | None) -> None:
        self.late, self.faults, self.signed = [BEGIN], dict[int, str](), dict[str, datetime]()
        for number, (_, entry) in enumerate(lines, 1):
            try:
                self.add(number, entry, now)
            except (ValueError, OverflowError) as exc:
                self.faults[number] = f"it has no time: {exc}"
                self.late.append(self.late[-1])

    def add(self, number: int, entry: dict[str, Any], now: datetime | None) -> None:
        """Hold a line against those before it; raises ValueError when it has no time."""
        time, before, said = parse_time(entry["time"]), self.late[-1], entry["body"].get("ended")
        ended = parse_time(str(said)) if entry["event"] == "nominated" and said is not None else None
        if before - time > TOLERANCE:
            self.faults[number] = f"it is dated back: it is of {time}, and before it {before} was reached"
        elif ended and ended - time > TOLERANCE:
            self.faults[number] = f"it is dated back: it is of {time}, and its run ended at {ended}"
        elif now and time - now > AHEAD:
            self.faults[number] = f"it is dated ahead: it is of {time}, and it is {now}"
        self.late.append(max(before, time))
        if entry["event"] == "nominated":
            self.signed.setdefault(entry["subject"], max(self.late[-1], ended or BEGIN))

    def check_statement(self, entry: dict[str, Any]) -> list[str]:
        """Return what a statement is older than, of what it names and signs."""
        signed = json.loads(entry["body"]["statement"])["predicate"]
        issued, named = parse_time(signed["issued"]), signed.get("sequence", 0)
        head = self.late[named] if named in range(1, len(self.late)) else BEGIN
        parts = {"the last entry it names": head, "what it signs": self.signed.get(entry["subject"], BEGIN)}
        return [
            f"issued at {issued}, and {what} is of {time}" for what, time in parts.items() if time - issued > TOLERANCE
        ]


def check_signed(lines: Lines, signers: bytes, revoked: bytes | None, times: Times) -> list[str]:
    """Return the faults of everything that was signed: who signed what, when, after which entry."""
    faults = check_signers(signers)
    nominated = {entry["subject"]: entry["body"] for _, entry in reversed(lines) if entry["event"] == "nominated"}
    for number, (_, entry) in enumerate(lines, 1):
        if entry["event"] in SIGNED:
            try:
                found = check_statement(entry, lines, signers, revoked) + times.check_statement(entry)
                found += check_made(entry["body"]["statement"], nominated.get(entry["subject"]))
            except (KeyError, TypeError, ValueError, AttributeError, OSError, OverflowError) as exc:
                found = [f"what was signed cannot be read: {exc}"]
            faults += [f"line {number}: {fault}" for fault in found]
    return faults


def check_statement(entry: dict[str, Any], lines: Lines, signers: bytes, revoked: bytes | None = None) -> list[str]:
    """Return what is wrong with one signed statement."""
    signed = json.loads(entry["body"]["statement"], object_pairs_hook=unique, parse_constant=refuse)["predicate"]
    body, role = entry["body"], signed.get("role")
    faults = [f"its {name} holds what nobody sees" for name, value in signed.items() if not str(value).isprintable()]
    if (signed["principal"], role) != (entry["actor"], body.get("role")):
        faults.append(f"{signed['principal']} ({role}) signed, not {entry['actor']} ({body.get('role')})")
    if f"{signed['model']}/{signed['version']}" != entry["subject"]:
        faults.append(f"{signed['model']}/{signed['version']} was signed, not {entry['subject']}")
    own = [each for each in authors_of(entry, lines) if may_be(each, entry["actor"])]
    if own and entry["event"] in ("approved", "waived"):
        faults.append(f"{entry['actor']} is an author of {entry['subject']}: nobody approves their own work")
    if not -TOLERANCE <= parse_time(entry["time"]) - parse_time(signed["issued"]) <= KEPT_WITHIN:
        faults.append(f"issued at {signed['issued']}, and recorded at {entry['time']}: not within 5 minutes")
    if "head" in signed:
        faults += check_checkpoint(lines[: entry["sequence"] - 1], signed["sequence"], signed["head"])
    files = {"-f": signers, "-s": body["signature"].encode(), **({} if revoked is None else {"-r": revoked})}
    return faults + check_signature(body, SIGNED[entry["event"]].format(role=role), signed, files)


def authors_of(entry: dict[str, Any], lines: Lines) -> list[str]:
    """Return who nominated what an entry is about before it, and whom that names as its authors."""
    about = [each for _, each in lines[: entry["sequence"] - 1] if each["subject"] == entry["subject"]]
    named = [(each["actor"], each["body"].get("authors")) for each in about if each["event"] == "nominated"]
    return [str(name) for actor, others in named for name in [actor, *(others if isinstance(others, list) else [])]]


def may_be(author: str, signer: str) -> bool:
    """True where an author is, or looks like, who signed: a letter that no signer has may stand for any."""
    one, other = person(author), person(signer)
    return len(one) == len(other) and all(ord(a) > 127 or a == b for a, b in zip(one, other, strict=True))


def check_made(statement: str, nominated: dict[str, Any] | None) -> list[str]:
    """Return in what the version that was nominated is made of something else than what was signed: its bundle, its run."""
    said, made = json.loads(statement), nominated or {}
    signed = {
        "manifest": {each["name"]: each["digest"]["sha256"] for each in said["subject"]}.get("release/manifest.json")
    }
    signed |= {"run": said["predicate"]["run"]} if "run" in said["predicate"] else {}
    other = [name for name in signed if nominated is not None and made.get(name) != signed[name]]
    return [f"{name} {signed[name]} was signed, and {made.get(name)} was nominated" for name in other]


def check_signature(body: dict[str, Any], namespace: str, signed: dict[str, Any], files: dict[str, bytes]) -> list[str]:
    """Return what ssh-keygen says against a signature by the principal, in the role's namespace, when it was issued."""
    if not NAMESPACE.fullmatch(namespace) or not PRINCIPAL.fullmatch(signed["principal"]):
        return ["no one signs under such a name or role"]
    with tempfile.TemporaryDirectory() as folder:
        command = ["ssh-keygen", "-Y", "verify", "-I", signed["principal"], "-n", namespace]
        command += ["-O", f"verify-time={parse_time(signed['issued']):%Y%m%d%H%M%SZ}"]
        for option, content in files.items():
            Path(folder, option).write_bytes(content)
            command += [option, str(Path(folder, option))]
        environment = {**os.environ, "TZ": "UTC0"}  # dates without a zone in an allowed-signers file are in UTC
        done = subprocess.run(
            command, input=body["statement"].encode(), capture_output=True, env=environment, check=False
        )
    said = " ".join((done.stderr or done.stdout).decode(errors="replace").split())
    return [f"the signature of {signed['principal']} does not hold: {said}"] if done.returncode else []


def parse_time(text: str) -> datetime:
    """Return a time in UTC; raises ValueError for one without a time zone, OverflowError for one that UTC has not."""
    if (time := datetime.fromisoformat(text)).utcoffset() is None:
        raise ValueError(f"{text} names no time zone")
    return time.astimezone(UTC)


def person(name: str) -> str:
    """Return whom a name means: without what nobody sees, capitals, accents, a tag, or what stands around an address."""
    letters = [(each, unicodedata.category(each)[:1]) for each in unicodedata.normalize("NFKD", name).casefold()]
    seen = [each for each in letters if each[1] not in ("C", "M") and each[0] not in "\u115f\u1160\u2800"]
    text = "".join(" " if kind == "Z" else letter for letter, kind in seen)
    text = re.sub(r".*<", "", text).split(">")[0] if "<" in text else text
    for user, host in reversed(re.findall(r"([^\s@<>():;,\"']+)@([^\s@<>():;,\"'/?]+)", text)):
        return re.sub(r"\+.*", "", user).strip(".") + "@" + host.strip(".")
    return re.sub(r"^mailto:", "", " ".join(text.split())).strip(". ")


def key_of(word: str) -> tuple[bytes, ...]:
    """Return the numbers of a public key without zeros before them: its type and spelling make no other key of it."""
    left, numbers = base64.b64decode(word, validate=True), list[bytes]()
    while left:
        size = 4 + int.from_bytes(left[:4], "big")
        numbers, left = [*numbers, left[4:size].lstrip(b"\x00")], left[size:]
    return tuple(numbers)[1:]


def check_signers(signers: bytes) -> list[str]:
    """Return the lines of an allowed-signers file by which one key could be more than one person."""
    faults, people = list[str](), dict[tuple[bytes, ...], str]()
    for number, line in enumerate(signers.decode(errors="replace").split("\n"), 1):
        if not (words := line.split()) or words[0].startswith("#"):
            continue
        if not PRINCIPAL.fullmatch(words[0]) or "cert-authority" in line:
            faults.append(f"allowed signers, line {number}: it may stand for more than one person")
        try:
            after = re.sub(r'"(\\.|[^"\\])*"', "", line.replace(words[0], "", 1)).split()
            key = key_of(next(word for word in after if word.startswith("AAAA")))
        except (StopIteration, ValueError):
            faults.append(f"allowed signers, line {number}: its key cannot be read")
            continue
        if person(people.setdefault(key, words[0])) != person(words[0]):
            faults.append(f"allowed signers, line {number}: {words[0]} has the key of {people[key]}")
    return faults


def verify(
    content: bytes, checkpoint: Any = None, signers: bytes | None = None, revoked: bytes | None = None, now: Any = None
) -> list[str]:
    """Return everything that is wrong with an export; empty when nothing is. Without `now` no entry is too far ahead."""
    lines, faults = read_lines(content)
    if faults:
        return faults
    faults = check_chain(lines) + (check_checkpoint(lines, *checkpoint) if checkpoint else [])
    times = Times(lines, now)
    faults += [f"line {number}: {fault}" for number, fault in times.faults.items()]
    return faults + (check_signed(lines, signers, revoked, times) if signers is not None else [])


def read_checkpoint(text: str) -> tuple[int, str]:
    """Read SEQUENCE:DIGEST."""
    if not (found := re.fullmatch(r"([0-9]{1,12}):([0-9a-f]{64})", text)):
        raise argparse.ArgumentTypeError("write SEQUENCE:DIGEST, with 64 hex characters")
    return int(found[1]), found[2]


def main() -> int:
    """Verify the file that was named, and say what is wrong with it."""
    parser = argparse.ArgumentParser(description="Verify an exported ledger.")
    parser.add_argument("file", type=argparse.FileType("rb"))
    parser.add_argument("--checkpoint", type=read_checkpoint, metavar="SEQUENCE:DIGEST")
    parser.add_argument("--allowed-signers", type=argparse.FileType("rb"))
    parser.add_argument("--revoked-keys", type=argparse.FileType("rb"))
    given = parser.parse_args()
    if given.revoked_keys and not given.allowed_signers:
        parser.error("--revoked-keys says nothing without --allowed-signers")
    content, signers, revoked = (
        each and each.read() for each in (given.file, given.allowed_signers, given.revoked_keys)
    )
    faults = verify(content, given.checkpoint, signers, revoked, datetime.now(UTC))
    sys.stdout.write("".join(f"{each}\n" for each in faults) or f"{content.count(10)} entries, nothing wrong\n")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
