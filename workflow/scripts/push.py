"""Send a checkpoint or a training file with its card to a model hub."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.models.publishing import kind_of, send, to_send
from plumbline.storage.files import InputError


def main(
    *,
    folder: Annotated[Path, "of a checkpoint or a training file, below results/"],
    repo: Annotated[str, "OWNER/NAME"],
    confirm: Annotated[bool, "without it, only lists what would be sent"] = False,
) -> None:
    if repo.count("/") != 1:
        raise InputError(f"--repo: {repo!r} is not a repository; expected OWNER/NAME.")
    kind = kind_of(folder)
    with to_send(folder, folder.parent) as sent:
        files = sorted(path for path in sent.rglob("*") if path.is_file())
        for path in files:
            print(f"{path.stat().st_size / 1e6:10.1f} MB  {path.relative_to(sent)}")
        if confirm:
            print(f"sent: {send(sent, repo, kind)}")
        else:
            print(f"Nothing was sent to {kind} {repo}; `make push … CONFIRM=yes` sends it.")


if __name__ == "__main__":
    program.cli(main)
