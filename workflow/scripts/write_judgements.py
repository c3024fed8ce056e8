"""Write the requests that ask a judge how helpful responses are."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.files import read_unique_rows, write_rows
from plumbline.methods.flame.rewards import judge_requests
from plumbline.responses import drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=Path, required=True)
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    drawn.add_sampling(parser)
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    requests = judge_requests(
        read_unique_rows(args.responses, drawn.Response),
        args.form,
        **drawn.sampling(args),
    )
    program.log.info(f"{write_rows(args.requests, requests):,} requests")


if __name__ == "__main__":
    program.run(main, "write_judgements")
